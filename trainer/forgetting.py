"""Forgets what a server has removed for good: copies, and what was computed of them.

May import the contract, ``trainer.client``, ``trainer.data.erasure`` and what stands below them.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path
from typing import Final

from server.contract.files import write_atomically
from trainer.client import ServerClient
from trainer.data.erasure import erase
from trainer.errors import ServerAwayError, ServerRefusedError
from trainer.snapshot import blob_path

log = logging.getLogger(__name__)

CURSORS_FILE: Final = "removed-blobs.json"  # how far each server was asked, and by whom
_MOST_PAGES: Final = 1000  # in one go, half a million images: the rest the next time
_UNPROCESSABLE: Final = 422


class Forgetting:
    """Asks one server what was removed, and deletes it from the folder of work.

    Args:
        client: Of the server.
        key: Names the server and this trainer; under it is kept how far it was asked. Of two
            trainers in one folder, one may write what the other has deleted just before.
        work: The folder; need not exist.
    """

    def __init__(self, client: ServerClient, key: str, work: Path) -> None:
        self._client = client
        self._key = key
        self._work = work

    def run(self) -> int:
        """Forget what was removed since the last time; return how many images that were.

        How far it came is kept after the deletions: cut short, it asks for the same once more. It
        never fails: an older server does not tell, one that is away is asked again, and so is one
        whose images could not be deleted for a while.
        """
        count = 0
        try:
            for _ in range(_MOST_PAGES):
                forgotten = self._run_page()
                if not forgotten:
                    break
                count += forgotten
        except (ServerAwayError, ServerRefusedError) as error:
            log.debug("removals.not-told", extra={"detail": str(error)})
        except (sqlite3.Error, OSError):
            log.warning("removals.not-forgotten", exc_info=True)
        if count:
            log.info("removals.forgotten", extra={"count": count})
        return count

    def _run_page(self) -> int:
        cursors = self._read_cursors()
        cursor = cursors.get(self._key)
        try:
            page = self._client.list_removed(cursor)
        except ServerRefusedError as error:
            if error.status != _UNPROCESSABLE or cursor is None:
                raise
            page = self._client.list_removed(None)  # another database than the one that was asked
        hashes = [item.sha256 for item in page.items]
        if hashes:
            erase(self._work, hashes)
            for sha256 in hashes:
                blob_path(self._work / "blobs", sha256).unlink(missing_ok=True)
        if hashes and page.next_cursor is not None:
            self._work.mkdir(parents=True, exist_ok=True)
            kept = {**cursors, self._key: page.next_cursor}
            write_atomically(self._work / CURSORS_FILE, json.dumps(kept).encode())
        return len(hashes)

    def _read_cursors(self) -> dict[str, str]:
        """Return the cursors by key; of a damaged file none, so that all is asked for anew."""
        try:
            found = json.loads((self._work / CURSORS_FILE).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {key: cursor for key, cursor in found.items() if isinstance(cursor, str)}
