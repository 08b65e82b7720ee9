"""The worker: claims jobs one after another, for ever. May import everything in the trainer.

Starts light: torch and all that needs it are imported only when there is a job.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from server.contract.jobs import Claim, JobError
from server.contract.recipes import EvaluateRecipe, LrFindRecipe
from server.contract.snapshot import Item, Manifest
from trainer.abandonment import Abandonment
from trainer.blobs import trim
from trainer.client import ServerClient
from trainer.config import WorkerSettings
from trainer.errors import (
    JobStoppedError,
    LeaseLostError,
    ServerAwayError,
    ServerRefusedError,
)
from trainer.failures import UNEXPECTED, explain
from trainer.forgetting import Forgetting
from trainer.heartbeat import Heartbeat
from trainer.snapshot import LocalSnapshot

log = logging.getLogger(__name__)

_FIRST_BACKOFF_S = 0.5  # doubled after each failure, up to the setting
_T = TypeVar("_T")


class Worker:
    """One trainer's loop.

    Args:
        client: Of the server.
        settings: Where to work and how.
        sleep: Waits, in seconds; tests pass their own.
        renew: Starts the process anew, and does not return; called from any thread.
    """

    def __init__(
        self,
        client: ServerClient,
        settings: WorkerSettings,
        sleep: Callable[[float], None] = time.sleep,
        renew: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._sleep = sleep
        self._renew = renew
        self._failures = 0
        key = f"{settings.server} {settings.name}"
        self._forgetting = Forgetting(client, key, settings.work)

    def run(self, *, once: bool = False) -> None:
        """Work until the process ends.

        Args:
            once: Return after the first job, whatever became of it.
        """
        log.info("worker.started", extra={"worker": self._settings.name})
        worked_at: float | None = None
        while True:
            if not self._failures:  # else there is nobody to ask: the claim finds out first
                self._forgetting.run()
            claim = self._claim()
            if claim is not None:
                self._work(claim)
                if once:
                    self._forgetting.run()  # removed meanwhile, and computed all the same
                    return
                worked_at = time.monotonic()
            elif worked_at is not None and self._has_rested_since(worked_at):
                worked_at = None
                self._start_anew()

    def _has_rested_since(self, worked_at: float) -> bool:
        return time.monotonic() - worked_at >= self._settings.rest_s

    def _start_anew(self) -> None:
        # torch and the exporter hold a gigabyte that no freeing gives back; a new process is small.
        if self._renew is not None:
            log.info("worker.renewed", extra={"worker": self._settings.name})
            self._renew()

    def _claim(self) -> Claim | None:
        """Ask for a job; when the server is away, pause, and say so once."""
        try:
            claim = self._client.claim(self._settings.claim_wait_s)
        except (ServerAwayError, ServerRefusedError) as error:
            self._wait_for_server(error)
            return None
        if self._failures:
            log.info("server.reached", extra={"failures": self._failures})
            self._failures = 0
        return claim

    def _wait_for_server(self, error: Exception) -> None:
        """Pause, longer each time; say so once."""
        if self._failures == 0:
            log.warning("server.unreachable", extra={"detail": str(error)})
        # The exponent is bounded only so that a long outage does not overflow a float.
        backoff_s = _FIRST_BACKOFF_S * 2 ** min(self._failures, 16)
        self._failures += 1
        self._sleep(min(backoff_s, self._settings.max_backoff_s))

    def _work(self, claim: Claim) -> None:
        """Do one job; whatever happens, the worker goes on."""
        job_id = claim.job.id
        log.info("job.started", extra={"job": job_id, "recipe": claim.job.recipe.kind})
        try:
            leaving = Abandonment(job_id, [self._bundle_path(job_id)], self._start_anew)
            abandon = None if self._renew is None else leaving.run
            with Heartbeat(self._client, claim, abandon) as heartbeat:
                made = self._do(claim, heartbeat, leaving.note)
            log.info("job.finished", extra={"job": job_id, "model": made})
        except (JobStoppedError, LeaseLostError) as error:
            log.info("job.stopped", extra={"job": job_id, "detail": str(error)})
        except Exception as error:  # boundary: one job must not end the worker
            why = explain(error, self._settings.work)
            if why.kind == UNEXPECTED:
                log.exception("job.crashed", extra={"job": job_id})
            self._fail(job_id, why)
        # Not by "finally": a process that is asked to end leaves it for the next one.
        self._bundle_path(job_id).unlink(missing_ok=True)

    def _do(self, claim: Claim, heartbeat: Heartbeat, note: Callable[[Path], None]) -> str | None:
        """Do the job; return the model's id, or None for a job that makes none."""
        job, work = claim.job, self._settings.work
        self._blobs.mkdir(parents=True, exist_ok=True)
        manifest = self._insist(heartbeat, lambda: self._client.fetch_manifest(job.snapshot_id))
        if isinstance(job.recipe, EvaluateRecipe):
            self._evaluate(job.id, job.recipe.model_id, manifest, heartbeat)
            return None
        origins = self._insist(heartbeat, lambda: self._client.fetch_origins(job.snapshot_id))
        self._fetch(manifest.items, heartbeat)
        # Only now, so that a trainer that waits takes 50 MB and not 500.
        from trainer.runner import RunOptions, find_lr, run  # noqa: PLC0415

        settings = self._settings
        options = RunOptions(
            work, settings.batch_size, settings.threads, settings.max_pictures_bytes, note
        )
        snapshot = LocalSnapshot(manifest, self._blobs, origins)
        if isinstance(job.recipe, LrFindRecipe):
            finding = find_lr(job.recipe, snapshot, options, heartbeat.tell)
            self._insist(heartbeat, lambda: self._client.conclude(job.id, finding))
            trim(self._blobs, self._settings.max_blobs_bytes)
            return None
        out = self._claim_bundle(job.id)
        if not out.is_file():  # else it was finished by a process that was killed
            run(job.recipe, snapshot, options, out, heartbeat.tell, heartbeat.show)
        heartbeat.tell("upload", 0, 1)
        model_id = self._insist(heartbeat, lambda: self._client.upload(job.id, out))
        trim(self._blobs, self._settings.max_blobs_bytes)
        return model_id

    def _evaluate(
        self, job_id: str, model_id: str, manifest: Manifest, heartbeat: Heartbeat
    ) -> None:
        """Judge a finished model on what it has not seen of a snapshot."""
        client, file = self._client, self._settings.work / f"{self._settings.name}.model.zip"
        bundle = self._insist(heartbeat, lambda: client.fetch_bundle(model_id, file))
        source = bundle.manifest.snapshot.id
        trained_on = self._insist(heartbeat, lambda: client.fetch_manifest(source))
        from trainer.reevaluation import Finished, evaluate, list_unseen  # noqa: PLC0415 - late too

        items = list_unseen(manifest, trained_on)
        self._fetch(items, heartbeat)
        finding = evaluate(
            Finished(model_id, bundle, trained_on),
            LocalSnapshot(manifest, self._blobs),
            items,
            heartbeat.tell,
        )
        self._insist(heartbeat, lambda: client.conclude(job_id, finding))
        trim(self._blobs, self._settings.max_blobs_bytes)

    def _fetch(self, items: Sequence[Item], heartbeat: Heartbeat) -> None:
        """Get the blobs that are not here yet."""

        def step(done: int, total: int) -> None:
            heartbeat.tell("blobs", done, total)

        self._insist(heartbeat, lambda: self._client.fetch_blobs(items, self._blobs, step))

    def _bundle_path(self, job_id: str) -> Path:
        return self._settings.work / f"{self._settings.name}.{job_id}.bundle.zip"

    def _claim_bundle(self, job_id: str) -> Path:
        """Return where a job's bundle goes; what a kill has left of other jobs' is deleted.

        A bundle is written whole or not at all, so one that is there already is this job's result.
        """
        out, name = self._bundle_path(job_id), re.escape(self._settings.name)
        ours = re.compile(rf"\.?{name}\.[^.]+\.bundle\.zip(\..*)?")  # half ones too
        for left in self._settings.work.glob("*.bundle.zip*"):
            if left != out and ours.fullmatch(left.name):
                left.unlink(missing_ok=True)
        return out

    @property
    def _blobs(self) -> Path:
        return self._settings.work / "blobs"

    def _insist(self, heartbeat: Heartbeat, action: Callable[[], _T]) -> _T:
        """Repeat an action while the server is away and the job is ours.

        What was computed is worth waiting for; the lease ends the wait, for the server says so
        when it is back.
        """
        while True:
            heartbeat.check()
            try:
                result = action()
            except ServerAwayError as error:
                self._wait_for_server(error)
            else:
                self._failures = 0
                return result

    def _fail(self, job_id: str, why: JobError) -> None:
        """Tell the server why a job failed, however long it takes to reach it.

        Given up, the job would be given out again and fail again, which may take hours.
        """
        log.warning("job.failed", extra={"job": job_id, "kind": why.kind, "detail": why.detail})
        while True:
            try:
                self._client.fail(job_id, why)
            except ServerAwayError as error:
                self._wait_for_server(error)
            except ServerRefusedError as error:
                # Cancelled or given on meanwhile: nobody waits for the reason.
                log.warning("job.failure-unreported", extra={"job": job_id, "detail": str(error)})
                return
            else:
                self._failures = 0
                return
