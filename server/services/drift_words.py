"""What is said of drift, in plain sentences. Pure."""

from __future__ import annotations

import numpy as np

from server.services import nearness
from server.services.drift import Drift, NearnessState
from server.services.drift_tests import MIN_REFERENCE, MIN_WINDOW, Counts, Shift, Tested
from server.services.prediction_log import EDGES

# Why the images themselves are not tested.
NEARNESS_NOTES = {
    NearnessState.UNTOLD: (
        "How far the images themselves have moved is not tested: the model's network does not tell "
        "what it sees, or too few of its training and validation images are left."
    ),
    NearnessState.BEING_MADE: (
        "How far the images themselves have moved is not tested yet: the model is looking at its "
        "training images. Look again in a minute."
    ),
    NearnessState.TOO_FEW: (
        "How far the images themselves have moved is not tested yet: too few answers have been "
        "held against the training images."
    ),
}


def notes(drift: Drift) -> list[str]:
    """Return what is not tested, and why."""
    return [NEARNESS_NOTES[drift.nearness.state]] if drift.nearness.state in NEARNESS_NOTES else []


def summary(drift: Drift) -> str:
    """Return what has come out, in a sentence."""
    asked = drift.window.count
    if drift.reference.count < MIN_REFERENCE:
        return (
            f"The validation split has {drift.reference.count} images; it takes {MIN_REFERENCE} to "
            "hold answers against."
        )
    if asked < MIN_WINDOW:
        return (
            f"Too few answers to tell: {asked} are counted in the last {drift.days} days, and it "
            f"takes {MIN_WINDOW}."
        )
    if drift.is_alert:
        return (
            "What the model is asked is no longer what it was validated on: its error rate may not "
            "hold. Collect images like those of now, label them, and train again."
        )
    return "What the model is asked looks like what it was validated on."


def sentence(drift: Drift, test: Tested) -> str:
    """Return what a test found, in a sentence."""
    said = {
        Shift.LABELS: _labels,
        Shift.CONFIDENCE: _confidence,
        Shift.ABSTENTION: _abstention,
        Shift.EMBEDDING: _embedding,
    }[test.shift](drift)
    if test.is_alert:
        return f"{said} That is more than chance, and enough to matter."
    if test.effect >= test.least:
        return f"{said} That may still be chance."
    return f"{said} That is too little to matter."


def _labels(drift: Drift) -> str:
    before, now = drift.reference, drift.window
    was, share = before.labels / before.count, now.labels / now.count
    most = int(np.argmax(np.abs(share - was)))
    return (
        f"{drift.classes[most]} is {_percent(share[most])} of the answers, and was "
        f"{_percent(was[most])} on the validation split."
    )


def _confidence(drift: Drift) -> str:
    before, now = drift.reference, drift.window
    return (
        f"Half of the answers are surer than {_percent(_median(now.bins))}, and were surer than "
        f"{_percent(_median(before.bins))} on the validation split."
    )


def _abstention(drift: Drift) -> str:
    before, now = drift.reference, drift.window
    return (
        f"It abstains from {_percent(now.abstained[1] / now.count)} of the images, and did from "
        f"{_percent(before.abstained[1] / before.count)} of the validation split."
    )


def _embedding(drift: Drift) -> str:
    before, now = drift.nearness.reference, drift.nearness.window
    return (
        "Half of the images are more like a training image than "
        f"{nearness.middle(now):.2f} (1 is the same, 0 is nothing alike), and half of the "
        f"validation images more than {nearness.middle(before):.2f}, as the model sees them."
    )


def _median(bins: Counts) -> float:
    """Return the lower bound of the bin that holds the median."""
    place = int(np.searchsorted(np.cumsum(bins), bins.sum() / 2))
    return (0.0, *EDGES)[place]


def _percent(share: float) -> str:
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %")
