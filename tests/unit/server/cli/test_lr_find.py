"""``bowerbird lr-find`` against a played server."""

from __future__ import annotations

import json

import pytest

FINDING = {
    "points": [
        {"lr": 10.0 ** (place / 10 - 7), "loss": 2.0, "smoothed": 2.0 - place / 100}
        for place in range(80)
    ],
    "valley": 3.2e-4,
    "steep": 1e-3,
    "minimum": 2e-4,
    "seconds": 40.5,
}


@pytest.fixture
def bears(api):
    """A dataset whose finder succeeds."""
    dataset = api.add_dataset("bears", ready=300)
    api.job_states = [
        {"state": "running", "progress": {"phase": "lr-find", "done": 10, "total": 100}},
        {"state": "succeeded", "finding": FINDING},
    ]
    return dataset


def test_the_curve_comes_before_what_is_read_off_it(api, run, bears):
    result = run("lr-find", "--dataset", "bears", "--set", "backbone=resnet18")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].split()[:2] == ["1.0e-07", "2.000"]
    assert len(lines[0].split()[2]) == 50 > len(lines[-4].split()[2])
    assert [line.split() for line in lines[-3:]] == [
        ["valley", "3.2e-04"], ["steep", "1.0e-03"], ["minimum", "2.0e-04"],
    ]  # fmt: skip
    assert len(lines) <= 28
    assert "--recipe fine-tune --set lr=3.2e-04" in " ".join(result.err.split())
    [job] = api.seen("POST", ".*/jobs")
    assert job.json()["recipe"] == {"kind": "lr-find", "seed": 42, "backbone": "resnet18"}


def test_json_is_the_whole_curve(run, bears):
    result = run("lr-find", "--dataset", "bears", "--json")
    document = json.loads(result.out)
    assert set(document) == {"job_id", "finding"}
    assert document["finding"] == FINDING


def test_a_failed_finder_says_why(api, run, bears):
    error = {"kind": "curve-too-short", "detail": "The loss became hopeless."}
    api.job_states = [{"state": "failed", "error": error}]
    result = run("lr-find", "--dataset", "bears")
    assert (result.code, result.out) == (1, "")
    assert "curve-too-short" in result.err


def test_a_server_that_keeps_no_finding_is_said(api, run, bears):
    api.job_states = [{"state": "succeeded"}]
    result = run("lr-find", "--dataset", "bears")
    assert result.code == 1
    assert "too old" in result.err


def test_a_member_of_another_recipe_is_wrong_usage(api, run, bears):
    assert run("lr-find", "--dataset", "bears", "--set", "epochs=4").code == 2
    assert api.seen("POST", ".*") == []
