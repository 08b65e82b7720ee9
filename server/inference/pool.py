"""The one pool of threads for CPU work: decoding, hashing, inference.

Pillow, hashlib and onnxruntime release the GIL, so threads
suffice; the pool is bounded, and what waits for it is bounded by its callers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from server.niceness import stand_back

Params = ParamSpec("Params")
Result = TypeVar("Result")


class CpuPool:
    """Runs blocking functions off the event loop."""

    def __init__(self, threads: int, niceness: int = 0) -> None:
        """Make the pool; its threads start when first used.

        Args:
            threads: How many run at once.
            niceness: How far they stand back behind other threads for a processor.
        """
        self._executor = ThreadPoolExecutor(
            threads, "cpu", initializer=stand_back, initargs=(niceness,)
        )

    async def run(
        self, function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Return ``function(*args, **kwargs)``, computed in the pool; its errors are raised."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)
