"""Where a snapshot's images come from, frozen when it is first asked for.

May import ``exports``, ``server.net`` and the contract.

The database goes on changing; what is exported of one snapshot must not, or a download that was cut
would go on in other bytes. So its rows are written once: lines of JSON, of which the first holds
the facts of the whole and the others one image each, in the snapshot's order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from server.contract.files import sha256_of_file
from server.contract.origins import MAX_WORD_CHARS, Origin
from server.exports.listing import Listing
from server.net.sites import ANY_PAGE, is_of
from server.net.urls import host_of

# The columns of every table, in their order.
COLUMNS: Final = (
    "file_name",
    "label",
    "split",
    "sha256",
    "width",
    "height",
    "bytes",
    "format",
    "group",
    "url",
    "final_url",
    "source_url",
    "title",
    "license",
    "engine",
    "query",
    "page_url",
    "captured_at",
    "obtained_by",
    "reviewed_at",
    "sightings",
)
NUMBERS: Final = frozenset({"width", "height", "bytes", "sightings"})
Row = Mapping[str, Any]


def row_of(listing: Listing, place: int, origin: Row) -> dict[str, Any]:
    """Return an image's row, without its ``file_name``."""
    known = {
        "label": listing.classes[listing.labels[place]],
        "split": listing.split(place).value,
        "sha256": listing.sha256(place),
        "width": int(listing.widths[place]),
        "height": int(listing.heights[place]),
        "bytes": int(listing.sizes[place]),
        "format": listing.formats[listing.kinds[place]],
        "group": listing.groups[listing.grouped[place]],
    }
    more = {name: _plain(origin.get(name)) for name in COLUMNS[len(known) + 1 : -1]}
    return known | more | {"sightings": origin.get("sightings", 0)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def write_line(file: BinaryIO, value: Row) -> None:
    """Write a line.

    Raises:
        OSError: The disk is full or fails.
    """
    file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")


@dataclass(frozen=True)
class Provenance:
    """The rows of a snapshot.

    Attributes:
        path: Where they lie.
        sha256: Of the file, so of all that is made of it.
    """

    path: Path
    sha256: str

    @classmethod
    def open(cls, path: Path) -> Provenance:
        """Return the rows at a path.

        Raises:
            OSError: They are not there, or the disk fails.
        """
        return cls(path, sha256_of_file(path))

    def facts(self) -> dict[str, Any]:
        """Return what is true of the whole."""
        with self.path.open("rb") as file:
            found: dict[str, Any] = json.loads(file.readline())
        return found

    def __iter__(self) -> Iterator[Row]:
        """Yield each image's row, in the snapshot's order; as often as it is asked for."""
        with self.path.open("rb") as file:
            file.readline()
            for line in file:
                yield json.loads(line)


def origins_of(rows: Provenance) -> list[Origin]:
    """Return what training asks of each image's origin, in the snapshot's order, and no more."""
    return [
        Origin(
            sha256=row["sha256"],
            engine=_word(row["engine"]),
            site=host_of(row["source_url"]) or host_of(row["final_url"]) or host_of(row["url"]),
            license=_word(row["license"]),
        )
        for row in rows
    ]


def _word(text: str | None) -> str | None:
    return (text or "").strip()[:MAX_WORD_CHARS] or None


@dataclass(frozen=True)
class OfSite:
    """What was frozen of a site.

    Attributes:
        hashes: Of its images.
        is_damaged: Some lines cannot be read, and nobody knows of what they tell.
    """

    hashes: frozenset[str] = frozenset()
    is_damaged: bool = False


def find_of_site(path: Path, site: str) -> OfSite:
    """Return the images of a site, by what was frozen of where they come from.

    Args:
        path: Of the rows; none where nothing was frozen.
        site: A host, which stands for its sub-domains too.

    Raises:
        OSError: The disk fails.
    """
    try:
        opened = path.open("rb")
    except FileNotFoundError:
        return OfSite()
    found, is_damaged = set(), False
    with opened as file:
        file.readline()
        for line in file:
            try:
                row = json.loads(line)
                addresses = [row.get(name) for name in ("url", "final_url", "source_url")]
                if row.get("engine") in {None, ANY_PAGE}:
                    addresses.append(row.get("page_url"))
                if any(is_of(host_of(address), site) for address in addresses):
                    found.add(row["sha256"])
            except (ValueError, TypeError, AttributeError, KeyError):
                is_damaged = True
    return OfSite(frozenset(found), is_damaged)


def tag_of(*parts: str) -> str:
    """Return a strong entity tag for bytes that follow from these parts."""
    return '"' + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40] + '"'
