"""Whether what a worker sends fits its job. Pure."""

from __future__ import annotations

from server.contract.bundle import Bundle
from server.contract.jobs import JobFinding, JobState
from server.contract.model_evaluation import ModelEvaluation
from server.contract.recipes import EvaluateRecipe, JobRecipe, parse_recipe
from server.db.models import JobRecord, SnapshotRecord
from server.errors import BundleRefusedError, JobNotLeasedError


def check_lease(record: JobRecord, worker: str) -> None:
    """Refuse a worker that does not hold the job.

    Raises:
        JobNotLeasedError: The job is another worker's, or has ended.
    """
    if record.state != JobState.RUNNING or record.worker != worker:
        raise JobNotLeasedError(f"the job is {record.state} and not held by {worker}")


def check_finding(recipe: JobRecipe, finding: JobFinding) -> None:
    """Refuse what the job was not to find.

    Raises:
        BundleRefusedError: The job is to make a model, or to find something else.
    """
    if isinstance(finding, ModelEvaluation):
        if not isinstance(recipe, EvaluateRecipe) or finding.model_id != recipe.model_id:
            raise BundleRefusedError("this job is not to evaluate that model")
    elif recipe.kind != "lr-find":
        raise BundleRefusedError(f"this job's recipe is {recipe.kind}, not lr-find")


def check_bundle_of(bundle: Bundle, job: JobRecord, snapshot: SnapshotRecord) -> None:
    """Refuse a bundle that is not of this job.

    Raises:
        BundleRefusedError: It is of another dataset, snapshot or recipe, or has other classes.
    """
    made_of = bundle.manifest.snapshot
    if (made_of.id, made_of.manifest_sha256) != (snapshot.id, snapshot.manifest_sha256):
        raise BundleRefusedError("the bundle is of another snapshot")
    if bundle.manifest.dataset.id != snapshot.dataset_id:
        raise BundleRefusedError("the bundle is of another dataset")
    labels = sorted(snapshot.counts["labels"])
    if sorted(bundle.manifest.classes) != labels:
        raise BundleRefusedError("the bundle's classes are not the snapshot's labels")
    if list(bundle.manifest.classes) != labels:
        # A network says places, not names: in another order, each would be said of another.
        raise BundleRefusedError("the bundle's classes are not in the order of the snapshot's")
    # Parsed, since a job from before an update lacks the members that are newer than it.
    if bundle.manifest.recipe != parse_recipe(job.recipe):
        raise BundleRefusedError("the bundle is of another recipe")
