"""Real trainer processes, one or several, beside a server that starts none."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from server.config import inherited_environment
from tests.support import small_trainer
from tests.support.processes import ROOT, STOP_TIMEOUT_S, ServerProcess, wait_until

STEP_TIMEOUT_S = 90.0  # a trainer loads torch first, which takes seconds on a quiet machine


@dataclass
class TrainerProcess:
    """A small trainer (see ``tests.support.small_trainer``); use it as a context manager.

    Attributes:
        server: Whose jobs it does.
        work: Its folder.
        name: Its name.
        notes: Folder of its log and of the steps that it has told of.
    """

    server: ServerProcess
    work: Path
    name: str
    notes: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        """All that it has logged, in all its lives."""
        return self._beside(".log").read_text()

    @property
    def steps(self) -> list[str]:
        """All steps that it has told of, such as ``fine-tune 3``, in all its lives."""
        file = self._beside(".steps")
        return file.read_text().splitlines() if file.is_file() else []

    def hold_at(self, step: str) -> None:
        """Have it stand still at this step from now on."""
        part = self._beside(".part")
        part.write_text(step)
        part.rename(self._beside(".hold"))

    def let_go(self) -> None:
        """Have it go on."""
        self._beside(".hold").unlink(missing_ok=True)

    def wait_for(self, step: str, before: int = 0) -> None:
        """Wait until it has told of a step, later than its first ``before`` ones."""
        wait_until(
            lambda: step in self.steps[before:], STEP_TIMEOUT_S, f"{self.name} reaches {step}"
        )

    def wait_for_event(self, event: str, before: int = 0) -> None:
        """Wait until it has logged an event, behind the first ``before`` characters of its log."""
        wait_until(
            lambda: f'"{event}"' in self.log[before:], STEP_TIMEOUT_S, f"{self.name} logs {event}"
        )

    def start(self) -> None:
        """Start the process; it asks for a job until there is a server."""
        command = [sys.executable, "-m", small_trainer.__name__, "--server", self.server.url]
        command += ["--work", str(self.work), "--name", self.name]
        inherited = inherited_environment()
        environment = {k: v for k, v in inherited.items() if not k.startswith("BOWERBIRD_")}
        environment |= {
            "BOWERBIRD_TOKEN": self.server.token,
            "BOWERBIRD_TRAINER__THREADS": "1",  # one: the same to the bit
            "BOWERBIRD_TRAINER__BATCH_SIZE": "4",
            "BOWERBIRD_TRAINER__MAX_BACKOFF_S": "0.5",
            small_trainer.ENVIRONMENT: str(self._beside(".steps")),
        }
        with self._beside(".log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def _beside(self, ending: str) -> Path:
        # Not in the folder, whose disk may be full.
        return self.notes / f"{self.name}{ending}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
