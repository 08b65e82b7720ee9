"""Real server processes, as a person starts them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from server.config import inherited_environment

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60.0  # far above the second that it takes: shared machines stall
STOP_TIMEOUT_S = 60.0


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """Return the first true answer of ``holds``, asked again and again until the time is over."""
    deadline = time.monotonic() + timeout_s
    while True:
        if answer := holds():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.05)


@dataclass
class ServerProcess:
    """``bowerbird serve`` on a data folder; use it as a context manager.

    Attributes:
        data: The data folder; the server may be stopped and started on it again.
        settings: Further environment.
        has_trainer: Whether it starts its trainer.
        python: The interpreter, and with it the installed packages.
        module: What is run: ``server``, or something that wraps it.
    """

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    has_trainer: bool = True
    python: Path = Path(sys.executable)
    module: str = "server"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The owner's token, as left in the data folder."""
        return (self.data / "token").read_text().strip()

    @property
    def log(self) -> str:
        """All that the server and its trainer have logged."""
        return self._log_file.read_text()

    @property
    def _log_file(self) -> Path:
        # Beside the data folder, which may be too full for it.
        return self.data.with_suffix(".server.log")

    def client(self) -> httpx2.Client:
        """Return an HTTP client that shows the owner's token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.launch()
        wait_until(self._answers, START_TIMEOUT_S, f"the server answers; its log:\n{self.log}")

    def launch(self) -> None:
        """Start the process and do not wait for it."""
        self.data.mkdir(parents=True, exist_ok=True)
        inherited = inherited_environment()
        clean = {k: v for k, v in inherited.items() if not k.startswith("BOWERBIRD_")}
        command = [str(self.python), "-m", self.module, "serve", "--data", str(self.data)]
        command += ["--no-open"]
        command += ["--port", str(self.port)] + ([] if self.has_trainer else ["--no-trainer"])
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**clean, **self.settings}, stdout=log, stderr=log
            )

    def answers_or_ended(self) -> bool:
        """Tell whether the process answers, or has ended by itself."""
        assert self.process is not None
        return self.process.poll() is not None or self._answers()

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log}")
        try:
            return httpx2.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """End the process at once, as a crash would (SIGKILL)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def stop(self) -> int:
        """Ask the process to end (SIGTERM); return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def trainer_pid(self) -> int | None:
        """Return the process id of the server's trainer, if it runs."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        if children.is_file():
            pids = children.read_text().split()
        else:
            listed = subprocess.run(
                ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
            )
            pids = listed.stdout.split()
        return int(pids[0]) if pids else None

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
            self.stop()
