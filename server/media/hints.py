"""What may be wrong with a picture, from its measures: hints for a person, never a verdict.

Pure: the limits, and which of them a picture is beyond. Images are listed by the same limits in
SQL, so each is one measure beside one number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.media.quality import Quality


class HintName(StrEnum):
    """What may be wrong."""

    DARK = "dark"
    BRIGHT = "bright"
    BLURRY = "blurry"
    PLAIN = "plain"
    ODD_ASPECT = "odd-aspect"
    SMALL = "small"


class Measure(StrEnum):
    """What a limit is about: a measure of `Quality`, or of the size in pixels."""

    LUMA_P99 = "luma_p99"
    LUMA_P05 = "luma_p05"
    SHARPNESS = "sharpness"
    ENTROPY_BITS = "entropy_bits"
    ASPECT = "aspect"  # the longer side by the shorter one
    SHORT_SIDE_PX = "short_side_px"


@dataclass(frozen=True, slots=True)
class Limit:
    """Beyond which a measure is worth a hint.

    Attributes:
        is_lowest: The hint is for values below the threshold; else for those above.
    """

    measure: Measure
    threshold: float
    is_lowest: bool


# Of 542 photos of food, none is beyond the first three limits and 8 are plain: cut out on white.
LIMITS: Final = {
    # 99 of 100 pixels are in the darkest third: what a photo taken at night without a flash has.
    HintName.DARK: Limit(Measure.LUMA_P99, 0.32, is_lowest=True),
    # 95 of 100 pixels are near white: an empty page, or blown out.
    HintName.BRIGHT: Limit(Measure.LUMA_P05, 0.9, is_lowest=False),
    HintName.BLURRY: Limit(Measure.SHARPNESS, 5.0, is_lowest=True),
    HintName.PLAIN: Limit(Measure.ENTROPY_BITS, 3.0, is_lowest=True),
    # A square cut of it, as models see, shows less than a third: banners, strips, tall screenshots.
    HintName.ODD_ASPECT: Limit(Measure.ASPECT, 3.0, is_lowest=False),
    # A search engine's thumbnail rather than a picture: models look at some 224 pixels.
    HintName.SMALL: Limit(Measure.SHORT_SIDE_PX, 128, is_lowest=True),
}


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing that may be wrong.

    Attributes:
        score: The measure.
        threshold: What it is beyond.
    """

    name: HintName
    score: float
    threshold: float


def find_hints(quality: Quality | None, width_px: int, height_px: int) -> list[Hint]:
    """Return what may be wrong with a picture.

    Args:
        quality: Its measures, None while they are not known.
        width_px: In pixels.
        height_px: In pixels.
    """
    short, long = sorted((width_px, height_px))
    values: dict[Measure, float] = {Measure.ASPECT: long / short, Measure.SHORT_SIDE_PX: short}
    if quality is not None:
        values |= {
            Measure.LUMA_P99: quality.luma_p99,
            Measure.LUMA_P05: quality.luma_p05,
            Measure.SHARPNESS: quality.sharpness,
            Measure.ENTROPY_BITS: quality.entropy_bits,
        }
    return [
        Hint(name, values[limit.measure], limit.threshold)
        for name, limit in LIMITS.items()
        if limit.measure in values
        and (
            values[limit.measure] < limit.threshold
            if limit.is_lowest
            else values[limit.measure] > limit.threshold
        )
    ]
