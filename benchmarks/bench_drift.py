"""Whether drift is told: the same pictures by another hand, and other pictures by the same one.

Run ``make bench-drift``, or ``python -m benchmarks.bench_drift [--seeds 10]`` from a checkout: a
Markdown table goes to stdout, progress to stderr. For each seed a real server with its trainer
learns emoji of one set in their categories from some of them. Then it is asked about the others,
once as the same hand drew them and once as another hand did, and says whether that has drifted.
The sets are npm's ``emoji-datasource-…``, brought by ``npm pack`` below ``build/bench/emoji`` where
they are not yet. Some minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from tests.support import workflow
from tests.support.processes import ServerProcess, wait_until
from trainer.markdown import table

BUILD = Path(__file__).parents[1] / "build" / "bench"
LEARNED, OTHER = "google", "twitter"
NAMES = {LEARNED: "Google's", OTHER: "Twitter's"}
PER_CATEGORY = 140  # of 85 to 386
LEARNED_SHARE = 0.6  # of which a fifth are validated on
BATCH = 32  # of one question
YARDSTICK_S = 240.0  # for looking at 700 training and validation images
PACK_S = 600.0  # for 75 MB


@dataclass(frozen=True)
class Emoji:
    """One picture by both hands."""

    category: str
    learned: Path
    other: Path


@dataclass(frozen=True)
class Told:
    """What was said of one window.

    Attributes:
        effects: By kind of test.
        alerts: The kinds that raised an alert.
    """

    is_alert: bool
    effects: dict[str, float]
    alerts: tuple[str, ...]
    count: int


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")
    sys.stderr.flush()


def bring(name: str) -> Path:
    """Return the folder of a set of emoji, fetched when it is not there.

    Raises:
        SystemExit: npm is not there, or cannot fetch it.
    """
    folder = BUILD / "emoji" / name
    if not folder.exists():
        tell(f"fetching {NAMES[name]} emoji")
        npm = shutil.which("npm")
        if npm is None:
            sys.exit("npm is needed to fetch the emoji; install Node.js")
        work = BUILD / "emoji"
        work.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(  # noqa: S603 - our own words
            [npm, "pack", "--silent", f"emoji-datasource-{name}"],
            cwd=work, capture_output=True, text=True, timeout=PACK_S, check=False,
        )  # fmt: skip
        if packed.returncode != 0:
            sys.exit(f"npm could not fetch the emoji: {packed.stderr.strip()}")
        archive = work / packed.stdout.split()[-1]
        partial = folder.with_suffix(".partial")
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
        archive.unlink()
        partial.rename(folder)
    return folder / "package"


def read_emoji() -> list[Emoji]:
    """Return those that both hands drew, some of each category."""
    packages = {name: bring(name) for name in NAMES}
    listed = json.loads((packages[LEARNED] / "emoji.json").read_text())
    found: dict[str, list[Emoji]] = {}
    for one in listed:
        drawn = all(one.get(f"has_img_{name}") for name in NAMES)
        if drawn and one["category"] != "Component":
            paths = [packages[name] / "img" / name / "64" / one["image"] for name in NAMES]
            found.setdefault(one["category"], []).append(Emoji(one["category"], *paths))
    rng = np.random.default_rng(0)
    return [
        each[place]
        for _, each in sorted(found.items())
        for place in rng.permutation(len(each))[:PER_CATEGORY]
    ]


def train(client: httpx2.Client, seed: int, emoji: Sequence[Emoji]) -> str:
    """Learn these as the first hand drew them; return the model's id, which is live."""
    dataset = workflow.create_dataset(client, f"emoji {seed}")
    for one in emoji:
        reply = client.post(
            f"/api/v1/datasets/{dataset}/images",
            files={"file": ("a.png", one.learned.read_bytes())},
            data={"label": one.category},
        )
        # The same picture twice, under two codes, is the server's to refuse.
        if reply.status_code not in {201, 409, 422}:
            reply.raise_for_status()
    job = workflow.wait_finished(client, workflow.start_job(client, dataset))
    if job["state"] != "succeeded":
        raise RuntimeError(f"the training failed: {job['error']}")
    model = str(job["model_id"])
    live = client.post(f"/api/v1/models/{model}/stage", json={"stage": "live"})
    live.raise_for_status()
    return model


def ask(client: httpx2.Client, model: str, paths: Sequence[Path]) -> None:
    """Ask the model about these pictures."""
    for start in range(0, len(paths), BATCH):
        files = [("file", (path.name, path.read_bytes())) for path in paths[start : start + BATCH]]
        reply = client.post("/api/v1/classify", params={"model": model}, files=files)
        reply.raise_for_status()


def read_drift(client: httpx2.Client, model: str) -> dict[str, Any]:
    """Return what the server says."""
    found: dict[str, Any] = client.get(f"/api/v1/models/{model}/drift").raise_for_status().json()
    return found


def forget(client: httpx2.Client, model: str) -> None:
    """Begin a window anew."""
    client.delete(f"/api/v1/models/{model}/predictions").raise_for_status()


def warm_up(client: httpx2.Client, model: str, paths: Sequence[Path]) -> None:
    """Let the server look at what the model learned from, which the first answers begin."""
    ask(client, model, paths)

    def is_ready() -> bool:
        return not any("Look again" in note for note in read_drift(client, model)["notes"])

    wait_until(is_ready, YARDSTICK_S, "the training images to be looked at")
    forget(client, model)


def hold(client: httpx2.Client, model: str, paths: Sequence[Path]) -> Told:
    """Return what is said of a window of these pictures."""
    ask(client, model, paths)
    said = read_drift(client, model)
    forget(client, model)
    return Told(
        said["is_alert"],
        {test["kind"]: test["effect"] for test in said["tests"]},
        tuple(test["kind"] for test in said["tests"] if test["is_alert"]),
        said["count"],
    )


def measure(data: Path, emoji: Sequence[Emoji], seeds: int) -> Iterator[tuple[int, Told, Told]]:
    """Yield for each seed what is said of a resample and of the other hand."""
    settings = {"BOWERBIRD_PREDICTION_LOG__MODE": "counts"}
    with ServerProcess(data, settings) as server, server.client() as client:
        for seed in range(seeds):
            tell(f"seed {seed + 1} of {seeds}")
            order = np.random.default_rng(seed).permutation(len(emoji))
            cut = round(LEARNED_SHARE * len(emoji))
            learned = [emoji[place] for place in order[:cut]]
            asked = [emoji[place] for place in order[cut:]]
            model = train(client, seed, learned)
            warm_up(client, model, [one.learned for one in asked[:64]])
            same = hold(client, model, [one.learned for one in asked])
            yield seed, same, hold(client, model, [one.other for one in asked])


def write(found: Sequence[tuple[int, Told, Told]]) -> str:
    """Return the table, and how many alerts there were."""
    kinds = list(found[0][1].effects)
    head = ["seed", "asked", *(f"{kind}: same / other" for kind in kinds), "alert: same / other"]
    rows = []
    for seed, same, other in found:
        cells = [
            f"{same.effects[kind]:.2f} / {other.effects[kind]:.2f}{'*' * (kind in other.alerts)}"
            for kind in kinds
        ]
        said = " / ".join("yes" if each.is_alert else "no" for each in (same, other))
        rows.append([str(seed), str(same.count), *cells, said])
    alerts = [sum(each[place].is_alert for each in found) for place in (1, 2)]  # type: ignore[misc]
    return (
        table(head, rows) + f"\n\nAlerts: {alerts[0]} of {len(found)} for other pictures by the "
        f"same hand, {alerts[1]} of {len(found)} for the same pictures by another.\n"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure whether drift is told.")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args(arguments)
    emoji = read_emoji()
    data = BUILD / "drift" / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    found = list(measure(data, emoji, options.seeds))
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}; {len(emoji)} "
        f"emoji, learned as {NAMES[LEARNED]}, other hand: {NAMES[OTHER]}\n\n{write(found)}"
    )


if __name__ == "__main__":
    main()
