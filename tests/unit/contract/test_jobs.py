"""The worker's side of the REST API."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.contract.jobs import Claim, ClaimRequest, JobError, JobState, Progress
from server.contract.recipes import HeadRecipe
from server.contract.training import MAX_STAGES, TrainingStage

_JOB = {
    "id": "01JD",
    "snapshot_id": "01JE",
    "dataset_id": "01JF",
    "state": "running",
    "recipe": {"kind": "head"},
    "attempts": 1,
    "created_at": "2026-11-22T10:00:00Z",
}
_STAGE = TrainingStage(
    update=1, epoch=0.5, lr=1e-4, train_loss=1, valid_loss=1, valid_error_rate=0.5
)


def test_a_claim_may_say_more_than_is_read() -> None:
    claim = Claim.model_validate({"job": _JOB | {"news": 1}, "lease_s": 60, "more": True})
    assert claim.job.state is JobState.RUNNING
    assert claim.job.progress is None
    assert claim.job.recipe == HeadRecipe()


@pytest.mark.parametrize("name", ["", "a b", "x" * 101, "../x"], ids=repr)
def test_a_worker_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValidationError):
        ClaimRequest(worker=name)


@pytest.mark.parametrize("wait_s", [-1, 21, float("inf")])
def test_a_claim_waits_a_bounded_time(wait_s: float) -> None:
    with pytest.raises(ValidationError):
        ClaimRequest(worker="w", wait_s=wait_s)


def test_progress_and_errors_are_bounded() -> None:
    with pytest.raises(ValidationError):
        Progress(phase="head", done=-1, total=2)
    with pytest.raises(ValidationError):
        Progress(phase="fine-tune", done=1, total=2, stages=(_STAGE,) * (MAX_STAGES + 1))
    with pytest.raises(ValidationError):
        JobError(kind="Not Kebab", detail="")
    with pytest.raises(ValidationError):
        JobError(kind="kebab-case", detail="x" * 2001)
