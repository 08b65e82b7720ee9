"""Which images of a dataset a list holds: picked in one pass, the same whatever is asked for.

SQLite knows no numbers of rows. Left to choose among a dozen indexes for two conditions and an
order, it goes through one set for each row of another, which takes minutes at 100,000 images. So it
is told: a list is picked along one of three orders, and what that order does not say is a set of
rows that is made once. None takes longer than some passes over the dataset do.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, literal_column, or_, select, text
from sqlalchemy.orm import aliased
from ulid import ULID

from server.db.joins import OrderedJoin
from server.db.models import (
    BlobRecord,
    CaptureRecord,
    ImageRecord,
    SightingRecord,
)
from server.media.hints import Measure
from server.repositories import datasets
from server.repositories.filters import ImageFilter, hint_condition, measures
from server.repositories.obtainable import obtainable

_ULID_TIME_CHARS: Final = 10  # of 26; the rest is random
# What is looked for in hashes too. Two digits, as in "be", are by chance in one of five hashes;
# four, in one of a thousand.
_HASH_PART: Final = re.compile(r"[0-9a-fA-F]{4,}")
# SQLite's own number of a row, which every index ends with: a set of these is small, and is met
# without reading a row.
_ROW: Final[Any] = literal_column("images.rowid")
_BY_AGE: Final = "INDEXED BY ix_images_list"  # in the order of ids, with what lists are narrowed by
_BY_ROW: Final = "NOT INDEXED"  # the rows themselves, in the order in which they lie
_HELD: Final = aliased(BlobRecord)  # beside the one that is joined
_IMAGES: Final[Any] = ImageRecord.__table__
_BLOBS: Final[Any] = BlobRecord.__table__
_IMAGES_WITH_BLOBS: Final = OrderedJoin(_IMAGES, _BLOBS, _IMAGES.c.sha256 == _BLOBS.c.sha256)


def by_bytes(query: Any, tables: Any = _IMAGES_WITH_BLOBS) -> Any:
    """Return the query with a dataset's images and their blobs read along two indexes.

    Both are in the order of sha256: out of order, looking the blobs up takes seven times as long.

    Args:
        query: Selects of images, and of their blobs if they are among the tables.
        tables: What is read, in the order of sha256.
    """
    return (
        query.select_from(tables)
        .with_hint(ImageRecord, "INDEXED BY ix_images_bytes", "sqlite")
        .with_hint(BlobRecord, "INDEXED BY ix_blobs_measures", "sqlite")
        .where(ImageRecord.sha256.is_not(None))
    )


def pick(dataset_id: str, wanted: ImageFilter) -> Any:
    """Return the query of all images of a list, in no order: ``image_id``, and the ``measure``.

    The measure is what the list goes by, 0 where that is the age.
    """
    key: Any = wanted.sort.measure
    picked = select(
        ImageRecord.id.label("image_id"), (literal(0) if key is None else key).label("measure")
    )
    if wanted.members is None and not wanted.is_of_bytes:
        return _pick_by_record(picked, dataset_id, wanted)
    picked = by_bytes(picked, _tables_of(wanted)).where(
        ImageRecord.dataset_id == dataset_id,
        *_of_time(wanted),
        *_of_person(dataset_id, wanted),
        *_of_bytes(wanted),
    )
    if wanted.members is not None:
        picked = picked.where(ImageRecord.status == text("'ready'"))
    if wanted.is_of_origin:
        found = _pick_by_record(select(_ROW), dataset_id, wanted)
        picked = picked.where(_ROW.in_(found.correlate(None)))
    return picked


def _tables_of(wanted: ImageFilter) -> Any:
    """Return what a list by bytes is read from; a manifest's blobs are in order, each once."""
    if wanted.members is None:
        return _IMAGES_WITH_BLOBS
    listed = func.json_each(wanted.members).table_valued("value")
    members = OrderedJoin(listed, _IMAGES, _IMAGES.c.sha256 == listed.c.value)
    if not wanted.is_of_bytes:
        return members
    return OrderedJoin(members, _BLOBS, _IMAGES.c.sha256 == _BLOBS.c.sha256)


def _pick_by_record(query: Any, dataset_id: str, wanted: ImageFilter) -> Any:
    """Return a query on images with all that their records say, and nothing of their bytes."""
    query = query.where(
        ImageRecord.dataset_id == dataset_id,
        *_of_time(wanted),
        *_of_person(dataset_id, wanted),
        *_of_origin(dataset_id, wanted),
    )
    if not wanted.q:
        return query.select_from(ImageRecord).with_hint(ImageRecord, _index_of(wanted), "sqlite")
    held = [ImageRecord.title, ImageRecord.url, ImageRecord.source_url]
    if _HASH_PART.fullmatch(wanted.q):
        held.append(ImageRecord.sha256)
    return (
        query.select_from(_rows_between_ends(dataset_id, wanted))
        .with_hint(ImageRecord, _BY_ROW, "sqlite")
        .where(or_(*(column.contains(wanted.q, autoescape=True) for column in held)))
    )


def _rows_between_ends(dataset_id: str, wanted: ImageFilter) -> OrderedJoin:
    """Return images from the dataset's first row to its last; both are found in one pass."""
    ends = (
        select(func.min(_ROW).label("first"), func.max(_ROW).label("last"))
        .select_from(ImageRecord)
        .with_hint(ImageRecord, _BY_AGE, "sqlite")
        .where(ImageRecord.dataset_id == dataset_id, *_of_time(wanted))
        .subquery()
    )
    return OrderedJoin(ends, _IMAGES, _ROW.between(ends.c.first, ends.c.last))


def _index_of(wanted: ImageFilter) -> str:
    """Return the index that has the list in its order, and the fewest of other lists."""
    if wanted == ImageFilter(label=wanted.label, sort=wanted.sort) and wanted.label is not None:
        return "INDEXED BY ix_images_label_id_id"
    if wanted == ImageFilter(status=wanted.status, sort=wanted.sort) and wanted.status is not None:
        return "INDEXED BY ix_images_dataset_id_status_id"
    return _BY_AGE


def _of_person(dataset_id: str, wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Return conditions on where images stand, and on what persons say of them."""
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(ImageRecord.status == wanted.status)
    if wanted.label is not None:
        label = datasets.find_label_id(dataset_id, wanted.label)
        found.append(ImageRecord.label_id == label.scalar_subquery())
    if wanted.excluded is not None:
        found.append(ImageRecord.excluded == wanted.excluded)
    if wanted.reviewed is not None:
        is_null = ImageRecord.reviewed_at.is_(None)
        found.append(~is_null if wanted.reviewed else is_null)
    return found


def _of_origin(dataset_id: str, wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Return conditions on where images were found, and on what became of them."""
    found: list[ColumnElement[bool]] = []
    rows = select(_ROW).select_from(ImageRecord).where(ImageRecord.dataset_id == dataset_id)
    rows = rows.correlate(None)
    if wanted.reason is not None:
        found.append(_ROW.in_(rows.where(ImageRecord.reason == wanted.reason)))
    if wanted.obtainable is not None:
        found.append(obtainable())
    if wanted.engine is not None or wanted.query is not None:
        found.append(ImageRecord.id.in_(_seen(dataset_id, wanted)))
    if wanted.site is not None:
        # Two indexes, asked one after the other: for an "or" the planner would walk the dataset.
        sites = [column == wanted.site for column in (ImageRecord.host, ImageRecord.page_host)]
        found.append(_ROW.in_(rows.where(sites[0]).union_all(rows.where(sites[1]))))
    return found


def _seen(dataset_id: str, wanted: ImageFilter) -> Any:
    query = select(SightingRecord.image_id).join(
        CaptureRecord, CaptureRecord.id == SightingRecord.capture_id
    )
    query = query.where(CaptureRecord.dataset_id == dataset_id)
    if wanted.engine is not None:
        query = query.where(CaptureRecord.engine == wanted.engine)
    if wanted.query is not None:
        query = query.where(CaptureRecord.query == wanted.query)
    return query


def _of_time(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    # An id begins with the moment it was made: a range of time is a range of the list itself.
    found: list[ColumnElement[bool]] = []
    if wanted.captured_from is not None:
        found.append(ImageRecord.id >= _first_id(wanted.captured_from))
    if wanted.captured_before is not None:
        found.append(ImageRecord.id < _first_id(wanted.captured_before))
    return found


def _first_id(moment: datetime) -> str:
    begun = str(ULID.from_datetime(moment))
    return begun[:_ULID_TIME_CHARS].ljust(len(begun), "0")


def _of_bytes(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Return conditions on images that are joined with their blobs."""
    found: list[ColumnElement[bool]] = []
    key = wanted.sort.measure
    if key is not None:
        found.append(key.is_not(None))
    short_side = measures(BlobRecord)[Measure.SHORT_SIDE_PX]
    if wanted.min_px is not None:
        found.append(short_side >= wanted.min_px)
    if wanted.max_px is not None:
        found.append(short_side <= wanted.max_px)
    if wanted.hint is not None:
        found.append(hint_condition(wanted.hint))
    if wanted.sha256 is not None:
        found.append(ImageRecord.sha256 == wanted.sha256)
    if wanted.near_group is not None:
        alike = select(_HELD.sha256).where(_HELD.near_group == wanted.near_group)
        found.append(ImageRecord.sha256.in_(alike))
    return found
