"""What went wrong with a training, in words, each with the numbers that it rests on.

Pure functions of two values: the curves that a training drew, and the facts of its evaluation.
Every threshold has a name and a reason here. Overfitting means that the validation error got worse
again; a training loss below the validation loss is no sign of it. May import the contract.

Source of the readings of curves: Howard, lesson 2 of Practical Deep Learning for Coders (2019),
"things that can go wrong": learning rate too high or too low, too few epochs, too many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from server.contract.analysis import Finding, LearningCurve

# A model that knows nothing loses ln C. Twice that is worse than any start: steps overshoot.
EXPLODED_RATIO = 2.0
# Fall of the validation loss per epoch, over the last epochs, above which it is still falling fast:
# each three epochs more would take a seventh off it.
FAST_FALL_RATIO = 0.05
# Fall per epoch below which the curve has arrived. Between the two it falls slowly.
ARRIVED_RATIO = 0.003
# How far below the validation loss the training loss may be for the model to be learning still. It
# should be above, but the images of the two differ, and that alone moves their losses by 5 %.
STILL_LEARNING_RATIO = 0.95
# Share of the first validation loss that is still there. A training that had arrived at its best
# has lost more; one that fell slowly, and has not, was slow from the start.
SLOW_REMAINING_RATIO = 0.5
# Share of the training loss at the first look that is still there at the end of a fine-tuning that
# changed hardly anything: a fitted head leaves little to gain, but learning shows on the images
# learned from.
UNCHANGED_RATIO = 0.95
# ...unless that loss is next to nothing: as a share of ln C.
LEARNED_RATIO = 0.1
# How much worse than its best the validation error must have become, in errors of a hundred. The
# images are the same at each epoch, so the interval does not apply, but single images flip.
WORSE_AGAIN_POINTS = 0.02
# Looks that are averaged, so that a single good or bad one decides nothing.
SMOOTH_LOOKS = 3
MOST_NAMED_CLASSES = 3  # a sentence each; more are a matter of the table
# Training images of a class below which its features are an accident. Ten images a class got 56 %
# right where fifty got 74 %.
SMALL_CLASS_COUNT = 10
# ...and of the median class: where all are small, the dataset is, and not a class.
SMALL_CLASS_RATIO = 0.5
# Share of the error that halving the images adds, above which more images promise as much again.
STEEP_RATIO = 0.2
STEEP_POINTS = 0.02  # below it, the rise is two images of a hundred: luck
# Share of validation images that have a twin among the training images. Splits keep near-duplicates
# together, so there should be none; a few pass by chance.
LEAK_RATIO = 0.05
LEAK_COUNT = 3


@dataclass(frozen=True)
class Curves:
    """What a training drew, one value for each look, first to last; may hold infinity and NaN.

    Attributes:
        train_loss: Mean over the batches since the look before, in nats.
        valid_loss: At the look, in nats.
        valid_error_rate: At the look, 0..1.
        epochs: Passes over the training images at each look, rising; fractions too.
        is_from_fitted: Whether it began with a fitted head: then the first losses are low already,
            and what is left to gain is little.
    """

    train_loss: Sequence[float]
    valid_loss: Sequence[float]
    valid_error_rate: Sequence[float]
    epochs: Sequence[float]
    is_from_fitted: bool = False


@dataclass(frozen=True)
class Facts:
    """What the evaluation found.

    Attributes:
        train_counts: Training images by class.
        valid_count: Validation images.
        error_rate: On them, 0..1.
        error_rate_interval: 95 %.
        baselines: Error rates by name.
        curve: Null when there were too few images.
        twin_count: Validation images with a twin among the training images.
    """

    train_counts: Mapping[str, int]
    valid_count: int
    error_rate: float
    error_rate_interval: tuple[float, float]
    baselines: Mapping[str, float]
    curve: LearningCurve | None = None
    twin_count: int = 0


def diagnose(facts: Facts, curves: Curves | None = None) -> tuple[Finding, ...]:
    """Return what is wrong, causes before consequences; or one finding, ``healthy``.

    Args:
        facts: Of the evaluation.
        curves: None for a training that draws none.
    """
    found = [
        *(_of_curves(curves, len(facts.train_counts)) if curves else ()),
        *_leakage(facts),
        *_small_classes(facts),
        *_little_data(facts),
        *_baseline(facts),
    ]
    return tuple(found) or (_healthy(facts),)


def _of_curves(curves: Curves, class_count: int) -> Iterator[Finding]:
    exploded = _exploded(curves, class_count)
    if exploded is not None:
        yield exploded
        return  # nothing else can be read off such curves
    if len(curves.valid_loss) > SMOOTH_LOOKS:
        yield from _overfitting(curves)
    yield from _unfinished(curves, class_count)


def _exploded(curves: Curves, class_count: int) -> Finding | None:
    start = math.log(class_count)
    losses = [*curves.train_loss, *curves.valid_loss]
    broken = [loss for loss in losses if not math.isfinite(loss)]
    last = curves.train_loss[-1]
    highest = max((loss for loss in losses if math.isfinite(loss)), default=start)
    if not broken and last <= EXPLODED_RATIO * start:
        return None
    shown = "no number any more" if not math.isfinite(last) else f"{last:.2f}"
    return Finding(
        kind="learning-rate-too-high",
        text=f"The learning rate is too high: the loss exploded. A model that knows nothing loses "
        f"{start:.2f}; the training loss reached {highest:.3g} and ended at {shown}. "
        "Divide the learning rate by ten.",
        numbers={"start_loss": start, "highest_loss": highest, "epochs": curves.epochs[-1]},
    )


def _fall_per_epoch(losses: Sequence[float], epochs: Sequence[float]) -> float:
    """Return the share that the loss fell by in an epoch, over the last looks; below 0: it rose."""
    steps = min(SMOOTH_LOOKS, len(losses) - 1)
    if steps == 0 or losses[-1 - steps] <= 0:
        return 0.0
    passed = epochs[-1] - epochs[-1 - steps]
    return float(1 - max(0.0, losses[-1] / losses[-1 - steps]) ** (1 / passed))


def _unfinished(curves: Curves, class_count: int) -> Iterator[Finding]:
    """Say that the loss was still falling when the training ended: slowly, or fast."""
    fall = _fall_per_epoch(curves.valid_loss, curves.epochs)
    train, valid, epochs = curves.train_loss[-1], curves.valid_loss[-1], curves.epochs[-1]
    remaining = valid / curves.valid_loss[0] if curves.valid_loss[0] > 0 else 0.0
    numbers = {
        "fall_per_epoch": fall,
        "train_loss": train,
        "valid_loss": valid,
        "remaining_ratio": remaining,
        "epochs": epochs,
    }
    # The training loss is the mean over an epoch, the validation loss is of its end: while the
    # model learns, the first lies above the second.
    beside = "above" if train > valid else "hardly below"
    is_learning_still = train > STILL_LEARNING_RATIO * valid
    if fall >= FAST_FALL_RATIO and is_learning_still:
        yield Finding(
            kind="too-few-epochs",
            text=f"Too few epochs: after {_epoch(epochs)} the validation loss was still falling by "
            f"{_percent(fall, 0)} an epoch, to {valid:.3f}, and the training loss "
            f"({train:.3f}) was {beside} it. Train for longer.",
            numbers=numbers,
        )
    elif curves.is_from_fitted:
        yield from _unchanged(curves, class_count)
    elif fall >= ARRIVED_RATIO and remaining > SLOW_REMAINING_RATIO and is_learning_still:
        yield Finding(
            kind="learning-rate-too-low",
            text=f"The learning rate is too low: in {_epoch(epochs)} epochs the validation loss "
            f"fell from {curves.valid_loss[0]:.3f} to {valid:.3f} only, at the end by "
            f"{_percent(fall)} an epoch, and the training loss ({train:.3f}) is {beside} it. "
            "Multiply the learning rate by ten.",
            numbers=numbers,
        )


def _unchanged(curves: Curves, class_count: int) -> Iterator[Finding]:
    """Say that a training that began with a fitted head has changed hardly anything."""
    first, last, epochs = curves.train_loss[0], curves.train_loss[-1], curves.epochs[-1]
    is_learned = last <= LEARNED_RATIO * math.log(class_count)
    if len(curves.train_loss) <= SMOOTH_LOOKS or last < UNCHANGED_RATIO * first or is_learned:
        return
    yield Finding(
        kind="learning-rate-too-low",
        text=f"The learning rate is too low: in {_epoch(epochs)} epochs the training loss went "
        f"from {first:.3f} to {last:.3f}, so fine-tuning changed hardly anything. Multiply the "
        "learning rate by ten.",
        numbers={"first_train_loss": first, "train_loss": last, "epochs": epochs},
    )


def _epoch(epochs: float) -> str:
    return f"{round(epochs, 1):g}"


def _overfitting(curves: Curves) -> Iterator[Finding]:
    errors = curves.valid_error_rate
    smooth = [
        fmean(errors[first : first + SMOOTH_LOOKS])
        for first in range(len(errors) - SMOOTH_LOOKS + 1)
    ]
    best = min(range(len(smooth)), key=smooth.__getitem__)
    is_learning_still = curves.train_loss[-1] < curves.train_loss[best]
    if smooth[-1] < smooth[best] + WORSE_AGAIN_POINTS or not is_learning_still:
        return
    epoch = curves.epochs[best + SMOOTH_LOOKS // 2]
    yield Finding(
        kind="overfitting",
        text=f"Overfitting: the validation error was best around epoch {_epoch(epoch)} "
        f"({_percent(smooth[best])}) and got worse again, to {_percent(smooth[-1])}, while the "
        "training loss "
        f"went on falling, from {curves.train_loss[best]:.3f} to {curves.train_loss[-1]:.3f}. "
        f"Stop at epoch {_epoch(epoch)}, augment more, or collect more images.",
        numbers={
            "best_epoch": epoch,
            "best_error_rate": smooth[best],
            "last_error_rate": smooth[-1],
            "epochs": curves.epochs[-1],
        },
    )


def _leakage(facts: Facts) -> Iterator[Finding]:
    share = facts.twin_count / facts.valid_count
    if facts.twin_count < LEAK_COUNT or share < LEAK_RATIO:
        return
    yield Finding(
        kind="leakage-suspected",
        text=f"Leakage is suspected: {facts.twin_count} of {facts.valid_count} validation images "
        f"({_percent(share, 0)}) look the same as a training image, so the error rate of "
        f"{_percent(facts.error_rate)} is partly memory. Remove the duplicates, and take a new "
        "snapshot.",
        numbers={"twin_count": facts.twin_count, "valid_count": facts.valid_count},
    )


def _small_classes(facts: Facts) -> Iterator[Finding]:
    middle = median(facts.train_counts.values())
    limit = min(float(SMALL_CLASS_COUNT), SMALL_CLASS_RATIO * middle)
    small = {name: count for name, count in facts.train_counts.items() if count < limit}
    for name, count in sorted(small.items(), key=lambda entry: entry[1])[:MOST_NAMED_CLASSES]:
        yield Finding(
            kind="class-too-small",
            text=f"The class “{name}” is too small: {count} training images, where half of the "
            f"classes have {middle:.0f} or more. Collect more of it, or leave it out.",
            numbers={"train_count": count, "median_count": middle},
        )


def _little_data(facts: Facts) -> Iterator[Finding]:
    total = sum(facts.train_counts.values())
    mean = total / len(facts.train_counts)
    if mean < SMALL_CLASS_COUNT:
        yield Finding(
            kind="too-little-data",
            text=f"There is too little data: {total} training images, {mean:.0f} a class. "
            f"Below {SMALL_CLASS_COUNT} a class, what is learned is an accident. Collect more.",
            numbers={"train_count": total, "mean_count": mean},
        )
        return
    if facts.curve is None:
        return
    half, full = facts.curve.points[-2], facts.curve.points[-1]
    rise = half.error_rate - full.error_rate
    # Every draw of the half must be worse than the whole: else it may be the draw.
    if rise < max(STEEP_POINTS, STEEP_RATIO * full.error_rate) or half.lowest <= full.error_rate:
        return
    most = next((need.label for need in facts.curve.needs if need.log_loss_rise > 0), None)
    whose = "for a head on the frozen backbone, " if facts.curve.basis == "head" else ""
    more = f" More of “{most}” would help most." if most else " Collect more."
    yield Finding(
        kind="too-little-data",
        text=f"There is too little data: {whose}with half of the images ({half.train_count}) the "
        f"error rate is {_percent(half.error_rate)}, with all of them ({full.train_count}) "
        f"{_percent(full.error_rate)}, and it has not levelled off.{more}",
        numbers={
            "half_error_rate": half.error_rate,
            "error_rate": full.error_rate,
            "train_count": full.train_count,
        },
    )


def _baseline(facts: Facts) -> Iterator[Finding]:
    if not facts.baselines:
        return
    name, best = min(facts.baselines.items(), key=lambda entry: entry[1])
    low, high = facts.error_rate_interval
    if high < best:
        return
    relation = "no better than" if facts.error_rate >= best else "not surely better than"
    yield Finding(
        kind="no-better-than-baseline",
        text=f"The model is {relation} a method without a network: {_percent(facts.error_rate)} "
        "wrong "
        f"(95 % interval {_percent(low)} to {_percent(high)}) beside {_percent(best)} of the "
        "baseline "
        f"“{name.replace('_', ' ')}”. Look at the labels, or collect more images.",
        numbers={"error_rate": facts.error_rate, "interval_high": high, "baseline": best},
    )


def _healthy(facts: Facts) -> Finding:
    low, high = facts.error_rate_interval
    best = min(facts.baselines.values(), default=1.0)
    return Finding(
        kind="healthy",
        text=f"Nothing looks wrong: {_percent(facts.error_rate)} of {facts.valid_count} validation "
        f"images are wrong (95 % interval {_percent(low)} to {_percent(high)}), beside "
        f"{_percent(best)} of the best "
        "baseline.",
        numbers={"error_rate": facts.error_rate, "baseline": best},
    )


def _percent(ratio: float, places: int = 1) -> str:
    return f"{100 * ratio:.{places}f} %"
