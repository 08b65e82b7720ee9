"""Files and bytes: atomic writes, hashes, canonical JSON. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from server.contract.errors import FormatError

_CHUNK_BYTES = 1 << 20  # large enough that Python's loop costs nothing beside the hashing


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its place when the block ends well.

    After the block the bytes and their name are on disk (file and folder are synced); when the
    block raises, ``path`` is untouched and the temporary file is gone. Readers never see half.

    Args:
        path: The file to make or replace; its folder must exist.

    Yields:
        A binary file open for writing.
    """
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".tmp"
    )
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as a whole or not at all; see `atomic_writer`."""
    with atomic_writer(path) as file:
        file.write(data)


def move_durably(source: Path, target: Path) -> None:
    """Rename ``source`` to ``target`` in place of what is there; on disk when this returns.

    Both lie on one file system, and ``source`` was synced by who wrote it.
    """
    source.replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # A rename is durable only once the folder that holds the name is synced.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(data: bytes) -> str:
    """Return the sha256 of ``data`` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def canonical_json(value: object) -> bytes:
    """Return the one byte string that stands for a JSON value.

    Keys sorted, no spaces, no line breaks, UTF-8 without escapes beyond what JSON demands.

    Raises:
        FormatError: When JSON cannot hold the value (NaN, infinity, lone surrogates, objects).
    """
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise FormatError(f"JSON cannot hold this value: {error}") from error
