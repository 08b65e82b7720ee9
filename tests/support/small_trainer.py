"""A trainer of a tiny network that a file holds still: how tests reach a moment of a training.

``python -m tests.support.small_trainer …`` takes the options of ``python -m trainer``, with
``STEPS_FILE`` in the environment: there it notes each step that it tells of, a line each. While the
file of the same name that ends in ``.hold`` names a step, the work stands still there. All but the
network, its pace and how often it is kept is the product's own.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

from server.config import inherited_environment
from tests.support.tiny_network import tiny_backbone
from trainer.__main__ import main
from trainer.backbones import loading
from trainer.fine_tuning import loop
from trainer.heartbeat import Heartbeat

ENVIRONMENT: Final = "STEPS_FILE"
HEARD: Final = "heard of the end"
_POLL_S = 0.02


class _Steps:
    """Notes steps, and waits where it is told to."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._hold = file.with_suffix(".hold")

    def reach(self, step: str, heartbeat: Heartbeat) -> None:
        """Note the step, and stand still while the other file names it."""
        self._note(step)
        has_heard = False
        while self._is_held(step):
            if heartbeat._stopped and not has_heard:
                self._note(HEARD)
                has_heard = True
            time.sleep(_POLL_S)

    def _note(self, line: str) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def _is_held(self, step: str) -> bool:
        try:
            return self._hold.read_text(encoding="utf-8") == step
        except FileNotFoundError:
            return False


def _wrap(steps: _Steps) -> None:
    tell = Heartbeat.tell

    def tell_and_wait(self: Heartbeat, phase: str, done: int, total: int) -> None:
        tell(self, phase, done, total)
        steps.reach(f"{phase} {done}", self)

    Heartbeat.tell = tell_and_wait  # type: ignore[method-assign]
    loading.load_backbone = lambda *_: tiny_backbone()
    loop._SAVE_EVERY_S, loop._SAVE_SHARE = 0.0, float("inf")


if __name__ == "__main__":
    _wrap(_Steps(Path(inherited_environment()[ENVIRONMENT])))
    sys.exit(main())
