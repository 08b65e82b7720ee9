"""Describes a snapshot's exports as Croissant 1.1 JSON-LD. May import ``exports``.

Source: docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from server.exports.listing import Listing
from server.exports.provenance import COLUMNS, NUMBERS, Provenance

_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "annotation": "cr:annotation",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "excludes": "cr:excludes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "readLines": "cr:readLines",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_IMAGES: Final = "images"
_LICENCE_UNKNOWN: Final = (
    "Each image has its own, as far as it is known: see the column `license` of the table"
)
_MAX_LICENCES: Final = 20


@dataclass(frozen=True)
class Archive:
    """A file that the description names.

    Attributes:
        name: What it is called.
        length: Its bytes.
        sha256: Of them.
    """

    name: str
    length: int
    sha256: str


def describe(
    listing: Listing, rows: Provenance, archive: Archive, table: Archive, version: str
) -> dict[str, Any]:
    """Return the description.

    Args:
        listing: The snapshot.
        rows: Where the images come from.
        archive: The zip of images, as the format ``folder`` has it.
        table: Their metadata, as the format ``csv`` has it.
        version: Of Bowerbird.
    """
    facts = rows.facts()
    base = f"snapshots/{listing.snapshot_id}/export"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": listing.dataset_name,
        "description": facts["description"] or f"Images of {', '.join(listing.classes)}.",
        "identifier": listing.manifest_sha256,
        "version": f"1.0.0+{listing.snapshot_id}",
        "datePublished": listing.created_at.isoformat(),
        "dateCreated": listing.created_at.isoformat(),
        "license": _licences(rows),
        "url": f"urn:sha256:{listing.manifest_sha256}",
        "creator": {
            "@type": "sc:Person",
            "name": f"The person who collected it with Bowerbird {version}",
        },
        "citeAs": f"{listing.dataset_name}, snapshot {listing.snapshot_id}",
        "isLiveDataset": False,
        "keywords": list(listing.classes),
        "rai:dataCollection": "Images that search engines and pages showed, chosen by a person.",
        "rai:dataCollectionType": ["Web Scraping", "Manual Human Curation"],
        "distribution": [
            _file(archive, f"{base}?format=folder", "application/zip"),
            _file(table, f"{base}?format=csv", "text/csv"),
            {
                "@type": "cr:FileSet",
                "@id": _IMAGES,
                "name": _IMAGES,
                "containedIn": {"@id": archive.name},
                "encodingFormat": _media_types(listing),
                "includes": ["train/*/*", "valid/*/*"],
            },
        ],
        "recordSet": [_labels(listing), _splits(), _records(table.name)],
    }


def _licences(rows: Provenance) -> str | list[str]:
    """Return the licences when every image has one and they are few; else where to find them."""
    found = {row["license"] for row in rows}
    if None in found or len(found) > _MAX_LICENCES:
        return _LICENCE_UNKNOWN
    return sorted(found)


def _media_types(listing: Listing) -> str | list[str]:
    found = [f"image/{name}" for name in sorted(listing.formats)]
    return found[0] if len(found) == 1 else found


def _file(archive: Archive, address: str, media_type: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": archive.name,
        "name": archive.name,
        "contentUrl": address,
        "contentSize": f"{archive.length} B",
        "encodingFormat": media_type,
        "sha256": archive.sha256,
    }


def _labels(listing: Listing) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "dataType": "sc:Enumeration",
        "key": {"@id": "labels/name"},
        "field": [_field("labels/name", "sc:Text")],
        "data": [{"labels/name": label} for label in listing.classes],
    }


def _splits() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_field("splits/name", "sc:Text"), _field("splits/url", "sc:URL")],
        "data": [
            {"splits/name": "train", "splits/url": "cr:TrainingSplit"},
            {"splits/name": "valid", "splits/url": "cr:ValidationSplit"},
        ],
    }


def _records(table: str) -> dict[str, Any]:
    image = _field("records/image", "sc:ImageObject") | {
        "source": {"fileSet": {"@id": _IMAGES}, "extract": {"fileProperty": "content"}}
    }
    path = _field("records/path", "sc:Text") | {
        "source": {"fileSet": {"@id": _IMAGES}, "extract": {"fileProperty": "fullpath"}},
        "references": {"fileObject": {"@id": table}, "extract": {"column": "file_name"}},
    }
    return {
        "@type": "cr:RecordSet",
        "@id": "records",
        "name": "records",
        "key": {"@id": "records/file_name"},
        "field": [image, path, *(_column(table, name) for name in COLUMNS)],
    }


def _column(table: str, name: str) -> dict[str, Any]:
    kind = "sc:Integer" if name in NUMBERS else "sc:Text"
    references = {"label": "labels/name", "split": "splits/name"}
    field = _field(f"records/{name}", kind) | {
        "source": {"fileObject": {"@id": table}, "extract": {"column": name}}
    }
    if name in references:
        field["references"] = {"field": {"@id": references[name]}}
    return field


def _field(name: str, kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name.rpartition("/")[2],
        "dataType": kind,
    }
