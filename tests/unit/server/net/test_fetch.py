"""Fetch against a hostile site: each fault ends in its reason, and touches nothing else."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
from dataclasses import replace

import pytest

from server.net.fetch import Fetcher
from server.reasons import Reason
from tests.support.fetching import BODY, LIMITS
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


async def test_a_picture_comes_whole(site: Site, fetcher: Fetcher) -> None:
    outcome = await fetcher.fetch(site.url("/good.jpg#top"))
    assert outcome.reason is None
    assert outcome.body == BODY
    assert outcome.http_status == 200
    assert outcome.content_type == "image/jpeg"
    assert outcome.final_url == site.url("/good.jpg")
    assert outcome.redirects == 0
    assert outcome.detail == ""
    assert 0 < outcome.seconds < LIMITS.total_s


async def test_the_request_says_who_asks_and_nothing_more(site: Site) -> None:
    async with Fetcher(replace(LIMITS, contact="someone@example.org")) as fetcher:
        await fetcher.fetch(site.url("/good.jpg?a=%2F&b=ü"))
    (request,) = site.requests
    assert request.target == "/good.jpg?a=%2F&b=%C3%BC"
    assert request.headers["user-agent"].startswith("Bowerbird/")
    assert request.headers["user-agent"].endswith("(+someone@example.org)")
    assert request.headers["accept-encoding"] == "identity"
    assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding"}


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


OK = "200 OK"


async def bad_chunk_late(exchange: Exchange) -> None:
    await exchange.send(head(OK, "Transfer-Encoding: chunked") + chunked(BODY))
    await asyncio.sleep(0.05)
    await exchange.send(b"zz\r\nabc\r\n")


async def reset_in_body(exchange: Exchange) -> None:
    await exchange.send(head(OK, "Content-Length: 1000") + BODY)
    await asyncio.sleep(0.05)
    exchange.reset()


FAULTS: dict[str, tuple[Handler, Reason]] = {
    "404": (answer(b"gone", status="404 Not Found"), Reason.HTTP_STATUS),
    "403": (answer(b"", status="403 Forbidden"), Reason.HTTP_STATUS),
    "429": (answer(b"", status="429 Too Many Requests"), Reason.HTTP_STATUS),
    "500": (answer(b"", status="500 Oh No"), Reason.HTTP_STATUS),
    "unknown status": (answer(b"", status="799 \x01odd"), Reason.HTTP_STATUS),
    "204": (raw(head("204 No Content")), Reason.HTTP_STATUS),
    "206": (answer(BODY, "Content-Range: bytes 0-9/99", status="206 Part"), Reason.HTTP_STATUS),
    "304": (raw(head("304 Not Modified")), Reason.HTTP_STATUS),
    "302 to nowhere": (answer(b"", status="302 Found"), Reason.HTTP_STATUS),
    "empty": (answer(b""), Reason.EMPTY),
    "empty, until close": (raw(head(OK, "Connection: close")), Reason.EMPTY),
    "shorter than its length": (
        raw(head(OK, "Content-Length: 1000") + BODY), Reason.TRUNCATED,
    ),
    "negative length": (raw(head(OK, "Content-Length: -5") + BODY), Reason.CONNECTION),
    "two lengths": (
        raw(head(OK, "Content-Length: 5", "Content-Length: 9") + BODY), Reason.CONNECTION,
    ),
    "no number of a length": (raw(head(OK, "Content-Length: 1e3") + BODY), Reason.CONNECTION),
    "announced too large": (raw(head(OK, "Content-Length: 100001")), Reason.TOO_LARGE),
    "announced absurdly large": (raw(head(OK, f"Content-Length: {10**30}")), Reason.CONNECTION),
    "endless body": (drip(head(OK), b"x" * 65_536, 0), Reason.TOO_LARGE),
    "endless chunks": (
        drip(head(OK, "Transfer-Encoding: chunked"), chunked(b"x" * 65_536), 0), Reason.TOO_LARGE,
    ),
    "bad chunk": (
        raw(head(OK, "Transfer-Encoding: chunked") + b"zz\r\nabc\r\n"), Reason.CONNECTION,
    ),
    "both lengths": (
        raw(head(OK, "Content-Length: 9", "Transfer-Encoding: chunked") + BODY), Reason.CONNECTION,
    ),
    "cut chunks": (
        raw(head(OK, "Transfer-Encoding: chunked") + chunked(BODY)), Reason.TRUNCATED,
    ),
    "gzip bomb": (
        answer(gzip.compress(bytes(10_000_000)), "Content-Encoding: gzip"),
        Reason.UNSUPPORTED_FORMAT,
    ),
    "brotli": (answer(BODY, "Content-Encoding: br"), Reason.UNSUPPORTED_FORMAT),
    "drip body": (drip(head(OK, "Content-Length: 90000"), b"x", 0.05), Reason.TIMEOUT),
    "drip headers": (drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.1), Reason.TIMEOUT),
    "interim answers for ever": (drip(b"", head("103 Early Hints"), 0.05), Reason.TIMEOUT),
    "hang": (hang, Reason.TIMEOUT),
    "hang in body": (drip(head(OK, "Content-Length: 9"), b"", 0.1), Reason.TIMEOUT),
    "reset": (reset, Reason.CONNECTION),
    "reset in the body": (reset_in_body, Reason.TRUNCATED),
    "hang up": (raw(b""), Reason.CONNECTION),
    "garbage": (raw(b"\x00\x01\x02 garbage\r\n\r\n"), Reason.CONNECTION),
    "garbage status": (raw(b"HTTP/1.1 2OO OK\r\n\r\n"), Reason.CONNECTION),
    "HTTP/0.9": (raw(b"<html>hello</html>"), Reason.CONNECTION),
    "long header": (raw(head(OK, "X: " + "y" * 20_000) + BODY), Reason.CONNECTION),
    "many headers": (
        raw(head(OK, *(f"X-{n}: y" for n in range(5_000))) + BODY), Reason.CONNECTION,
    ),
    "endless header": (drip(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 9_000, 0), Reason.CONNECTION),
    "opt-out": (answer(BODY, "X-Robots-Tag: noindex, NoAI"), Reason.OPT_OUT),
    "opt-out by usage": (answer(BODY, "Content-Usage: search=y, train-ai=n"), Reason.OPT_OUT),
    "opt-out by law": (answer(BODY, "tdm-reservation: 1"), Reason.OPT_OUT),
    "redirect to a file": (redirect("file:///etc/passwd"), Reason.BAD_URL),
    "redirect to ftp": (redirect("ftp://127.0.0.1/a.jpg"), Reason.BAD_URL),
    "redirect to data": (redirect("data:image/png;base64,AAAA"), Reason.BAD_URL),
    "redirect to ws": (redirect("ws://127.0.0.1/"), Reason.BAD_URL),
    "redirect with a user name": (redirect("http://u:p@127.0.0.1/"), Reason.BAD_URL),
    "redirect to a hex host": (redirect("http://0x7f000001/"), Reason.BAD_URL),
    "redirect to port 0": (redirect("http://127.0.0.1:0/"), Reason.BAD_URL),
    "redirect to broken brackets": (redirect("http://[1/"), Reason.BAD_URL),
    "redirect to metadata": (redirect("http://169.254.169.254/latest/"), Reason.BLOCKED_ADDRESS),
    "redirect to a private address": (redirect("//10.0.0.1/a.jpg"), Reason.BLOCKED_ADDRESS),
    "redirect to loopback by IPv6": (redirect("http://[::1]/"), Reason.BLOCKED_ADDRESS),
    "redirect to mapped loopback": (
        redirect("http://[::ffff:127.0.0.1]/"), Reason.BLOCKED_ADDRESS,
    ),
    "redirect to a mail server": (redirect("http://93.184.215.14:25/"), Reason.BLOCKED_ADDRESS),
    "redirect loop": (redirect("/fault"), Reason.TOO_MANY_REDIRECTS),
    "redirect to itself": (redirect(""), Reason.TOO_MANY_REDIRECTS),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_in_its_reason_and_touches_nothing_else(
    site: Site, fetcher: Fetcher, name: str
) -> None:
    handler, reason = FAULTS[name]
    site.routes["/fault"] = handler
    outcomes = await asyncio.gather(
        fetcher.fetch(site.url("/fault")), *(fetcher.fetch(site.url("/good.jpg")) for _ in range(3))
    )
    later = await fetcher.fetch(site.url("/good.jpg"))
    assert (outcomes[0].reason, outcomes[0].body) == (reason, None), outcomes[0]
    assert 0 < len(outcomes[0].detail) <= 300
    assert outcomes[0].detail.isprintable()
    assert outcomes[0].seconds < 3 * LIMITS.total_s
    assert [good.body for good in (*outcomes[1:], later)] == [BODY] * 4


async def test_a_bad_chunk_in_the_middle_is_over_in_time(site: Site, fetcher: Fetcher) -> None:
    # aiohttp 3.14 closes the connection and tells the reader nothing: the total limit ends it.
    site.routes["/fault"] = bad_chunk_late
    outcome = await fetcher.fetch(site.url("/fault"))
    assert outcome.reason in {Reason.TIMEOUT, Reason.CONNECTION, Reason.TRUNCATED}
    assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY


async def test_a_body_longer_than_its_length_does_not_poison_the_next(
    site: Site, fetcher: Fetcher
) -> None:
    proper = head("200 OK", f"Content-Length: {len(BODY)}") + BODY

    async def rest_comes_late(exchange: Exchange) -> None:
        await exchange.send(proper)
        await asyncio.sleep(0.05)
        await exchange.send(b"X" * 5_000)
        exchange.keep = True

    site.routes["/at-once.jpg"] = raw(proper + b"X" * 5_000, keep=True)
    site.routes["/late.jpg"] = rest_comes_late
    assert (await fetcher.fetch(site.url("/at-once.jpg"))).reason is Reason.CONNECTION
    assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY
    assert (await fetcher.fetch(site.url("/late.jpg"))).body == BODY
    await asyncio.sleep(0.2)  # the rest is now in the kept connection
    assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY


async def test_a_connection_that_went_well_is_kept(site: Site, fetcher: Fetcher) -> None:
    for _ in range(5):
        assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY
    assert site.connections == 1


async def test_cookies_are_not_kept(site: Site, fetcher: Fetcher) -> None:
    site.routes["/jar.jpg"] = answer(BODY, "Set-Cookie: id=1; Path=/")
    await fetcher.fetch(site.url("/jar.jpg"))
    await fetcher.fetch(site.url("/jar.jpg"))
    assert all("cookie" not in request.headers for request in site.requests)


async def test_redirects_are_followed_and_counted(site: Site, fetcher: Fetcher) -> None:
    for n in range(1, 6):
        site.routes[f"/{n}"] = redirect(f"/{n + 1}" if n < 5 else "../good.jpg?x=a b")
    outcome = await fetcher.fetch(site.url("/1"))
    assert outcome.body == BODY
    assert outcome.redirects == 5
    assert outcome.final_url == site.url("/good.jpg?x=a%20b")


async def test_a_sixth_redirect_is_one_too_many(site: Site, fetcher: Fetcher) -> None:
    for n in range(1, 8):
        site.routes[f"/{n}"] = redirect(f"/{n + 1}")
    outcome = await fetcher.fetch(site.url("/1"))
    assert outcome.reason is Reason.TOO_MANY_REDIRECTS
    assert len(site.requests) == 6


async def test_the_time_limit_is_over_all_redirects(site: Site, fetcher: Fetcher) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.3)
        await redirect("/slow")(exchange)

    site.routes["/slow"] = slow
    outcome = await fetcher.fetch(site.url("/slow"))
    assert outcome.reason is Reason.TIMEOUT


async def test_opt_out_can_be_overruled(site: Site) -> None:
    site.routes["/no.jpg"] = answer(BODY, "X-Robots-Tag: noai")
    async with Fetcher(replace(LIMITS, respect_opt_out=False)) as fetcher:
        assert (await fetcher.fetch(site.url("/no.jpg"))).body == BODY


@pytest.mark.parametrize(
    "url", ["", "a.jpg", "ftp://x/", "http://u@x/", "http://x/\r\nY: z", "\x00"]
)
async def test_a_bad_address_is_an_outcome(fetcher: Fetcher, url: str) -> None:
    outcome = await fetcher.fetch(url)
    assert outcome.reason is Reason.BAD_URL
    assert outcome.url == url
    assert outcome.http_status is None


async def test_a_refused_connection_is_an_outcome(fetcher: Fetcher) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        outcome = await fetcher.fetch(f"http://127.0.0.1:{port}/")
    assert outcome.reason is Reason.CONNECTION


async def test_cancelling_passes_through_and_frees_the_slot(site: Site) -> None:
    arrived = asyncio.Event()

    async def note_and_hang(exchange: Exchange) -> None:
        arrived.set()
        await hang(exchange)

    site.routes["/hang"] = note_and_hang
    async with Fetcher(replace(LIMITS, per_host=1, concurrency=1)) as fetcher:
        task = asyncio.create_task(fetcher.fetch(site.url("/hang")))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await fetcher.fetch(site.url("/good.jpg"))).body == BODY


async def test_no_more_than_the_limit_reach_a_host_at_once(site: Site) -> None:
    at_once = itertools.count()
    running: set[int] = set()
    most = 0

    async def measured(exchange: Exchange) -> None:
        nonlocal most
        number = next(at_once)
        running.add(number)
        most = max(most, len(running))
        await asyncio.sleep(0.05)
        running.discard(number)
        await answer(BODY)(exchange)

    site.routes["/m.jpg"] = measured
    async with Fetcher(replace(LIMITS, per_host=3, total_s=5.0)) as fetcher:
        outcomes = await asyncio.gather(*(fetcher.fetch(site.url("/m.jpg")) for _ in range(12)))
    assert [outcome.body for outcome in outcomes] == [BODY] * 12
    assert most == 3


@pytest.mark.slow
async def test_waiting_for_a_slot_costs_no_time_of_the_address(site: Site) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.4)
        await answer(BODY)(exchange)

    site.routes["/slow.jpg"] = slow
    async with Fetcher(replace(LIMITS, per_host=1)) as fetcher:
        outcomes = await asyncio.gather(*(fetcher.fetch(site.url("/slow.jpg")) for _ in range(5)))
    assert [outcome.reason for outcome in outcomes] == [None] * 5


async def test_using_it_closed_is_an_error_of_the_caller() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Fetcher(LIMITS).fetch("http://127.0.0.1/")
