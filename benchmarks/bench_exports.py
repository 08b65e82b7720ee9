"""How fast a large dataset is frozen and taken away, beside the system's own tools.

Run ``python -m benchmarks.bench_exports`` from a checkout: a Markdown table goes to stdout. Blobs
are of random bytes and so are their looks: nothing here decodes them. Each figure is beside what
``sha256sum``, ``zip -0`` and ``tar`` take for the same files on the same machine. May import
``server.main``.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import insert

from server.assembly import Parts, build
from server.config import load_settings
from server.db.ids import new_ids
from server.db.models import BlobRecord, ImageRecord, ImageStatus, LabelRecord, ObtainedBy
from server.main import create_server_app
from server.services.access import TokenKind
from server.services.freezing import SplitRequest
from server.services.intake import to_signed

LABELS = 10
ROWS = 5_000
START_S = 20.0
HASH_ALL = "find . -type f -print0 | xargs -0 sha256sum"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def make_blobs(folder: Path, count: int, mean_bytes: int) -> list[dict[str, Any]]:
    """Write blobs of random bytes and return their rows."""
    chance = random.Random(count)  # noqa: S311 - the same each time
    rows = []
    for _ in range(count):
        data = chance.randbytes(chance.randrange(mean_bytes // 2, 3 * mean_bytes // 2))
        sha256 = hashlib.sha256(data).hexdigest()
        path = folder / sha256[:2] / sha256
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        rows.append(
            {
                "sha256": sha256,
                "bytes": len(data),
                "width": 64,
                "height": 64,
                "format": "jpeg",
                "dhash": to_signed(chance.getrandbits(64)),
                "phash": to_signed(chance.getrandbits(64)),
                "near_group": sha256,
                "created_at": NOW,
            }
        )
    return rows


async def fill(parts: Parts, rows: list[dict[str, Any]]) -> str:
    """Make a dataset of the blobs; return its id."""
    dataset = (await parts.services.datasets.create("large", "")).record
    labels = new_ids(LABELS)
    images = [
        {
            "id": image_id,
            "dataset_id": dataset.id,
            "label_id": labels[place % LABELS],
            "url_key": f"upload:{row['sha256']}",
            "source_url": f"https://example.org/page/{place // 3}",
            "status": ImageStatus.READY,
            "sha256": row["sha256"],
            "obtained_by": ObtainedBy.UPLOAD,
            "attempts": 0,
            "excluded": False,
            "created_at": NOW,
        }
        for place, (image_id, row) in enumerate(zip(new_ids(len(rows)), rows, strict=True))
    ]
    async with parts.services.datasets._database.write() as session:  # noqa: SLF001 - filled past the rules
        names = [
            {"id": label, "dataset_id": dataset.id, "name": f"label {n}", "created_at": NOW}
            for n, label in enumerate(labels)
        ]
        await session.execute(insert(LabelRecord), names)
        for start in range(0, len(rows), ROWS):
            await session.execute(insert(BlobRecord), rows[start : start + ROWS])
            await session.execute(insert(ImageRecord), images[start : start + ROWS])
    return dataset.id


def system(command: str, folder: Path) -> float:
    """Return the seconds that a command of the shell takes in a folder."""
    started_s = time.perf_counter()
    subprocess.run(command, shell=True, check=True, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S602
    return time.perf_counter() - started_s


async def measure(data: Path, count: int, mean_bytes: int, repeats: int) -> list[tuple[str, str]]:
    """Return rows of the table."""
    settings = load_settings(data=data, training={"enabled": False})
    blobs = data / "blobs"
    blobs.mkdir(parents=True)
    rows = make_blobs(blobs, count, mean_bytes)
    found: list[tuple[str, str]] = []
    async with build(settings) as parts:
        dataset = await fill(parts, rows)
        del rows
        # As a server that runs has done since its start.
        await parts.services.snapshots._looks.group_new()  # noqa: SLF001 - of no service's routes
        for turn in range(repeats):
            base_s = system(HASH_ALL, blobs)
            started_s = time.perf_counter()
            record = await parts.services.snapshots.create(dataset, SplitRequest())
            ours_s = time.perf_counter() - started_s
            found.append(
                (
                    f"snapshot {turn + 1}",
                    f"{ours_s:.2f} s | sha256sum {base_s:.2f} s | {ours_s / base_s:.2f} as long",
                )
            )
        found += await measure_exports(parts, record.id, blobs, data, repeats)
        found.append(
            ("counts", f"{record.counts['total']} images | {record.counts['groups']} groups |")
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found.append(("memory, highest", f"{peak:.0f} MiB | |"))
    return found


@dataclass(frozen=True)
class Compared:
    """What one thing took, and what a tool took for the same files just before."""

    name: str
    tool: str
    ours_s: float
    tool_s: float

    @property
    def speed_ratio(self) -> float:
        """Return our speed as a share of the tool's."""
        return self.tool_s / self.ours_s


def compare_exports(
    address: str, token: str, blobs: Path, out: Path, repeats: int
) -> list[Compared]:
    """Fetch exports from a server to a file, beside the tools that write such a file.

    Args:
        address: Of the snapshot's exports, up to the format.
        token: Of the server.
        blobs: The folder with the files that the exports hold.
        out: Begins the names of the files that are written, and removed again.
        repeats: How often, turn by turn.
    """
    tools = {
        "folder": ("zip -0", f"zip -0 -q -r {out}.system .", "zip"),
        "webdataset": ("tar", f"tar cf {out}.system .", "tar"),
    }
    found = []
    for wanted, (tool, command, program) in tools.items():
        for _ in range(repeats if shutil.which(program) else 0):
            base_s = system(f"rm -f {out}.system && {command}", blobs)
            ours_s = system(_fetch(f"{address}{wanted}", token, out), blobs)
            found.append(Compared(wanted, tool, ours_s, base_s))
    found += _beside_tar_of_its_files(f"{address}webdataset", token, blobs, out, repeats)
    system(f"rm -f {out}.system {out}.ours", blobs)
    return found


def _beside_tar_of_its_files(
    address: str, token: str, blobs: Path, out: Path, repeats: int
) -> list[Compared]:
    """Compare a tar of ours, the last that was fetched, with ``tar`` of the files that are in it.

    They are three for each image: the picture, its label, and what is known of it.
    """
    files = out.with_name(f"{out.name}.files")
    if repeats == 0 or shutil.which("tar") is None:
        return []
    files.mkdir()
    found = []
    try:
        system(f"tar xf {out}.ours", files)
        for _ in range(repeats):
            base_s = system(f"rm -f {out}.system && tar cf {out}.system .", files)
            ours_s = system(_fetch(address, token, out), blobs)
            found.append(Compared("webdataset, beside the files in it", "tar", ours_s, base_s))
    finally:
        shutil.rmtree(files)
    return found


def _fetch(address: str, token: str, out: Path) -> str:
    return f"curl -sSf -H 'Authorization: Bearer {token}' -o {out}.ours '{address}'"


async def measure_exports(
    parts: Parts, snapshot_id: str, blobs: Path, data: Path, repeats: int
) -> list[tuple[str, str]]:
    """Return rows of the table: over HTTP to a file, beside the tools that write such a file."""
    token, _ = await parts.services.access.create("bench", TokenKind.API)
    settings = load_settings(data=data, training={"enabled": False})
    app = create_server_app(parts, settings, None)
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(START_S):
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}/api/v1/snapshots/{snapshot_id}/export?format="
    out = data / "out"
    compared = await asyncio.to_thread(compare_exports, address, token, blobs, out, repeats)
    found = []
    for each in compared:
        beside = f"{each.tool} {each.tool_s:.2f} s | {each.speed_ratio:.0%} of its speed"
        found.append((each.name, f"{each.ours_s:.2f} s | {beside}"))
    for wanted in ("csv", "parquet", "datasheet"):
        first_s = await asyncio.to_thread(system, _fetch(f"{address}{wanted}", token, out), blobs)
        found.append((wanted, f"{first_s:.2f} s, the first time | |"))
    server.should_exit = True
    await serving
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--mean-bytes", type=int, default=8_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="On the disk to measure.")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=wanted.folder))
    try:
        found = asyncio.run(
            measure(folder / "data", wanted.count, wanted.mean_bytes, wanted.repeats)
        )
    finally:
        shutil.rmtree(folder)
    for name, value in found:
        sys.stdout.write(f"| {name} | {value} |\n")


if __name__ == "__main__":
    main()
