"""Groups: what belongs together stays together, and nothing ever moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.contract.snapshot import Split, split_of
from server.media.digests import NEAR_DHASH_BITS, NEAR_PHASH_BITS
from server.services import grouping
from server.services.grouping import MOST_ON_PAGE, Grouping, Looks, group_images, page_room

FAR = 0x9E3779B97F4A7C15  # odd: its multiples have bits that look random


@dataclass
class Images:
    """A dataset as the grouping sees it: it only ever grows."""

    dhashes: list[int] = field(default_factory=list)
    phashes: list[int] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    pages: dict[str, list[int]] = field(default_factory=dict)

    def add(self, look: int | None = None, turned: int = 0, page: str | None = None) -> int:
        """Add an image that looks as ``look`` does but for some bits; return its place."""
        place = len(self.names)
        look = place + 1000 if look is None else look
        base = (look * FAR) % 2**64
        self.dhashes.append(base ^ turned)
        self.phashes.append((base * FAR) % 2**64)
        self.names.append(None)
        if page is not None:
            self.pages.setdefault(page, []).append(place)
        return place

    def group(self) -> Grouping:
        looks = Looks(np.array(self.dhashes, np.uint64), np.array(self.phashes, np.uint64))
        fresh = [f"{place:064x}" for place in range(len(self.names))]
        found = group_images(looks, self.names, fresh, self.pages)
        assert all(old in {None, new} for old, new in zip(self.names, found.names, strict=True))
        self.names = list(found.names)
        return found

    def near_pairs(self) -> list[tuple[int, int]]:
        places = range(len(self.names))
        return [
            (a, b)
            for a in places
            for b in places[a + 1 :]
            if (self.dhashes[a] ^ self.dhashes[b]).bit_count() <= NEAR_DHASH_BITS
            and (self.phashes[a] ^ self.phashes[b]).bit_count() <= NEAR_PHASH_BITS
        ]


def sides_of(names: list[str], seed: int, ratio: float) -> dict[str, Split]:
    return {name: split_of(seed, name, ratio) for name in names}


image = st.tuples(st.integers(0, 12), st.sampled_from([0, 0b111, 0xFC00, 0x3FF, 0xFFC00]))
page = st.sampled_from([None, None, "a", "b", "c", "d"])
dataset = st.lists(st.tuples(image, page), min_size=2, max_size=40)


@pytest.mark.parametrize("few", [0, 200], ids=["all-at-once", "one-by-one"])
@given(first=dataset, more=dataset, seed=st.integers(0, 99), ratio=st.sampled_from([0.2, 0.5]))
@settings(max_examples=150, deadline=None)
def test_growing_moves_nothing_and_what_is_alike_stays_together(few, first, more, seed, ratio):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_FEW_PAIRS", few)
        check_growth(first, more, seed, ratio)


def check_growth(first, more, seed, ratio):
    images = Images()
    for (look, turned), where in first:
        images.add(look, turned, where)
    before = images.group().names
    sides = sides_of(before, seed, ratio)
    straddling = [p for p in images.near_pairs() if before[p[0]] != before[p[1]]]
    assert straddling == [], "nothing was named before: all that are alike are together"
    for (look, turned), where in more[: max(1, len(first) // 2)]:  # it grows by a half
        images.add(look, turned, where)
    found = images.group()
    assert found.names[: len(before)] == before, "names once given stay, and so do sides"
    after = sides_of(found.names, seed, ratio)
    assert {name: after[name] for name in sides} == sides
    apart = [
        (a, b) for a, b in images.near_pairs() if after[found.names[a]] != after[found.names[b]]
    ]
    counted = found.count_straddling(after)["near_duplicate_pairs"]
    assert (counted > 0) == (apart != []), "what straddles is said"
    for a, b in apart:  # and is what stickiness forbids: two groups that were named before
        assert {found.names[a], found.names[b]} <= set(before)


def test_images_of_one_page_are_a_group():
    images = Images()
    for number in range(9):
        images.add(page=f"https://a.test/{number // 3}")
    names = images.group().names
    assert names[0] == names[1] == names[2]
    assert len(set(names)) == 3


def test_a_page_of_everything_is_no_source():
    images = Images()
    for _ in range(500):
        images.add(page="https://a.test/board")
    for _ in range(MOST_ON_PAGE):
        images.add(page="https://a.test/article")
    names = images.group().names
    assert len(set(names[:500])) == 500
    assert len(set(names[500:])) == 1


def test_pages_that_chain_make_no_giant():
    images = Images()
    for number in range(400):
        place = images.add(page=f"page {number // 4:03}")
        images.pages.setdefault(f"page {number // 4 + 1:03}", []).append(place)
    names = images.group().names
    sizes = {name: names.count(name) for name in names}
    assert max(sizes.values()) <= page_room(400)
    assert len(sizes) >= 400 // page_room(400)


def test_looks_that_chain_make_no_giant_and_what_is_left_apart_is_counted(monkeypatch):
    monkeypatch.setattr(grouping, "MOST_ALIKE", 20)
    images = Images()
    for number in range(100):  # each some bits from the one before it
        images.add(1, number ^ (number >> 1))
    found = images.group()
    sizes = {name: found.names.count(name) for name in found.names}
    assert max(sizes.values()) <= 20
    sides = {name: index % 2 for index, name in enumerate(sizes)}
    assert found.count_straddling(sides)["near_duplicate_pairs"] > 0
    assert found.count_straddling(dict.fromkeys(sizes, 0))["near_duplicate_pairs"] == 0


def test_an_image_that_joins_two_old_groups_moves_neither():
    images = Images()
    left, right = images.add(5, 0), images.add(5, 0xFFFFF)  # 20 bits apart
    before = images.group().names
    assert before[left] != before[right]
    between = images.add(5, 0xFF)  # 8 bits from the left one, 12 from the right
    images.add(5, 0x3FFF)  # 14 from the left, 6 from the right, and 6 from that between
    found = images.group()
    assert found.names[:2] == before
    assert found.names[between] in before
    sides = {name: name == before[left] for name in set(found.names)}
    assert found.count_straddling(sides)["near_duplicate_pairs"] == 1


def test_a_page_with_images_on_both_sides_is_counted():
    images = Images()
    first = [images.add(), images.add()]
    images.group()
    images.pages["late"] = first  # seen there only after both had their groups
    found = images.group()
    sides = {name: index for index, name in enumerate(found.names)}
    assert found.count_straddling(sides) == {"near_duplicate_pairs": 0, "source_pages": 1}


def test_thousands_of_equal_looks_are_capped_without_comparing_all():
    images = Images()
    for _ in range(3000):
        images.add(1)
    names = images.group().names
    assert len(set(names)) == 3000 // grouping.MOST_ALIKE


@pytest.mark.parametrize(("count", "room"), [(10, MOST_ON_PAGE), (1000, 50)])
def test_the_room_of_pages(count, room):
    assert page_room(count) == room
