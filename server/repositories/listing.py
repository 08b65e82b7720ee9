"""Pages of a dataset's images, as what is shown of each: one statement a page, as columns."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import and_, func, literal, or_, select, text

from server.db.joins import OrderedJoin
from server.db.models import (
    BlobRecord,
    ImageCountRecord,
    ImageRecord,
    ImageStatus,
    LabelRecord,
)
from server.db.session import Session
from server.errors import InvalidCursorError
from server.repositories.filters import ImageFilter
from server.repositories.paging import ULID_LENGTH, Page, PageRequest, count_rows
from server.repositories.picking import pick

# What a list shows of an image. Columns and not records: a page of these takes a third of the time.
_SHOWN: Final[Any] = (
    select(
        ImageRecord.id,
        ImageRecord.dataset_id,
        LabelRecord.name.label("label"),
        ImageRecord.status,
        ImageRecord.reason,
        ImageRecord.detail,
        ImageRecord.http_status,
        ImageRecord.obtained_by,
        ImageRecord.excluded,
        ImageRecord.reviewed_at,
        ImageRecord.version,
        ImageRecord.url,
        ImageRecord.final_url,
        ImageRecord.source_url,
        ImageRecord.thumbnail_url,
        ImageRecord.title,
        ImageRecord.declared_width,
        ImageRecord.declared_height,
        ImageRecord.license,
        ImageRecord.sha256,
        BlobRecord.bytes,
        BlobRecord.width,
        BlobRecord.height,
        BlobRecord.format,
        BlobRecord.near_group,
        BlobRecord.luma_p99,
        BlobRecord.luma_p05,
        BlobRecord.sharpness,
        BlobRecord.entropy_bits,
        ImageRecord.duplicate_of,
        ImageRecord.attempts,
        ImageRecord.created_at,
        ImageRecord.settled_at,
    )
    .select_from(ImageRecord)
    .outerjoin(LabelRecord, LabelRecord.id == ImageRecord.label_id)
    .outerjoin(BlobRecord, BlobRecord.sha256 == ImageRecord.sha256)
)
_SHOWN_NAMES: Final = _SHOWN.selected_columns.keys()
# From the groups to their blobs to the images: a page has some hundred groups, a dataset any number
# of images. The order is the statement's, as in ``queue``: the planner knows no numbers.
_COUNT_NEAR: Final = text("""
SELECT blobs.near_group, count(*) FROM json_each(:groups) AS wanted
CROSS JOIN blobs ON blobs.near_group = wanted.value
CROSS JOIN images ON images.dataset_id = :dataset_id AND images.sha256 = blobs.sha256
  AND images.status = 'ready'
GROUP BY blobs.near_group
""")
# Likewise: few blobs are asked for.
_BLOBS_OF_IMAGES: Final = OrderedJoin(
    BlobRecord.__table__,
    ImageRecord.__table__,
    ImageRecord.__table__.c.sha256 == BlobRecord.__table__.c.sha256,
)
_CURSOR_PARTS: Final = "~"  # stands between the measure and the id; in neither


async def list_page(
    session: Session, dataset_id: str, wanted: ImageFilter, request: PageRequest
) -> Page[Mapping[str, Any]]:
    """Return a page of the dataset's images.

    Each is what is shown of it: the columns of its record, the name of its ``label`` and, where it
    has bytes, the columns of its blob and ``near_count``.

    Raises:
        InvalidCursorError: The cursor is not one of this list.
    """
    rows, total = await _read_picked(session, dataset_id, wanted, request)
    next_cursor = None
    if len(rows) > request.limit:
        rows = rows[: request.limit]
        next_cursor = _write_cursor(rows[-1], wanted)
    items = [dict(zip(_SHOWN_NAMES, row, strict=False)) for row in rows]
    await _add_near_counts(session, items)
    return Page(items, next_cursor, total)


async def _read_picked(
    session: Session, dataset_id: str, wanted: ImageFilter, request: PageRequest
) -> tuple[Sequence[Any], int]:
    """Return the page's rows with one more, if there is one, and how many the whole list has.

    Only ids and what they go by are picked and sorted, from indexes where they can; the rest is
    read of those that are shown.
    """
    picked: Any = pick(dataset_id, wanted)
    counted: Any
    if wanted.is_counted:
        place = [ImageRecord.id]
        counted = literal(await _read_kept_total(session, dataset_id, wanted))
    else:
        # Gone through twice, so SQLite keeps it: counted whole, and sorted as far as it is shown.
        matched = picked.cte("matched")
        counted = select(func.count()).select_from(matched).scalar_subquery()
        picked, place = select(matched), [matched.c.measure, matched.c.image_id]
    is_down = wanted.sort.is_down
    if request.cursor is not None:
        picked = picked.where(_behind(request.cursor, wanted, place))
    found = (
        picked.order_by(*_directed(place, is_down=is_down))
        .limit(request.limit + 1)
        .offset(request.skip or None)
        .subquery()
    )
    shown = _SHOWN.add_columns(found.c.measure, counted.label("total"))
    shown = shown.join(found, found.c.image_id == ImageRecord.id)
    order = _directed([found.c.measure, found.c.image_id], is_down=is_down)
    rows = (await session.execute(shown.order_by(*order))).all()
    if rows:
        return rows, rows[0].total
    # Behind the end; a first page without rows is of an empty list.
    is_first = request.cursor is None and not request.skip
    return rows, 0 if is_first else await count_rows(session, pick(dataset_id, wanted))


def _directed(columns: Sequence[Any], *, is_down: bool) -> list[Any]:
    return [column.desc() if is_down else column for column in columns]


def _write_cursor(last: Any, wanted: ImageFilter) -> str:
    measure = "" if wanted.sort.measure is None else f"{float(last.measure)!r}{_CURSOR_PARTS}"
    return f"{measure}{last.id}"


def _behind(cursor: str, wanted: ImageFilter, place: Sequence[Any]) -> Any:
    """Return the condition on what is behind the cursor's place.

    Raises:
        InvalidCursorError: The cursor is not one of this list.
    """
    is_down = wanted.sort.is_down
    value, last_id = _read_cursor(cursor, is_aged=wanted.sort.measure is None)
    measure, image_id = place[0], place[-1]
    behind = image_id < last_id if is_down else image_id > last_id
    if wanted.sort.measure is None:
        return behind
    beyond = measure < value if is_down else measure > value
    return or_(beyond, and_(measure == value, behind))


def _read_cursor(cursor: str, *, is_aged: bool) -> tuple[float, str]:
    value, _, image_id = ("0", "", cursor) if is_aged else cursor.partition(_CURSOR_PARTS)
    try:
        if len(image_id) == ULID_LENGTH and image_id.isalnum():
            return float(value), image_id
    except ValueError:
        pass
    raise InvalidCursorError(f"{cursor[:40]!r} is not a cursor of this list")


async def list_stacks(
    session: Session, dataset_id: str, groups: Sequence[str], most: int
) -> dict[str, list[dict[str, Any]]]:
    """Return up to ``most`` ready images of each of these groups of look-alikes, the best first.

    The best has the most pixels; of several, the sharpest; of those, the oldest.
    """
    best = (
        (BlobRecord.width * BlobRecord.height).desc(),
        BlobRecord.sharpness.desc(),
        ImageRecord.id,
    )
    return await _list_parted(
        session,
        most,
        part=BlobRecord.near_group,
        order=best,
        holds=[
            BlobRecord.near_group.in_(groups),
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.status == ImageStatus.READY,
        ],
    )


async def list_holders(
    session: Session, dataset_id: str, digests: Sequence[str], most: int
) -> dict[str, list[dict[str, Any]]]:
    """Return up to ``most`` labelled images of each of these blobs, the oldest first.

    Without those that are excluded: they are in no snapshot, so they contradict nothing.
    """
    return await _list_parted(
        session,
        most,
        part=ImageRecord.sha256,
        order=[ImageRecord.id],
        holds=[
            BlobRecord.sha256.in_(digests),
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.label_id.is_not(None),
            ImageRecord.excluded.is_(False),
        ],
    )


async def list_briefs(session: Session, image_ids: Sequence[str]) -> Sequence[Any]:
    """Return what may change of these images, oldest first; those that are gone are missing."""
    listed = func.json_each(json.dumps(image_ids)).table_valued("value")
    rows = await session.execute(
        select(
            ImageRecord.id,
            ImageRecord.status,
            ImageRecord.reason,
            LabelRecord.name.label("label"),
            ImageRecord.excluded,
            ImageRecord.reviewed_at,
            ImageRecord.version,
            ImageRecord.sha256,
        )
        .outerjoin(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        .where(ImageRecord.id.in_(select(listed.c.value)))
        .order_by(ImageRecord.id)
    )
    return rows.all()


async def _list_parted(
    session: Session, most: int, *, part: Any, order: Sequence[Any], holds: Sequence[Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return what is shown of images, the first ``most`` of each part, by part."""
    place = func.row_number().over(partition_by=part, order_by=order).label("place")
    numbered = (
        select(ImageRecord.id.label("image_id"), part.label("part"), place)
        .select_from(_BLOBS_OF_IMAGES)
        .where(*holds)
        .subquery()
    )
    shown = _SHOWN.add_columns(numbered.c.part)
    rows = await session.execute(
        shown.join(numbered, numbered.c.image_id == ImageRecord.id)
        .where(numbered.c.place <= most)
        .order_by(numbered.c.part, numbered.c.place)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.part, []).append(dict(zip(_SHOWN_NAMES, row, strict=False)))
    await _add_near_counts(session, [image for images in found.values() for image in images])
    return found


async def _add_near_counts(session: Session, items: Sequence[dict[str, Any]]) -> None:
    if not items:
        return
    groups = {item["near_group"] for item in items}
    counts = await count_near(session, items[0]["dataset_id"], groups)
    for item in items:
        item["near_count"] = counts.get(item["near_group"])


async def count_near(
    session: Session, dataset_id: str, groups: Collection[str | None]
) -> dict[str | None, int]:
    """Return how many ready images of the dataset are in each of these groups of look-alikes."""
    named = {group for group in groups if group is not None}
    if not named:
        return {}
    values = {"groups": json.dumps(sorted(named)), "dataset_id": dataset_id}
    return dict((await session.execute(_COUNT_NEAR, values)).all())


async def _read_kept_total(session: Session, dataset_id: str, wanted: ImageFilter) -> int:
    """Return how many images a list has of which that is kept."""
    kept = ImageCountRecord
    number = {
        None: kept.number,
        True: kept.excluded_number,
        False: kept.number - kept.excluded_number,
    }[wanted.excluded]
    query = select(func.sum(number)).where(kept.dataset_id == dataset_id)
    if wanted.status is not None:
        query = query.where(kept.status == wanted.status)
    if wanted.label is not None:
        query = query.join(LabelRecord, LabelRecord.id == kept.label_id)
        query = query.where(LabelRecord.name == wanted.label)
    return await session.scalar(query) or 0
