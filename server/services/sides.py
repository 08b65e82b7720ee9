"""Which bytes a snapshot has on each side of its split, read from its manifest.

A manifest never changes, so what was read of it is kept: the last ones that were asked for.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.contract.snapshot import Split
from server.services.snapshots import SnapshotService

# Canonical JSON has its keys in order, and no text in it has a quote that is not escaped. So this
# reads 100,000 items in a tenth of the time that parsing them takes.
_ITEM: Final = re.compile(rb'"sha256":"([0-9a-f]{64})","split":"(train|valid)"')
_MOST_KEPT: Final = 4  # some 7 MB each at 100,000 images: two snapshots, both sides


@dataclass(frozen=True)
class SideOf:
    """A side of a snapshot; without one, the whole of it."""

    snapshot_id: str
    split: Split | None


class SideService:
    """Tell which bytes are on a side of a snapshot."""

    def __init__(self, snapshots: SnapshotService) -> None:
        """Keep who knows where manifests lie."""
        self._snapshots = snapshots
        self._kept: OrderedDict[SideOf, str] = OrderedDict()

    async def list_members(self, side: SideOf) -> str:
        """Return the sha256 of the side's blobs as a JSON list, as SQL takes them.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            SnapshotDamagedError: Its manifest is gone.
        """
        path, _ = await self._snapshots.get_manifest(side.snapshot_id)
        if side in self._kept:
            self._kept.move_to_end(side)
            return self._kept[side]
        members = await asyncio.to_thread(_read, path, side.split)
        self._kept[side] = members
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return members


def _read(path: Path, split: Split | None) -> str:
    wanted = None if split is None else split.value.encode()
    found = _ITEM.findall(path.read_bytes())
    return json.dumps([digest.decode() for digest, side in found if wanted in {None, side}])
