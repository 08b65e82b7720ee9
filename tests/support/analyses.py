"""An analysis with something in every part, for cards, bundles and pages."""

from __future__ import annotations

from server.contract.analysis import (
    AbstentionTrials,
    Analysis,
    Bin,
    ClassNeed,
    Clue,
    CoveragePoint,
    CurvePoint,
    Finding,
    LearningCurve,
    Reliability,
    ScoreTrial,
    Shortcuts,
    Slice,
    Slices,
    TemperatureEffect,
)


def an_analysis() -> Analysis:
    """Return plausible figures."""
    return Analysis(
        reliability=_reliability(),
        learning_curve=_curve(),
        slices=Slices(basis="out-of-fold", rows=_slices()),
        shortcuts=Shortcuts(
            image_count=80,
            shuffles=200,
            clues=(
                Clue(
                    name="site", accuracy=0.9, chance=0.33, chance_limit=0.45, value_count=7,
                    is_shortcut=True,
                ),
                Clue(
                    name="border", accuracy=0.4, chance=0.33, chance_limit=0.45, value_count=3,
                    is_shortcut=False,
                ),
            ),
        ),
        abstention=AbstentionTrials(
            label="background",
            background_count=40,
            coverage=0.95,
            trials=(
                ScoreTrial(score="margin", auroc=0.9, passed=0.25, threshold=0.4),
                ScoreTrial(score="max_probability", auroc=0.85, passed=0.3, threshold=0.5),
            ),
            curve=(
                CoveragePoint(threshold=0.6, coverage=0.5, accuracy=0.99, passed=0.05),
                CoveragePoint(threshold=0.0, coverage=1.0, accuracy=0.9, passed=1.0),
            ),
        ),
        findings=(
            Finding(
                kind="healthy", text="Nothing looks wrong: 0.0 % are wrong.", numbers={"x": 0.0}
            ),
        ),
    )  # fmt: skip


def _reliability() -> Reliability:
    counts = (0, 0, 0, 4, 6, 8, 9, 12, 20, 41)
    bins = tuple(
        Bin(
            low=place / 10,
            high=(place + 1) / 10,
            count=count,
            confidence=place / 10 + 0.05 if count else None,
            accuracy=max(0.0, place / 10 - 0.03) if count else None,
        )
        for place, count in enumerate(counts)
    )
    effect = TemperatureEffect(
        calibration_error_before=0.151,
        calibration_error_after=0.079,
        log_loss_before=0.61,
        log_loss_after=0.52,
        folds=5,
    )
    return Reliability(bins=bins, effect=effect)


def _curve() -> LearningCurve:
    values = ((6, 0.25, 0.35, 0.3, 0.4), (12, 0.5, 0.2, 0.15, 0.25), (24, 1.0, 0.1, 0.1, 0.1))
    points = tuple(
        CurvePoint(
            train_count=count, ratio=ratio, error_rate=rate, lowest=low, highest=high,
            log_loss=2 * rate,
        )
        for count, ratio, rate, low, high in values
    )  # fmt: skip
    needs = (
        ClassNeed(label="blue", train_count=5, log_loss_rise=0.12),
        ClassNeed(label="red", train_count=12, log_loss_rise=-0.01),
    )
    return LearningCurve(points=points, needs=needs)


def _slices() -> tuple[Slice, ...]:
    return (
        Slice(
            dimension="site", value="good.example", count=60, error_rate=0.05,
            error_rate_interval=(0.01, 0.14), is_worse=False,
        ),
        Slice(
            dimension="site", value="bad.example", count=20, error_rate=0.5,
            error_rate_interval=(0.3, 0.7), is_worse=True,
        ),
        Slice(
            dimension="size", value="below 200 px", count=16, error_rate=0.25,
            error_rate_interval=(0.1, 0.5), is_worse=False,
        ),
    )  # fmt: skip
