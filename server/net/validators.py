"""What names one version of an address's bytes, so that a later try may ask for another alone.

May import ``server.reasons``. Pure. Source: RFC 9110, sections 8.8 and 13.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from server.reasons import Reason

# Servers make some 20 to 70 characters of a hash or of time and size. A longer one is left alone:
# cut, it would be another.
MAX_ETAG_CHARS: Final = 256
# ASCII alone: beyond it, the standard allows bytes that have no one meaning as text.
_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]{1,254}"')
# The one form of a date that servers may send since 1997; others are left alone.
_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
# A file may change twice within the second that its date tells, and clocks of one site differ.
# Source: RFC 9110 section 8.8.2.2 (60 s in its first edition, RFC 2616).
_SETTLED_S: Final = 60.0

UNCHANGED: Final = "unchanged since it was refused: "


@dataclass(frozen=True, slots=True)
class Validators:
    """What an answer calls the version of its bytes; at least one of the two.

    Attributes:
        etag: A strong entity tag with its quotes, printable ASCII, at most 256 characters. A weak
            one (``W/"…"``) says that two versions mean the same, not that they are the same bytes:
            a picture that was cut off and is whole now may carry it still.
        last_modified: ``Sun, 06 Nov 1994 08:49:37 GMT``; at least a minute before the answer.
    """

    etag: str | None = None
    last_modified: str | None = None

    def request_headers(self) -> dict[str, str]:
        """Return what asks for bytes of another version alone."""
        headers = {}
        if self.etag is not None:
            headers["If-None-Match"] = self.etag
        if self.last_modified is not None:
            headers["If-Modified-Since"] = self.last_modified
        return headers


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bytes that came whole and were refused; asked for again only if there are others by now.

    Attributes:
        url: Where they came from, after redirects: what names a version there means nothing
            elsewhere, and is nobody else's business.
        validators: What that answer called them.
        reason: Why they were refused.
        detail: The sentence that went with it.
        rules: Under which limits and by which decoders; under others they might pass.
    """

    url: str
    validators: Validators
    reason: Reason
    detail: str
    rules: str

    @property
    def unchanged_detail(self) -> str:
        """The sentence for a further try that found the same bytes; the same however often."""
        return UNCHANGED + self.detail.removeprefix(UNCHANGED)


def read_validators(headers: Mapping[str, str]) -> Validators | None:
    """Return what an answer calls the version of its bytes; None when that could mislead.

    Args:
        headers: Of a 200 whose body was received to its end; names in any case.
    """
    etag = headers.get("ETag")
    if etag is not None and not _STRONG_ETAG.fullmatch(etag):
        etag = None
    modified = headers.get("Last-Modified")
    if modified is not None and not _is_settled(modified, headers.get("Date")):
        modified = None
    if etag is None and modified is None:
        return None
    return Validators(etag, modified)


def has_known_end(headers: Mapping[str, str]) -> bool:
    """Tell whether a body that ended came whole.

    One without a length that is not in chunks ends with its connection: nobody can tell whether
    that was its own end.
    """
    if "Content-Length" in headers:
        return True
    return "chunked" in headers.get("Transfer-Encoding", "").lower()


def _is_settled(modified: str, date: str | None) -> bool:
    changed = _read_date(modified)
    answered = None if date is None else _read_date(date)
    if changed is None or answered is None:
        return False
    return (answered - changed).total_seconds() >= _SETTLED_S


def _read_date(text: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second = match.groups()
    try:
        return datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
    except (KeyError, ValueError):
        return None
