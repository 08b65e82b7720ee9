"""A site of synthetic photos on loopback, as a process of its own: ``python loopback_site.py``.

Prints ``127.0.0.1:<port> <mean bytes of a picture>`` when it listens; serves
``/<round>/<number>.jpg`` until it is terminated. Imports nothing of the project.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import sys
from collections.abc import Sequence

import numpy as np
from aiohttp import web
from PIL import Image

PICTURE_COUNT = 20  # different pictures; a comment makes each address's bytes its own
WIDTH_PX, HEIGHT_PX = 1024, 768
GRAIN = 6.0  # standard deviation of the noise that makes a picture some 170 KB
JPEG_QUALITY = 85
COMMENT = b"\xff\xfe"  # JPEG's marker; its length counts itself


def draw_pictures() -> list[bytes]:
    """Return synthetic photos as JPEG: soft shapes with grain, the same in every run."""
    random = np.random.default_rng(42)
    pictures = []
    for _ in range(PICTURE_COUNT):
        coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        soft = np.asarray(coarse.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC))
        grain = random.normal(0, GRAIN, (HEIGHT_PX, WIDTH_PX, 1))
        file = io.BytesIO()
        picture = Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))
        picture.save(file, "JPEG", quality=JPEG_QUALITY)
        pictures.append(file.getvalue())
    return pictures


def with_comment(jpeg: bytes, text: str) -> bytes:
    """Return the same picture in other bytes."""
    comment = text.encode("ascii")
    return jpeg[:2] + COMMENT + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


async def serve(pictures: Sequence[bytes]) -> None:
    """Serve the pictures on a free port, for ever."""

    async def answer(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        body = with_comment(pictures[number % len(pictures)], request.path)
        return web.Response(body=body, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get(r"/{round}/{number:\d+}.jpg", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    sys.stdout.write(f"127.0.0.1:{port} {statistics.mean(map(len, pictures)):.0f}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(draw_pictures()))
