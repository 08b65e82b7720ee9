"""Running a job on a dataset: snapshot, job, waiting, cancelling. May import ``client``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from server.cli import watch
from server.cli.console import Reporter, note
from server.cli.errors import CommandError
from server.cli.watch import Deadline
from server.client.training_views import Job
from server.client.transport import SNAPSHOT_S, Client
from server.client.views import Dataset, Snapshot


@dataclass(frozen=True)
class JobPlan:
    """What was asked for.

    Attributes:
        valid_ratio: Of the snapshot.
        seed: Of the snapshot's split.
        should_wait: Whether to wait for images that are still downloading.
    """

    recipe: dict[str, JsonValue]
    valid_ratio: float
    seed: int
    should_wait: bool
    deadline: Deadline


def run_job(
    client: Client, dataset: Dataset, plan: JobPlan, reporter: Reporter
) -> tuple[Snapshot, Job]:
    """Take a snapshot, queue the job, and return both once the job has succeeded.

    Ctrl-C cancels the job.

    Raises:
        CommandError: The job failed or was cancelled, or the deadline passed first.
    """
    if plan.should_wait:
        dataset = watch.wait_for_downloads(client, dataset, plan.deadline, reporter)
    reporter.show("taking a snapshot")
    snapshot = take_snapshot(client, dataset, valid_ratio=plan.valid_ratio, seed=plan.seed)
    return snapshot, run_on_snapshot(client, snapshot.id, plan.recipe, plan.deadline, reporter)


def take_snapshot(client: Client, dataset: Dataset, **split: float) -> Snapshot:
    """Take a snapshot.

    Args:
        client: Of the server.
        dataset: Of these images.
        split: ``valid_ratio`` and ``seed``; the server has defaults.
    """
    path = f"/datasets/{dataset.id}/snapshots"
    return client.post(path, Snapshot, dict(split), timeout_s=SNAPSHOT_S)


def run_on_snapshot(
    client: Client,
    snapshot_id: str,
    recipe: Mapping[str, JsonValue],
    deadline: Deadline,
    reporter: Reporter,
) -> Job:
    """Queue the job, and return it once it has succeeded. Ctrl-C cancels it.

    Raises:
        CommandError: The job failed or was cancelled, or the deadline passed first.
    """
    job = client.post(f"/snapshots/{snapshot_id}/jobs", Job, {"recipe": dict(recipe)})
    try:
        job = watch.wait_for_job(client, job, deadline, reporter)
    except KeyboardInterrupt:
        _cancel(client, job)
        raise
    if job.state != "succeeded":
        raise _failure(job)
    return job


def _cancel(client: Client, job: Job) -> None:
    """Ask the server to stop the job; the person's Ctrl-C ends the command in any case."""
    try:
        client.post(f"/jobs/{job.id}/cancel", Job, {})
    except CommandError as error:
        note(f"The job could not be cancelled: {error}")
    else:
        note(f"Job {job.id} is cancelled.")


def _failure(job: Job) -> CommandError:
    if job.error is not None:
        return CommandError(f"The job failed ({job.error.kind}): {job.error.detail or ''}")
    return CommandError(f"The job ended without a result: it was {job.state}.")
