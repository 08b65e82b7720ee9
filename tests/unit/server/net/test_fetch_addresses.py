"""Where connections go: DNS, rebinding, every trick of writing an address, and TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.net import guard
from server.net.fetch import Fetcher
from server.reasons import Reason
from tests.support.fetching import BODY, LIMITS, FixedResolver
from tests.support.site import (
    Site,
    answer,
    redirect,
)


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
        assert fetcher._asking is not None
        fetcher._asking.session.connector.clear_dns_cache()  # as its end of life would
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
