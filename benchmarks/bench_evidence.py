"""Whether the training images shown beside an answer are alike, and what it takes to find them.

Run ``make bench-evidence``, or ``python -m benchmarks.bench_evidence`` from a checkout: Markdown
goes to stdout, progress to stderr. A real server with its trainer learns photos of food in four
groups, once; then it is asked about its validation photos. It has learned from none of them, and
from no near-duplicate of them.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.photo_sets import PHOTOS
from benchmarks.serving.material import prepare
from server.contract.snapshot import Split
from tests.support.processes import ServerProcess, wait_until
from trainer.markdown import percent, table

BUILD = Path(__file__).parents[1] / "build" / "bench"
SHOWN = 5
LOOK_S = 240.0


@dataclass(frozen=True)
class Found:
    """What came with one answer.

    Attributes:
        labels: Of the neighbours, the nearest first.
        similarity: Of the nearest one.
    """

    label: str
    answer: str
    labels: Sequence[str]
    similarity: float


def ask(client: httpx2.Client, data: bytes, count: int | None) -> dict[str, Any]:
    """Ask about an image."""
    params = {} if count is None else {"evidence": str(count)}
    reply = client.post("/api/v1/classify", files={"file": ("a.jpg", data)}, params=params)
    said: dict[str, Any] = reply.raise_for_status().json()
    return said


def read_photos(
    client: httpx2.Client, model: dict[str, Any], split: str
) -> list[tuple[str, bytes]]:
    """Return label and bytes of the model's images on one side."""
    return [
        (item["label"], client.get(f"/api/v1/blobs/{item['sha256']}").raise_for_status().content)
        for item in model["evaluation"]["items"]
        if item["split"] == split
    ]


def time_ms(client: httpx2.Client, photos: Sequence[tuple[str, bytes]], count: int | None) -> float:
    """Return the median time of an answer."""
    times = []
    for _, data in photos:
        started = time.perf_counter()
        ask(client, data, count)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def write(found: Sequence[Found], learned: Counter[str]) -> str:
    """Return how often neighbours have the label of the image they are shown for."""
    total = learned.total()
    chance = statistics.fmean(learned[one.label] / total for one in found)
    rows = []
    for name, part in (
        ("all", list(found)),
        ("answered right", [one for one in found if one.answer == one.label]),
        ("answered wrong", [one for one in found if one.answer != one.label]),
    ):
        if not part:
            continue
        own = statistics.fmean(label == one.label for one in part for label in one.labels)
        same = statistics.fmean(label == one.answer for one in part for label in one.labels)
        near = statistics.median(one.similarity for one in part)
        rows.append([name, str(len(part)), percent(own), percent(same), f"{near:.2f}"])
    head = ["photos", "number", "neighbours of its label", "of the answer's label", "nearest"]
    return f"{table(head, rows)}\n\nBy chance {percent(chance)} would have its label.\n"


def main() -> None:
    """Measure and print."""
    material = prepare(BUILD / "serve", PHOTOS, print_progress)
    with ServerProcess(material.data, has_trainer=False) as server, server.client() as client:
        models = client.get("/api/v1/models", params={"stage": "live"}).raise_for_status().json()
        model = client.get(f"/api/v1/models/{models['items'][0]['id']}").raise_for_status().json()
        learned = read_photos(client, model, Split.TRAIN)
        photos = read_photos(client, model, Split.VALID)
        started = time.perf_counter()
        wait_until(
            lambda: ask(client, photos[0][1], 1)["evidence"]["state"] == "found",
            LOOK_S,
            "the training images are looked at",
        )
        look_s = time.perf_counter() - started
        found = []
        for label, data in photos:
            said = ask(client, data, SHOWN)
            near = said["evidence"]["neighbours"]
            labels = [one["label"] for one in near]
            found.append(Found(label, said["label"], labels, near[0]["similarity"]))
        plain_ms, with_ms = (time_ms(client, photos, count) for count in (None, SHOWN))
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}; {len(learned)} "
        f"training and {len(photos)} validation photos, {SHOWN} neighbours each\n\n"
        f"{write(found, Counter(label for label, _ in learned))}\n"
        f"First look {look_s:.1f} s, once; an answer {plain_ms:.1f} ms, with evidence "
        f"{with_ms:.1f} ms (medians over HTTP).\n"
    )


def print_progress(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")


if __name__ == "__main__":
    main()
