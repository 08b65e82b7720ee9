"""``bowerbird train`` against a played server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.cli import watch
from tests.support.cli_server import METRICS, Reply, problem, reply_json

ROOT = Path(__file__).parents[4]


def _running(phase: str, done: int = 0, total: int = 0) -> dict:
    return {"state": "running", "progress": {"phase": phase, "done": done, "total": total}}


@pytest.fixture
def bears(api):
    """A dataset whose training goes through its phases and succeeds."""
    dataset = api.add_dataset("bears", ready=300)
    model = api.add_model(dataset["id"])
    api.job_states = [
        _running("features", 10, 300),
        _running("features", 300, 300),
        _running("head"),
        {"state": "succeeded", "model_id": model["id"]},
    ]
    return dataset


def test_train_ends_with_the_numbers_beside_the_baselines(run, bears):
    result = run("train", "--dataset", "bears")
    assert result.code == 0
    assert "5.0%" in result.out
    assert "2.0% to 11.0%" in result.out
    assert "pixel similarity" in result.out
    assert "features 10/300" in result.err
    assert "Clearly better" in result.err
    assert "classify" in result.err


def test_eight_bits_are_told_beside_what_they_cost(api, run, bears):
    [model] = api.models.values()
    cost = {
        "float_error_rate": 0.04,
        "changed_ratio": 0.013,
        "calibration_count": 128,
        "model_bytes": 4_900_000,
        "float_bytes": 17_000_000,
    }
    model["metrics"] = {**METRICS, "quantisation": cost}
    out = run("train", "--dataset", "bears", "--set", "precision=int8").out
    assert "before int8            4.0%  (another answer to 1.3% of the images; 4.9 MB" in out
    [job] = api.seen("POST", ".*/jobs")
    assert job.json()["recipe"]["precision"] == "int8"


def test_train_json_is_one_document(api, run, bears):
    result = run("train", "--dataset", "bears", "--seed", "7", "--valid-ratio", "0.3", "--json")
    document = json.loads(result.out)
    assert set(document) == {"job_id", "model_id", "snapshot_id", "metrics"}
    assert document["metrics"] == METRICS
    [snapshot] = api.seen("POST", ".*/snapshots")
    assert snapshot.json() == {"valid_ratio": 0.3, "seed": 7}
    [job] = api.seen("POST", ".*/jobs")
    assert job.json() == {"recipe": {"kind": "head", "seed": 7}}


def test_set_fills_the_recipe(api, run, bears):
    run("train", "--dataset", "bears", "--set", "size_px=192", "--set", "resize=crop",
        "--set", "l2=null")  # fmt: skip
    [job] = api.seen("POST", ".*/jobs")
    recipe = {"kind": "head", "seed": 42, "size_px": 192, "resize": "crop", "l2": None}
    assert job.json()["recipe"] == recipe


@pytest.mark.parametrize(
    "assignment", ["size_px", "=3", "kind=head", "seed=1", "size_px=1", "nonsense=x=y"]
)
def test_a_set_that_is_none_is_wrong_usage(api, run, bears, assignment):
    result = run("train", "--dataset", "bears", "--set", assignment)
    assert result.code == 2
    assert api.seen("POST", ".*") == []


def test_fine_tuning_is_asked_for(api, run, bears):
    run("train", "--dataset", "bears", "--recipe", "fine-tune", "--set", "epochs=4")
    [job] = api.seen("POST", ".*/jobs")
    assert job.json()["recipe"] == {"kind": "fine-tune", "seed": 42, "epochs": 4}


def test_a_member_of_another_recipe_is_named(api, run, bears):
    result = run("train", "--dataset", "bears", "--set", "epochs=4")
    assert (result.code, result.out) == (2, "")
    assert "no recipe that is known here: head.epochs" in " ".join(result.err.split())
    assert api.seen("POST", ".*") == []


def test_a_recipe_the_server_refuses_is_named(api, run, bears):
    errors = [{"pointer": "/body/recipe/kind", "detail": "Input should be 'head'"}]
    refusal = problem(422, "invalid-request", "1 invalid value(s)", errors=errors)
    api.script("POST", ".*/jobs", refusal)
    result = run("train", "--dataset", "bears")
    assert (result.code, result.out) == (1, "")
    assert "recipe/kind: Input should be 'head'" in result.err


def test_an_unknown_dataset_names_those_that_come_near(api, run, bears):
    api.add_dataset("buses")
    result = run("train", "--dataset", "beers")
    assert result.code == 1
    assert "There is no dataset `beers`." in result.err
    assert "`bears`" in result.err


def test_a_dataset_can_be_named_by_its_id(run, bears):
    assert run("train", "--dataset", bears["id"]).code == 0


def test_it_waits_for_downloads(api, run, bears):
    bears["counts"]["status"]["queued"] = 3
    result = run("train", "--dataset", "bears")
    assert result.code == 0
    assert "3 images still downloading" in result.err
    assert bears["counts"]["status"]["queued"] == 0


def test_it_does_not_wait_when_told_so(run, bears):
    bears["counts"]["status"]["queued"] = 3
    assert run("train", "--dataset", "bears", "--no-wait").code == 0
    assert bears["counts"]["status"]["queued"] == 3


def test_downloads_that_never_end_do(api, run, bears):
    bears["counts"]["status"]["downloading"] = 2
    result = run("train", "--dataset", "bears", "--timeout-s", "1")
    assert result.code == 1
    assert "--no-wait" in result.err
    assert api.seen("POST", ".*/snapshots") == []


def test_a_job_that_never_ends_is_left_running(api, run, bears):
    api.job_states = []
    result = run("train", "--dataset", "bears", "--timeout-s", "1")
    assert result.code == 1
    assert "still queued" in result.err
    assert api.seen("POST", ".*/cancel") == []


def test_a_failed_job_gives_its_reason(api, run, bears):
    api.job_states = [
        {"state": "failed", "error": {"kind": "weights-missing", "detail": "Install the weights."}}
    ]
    result = run("train", "--dataset", "bears", "--json")
    assert (result.code, result.out) == (1, "")
    assert "weights-missing" in result.err
    assert "Install the weights." in result.err


def test_a_job_cancelled_elsewhere_is_a_failure(api, run, bears):
    api.job_states = [{"state": "cancelled"}]
    result = run("train", "--dataset", "bears")
    assert result.code == 1
    assert "cancelled" in result.err


def test_no_trainer_is_said(api, run, bears, monkeypatch):
    monkeypatch.setattr(watch, "UNCLAIMED_S", 0.0)
    api.trainer = {"enabled": False, "state": None}
    api.job_states.insert(0, {"state": "queued"})
    result = run("train", "--dataset", "bears")
    assert result.code == 0
    assert "runs without one" in result.err


def test_a_snapshot_that_is_refused_says_why(api, run, bears):
    detail = "Label `teddy` has 1 image, 2 are needed."
    api.script("POST", ".*/snapshots", problem(409, "too-few-images", detail))
    result = run("train", "--dataset", "bears")
    assert result.code == 1
    assert detail in result.err


def test_a_server_that_restarts_meanwhile_is_waited_for(api, run, bears):
    api.script("GET", ".*/jobs/.*", *[Reply(200, b"{", is_cut=True)] * 7)
    assert run("train", "--dataset", "bears").code == 0


def test_metrics_that_are_none_are_named(api, run, bears):
    model = {"id": "m", "dataset_id": "d", "stage": "live", "metrics": {"error_rate": "low"}}
    api.script("GET", ".*/models/.*", reply_json(200, model))
    result = run("train", "--dataset", "bears")
    assert result.code == 1
    assert "metrics.error_rate" in result.err


@pytest.mark.parametrize(
    ("rate", "interval", "verdict"),
    [
        (0.5, [0.4, 0.6], "Not better"),
        (0.3, [0.2, 0.5], "within the interval"),
        (0.1, [0.05, 0.3], "interval is wide"),
    ],
)
def test_the_verdict_claims_no_more_than_the_numbers(api, run, bears, rate, interval, verdict):
    [model] = api.models.values()
    model["metrics"] = {**METRICS, "error_rate": rate, "error_rate_interval": interval}
    model["stage"] = "candidate"
    result = run("train", "--dataset", "bears")
    assert verdict in result.err
    assert "model stage" in result.err


# A shell that runs the tests in the background has SIGINT ignored, which children inherit.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from server.cli.app import main
main(["train", "--dataset", "bears"])
"""


@pytest.mark.slow
def test_ctrl_c_cancels_the_job(api, bears):
    api.job_states = []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # noqa: TID251 - the fixture's, and PATH
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    try:
        until = time.monotonic() + 30
        while not api.seen("GET", ".*/jobs/.*") and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert "is cancelled" in err
    assert "Traceback" not in err
    assert len(api.seen("POST", ".*/cancel")) == 1
