"""Loaded models: each is loaded once, the least recently used one makes room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path

from server.inference.pool import CpuPool
from server.inference.session import Classifier, load_classifier


class Registry:
    """Classifiers by the sha256 of their bundle."""

    def __init__(self, pool: CpuPool, threads: int, max_loaded: int) -> None:
        """Make an empty registry.

        Args:
            pool: Where models are loaded.
            threads: Of one run of a model.
            max_loaded: Models kept; bounds the memory.
        """
        self._pool = pool
        self._threads = threads
        self._max_loaded = max_loaded
        self._loaded: OrderedDict[str, Classifier] = OrderedDict()
        # One load at a time: two at once would only compete for the same cores.
        self._loading = asyncio.Lock()

    async def get(self, sha256: str, path: Path) -> Classifier:
        """Return the classifier of the bundle at ``path``, loaded if it is not yet.

        Raises:
            FormatError: The bundle does not follow its format.
        """
        if sha256 not in self._loaded:
            async with self._loading:
                if sha256 not in self._loaded:
                    loaded = await self._pool.run(load_classifier, path, self._threads)
                    self._loaded[sha256] = loaded
                    while len(self._loaded) > self._max_loaded:
                        self._loaded.popitem(last=False)
        self._loaded.move_to_end(sha256)
        return self._loaded[sha256]
