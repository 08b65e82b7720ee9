"""Fetch against a hostile site: each fault ends in its reason, and touches nothing else."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from server.net import guard
from server.net.fetch import Fetcher, FetchLimits
from server.reasons import Reason
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

BODY = b"\xff\xd8 the bytes of a picture \xff\xd9"

# Small enough that a test of a limit takes a moment, large enough for a busy machine.
LIMITS = FetchLimits(
    max_bytes=100_000, total_s=1.0, connect_s=0.8, read_s=0.5, allowed_hosts=("127.0.0.1",)
)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site({"/good.jpg": answer(BODY, "Content-Type: Image/JPEG; charset=x")}) as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(LIMITS) as opened:
        yield opened


class FixedResolver(AbstractResolver):
    """Answers each name with the next of its lists of addresses; the last one stays."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError(socket.EAI_NONAME, "no such name")
        turns = self._answers[host]
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None


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


# Names, answers of DNS, rebinding


def resolved(site: Site, answers: dict[str, list[list[str]]], *allowed: str) -> Fetcher:
    return Fetcher(replace(LIMITS, allowed_hosts=allowed), resolver=FixedResolver(answers))


async def test_a_name_that_does_not_resolve_is_dns(site: Site) -> None:
    async with resolved(site, {}) as fetcher:
        outcome = await fetcher.fetch("http://nowhere.example/a.jpg")
    assert outcome.reason is Reason.DNS


async def test_the_systems_resolver_is_asked_by_default(fetcher: Fetcher) -> None:
    outcome = await fetcher.fetch("http://no-such-host.invalid/a.jpg")
    assert outcome.reason is Reason.DNS


@pytest.fixture
def open_port(site: Site, monkeypatch: pytest.MonkeyPatch) -> int:
    """The site's port, passed by the guard: so that the address alone decides."""
    monkeypatch.setattr(guard, "ALLOWED_PORTS", frozenset({site.port}))
    return site.port


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "169.254.169.254", "fe80::1"])
async def test_a_name_that_leads_inside_is_blocked(
    site: Site, open_port: int, address: str
) -> None:
    async with resolved(site, {"inside.example": [[address]]}) as fetcher:
        outcome = await fetcher.fetch(f"http://inside.example:{open_port}/good.jpg")
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert address in outcome.detail
    assert site.connections == 0


TRICKS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
    "017700000001", "127.0.0.1.", "127.000.000.001", "0", "0.0.0.0", "127.127.127.127",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]",  # noqa: RUF001 - the trick
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2001::7f00:1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%lo]",
    "localhost", "LOCALHOST", "localhost.", "user@127.0.0.1", "example.com@127.0.0.1",
    "example.com%40127.0.0.1", "%31%32%37.0.0.1", "127.0.0.1%2f.example.com",
    "127.0.0.1%00.example.com", "127.0.0.1\\.example.com", "example.com\\@127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", TRICKS)
@pytest.mark.parametrize("way", ["asked", "redirected"])
async def test_no_trick_of_writing_reaches_loopback(
    site: Site, open_port: int, host: str, way: str
) -> None:
    url = f"http://{host}:{open_port}/good.jpg"
    outside = Site({"/out": redirect(url)})
    async with outside, Fetcher(replace(LIMITS, allowed_hosts=(outside.authority,))) as fetcher:
        outcome = await fetcher.fetch(url if way == "asked" else outside.url("/out"))
    # What no parser takes for an address is a name, and fails as one.
    assert outcome.reason in {Reason.BLOCKED_ADDRESS, Reason.BAD_URL, Reason.DNS}
    assert site.connections == 0


async def test_an_exempt_name_may_lead_inside(site: Site) -> None:
    answers = {"pictures.example": [["127.0.0.1"]]}
    async with resolved(site, answers, f"pictures.example:{site.port}") as fetcher:
        outcome = await fetcher.fetch(site.url("/good.jpg", host="pictures.example"))
    assert outcome.body == BODY
    assert site.requests[0].headers["host"] == f"pictures.example:{site.port}"


async def test_an_exempt_literal_exempts_no_name_that_leads_to_it(site: Site) -> None:
    answers = {"sly.example": [["127.0.0.1"]]}
    async with resolved(site, answers, f"127.0.0.1:{site.port}") as fetcher:
        outcome = await fetcher.fetch(site.url("/good.jpg", host="sly.example"))
    assert outcome.reason is Reason.BLOCKED_ADDRESS
    assert site.connections == 0


@pytest.fixture
def loopback_is_public(open_port: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let 127.0.0.1 stand for a public address, the only one that tests can reach."""
    real = guard.refusal_of
    monkeypatch.setattr(guard, "refusal_of", lambda ip: None if ip == "127.0.0.1" else real(ip))
    return open_port


async def test_a_name_that_turns_inward_between_two_requests_is_blocked(
    site: Site, loopback_is_public: int
) -> None:
    site.routes["/once.jpg"] = answer(BODY, "Connection: close", keep=False)
    answers = {"rebind.example": [["127.0.0.1"], ["10.0.0.1"]]}
    async with resolved(site, answers) as fetcher:
        url = f"http://rebind.example:{loopback_is_public}/once.jpg"
        first = await fetcher.fetch(url)
        assert fetcher._session is not None
        fetcher._session.connector.clear_dns_cache()  # as its end of life would
        second = await fetcher.fetch(url)
    assert first.body == BODY
    assert second.reason is Reason.BLOCKED_ADDRESS
    assert site.connections == 1


async def test_of_mixed_answers_only_the_public_one_is_connected_to(
    site: Site, loopback_is_public: int
) -> None:
    answers = {"mixed.example": [["10.0.0.1", "::1", "127.0.0.1", "192.168.0.1"]]}
    async with resolved(site, answers) as fetcher:
        outcome = await fetcher.fetch(f"http://mixed.example:{loopback_is_public}/good.jpg")
    assert outcome.body == BODY


async def test_a_public_address_that_fails_is_no_refusal(loopback_is_public: int) -> None:
    answers = {"mixed.example": [["10.0.0.1", "127.0.0.1"]]}
    resolver = FixedResolver(answers)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        guard.ALLOWED_PORTS = frozenset({port})  # the fixture puts it back
        async with Fetcher(replace(LIMITS, allowed_hosts=()), resolver=resolver) as fetcher:
            outcome = await fetcher.fetch(f"http://mixed.example:{port}/")
    assert outcome.reason is Reason.CONNECTION


async def test_a_name_that_hangs_is_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang_up(*_: object, **__: object) -> list[object]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang_up)
    async with Fetcher(replace(LIMITS, connect_s=0.1)) as fetcher:
        outcome = await fetcher.fetch("http://slow.example/")
        released.set()
    assert outcome.reason is Reason.DNS
    assert "in 0.1 s" in outcome.detail


async def test_closing_leaves_no_thread_and_no_connection(site: Site) -> None:
    for _ in range(5):
        async with Fetcher(LIMITS) as fetcher:
            await fetcher.fetch(site.url("/good.jpg"))
            await fetcher.fetch("http://no-such-host.invalid/")
    await asyncio.sleep(0.1)
    assert site.open_now == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dns")]


async def test_a_redirect_from_an_exempt_host_inside_is_blocked(site: Site) -> None:
    async with Site({"/secret": answer(b"secret")}) as inner:
        site.routes["/out"] = redirect(inner.url("/secret"))
        async with Fetcher(replace(LIMITS, allowed_hosts=(site.authority,))) as fetcher:
            outcome = await fetcher.fetch(site.url("/out"))
        assert outcome.reason is Reason.BLOCKED_ADDRESS
        assert inner.connections == 0


async def test_many_at_once_never_mix_up_their_refusals(site: Site) -> None:
    answers = {f"in{n}.example": [[f"10.0.0.{n}"]] for n in range(40)}
    async with resolved(site, answers, site.authority) as fetcher:
        blocked, good = await asyncio.gather(
            asyncio.gather(*(fetcher.fetch(f"http://in{n}.example/") for n in range(40))),
            asyncio.gather(*(fetcher.fetch(site.url("/good.jpg")) for _ in range(40))),
        )
    assert [outcome.body for outcome in good] == [BODY] * 40
    for n, outcome in enumerate(blocked):
        assert outcome.reason is Reason.BLOCKED_ADDRESS
        assert f"10.0.0.{n} " in outcome.detail


# TLS


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and certificate for 127.0.0.1 that nobody vouches for, in one file."""
    path = tmp_path_factory.mktemp("tls") / "site.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
async def tls_site(self_signed: Path) -> AsyncIterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    async with Site({"/good.jpg": answer(BODY)}, ssl_context=context) as running:
        yield running


async def test_a_certificate_nobody_vouches_for_is_tls(tls_site: Site, fetcher: Fetcher) -> None:
    outcome = await fetcher.fetch(tls_site.url("/good.jpg"))
    assert outcome.reason is Reason.TLS
    assert tls_site.requests == []


async def test_a_trusted_certificate_is_taken(tls_site: Site, self_signed: Path) -> None:
    trusting = ssl.create_default_context(cafile=self_signed)
    async with Fetcher(LIMITS, ssl_context=trusting) as fetcher:
        assert (await fetcher.fetch(tls_site.url("/good.jpg"))).body == BODY


async def test_plain_http_on_a_tls_port_is_tls(fetcher: Fetcher) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await fetcher.fetch(f"https://127.0.0.1:{port}/")
    assert outcome.reason is Reason.TLS
