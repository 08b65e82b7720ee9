"""Waiting for the server's work: downloads to settle, a job to end. May import ``client``.

Every wait has an end; a server that restarts in between is waited for a while.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from server.cli.console import Reporter, note
from server.cli.errors import CommandError
from server.client.errors import ConnectionLostError, NoServerError
from server.client.training_views import Job
from server.client.transport import Client
from server.client.views import Dataset, ServerInfo, ViewT
from server.contract.jobs import FINISHED

POLL_S = 1.0
# A restart with migrations takes seconds; after a minute it is not coming back by itself.
PATIENCE_S = 60.0
# A trainer claims a job within its long poll of 20 s, unless it has another one.
UNCLAIMED_S = 30.0


@dataclass(frozen=True)
class Deadline:
    """An end of waiting, on the monotonic clock."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline this many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def is_over(self) -> bool:
        """Return whether it has passed."""
        return time.monotonic() >= self.at_s


def wait_for_downloads(
    client: Client, dataset: Dataset, deadline: Deadline, reporter: Reporter
) -> Dataset:
    """Return the dataset once no image is queued or downloading any more.

    Raises:
        CommandError: The deadline passed first.
    """
    first_count = dataset.counts.waiting
    while (count := dataset.counts.waiting) > 0:
        first_count = max(first_count, count)
        reporter.show(_still_downloading(count), first_count - count, first_count)
        if deadline.is_over:
            raise CommandError(
                f"{_still_downloading(count)} after the time given by --timeout-s.",
                "Train on what is there with --no-wait, or wait longer with --timeout-s.",
            )
        time.sleep(POLL_S)
        dataset = _patiently_get(client, f"/datasets/{dataset.id}", Dataset)
    return dataset


def wait_for_job(client: Client, job: Job, deadline: Deadline, reporter: Reporter) -> Job:
    """Return the job once it is finished, in whatever state.

    Raises:
        CommandError: The deadline passed first; the job goes on.
    """
    unclaimed = Deadline.after(UNCLAIMED_S)
    has_warned = False
    while job.state not in FINISHED:
        _show(job, reporter)
        if job.state == "queued" and unclaimed.is_over and not has_warned:
            note(_why_unclaimed(client))
            has_warned = True
        if deadline.is_over:
            raise CommandError(
                f"Job {job.id} is still {job.state} after the time given by --timeout-s.",
                "It goes on: its model appears in `bowerbird model list`.",
            )
        time.sleep(POLL_S)
        job = _patiently_get(client, f"/jobs/{job.id}", Job)
    return job


def _show(job: Job, reporter: Reporter) -> None:
    if job.progress is None:
        reporter.show("waiting for a trainer" if job.state == "queued" else "starting")
    else:
        # A total of 0 means that it is not known.
        reporter.show(job.progress.phase, job.progress.done, job.progress.total or None)


def _still_downloading(count: int) -> str:
    return f"{count} image{'' if count == 1 else 's'} still downloading"


def _why_unclaimed(client: Client) -> str:
    trainer = client.get("/server", ServerInfo).trainer
    if trainer is not None and not trainer.enabled:
        return (
            "No trainer has taken the job: this server runs without one (--no-trainer). "
            "Start one elsewhere with `python -m trainer`."
        )
    return "No trainer has taken the job yet; `bowerbird doctor` tells whether one is installed."


def _patiently_get(client: Client, path: str, view: type[ViewT]) -> ViewT:
    """Ask, and while nothing answers keep asking for a minute: the server may be restarting."""
    patience = Deadline.after(PATIENCE_S)
    while True:
        try:
            return client.get(path, view)
        except (NoServerError, ConnectionLostError):
            if patience.is_over:
                raise
        time.sleep(POLL_S)
