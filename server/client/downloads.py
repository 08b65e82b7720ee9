"""Downloads a large file from the server, and goes on where an earlier try was cut.

May import ``transport``, ``errors``. What came so far lies beside the file, in
``.NAME.part``, and what it is a part of in ``.NAME.part.json``; the file appears when it is whole.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from server.client.errors import ClientError, ConnectionLostError, UnexpectedAnswerError
from server.client.transport import Client, Params, Part
from server.contract.files import write_atomically

# Tries in a row that bring nothing; one that brought something is no failure.
_TRIES: Final = 5
_PAUSE_S: Final = 1.0

# Told the bytes that are here, and those of the whole where they are known.
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Source:
    """What to download."""

    path: str
    params: Params

    @property
    def key(self) -> str:
        """Return what tells this file from others."""
        return json.dumps([self.path, dict(self.params)], sort_keys=True)


class Download:
    """One file on its way.

    Args:
        client: A connection.
        source: What to download.
        out: The file to make or replace; its folder exists.
    """

    def __init__(self, client: Client, source: Source, out: Path) -> None:
        self._client = client
        self._source = source
        self._out = out
        self._part = out.with_name(f".{out.name}.part")
        self._note = out.with_name(f".{out.name}.part.json")

    def run(self, on_progress: Progress) -> int:
        """Bring the file here, whole; return its bytes.

        Raises:
            ClientError: The server refuses or cannot be reached, or the disk fails. What came so
                far is kept for the next time.
        """
        try:
            size_bytes = self._fetch_all(on_progress)
            with self._part.open("rb") as file:
                os.fsync(file.fileno())
            self._part.replace(self._out)
            self._note.unlink(missing_ok=True)
        except OSError as error:
            raise ClientError(f"{self._out} can't be written: {error.strerror}.") from error
        return size_bytes

    def _fetch_all(self, on_progress: Progress) -> int:
        failures = 0
        while True:  # ends: each round brings something, or is one of `_TRIES` that did not
            before = self._size()
            try:
                return self._fetch_rest(on_progress)
            except ConnectionLostError as error:
                failures = 0 if self._size() > before else failures + 1
                if failures >= _TRIES:
                    raise ClientError(
                        str(error), "The same command goes on where this one was cut."
                    ) from error
                time.sleep(_PAUSE_S)

    def _fetch_rest(self, on_progress: Progress) -> int:
        start, etag = self._size(), self._known_tag()
        headers = {"Accept-Encoding": "identity"}  # a range is of the bytes as they are
        if start and etag:
            headers |= {"Range": f"bytes={start}-", "If-Range": etag}
        with self._client.part(self._source.path, self._source.params, headers) as answer:
            if answer.status is HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                if answer.total == start:  # all of it is here; only the last step was missing
                    return start
                raise UnexpectedAnswerError(f"GET {self._source.path}", "it became shorter")
            if answer.status is HTTPStatus.OK:
                start = 0
                # First, lest a kill in between leaves bytes of another file under this one's note.
                self._part.unlink(missing_ok=True)
                write_atomically(self._note, self._describe(answer.etag))
            if answer.start != start:
                raise UnexpectedAnswerError(f"GET {self._source.path}", "it begins elsewhere")
            return self._append(answer, start, on_progress)

    def _append(self, answer: Part, start: int, on_progress: Progress) -> int:
        with self._part.open("r+b" if start else "wb") as file:
            file.truncate(start)
            file.seek(start)
            for chunk in answer.chunks:
                file.write(chunk)
                start += len(chunk)
                on_progress(start, answer.total)
        if answer.total is not None and start != answer.total:
            raise UnexpectedAnswerError(
                f"GET {self._source.path}", f"{start} bytes came of {answer.total}"
            )
        return start

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _describe(self, etag: str) -> bytes:
        return json.dumps({"of": self._source.key, "etag": etag}).encode()

    def _known_tag(self) -> str:
        """Return the entity tag of what is here; empty when it is a part of something else."""
        try:
            note = json.loads(self._note.read_bytes())
        except (FileNotFoundError, ValueError):
            return ""
        is_ours = isinstance(note, dict) and note.get("of") == self._source.key
        return str(note.get("etag", "")) if is_ours else ""
