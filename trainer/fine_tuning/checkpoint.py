"""A training that can be taken up again after a kill: its state in one file, written whole.

Tensors and numbers alone; nothing else is ever unpickled. May import torch, the contract's
``files`` and ``trainer.failures``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from server.contract.files import atomic_writer
from trainer.failures import is_disk_full

log = logging.getLogger(__name__)

_KEPT_FILES = 2  # 75 to 450 MB each: the running job's, and one of a job that may come back
_ENDING = ".checkpoint"
_TORN_AFTER_S = 600.0  # no disk takes that long to write one


class Checkpoint:
    """Where the state of one training lies.

    Args:
        folder: Of all checkpoints.
        key: Names the training: all that its result depends on.

    Attributes:
        path: Of its file.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self.path = folder / f"{key}{_ENDING}"

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the state, and delete the oldest checkpoints of others.

        Without room on the disk the last state stays: the training is worth more than its copy.
        """
        try:
            self._write(state)
        except (OSError, RuntimeError) as error:  # torch's writer says it in its own words
            if not is_disk_full(error):
                raise
            log.warning("checkpoint.no-room", extra={"path": str(self.path)})

    def _write(self, state: Mapping[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with atomic_writer(self.path) as file:
            torch.save(dict(state), file)
        files = sorted(
            self._folder.glob(f"*{_ENDING}"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        # Half a file of a writer that was killed counts as old too.
        torn = [path for path in self._folder.glob(".*.tmp") if _age_s(path) > _TORN_AFTER_S]
        for path in (*files[_KEPT_FILES:], *torn):
            path.unlink(missing_ok=True)

    def find(self) -> dict[str, Any] | None:
        """Return the state, or None when there is none that can be read."""
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError):
            log.warning("checkpoint.unreadable", extra={"path": str(self.path)}, exc_info=True)
            return None
        return state

    def delete(self) -> None:
        """Forget the training: it is done."""
        self.path.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime
