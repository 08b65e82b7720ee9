"""The phases of a job: timed, and told of. Standard library only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Tell = Callable[[str, int, int], None]


@dataclass
class Clock:
    """Seconds by phase, and the listener that hears of progress."""

    tell: Tell
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """Time the block as phase ``name``; yields what takes (done, total)."""
        started = time.monotonic()
        self.tell(name, 0, 0)
        yield lambda done, total: self.tell(name, done, total)
        self.seconds[name] = time.monotonic() - started
