"""What was measured, one line of JSON a training, so that an interrupted benchmark goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """What is trained once.

    Attributes:
        images: Hash of the snapshot's manifest: pictures, labels and split.
        program: ``head``, ``fine-tune`` or ``fastai N``, N epochs.
    """

    pictures: str
    images: str
    program: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        error_rate: On the validation split, 0..1.
        seconds: From the end of the program's imports to its result.
        start_s: The rest of the process: interpreter, imports, end.
        peak_mb: Most memory that its processes held at once, in 10^6 bytes.
        others: Cores that the rest of the machine used meanwhile, on average.
        epoch_s: Seconds of one pass over the training images, looks at validation included.
        update_s: Seconds of one step of the optimiser.
        images_per_s: Training images that went through the network, in updates; of ``head``: all
            images, from file to features.
        again_s: Of a second training after some labels were changed.
        phases: Seconds by phase, as the program names them.
    """

    case: Case
    error_rate: float
    seconds: float
    start_s: float
    peak_mb: float
    others: float
    epoch_s: float | None = None
    update_s: float | None = None
    images_per_s: float | None = None
    again_s: float | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    again_phases: Mapping[str, float] = field(default_factory=dict)


def read(path: Path) -> dict[Case, Outcome]:
    """Return what is kept; nothing where there is no file."""
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text().splitlines():
        try:
            document = json.loads(line)
        except json.JSONDecodeError:  # the line that was being written when it was interrupted
            continue
        outcome = Outcome(**(document | {"case": Case(**document["case"])}))
        found[outcome.case] = outcome
    return found


def append(path: Path, outcome: Outcome) -> None:
    """Keep an outcome."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("\n" if _is_cut(path) else "")
        file.write(json.dumps(asdict(outcome)) + "\n")


def _is_cut(path: Path) -> bool:
    """Tell whether the last line has no end."""
    data = path.read_bytes()
    return bool(data) and not data.endswith(b"\n")
