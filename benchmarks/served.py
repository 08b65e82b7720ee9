"""A server at work: addresses for it, and what it and the system say of it.

May import `bench_server` and the corpus' site. Linux only where it reads ``/proc``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from bench_server import Running, running_server

NAMES = Path(__file__).with_name("fetching") / "names"
CAPTURE_SIZE = 1000  # the most that the server takes at once
POLL_S = 0.1
_SAMPLE = re.compile(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)


@contextmanager
def serving(data: Path, allowed_hosts: Sequence[str], **settings: str) -> Iterator[Running]:
    """Start a server that may reach these hosts and knows the names of the corpus' site."""
    hosts = ",".join(allowed_hosts)
    with running_server(data, hosts, PYTHONPATH=str(NAMES), **settings) as server:
        yield server


def read_metrics(client: httpx2.Client) -> dict[str, float]:
    """Return the server's metrics: name with labels, value."""
    text = client.get("/metrics").raise_for_status().text
    return {name: float(value) for name, value in _SAMPLE.findall(text)}


def capture(client: httpx2.Client, dataset: str, urls: Sequence[str], key: str) -> None:
    """Queue addresses, in captures of `CAPTURE_SIZE`.

    Args:
        client: Of the server.
        dataset: The dataset's path.
        urls: Any number.
        key: Begins the captures' keys.
    """
    for start in range(0, len(urls), CAPTURE_SIZE):
        body = {
            "capture_key": f"{key}-{start}",
            "label": "picture",
            "captured_at": datetime.now(UTC).isoformat(),
            "candidates": [{"url": url} for url in urls[start : start + CAPTURE_SIZE]],
        }
        client.post(f"{dataset}/captures", json=body).raise_for_status()


def read_status(client: httpx2.Client, dataset: str) -> dict[str, int]:
    """Return how many images stand in each status."""
    status: dict[str, int] = client.get(dataset).raise_for_status().json()["counts"]["status"]
    return status


def wait_drained(client: httpx2.Client, dataset: str, limit_s: float) -> None:
    """Wait until nothing is queued or under way.

    Raises:
        RuntimeError: It took longer than ``limit_s``.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        status = read_status(client, dataset)
        if not status["queued"] and not status["downloading"]:
            return
        time.sleep(POLL_S)
    raise RuntimeError(f"not done in {limit_s:.0f} s: {read_status(client, dataset)}")
