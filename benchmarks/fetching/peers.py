"""The peers, each in an environment of its own: their requirements do not go with ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

INSTALL_TIMEOUT_S = 1800  # fastai brings torch: gigabytes
# timm: where fastai takes the network EfficientNet-Lite0 from.
FASTAI = ("fastai>=2.8,<2.9", "torch>=2.9,<2.15", "torchvision>=0.24,<0.30", "timm>=1.0,<2")
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
        prepare_fastai(build, tell),
        _environment(build / "img2dataset", IMG2DATASET, tell),
    )


def prepare_fastai(build: Path, tell: Callable[[str], None]) -> Path:
    """Return the Python of fastai's environment, made when it is not there yet.

    Args:
        build: Where it goes.
        tell: Called with what takes long.
    """
    return _environment(build / "fastai", FASTAI, tell)


def _environment(folder: Path, packages: tuple[str, ...], tell: Callable[[str], None]) -> Path:
    python = folder / "bin" / "python"
    done, wanted = folder / "installed", "\n".join(packages)
    if not done.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    if not done.exists() or done.read_text() != wanted:
        tell(f"installing {packages[0]}")
        _run([str(python), "-m", "pip", "install", "--quiet", *packages])
        done.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_TIMEOUT_S)  # noqa: S603 - our own words
