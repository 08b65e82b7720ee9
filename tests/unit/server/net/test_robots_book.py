"""How a robots.txt is had: once for each site, by the guarded way, and in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from server.net import robots_book
from server.net.fetch import Fetcher
from server.net.limits import FetchLimits, RobotsTxt
from server.net.outcome import Outcome
from server.net.robots import FORBIDDEN, NOT_FOR_TRAINING
from server.net.robots_book import MAX_BYTES, RobotsBook
from server.reasons import Reason
from tests.support.app import eventually
from tests.support.fetching import BODY, LIMITS, FixedResolver
from tests.support.site import (
    Exchange,
    Handler,
    Site,
    answer,
    drip,
    hang,
    head,
    raw,
    redirect,
    reset,
)

HEEDING = replace(LIMITS, robots_txt=RobotsTxt.NAMED)
NOT_US = answer(b"User-agent: bowerbird\nDisallow: /\n")


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(HEEDING) as opened:
        yield opened


def book(fetcher: Fetcher) -> RobotsBook:
    assert fetcher._robots is not None
    return fetcher._robots


async def test_a_site_is_asked_once_and_the_image_follows_on_the_same_connection(
    fetcher: Fetcher, site: Site
):
    for _ in range(3):
        assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY
    (request,) = site.robots_requests
    assert request.headers["accept"].startswith("text/plain")
    assert request.headers["user-agent"].startswith("Bowerbird/")
    assert (len(site.requests), site.connections) == (3, 1)


async def test_who_forbids_us_is_not_asked_for_images(fetcher: Fetcher, site: Site):
    site.routes["/robots.txt"] = NOT_US
    outcome = await fetcher.fetch(site.url("/good.jpg"))
    assert (outcome.reason, outcome.detail) == (Reason.OPT_OUT, FORBIDDEN)
    assert (outcome.http_status, outcome.final_url, site.requests) == (None, None, [])


@pytest.mark.parametrize(
    "changes", [{"robots_txt": RobotsTxt.OFF}, {"respect_opt_out": False}], ids=str
)
async def test_it_can_be_overruled_and_then_is_not_asked_for(site: Site, changes):
    site.routes["/robots.txt"] = NOT_US
    async with Fetcher(replace(HEEDING, **changes)) as fetcher:
        assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY
    assert site.robots_requests == []


async def test_a_crawlers_rules_are_heeded_when_asked_to(site: Site):
    site.routes["/robots.txt"] = answer(b"User-agent: *\nDisallow: /")
    async with Fetcher(HEEDING) as fetcher:
        assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY
    async with Fetcher(replace(HEEDING, robots_txt=RobotsTxt.ALL)) as fetcher:
        assert (await fetcher.fetch(site.url("/good.jpg"))).reason is Reason.OPT_OUT


async def test_each_site_of_a_redirect_is_heeded(fetcher: Fetcher, site: Site):
    routes = {"/robots.txt": answer(b"User-agent: *\nContent-Signal: ai-train=no")}
    async with Site(routes) as other:
        site.routes["/away"] = redirect(other.url("/good.jpg"))
        outcome = await fetcher.fetch(site.url("/away"))
        assert (outcome.reason, outcome.detail) == (Reason.OPT_OUT, NOT_FOR_TRAINING)
        assert (outcome.redirects, other.requests) == (1, [])


UNAVAILABLE: dict[str, Handler] = {
    "missing": answer(b"no", status="404 Not Found"),
    "forbidden": answer(b"User-agent: bowerbird\nDisallow: /", status="403 Forbidden"),
    "broken": answer(b"User-agent: bowerbird\nDisallow: /", status="500 Oops"),
    "partial": answer(b"User-agent: bowerbird\nDisallow: /", status="206 Partial Content"),
    "empty": answer(b""),
    "page": answer(b"<!doctype html><title>User-agent: bowerbird</title>"),
    "compressed": answer(b"User-agent: bowerbird\nDisallow: /", "Content-Encoding: gzip"),
    "reset": reset,
    "hang-up": raw(b""),
    "not-http": raw(b"HELLO\r\n\r\n"),
    "cut": raw(head("200 OK", "Content-Length: 99") + b"User-agent: bowerbird\nDisallow: /"),
    "headers": raw(head("200 OK", f"X: {'x' * 9000}") + b"User-agent: bowerbird\nDisallow: /"),
    "slow": drip(head("200 OK", "Content-Length: 99"), b"#", 0.05),
    "hang": hang,
    "loop": redirect("/robots.txt"),
    "to-a-file": redirect("file:///etc/passwd"),
    "inward": redirect("http://169.254.169.254/latest"),
    "nowhere": answer(b"", status="302 Found"),
}


@pytest.mark.parametrize("name", UNAVAILABLE)
async def test_what_cannot_be_had_asks_for_nothing(monkeypatch, name: str, site: Site):
    monkeypatch.setattr(robots_book, "TOTAL_S", 0.4)
    site.routes["/robots.txt"] = UNAVAILABLE[name]
    async with Fetcher(HEEDING) as fetcher:
        for _ in range(2):
            assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY
        # aiohttp asks once more, of its own, where the server hangs up before any answer.
        assert len(site.robots_requests) == {"loop": 6, "reset": 2, "hang-up": 2}.get(name, 1)
        assert len(book(fetcher)) == 1


async def test_redirects_are_followed_by_the_same_guard(fetcher: Fetcher, site: Site):
    site.routes |= {f"/{n}": redirect(f"/{n + 1}") for n in range(1, 5)}
    site.routes |= {"/robots.txt": redirect("/1"), "/5": NOT_US}
    assert (await fetcher.fetch(site.url("/good.jpg"))).reason is Reason.OPT_OUT
    site.routes["/5"] = redirect("/6")
    site.routes["/6"] = NOT_US
    async with Fetcher(HEEDING) as other:
        assert (await other.fetch(site.url("/good.jpg"))).body == BODY, "one too many"


async def test_no_more_is_read_than_500_kib_and_no_half_line(fetcher: Fetcher, site: Site):
    start = b"User-agent: bowerbird\n"
    filler = b"#" * 99 + b"\n"
    lines = filler * ((MAX_BYTES - len(start) - 20) // len(filler))
    room = MAX_BYTES - len(start) - len(lines)
    # The cap falls into the path: of "Disallow: /good.jpg-not" only "/good.jpg" would be left.
    cut = b"#" * (room - len(b"\nDisallow: /good.jpg")) + b"\nDisallow: /good.jpg-not\n"
    site.routes["/robots.txt"] = answer(start + lines + cut + filler * 9)
    assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY
    site.routes["/robots.txt"] = answer(start + b"Disallow: /good.jpg\n" + lines * 9)
    async with Fetcher(HEEDING) as other:
        assert (await other.fetch(site.url("/good.jpg"))).reason is Reason.OPT_OUT


def held(seen: asyncio.Event, then: Handler) -> Handler:
    """Return a handler that answers once it is told to."""

    async def handle(exchange: Exchange) -> None:
        await seen.wait()
        await then(exchange)

    return handle


async def test_who_comes_together_waits_for_one_answer(fetcher: Fetcher, site: Site):
    go = asyncio.Event()
    site.routes["/robots.txt"] = held(go, NOT_US)
    tasks = [asyncio.create_task(fetcher.fetch(site.url(f"/{n}.jpg"))) for n in range(20)]
    await eventually(lambda: len(site.robots_requests) == 1)
    tasks[0].cancel()  # who came first may leave: the others are answered all the same
    await asyncio.sleep(0)
    go.set()
    outcomes = await asyncio.gather(*tasks[1:])
    assert {outcome.reason for outcome in outcomes} == {Reason.OPT_OUT}
    assert (len(site.robots_requests), site.requests) == (1, [])
    assert tasks[0].cancelled()


async def test_sites_that_do_not_answer_hold_no_slot_of_the_others(site: Site):
    """More images of silent sites than there are slots, and fewer silent sites than that."""
    hosts = [f"silent{n}.test" for n in range(3)]
    async with Site({"/robots.txt": hang}) as silent:
        allowed = (f"127.0.0.1:{site.port}", *(f"{host}:{silent.port}" for host in hosts))
        limits = replace(HEEDING, concurrency=4, per_host=2, read_s=60.0, allowed_hosts=allowed)
        resolver = FixedResolver({host: [["127.0.0.1"]] for host in hosts})
        async with Fetcher(limits, resolver=resolver) as fetcher, asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(fetcher.fetch(silent.url(f"/{n}.jpg", host)))
                for host in hosts
                for n in range(5)
            ]
            await eventually(lambda: len(silent.robots_requests) == len(hosts))
            outcomes = [tasks.create_task(fetcher.fetch(site.url("/good.jpg"))) for _ in range(20)]
            await asyncio.wait(outcomes)
            assert [task.result().body for task in outcomes] == [BODY] * 20
            assert not any(task.done() for task in waiting)
            for task in waiting:
                task.cancel()


async def test_closing_ends_what_is_under_way(site: Site):
    site.routes["/robots.txt"] = hang
    async with Fetcher(HEEDING) as fetcher:
        task = asyncio.create_task(fetcher.fetch(site.url("/good.jpg")))
        await eventually(lambda: len(site.robots_requests) == 1)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
async def timed(fetcher: Fetcher) -> Callable[[float], None]:
    """Return what sets the clock of the book forward."""
    now = [0.0]
    book(fetcher)._clock = lambda: now[0]

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


async def test_what_is_known_is_asked_again_after_a_day(fetcher: Fetcher, site: Site, timed):
    site.routes["/robots.txt"] = NOT_US

    async def reason() -> Reason | None:
        outcome: Outcome = await fetcher.fetch(site.url("/good.jpg"))
        return outcome.reason

    assert await reason() is Reason.OPT_OUT
    site.routes["/robots.txt"] = answer(b"", status="503 Busy")
    timed(robots_book.KEPT_S - 1)
    assert await reason() is Reason.OPT_OUT
    timed(1)
    assert await reason() is None
    site.routes["/robots.txt"] = NOT_US
    timed(robots_book.FAILED_S - 1)
    assert await reason() is None
    timed(1)
    assert await reason() is Reason.OPT_OUT
    assert len(site.robots_requests) == 3


@pytest.mark.parametrize(
    ("name", "most"), [("MAX_SITES", 2), ("MAX_WEIGHT_BYTES", 2000)], ids=["sites", "weight"]
)
async def test_no_more_is_remembered_than_there_is_room_for(
    monkeypatch, name: str, most: int, site: Site
):
    monkeypatch.setattr(robots_book, name, most)
    site.routes["/robots.txt"] = NOT_US
    hosts = [f"{letter}.test" for letter in "abc"]
    limits = replace(HEEDING, allowed_hosts=tuple(f"{host}:{site.port}" for host in hosts))
    resolver = FixedResolver({host: [["127.0.0.1"]] for host in hosts})
    async with Fetcher(limits, resolver=resolver) as fetcher:
        for host in ("a.test", "b.test", "a.test", "c.test", "a.test", "b.test"):
            assert (await fetcher.fetch(site.url("/x", host))).reason is Reason.OPT_OUT
        assert len(book(fetcher)) == 2
        assert book(fetcher)._weight_bytes <= 2000
    asked = [request.headers["host"].partition(":")[0] for request in site.robots_requests]
    assert asked == ["a.test", "b.test", "c.test", "b.test"]


def test_limits_heed_what_names_us_by_default():
    assert FetchLimits().robots_txt is RobotsTxt.NAMED
