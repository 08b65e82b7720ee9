"""The list of addresses, one a line, read as it is needed. May import ``server.net`` and errors.

Nothing in it is trusted: lines may be of any length, in no encoding, and full of control
characters. Every line that is not blank comes out, if only with a fault.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from server.cli.errors import CommandError
from server.net.urls import MAX_URL_CHARS, BadUrlError, parse

# Eight times the longest address that is asked for; more of a line is never held in memory.
_MAX_LINE_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 1 << 20
_KEY_BYTES: Final = 16  # no two of a billion addresses share one, by chance or by intent
_BLANKS: Final = b" \t\r\n"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank.

    Attributes:
        number: From 1.
        key: 16 bytes that stand for the address; the same line has the same key.
        url: The address as written, what is no UTF-8 replaced; at most 8,192 characters.
        host: By which turns are taken; empty when there is a fault.
        fault: Why it is never asked for; empty when it may be.
    """

    number: int
    key: bytes
    url: str
    host: str
    fault: str = ""


class AddressList:
    """A list in a file that can be read twice.

    Args:
        file: At its beginning.

    Attributes:
        line_count: Blank lines included.
        blank_count: Of the lines read so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.line_count = _count_lines(file)
        self.blank_count = 0

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines in order; only the one at hand is in memory.

        Raises:
            OSError: The file cannot be read.
        """
        self._file.seek(0)
        number = 0
        while piece := self._file.readline(_MAX_LINE_BYTES):
            number += 1
            if number == 1:
                piece = piece.removeprefix(_UTF8_MARK)
            if len(piece) == _MAX_LINE_BYTES and not piece.endswith(b"\n"):
                yield self._skip_rest(number, piece)
            elif text := piece.strip(_BLANKS):
                yield _read_line(number, text)
            else:
                self.blank_count += 1

    def _skip_rest(self, number: int, start: bytes) -> Line:
        digest = hashlib.blake2b(start, digest_size=_KEY_BYTES)
        piece = start
        while not piece.endswith(b"\n") and (piece := self._file.readline(_MAX_LINE_BYTES)):
            digest.update(piece)
        fault = f"the line is longer than {_MAX_LINE_BYTES:,} bytes"
        return Line(number, digest.digest(), _shown(start), "", fault)


@contextmanager
def open_list(path: Path | None, folder: Path) -> Iterator[AddressList]:
    """Open a list.

    What cannot be read twice (standard input, a pipe) is first copied to a nameless file in
    ``folder``, to its end: so its length is known, and a slow writer holds up no download.

    Args:
        path: A file or a pipe; None for standard input.
        folder: Exists, and has room for a copy.

    Raises:
        CommandError: UTF-16, as some programs save text on Windows.
        OSError: It cannot be read.
    """
    if path is not None and stat.S_ISREG(path.stat().st_mode):
        with path.open("rb") as file:
            yield _checked(file)
        return
    with tempfile.TemporaryFile(dir=folder) as copy:
        if path is None:
            shutil.copyfileobj(sys.stdin.buffer, copy, _CHUNK_BYTES)
        else:
            with path.open("rb") as pipe:
                shutil.copyfileobj(pipe, copy, _CHUNK_BYTES)
        yield _checked(copy)


def _checked(file: BinaryIO) -> AddressList:
    file.seek(0)
    if file.read(2) in _UTF16_MARKS:
        raise CommandError("The list is text in UTF-16.", "Save it as UTF-8.")
    return AddressList(file)


def _count_lines(file: BinaryIO) -> int:
    file.seek(0)
    count = 0
    last = b"\n"
    while chunk := file.read(_CHUNK_BYTES):
        count += chunk.count(b"\n")
        last = chunk[-1:]
    return count + (last != b"\n")


def _read_line(number: int, text: bytes) -> Line:
    key = hashlib.blake2b(text, digest_size=_KEY_BYTES).digest()
    try:
        url = text.decode("utf-8")
        return Line(number, key, url[:MAX_URL_CHARS], parse(url).host)
    except UnicodeDecodeError:
        return Line(number, key, _shown(text), "", "the address is not in UTF-8")
    except BadUrlError as error:
        return Line(number, key, _shown(text), "", str(error))


def _shown(text: bytes) -> str:
    return text[: 4 * MAX_URL_CHARS].decode("utf-8", errors="replace")[:MAX_URL_CHARS]
