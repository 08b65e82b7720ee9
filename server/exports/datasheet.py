"""Writes a snapshot's datasheet: what is in it, where from, what was left out, whom to thank.

May import ``exports``. Source of the questions: T. Gebru et al., "Datasheets for Datasets", 2021.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from server.exports.listing import Listing
from server.exports.markdown import escape
from server.exports.provenance import Provenance, Row

# Of engines, queries and sites: the ones with the most images. The tables hold them all.
_MOST: Final = 50
_UNKNOWN: Final = "not known"


@dataclass
class _Sums:
    engines: Counter[str] = field(default_factory=Counter)
    queries: Counter[tuple[str, str]] = field(default_factory=Counter)
    sites: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    labels: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    first_day: str = "9999"
    last_day: str = ""
    reviewed: int = 0
    smallest_px: int = 1 << 62
    largest_px: int = 0

    def add(self, row: Row) -> None:
        """Count an image."""
        self.engines[row["engine"] or "none (uploaded, or no search)"] += 1
        if row["query"]:
            self.queries[row["label"], row["query"]] += 1
        self.sites[site_of(row)] += 1
        self.licences[row["license"] or _UNKNOWN] += 1
        self.ways[row["obtained_by"] or _UNKNOWN] += 1
        self.formats[row["format"]] += 1
        self.labels[row["label"]][row["split"]] += 1
        self.reviewed += row["reviewed_at"] is not None
        day = (row["captured_at"] or "")[:10]
        if day:
            self.first_day, self.last_day = min(self.first_day, day), max(self.last_day, day)
        side = min(row["width"], row["height"])
        self.smallest_px = min(self.smallest_px, side)
        self.largest_px = max(self.largest_px, side)


def site_of(row: Row) -> str:
    """Return the host that an image is from."""
    for name in ("source_url", "final_url", "url"):
        try:
            if host := urlsplit(row[name] or "").hostname:
                return host
        except ValueError:  # an address of a page that is none
            continue
    return "none (uploaded)"


def write_datasheet(file: BinaryIO, listing: Listing, rows: Provenance) -> None:
    """Write the datasheet as Markdown.

    Args:
        file: Where to.
        listing: The snapshot.
        rows: Where the images come from.

    Raises:
        OSError: The disk is full or fails.
    """
    facts, sums = rows.facts(), _Sums()
    for row in rows:
        sums.add(row)
    for part in (
        _motivation(listing, facts, sums),
        _composition(listing, sums),
        _collection(sums),
        _left_out(facts),
        _use(listing, facts),
    ):
        file.write(("\n".join(part) + "\n\n").encode())
    file.write(_CREDITS.encode())
    for line in _credits(rows):
        file.write(line.encode())


def _motivation(listing: Listing, facts: dict[str, Any], sums: _Sums) -> list[str]:
    size = int(listing.sizes.sum())
    days = f"{sums.first_day} to {sums.last_day}" if sums.last_day else _UNKNOWN
    return [
        f"# Datasheet: {escape(listing.dataset_name)}",
        "",
        escape(facts["description"]) or "Its makers gave no description.",
        "",
        f"- Snapshot `{listing.snapshot_id}`, taken {listing.created_at:%Y-%m-%d %H:%M} UTC",
        f"- SHA-256 of its manifest: `{listing.manifest_sha256}`",
        f"- {len(listing):,} images, {len(listing.classes)} labels, {size:,} bytes",
        f"- Collected {days}",
        "- Made with Bowerbird: images found on the web, sorted by a person",
    ]


def _composition(listing: Listing, sums: _Sums) -> list[str]:
    valid = int(listing.is_valid.sum())
    return [
        "## What is in it",
        "",
        "| label | train | valid |",
        "| --- | ---: | ---: |",
        *(
            f"| {escape(label)} | {sides['train']:,} | {sides['valid']:,} |"
            for label, sides in sorted(sums.labels.items())
        ),
        f"| all | {len(listing) - valid:,} | {valid:,} |",
        "",
        (
            f"The split follows from seed {listing.seed} and the group of each image, for a share "
            f"of {listing.valid_ratio:g} to validate on. There are {len(listing.groups):,} groups: "
            "images that look alike, or stand on one source page, are on the same side."
        ),
        "",
        (
            f"The shorter sides have {sums.smallest_px:,} to {sums.largest_px:,} pixels. "
            f"A person has reviewed {sums.reviewed:,} of the images."
        ),
        "",
        *_table("format", sums.formats),
    ]


def _collection(sums: _Sums) -> list[str]:
    queries = [
        f"| {escape(label)} | {escape(query)} | {count:,} |"
        for (label, query), count in _top(sums.queries)
    ]
    return [
        "## Where it is from",
        "",
        *_table("engine", sums.engines),
        "",
        *_table("licence, as the page or search said", sums.licences),
        "",
        *_table("bytes got by", sums.ways),
        "",
        *_table(f"site (of {len(sums.sites):,})", sums.sites),
        "",
        f"Queries, with the images that are in the snapshot ({len(sums.queries):,} in all):",
        "",
        "| label | query | images |",
        "| --- | --- | ---: |",
        *queries,
    ]


def _left_out(facts: dict[str, Any]) -> list[str]:
    left = facts["left_out"]
    return [
        "## What was left out",
        "",
        (
            "As it was when the snapshot was first exported. A person *excluded* images by hand, "
            "the server *rejected* addresses by what came of them."
        ),
        "",
        *_table("excluded, by label", Counter(left["excluded"])),
        "",
        *_table("rejected, by reason", Counter(left["rejected"])),
        "",
        *_table("neither", Counter(left["others"])),
    ]


def _use(listing: Listing, facts: dict[str, Any]) -> list[str]:
    straddling = facts["straddling"]
    given = facts["from_feedback"]
    return [
        "## What to know before using it",
        "",
        (
            "- The images belong to those who made them. Their licences are what pages said, and "
            "most pages say nothing; whether a use is allowed is for its user to find out."
        ),
        "- They are what search engines showed for the queries above: not a sample of the world.",
        (
            "- Labels were given by search words first and by a person after; "
            "those that nobody reviewed may be wrong."
        ),
        (
            f"- Pairs that look alike and are on both sides of the split: "
            f"{straddling.get('near_duplicate_pairs', _UNKNOWN)}. Source pages that are on both: "
            f"{straddling.get('source_pages', _UNKNOWN)}."
        ),
        (
            f"- Images that came by feedback on a model's answers: {given.get('train', 0)}, all on "
            f"the training side; {given.get('left_out', 0)} more were left out, which look like "
            "images of the validation side."
        ),
        (
            f"- Whoever wants an image taken out: its page is in the credits, its hash in the "
            f"table; the dataset's id is `{listing.dataset_id}`."
        ),
    ]


_CREDITS: Final = "## Credits\n\n| image | title | licence | page |\n| --- | --- | --- | --- |\n"


def _credits(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        page = row["source_url"] or row["final_url"] or row["url"]
        if page:
            cells = (row["sha256"][:12], row["title"], row["license"] or _UNKNOWN, page)
            yield "| " + " | ".join(escape(cell) for cell in cells) + " |\n"


def _table(title: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return [f"{title}: none."]
    rows = [f"| {escape(name)} | {count:,} |" for name, count in _top(counts)]
    if len(counts) > _MOST:
        rows.append(f"| {len(counts) - _MOST:,} more | {counts.total() - _sum(_top(counts)):,} |")
    return [f"| {title} | images |", "| --- | ---: |", *rows]


def _top(counts: Counter[Any]) -> Sequence[tuple[Any, int]]:
    """Return the largest, in an order that does not depend on that of the images."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST]


def _sum(items: Sequence[tuple[Any, int]]) -> int:
    return sum(count for _, count in items)
