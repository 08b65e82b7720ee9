"""The model card: a bundle's MODEL_CARD.md. May import the contract."""

from __future__ import annotations

from collections.abc import Sequence

from server.contract.bundle import INPUT_NAME, OUTPUT_NAME, BundleManifest
from server.contract.evaluation import Metrics

_MAX_TABLE_CLASSES = 20  # a wider confusion matrix is unreadable as text; bundle.json has it whole
_FEW = 10  # validation images of a class below which its figures are anecdotes


def write_card(manifest: BundleManifest) -> str:
    """Return the card as Markdown; labels are escaped, since they come from anywhere."""
    sections = (
        _head(manifest),
        _results(manifest.metrics),
        _per_class(manifest.metrics),
        _confusion(manifest),
        _limits(manifest),
        _use(manifest),
    )
    return "\n".join(sections)


def _head(manifest: BundleManifest) -> str:
    metrics, recipe = manifest.metrics, manifest.recipe
    return f"""# {_text(manifest.dataset.name)}: an image classifier

Tells {len(manifest.classes)} classes apart: {", ".join(_text(name) for name in manifest.classes)}.

Made by Bowerbird on {manifest.created_at:%Y-%m-%d} from snapshot `{manifest.snapshot.id}`
(manifest sha256 `{manifest.snapshot.manifest_sha256}`): {metrics.train_count} training and
{metrics.valid_count} validation images; near-duplicates are always on the same side.
Recipe `{recipe.kind}`: a linear layer on the features of a frozen {manifest.backbone.name}
pretrained on ImageNet, seed {recipe.seed}.
"""


def _results(metrics: Metrics) -> str:
    low, high = metrics.error_rate_interval
    folds = metrics.cross_validation_error_rate
    rows = [
        ["**this model**", f"**{_percent(metrics.error_rate)}**"],
        ["always the most frequent class", _percent(metrics.baselines.majority)],
        ["nearest class mean image, pixel by pixel", _percent(metrics.baselines.pixel_similarity)],
    ]
    linear = metrics.baselines.pixel_linear
    if linear is not None:
        rows.append(["a linear model on pixels", _percent(linear)])
    if folds is not None:
        rows.append(["this recipe, cross-validated on the training images", _percent(folds)])
    return f"""## How good it is

{_table(["on the validation images", "error rate"], rows)}

With {metrics.valid_count} validation images the true error rate lies between {_percent(low)} and
{_percent(high)} (Wilson's 95 % interval), for images like those of the dataset.
Log-loss {metrics.log_loss:.3f}; calibration error {metrics.calibration_error:.3f}.
"""


def _per_class(metrics: Metrics) -> str:
    rows = [
        [_text(row.label), _percent(row.precision), _percent(row.recall), str(row.support)]
        for row in metrics.per_class
    ]
    return f"""## By class

{_table(["class", "precision", "recall", "validation images"], rows)}
"""


def _confusion(manifest: BundleManifest) -> str:
    if len(manifest.classes) > _MAX_TABLE_CLASSES:
        return "The confusion matrix is in `bundle.json`.\n"
    names = [_text(name) for name in manifest.classes]
    rows = [
        [name, *(str(count) for count in counts)]
        for name, counts in zip(names, manifest.metrics.confusion, strict=True)
    ]
    return f"""## Confusion

Rows are what the images are, columns what the model said.

{_table(["", *names], rows)}
"""


def _limits(manifest: BundleManifest) -> str:
    few = [_text(row.label) for row in manifest.metrics.per_class if row.support < _FEW]
    lines = [
        _abstention(manifest),
        "- The images were collected from the web: their bias is the model's.",
        "- Its probabilities are calibrated for images like those of the dataset, not for others.",
    ]
    if few:
        lines.append(
            f"- Fewer than {_FEW} validation images, so that the figures are anecdotes: "
            f"{', '.join(few)}."
        )
    return "## Limits\n\n" + "\n".join(lines) + "\n"


def _abstention(manifest: BundleManifest) -> str:
    rule = manifest.abstention
    return (
        "- It knows its classes and nothing else: shown anything else it still names one of them, "
        f"often with a lower probability. Below {rule.threshold:.2f} treat the answer as "
        f'"none of these"; {_percent(rule.coverage)} of known images pass.'
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


def _percent(ratio: float | None) -> str:
    return "n/a" if ratio is None else f"{100 * ratio:.1f} %"


def _text(name: str) -> str:
    """Return a name that stays inside its table cell and is not read as markup."""
    flat = " ".join(name.split())
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#+!|" else char for char in flat)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
