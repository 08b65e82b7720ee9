"""Which images of a dataset must share a side of the split. Pure; may import ``server.media``.

Two images belong together when they look alike, or when one source page shows both: pictures of one
article, product or album are of one thing, in one light. A model that has trained on one of them
knows the other. Groups are made of such links, the surest first, and are *sticky*:

- An image that was given a group keeps it for ever, so it never changes its side.
- A new image joins the group that it is linked to most surely. When it links two groups that were
  named before, it joins one of them, and both keep their names: moving one would move images
  to the other side. Should the two be on different sides, the pairs that straddle the split are
  counted, and the snapshot says how many there are.
- Groups stay small enough for a split to be one: see `MOST_ALIKE`, `MOST_ON_PAGE`, `page_room`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.media.near_pairs import near_pairs

# A group of pictures that look alike takes no more by their looks. Among 100,000 photos each has
# some five neighbours by chance, and chance would chain nearly all of them into one group.
MOST_ALIKE: Final = 500
# A page with more images than that in one dataset is a gallery, a board or a list of results: what
# stands on it has no more in common than the dataset has. An article or an album of one subject
# seldom shows more.
MOST_ON_PAGE: Final = 24
_PAGE_SHARE: Final = 20
# Fewer are joined one by one: to look up the sets of all at once goes through all images first.
_FEW_PAIRS: Final = 200


def page_room(image_count: int) -> int:
    """Return how large a group may grow by pages: a twentieth of the images, or one full page.

    Pages chain by what they have in common; a group of a third of the dataset would leave one side
    without a label.
    """
    return max(MOST_ON_PAGE, image_count // _PAGE_SHARE)


@dataclass(frozen=True)
class Looks:
    """What is known of images, oldest first.

    Attributes:
        dhashes: ``[N]`` uint64.
        phashes: ``[N]`` uint64.
    """

    dhashes: NDArray[np.uint64]
    phashes: NDArray[np.uint64]


@dataclass
class Grouping:
    """The group of each image, and what had to be left apart.

    Attributes:
        names: ``[N]`` the group of each image, in the order given.
        apart: How many pairs that look alike are in two groups, by the names of these.
        pages: The places of the images of each source page.
    """

    names: list[str]
    apart: Counter[tuple[str, str]] = field(default_factory=Counter)
    pages: list[Sequence[int]] = field(default_factory=list)

    def count_straddling(self, sides: Mapping[str, object]) -> dict[str, int]:
        """Return how many pairs and pages have images on both sides.

        Args:
            sides: Of each group, by name.
        """
        pairs = sum(n for (a, b), n in self.apart.items() if sides[a] != sides[b])
        pages = sum(len({sides[self.names[i]] for i in places}) > 1 for places in self.pages)
        return {"near_duplicate_pairs": pairs, "source_pages": pages}


def group_images(
    looks: Looks,
    names: Sequence[str | None],
    fresh_names: Sequence[str],
    pages: Mapping[str, Sequence[int]],
) -> Grouping:
    """Give each image its group.

    Args:
        looks: How the images look, oldest first.
        names: The groups that they were given before.
        fresh_names: What to call the group that an image is the oldest of.
        pages: The places of the images that each source page shows, by its address.

    Returns:
        The groups; a name that was given before is the same.
    """
    links = _Links(names)
    _link_alike(links, looks)
    shown = sorted(page for page, on_it in pages.items() if 1 < len(on_it) <= MOST_ON_PAGE)
    sources: list[Sequence[int]] = [sorted(pages[page]) for page in shown]
    room = page_room(len(names))
    for places in sources:
        links.link_chain(places, room)
    found = links.name(fresh_names)
    apart: Counter[tuple[str, str]] = Counter()
    for (a, b), count in links.apart.items():
        apart[found[a], found[b]] += count
    return Grouping(found, apart, sources)


def _link_alike(links: _Links, looks: Looks) -> None:
    """Link images by their looks: the same ones first, then pairs as `near_pairs` has them."""
    both = np.stack([looks.dhashes, looks.phashes])
    unique, firsts, inverse = np.unique(both, axis=1, return_index=True, return_inverse=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    is_same = np.diff(inverse.ravel()[order]) == 0
    links.link_pairs(order[:-1][is_same], order[1:][is_same])
    for first, second in near_pairs(unique[0], unique[1]):
        links.link_pairs(firsts[first], firsts[second])


class _Links:
    """Sets of images that are joined link by link, each with at most one name."""

    def __init__(self, names: Sequence[str | None]) -> None:
        first_with: dict[str, int] = {}
        roots = [
            place if name is None else first_with.setdefault(name, place)
            for place, name in enumerate(names)
        ]
        self._roots = np.array(roots, dtype=np.int64)
        self._sizes = np.bincount(self._roots, minlength=len(names))
        # Which name a set has, as the first image that carries it; -1 for none.
        self._named = np.full(len(names), -1, dtype=np.int64)
        named = np.fromiter(first_with.values(), dtype=np.int64, count=len(first_with))
        self._named[named] = named
        self._names = list(names)
        self.apart: Counter[tuple[int, int]] = Counter()

    def link_pairs(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Join the sets of each pair, where they may be; count those that may not."""
        if first.size < _FEW_PAIRS:
            for left, right in zip(first.tolist(), second.tolist(), strict=True):
                self._join_or_count(left, right)
            return
        self._flatten()
        a, b = self._roots[first], self._roots[second]
        differ = a != b
        a, b = a[differ], b[differ]
        never = self._are_barred(a, b)
        if never.any():
            self._count_apart(a[never], b[never])
        for left, right in zip(a[~never].tolist(), b[~never].tolist(), strict=True):
            self._join_or_count(left, right)

    def link_chain(self, places: Sequence[int], room: int) -> None:
        """Join images of one page, each with the one before it; where that is full, begin anew."""
        open_place = places[0]
        for place in places[1:]:
            a, b = self._find(open_place), self._find(place)
            if a != b and not self._join(a, b, room):
                open_place = place

    def name(self, fresh_names: Sequence[str]) -> list[str]:
        """Return each image's group."""
        self._flatten()
        # Roots only ever lead to older images, so a set's root is its oldest.
        named = self._named[self._roots].tolist()
        return [
            fresh_names[root] if place < 0 else self._names[place] or fresh_names[root]
            for root, place in zip(self._roots.tolist(), named, strict=True)
        ]

    def _are_barred(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which sets can never be joined: sizes only grow, and names stay."""
        both_named = (self._named[a] >= 0) & (self._named[b] >= 0)
        barred: NDArray[np.bool_] = both_named | (self._sizes[a] + self._sizes[b] > MOST_ALIKE)
        return barred

    def _count_apart(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> None:
        pairs, counts = np.unique(np.stack([a, b]), axis=1, return_counts=True)
        for left, right, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
            self.apart[left, right] += count

    def _join_or_count(self, left: int, right: int) -> None:
        a, b = self._find(left), self._find(right)
        if a != b and not self._join(a, b, MOST_ALIKE):
            self.apart[a, b] += 1

    def _join(self, a: int, b: int, room: int) -> bool:
        if self._named[a] >= 0 and self._named[b] >= 0:
            return False
        size = self._sizes[a] + self._sizes[b]
        if size > room:
            return False
        low, high = min(a, b), max(a, b)  # roots only ever lead to older images
        self._roots[high] = low
        self._sizes[low] = size
        self._named[low] = max(self._named[a], self._named[b])
        return True

    def _find(self, place: int) -> int:
        roots = self._roots
        while (root := int(roots[place])) != place:
            roots[place] = roots[root]
            place = root
        return place

    def _flatten(self) -> None:
        # Ends: each round halves the longest way to a root.
        while not np.array_equal(above := self._roots[self._roots], self._roots):
            self._roots = above
