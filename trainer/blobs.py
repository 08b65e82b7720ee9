"""Keeps the folder of downloaded blobs below its cap. Standard library only."""

from __future__ import annotations

from pathlib import Path


def trim(folder: Path, max_bytes: int) -> int:
    """Delete the blobs downloaded longest ago until the rest fits.

    Features stay cached, and a blob that is needed once more is fetched once more.

    Args:
        folder: See ``trainer.snapshot.blob_path``.
        max_bytes: Size of all blobs together that may stay.

    Returns:
        The number of deleted blobs.
    """
    files = [(path, path.stat()) for path in folder.glob("*/*") if path.is_file()]
    size = sum(stat.st_size for _, stat in files)
    deleted = 0
    for path, stat in sorted(files, key=lambda entry: entry[1].st_mtime):
        if size <= max_bytes:
            break
        path.unlink(missing_ok=True)
        size -= stat.st_size
        deleted += 1
    return deleted
