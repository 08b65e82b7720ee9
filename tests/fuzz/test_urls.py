"""Addresses by the thousand: parsing ends, in one form, and never hides where it leads."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from server.net.guard import refusal_of
from server.net.urls import BadUrlError, normalise, parse, resolve

pytestmark = pytest.mark.fuzz

PIECES = st.one_of(
    st.sampled_from(
        ["http://", "https://", "HTTP:", "//", "/", "\\", "@", ":", "%", "%2e", "%2F", "..", ".",
         "?", "#", "&", "=", "utm_source=x", "127.0.0.1", "0x7f", "1", "[::1]", "[", "]", "::ffff:",
         "①", "。", "xn--", "example.com", "ü", "\u00ad", "\u202e", "\ud800", "\0", " ", "\t", "\n",
         ":80", ":0", ":99999", "-", "_", "ß", "\u0130"]
    ),
    st.text(max_size=5),
)  # fmt: skip
URLS = st.lists(PIECES, max_size=12).map("".join) | st.lists(PIECES, max_size=12).map(
    lambda pieces: "http://" + "".join(pieces)
)


@given(URLS)
def test_parsing_gives_one_plain_form_or_its_error(url: str) -> None:
    try:
        parsed = parse(url)
    except BadUrlError:
        return
    assert re.fullmatch(r"[!-~]+", parsed.text)
    assert parse(parsed.text) == parsed
    # Other readers of addresses see the same host and port.
    for host, port in (
        (urlsplit(parsed.text).hostname, urlsplit(parsed.text).port),
        (URL(parsed.text, encoded=True).raw_host, URL(parsed.text, encoded=True).port),
        (URL(parsed.text).raw_host, URL(parsed.text).port),
    ):
        assert host == parsed.host
        assert port in (None, parsed.port)


@given(URLS)
def test_the_key_of_a_key_is_itself(url: str) -> None:
    try:
        key = normalise(url)
    except BadUrlError:
        return
    assert normalise(key) == key
    assert parse(key).host == parse(url).host


@given(URLS, st.text(max_size=40))
def test_redirects_lead_to_an_address_or_an_error(url: str, location: str) -> None:
    for place in (url, location):
        try:
            resolve(parse("http://example.com/a"), place)
        except BadUrlError:
            continue


@given(st.ip_addresses(v=4))
def test_ipv4_is_judged_alike_in_every_wrapping(address: ipaddress.IPv4Address) -> None:
    verdict = refusal_of(str(address))
    assert refusal_of(f"::ffff:{address}") == verdict
    assert refusal_of(f"64:ff9b::{address}") == verdict
    assert refusal_of(f"::{address}") is not None
    if not address.is_global:
        assert verdict is not None


@given(st.ip_addresses(v=6))
def test_ipv6_that_python_calls_local_is_refused(address: ipaddress.IPv6Address) -> None:
    if not address.is_global:
        assert refusal_of(str(address)) is not None


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    assert refusal_of(text) is None or isinstance(refusal_of(text), str)
