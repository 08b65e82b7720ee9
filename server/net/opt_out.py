"""What a server asks of those who would train on its images (``X-Robots-Tag``). Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# Source: DeviantArt's and ArtStation's "noai", "noimageai", which img2dataset honours by default.
_OPT_OUTS: Final = frozenset({"noai", "noimageai"})
_OUR_NAMES: Final = frozenset({"*", "bowerbird"})
# Directives with a value of their own: a colon after these names no robot.
# Source: the page "robots meta tag" of developers.google.com/search/docs.
_WITH_VALUE: Final = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)


def says_opt_out(header_values: Iterable[str]) -> bool:
    """Tell whether any ``X-Robots-Tag`` header asks that the image not be used for AI.

    A value may begin with the robot that it is for (``otherbot: noai``); those for others are
    none of our business.
    """
    return any(_one_says_opt_out(value) for value in header_values)


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
