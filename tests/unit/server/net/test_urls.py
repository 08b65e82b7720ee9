"""Addresses: what is requested, in which one form, and which two are the same picture."""

from __future__ import annotations

import pytest

from server.net.urls import BadUrlError, host_of, normalise, parse, resolve

GOOD = {
    "http://example.com": "http://example.com/",
    "HTTP://EXAMPLE.com:80/A.jpg": "http://example.com/A.jpg",
    "https://example.com:443/": "https://example.com/",
    "https://example.com:80/": "https://example.com:80/",
    "http://example.com:/": "http://example.com/",
    "http://example.com:00080/": "http://example.com/",
    "http://example.com./a": "http://example.com/a",
    "  http://example.com/a.jpg  ": "http://example.com/a.jpg",
    "http://example.com/a b.jpg?q=c d": "http://example.com/a%20b.jpg?q=c%20d",
    "http://example.com/ü.jpg": "http://example.com/%C3%BC.jpg",
    "http://example.com/%2F%zz%": "http://example.com/%2F%zz%",
    "http://example.com/a?x=1#f": "http://example.com/a?x=1",
    "http://example.com?x=/#?": "http://example.com/?x=/",
    "http://example.com#f": "http://example.com/",
    "http://example.com/a?": "http://example.com/a?",
    "http://example.com/\\evil": "http://example.com/%5Cevil",
    "http://example.com/a@b:c": "http://example.com/a@b:c",
    "http://bücher.example/": "http://xn--bcher-kva.example/",
    "http://BÜCHER.example/": "http://xn--bcher-kva.example/",
    "http://аррӏе.com/": "http://xn--80ak6aa92e.com/",  # noqa: RUF001 - a homograph, shown as it is
    "http://under_score.-odd-.example/": "http://under_score.-odd-.example/",
    "http://1.1.1.1:8080/": "http://1.1.1.1:8080/",
    "http://[2606:4700::0001]:81/": "http://[2606:4700::1]:81/",
    "http://[::ffff:127.0.0.1]/": "http://[::ffff:7f00:1]/",  # for the guard to refuse
    "http://1.1.1.1.example/": "http://1.1.1.1.example/",
    "http://123.example/": "http://123.example/",
    "http://example.com/" + "a" * 8173: "http://example.com/" + "a" * 8173,
}

BAD = [
    "", " ", "a.jpg", "/a.jpg", "//example.com/a", "example.com", "http:", "http:/", "http://",
    "http:///a", "http:example.com", "http:/example.com", "ftp://example.com/", "file:///etc/passwd",
    "data:image/png;base64,AAAA", "ws://example.com/", "javascript:alert(1)", "blob:http://x/",
    "httpx://example.com", "http+unix://x/", "http\t://example.com", "http://exa\nmple.com",
    "http://example.com/\r\nX: y", "http://example.com/\0", "http://example.com/\x7f",
    "http://example.com/\x85", "http://example.com/\u2028", "http://example.com/\ud800",
    "http://user@example.com/", "http://user:secret@example.com/", "http://@example.com/",
    "http://example.com@127.0.0.1/", "http://a:b@c:d@e/", "http://example.com%40x/",
    "http://example.com\\@127.0.0.1/", "http://example.com\\.evil/", "http://exa mple.com/",
    "http://example.com:0/", "http://example.com:65536/", "http://example.com:99999/",
    "http://example.com:-1/", "http://example.com:8a/", "http://example.com:80:80/",
    "http://example.com:+80/", "http://example.com:\u0668\u0660/", "http://:80/",
    "http://.example.com/", "http://example..com/", "http://example.com../", "http://./",
    "http://../", "http://" + "a" * 64 + ".example/", "http://" + "a." * 127 + "example/",
    "http://exa%6Dple.com/", "http://127.0.0.1%2f.example/", "http://<script>/", "http://a,b/",
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/",
    "http://127.1/", "http://127.0.1/", "http://0/", "http://127.0.0.1./", "http://127.0.0.01/",
    "http://127.0.0.256/", "http://1.2.3.4.5/", "http://a.1/", "http://a.0x1/", "http://0x/",
    "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://\uff11\uff12\uff17.0.0.1/", "http://0X7F.1/",
    "http://[::1/", "http://::1/", "http://[]/", "http://[::g]/", "http://[1.2.3.4]/",
    "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1]x/", "http://x[::1]/",
    "http://[v1.x]/", "http://[::1]:/x:y@z/".replace("/x", "@"), "http://\u202ecom.evil/",
    "http://xn--\u00fc/", "http://\u00ad/", "http://example.com/" + "a" * 8174,
    "http://example.com/" + "a" * 65_536, "http://example.com/" + "ü" * 4000,
]  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_an_address_is_requested_in_one_form(url: str) -> None:
    parsed = parse(url)
    assert parsed.text == GOOD[url]
    assert parse(parsed.text) == parsed


@pytest.mark.parametrize("url", BAD)
def test_what_is_never_an_images_address_is_refused(url: str) -> None:
    with pytest.raises(BadUrlError):
        parse(url)
    with pytest.raises(BadUrlError):
        normalise(url)


def test_the_parts_are_those_of_the_address() -> None:
    parsed = parse("https://[2606:4700::1]/a?b#c")
    assert (parsed.scheme, parsed.host, parsed.port, parsed.target) == (
        "https", "2606:4700::1", 443, "/a?b",
    )  # fmt: skip


SAME = [
    ("http://example.com", "HTTP://EXAMPLE.COM:80/#x"),
    ("http://example.com/a.jpg", "http://example.com./a.jpg?"),
    ("http://example.com/a.jpg", "http://example.com/b/../a.jpg"),
    ("http://example.com/a.jpg", "http://example.com/./%61.jpg"),
    ("http://example.com/a.jpg", "http://example.com/b/%2e%2E/a.jpg"),
    ("http://example.com/a.jpg", "http://example.com/../../a.jpg"),
    ("http://example.com/b/", "http://example.com/b/."),
    ("http://example.com/", "http://example.com/b/.."),
    ("http://example.com/%C3%BC", "http://example.com/%c3%bc"),
    ("http://example.com/ü", "http://example.com/%C3%BC"),
    ("http://example.com/100%", "http://example.com/100%25"),
    ("http://example.com/a?x=1", "http://example.com/a?utm_source=x&x=1&utm_medium=y&fbclid=z"),
    ("http://example.com/a", "http://example.com/a?utm_source=x"),
    ("http://example.com/a", "http://example.com/a?%75tm_source=x"),
    ("http://example.com/a", "http://example.com/a?&&gclid"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_are_one_key(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


DIFFERENT = [
    ("http://example.com/a", "https://example.com/a"),
    ("http://example.com/a", "http://example.com/A"),
    ("http://example.com/a", "http://example.com/a/"),
    ("http://example.com/a", "http://example.com//a"),
    ("http://example.com/a", "http://example.com:8080/a"),
    ("http://example.com/a", "http://www.example.com/a"),
    ("http://example.com/a/b", "http://example.com/a%2Fb"),
    ("http://example.com/%252e", "http://example.com/%2e"),
    ("http://example.com/a?x=1&y=2", "http://example.com/a?y=2&x=1"),
    ("http://example.com/a?sig=Ab", "http://example.com/a?sig=ab"),
    ("http://example.com/a", "http://example.com/a?x"),
    ("http://example.com/a?utm=1", "http://example.com/a"),
    ("http://example.com/a?id=utm_x", "http://example.com/a"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_addresses_are_two_keys(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


LOCATIONS = {
    "/c": "http://example.com/c",
    "c?d": "http://example.com/a/c?d",
    "//other.org/c": "http://other.org/c",
    "https://other.org/c": "https://other.org/c",
    "http:///x/": "http://example.com/x/",  # as browsers: the same host
    "?x": "http://example.com/a/b?x",
    "": "http://example.com/a/b",
    "/\udcc3\udcbc.jpg": "http://example.com/%C3%BC.jpg",  # raw bytes, as aiohttp hands them on
    "/ü": "http://example.com/%C3%BC",
    "/a b": "http://example.com/a%20b",
    "/\\evil.org": "http://example.com/%5Cevil.org",
}


@pytest.mark.parametrize("location", LOCATIONS)
def test_redirects_are_read_from_where_they_stand(location: str) -> None:
    assert resolve(parse("http://example.com/a/b"), location).text == LOCATIONS[location]


@pytest.mark.parametrize(
    "location",
    ["http://[1/", "file:///etc/passwd", "ftp://x/", "mailto:x@y", "//u:p@h/",
     "http://0x7f.1/", "\ud800", "//bücher.example/", "javascript:1"],
)  # fmt: skip
def test_redirects_to_elsewhere_are_refused(location: str) -> None:
    with pytest.raises(BadUrlError):
        resolve(parse("http://example.com/a/b"), location)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Blog.Test:8080/x?y#z", "blog.test"),
        ("http://[2606:4700::0001]/", "2606:4700::1"),
        ("https://exämple.test/", "xn--exmple-cua.test"),
        ("https://user@a.test/", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
    ],
)
def test_the_host_of_an_address_or_none(url, host):
    assert host_of(url) == host
