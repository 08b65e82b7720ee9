"""Why an image was rejected: one closed list, used by fetch, verify, SQL and JSON alike.

Imports nothing of the project.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The reason of a ``rejected`` image; its text is what the API and the database hold."""

    HTTP_STATUS = "http-status"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    DNS = "dns"
    BLOCKED_ADDRESS = "blocked-address"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    TOO_LARGE = "too-large"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not-an-image"
    UNSUPPORTED_FORMAT = "unsupported-format"
    TRUNCATED = "truncated"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_SMALL = "too-small"
    OPT_OUT = "opt-out"
    BAD_URL = "bad-url"
