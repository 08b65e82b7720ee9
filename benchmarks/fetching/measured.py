"""Runs a program and tells what it took: seconds, processor time, memory of all its processes.

Linux only: it reads ``/proc``.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POLL_S = 0.2  # beside runs of several seconds
PROC = Path("/proc")


@dataclass(frozen=True)
class Run:
    """One run of a program.

    Attributes:
        seconds: As the program says: its imports are not in them, whoever it is.
        cpu_s: Processor time of the program and all that it started, its own first imports left
            out alike.
        start_cpu_s: Processor time of those imports.
        peak_mb: Most memory that they held at once, each shared page counted once.
        kept: What it kept, by address or by sha256, where it says so.
    """

    seconds: float
    cpu_s: float
    start_cpu_s: float
    peak_mb: float
    kept: frozenset[str] | None


@dataclass(frozen=True)
class Ended:
    """A program that ended well.

    Attributes:
        said: Its last line, which is JSON.
        seconds: From its start to its end.
        cpu_s: Processor time of the program and all that it started.
        peak_mb: As of `Run`.
    """

    said: dict[str, Any]
    seconds: float
    cpu_s: float
    peak_mb: float


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    limit_s: float,
    log: Path,
    poll_s: float = POLL_S,
) -> Ended:
    """Run a program that ends with a line of JSON.

    Args:
        command: Starts it.
        environment: All of its variables.
        limit_s: After which it is killed.
        log: Where its errors go.
        poll_s: Pause between two looks at its memory; a look at a gigabyte takes 14 ms of a core.

    Raises:
        RuntimeError: It failed, or took longer than ``limit_s``; the message has its last words.
    """
    before, started = os.times(), time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - programs of this benchmark
            command, env=dict(environment), stdout=subprocess.PIPE, stderr=errors, text=True
        )
    watch = MemoryWatch(process.pid, poll_s)
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    finally:
        watch.stop()
    after, seconds = os.times(), time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}: {log.read_text()[-2000:]}")
    cpu_s = after.children_user + after.children_system
    cpu_s -= before.children_user + before.children_system
    return Ended(json.loads(output.strip().splitlines()[-1]), seconds, cpu_s, watch.peak_mb)


def run(command: Sequence[str], environment: Mapping[str, str], limit_s: float, log: Path) -> Run:
    """Run a program that fetches.

    Its line is ``{"seconds": …, "imports_cpu_s": …, "report_cpu_s": …, "kept": […] or null}``, the
    processor times of what it did before, and of what it did afterwards to tell what it kept.

    Raises:
        RuntimeError: As `launch`.
    """
    ended = launch(command, environment, limit_s, log)
    said = ended.said
    cpu_s = ended.cpu_s - said["imports_cpu_s"] - said["report_cpu_s"]
    kept = None if said["kept"] is None else frozenset(said["kept"])
    return Run(said["seconds"], cpu_s, said["imports_cpu_s"], ended.peak_mb, kept)


@dataclass
class MemoryWatch:
    """Watches the memory of a process and its descendants until it is stopped.

    Attributes:
        poll_s: Pause between two looks.
        peak_mb: The most so far, in megabytes (10^6 bytes).
    """

    pid: int
    poll_s: float = POLL_S
    peak_mb: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            total = sum(_read_memory_bytes(pid) for pid in _descendants(self.pid))
            self.peak_mb = max(self.peak_mb, total / 1e6)
            self._over.wait(self.poll_s)


def read_tree_cpu_s(pid: int) -> float:
    """Return the processor time of a process and its descendants, those that ended included."""
    ticks = 0
    for one in _descendants(pid):
        try:
            fields = (PROC / str(one) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended, and its parent has waited for it
        ticks += sum(map(int, fields[11:15]))  # of its own, and of children that ended
    return ticks / os.sysconf("SC_CLK_TCK")


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (parent := _parent_of(folder)) is not None:
            children.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _parent_of(folder: Path) -> int | None:
    try:
        # The name of the program, in brackets, may hold anything.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None  # it has ended


def _read_memory_bytes(pid: int) -> int:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
