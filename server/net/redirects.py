"""Where an answer leads to, and how its body may be packed. May import ``server.net.urls``."""

from __future__ import annotations

from typing import Final

import aiohttp

from server.net.urls import ParsedUrl, resolve

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})  # RFC 9110 section 15.4
# Compressed bodies, which we do not ask for, are how 1 MB becomes 1 GB.
PLAIN_ENCODINGS: Final = frozenset({"", "identity", "none"})


def location_of(response: aiohttp.ClientResponse, target: ParsedUrl) -> ParsedUrl | None:
    """Return where an answer redirects to; None when it does not.

    Args:
        response: The answer.
        target: What was asked.

    Raises:
        BadUrlError: To no address that is requested.
    """
    if response.status not in _REDIRECTS:
        return None
    location = response.headers.get("Location")
    return None if location is None else resolve(target, location)
