"""The peers, each in an environment of its own: their requirements do not go with ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

INSTALL_TIMEOUT_S = 1800  # fastai brings torch: gigabytes
FASTAI = ("fastai>=2.8,<2.9", "torch>=2.9,<2.15", "torchvision>=0.24,<0.30")
IMG2DATASET = ("img2dataset>=1.47,<2",)


@dataclass(frozen=True)
class Environments:
    """The Python of each peer."""

    fastai: Path
    img2dataset: Path


def prepare(build: Path, tell: Callable[[str], None]) -> Environments:
    """Make the environments that are not there yet.

    Args:
        build: Where they go.
        tell: Called with what takes long.
    """
    return Environments(
        _environment(build / "fastai", FASTAI, tell),
        _environment(build / "img2dataset", IMG2DATASET, tell),
    )


def _environment(folder: Path, packages: tuple[str, ...], tell: Callable[[str], None]) -> Path:
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        tell(f"installing {packages[0]}")
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", *packages])
        done.touch()
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_TIMEOUT_S)  # noqa: S603 - our own words
