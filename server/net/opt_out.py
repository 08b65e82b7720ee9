"""What an answer's head asks of those who would train on its bytes. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from multidict import CIMultiDictProxy

# Source: DeviantArt's and ArtStation's "noai", "noimageai", which img2dataset honours by default.
_OPT_OUTS: Final = frozenset({"noai", "noimageai"})
_OUR_NAMES: Final = frozenset({"*", "bowerbird"})
# Directives with a value of their own: a colon after these names no robot.
# Source: the page "robots meta tag" of developers.google.com/search/docs.
_WITH_VALUE: Final = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)


def opt_out_of(headers: CIMultiDictProxy[str]) -> str | None:
    """Return which header of an answer asks that its bytes not be used for machine learning.

    Three are heeded: ``X-Robots-Tag`` with ``noai`` or ``noimageai``; ``Content-Usage`` with
    ``train-ai=n`` (draft-ietf-aipref-attach, draft-ietf-aipref-vocab); and ``TDM-Reservation`` with
    ``1`` (TDM Reservation Protocol, final report of its W3C community group), by which right
    holders in Europe reserve text and data mining (Directive (EU) 2019/790, Article 4).

    Args:
        headers: Of any answer that stands for the address.
    """
    if "X-Robots-Tag" in headers and says_opt_out(headers.getall("X-Robots-Tag")):
        return "X-Robots-Tag"
    if "Content-Usage" in headers:
        preferences = read_preferences(", ".join(headers.getall("Content-Usage")))
        if preferences.get("train-ai") == "n":
            return "Content-Usage"
    if headers.get("TDM-Reservation", "").strip() == "1":
        return "TDM-Reservation"
    return None


def says_opt_out(header_values: Iterable[str]) -> bool:
    """Tell whether any ``X-Robots-Tag`` header asks that the image not be used for AI.

    A value may begin with the robot that it is for (``otherbot: noai``); those for others are
    none of our business.
    """
    return any(_one_says_opt_out(value) for value in header_values)


def read_preferences(text: str) -> dict[str, str]:
    """Read ``train-ai=n, search=y``, the values of the last of equal names; parameters dropped.

    A dictionary of structured fields (RFC 9651) as far as tokens go: a value in quotes is no
    preference, whatever it holds.
    """
    found = {}
    for member in text.lower().split(","):
        name, equals, value = member.partition(";")[0].partition("=")
        if equals:
            found[name.strip()] = value.strip()
    return found


def _one_says_opt_out(value: str) -> bool:
    for_us = True
    for part in value.lower().split(","):
        name, colon, rest = part.partition(":")
        directive = part.strip()
        if colon and name.strip() not in _WITH_VALUE:
            for_us = name.strip() in _OUR_NAMES
            directive = rest.strip()
        if for_us and directive in _OPT_OUTS:
            return True
    return False
