"""The files of a snapshot beside its row: deleted with it, and found when it is gone.

May import ``server.exports.listing``.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from server.exports.listing import Shelves, SnapshotFiles

# Ids are ULIDs, in letters and digits alone: nothing else in these folders is a snapshot's.
_ID: Final = re.compile(r"[0-9A-Z]{26}")
# An hour: no snapshot takes so long to be made, whose files are there before its row.
_ABANDONED_S: Final = 3600.0


class SnapshotLeftovers:
    """Deletes the files of snapshots.

    Args:
        shelves: Where they lie.
    """

    def __init__(self, shelves: Shelves) -> None:
        self._root = shelves.snapshots
        self._cache = shelves.cache
        self._files = SnapshotFiles(shelves.snapshots)

    def delete(self, snapshot_id: str) -> None:
        """Delete all files of a snapshot whose row is gone; none need be there.

        Raises:
            OSError: One cannot be deleted.
        """
        self.delete_derived(snapshot_id)
        self._files.delete(snapshot_id)

    def delete_derived(self, snapshot_id: str) -> None:
        """Delete what says where a snapshot's images come from, and all that was made of that.

        Raises:
            OSError: One cannot be deleted.
        """
        for folder in self._cache.glob(f"{snapshot_id}-*"):
            shutil.rmtree(folder)
        self._files.provenance(snapshot_id).unlink(missing_ok=True)

    def list_ids(self, older_than_s: float = _ABANDONED_S) -> Sequence[str]:
        """Return the snapshots of which there are files that are not young.

        Args:
            older_than_s: Younger ones may be of a snapshot that is not recorded yet.
        """
        oldest = time.time() - older_than_s
        found = set()
        for folder in (self._root, self._cache):
            for path in folder.iterdir():
                match = _ID.match(path.name)
                if match is not None and _is_older(path, oldest):
                    found.add(match[0])
        return sorted(found)


def _is_older(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime <= moment
    except FileNotFoundError:
        return False
