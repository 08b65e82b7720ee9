"""``bowerbird evaluate`` against a played server."""

from __future__ import annotations

import json

import pytest

EVALUATION = {
    "model_id": "m",
    "count": 200,
    "seen_count": 800,
    "error_rate": 0.1,
    "error_rate_interval": [0.066, 0.149],
    "majority_error_rate": 0.6,
    "log_loss": 0.3,
    "calibration_error": 0.02,
    "abstained_ratio": 0.05,
    "answered_error_rate": 0.08,
    "told_error_rate": 0.04,
    "told_error_rate_interval": [0.028, 0.057],
    "per_class": [],
    "confused": [{"label": "grizzly", "predicted": "black", "count": 12}],
    "worst": [],
    "foreign": {"labels": ["cat"], "count": 30, "abstained_ratio": 0.9},
    "seconds": 3.0,
}


@pytest.fixture
def model(api):
    """A model whose evaluation succeeds."""
    api.job_states = [
        {"state": "running", "progress": {"phase": "answers", "done": 10, "total": 200}},
        {"state": "succeeded", "finding": EVALUATION},
    ]
    return api.add_model(api.add_dataset("bears", ready=300)["id"])


def test_the_error_rate_stands_beside_what_was_promised(api, run, model):
    result = run("evaluate", model["id"])
    assert result.code == 0
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert lines == [
        "error rate 10.0% (95 % interval 6.6% to 14.9%)",
        "most frequent label 60.0%",
        "told at its training 4.0%",
        "images 200 new to it; 800 left out",
        "no answer 5.0% (error rate of the others 8.0%)",
        "of other labels 30 images",
        "no answer 90.0%",
        "12x grizzly taken for black",
    ]
    assert "Clearly worse than its validation images promised" in " ".join(result.err.split())
    [job] = api.seen("POST", ".*/jobs")
    assert job.json()["recipe"] == {"kind": "evaluate", "model_id": model["id"]}
    [taken] = api.seen("POST", ".*/snapshots")
    assert model["dataset_id"] in taken.path


@pytest.mark.parametrize(
    ("told", "interval", "verdict"),
    [(0.04, [0.0, 0.2], "No clear difference"), (0.3, [0.26, 0.34], "Clearly better")],
)
def test_few_validation_images_promise_little(api, run, model, told, interval, verdict):
    promise = {"told_error_rate": told, "told_error_rate_interval": interval}
    api.job_states = [{"state": "succeeded", "finding": EVALUATION | promise}]
    assert verdict in run("evaluate", model["id"]).err


def test_another_dataset_is_taken_when_named(api, run, model):
    zoo = api.add_dataset("zoo", ready=40)
    result = run("evaluate", model["id"], "--dataset", "zoo", "--json")
    assert json.loads(result.out)["evaluation"] == EVALUATION
    [taken] = api.seen("POST", ".*/snapshots")
    assert zoo["id"] in taken.path


def test_a_snapshot_that_is_there_is_not_taken_again(api, run, model):
    result = run("evaluate", model["id"], "--snapshot", "01JDSNAPSHOT", "--json")
    assert json.loads(result.out)["snapshot_id"] == "01JDSNAPSHOT"
    assert api.seen("POST", ".*/datasets/.*/snapshots") == []


def test_one_of_dataset_and_snapshot(run, model):
    result = run("evaluate", model["id"], "--snapshot", "x", "--dataset", "zoo")
    assert result.code == 2
    assert "give one of them" in result.err


def test_an_unknown_model_is_said(run, api):
    result = run("evaluate", "nothing")
    assert (result.code, result.out) == (1, "")


def test_why_it_failed_is_said(api, run, model):
    error = {"kind": "nothing-to-evaluate", "detail": "None of these images is new."}
    api.job_states = [{"state": "failed", "error": error}]
    result = run("evaluate", model["id"])
    assert (result.code, result.out) == (1, "")
    assert "nothing-to-evaluate" in result.err


def test_what_is_no_id_is_not_asked_for(api, run):
    result = run("evaluate", "../datasets")
    assert result.code == 2
    assert "letters and digits" in result.err
