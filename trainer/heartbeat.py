"""Keeps a job's lease while the main thread works, and learns that the job was stopped.

May import the contract, ``trainer.client`` and ``trainer.errors``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Self

from server.contract.jobs import Claim, JobState, Progress
from server.contract.training import TrainingStage
from trainer.client import ServerClient
from trainer.errors import (
    CANCELLED,
    LEASE_LOST,
    JobStoppedError,
    LeaseLostError,
    ServerAwayError,
    ServerRefusedError,
)

log = logging.getLogger(__name__)

_LEASE_SHARE = 3  # renew every third of the lease: two renewals may fail before it is lost
# Who cancels is obeyed within a second: the half of it to hear of it, the other half for the work
# to come to its next step.
_MAX_SILENCE_S = 0.5
_GRACE_S = 0.5
_MIN_INTERVAL_S = 0.2  # between reports of progress: what an eye can follow, and no flood
_JOIN_TIMEOUT_S = 5  # a report still under way then does no harm: it is answered with 409


class Heartbeat:
    """A thread that reports progress as it changes, and at least twice a second.

    Use it as a context around the work on one claimed job.

    Args:
        client: Of the server.
        claim: The job.
        abandon: Called, from the thread, when the job is cancelled and the work goes on all the
            same; ends the process. None leaves the work to end when it will.
    """

    def __init__(
        self, client: ServerClient, claim: Claim, abandon: Callable[[], None] | None = None
    ) -> None:
        self._client = client
        self._abandon = abandon
        self._job_id = claim.job.id
        self._lease_s = claim.lease_s
        self._lock = threading.Condition()
        self._progress = Progress(phase="blobs", done=0, total=0)
        self._is_changed = True
        self._is_closed = False
        self._stopped: str | None = None
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_closed = True
            self._lock.notify_all()
        self._thread.join(_JOIN_TIMEOUT_S)

    def tell(self, phase: str, done: int, total: int) -> None:
        """Note how far the job is; called often by the work.

        Raises:
            JobStoppedError: The job was cancelled, or its lease is lost.
        """
        self.check()
        with self._lock:
            stages = self._progress.stages
            self._note(Progress(phase=phase, done=done, total=total, stages=stages))

    def show(self, stages: tuple[TrainingStage, ...]) -> None:
        """Note how the training goes; told with every report from now on.

        Args:
            stages: All that are done.
        """
        with self._lock:
            self._note(self._progress.model_copy(update={"stages": stages}))

    def check(self) -> None:
        """Raise when the job was stopped.

        Raises:
            JobStoppedError: The job was cancelled, or its lease is lost.
        """
        if self._stopped:
            raise JobStoppedError(self._stopped)

    def _note(self, progress: Progress) -> None:
        self._progress = progress
        self._is_changed = True
        self._lock.notify_all()

    def _run(self) -> None:
        while (progress := self._next()) is not None:
            try:
                reply = self._client.report(self._job_id, progress)
            except LeaseLostError:
                self._stopped = LEASE_LOST
                return
            except (ServerAwayError, ServerRefusedError) as error:
                # The lease may outlive this, and the work is not lost: the next report tells.
                log.debug("heartbeat.missed", extra={"detail": str(error)})
                continue
            self._lease_s = reply.lease_s
            if reply.state is not JobState.RUNNING:
                self._stop(CANCELLED if reply.state is JobState.CANCELLED else LEASE_LOST)
                return

    def _stop(self, reason: str) -> None:
        """Have the work stop at its next step; abandon it when a cancelled one comes to none."""
        self._stopped = reason
        if self._abandon is None or reason != CANCELLED:
            return  # nobody waits for its end; it may even be over, the answer not yet here
        with self._lock:
            if not self._lock.wait_for(lambda: self._is_closed, _GRACE_S):
                self._abandon()  # with the lock: the work cannot go on to another job meanwhile

    def _next(self) -> Progress | None:
        """Wait for what is to be reported next; None when the work is over."""
        with self._lock:
            # Two waits: a short one that gathers changes, then a long one that ends with a change.
            self._lock.wait_for(lambda: self._is_closed, _MIN_INTERVAL_S)
            interval_s = min(self._lease_s / _LEASE_SHARE, _MAX_SILENCE_S)
            rest_s = max(interval_s - _MIN_INTERVAL_S, 0)
            self._lock.wait_for(lambda: self._is_closed or self._is_changed, rest_s)
            self._is_changed = False
            return None if self._is_closed else self._progress
