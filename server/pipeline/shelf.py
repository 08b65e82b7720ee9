"""The shelf of content-addressed files: blobs and thumbnails, durable a batch at a time.

May import ``server.media``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from server.media.blobs import BlobStore, ThumbnailStore
from server.media.durable import FileSystem
from server.media.verify import Verified


class ContentShelf:
    """Keeps images under their sha256.

    Args:
        blobs: For the bytes.
        thumbnails: For the small pictures; on the same file system.
        folder: A folder of that file system that exists.
    """

    def __init__(self, blobs: BlobStore, thumbnails: ThumbnailStore, folder: Path) -> None:
        self._blobs = blobs
        self._thumbnails = thumbnails
        self._file_system = FileSystem(folder)
        self._is_doubtful = False  # a sync failed: what the system shows may not be on disk

    def keep(self, data: bytes, verified: Verified) -> None:
        """Write both files; not durable yet.

        Raises:
            OSError: The disk is full or fails.
        """
        self._thumbnails.put(verified.thumbnail, verified.sha256, anew=self._is_doubtful)
        self._blobs.put(data, verified.sha256, anew=self._is_doubtful)

    def make_durable(self, digests: Sequence[str]) -> None:
        """Return once the files of these images survive a power failure.

        Raises:
            OSError: The disk is full or fails.
        """
        stores = (self._thumbnails, self._blobs)
        paths = [store.path(digest) for digest in digests for store in stores]
        try:
            self._file_system.make_durable(paths)
        except OSError:
            # Linux calls pages clean after it failed to write them, and says so only this once.
            self._is_doubtful = True
            raise

    def close(self) -> None:
        """Let go of the file system."""
        self._file_system.close()
