"""The bare pipeline: decode, preprocess, one run of onnxruntime, in a loop. Nobody is served.

``python -m benchmarks.serving.run_bare BUNDLE DESCRIBED COUNT``: it writes one line of JSON with
the seconds of every photo for one core, for two cores with one photo at a time, and for two cores
with two at a time; and the seconds of an image by threads and size of the batch, without decoding.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from server.contract.bundle import Bundle, read_bundle
from server.contract.preprocess import preprocess
from server.inference.engine import OnnxEngine

CORES = 2
BATCHES = (1, 8)
_WARM_UP = 8


class Loop:
    """Answers photos, one after the other.

    Args:
        bundle: The model.
        photos: Bytes of each.
        threads: Of a run.
    """

    def __init__(self, bundle: Bundle, photos: Sequence[bytes], threads: int) -> None:
        self._numbers = bundle.manifest.preprocessing
        self._photos = photos
        self._engine = OnnxEngine(bundle.onnx, threads)

    def run(self, count: int) -> list[float]:
        """Return the seconds of each of so many photos."""
        took = []
        for place in range(-_WARM_UP, count):
            started = time.perf_counter()
            image = preprocess(self._photos[place % len(self._photos)], self._numbers)
            self._engine.run(image[np.newaxis])
            if place >= 0:
                took.append(time.perf_counter() - started)
        return took

    def run_by(self, workers: int, count: int) -> float:
        """Return photos a second of several loops beside each other."""
        with ThreadPoolExecutor(workers) as pool:
            started = time.perf_counter()
            list(pool.map(self.run, [count // workers] * workers))
            seconds = time.perf_counter() - started
        return (count + workers * _WARM_UP) / seconds

    def time_batch(self, size: int, count: int) -> float:
        """Return the milliseconds of an image in batches of this size, decoded before."""
        images = [preprocess(photo, self._numbers) for photo in self._photos[:size]]
        batch = np.stack((images * size)[:size])
        self._engine.run(batch)
        took = []
        for _ in range(max(3, count // size)):
            started = time.perf_counter()
            self._engine.run(batch)
            took.append((time.perf_counter() - started) / size)
        return float(np.median(took)) * 1000


def measure(bundle: Bundle, photos: Sequence[bytes], count: int) -> dict[str, Any]:
    """Return what is to be told."""
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    loops = {threads: Loop(bundle, photos, threads) for threads in (1, CORES)}
    os.sched_setaffinity(0, cores)
    said = {
        "two_threads_s": loops[CORES].run(count),
        "two_loops_rate": loops[1].run_by(CORES, count),
        "batches_ms": {
            f"{threads} {size}": loops[threads].time_batch(size, count)
            for threads in loops
            for size in BATCHES
        },
    }
    os.sched_setaffinity(0, cores[:1])
    said["one_core_s"] = loops[1].run(count)
    return said


def main(arguments: list[str]) -> None:
    """Measure as the arguments say; write one line of JSON."""
    bundle, described, count = arguments
    photos = [Path(p).read_bytes() for p in json.loads(Path(described).read_text())["photos"]]
    said = measure(read_bundle(Path(bundle)), photos, int(count))
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
