"""What of a dataset a snapshot holds, and on which side: the pure part of making one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from server.contract.snapshot import DatasetRef, Manifest, Split, split_of
from server.db.ids import new_id
from server.db.models import DatasetRecord
from server.errors import NotEnoughImagesError
from server.exports.manifests import Row, write_manifest
from server.repositories.snapshots import Member
from server.services import train_only
from server.services.grouping import Grouping, Looks, group_images

MIN_LABELS: Final = 2  # a classifier of one class has nothing to tell apart


@dataclass(frozen=True)
class SplitRequest:
    """How to split.

    Attributes:
        valid_ratio: Expected share of groups on the validation side, 0..1.
        seed: Which groups those are.
        min_per_label: Labels with fewer images are an error.
    """

    valid_ratio: float = 0.2
    seed: int = 42
    min_per_label: int = 2


def _looks_of(members: Sequence[Member]) -> Looks:
    # By way of bytes: so numpy reads the signed numbers of SQL as the unsigned ones they stand for.
    return Looks(
        np.array([m.dhash for m in members], dtype=np.int64).view(np.uint64),
        np.array([m.phash or 0 for m in members], dtype=np.int64).view(np.uint64),
    )


def place_all(
    members: Sequence[Member], measured_names: Sequence[str], request: SplitRequest
) -> list[str | None]:
    """Return each image's group, None for those to be left out.

    Args:
        members: All images, oldest first.
        measured_names: The groups of those among them that may be validated on.
        request: How to split.
    """
    measured = [member for member in members if not member.train_only]
    extra = [member for member in members if member.train_only]
    placed = train_only.place(
        _looks_of(measured),
        measured_names,
        _looks_of(extra),
        [member.sha256 for member in extra],
        lambda name: split_of(request.seed, name, request.valid_ratio),
    )
    of_measured, of_extra = iter(measured_names), iter(placed)
    return [next(of_extra if member.train_only else of_measured) for member in members]


def find_groups(members: Sequence[Member], pages: Sequence[tuple[str, str]]) -> Grouping:
    """Return the group of each image, oldest first.

    Args:
        members: Images that may be validated on.
        pages: The sha256 of the images that each page shows, by commas.
    """
    looks = _looks_of(members)
    sha256s = [member.sha256 for member in members]
    places = {sha256: place for place, sha256 in enumerate(sha256s)}
    shown = {
        url: sorted({places[sha256] for sha256 in digests.split(",") if sha256 in places})
        for url, digests in pages
    }
    return group_images(looks, [member.group for member in members], sha256s, shown)


def order_of(members: Sequence[Member]) -> list[int]:
    """Return the places of the members in the manifest's order, by sha256."""
    return sorted(range(len(members)), key=lambda place: members[place].sha256)


def check_labels(members: Sequence[Member], request: SplitRequest) -> None:
    """Check that there are labels to tell apart, each with enough images.

    Raises:
        NotEnoughImagesError: There are not.
    """
    counts = Counter(member.label for member in members)
    if len(counts) < MIN_LABELS:
        raise NotEnoughImagesError(
            f"a classifier needs ready images under at least {MIN_LABELS} labels; "
            f"there are {len(counts)}"
        )
    small = sorted(label for label, n in counts.items() if n < request.min_per_label)
    if small:
        raise NotEnoughImagesError(
            f"labels with fewer than {request.min_per_label} ready images: {', '.join(small)}; "
            "collect more, or exclude theirs",
            labels=small,
        )


@dataclass(frozen=True)
class Frozen:
    """A manifest's bytes, and what was counted on the way to them.

    Attributes:
        sides: Of each group, by name.
    """

    snapshot_id: str
    created_at: datetime
    data: bytes
    counts: dict[str, object]
    sides: dict[str, Split]


def freeze(
    dataset: DatasetRecord,
    members: Sequence[Member],
    groups: Sequence[str],
    request: SplitRequest,
) -> Frozen:
    """Return the manifest of images, which are in its order, and their groups."""
    sides = {name: split_of(request.seed, name, request.valid_ratio) for name in set(groups)}
    head = Manifest(
        snapshot_id=new_id(),
        dataset=DatasetRef(id=dataset.id, name=dataset.name),
        created_at=datetime.now(UTC),
        classes=tuple(sorted({member.label for member in members})),
        valid_ratio=request.valid_ratio,
        seed=request.seed,
        items=(),
    )
    counts = Counter(
        (member.label, sides[group]) for member, group in zip(members, groups, strict=True)
    )
    rows = (
        Row(m.sha256, m.label, sides[group].value, m.bytes, m.width, m.height, m.format, group)
        for m, group in zip(members, groups, strict=True)
    )
    data = write_manifest(head, rows)
    shown = _count(head.classes, counts) | {"groups": len(sides)}
    return Frozen(head.snapshot_id, head.created_at, data, shown, sides)


def _count(classes: Sequence[str], counts: Counter[tuple[str, Split]]) -> dict[str, object]:
    labels = {
        label: {"train": counts[label, Split.TRAIN], "valid": counts[label, Split.VALID]}
        for label in classes
    }
    train = sum(sides["train"] for sides in labels.values())
    return {
        "total": counts.total(),
        "train": train,
        "valid": counts.total() - train,
        "labels": labels,
    }


def check_sides(counts: dict[str, object], request: SplitRequest) -> None:
    """Check that every label can be learned, and something be validated on.

    Raises:
        NotEnoughImagesError: One cannot, or there is nothing.
    """
    labels = counts["labels"]
    assert isinstance(labels, dict)  # noqa: S101 - made by _count
    unseen = sorted(label for label, sides in labels.items() if sides["train"] == 0)
    if unseen:
        raise NotEnoughImagesError(
            f"no training image is left for {', '.join(unseen)} at valid_ratio "
            f"{request.valid_ratio:g}; collect more, or choose a smaller one",
            labels=unseen,
        )
    if counts["valid"] == 0:
        raise NotEnoughImagesError(
            f"of {counts['total']} images none falls on the validation side; collect more, "
            "or choose a larger valid_ratio"
        )
