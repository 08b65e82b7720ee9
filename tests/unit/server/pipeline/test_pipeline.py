"""The whole pipeline between a list in memory and a folder, on a real site: no database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.media.blobs import BlobStore, ThumbnailStore
from server.media.verify import verify
from server.net.fetch import Fetcher, FetchLimits
from server.pipeline.backlog import Backlog
from server.pipeline.batches import BatchLimits
from server.pipeline.pipeline import Ends, Pipeline, PipelineLimits
from server.pipeline.retry import RetryPolicy
from server.pipeline.schedule import ScheduleLimits
from server.pipeline.shelf import ContentShelf
from server.pipeline.work import End, Result, Work
from server.reasons import Reason
from tests.support.app import eventually
from tests.support.fetching import FixedResolver
from tests.support.images import HTML, jpeg
from tests.support.site import Exchange, Site, answer, hang, redirect

FAST = RetryPolicy(max_attempts=3, first_s=0.02, most_s=0.2)
SCHEDULE = ScheduleLimits(total=8, per_host=4, first_places=4, capacity=64)
BATCH = BatchLimits(rows=10, wait_s=0.01)


class Run:
    """A pipeline over addresses on named hosts, all of them one site, with all that it told."""

    def __init__(self, folder: Path, site: Site, urls: Sequence[str], **limits: object) -> None:
        self.results: list[Result] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self._works = [Work(str(n), f"g{n % 2}", url, _host(url)) for n, url in enumerate(urls)]
        names = {work.host for work in self._works} | {"slow.test"}
        self._source = Backlog(iter(self._works))
        self._resolver = FixedResolver({name: [["127.0.0.1"]] for name in names})
        self._fetch = FetchLimits(
            total_s=3, connect_s=2, read_s=2, allowed_hosts=tuple(names), concurrency=8, per_host=4
        )
        self.shelf = ContentShelf(BlobStore(folder / "b"), ThumbnailStore(folder / "t"), folder)
        parts: dict[str, object] = {"schedule": SCHEDULE, "batch": BATCH, "retry": FAST, **limits}
        self._limits = PipelineLimits(**parts)  # type: ignore[arg-type]
        self.pipeline: Pipeline | None = None

    async def settle(self, results: Sequence[Result]) -> None:
        await self.is_open.wait()
        self.results += results
        assert self.pipeline is not None
        if self._source.returned(results):
            self.pipeline.nudge()

    async def run(self, timeout_s: float = 20) -> None:
        async with Fetcher(self._fetch, resolver=self._resolver) as fetcher:
            ends = Ends(self._source, self, self.shelf)
            self.pipeline = Pipeline(ends, fetcher, self._limits, dice=lambda: 0.5)
            async with asyncio.timeout(timeout_s):
                await self.pipeline.run()
        assert self.pipeline.held_count == self.pipeline.in_flight_count == 0
        assert self.pipeline._budget.held_bytes == 0

    def ends(self, *ends: End) -> dict[str, list[Result]]:
        found: dict[str, list[Result]] = {}
        for result in self.results:
            if not ends or result.end in ends:
                found.setdefault(result.work.url.rpartition("/")[2], []).append(result)
        return found


def _host(url: str) -> str:
    return url.split("/")[2].partition(":")[0]


def on(host: str, site: Site, path: str) -> str:
    return f"http://{host}:{site.port}{path}"


async def test_every_address_ends_once_with_its_files(tmp_path: Path):
    routes = {f"/{n}.jpg": answer(jpeg(seed=n)) for n in range(5)}
    async with Site(routes | {"/page.jpg": answer(HTML)}) as site:
        urls = [on(f"h{n % 3}.test", site, f"/{n}.jpg") for n in range(5)]
        run = Run(
            tmp_path, site, [*urls, on("h.test", site, "/page.jpg"), on("h.test", site, "/none")]
        )
        await run.run()
    ends = {name: [one.end for one in found] for name, found in run.ends().items()}
    assert ends == {f"{n}.jpg": [End.READY] for n in range(5)} | {
        "page.jpg": [End.REJECTED],
        "none": [End.REJECTED],
    }
    for n in range(5):
        picture = verify(jpeg(seed=n))
        (result,) = run.ends()[f"{n}.jpg"]
        assert result.verified == picture
        assert result.outcome is not None
        assert result.outcome.body is None, "bytes are not carried further than the shelf"
        assert (tmp_path / "b").joinpath(picture.sha256[:2], picture.sha256).read_bytes() == jpeg(
            seed=n
        )
    assert run.ends()["page.jpg"][0].reason is Reason.NOT_AN_IMAGE
    assert run.ends()["none"][0].reason is Reason.HTTP_STATUS


async def test_what_may_pass_is_tried_again_and_then_given_up(tmp_path: Path):
    busy = answer(b"", status="503 Service Unavailable")
    turns = iter([busy, answer(jpeg())])

    async def recovering(exchange) -> None:
        await next(turns)(exchange)

    async with Site({"/later.jpg": recovering, "/never.jpg": busy}) as site:
        paths = ("/later.jpg", "/never.jpg")
        run = Run(tmp_path, site, [on("a.test", site, path) for path in paths])
        await run.run()
    ends = run.ends()
    assert [one.end for one in ends["later.jpg"]] == [End.RETRY, End.READY]
    assert [one.end for one in ends["never.jpg"]] == [End.RETRY, End.RETRY, End.REJECTED]
    assert {one.reason for one in ends["never.jpg"]} == {Reason.HTTP_STATUS}


async def test_a_host_that_hangs_does_not_hold_up_the_others(tmp_path: Path):
    async with Site({"/hang": hang, "/a.jpg": answer(jpeg())}) as site:
        slow = [on("slow.test", site, f"/hang?{n}") for n in range(20)]
        well = [on(f"h{n}.test", site, f"/a.jpg?{n}") for n in range(40)]
        run = Run(tmp_path, site, slow + well, retry=RetryPolicy(max_attempts=1))
        task = asyncio.create_task(run.run(60))
        await eventually(lambda: len(run.ends(End.READY)) == 40)
        assert not run.ends(End.REJECTED), "all others are done before the first time-out"
        task.cancel()
        await asyncio.wait([task])


async def test_a_robots_txt_that_hangs_does_not_hold_up_other_hosts(tmp_path: Path):
    async def robots(exchange: Exchange) -> None:
        is_slow = exchange.request.headers["host"].startswith("slow.test")
        await (hang if is_slow else answer(b"User-agent: *\nDisallow: /"))(exchange)

    async with Site({"/robots.txt": robots, "/a.jpg": answer(jpeg())}) as site:
        slow = [on("slow.test", site, f"/a.jpg?slow{n}") for n in range(20)]
        well = [on(f"h{n}.test", site, f"/a.jpg?{n}") for n in range(40)]
        run = Run(tmp_path, site, slow + well)
        task = asyncio.create_task(run.run(60))
        await eventually(lambda: len(run.ends(End.READY)) == 40)
        assert not [name for name in run.ends() if "slow" in name]
        assert len(site.robots_requests) == 41, "one for each host"
        task.cancel()
        await asyncio.wait([task])


async def test_hosts_that_all_lead_to_one_that_hangs_do_not_hold_up_the_others(tmp_path: Path):
    async with Site({"/hang": hang, "/a.jpg": answer(jpeg())}) as site:
        site.routes["/away"] = redirect(on("slow.test", site, "/hang"))
        away = [on(f"away{n}.test", site, "/away") for n in range(30)]
        well = [on(f"h{n}.test", site, f"/a.jpg?{n}") for n in range(40)]
        run = Run(tmp_path, site, away + well, retry=RetryPolicy(max_attempts=1))
        task = asyncio.create_task(run.run(60))
        await eventually(lambda: len(run.ends(End.READY)) == 40)
        assert not run.ends(End.REJECTED)
        assert sum(request.target == "/hang" for request in site.requests) <= 4
        task.cancel()
        await asyncio.wait([task])


async def test_a_sink_that_waits_is_felt_at_the_source(tmp_path: Path):
    async with Site({"/a.jpg": answer(jpeg())}) as site:
        urls = [on("a.test", site, f"/a.jpg?{n}") for n in range(400)]
        run = Run(tmp_path, site, urls)
        run.is_open.clear()
        task = asyncio.create_task(run.run(60))
        await eventually(lambda: run.pipeline is not None and run.pipeline._batches.is_full())
        asked = len(site.requests)
        await asyncio.sleep(0.3)
        # One batch at the sink, one behind it, and what was under way when that was full.
        most = 2 * BATCH.rows + SCHEDULE.total + 4 * 2
        assert len(site.requests) <= most, (asked, len(site.requests))
        run.is_open.set()
        await task
    assert len(run.results) == 400


async def test_a_group_that_is_dropped_comes_back_untried(tmp_path: Path):
    held = asyncio.Event()

    async def handle(exchange) -> None:
        await held.wait()
        await answer(jpeg())(exchange)

    async with Site({"/a.jpg": handle}) as site:
        run = Run(tmp_path, site, [on("a.test", site, f"/a.jpg?{n}") for n in range(20)])
        task = asyncio.create_task(run.run(60))
        await eventually(lambda: len(site.requests) == 4)
        assert run.pipeline is not None
        run.pipeline.drop("g1")
        await eventually(lambda: len(run.ends(End.RELEASED)) == 8)
        held.set()
        await task
    assert len(run.ends(End.READY)) == 20
    assert all(one.outcome is None for [one] in run.ends(End.RELEASED).values())


@pytest.mark.parametrize("body_bytes", [1, 20_000])
async def test_bodies_stay_within_their_memory(tmp_path: Path, body_bytes: int):
    async with Site({"/a.jpg": answer(jpeg())}) as site:
        urls = [on(f"h{n % 5}.test", site, f"/a.jpg?{n}") for n in range(60)]
        run = Run(tmp_path, site, urls, body_bytes=body_bytes)
        most = 0

        def watch(data: bytes, limits):
            nonlocal most
            assert run.pipeline is not None
            most = max(most, run.pipeline._budget.held_bytes)
            return verify(data, limits)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("server.pipeline.pipeline.verify", watch)
            await run.run()
    assert len(run.ends(End.READY)) == 60
    assert 0 < most <= body_bytes


async def test_the_rate_is_that_of_the_last_seconds(tmp_path: Path):
    async with Site({"/a.jpg": answer(jpeg())}) as site:
        run = Run(tmp_path, site, [on("a.test", site, f"/a.jpg?{n}") for n in range(10)])
        await run.run()
        assert run.pipeline is not None
        assert 0 < run.pipeline.rate_per_s <= 10
