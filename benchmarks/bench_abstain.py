"""How well a model tells what is none of its classes: photos of food, groups of which it never saw.

Run ``make bench-abstain``, or ``python -m benchmarks.bench_abstain [--seeds 5]`` from a checkout:
Markdown tables go to stdout, progress to stderr. Each seed leaves other food groups out: of some,
photos stand for "none of these" in the training where it has such a class; of the others it sees
none. Foreign images are near (photos of those other groups) or far (drawings, where Debian's
``openclipart-png`` is there). All is computed as in a training by the recipe ``head``.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks import photo_sets
from benchmarks.photo_sets import Pictures
from server.contract.abstaining import ServedScore, known_score
from server.contract.analysis import CoveragePoint
from server.contract.bundle import Abstention
from server.contract.preprocess import Preprocessing
from server.contract.recipes import HeadRecipe
from trainer.backbones.loading import LoadedBackbone, load_backbone
from trainer.data.cache_file import FEATURES_FILE
from trainer.data.features import Extractor
from trainer.data.store import open_store
from trainer.evaluation.abstaining import Unseen, choose, nearness, trace
from trainer.markdown import percent, table
from trainer.metrics import Floats, Labels, area_under_curve
from trainer.selection import Selection, TrainingSet, select
from trainer.snapshot import LocalSnapshot

WORK = Path(__file__).parents[1] / "build" / "bench" / "abstain"
BACKGROUND = "none of these"
LEFT_OUT = 2  # groups that stand for "none of these", and as many that are never seen
RECIPE = HeadRecipe()
SCORES: tuple[str, ...] = (*get_args(ServedScore), "knn")


@dataclass(frozen=True)
class Seen:
    """Pictures with what the backbone sees in them, ``[N, F]``."""

    snapshot: LocalSnapshot
    features: NDArray[np.float32]

    @property
    def groups(self) -> NDArray[np.str_]:
        """The name of each one's food group."""
        return np.array([item.label for item in self.snapshot.items])

    def labels(self, known: Sequence[str]) -> Labels:
        """Return ``[N]`` places among the known groups, -1 for the others."""
        places = {name: place for place, name in enumerate(known)}
        return np.array([places.get(name, -1) for name in self.groups.tolist()], dtype=np.int64)


@dataclass(frozen=True)
class Model:
    """A head on frozen features, with the rule that its training chose.

    Attributes:
        known: Its classes but the one for "none of these", which is the last where it has one.
        shown: ``[K, F]``: what it was shown of them.
    """

    selection: Selection
    rule: Abstention
    known: Sequence[str]
    has_background: bool
    shown: NDArray[np.float32]

    def judge(self, features: NDArray[np.float32]) -> Judged:
        """Return what it says of images ``[N, F]``."""
        logits = self.selection.head.logits(features)
        background = len(self.known) if self.has_background else None
        scores: dict[str, Floats] = {
            score: known_score(logits, self.selection.temperature, score, background)
            for score in get_args(ServedScore)
        }
        scores["knn"] = nearness(features, self.shown)
        said = logits.argmax(axis=1)
        return Judged(scores, said, said < len(self.known))


@dataclass(frozen=True)
class Judged:
    """What a model says of N images.

    Attributes:
        scores: ``[N]`` of each kind; higher is more like a known image.
        said: ``[N]``: the most probable class.
        is_named: ``[N]``: whether that is a known one.
    """

    scores: dict[str, Floats]
    said: Labels
    is_named: NDArray[np.bool_]

    def answered(self, rule: Abstention) -> float:
        """Return the share that is answered under a rule."""
        return float(np.mean(self.is_named & (self.scores[rule.score] >= rule.threshold)))


@dataclass(frozen=True)
class Trial:
    """One training, and how it takes images that it has not seen.

    Attributes:
        score: That the training chose.
        coverage: The share of known images that is answered under its rule.
        passed: By kind of foreign images, the share that is answered under it.
        aurocs: By score and kind.
        curves: By kind, at ever laxer thresholds.
    """

    score: str
    coverage: float
    passed: dict[str, float]
    aurocs: dict[tuple[str, str], float]
    curves: dict[str, tuple[CoveragePoint, ...]]


def see(pictures: Pictures, seed: int, backbone: LoadedBackbone) -> Seen:
    """Return the pictures split by a seed, with their features, each computed once."""
    snapshot = pictures.dealt(seed)
    preprocessing = Preprocessing(
        size_px=RECIPE.size_px, mean=backbone.mean, std=backbone.std, resize=RECIPE.resize
    )
    with open_store(WORK / FEATURES_FILE) as store:
        extractor = Extractor(backbone, preprocessing, batch_size=16)
        return Seen(snapshot, extractor.extract(snapshot, store, lambda *_: None).features)


def train(food: Seen, known: Sequence[str], background: Sequence[str]) -> Model:
    """Train on the groups that are known, and on those that stand for "none of these"."""
    labels = food.labels(known)
    labels[np.isin(food.groups, background)] = len(known)
    kept = ~food.snapshot.is_valid() & (labels >= 0)
    clusters = np.array(food.snapshot.groups())[kept].tolist()
    classes = [*known, BACKGROUND] if background else list(known)
    data = TrainingSet(food.features[kept], labels[kept], clusters, len(classes))
    selection = select(data, RECIPE.folds, RECIPE.seed, lambda *_: None)
    best = selection.best
    if best is None:
        raise ValueError("these are too few photos for a cross-validation")
    unseen = Unseen(best.logits, best.temperature, data.labels, classes, data.features, clusters)
    rule, _ = choose(unseen)
    shown = data.features[data.labels < len(known)]
    return Model(selection, rule, known, bool(background), shown)


def measure(food: Seen, far: Seen | None, seed: int, *, has_background: bool) -> Trial:
    """Train on some groups, and try the model on the validation images of those and on others."""
    names = food.snapshot.manifest.classes
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    strange, background = order[:LEFT_OUT], order[LEFT_OUT : 2 * LEFT_OUT]
    known = sorted(order[2 * LEFT_OUT :])
    model = train(food, known, background if has_background else ())
    tested = food.snapshot.is_valid() & np.isin(food.groups, known)
    ours = model.judge(food.features[tested])
    foreign = {"near": model.judge(food.features[np.isin(food.groups, strange)])}
    if far is not None:
        foreign["far"] = model.judge(far.features)
    is_right = ours.said == food.labels(known)[tested]
    return Trial(
        score=model.rule.score,
        coverage=ours.answered(model.rule),
        passed={kind: theirs.answered(model.rule) for kind, theirs in foreign.items()},
        aurocs={
            (score, kind): area_under_curve(ours.scores[score], theirs.scores[score])
            for kind, theirs in foreign.items()
            for score in SCORES
        },
        curves={
            kind: _trace(ours, theirs, is_right, model.rule.score)
            for kind, theirs in foreign.items()
        },
    )


def _trace(
    ours: Judged, theirs: Judged, is_right: NDArray[np.bool_], score: str
) -> tuple[CoveragePoint, ...]:
    count = len(theirs.said)
    return trace(
        np.concatenate([ours.scores[score], theirs.scores[score]]),
        np.concatenate([ours.is_named, theirs.is_named]),
        np.concatenate([is_right, np.zeros(count, dtype=np.bool_)]),
        np.repeat([True, False], [len(ours.said), count]),
    )


def write_scores(trials: Sequence[Trial], kinds: Sequence[str]) -> str:
    """Return a table of the area under the ROC curve: mean over seeds, and the range."""
    rows = []
    for score in SCORES:
        cells = []
        for kind in kinds:
            values = [trial.aurocs[score, kind] for trial in trials]
            cells.append(f"{fmean(values):.3f} ({min(values):.3f} to {max(values):.3f})")
        rows.append([score, *cells])
    return table(["score", *(f"against {kind}" for kind in kinds)], rows) + "\n"


def write_rule(trials: Sequence[Trial], kinds: Sequence[str]) -> str:
    """Return what the rule that training chose does, in a sentence."""
    chosen = ", ".join(sorted({trial.score for trial in trials}))
    passed = (
        f"{percent(fmean(trial.passed[kind] for trial in trials))} of {kind}" for kind in kinds
    )
    coverage = percent(fmean(trial.coverage for trial in trials))
    return (
        f"Score chosen: {chosen}. Under its rule {coverage} of the known images are answered, "
        f"{', '.join(passed)} ones.\n"
    )


def write_curve(trials: Sequence[Trial], kinds: Sequence[str]) -> str:
    """Return a table of coverage and accuracy, means over seeds."""
    rows = []
    for place in range(len(trials[0].curves[kinds[0]])):
        known = [trial.curves[kinds[0]][place] for trial in trials]
        right = [point.accuracy for point in known if point.accuracy is not None]
        passed = [fmean(trial.curves[kind][place].passed for trial in trials) for kind in kinds]
        cells = (fmean(point.coverage for point in known), fmean(right), *passed)
        rows.append([percent(cell) for cell in cells])
    head = ["known answered", "right among them", *(f"{kind} answered" for kind in kinds)]
    return table(head, rows) + "\n"


def read_far(folder: Path) -> Pictures | None:
    """Return the drawings; None, said why, when they are not here."""
    if folder.is_dir():
        return photo_sets.read_drawings(folder, WORK / "drawings")
    sys.stderr.write(
        f"Drawings are left out: {folder} is not there; on Debian run apt install openclipart-png, "
        "or unpack it and name it by --drawings.\n"
    )
    return None


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure how foreign images are told.")
    parser.add_argument("--photos", type=Path, default=photo_sets.PHOTOS)
    parser.add_argument("--drawings", type=Path, default=photo_sets.DRAWINGS)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    backbone = load_backbone(RECIPE.backbone, WORK / "weights", lambda: None)
    groups = photo_sets.large_food_groups(options.photos)
    food = photo_sets.read_food(options.photos, groups, WORK / "food")
    drawings = read_far(options.drawings)
    sys.stderr.write("looking at the pictures …\n")
    far = None if drawings is None else see(drawings, 0, backbone)
    kinds = ["near"] if far is None else ["near", "far"]
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}; "
        f"{len(groups)} food groups, {LEFT_OUT} never seen, {LEFT_OUT} for {BACKGROUND!r}; "
        f"means of {options.seeds} seeds\n"
    )
    for has_background in (False, True):
        trials = [
            measure(see(food, seed, backbone), far, seed, has_background=has_background)
            for seed in range(options.seeds)
        ]
        heading = f'{"With" if has_background else "Without"} a class for "{BACKGROUND}"'
        parts = (write(trials, kinds) for write in (write_scores, write_rule, write_curve))
        sys.stdout.write(f"\n### {heading}\n\n" + "\n".join(parts))


if __name__ == "__main__":
    main()
