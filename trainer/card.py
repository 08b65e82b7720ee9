"""The model card: a bundle's MODEL_CARD.md.

May import ``trainer.snapshot``, ``card_failures``, ``markdown`` and the contract.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from server.contract.analysis import Analysis
from server.contract.bundle import INPUT_NAME, OUTPUT_NAME, BundleManifest
from server.contract.evaluation import Metrics
from trainer.card_failures import write_abstaining, write_failures, write_findings
from trainer.markdown import escape, percent, table
from trainer.snapshot import LocalSnapshot

_MAX_TABLE_CLASSES = 20  # a wider confusion matrix is unreadable as text; bundle.json has it whole
_MAX_RANKED = 10  # sites of a dataset may be hundreds
_UNKNOWN = "unknown"
_FEW = 10  # validation images of a class below which its figures are anecdotes


@dataclass(frozen=True)
class Material:
    """What a model was trained on.

    Attributes:
        train_counts: Training images by class.
        engines: Images by search engine; empty when it is not known.
        sites: Images by site.
        licenses: Images by licence, as pages named it.
    """

    train_counts: Mapping[str, int]
    engines: Mapping[str, int]
    sites: Mapping[str, int]
    licenses: Mapping[str, int]


def material_of(snapshot: LocalSnapshot) -> Material:
    """Return what a snapshot is made of, as far as it is known."""
    is_train = ~snapshot.is_valid()
    pairs = zip(snapshot.items, is_train, strict=True)
    origins = [snapshot.origins.get(item.sha256) for item in snapshot.items]

    def count(name: str) -> Counter[str]:
        words = [getattr(origin, name, None) or _UNKNOWN for origin in origins]
        return Counter(words) if set(words) != {_UNKNOWN} else Counter()

    return Material(
        train_counts=Counter(item.label for item, train in pairs if train),
        engines=count("engine"),
        sites=count("site"),
        licenses=count("license"),
    )


def write_card(manifest: BundleManifest, material: Material, analysis: Analysis) -> str:
    """Return the card as Markdown.

    Labels, sites and licences are escaped, since they come from anywhere.
    """
    sections = (
        _head(manifest),
        _results(manifest.metrics, analysis),
        _made_of(manifest, material),
        _per_class(manifest.metrics),
        _confusion(manifest),
        write_failures(analysis),
        write_abstaining(analysis.abstention),
        _limits(manifest, analysis),
        _use(manifest),
    )
    return "\n".join(section for section in sections if section)


def _head(manifest: BundleManifest) -> str:
    metrics = manifest.metrics
    return f"""# {escape(manifest.dataset.name)}: an image classifier

Tells {len(manifest.classes)} classes apart: {", ".join(escape(name) for name in manifest.classes)}.

Made by Bowerbird on {manifest.created_at:%Y-%m-%d} from snapshot `{manifest.snapshot.id}`
(manifest sha256 `{manifest.snapshot.manifest_sha256}`): {metrics.train_count} training and
{metrics.valid_count} validation images; near-duplicates are always on the same side.
{_recipe(manifest)}
"""


def _recipe(manifest: BundleManifest) -> str:
    recipe, name = manifest.recipe, manifest.backbone.name
    known = {"head": f"a linear layer on the features of a frozen {name}"}
    what = known.get(recipe.kind, f"all layers of a {name}")
    return f"Recipe `{recipe.kind}`: {what} pretrained on ImageNet, seed {recipe.seed}."


def _results(metrics: Metrics, analysis: Analysis) -> str:
    low, high = metrics.error_rate_interval
    folds = metrics.cross_validation_error_rate
    narrow = metrics.quantisation
    rows = [
        ["**this model**", f"**{percent(metrics.error_rate)}**"],
        *([["the same in float32", percent(narrow.float_error_rate)]] if narrow else ()),
        ["always the most frequent class", percent(metrics.baselines.majority)],
        ["nearest class mean image, pixel by pixel", percent(metrics.baselines.pixel_similarity)],
    ]
    linear = metrics.baselines.pixel_linear
    if linear is not None:
        rows.append(["a linear model on pixels", percent(linear)])
    if folds is not None:
        rows.append(["this recipe, cross-validated on the training images", percent(folds)])
    return f"""## How good it is

{table(["on the validation images", "error rate"], rows)}

With {metrics.valid_count} validation images the true error rate lies between {percent(low)} and
{percent(high)} (Wilson's 95 % interval), for images like those of the dataset.
Log-loss {metrics.log_loss:.3f}; calibration error {percent(metrics.calibration_error)}.
{_precision(metrics)}{write_findings(analysis)}"""


def _precision(metrics: Metrics) -> str:
    narrow = metrics.quantisation
    if narrow is None:
        return ""
    return (
        f"It computes in eight bits: `model.onnx` has {narrow.model_bytes / 1e6:.1f} MB instead of "
        f"{narrow.float_bytes / 1e6:.1f}, and of the validation images "
        f"{percent(narrow.changed_ratio)} get another answer than from the same model in float32. "
        f"The ranges of its numbers were measured on {narrow.calibration_count} training images.\n"
    )


def _made_of(manifest: BundleManifest, material: Material) -> str:
    valid = {row.label: row.support for row in manifest.metrics.per_class}
    rows = [
        [escape(name), str(material.train_counts.get(name, 0)), str(valid[name])]
        for name in manifest.classes
    ]
    lists = [
        f"- {title}: {_ranking(counts)}."
        for title, counts in (
            ("Search engines", material.engines),
            ("Sites", material.sites),
            ("Licences, as pages named them", material.licenses),
        )
        if counts
    ]
    known = "\n".join(lists) or "Where the images come from is not known to the trainer."
    return f"""## What it was trained on

{table(["class", "training images", "validation images"], rows)}

{known}
"""


def _ranking(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = ", ".join(f"{escape(name)} {count}" for name, count in ordered[:_MAX_RANKED])
    more = len(ordered) - _MAX_RANKED
    return f"{shown} and {more} more" if more > 0 else shown


def _per_class(metrics: Metrics) -> str:
    rows = [
        [escape(row.label), percent(row.precision), percent(row.recall), str(row.support)]
        for row in metrics.per_class
    ]
    return f"""## By class

{table(["class", "precision", "recall", "validation images"], rows)}
"""


def _confusion(manifest: BundleManifest) -> str:
    if len(manifest.classes) > _MAX_TABLE_CLASSES:
        return "The confusion matrix is in `bundle.json`.\n"
    names = [escape(name) for name in manifest.classes]
    rows = [
        [name, *(str(count) for count in counts)]
        for name, counts in zip(names, manifest.metrics.confusion, strict=True)
    ]
    return f"""## Confusion

Rows are what the images are, columns what the model said.

{table(["", *names], rows)}
"""


def _limits(manifest: BundleManifest, analysis: Analysis) -> str:
    few = [escape(row.label) for row in manifest.metrics.per_class if row.support < _FEW]
    lines = [
        _abstention(manifest, analysis),
        "- The images were collected from the web: their bias is the model's.",
        "- Its probabilities are calibrated for images like those of the dataset, not for others.",
    ]
    if few:
        lines.append(
            f"- Fewer than {_FEW} validation images, so that the figures are anecdotes: "
            f"{', '.join(few)}."
        )
    return "## Limits\n\n" + "\n".join(lines) + "\n"


def _abstention(manifest: BundleManifest, analysis: Analysis) -> str:
    rule = manifest.abstention
    said = (
        "- It knows its classes and nothing else: shown anything else it still names one of them, "
        f"often less surely. When {_score_in_words(manifest)} is below {rule.threshold:.2f}, treat "
        f'the answer as "none of these"; {percent(rule.coverage)} of known images are answered.'
    )
    if rule.background:
        said += f" So it is when {escape(rule.background)} is the most probable class."
    if rule.background_passed is None or analysis.abstention is None:
        return (
            f"{said} How many foreign images are answered was not measured: there were none to try."
        )
    trials = analysis.abstention
    return (
        f"{said} Of {trials.background_count} images of {escape(trials.label)} that were held out, "
        f"{percent(rule.background_passed)} are answered all the same; of foreign "
        "images unlike those, more may be."
    )


def _use(manifest: BundleManifest) -> str:
    numbers = manifest.preprocessing
    return f"""## How to use it

`model.onnx` takes `{INPUT_NAME}` float32 `[N, 3, {numbers.size_px}, {numbers.size_px}]` and gives
`{OUTPUT_NAME}` `[N, {len(manifest.classes)}]` in the order of `classes` in `bundle.json`.

1. Decode to RGB, turned upright by EXIF, transparent parts on white.
2. Resize ({numbers.resize}, {numbers.interpolation}) to {numbers.size_px} x {numbers.size_px}.
3. Divide by 255, subtract {list(numbers.mean)}, divide by {list(numbers.std)}, per channel.
4. Divide the logits by {manifest.calibration.temperature:.4f} and take the softmax.
"""


def _score_in_words(manifest: BundleManifest) -> str:
    """Say how to compute the score: see ``contract.abstaining``, which serving goes by."""
    rule = manifest.abstention
    name = "" if rule.background is None else escape(rule.background)
    if rule.score == "energy":
        among = f" of all classes but {name}" if name else ""
        temperature = f"{manifest.calibration.temperature:.4f}"
        return (
            f"the logarithm of the summed exponentials of the logits{among}, each divided by "
            f"{temperature},"
        )
    highest = "the highest probability" + (f" of a class other than {name}" if name else "")
    if rule.score == "margin":
        return f"{highest} less the highest of the remaining classes (0 at least)"
    return highest
