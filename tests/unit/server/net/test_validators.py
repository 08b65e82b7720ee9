"""Names of versions: which are relied on, and how a try with one ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from server.net.fetch import Fetcher
from server.net.outcome import Outcome
from server.net.validators import (
    MAX_ETAG_CHARS,
    UNCHANGED,
    Refusal,
    Validators,
    has_known_end,
    read_validators,
)
from server.reasons import Reason
from tests.support.fetching import BODY, LIMITS
from tests.support.site import Site, answer, head, raw, redirect

OLD = "Sun, 06 Nov 1994 08:49:37 GMT"
NOW = "Sun, 22 Nov 2026 10:00:00 GMT"
TAG = '"33a64df5"'
NAMED = Validators(TAG, OLD)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ETag": TAG}, Validators(TAG)),
        ({"etag": TAG, "last-modified": OLD, "date": NOW}, NAMED),
        ({"Last-Modified": OLD, "Date": NOW}, Validators(None, OLD)),
        ({"Last-Modified": OLD}, None),
        ({"Last-Modified": "Sun, 22 Nov 2026 09:59:01 GMT", "Date": NOW}, None),
        (
            {"Last-Modified": "Sun, 22 Nov 2026 09:59:00 GMT", "Date": NOW},
            Validators(None, "Sun, 22 Nov 2026 09:59:00 GMT"),
        ),
        ({"Last-Modified": "Sun, 22 Nov 2099 09:59:00 GMT", "Date": NOW}, None),
        ({"Last-Modified": "Sunday, 06-Nov-94 08:49:37 GMT", "Date": NOW}, None),
        ({"Last-Modified": "Sun, 31 Feb 1994 08:49:37 GMT", "Date": NOW}, None),
        ({"Last-Modified": "Sun, 06 Foo 1994 08:49:37 GMT", "Date": NOW}, None),
        ({"Last-Modified": OLD, "Date": "yesterday"}, None),
        ({"ETag": f"W/{TAG}"}, None),
        ({"ETag": f"W/{TAG}", "Last-Modified": OLD, "Date": NOW}, Validators(None, OLD)),
        ({"ETag": '""'}, None),
        ({"ETag": "33a64df5"}, None),
        ({"ETag": '"a b"'}, None),
        ({"ETag": '"a"b"'}, None),
        ({"ETag": '"ä"'}, None),
        ({"ETag": '"\udce4"'}, None),
        ({"ETag": f'"{"x" * (MAX_ETAG_CHARS - 2)}"'}, Validators(f'"{"x" * 254}"')),
        ({"ETag": f'"{"x" * (MAX_ETAG_CHARS - 1)}"'}, None),
        ({}, None),
    ],
)
def test_which_names_are_relied_on(headers: dict[str, str], expected: Validators | None):
    assert read_validators(CIMultiDict(headers)) == expected


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_relied_on_can_be_a_header(etag: str, modified: str, date: str):
    headers = CIMultiDict({"ETag": etag, "Last-Modified": modified, "Date": date})
    found = read_validators(headers)
    values = [] if found is None else [*found.request_headers().values()]
    for value in values:
        assert value.isascii()
        assert value.isprintable()
        assert 0 < len(value) <= MAX_ETAG_CHARS


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({"Content-Length": "9"}, True),
        ({"Transfer-Encoding": "Chunked"}, True),
        ({"Transfer-Encoding": "identity"}, False),
        ({}, False),
    ],
)
def test_a_body_that_ends_with_its_connection_may_be_a_part(headers: dict[str, str], known: bool):
    assert has_known_end(CIMultiDict(headers)) is known


NAMING = (f"ETag: {TAG}", f"Last-Modified: {OLD}", f"Date: {NOW}")


async def test_bytes_that_came_whole_have_their_name(fetcher: Fetcher, site: Site):
    chunked = head("200 OK", "Transfer-Encoding: chunked", *NAMING) + b"3\r\nabc\r\n0\r\n\r\n"
    site.routes |= {
        "/whole": answer(BODY, *NAMING),
        "/chunks": raw(chunked),
        "/empty": answer(b"", *NAMING),
        "/till-closed": raw(head("200 OK", *NAMING) + BODY),
        "/cut": raw(head("200 OK", "Content-Length: 1000", *NAMING) + BODY),
        "/large": answer(b"x" * (LIMITS.max_bytes + 1), *NAMING),
        "/gone": answer(b"gone", *NAMING, status="410 Gone"),
        "/noai": answer(BODY, "X-Robots-Tag: noai", *NAMING),
    }
    named = {path: (await fetcher.fetch(site.url(path))).validators for path in site.routes}
    assert {path for path, validators in named.items() if validators == NAMED} == {
        "/whole", "/chunks", "/empty",
    }  # fmt: skip
    assert [v for v in named.values() if v is not None] == [NAMED] * 3


def refusal(url: str, **changes: object) -> Refusal:
    made = Refusal(url, NAMED, Reason.TRUNCATED, "the end is missing", "rules")
    return replace(made, **changes)  # type: ignore[arg-type]


async def again(fetcher: Fetcher, url: str, known: Refusal) -> Outcome:
    return await fetcher.fetch(url, refusal=known)


async def test_unchanged_bytes_are_refused_as_before_and_are_not_sent(fetcher: Fetcher, site: Site):
    url = site.url("/a.jpg")
    site.routes["/a.jpg"] = answer(b"", f"ETag: {TAG}", status="304 Not Modified")
    known = refusal(url)
    for _ in range(2):
        outcome = await again(fetcher, url, known)
        assert (outcome.reason, outcome.http_status) == (Reason.TRUNCATED, 304)
        assert outcome.detail == f"{UNCHANGED}the end is missing"
        assert (outcome.body, outcome.received_bytes, outcome.final_url) == (None, 0, url)
        assert (outcome.is_unchanged, outcome.validators) == (True, NAMED)
        known = refusal(url, detail=outcome.detail)
    for request in site.requests:
        assert request.headers["if-none-match"] == TAG
        assert request.headers["if-modified-since"] == OLD
    assert site.connections == 1, "an answer without a body costs no connection"


async def test_other_bytes_are_taken_and_have_their_own_name(fetcher: Fetcher, site: Site):
    site.routes["/a.jpg"] = answer(BODY, 'ETag: "new"')
    outcome = await again(fetcher, site.url("/a.jpg"), refusal(site.url("/a.jpg")))
    assert (outcome.body, outcome.validators) == (BODY, Validators('"new"'))
    assert not outcome.is_unchanged


@pytest.mark.parametrize("is_known", [True, False])
async def test_nothing_can_be_unchanged_where_nothing_was_known(
    fetcher: Fetcher, site: Site, is_known: bool
):
    """A 304 to a request without condition: the address is another than the bytes came from."""
    site.routes["/a.jpg"] = answer(b"", status="304 Not Modified")
    known = refusal(site.url("/b.jpg")) if is_known else None
    outcome = await fetcher.fetch(site.url("/a.jpg"), refusal=known)
    assert (outcome.reason, outcome.detail) == (Reason.HTTP_STATUS, "HTTP 304 Not Modified")
    assert not outcome.is_unchanged
    assert "if-none-match" not in site.requests[0].headers


async def test_only_the_address_that_gave_a_name_hears_of_it(fetcher: Fetcher, site: Site):
    site.routes |= {
        "/start": redirect("/end"),
        "/end": answer(b"", status="304 Not Modified"),
        "/moved": redirect("/elsewhere"),
        "/elsewhere": answer(BODY),
    }
    same = await again(fetcher, site.url("/start"), refusal(site.url("/end")))
    assert (same.reason, same.redirects) == (Reason.TRUNCATED, 1)
    other = await again(fetcher, site.url("/moved"), refusal(site.url("/end")))
    assert other.body == BODY
    asked = {r.target: "if-none-match" in r.headers for r in site.requests}
    assert asked == {"/start": False, "/end": True, "/moved": False, "/elsewhere": False}


async def test_a_wish_beside_unchanged_counts(fetcher: Fetcher, site: Site):
    site.routes["/a.jpg"] = answer(b"", "X-Robots-Tag: noai", status="304 Not Modified")
    outcome = await again(fetcher, site.url("/a.jpg"), refusal(site.url("/a.jpg")))
    assert (outcome.reason, outcome.is_unchanged) == (Reason.OPT_OUT, False)
