"""The folder of images: ``images/ab/<sha256>.jpg``, with extensions by content.

May import ``server.media``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from server.media.blobs import FileStore
from server.media.durable import FileSystem
from server.media.verify import Verified

_IMAGES: Final = "images"
_THUMBNAILS: Final = "thumbnails"
# Those that every program knows; the other formats are called as their extension is.
_EXTENSIONS: Final = {"jpeg": "jpg", "tiff": "tif"}
# What this module writes: anything else in the folders is the person's own.
_OURS: Final = re.compile(r"(?P<sha256>[0-9a-f]{64})\.[a-z]{3,4}")
_HALF_WRITTEN: Final = re.compile(r"\.[0-9a-f]{16}\.\d+\.\d+\.tmp")


def relative_path(sha256: str, kind: str) -> str:
    """Return where an image lies below the output folder, with forward slashes.

    Args:
        sha256: Of its bytes.
        kind: Its format, as `Verified.format`.
    """
    return f"{_IMAGES}/{sha256[:2]}/{sha256}{_suffix(kind)}"


def _suffix(kind: str) -> str:
    return f".{_EXTENSIONS.get(kind, kind)}"


class ImageFolder:
    """Keeps images for people and programs to read.

    Args:
        root: The output folder; exists.
        has_thumbnails: Keep ``thumbnails/ab/<sha256>.jpg`` beside them.
    """

    def __init__(self, root: Path, *, has_thumbnails: bool) -> None:
        self._root = root
        self.has_thumbnails = has_thumbnails
        self._thumbnails = FileStore(root / _THUMBNAILS, ".jpg") if has_thumbnails else None
        self._file_system = FileSystem(root)
        self._pending: dict[str, Path] = {}  # by sha256: written, not yet durable

    def keep(self, data: bytes, verified: Verified) -> None:
        """Write an image; not durable yet.

        Raises:
            OSError: The disk is full or fails.
        """
        if self._thumbnails is not None:
            self._thumbnails.put(verified.thumbnail, verified.sha256)
        store = FileStore(self._root / _IMAGES, _suffix(verified.format))
        self._pending[verified.sha256] = store.put(data, verified.sha256)

    def make_durable(self, digests: Sequence[str]) -> None:
        """Return once the files of these images survive a power failure.

        Raises:
            OSError: The disk is full or fails.
        """
        # One that is missing was made durable with another address of the same bytes.
        paths = [path for digest in digests if (path := self._pending.pop(digest, None))]
        if self._thumbnails is not None:
            paths += [self._thumbnails.path(digest) for digest in digests]
        self._file_system.make_durable(paths)

    def sweep(self, is_known: Callable[[str], bool]) -> int:
        """Remove what a run that was interrupted left behind; return how many files that were.

        Call it before anything is kept.

        Args:
            is_known: Tells whether an outcome names the image with this sha256.

        Raises:
            OSError: A file cannot be removed.
        """
        removed = 0
        for folder in (_IMAGES, _THUMBNAILS):
            for path in (self._root / folder).glob("??/*"):
                ours = _OURS.fullmatch(path.name)
                is_lost = ours is not None and not is_known(ours["sha256"])
                if is_lost or _HALF_WRITTEN.fullmatch(path.name):
                    path.unlink()
                    removed += 1
        return removed

    def close(self) -> None:
        """Let go of the file system."""
        self._file_system.close()
