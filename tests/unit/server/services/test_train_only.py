"""Images that are only learned from: never measured by, and nothing else moves for them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.contract.snapshot import Manifest, Split, split_of
from server.db.models import DatasetRecord
from server.media.digests import NEAR_DHASH_BITS, NEAR_PHASH_BITS
from server.repositories.snapshots import Member
from server.services import freezing, train_only
from server.services.freezing import SplitRequest
from server.services.grouping import Looks

FAR = 0x9E3779B97F4A7C15  # odd: its multiples have bits that look random
SEEDS = st.integers(0, 99)
RATIOS = st.sampled_from([0.2, 0.5, 0.9])


def signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def member(place: int, look: int, turned: int, *, train_only: bool) -> Member:
    base = (look + 1000) * FAR % 2**64
    return Member(
        image_id=f"{place:026d}",
        label=("bear", "bird")[place % 2],
        group=None,
        sha256=f"{place:064x}",
        bytes=1,
        width=1,
        height=1,
        format="jpeg",
        dhash=signed(base ^ turned),
        phash=signed(base * FAR % 2**64),
        train_only=train_only,
    )


looks = st.tuples(
    st.integers(0, 9), st.sampled_from([0, 0b111, 0xFC00, 0x3FF, 0xFFC00]), st.booleans()
)
datasets = st.lists(looks, min_size=1, max_size=40).map(
    lambda drawn: [
        member(place, look, turned, train_only=is_extra)
        for place, (look, turned, is_extra) in enumerate(drawn)
    ]
)


def are_alike(one: Member, other: Member) -> bool:
    return (
        bits(one.dhash, other.dhash) <= NEAR_DHASH_BITS
        and bits(one.phash or 0, other.phash or 0) <= NEAR_PHASH_BITS
    )


def bits(one: int, other: int) -> int:
    return ((one ^ other) % 2**64).bit_count()


def freeze(members: list[Member], request: SplitRequest) -> dict[str, Split]:
    """Return the side of each image that the snapshot holds, by its hash."""
    measured = [one for one in members if not one.train_only]
    names = freezing.place_all(members, freezing.find_groups(measured, []).names, request)
    kept = [(one, name) for one, name in zip(members, names, strict=True) if name is not None]
    if not kept:
        return {}
    dataset = DatasetRecord(id=f"{1:026d}", name="x", created_at=datetime.now(UTC))
    frozen = freezing.freeze(dataset, [one for one, _ in kept], [name for _, name in kept], request)
    items = Manifest.from_bytes(frozen.data).items  # it checks that sides follow groups
    return {item.sha256: item.split for item in items}


@given(members=datasets, seed=SEEDS, ratio=RATIOS)
@settings(max_examples=300, deadline=None)
def test_they_are_never_validated_on_and_move_nothing(members, seed, ratio):
    request = SplitRequest(ratio, seed)
    without = freeze([one for one in members if not one.train_only], request)
    sides = freeze(members, request)
    extra = {one.sha256 for one in members if one.train_only}
    assert {sha256: side for sha256, side in sides.items() if sha256 not in extra} == without
    assert all(sides[sha256] is Split.TRAIN for sha256 in extra & set(sides))
    validated = [one for one in members if sides.get(one.sha256) is Split.VALID]
    for one in members:
        if one.train_only:
            is_known = any(are_alike(one, other) for other in validated)
            assert (one.sha256 in sides) == (not is_known), "left out where it would be known"


@pytest.mark.parametrize("ratio", [0.05, 0.5, 0.95])
def test_what_looks_like_nothing_has_a_group_of_its_own_on_the_training_side(ratio):
    def side_of(name: str) -> Split:
        return split_of(7, name, ratio)

    none = Looks(np.array([], np.uint64), np.array([], np.uint64))
    count = 200
    some = Looks(np.arange(count, dtype=np.uint64), np.arange(count, dtype=np.uint64))
    fresh = [f"{place:064x}" for place in range(count)]
    found = train_only.place(none, [], some, fresh, side_of)
    assert None not in found
    assert len(set(found)) == count
    assert {side_of(str(name)) for name in found} == {Split.TRAIN}


def test_without_a_name_on_the_training_side_it_is_left_out():
    none = Looks(np.array([], np.uint64), np.array([], np.uint64))
    one = Looks(np.array([1], np.uint64), np.array([1], np.uint64))
    assert train_only.place(none, [], one, ["x"], lambda _name: Split.VALID) == [None]
