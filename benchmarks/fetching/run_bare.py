"""The bare limit: fetch, decode once to a 256-px thumbnail, keep nothing.

``python run_bare.py URLS decode|encode``: with ``encode`` the thumbnail becomes a JPEG as well.
"""

from __future__ import annotations

import asyncio
import io
import json
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import aiohttp
from PIL import Image

IN_FLIGHT = 64
THREADS = 2
SIDE_PX = 256


def draw_small(body: bytes, *, encode: bool) -> None:
    """Decode at the least scale that the thumbnail can be made from."""
    with Image.open(io.BytesIO(body)) as image:  # noqa: TID251 - bytes of our own site
        image.draft("RGB", (SIDE_PX, SIDE_PX))
        image.thumbnail((SIDE_PX, SIDE_PX))
        if encode:
            image.convert("RGB").save(io.BytesIO(), "JPEG", quality=80)


async def fetch_all(urls: list[str], *, encode: bool) -> float:
    """Fetch all addresses; return the seconds."""
    loop = asyncio.get_running_loop()
    waiting = iter(urls)
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT, ssl=ssl.create_default_context())
    draw = partial(draw_small, encode=encode)
    with ThreadPoolExecutor(THREADS) as pool:
        async with aiohttp.ClientSession(connector=connector) as session:

            async def work() -> None:
                for url in waiting:
                    with suppress(OSError, aiohttp.ClientError):  # what no image can be had of
                        async with session.get(url) as response:
                            body = await response.read()
                        await loop.run_in_executor(pool, draw, body)

            started = time.perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for _ in range(IN_FLIGHT):
                    tasks.create_task(work())
            return time.perf_counter() - started


if __name__ == "__main__":
    addresses = Path(sys.argv[1]).read_text().split()
    imports_cpu_s = time.process_time()
    took_s = asyncio.run(fetch_all(addresses, encode=sys.argv[2] == "encode"))
    said = {"seconds": took_s, "imports_cpu_s": imports_cpu_s, "report_cpu_s": 0.0, "kept": None}
    sys.stdout.write(json.dumps(said) + "\n")
