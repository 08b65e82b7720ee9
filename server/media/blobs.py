"""Content-addressed files: verified bytes under their sha256, and thumbnails under their image's.

May import ``server.contract``. Layout ``root/ab/<sha256>``: a million images are some 4,000 entries
a folder. A second level would keep folders smaller, and cost a folder for nearly every one of the
first 65,536 files: a tenth of what it takes to fetch, verify and record an image. A file that is
there is whole: it was written aside, synced, and renamed.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path
from typing import Final

from typing_extensions import override

from server.contract.files import sha256_of, sha256_of_file, write_atomically

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# An hour: no write takes that long, so what is older was left by a process that died.
_ABANDONED_S: Final = 3600.0
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_EXISTING: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)
_PIECE_BYTES: Final = 1 << 20  # of a file that grew, or that the system gives in pieces
_OWNER_ONLY: Final = 0o600  # as `tempfile` has it


class FileStore:
    """Files by sha256 below one folder.

    Args:
        root: The folder; made with the first file.
        suffix: Ends every name (``.jpg``).
    """

    def __init__(self, root: Path, suffix: str = "") -> None:
        self._root = root
        self._prefix = f"{root}{os.sep}"
        self._suffix = suffix

    def path(self, sha256: str) -> Path:
        """Return where a file is or would be.

        Raises:
            ValueError: Not 64 lower-case hexadecimal digits; nothing else ever becomes a path.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is no sha256")
        return self._root / sha256[:2] / f"{sha256}{self._suffix}"

    def exists(self, sha256: str) -> bool:
        """Tell whether the file is there.

        Raises:
            ValueError: As `path`.
        """
        return self.path(sha256).is_file()

    def read(self, sha256: str, likely_bytes: int | None = None) -> bytes:
        """Return a file, whole, in as few calls of the system as there can be.

        For reading many: a Python file object takes twice the time of a small file.

        Args:
            sha256: Its name.
            likely_bytes: Its size as far as is known, so that the system need not be asked.

        Raises:
            ValueError: As `path`.
            OSError: It is not there, or the disk fails.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is no sha256")
        name = f"{self._prefix}{sha256[:2]}{os.sep}{sha256}{self._suffix}"
        return _read_whole(name, likely_bytes)

    def write(self, data: bytes, sha256: str) -> Path:
        """Keep bytes; a name that is there already is left as it is.

        Returns once bytes and name are on disk. Two writers of one name do no harm: each renames a
        whole file.

        Raises:
            ValueError: As `path`.
            OSError: The disk is full or fails.
        """
        path = self.path(sha256)
        if not _renew(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
        return path

    def put(self, data: bytes, sha256: str, *, anew: bool = False) -> Path:
        """Write bytes that are *not* yet durable: call `server.media.durable` before relying on it.

        For writing many: to wait for the disk once for all of them costs a tenth of waiting for
        each. The file is written aside and renamed, so whoever reads it reads all of it; only a
        power failure before it is durable may leave less under its name. So a file that is there
        is compared, and replaced when it is not the same.

        Args:
            data: The whole file.
            sha256: Its name.
            anew: Write it even when it is there: what the system shows may not be on disk.

        Raises:
            ValueError: As `path`.
            OSError: The disk is full or fails.
        """
        path = self.path(sha256)
        if not anew and _holds(path, data) and _renew(path):
            return path
        aside = path.with_name(f".{sha256[:16]}.{threading.get_ident()}.{time.time_ns()}.tmp")
        try:
            _write_new(aside, data)
            aside.rename(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        return path

    def delete(self, sha256: str) -> bool:
        """Remove a file; tell whether it was there.

        Raises:
            ValueError: As `path`.
        """
        try:
            self.path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def flatten(self) -> int:
        """Bring files of the former layout, ``root/ab/cd/<sha256>``, into today's; return how many.

        To be called before anybody else uses the store. Cut short, it goes on the next time: each
        file is in one of the two places.

        Raises:
            OSError: A file cannot be moved.
        """
        moved = 0
        for inner in self._root.glob("??/??"):
            for path in inner.iterdir():
                if path.suffix == ".tmp":
                    path.unlink()
                    continue
                path.rename(inner.parent / path.name)
                moved += 1
            inner.rmdir()
        return moved

    def list_folders(self) -> list[Path]:
        """Return the folders that hold the files, at most 256."""
        return sorted(self._root.glob("??"))

    def list_abandoned(self, folder: Path, older_than_s: float = _ABANDONED_S) -> list[str]:
        """Return the sha256 of each file in one of `list_folders` that is not young.

        Args:
            folder: In a store of a million, it holds 4,000.
            older_than_s: Younger ones may not be recorded yet.
        """
        oldest = time.time() - older_than_s
        found = []
        for path in folder.glob(f"*{self._suffix}"):
            digest = path.name.removesuffix(self._suffix)
            if _SHA256.fullmatch(digest) and _is_older(path, oldest):
                found.append(digest)
        return found

    def delete_abandoned(self, sha256: str, older_than_s: float = _ABANDONED_S) -> bool:
        """Remove a file unless it has become young meanwhile; tell whether it was removed.

        It is taken aside first: whoever relies on it from now on does not find it and writes it
        anew, and whoever did before has made it young, so it is put back.

        Raises:
            ValueError: As `path`.
        """
        path = self.path(sha256)
        aside = path.with_name(f".{path.name}.swept.tmp")
        try:
            path.rename(aside)
            if _is_older(aside, time.time() - older_than_s):
                aside.unlink()
                return True
            aside.rename(path)
        except FileNotFoundError:  # swept by another process in this moment
            pass
        return False

    def sweep_temporary_files(self, older_than_s: float = _ABANDONED_S) -> int:
        """Remove what a process that died left half-written; return how many files that were.

        Args:
            older_than_s: Younger ones may still be written by another process.
        """
        oldest = time.time() - older_than_s
        removed = 0
        for path in self._root.glob("??/.*.tmp"):
            try:
                if path.stat().st_mtime <= oldest:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:  # finished, or swept by another process, in this moment
                continue
        return removed


def _read_whole(name: str, likely_bytes: int | None) -> bytes:
    descriptor = os.open(name, _EXISTING)
    try:
        size = os.fstat(descriptor).st_size if likely_bytes is None else likely_bytes
        # One byte more than there is shows the end without a further call.
        wanted = size + 1
        data = os.read(descriptor, wanted)
        if len(data) == wanted - 1:
            return data
        pieces = [data]
        while piece := os.read(descriptor, _PIECE_BYTES):  # ends with the file
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _renew(path: Path) -> bool:
    """Make a file young, so that no sweep takes it for abandoned; tell whether it is there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _is_older(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime <= moment
    except FileNotFoundError:
        return False


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False


def _write_new(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, _NEW, _OWNER_ONLY)
    except FileNotFoundError:  # the first file of its folder
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, _NEW, _OWNER_ONLY)
    # Unbuffered: one call of the system for the whole file. It may write less than asked for.
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


class BlobStore(FileStore):
    """Verified bytes of images, each under its own sha256."""

    @override
    def write(self, data: bytes, sha256: str) -> Path:
        """Keep bytes under their hash; a file that is damaged is replaced.

        Raises:
            ValueError: The name is no sha256, or not that of ``data``: a blob under a wrong name
                would poison every dataset that shares it, and hashing costs 0.1 ms.
            OSError: The disk is full or fails.
        """
        if sha256_of(data) != sha256:
            raise ValueError(f"the bytes do not hash to {sha256[:80]!r}")
        if self.exists(sha256) and not self.verify(sha256):
            self.delete(sha256)
        return super().write(data, sha256)

    def verify(self, sha256: str) -> bool:
        """Read the file again and tell whether it is there and still hashes to its name.

        Raises:
            ValueError: As `path`.
        """
        path = self.path(sha256)
        return path.is_file() and sha256_of_file(path) == sha256


class ThumbnailStore(FileStore):
    """Thumbnails, each under the sha256 of the image that it shows.

    Args:
        root: The folder; made with the first file.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root, suffix=".jpg")
