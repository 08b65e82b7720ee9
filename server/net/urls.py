"""Addresses of images: a strict parser for what is requested, and the key that finds duplicates.

May import the standard library and ``idna``. Every address that leaves this machine was made by
`parse`; there is no second parser downstream that could read the same text differently.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

import idna

# What common servers take as a request line (nginx: a line must fit in one 8 KiB buffer).
MAX_URL_CHARS: Final = 8192
_MAX_HOST_CHARS: Final = 253  # RFC 1035 section 2.3.4, without the root's dot
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

# RFC 3986 appendix B, cut to the two schemes; the authority ends at the first of "/?#".
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{0,5}))?")
# C0, DEL, C1, line and paragraph separators, lone surrogates.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Underscores and outer hyphens are not host names by RFC 1123, but exist among real image hosts.
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
# WHATWG URL, "ends in a number": such a host is an IPv4 address or an error, never a name.
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
# Everything that may stand in a path or query as it is: RFC 3986 pchar, "/", "?", and "%".
_NOT_IN_TARGET: Final = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})|%")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Parameters that say where a click came from and never which picture is meant.
_TRACKING: Final = re.compile(r"(?:utm_\w+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|igshid)(?:=|$)")


class BadUrlError(ValueError):
    """An address that is not requested: malformed, or of a kind that is never an image's."""


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """An address in the one form that is requested.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Lower-case ASCII name, canonical IPv4, or compressed IPv6 without brackets.
        port: 1 to 65535, the scheme's own when the address names none.
        target: Path and query, percent-encoded, starting with ``/``; escapes kept as given, since
            signed addresses are compared byte by byte.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def text(self) -> str:
        """The whole address, without a fragment and without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


def parse(url: str) -> ParsedUrl:
    """Read an address strictly.

    Args:
        url: An absolute address; outer spaces are ignored, as browsers do.

    Raises:
        BadUrlError: Not http(s), over 8,192 characters, control characters, a user name or
            password, a host that is no name and no canonical address, a port outside 1 to 65535.
    """
    text = url.strip(" ")
    if len(text) > MAX_URL_CHARS:
        raise BadUrlError(f"the address is longer than {MAX_URL_CHARS} characters")
    if _FORBIDDEN.search(text):
        raise BadUrlError("the address holds control characters")
    match = _URL.fullmatch(text)
    if match is None:
        raise BadUrlError("the address does not start with http:// or https://")
    scheme = match["scheme"].lower()
    host, port = _parse_authority(match["authority"], DEFAULT_PORTS[scheme])
    target = _encode(match["path"] or "/")
    if match["query"] is not None:
        target += "?" + _encode(match["query"])
    parsed = ParsedUrl(scheme, host, port, target)
    if len(parsed.text) > MAX_URL_CHARS:
        raise BadUrlError(f"the address is longer than {MAX_URL_CHARS} characters once encoded")
    return parsed


def resolve(base: ParsedUrl, location: str) -> ParsedUrl:
    """Read where a redirect leads.

    Args:
        base: The address that answered.
        location: Its ``Location``; raw bytes beyond ASCII as aiohttp gives them (surrogates).

    Raises:
        BadUrlError: As `parse`.
    """
    try:
        raw = location.encode("utf-8", "surrogateescape").decode("latin-1")
        joined = urljoin(base.text, _NOT_ASCII.sub(lambda match: f"%{ord(match[0]):02X}", raw))
    except ValueError as error:  # urllib: brackets that hold no IPv6 address
        raise BadUrlError(f"the redirect cannot be read: {error}") from error
    return parse(joined)


def normalise(url: str) -> str:
    """Return the key under which two spellings of one address are one image.

    Lower-case scheme and host, default port, fragment and tracking parameters dropped, dot
    segments resolved, escapes in their one form. Order and case of everything else count.
    ``normalise(normalise(url)) == normalise(url)``.

    Raises:
        BadUrlError: As `parse`.
    """
    parsed = parse(url)
    path, _, query = parsed.target.partition("?")
    path = _without_dot_segments(_ESCAPE.sub(_one_form, path))
    parts = _ESCAPE.sub(_one_form, query).split("&")
    kept = "&".join(part for part in parts if part and not _TRACKING.match(part))
    target = f"{path}?{kept}" if kept else path
    return ParsedUrl(parsed.scheme, parsed.host, parsed.port, target).text


def parse_host(host: str) -> str:
    """Return a host as `ParsedUrl.host` holds it.

    Args:
        host: A name in any script, an IPv4 address, or an IPv6 address in brackets.

    Raises:
        BadUrlError: When it is none of these, or an address in disguise (``0x7f.1``, ``①.⓪.⓪.①``).
    """
    if host.startswith("["):
        return _parse_ipv6(host[1:-1] if host.endswith("]") else "")
    name = host.lower()
    if not name.isascii():
        name = _to_ascii(name)
    if not name.endswith(".."):
        name = name.removesuffix(".")  # the root's dot: the same host
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _parse_ipv4(host)
    if len(name) > _MAX_HOST_CHARS or not all(map(_LABEL.fullmatch, labels)):
        raise BadUrlError("the address has no proper host name")
    return name


def host_of(url: str | None) -> str | None:
    """Return the host of an address as `ParsedUrl.host` holds it; None when there is none."""
    try:
        return None if url is None else parse(url).host
    except BadUrlError:
        return None


def _parse_authority(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise BadUrlError("the address carries a user name or a password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise BadUrlError("the address has no proper host and port")
    port = int(match["port"]) if match["port"] else default_port
    if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of TCP ports
        raise BadUrlError(f"there is no port {port}")
    return parse_host(match["host"]), port


def _parse_ipv6(text: str) -> str:
    # A zone id names an interface of this machine: never an address on the web.
    try:
        if "%" not in text:
            return ipaddress.IPv6Address(text).compressed
    except ValueError as error:
        raise BadUrlError("the brackets hold no IPv6 address") from error
    raise BadUrlError("the IPv6 address carries a zone")


def _parse_ipv4(text: str) -> str:
    # The text as written must already be the canonical form: other programs read 127.1, 0177.0.0.1,
    # 2130706433 or full-width digits as addresses too, each in its own way.
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise BadUrlError("the host is a number but no plain IPv4 address") from error


def _to_ascii(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise BadUrlError("the host name cannot be written in ASCII (IDNA)") from error


def _encode(text: str) -> str:
    return _NOT_IN_TARGET.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8")), text
    )


def _one_form(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None:
        return "%25"  # a stray "%": encoded, or what follows it could turn into an escape
    character = chr(int(digits, 16))
    return character if character in _UNRESERVED else f"%{digits.upper()}"


def _without_dot_segments(path: str) -> str:
    # RFC 3986 section 5.2.4; empty segments count, as servers see them.
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
