"""The trainer as a child process: started with the server, started again when it dies.

The server never imports the trainer: it starts ``python -m trainer``, which works over the same
REST API as a trainer on another machine.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]  # where the package lies beside the trainer's
FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 60.0  # a trainer that cannot start is tried once a minute, and said so in the log
SETTLED_S = 60.0  # one that ran this long was well; the next pause is short again
STOP_S = 10.0  # to finish a batch and write the features it has
WORKER_NAME = "beside-the-server"


class TrainerState(StrEnum):
    """How the trainer beside the server is."""

    OFF = "off"  # not wanted: --no-trainer
    MISSING = "missing"  # its packages are not installed
    RUNNING = "running"
    STOPPED = "stopped"  # ended, and to be started again in a moment


@dataclass(frozen=True)
class TrainerCommand:
    """How to start the trainer.

    Attributes:
        server_url: Where it finds the server.
        token: What it shows there; handed over in the environment, which other users cannot read.
        work: The folder for its blobs and features.
    """

    server_url: str
    token: str
    work: Path

    @property
    def arguments(self) -> list[str]:
        """Return the command line."""
        options = {
            "--server": self.server_url,
            "--work": str(self.work),
            "--name": WORKER_NAME,
            "--parent-pid": str(os.getpid()),
        }
        # -P: a trainer.py in the folder where the server was started is the person's, not ours.
        parts = (part for option in options.items() for part in option)
        return [sys.executable, "-P", "-m", "trainer", *parts]

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Return the child's environment: it finds the trainer that belongs to this server."""
        path = os.pathsep.join(part for part in (str(ROOT), inherited.get("PYTHONPATH")) if part)
        return {**inherited, "PYTHONPATH": path, "BOWERBIRD_TOKEN": self.token}


class TrainerProcess:
    """Keeps one trainer running."""

    def __init__(
        self,
        command: TrainerCommand,
        environment: Mapping[str, str],
        tell: Callable[[TrainerState], None],
    ) -> None:
        """Keep what the loop needs.

        Args:
            command: How to start it.
            environment: The server's own, to hand on.
            tell: Called with each change of the state.
        """
        self._command = command
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._environment = command.environment(environment)

    async def run(self) -> None:
        """Start the trainer, and start it again whenever it ends, until cancelled or stopped."""
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            if time.monotonic() - started >= SETTLED_S:
                pause_s = FIRST_PAUSE_S
            log.warning("trainer.ended", extra={"code": code, "again_in_s": pause_s})
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)

    async def _run_once(self) -> int | None:
        """Run the trainer to its end; return its exit code, None when it could not be started."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command.arguments, env=self._environment
            )
        except OSError:
            # No memory or no process to be had now: no reason to stop serving.
            log.exception("trainer.not_started")
            return None
        log.info("trainer.started", extra={"pid": process.pid})
        self._tell(TrainerState.RUNNING)
        try:
            return await process.wait()
        finally:
            self._tell(TrainerState.STOPPED)
            await _stop(process)

    def stop(self) -> None:
        """Ask the trainer to end, and start no other: before the server is out of its reach."""
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
