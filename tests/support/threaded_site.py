"""The hostile site of `tests.support.site` beside a test that is not asynchronous itself."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.site import Handler, Site

START_TIMEOUT_S = 60.0


@contextmanager
def threaded_site(
    routes: Mapping[str, Handler], ssl_context: ssl.SSLContext | None = None
) -> Iterator[Site]:
    """Serve the routes from a loop in a thread of its own."""
    site = Site(routes, ssl_context=ssl_context)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stopping = asyncio.Event()

    async def serve() -> None:
        async with site:
            started.set()
            await stopping.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(START_TIMEOUT_S), "the site did not start"
    try:
        yield site
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
