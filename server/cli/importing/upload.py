"""Sends the files of a source to a dataset, several at once. May import ``client``, ``source``."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice

from server.cli.console import Reporter
from server.cli.errors import CommandError
from server.cli.importing.source import Entry, Source, Unreadable
from server.cli.importing.tally import Refused, Tally
from server.client.errors import ProblemError
from server.client.transport import ANSWER_S, Client, Upload
from server.client.views import Image

# The server decodes on two cores; eight keep it busy while files are read and sent, and hold at
# most 8 * 20 MiB in memory.
THREAD_COUNT = 8
# One image may trip the server over; this many mean that it is the server.
MAX_SERVER_ERRORS = 20

# Not understood, too large, wrong type, not usable: a verdict on one file, the others go on.
_ABOUT_THIS_FILE = frozenset({400, 413, 415, 422})


@dataclass(frozen=True)
class _Sent:
    entry: Entry
    status: int
    image: Image


@dataclass(frozen=True)
class _Tripped(Refused):
    """The server failed on this file (5xx)."""


class Uploader:
    """Uploads to one dataset; the tally grows while it runs."""

    def __init__(self, client: Client, dataset_id: str, source: Source) -> None:
        self.tally = Tally()
        self._client = client
        self._path = f"/datasets/{dataset_id}/images"
        self._source = source
        self._server_errors = 0

    def run(self, entries: tuple[Entry, ...], reporter: Reporter) -> None:
        """Send every entry, each once; whatever happens to it is in the tally.

        Raises:
            CommandError: The server can't go on: gone, no longer letting us in, or failing.
        """
        queue = iter(entries)
        pool = ThreadPoolExecutor(THREAD_COUNT, thread_name_prefix="upload")
        try:
            pending = self._submit(pool, queue, 2 * THREAD_COUNT)
            while pending:
                # Longer than one upload may take, so that a timeout here is a bug, not a wait.
                done, pending = wait(pending, 2 * ANSWER_S, FIRST_COMPLETED)
                for future in done:
                    self._settle(future)
                pending |= self._submit(pool, queue, len(done))
                reporter.show("sending images", self.tally.settled, len(entries))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _submit(
        self, pool: ThreadPoolExecutor, queue: Iterator[Entry], count: int
    ) -> set[Future[_Sent | Refused]]:
        return {pool.submit(self._send, entry) for entry in islice(queue, count)}

    def _send(self, entry: Entry) -> _Sent | Refused:
        try:
            content = self._source.read(entry)
        except Unreadable as error:
            return Refused(entry.path, "unreadable", str(error))
        upload = Upload(content, entry.path, {"label": entry.label})
        try:
            status, image = self._client.upload(self._path, Image, upload)
        except ProblemError as error:
            if error.status in _ABOUT_THIS_FILE:
                return Refused(entry.path, error.reason, str(error))
            if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return _Tripped(entry.path, error.reason, str(error))
            raise
        return _Sent(entry, status, image)

    def _settle(self, future: Future[_Sent | Refused]) -> None:
        sent = future.result()
        if isinstance(sent, Refused):
            self.tally.refused.append(sent)
            self._server_errors += isinstance(sent, _Tripped)
            if self._server_errors > MAX_SERVER_ERRORS:
                raise CommandError(f"The server keeps failing: {sent.detail}", "See its log.")
        elif sent.image.label not in (None, sent.entry.label):
            detail = f"the same picture is there as {sent.image.label!r}"
            self.tally.other_label.append(Refused(sent.entry.path, "other-label", detail))
        elif sent.status == HTTPStatus.CREATED and sent.image.status != "duplicate":
            self.tally.added += 1
        else:
            self.tally.known += 1
