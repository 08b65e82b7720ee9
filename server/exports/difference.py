"""What differs between two snapshots. May import ``exports.listing``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from server.exports.listing import Listing

KINDS: Final = ("added", "removed", "relabelled", "moved")


@dataclass(frozen=True)
class Change:
    """One image that differs.

    Attributes:
        label: In the later snapshot, or in the only one that has the image; likewise ``split``.
        before: What the label or the split was before; None when only one snapshot has the image.
    """

    sha256: str
    label: str
    split: str
    before: str | None = None


@dataclass
class Difference:
    """What differs: by kind, in the order of the sha256.

    Attributes:
        added: Only in the later snapshot.
        removed: Only in the earlier one.
        relabelled: Under another label.
        moved: On the other side of the split. Such an image may be relabelled as well.
        counts: How many there are of each kind, and of what is the ``same``.
    """

    added: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    relabelled: list[Change] = field(default_factory=list)
    moved: list[Change] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def compare(before: Listing, after: Listing, most: int) -> Difference:
    """Return what differs between two snapshots.

    Args:
        before: The earlier one.
        after: The later one.
        most: How many of each kind are listed; all are counted.
    """
    found = Difference(counts=dict.fromkeys((*KINDS, "same"), 0))

    def add(kind: str, change: Change) -> None:
        found.counts[kind] += 1
        listed: list[Change] = getattr(found, kind)
        if len(listed) < most:
            listed.append(change)

    for old, new in _pair(before, after):
        if new is None and old is not None:
            add("removed", _change(before, old))
        elif new is not None and old is None:
            add("added", _change(after, new))
        elif new is not None and old is not None:
            label, split = before.classes[before.labels[old]], before.split(old)
            change = _change(after, new)
            if label != change.label:
                add("relabelled", _change(after, new, label))
            if split != change.split:
                add("moved", _change(after, new, split.value))
            found.counts["same"] += (label, split) == (change.label, change.split)
    return found


def _change(listing: Listing, place: int, before: str | None = None) -> Change:
    label = listing.classes[listing.labels[place]]
    return Change(listing.sha256(place), label, listing.split(place).value, before)


def _pair(before: Listing, after: Listing) -> Iterator[tuple[int | None, int | None]]:
    """Yield the places of each image in both, by sha256; None where it is not."""
    old, new = 0, 0
    while old < len(before) or new < len(after):
        a = before.sha256(old) if old < len(before) else "~"  # behind every digit
        b = after.sha256(new) if new < len(after) else "~"
        yield (old if a <= b else None, new if b <= a else None)
        old, new = old + (a <= b), new + (b <= a)
