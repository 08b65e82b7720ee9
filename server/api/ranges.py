"""Parts of a file over HTTP: which bytes a request wants. Imports nothing of the project.

Source: RFC 9110, sections 13 and 14. One range is served; a request for several gets the whole,
as section 14.2 allows: nobody resumes a download in several places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Nineteen digits are more bytes than there are; longer numbers are not read.
_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """Bytes from ``start`` up to ``stop`` of a file; the whole when nothing else was wanted."""

    start: int
    stop: int
    is_part: bool = False


class UnsatisfiableError(Exception):
    """The range begins behind the end of the file."""


def wanted_span(headers: Mapping[str, str], length: int, etag: str) -> Span:
    """Return which bytes a request wants.

    Args:
        headers: Of the request, by lower-case name.
        length: Of the file.
        etag: Strong, of the file as it is.

    Raises:
        UnsatisfiableError: As that says.
    """
    whole = Span(0, length)
    match = _RANGE.fullmatch(headers.get("range", ""))
    if match is None or not any(match.groups()):
        return whole
    # A date is never ours, and a weak tag never equals: then the client holds something else.
    if headers.get("if-range", etag).strip() != etag:
        return whole
    first, last = match.groups()
    if not first:
        start, stop = max(0, length - int(last)), length
    else:
        start, stop = int(first), min(int(last) + 1 if last else length, length)
        if last and int(last) < int(first):
            return whole
    if start >= length:
        raise UnsatisfiableError
    return Span(start, stop, is_part=True)


def names_tag(header: str, etag: str) -> bool:
    """Tell whether ``If-None-Match`` names the tag: a list, compared weakly (section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or tags == {"*"}
