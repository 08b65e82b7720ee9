"""The phases of a job: timed, and told of. May import the contract's ``training``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from server.contract.training import TrainingStage

Tell = Callable[[str, int, int], None]
Show = Callable[[tuple[TrainingStage, ...]], None]


def show_nobody(_stages: tuple[TrainingStage, ...]) -> None:
    """Keep the curves of a training for its bundle alone."""


@dataclass
class Clock:
    """Seconds by phase, and the listeners that hear of progress and see the curves."""

    tell: Tell
    show: Show = show_nobody
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """Time the block as phase ``name``; yields what takes (done, total)."""
        started = time.monotonic()
        self.tell(name, 0, 0)
        yield lambda done, total: self.tell(name, done, total)
        self.seconds[name] = time.monotonic() - started
