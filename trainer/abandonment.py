"""The end of a cancelled job whose work does not come to an end itself: of its whole process.

Nothing interrupts an exporter, or a step of a large network, from within. A new process in this
one's place does, as safely as a kill: whatever a job writes is written whole or not at all.
Standard library and ``trainer.errors`` alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from trainer.errors import CANCELLED

log = logging.getLogger(__name__)


class Abandonment:
    """What is left to do for a job that is abandoned.

    Args:
        job_id: The job's.
        files: That nobody needs once it is cancelled; need not exist.
        renew: Starts the process anew, and does not return.
    """

    def __init__(self, job_id: str, files: Iterable[Path], renew: Callable[[], None]) -> None:
        self._job_id = job_id
        self._files = list(files)
        self._renew = renew

    def note(self, file: Path) -> None:
        """Note one more file that nobody needs once the job is cancelled."""
        self._files.append(file)

    def run(self) -> None:
        """Delete the files and start the process anew; from any thread."""
        for file in self._files:
            try:
                file.unlink(missing_ok=True)
            except OSError:  # no reason to go on with what nobody wants
                log.warning("job.leftover", extra={"path": str(file)}, exc_info=True)
        log.info("job.stopped", extra={"job": self._job_id, "detail": CANCELLED})
        self._renew()
