"""What takes turns: our recipes and fastai, each training in a process of its own.

May import the trainer's parts that find and load weights.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.fetching.measured import launch
from benchmarks.training.kept import Case, Outcome
from server.config import inherited_environment
from server.contract.files import atomic_writer
from server.contract.preprocess import decode
from server.contract.snapshot import Item, Split
from trainer.backbones.catalogue import BACKBONES, EFFICIENTNET_LITE0
from trainer.backbones.weights import find_weights, load_weights
from trainer.snapshot import LocalSnapshot

ROOT = Path(__file__).parents[2]
RECIPES = ("head", "fine-tune")
FASTAI = "fastai"
LIMIT_S = 7200.0  # twenty epochs take minutes; what hangs must end
# Looks at memory that are frequent would take a quarter of the machine from whom uses most of it:
# fastai's three processes hold 5 GB.
POLL_S = 2.0
_JPEG = b"\xff\xd8"  # how its files begin
LARGEST_SIDE_PX = 400  # of fastai's pictures: what its lesson makes of downloads before training


@dataclass(frozen=True)
class Bench:
    """Where things lie.

    Attributes:
        work: For snapshots' lists and for what a training writes.
        fastai: The Python of its environment; None when it does not take part.
        weights: The backbone's tensors by timm's names.
    """

    work: Path
    fastai: Path | None
    weights: Path

    def run(self, case: Case, snapshot: LocalSnapshot) -> Outcome:
        """Train once.

        Raises:
            RuntimeError: The program failed; the message has its last words.
        """
        with tempfile.TemporaryDirectory(dir=self.work, prefix="run-") as name:
            folder = Path(name)
            command = self._command(case, snapshot, folder)
            environment = inherited_environment()
            if not case.program.startswith(FASTAI):
                environment["PYTHONPATH"] = str(ROOT)
            before_s = _busy_s()
            ended = launch(command, environment, LIMIT_S, folder / "log.txt", POLL_S)
            others = max(0.0, _busy_s() - before_s - ended.cpu_s) / ended.seconds
        said = {name: value for name, value in ended.said.items() if name in _SAID}
        # A second training is part of neither the first nor of the start.
        start_s = ended.seconds - said["seconds"] - (said.get("again_s") or 0.0)
        return Outcome(case=case, start_s=start_s, peak_mb=ended.peak_mb, others=others, **said)

    def _command(self, case: Case, snapshot: LocalSnapshot, folder: Path) -> Sequence[str]:
        listed = folder / "images.json"
        if not case.program.startswith(FASTAI):
            listed.write_bytes(snapshot.manifest.to_bytes())
            script = [sys.executable, "-m", "benchmarks.training.run_ours", case.program]
            return [*script, str(listed), str(snapshot.folder), str(folder), str(case.seed)]
        images = [
            {
                "path": str(self._picture(snapshot, item)),
                "label": item.label,
                "is_valid": item.split is Split.VALID,
            }
            for item in snapshot.items
        ]
        listed.write_text(json.dumps(images))
        script = [str(self.fastai), str(Path(__file__).with_name("run_fastai.py"))]
        epochs = case.program.split()[1]
        return [*script, str(listed), str(self.weights), epochs, str(case.seed)]

    def _picture(self, snapshot: LocalSnapshot, item: Item) -> Path:
        """Return the picture that fastai reads, made when it is not the original.

        Large ones are made smaller, and those that may be transparent get the white ground that
        ours sees them on: fastai would show it whatever colours lie below. Neither is part of its
        time.
        """
        original, path = snapshot.path(item), self.work / "small" / f"{item.sha256}.png"
        if not path.exists():
            data = original.read_bytes()
            image = decode(data)
            if data.startswith(_JPEG) and max(image.size) <= LARGEST_SIDE_PX:
                return original.resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            image.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX))
            with atomic_writer(path) as file:
                image.save(file, format="PNG")
        return path.resolve()


def _busy_s() -> float:
    """Return the processor time that all cores have spent on anything since the machine started."""
    user, nice, system, _idle, _waiting, *interrupts = (
        int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:8]
    )
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


_SAID = {
    "error_rate",
    "seconds",
    "epoch_s",
    "update_s",
    "images_per_s",
    "again_s",
    "phases",
    "again_phases",
}


def write_weights(path: Path) -> Path:
    """Write the tensors that our trainer starts from, by the names that timm gives them."""
    spec = BACKBONES[EFFICIENTNET_LITE0]
    network = spec.build()
    load_weights(network, find_weights(spec, path.parent), by_order=spec.by_order)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return path
