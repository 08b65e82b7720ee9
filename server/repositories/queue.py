"""Queries on images on their way: claim those that are queued, settle those that were tried.

Everything here is in batches, and its cost is by the batch: an index that holds the due images
alone is jumped through from host to host, whatever stands between. Such indexes are named: the
planner does not know how many rows have a status, and takes the index by status for as good.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from server.db.models import (
    AttemptRecord,
    BlobRecord,
    DatasetRecord,
    ImageCountRecord,
    ImageRecord,
    ImageStatus,
    ObtainedBy,
)
from server.db.session import Session
from server.net.validators import Refusal, Validators
from server.reasons import Reason
from server.repositories.images import MAX_DETAIL_CHARS

# Each host after the one before by one jump into the index; SQLite has no loose scan of its own.
# Source: sqlite.org/optoverview.html, "The MIN/MAX optimization".
_HOSTS = text("""
WITH RECURSIVE found(host, number) AS (
  SELECT min(host), 1 FROM images INDEXED BY ix_images_due
  WHERE dataset_id = :dataset_id AND status = 'queued' AND not_before_at IS NULL AND host > :after
  UNION ALL
  SELECT (
    SELECT min(host) FROM images INDEXED BY ix_images_due
    WHERE dataset_id = :dataset_id AND status = 'queued'
      AND not_before_at IS NULL AND host > found.host
  ), number + 1
  FROM found WHERE found.host IS NOT NULL AND number < :most
)
SELECT host FROM found WHERE host IS NOT NULL
""")
_OF_HOSTS = text("""
SELECT images.id, images.url, images.host, images.retries, images.attempts
FROM json_each(:hosts) AS wanted CROSS JOIN images ON images.id IN (
  SELECT id FROM images INDEXED BY ix_images_due
  WHERE dataset_id = :dataset_id AND status = 'queued' AND not_before_at IS NULL
    AND host = wanted.value
  ORDER BY id LIMIT :most
)
""")
_CLAIM = text("""
UPDATE images SET status = 'downloading', attempts = attempts + 1
WHERE id IN (SELECT value FROM json_each(:ids))
""")
# In the order of the key, so that of several rows of an image the last one stands.
_REFUSALS = text("""
SELECT image_id, final_url, etag, last_modified, reason, detail, rules FROM attempts
WHERE image_id IN (SELECT value FROM json_each(:ids)) AND rules IS NOT NULL
ORDER BY image_id, number
""")
_WAKE = text("""
UPDATE images SET not_before_at = NULL WHERE id IN (
  SELECT id FROM images WHERE not_before_at <= :now ORDER BY not_before_at LIMIT :most
)
""")
_READY = text("""
SELECT sha256, id FROM images INDEXED BY uq_images_ready_blob
WHERE dataset_id = :dataset_id AND status = 'ready'
  AND sha256 IN (SELECT value FROM json_each(:digests))
""")


@dataclass(frozen=True, slots=True)
class QueuedImage:
    """An image whose bytes are to be fetched.

    Attributes:
        retries: Failed tries since it was last queued by a person.
        attempts: All tries.
    """

    id: str
    dataset_id: str
    url: str
    host: str
    retries: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to get an image's bytes, as it is kept.

    Attributes:
        seconds: Time that the web took.
        bytes: How much of the body came.
        declared_bytes: What the answer claimed its length to be.
        final_url: Where the last answer came from; None before any.
        is_downgraded: A redirect led from https to http.
        detail: One sentence on the reason; empty for none.
        refusal: Given when bytes were refused that the server has a name for.
    """

    started_at: datetime
    seconds: float
    reason: Reason | None
    http_status: int | None
    bytes: int
    declared_bytes: int | None
    final_url: str | None
    is_downgraded: bool
    detail: str = ""
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one claimed image.

    Attributes:
        blob: The columns of its bytes' row; given when it is ready.
        reason: Given when it is rejected.
        attempt: None when it was not tried.
        again_at: Given, or None for at once, when it is queued again.
        is_queued: It is queued again.
    """

    image_id: str
    blob: dict[str, Any] | None = None
    reason: Reason | None = None
    detail: str = ""
    attempt: Attempt | None = None
    again_at: datetime | None = None
    is_queued: bool = False


async def list_queued_datasets(session: Session) -> list[tuple[str, int]]:
    """Return the datasets with queued images that are not paused, with the number, least first."""
    number = func.sum(ImageCountRecord.number)
    rows = await session.execute(
        select(ImageCountRecord.dataset_id, number)
        .join(DatasetRecord, DatasetRecord.id == ImageCountRecord.dataset_id)
        .where(ImageCountRecord.status == ImageStatus.QUEUED, DatasetRecord.paused.is_(False))
        .group_by(ImageCountRecord.dataset_id)
        .having(number > 0)
        .order_by(number, ImageCountRecord.dataset_id)
    )
    return [(dataset_id, count) for dataset_id, count in rows]


async def list_due_hosts(session: Session, dataset_id: str, after: str, most: int) -> list[str]:
    """Return the next hosts, in the order of their names, of which the dataset has due images."""
    values = {"dataset_id": dataset_id, "after": after, "most": most}
    return list((await session.scalars(_HOSTS, values)).all())


async def list_due(
    session: Session, dataset_id: str, hosts: Collection[str], most: int
) -> list[QueuedImage]:
    """Return the oldest due images of each of these hosts, ``most`` of each, host by host."""
    values = {"dataset_id": dataset_id, "hosts": json.dumps(list(hosts)), "most": most}
    rows = await session.execute(_OF_HOSTS, values)
    return [
        QueuedImage(image_id, dataset_id, url or "", host, retries, attempts)
        for image_id, url, host, retries, attempts in rows
    ]


async def claim(session: Session, image_ids: Collection[str]) -> None:
    """Mark queued images as downloading."""
    if image_ids:
        await session.execute(_CLAIM, {"ids": json.dumps(list(image_ids))})


async def read_refusals(session: Session, image_ids: Collection[str]) -> dict[str, Refusal]:
    """Return the last bytes that were refused of each of these images, where they have a name.

    Of an image that failed otherwise since then, it is still those of the last try that had any.
    """
    if not image_ids:
        return {}
    rows = await session.execute(_REFUSALS, {"ids": json.dumps(list(image_ids))})
    return {
        image_id: Refusal(url, Validators(etag, modified), Reason(reason), detail or "", rules)
        for image_id, url, etag, modified, reason, detail, rules in rows
    }


async def wake_due(session: Session, now: datetime, most: int) -> int:
    """Make images due whose time has come, the longest waiting first; return how many."""
    if await next_due_at(session) is None:
        return 0
    result: Any = await session.execute(
        _WAKE.bindparams(bindparam("now", type_=ImageRecord.not_before_at.type)),
        {"now": now, "most": most},
    )
    return int(result.rowcount)


async def next_due_at(session: Session) -> datetime | None:
    """Return when the next image becomes due that waits for its time."""
    query = select(func.min(ImageRecord.not_before_at))
    return await session.scalar(query.where(ImageRecord.not_before_at.is_not(None)))


async def requeue_downloading(session: Session) -> int:
    """Queue again what a process that died was downloading; return how many."""
    query = update(ImageRecord).where(text("status = 'downloading'"))
    result: Any = await session.execute(
        query.values(status=ImageStatus.QUEUED).execution_options(synchronize_session=False)
    )
    return int(result.rowcount)


async def settle(session: Session, settlements: Sequence[Settlement]) -> set[str]:
    """Keep what became of claimed images; return the datasets that they belong to.

    Images that are no longer there, or no longer being downloaded, are passed over. Of equal bytes
    in a dataset the oldest image becomes ready, unless one was before, and the others duplicates.
    """
    claimed = await _read_claimed(session, [one.image_id for one in settlements])
    by_id = {one.image_id: one for one in settlements if one.image_id in claimed}
    ours = [by_id[image_id] for image_id in sorted(by_id)]
    blobs = [one.blob for one in ours if one.blob is not None]
    if blobs:
        await session.execute(insert_or(BlobRecord).on_conflict_do_nothing(), blobs)
    holders = await _read_holders(session, ours, claimed)
    tried, released = [], []
    for one in ours:
        if one.is_queued and one.attempt is None:
            released.append({"b_id": one.image_id, "b_not_before_at": one.again_at})
        else:
            tried.append(_outcome_row(one, claimed[one.image_id][0], holders))
    connection = await session.connection()
    if tried:
        await connection.execute(_SETTLE, tried)
    if released:
        await connection.execute(_RELEASE, released)
    if attempts := [_attempt_row(one, claimed[one.image_id][1]) for one in ours if one.attempt]:
        await connection.execute(insert(AttemptRecord), attempts)
    return {dataset_id for dataset_id, _ in claimed.values()}


_OUTCOME_COLUMNS = (
    "status",
    "reason",
    "detail",
    "http_status",
    "final_url",
    "sha256",
    "obtained_by",
    "duplicate_of",
    "not_before_at",
    "settled_at",
)
_images = ImageRecord.__table__
_SETTLE = (
    update(_images)  # type: ignore[arg-type] # a Table, which the class's attribute does not say
    .where(_images.c.id == bindparam("b_id"))
    .values(
        {name: bindparam(f"b_{name}") for name in _OUTCOME_COLUMNS}
        | {"retries": _images.c.retries + bindparam("b_retries")}
    )
)
# Not tried, so not counted as a try.
_RELEASE = (
    update(_images)  # type: ignore[arg-type] # as above
    .where(_images.c.id == bindparam("b_id"))
    .values(
        status=ImageStatus.QUEUED,
        attempts=_images.c.attempts - 1,
        not_before_at=bindparam("b_not_before_at"),
    )
)


def _outcome_row(
    one: Settlement, dataset_id: str, holders: dict[tuple[str, str], str]
) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(_OUTCOME_COLUMNS)
    if one.attempt is not None:
        values |= {"http_status": one.attempt.http_status, "final_url": one.attempt.final_url}
    if one.is_queued:
        values |= {"status": ImageStatus.QUEUED, "not_before_at": one.again_at}
    elif one.blob is None:
        values |= {"status": ImageStatus.REJECTED, "reason": one.reason}
        values |= {"detail": one.detail[:MAX_DETAIL_CHARS]}
    else:
        sha256 = str(one.blob["sha256"])
        holder = holders.setdefault((dataset_id, sha256), one.image_id)
        is_first = holder == one.image_id
        values |= {
            "status": ImageStatus.READY if is_first else ImageStatus.DUPLICATE,
            "duplicate_of": None if is_first else holder,
            "sha256": sha256,
            "obtained_by": ObtainedBy.SERVER,
        }
    if not one.is_queued:
        values["settled_at"] = datetime.now(UTC)
    row = {f"b_{name}": value for name, value in values.items()}
    return row | {"b_id": one.image_id, "b_retries": int(one.is_queued)}


def _attempt_row(one: Settlement, number: int) -> dict[str, Any]:
    attempt = one.attempt
    if attempt is None:
        raise ValueError("no row for an image that was not tried")
    refusal = attempt.refusal
    return {
        "image_id": one.image_id,
        "number": number,
        "started_at": attempt.started_at,
        "seconds": attempt.seconds,
        "reason": attempt.reason,
        "http_status": attempt.http_status,
        "bytes": attempt.bytes,
        "declared_bytes": attempt.declared_bytes,
        "final_url": attempt.final_url,
        "downgraded": attempt.is_downgraded,
        "detail": attempt.detail[:MAX_DETAIL_CHARS] or None,
        "etag": None if refusal is None else refusal.validators.etag,
        "last_modified": None if refusal is None else refusal.validators.last_modified,
        "rules": None if refusal is None else refusal.rules,
    }


async def _read_claimed(session: Session, ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return dataset and number of the attempt of those of these images that are downloading."""
    rows = await session.execute(_CLAIMED, {"ids": json.dumps(list(ids))})
    return {image_id: (dataset_id, number) for image_id, dataset_id, number in rows}


_CLAIMED = text("""
SELECT id, dataset_id, attempts FROM images
WHERE id IN (SELECT value FROM json_each(:ids)) AND status = 'downloading'
""")


async def _read_holders(
    session: Session, ours: Sequence[Settlement], claimed: dict[str, tuple[str, int]]
) -> dict[tuple[str, str], str]:
    """Return which ready image of a dataset holds a blob, for the blobs of a batch."""
    wanted: dict[str, list[str]] = {}
    for one in ours:
        if one.blob is not None:
            wanted.setdefault(claimed[one.image_id][0], []).append(str(one.blob["sha256"]))
    holders: dict[tuple[str, str], str] = {}
    for dataset_id, digests in wanted.items():
        values = {"dataset_id": dataset_id, "digests": json.dumps(digests)}
        for sha256, image_id in await session.execute(_READY, values):
            holders[dataset_id, sha256] = image_id
    return holders


async def list_attempts(session: Session, image_id: str, most: int) -> Sequence[AttemptRecord]:
    """Return the last tries of an image, oldest first."""
    query = select(AttemptRecord).where(AttemptRecord.image_id == image_id)
    rows = await session.scalars(query.order_by(AttemptRecord.number.desc()).limit(most))
    return list(rows)[::-1]
