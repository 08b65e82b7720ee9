"""Make many new files durable at once. Standard library only.

Measured on ext4 (virtual disk), 400 images of 171 KB with thumbnails of 12 KB in batches of 100,
milliseconds per image in all and of processor:

| | wall | CPU |
|-|-|-|
| nothing made durable | 0.29 | 0.26 |
| each file and folder synced as it is written | 1.80 | 0.79 |
| each file and folder synced at the end of the batch | 1.23 | 0.44 |
| ``sync`` of all file systems at the end of the batch | 0.45 | 0.14 |
| ``syncfs`` of one file system at the end of the batch | 0.22 | 0.13 |

(The rows below the first write into folders that are there by then.) ``syncfs`` exists on Linux
alone; elsewhere files and folders are synced one by one.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final


def _find_syncfs() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):  # a C library without it
        return None
    function.argtypes = [ctypes.c_int]
    function.restype = ctypes.c_int
    return lambda descriptor: int(function(descriptor))


_SYNCFS: Final = _find_syncfs()


class FileSystem:
    """The file system that holds one folder.

    Its folder stays open: Linux tells of a failed write once to each descriptor that was open at
    the time, so one opened afterwards would hear nothing of it.

    Args:
        folder: Must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY)

    def make_durable(self, paths: Iterable[Path]) -> None:
        """Return once these files and their names survive a power failure.

        Args:
            paths: Whole files, on this file system.

        Raises:
            OSError: The disk failed: none of the files may be relied on.
        """
        if _SYNCFS is not None:
            if _SYNCFS(self._descriptor) != 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
            return
        folders: set[Path] = set()
        for path in paths:
            _sync(path)
            folders |= {path.parent, path.parent.parent, path.parent.parent.parent}
        for folder in sorted(folders):
            _sync(folder)

    def close(self) -> None:
        """Close the folder."""
        os.close(self._descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
