"""Loaded models: once each, the least used one goes; what cannot run is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from server.contract.errors import FormatError
from server.inference import registry
from server.inference.engine import OnnxEngine, Outputs
from server.inference.pool import CpuPool
from server.inference.registry import Bounds, Registry
from server.inference.session import Classifier, check_bundle, load_classifier
from tests.support.bundles import bundle_manifest, colour_onnx, make_bundle

ROOMY = Bounds(2, 1 << 30)


@pytest.fixture
def pool() -> Iterator[CpuPool]:
    pool = CpuPool(2)
    yield pool
    pool.close()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.zip"
    make_bundle(path)
    return path


async def test_a_model_is_loaded_once_however_many_ask(pool, bundle, monkeypatch):
    loads = []

    def load(path: Path, threads: int) -> Classifier:
        loads.append(path)
        return load_classifier(path, threads)

    monkeypatch.setattr(registry, "load_classifier", load)
    kept = Registry(pool, 1, ROOMY)
    found = await asyncio.gather(*(kept.get("a", bundle) for _ in range(5)))
    assert len(loads) == 1
    assert all(one is found[0] for one in found)


async def test_the_least_recently_used_one_makes_room(pool, bundle, monkeypatch):
    loads = _sized(monkeypatch, {})
    kept = Registry(pool, 1, Bounds(2, 1000))
    for name in ("a", "b", "a", "c", "a", "b"):
        await kept.get(name, Path(name))
    assert loads == ["a", "b", "c", "b"]


async def test_models_make_room_by_their_bytes_and_the_newest_stays(pool, monkeypatch):
    loads = _sized(monkeypatch, {"large": 900, "huge": 5000})
    kept = Registry(pool, 1, Bounds(10, 1000))
    for name in ("a", "b", "large", "b", "large"):
        await kept.get(name, Path(name))
    assert loads == ["a", "b", "large"], "1000 bytes fit"
    await kept.get("c", Path("c"))
    assert kept.loaded_bytes == 1000, "a went, which was used least recently"
    assert (await kept.get("huge", Path("huge"))).size_bytes == 5000
    assert kept.loaded_bytes == 5000
    await kept.get("a", Path("a"))
    assert kept.loaded_bytes == 50


def _sized(monkeypatch: pytest.MonkeyPatch, sizes: dict[str, int]) -> list[str]:
    """Let models be of these sizes, else of 50 bytes; return the names that are loaded."""
    loads: list[str] = []

    def load(path: Path, threads: int) -> Classifier:
        loads.append(str(path))
        return Classifier(bundle_manifest(), OnnxEngine(colour_onnx(), 1), sizes.get(str(path), 50))

    monkeypatch.setattr(registry, "load_classifier", load)
    return loads


async def test_a_failed_load_is_tried_again(pool, bundle, tmp_path):
    kept = Registry(pool, 1, ROOMY)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK")
    with pytest.raises(FormatError):
        await kept.get("a", broken)
    assert (await kept.get("a", bundle)).predict(Image.new("RGB", (8, 8), "red")).label == "red"


def test_a_model_answers_with_every_class_most_probable_first(bundle):
    said = load_classifier(bundle, 1).predict(Image.new("RGB", (50, 30), (200, 100, 0)))
    assert [label for label, _ in said.predictions] == ["red", "green", "blue"]
    assert said.label == "red"
    assert said.probability == said.predictions[0][1]
    assert sum(value for _, value in said.predictions) == pytest.approx(1)


@pytest.mark.parametrize(("threshold", "abstains"), [(0.0, False), (0.34, True)])
def test_a_model_that_is_too_unsure_abstains(threshold, abstains):
    class Undecided:
        def run(self, images):
            assert images.shape == (1, 3, 32, 32)
            return Outputs(np.zeros((1, 3), dtype=np.float32), None)

    manifest = bundle_manifest()
    abstention = manifest.abstention.model_copy(update={"threshold": threshold})
    manifest = manifest.model_copy(update={"abstention": abstention})
    said = Classifier(manifest, Undecided()).predict(Image.new("RGB", (8, 8)))
    assert said.abstained == abstains
    assert [label for label, _ in said.predictions] == list(manifest.classes), "ties keep order"


@pytest.mark.parametrize(
    ("logits", "rule", "abstains"),
    [
        ([4.0, 0.0, 0.0], {"background": "red", "threshold": 0.4}, False),
        ([0.0, 0.0, 4.0], {"background": "red", "threshold": 0.0}, True),
        ([4.0, 3.9, 0.0], {"score": "margin", "threshold": 0.2}, True),
        ([4.0, 0.0, 0.0], {"score": "energy", "threshold": 5.0}, True),
        ([9.0, 0.0, 0.0], {"score": "energy", "threshold": 5.0}, False),
    ],
)
def test_a_model_abstains_by_the_rule_of_its_bundle(logits, rule, abstains):
    class Fixed:
        def run(self, images):
            return Outputs(np.array([logits], dtype=np.float32), None)

    manifest = bundle_manifest()
    abstention = manifest.abstention.model_copy(update=rule)
    manifest = manifest.model_copy(update={"abstention": abstention})
    said = Classifier(manifest, Fixed()).predict(Image.new("RGB", (8, 8)))
    assert said.abstained == abstains
    by_probability = rule.get("score") is None
    assert (said.threshold is not None) == by_probability, "no other score is a probability"


def test_a_whole_bundle_passes_its_check(bundle):
    assert check_bundle(bundle).manifest.classes == ("blue", "green", "red")


async def test_the_pool_raises_what_its_work_raises_and_is_bounded(pool):
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 / 0)
    busy, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        threading.Event().wait(0.01)
        with lock:
            busy -= 1

    await asyncio.gather(*(pool.run(work) for _ in range(10)))
    assert most == 2
