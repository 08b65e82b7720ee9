"""Counts are those of the rows, whatever was done in whatever order."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.net.outcome import Outcome
from server.pipeline.work import End, Result, Work
from server.reasons import Reason
from tests.support.app import Bird, running
from tests.support.images import encode, photo

LABELS = st.sampled_from(["cat", "dog", "owl"])
PICTURES = [encode(photo(20, 20, seed), "PNG") for seed in range(3)]
REJECTED, RETRIED, RELEASED = range(3, 6)
FILTERS: list[dict] = [
    {"status": "ready"},
    {"label": "cat"},
    {"label": "no such label"},
    {"excluded": True},
    {"excluded": False, "label": "dog", "status": "queued"},
    {"reason": "too-small"},
    {"label": "cat", "reason": "too-small"},
]
MOMENT = datetime(2026, 11, 22, 10, tzinfo=UTC)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("capture"), LABELS, st.sets(st.integers(0, 6), max_size=4)),
        st.tuples(st.just("upload"), LABELS, st.integers(0, 2)),
        st.tuples(st.just("download"), st.integers(1, 4), st.integers(0, RELEASED)),
        st.tuples(st.just("undo"), st.integers(0, 5)),
        st.tuples(st.just("relabel"), LABELS, st.integers(0, 9)),
        st.tuples(st.just("exclude"), st.booleans(), st.integers(0, 9)),
        st.tuples(st.just("merge"), LABELS, LABELS),
        st.tuples(st.just("retry")),
    ),
    max_size=12,
)


async def take(bird: Bird, dataset: str, step: tuple) -> None:
    kind, *values = step
    if kind == "capture":
        await bird.capture(dataset, [f"http://a.test/{n}" for n in values[1]], values[0])
    elif kind == "upload":
        await bird.upload(dataset, PICTURES[values[1]], values[0])
    elif kind == "download":
        await settle(bird, *values)
    elif kind == "undo":
        taken = (await bird.get(f"/datasets/{dataset}/captures")).json()["items"]
        for capture in taken[values[0] : values[0] + 1]:
            await bird.delete(f"/captures/{capture['id']}")
    elif kind in {"relabel", "exclude"}:
        change = {"label" if kind == "relabel" else "excluded": values[0]}
        for image in (await bird.images(dataset))[values[1] : values[1] + 1]:
            await bird.patch(f"/images/{image['id']}", json=change)
    elif kind == "merge":
        items = (await bird.get(f"/datasets/{dataset}/labels")).json()["items"]
        ids = {label["name"]: label["id"] for label in items}
        if set(values) <= set(ids):
            body = {"merge_into": ids[values[1]]}
            await bird.patch(f"/labels/{ids[values[0]]}", json=body)
    else:
        await bird.post(f"/datasets/{dataset}/images/retry")


async def settle(bird: Bird, count: int, picture: int) -> None:
    """Settle some queued images: with a picture, or without when there is none of that number."""
    service = bird.parts.services.downloads
    claim = await service.claim(count, lambda _host: count)
    results = [await end_of(bird, work, picture) for work in claim.works]
    # One that is claimed by nobody: what was settled or undone meanwhile is passed over.
    await service.settle([*results, *results[:1]])


async def end_of(bird: Bird, work: Work, picture: int) -> Result:
    outcome = Outcome(work.url, work.url, 200, None, "", None, "image/png", 0, 0.0, MOMENT)
    if picture < len(PICTURES):
        intake = bird.parts.services.images._intake
        return Result(work, End.READY, outcome, await intake.store(PICTURES[picture]))
    if picture == REJECTED:
        return Result(work, End.REJECTED, outcome, None, Reason.TOO_SMALL, "too small")
    end = End.RETRY if picture == RETRIED else End.RELEASED
    return Result(work, end, outcome if end is End.RETRY else None, again_at=MOMENT)


async def check(bird: Bird, dataset: str) -> None:
    rows = await bird.images(dataset, limit=500)
    counts = await bird.counts(dataset)
    assert counts["total"] == len(rows)
    assert counts["excluded"] == sum(row["excluded"] for row in rows)
    statuses = Counter(row["status"] for row in rows)
    assert {k: n for k, n in counts["status"].items() if n} == statuses
    totals = Counter(row["label"] for row in rows if row["label"])
    ready = Counter(row["label"] for row in rows if row["status"] == "ready")
    shown = counts["labels"]
    assert {name: c["total"] for name, c in shown.items() if c["total"]} == totals
    assert {name: c["ready"] for name, c in shown.items() if c["ready"]} == ready
    by_id = {row["id"]: row for row in rows}
    for row in rows:
        assert (row["reason"] is not None) == (row["status"] == "rejected")
        assert (row["duplicate_of"] is not None) == (row["status"] == "duplicate")
        if row["status"] == "duplicate":
            first = by_id[row["duplicate_of"]]
            assert (first["status"], first["sha256"]) == ("ready", row["sha256"])
    held = [row["sha256"] for row in rows if row["status"] == "ready"]
    assert len(held) == len(set(held)), "one image of a dataset holds a blob"
    await check_totals(bird, dataset, rows)


async def check_totals(bird: Bird, dataset: str, rows: list[dict]) -> None:
    """The total of a list is the number of its rows, whether it was kept or counted."""
    for wanted in FILTERS:
        reply = await bird.get(f"/datasets/{dataset}/images", params=wanted | {"limit": 1})
        expected = sum(all(row[name] == value for name, value in wanted.items()) for row in rows)
        assert reply.json()["total"] == expected, wanted


@pytest.mark.slow
def test_counts_are_those_of_the_rows(data_folder: Path):
    with asyncio.Runner() as runner:
        holder = running(data_folder, workers=False)
        bird = runner.run(holder.__aenter__())

        @settings(
            max_examples=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(STEPS)
        def play(steps: list[tuple]) -> None:
            async def go() -> None:
                dataset = await bird.dataset()
                for step in steps:
                    await take(bird, dataset, step)
                await check(bird, dataset)
                await bird.delete(f"/datasets/{dataset}")

            runner.run(go())

        try:
            play()
        finally:
            runner.run(holder.__aexit__(None, None, None))
