"""Loaded models: each is loaded once, the least recently used one makes room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from server.inference.pool import CpuPool
from server.inference.session import Classifier, load_classifier


@dataclass(frozen=True)
class Bounds:
    """Of the models that are kept.

    Attributes:
        models: How many.
        size_bytes: Memory that they take together.
    """

    models: int
    size_bytes: int


class Registry:
    """Classifiers by the sha256 of their bundle."""

    def __init__(self, pool: CpuPool, threads: int, bounds: Bounds) -> None:
        """Make an empty registry.

        Args:
            pool: Where models are loaded.
            threads: Of one run of a model.
            bounds: Of what is kept.
        """
        self._pool = pool
        self._threads = threads
        self._bounds = bounds
        self._loaded: OrderedDict[str, Classifier] = OrderedDict()
        # One load at a time: two at once would only compete for the same cores.
        self._loading = asyncio.Lock()

    @property
    def loaded_bytes(self) -> int:
        """Memory that the models take that are kept."""
        return sum(one.size_bytes for one in self._loaded.values())

    async def get(self, sha256: str, path: Path) -> Classifier:
        """Return the classifier of the bundle at ``path``, loaded if it is not yet.

        Raises:
            FormatError: The bundle does not follow its format.
            FileNotFoundError: There is none.
        """
        found = self._loaded.get(sha256)
        if found is None:
            async with self._loading:
                found = self._loaded.get(sha256)
                if found is None:
                    found = await self._pool.run(load_classifier, path, self._threads)
                    self._loaded[sha256] = found
                    self._make_room()
        if sha256 in self._loaded:
            self._loaded.move_to_end(sha256)
        return found

    def _make_room(self) -> None:
        """Let the least recently used go until the rest fits, and the newest in any case."""
        while len(self._loaded) > 1 and (
            len(self._loaded) > self._bounds.models or self.loaded_bytes > self._bounds.size_bytes
        ):
            self._loaded.popitem(last=False)
