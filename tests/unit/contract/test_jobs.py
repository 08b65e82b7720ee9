"""Recipes and the worker's side of the REST API."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from server.contract.jobs import Claim, ClaimRequest, JobError, JobState, Progress, Recipe

_JOB = {
    "id": "01JD",
    "snapshot_id": "01JE",
    "dataset_id": "01JF",
    "state": "running",
    "recipe": {"kind": "head"},
    "attempts": 1,
    "created_at": "2026-11-22T10:00:00Z",
}


def test_the_default_recipe_is_the_head() -> None:
    assert Recipe.model_validate({"kind": "head"}) == Recipe()
    assert Recipe().model_dump() == {
        "kind": "head",
        "backbone": "efficientnet_lite0",
        "seed": 42,
        "size_px": 224,
        "resize": "squish",
        "folds": 5,
        "l2": None,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "fine-tune"},
        {"backbone": "resnet18"},
        {"seed": -1},
        {"size_px": 100},
        {"size_px": 4096},
        {"resize": "stretch"},
        {"folds": 1},
        {"l2": 0},
        {"l2": float("nan")},
        {"command": "rm"},
    ],
    ids=str,
)
def test_a_recipe_not_known_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate(changes)


def test_a_claim_may_say_more_than_is_read() -> None:
    claim = Claim.model_validate({"job": _JOB | {"news": 1}, "lease_s": 60, "more": True})
    assert claim.job.state is JobState.RUNNING
    assert claim.job.progress is None
    assert claim.job.recipe == Recipe()


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
        JobError(kind="Not Kebab", detail="")
    with pytest.raises(ValidationError):
        JobError(kind="kebab-case", detail="x" * 2001)
