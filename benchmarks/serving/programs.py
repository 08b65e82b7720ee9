"""Programs that serve the model, each a process of its own, and what they take meanwhile.

Linux only: it reads ``/proc``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from benchmarks.fetching.measured import MemoryWatch, read_tree_cpu_s
from benchmarks.serving.clients import Answered, Asking, ask
from benchmarks.serving.material import Material
from server.config import inherited_environment
from tests.support.processes import free_port

OURS = "this server"
FASTAI = "fastai behind Starlette"
LITSERVE = "LitServe with torch"
START_LIMIT_S = 180.0  # fastai's imports take 10 s on a quiet machine
STOP_LIMIT_S = 30.0
MEMORY_POLL_S = 0.5
_POLL_S = 0.02
ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Program:
    """How a program is started.

    Attributes:
        command: Starts it.
        port: Where it will listen.
        path: Where photos are sent to.
        headers: Of each request.
    """

    name: str
    command: Sequence[str]
    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where photos are sent to."""
        return f"http://127.0.0.1:{self.port}{self.path}"


@dataclass(frozen=True)
class Load:
    """What came of so many clients.

    Attributes:
        answered: Times and statuses.
        cpu_ms: Processor time of the program, an answer.
    """

    answered: Answered
    cpu_ms: float


@dataclass(frozen=True)
class Round:
    """What came of one start of a program.

    Attributes:
        cold_s: From its start to its first answer.
        peak_mb: Most memory that its processes held at once.
        loads: By how many clients asked.
    """

    cold_s: float
    peak_mb: float
    loads: Mapping[int, Load]


def ours(material: Material, work: Path) -> Program:
    """Return our server on a fresh copy of the data folder, with its defaults."""
    data = work / "ours"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(material.data, data)
    port = free_port()
    command = [sys.executable, "-m", "server", "serve", "--data", str(data)]
    command += ["--port", str(port), "--no-trainer", "--no-open"]
    token = (data / "token").read_text().strip()
    return Program(OURS, command, port, "/api/v1/classify", {"Authorization": f"Bearer {token}"})


def fastai(material: Material, python: Path) -> Program:
    """Return the lesson's app."""
    port = free_port()
    command = [str(python), str(HERE / "run_fastai.py"), str(material.described), str(port)]
    return Program(FASTAI, command, port, "/classify")


def litserve(material: Material, python: Path) -> Program:
    """Return LitServe."""
    port = free_port()
    command = [str(python), str(HERE / "run_litserve.py"), str(material.described), str(port)]
    return Program(LITSERVE, command, port, "/classify")


def has_package(python: Path | None, package: str) -> bool:
    """Tell whether an environment has a package."""
    if python is None or not python.exists():
        return False
    looking = f"import importlib.util, sys; sys.exit(not importlib.util.find_spec({package!r}))"
    done = subprocess.run([str(python), "-c", looking], check=False)  # noqa: S603 - our own words
    return done.returncode == 0


def measure(
    program: Program, photos: Sequence[Path], counts: Mapping[int, int], log: Path
) -> Round:
    """Start a program, let clients ask, stop it.

    Args:
        program: Which.
        photos: Sent in turn.
        counts: How many answers, by how many clients.
        log: Where its errors go.

    Raises:
        RuntimeError: It did not start; the message has its last words.
    """
    started = time.perf_counter()
    with _running(program, log) as process:
        _wait_for_answer(program, photos[0], process, log)
        cold_s = time.perf_counter() - started
        watch = MemoryWatch(process.pid, MEMORY_POLL_S)
        try:
            _ask(program, photos, clients=2, count=len(photos))
            loads = {
                clients: _load(program, photos, process.pid, clients, count)
                for clients, count in counts.items()
            }
        finally:
            watch.stop()
    return Round(cold_s, watch.peak_mb, loads)


def _load(program: Program, photos: Sequence[Path], pid: int, clients: int, count: int) -> Load:
    before_s = read_tree_cpu_s(pid)
    answered = _ask(program, photos, clients, count)
    return Load(answered, 1000 * (read_tree_cpu_s(pid) - before_s) / count)


def _ask(program: Program, photos: Sequence[Path], clients: int, count: int) -> Answered:
    return ask(Asking(program.url, program.headers, [str(p) for p in photos], clients, count))


@contextmanager
def _running(program: Program, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    clean = {k: v for k, v in inherited_environment().items() if not k.startswith("BOWERBIRD_")}
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - programs of this benchmark
            program.command,
            cwd=ROOT,
            env=clean,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # LitServe's workers outlive it, each with a gigabyte.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for_answer(
    program: Program, photo: Path, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Send a photo again and again until it is answered."""
    deadline = time.monotonic() + START_LIMIT_S
    files = {"file": ("a.jpg", photo.read_bytes(), "image/jpeg")}
    with httpx2.Client(headers=dict(program.headers), trust_env=False, timeout=60) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.post(program.url, files=files).is_success:
                    return
            except httpx2.TransportError:
                pass  # it does not listen yet
            time.sleep(_POLL_S)
    raise RuntimeError(f"{program.name} did not start: {log.read_text()[-2000:]}")
