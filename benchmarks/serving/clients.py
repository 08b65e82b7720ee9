"""Clients that ask a server about photos, each the next one when it has its answer.

``python -m benchmarks.serving.clients`` reads one JSON document (`Asking`) and writes one with the
seconds of every answer. Bare sockets and requests that were written before: what clients take is
taken from the server, on the same cores.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_BOUNDARY = "photo-of-a-benchmark"
LIMIT_S = 600.0  # of one call: a server at one answer a second is not worth a figure
_MAX_BODY_BYTES = 1 << 20
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Asking:
    """Who asks what.

    Attributes:
        url: Where photos are sent to.
        headers: Of each request.
        photos: Files, sent in turn.
        clients: How many ask at the same time.
        count: How many answers are waited for in all.
    """

    url: str
    headers: Mapping[str, str]
    photos: Sequence[str]
    clients: int
    count: int


@dataclass
class Answered:
    """What came back.

    Attributes:
        seconds: From the first request to the last answer.
        took_s: Of each answer.
        statuses: How many answers had which status.
        labels: The most probable class by photo, as the program says it.
    """

    seconds: float = 0.0
    took_s: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


def ask(asking: Asking) -> Answered:
    """Ask from a process of its own.

    Raises:
        RuntimeError: A client failed; the message has its last words.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving.clients"],
        input=json.dumps(asdict(asking)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"clients of {asking.url} failed: {done.stderr[-2000:]}")
    return Answered(**json.loads(done.stdout))


def write_request(asking: Asking, photo: bytes) -> bytes:
    """Return the bytes of a request that uploads a photo."""
    part = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    part += "Content-Type: image/jpeg\r\n\r\n"
    body = part.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()
    address = urlsplit(asking.url)
    lines = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc}"]
    lines += [f"{name}: {value}" for name, value in asking.headers.items()]
    lines += [f"Content-Type: multipart/form-data; boundary={_BOUNDARY}"]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def _run(asking: Asking, requests: Sequence[bytes]) -> Answered:
    places = iter(range(asking.count))
    answered, statuses = Answered(), Counter[str]()
    started = time.perf_counter()

    async def client() -> None:
        address = urlsplit(asking.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for place in places:
            photo = place % len(requests)
            sent = time.perf_counter()
            writer.write(requests[photo])
            status, body = await _read_answer(reader)
            answered.took_s.append(time.perf_counter() - sent)
            statuses[status] += 1
            if status == "200":
                answered.labels[str(photo)] = _label(json.loads(body))
        writer.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(asking.clients):
            tasks.create_task(client())
    answered.seconds = time.perf_counter() - started
    answered.statuses = dict(statuses)
    return answered


async def _read_answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = head.split(" ", 2)[1]
    size = next(
        int(line.partition(":")[2])
        for line in head.split("\r\n")
        if line.startswith("content-length:")
    )
    if size > _MAX_BODY_BYTES:
        raise RuntimeError(f"an answer of {size} bytes")
    return status, await reader.readexactly(size)


def _label(document: dict[str, object]) -> str:
    first = document["predictions"][0]  # type: ignore[index]  # pairs, or members with names
    return str(first["label"] if isinstance(first, dict) else first[0])


def main() -> None:
    """Ask as the standard input says."""
    asking = Asking(**json.load(sys.stdin))
    requests = [write_request(asking, Path(photo).read_bytes()) for photo in asking.photos]
    answered = asyncio.run(_run(asking, requests))
    sys.stdout.write(json.dumps(asdict(answered)) + "\n")


if __name__ == "__main__":
    main()
