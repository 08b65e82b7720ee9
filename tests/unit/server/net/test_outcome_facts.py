"""What an outcome tells beside body and reason: sizes, times, who asked to wait, what was left."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from server.net.fetch import Fetcher
from server.reasons import Reason
from tests.support.certificate import make_certificate
from tests.support.fetching import BODY, LIMITS
from tests.support.site import Site, answer, head, raw, redirect


async def test_sizes_and_times_are_told(fetcher: Fetcher, site: Site):
    before = datetime.now(UTC)
    outcome = await fetcher.fetch(site.url("/good.jpg"))
    assert outcome.received_bytes == outcome.declared_bytes == len(BODY)
    assert outcome.started_at is not None
    assert before <= outcome.started_at <= datetime.now(UTC)
    assert not outcome.is_downgraded


async def test_a_body_that_breaks_off_tells_how_far_it_came(fetcher: Fetcher, site: Site):
    site.routes["/cut.jpg"] = raw(head("200 OK", "Content-Length: 1000") + b"x" * 400)
    outcome = await fetcher.fetch(site.url("/cut.jpg"))
    assert (outcome.reason, outcome.declared_bytes) == (Reason.TRUNCATED, 1000)
    assert outcome.received_bytes <= 400


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_a_wish_to_be_left_alone_is_heard(fetcher: Fetcher, site: Site, status: str):
    site.routes["/busy"] = answer(b"", "Retry-After: 120", status=status)
    assert (await fetcher.fetch(site.url("/busy"))).retry_after_s == 120
    date = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    site.routes["/busy"] = answer(b"", f"Retry-After: {date}", status=status)
    waited = (await fetcher.fetch(site.url("/busy"))).retry_after_s
    assert waited is not None
    assert 3500 < waited <= 3600
    site.routes["/busy"] = answer(b"", "Retry-After: whenever", status=status)
    assert (await fetcher.fetch(site.url("/busy"))).retry_after_s is None


class FailingResolver(AbstractResolver):
    def __init__(self, code: int) -> None:
        self._code = code

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        raise OSError(self._code, "as told")

    async def close(self) -> None:
        return None


@pytest.mark.parametrize(
    ("code", "may_recover"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)]
)
async def test_a_name_that_is_unknown_just_now_is_told_from_one_that_is_not(
    code: int, may_recover: bool
):
    async with Fetcher(LIMITS, resolver=FailingResolver(code)) as fetcher:
        outcome = await fetcher.fetch("http://a.test/1.jpg")
    assert (outcome.reason, outcome.dns_may_recover) == (Reason.DNS, may_recover)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server that calls itself 127.0.0.1, and of who trusts it."""
    server, trusted = make_certificate(tmp_path)
    return server, ssl.create_default_context(cafile=str(trusted))


async def test_a_redirect_from_https_to_http_is_noted(site: Site, certificate):
    at_server, at_client = certificate
    routes = {
        "/down": redirect(site.url("/good.jpg")),
        "/stay": redirect("/good.jpg"),
        "/good.jpg": answer(BODY),
    }
    async with (
        Site(routes, ssl_context=at_server) as secure,
        Fetcher(LIMITS, ssl_context=at_client) as fetcher,
    ):
        down = await fetcher.fetch(secure.url("/down"))
        stay = await fetcher.fetch(secure.url("/stay"))
    assert (down.body, down.is_downgraded) == (BODY, True)
    assert (stay.body, stay.is_downgraded) == (BODY, False)


async def test_whoever_is_led_to_another_host_is_told_once_per_host(fetcher: Fetcher, site: Site):
    site.routes |= {"/same": redirect("/good.jpg")}
    site.routes |= {"/other": redirect(site.url("/good.jpg", "localhost"))}
    told: list[str] = []
    await fetcher.fetch(site.url("/same"), on_other_host=lambda: told.append("same"))
    await fetcher.fetch(site.url("/other"), on_other_host=lambda: told.append("other"))
    assert told == ["other"]
