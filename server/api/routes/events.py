"""The stream of a dataset's changes, and a plain reading of the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from server.api.deps import Services, ServicesDep
from server.api.schemas.datasets import DatasetOut
from server.api.schemas.events import BriefOut, BriefsOut, ChangesOut, JobsOut
from server.api.schemas.training import job_out
from server.errors import DatasetNotFoundError
from server.repositories.paging import PageRequest
from server.services.feed import Feed

router = APIRouter(tags=["datasets"])

# Twice a second is live enough for a person, and leaves the database to the rest.
MIN_EVENT_GAP_S = 0.5
KEEP_ALIVE_S = 15.0  # below the idle limits of proxies
MOST_JOBS: Final = 5  # more than a person watches; each is read with its snapshot and model
MOST_BRIEFS: Final = 500  # images an event tells of: a page; beyond, a list is read again
_UNKNOWN: Final = -1  # no count of a signal: of a watcher that was away for too long
_BEGINNING: Final = "beginning"  # no count: whoever was cut off there knows nothing yet

EventId = Annotated[str | None, Query(max_length=100, description="The `id` of an event, or ours.")]
LastEventId = Annotated[str | None, Header(max_length=100)]


async def check_dataset(dataset_id: str, services: ServicesDep) -> None:
    """Refuse an unknown dataset before a stream begins, which could no longer say so.

    Raises:
        DatasetNotFoundError: No dataset has this id.
    """
    await services.datasets.show(dataset_id)


@router.get(
    "/datasets/{dataset_id}/events",
    response_class=EventSourceResponse,
    dependencies=[Depends(check_dataset)],
)
async def watch_dataset(
    dataset_id: str, services: ServicesDep, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Stream a dataset's changes: `counts`, `jobs`, `images`, and `deleted` as the last.

    At once, and after each change, what is different comes whole: the dataset with its counts, its
    newest jobs, the images that were settled or changed. With the `Last-Event-ID` of an event it
    goes on behind that. Whoever was away for too long, or comes after a restart of the server, gets
    `counts` and `jobs`, and `images` with null in place of the items: lists are to be read again.
    """
    signal = services.feed.dataset(dataset_id)
    seen = None
    if last_event_id is not None:
        known = read_event_id(services.feed, last_event_id)
        seen = _UNKNOWN if known is None else known
    sent: dict[str, str] = {}
    while not services.feed.is_closed:
        if signal.count == seen:
            yield ServerSentEvent(comment="still here")
        else:
            try:
                now = await _read(dataset_id, services, seen)
            except DatasetNotFoundError:
                yield ServerSentEvent(event="deleted", data={"id": dataset_id})
                return
            for event in _differences(now, sent, _id(services.feed, seen), is_new=seen is None):
                yield event
            seen = read_event_id(services.feed, now.id)
            await asyncio.sleep(MIN_EVENT_GAP_S)
        await signal.wait(_UNKNOWN if seen is None else seen, KEEP_ALIVE_S)


# Checked first: asking for its signal would make one for whatever id is asked for.
@router.get("/datasets/{dataset_id}/changes", dependencies=[Depends(check_dataset)])
async def read_changes(dataset_id: str, services: ServicesDep, since: EventId = None) -> ChangesOut:
    """Return what the stream says, once: for those who ask now and then.

    `id` is for the next time; `images` are those that changed since the one that is given.
    """
    seen = None if since is None else read_event_id(services.feed, since)
    return await _read(dataset_id, services, seen)


def read_event_id(feed: Feed, text: str) -> int | None:
    """Return the count that an event's id names; None when it is of another process, or none."""
    epoch, _, count = text.partition("-")
    return int(count) if epoch == feed.epoch and count.isdecimal() else None


def _id(feed: Feed, count: int | None) -> str:
    return f"{feed.epoch}-{_BEGINNING if count is None or count < 0 else count}"


async def _read(dataset_id: str, services: Services, seen: int | None) -> ChangesOut:
    signal = services.feed.dataset(dataset_id)
    count = signal.count  # before anything is read: what comes meanwhile is told again
    changed = signal.since(seen)
    view = await services.datasets.show(dataset_id)
    jobs = await services.training.list_page(dataset_id, None, PageRequest(limit=MOST_JOBS))
    items = None
    if changed is not None and len(changed) <= MOST_BRIEFS:
        rows = await services.survey.list_briefs(changed)
        items = [BriefOut.model_validate(row) for row in rows]
    return ChangesOut(
        id=_id(services.feed, count),
        counts=DatasetOut.of(view),
        jobs=JobsOut(items=[job_out(job) for job in jobs.items]),
        images=BriefsOut(items=items),
    )


def _differences(
    now: ChangesOut, sent: dict[str, str], before: str, *, is_new: bool
) -> list[ServerSentEvent]:
    """Return the events that tell what is new, and note what was told.

    Only the last one has the new id: whoever is cut off between two of them is told all again.
    """
    parts = {"counts": now.counts, "jobs": now.jobs, "images": now.images}
    texts = {name: part.model_dump_json() for name, part in parts.items()}
    if is_new or now.images.items == []:
        del texts["images"]  # a new watcher reads its lists itself
    fresh = [name for name, text in texts.items() if sent.get(name) != text or name == "images"]
    sent.update({name: texts[name] for name in fresh})
    ids = [before] * (len(fresh) - 1) + [now.id]
    return [
        ServerSentEvent(event=name, data=parts[name], id=event_id)
        for name, event_id in zip(fresh, ids, strict=False)
    ]
