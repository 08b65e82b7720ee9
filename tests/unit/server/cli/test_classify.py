"""``bowerbird classify`` against a played server."""

from __future__ import annotations

import json

import pytest

from server.cli.commands import classify
from tests.support.cli_server import BROKEN_IMAGE, problem, reply_json


@pytest.fixture
def model(api):
    return api.add_model(api.add_dataset("bears")["id"])


def test_a_file_and_an_address(run, model, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"grizzly")
    result = run("classify", "a.jpg", "https://x.example/teddy.jpg")
    assert result.code == 0
    lines = [line.split("\t") for line in result.out.splitlines()]
    assert lines == [
        ["a.jpg", "grizzly", "97.0%"],
        ["https://x.example/teddy.jpg", "https://x.example/teddy.jpg", "97.0%"],
    ]


def test_json_keeps_the_order_and_goes_on_after_a_failure(run, model, tmp_path):
    (tmp_path / "good.jpg").write_bytes(b"grizzly")
    (tmp_path / "bad.jpg").write_bytes(BROKEN_IMAGE)
    (tmp_path / "folder").mkdir()
    sources = [
        "missing.jpg",
        "bad.jpg",
        "folder",
        "http://x.example/gone.jpg",
        "nul\x00",
        "good.jpg",
    ]
    result = run("classify", *sources, "--json")
    assert result.code == 1
    documents = json.loads(result.out)
    assert [one["source"] for one in documents] == sources
    reasons = [one["error"] and one["error"]["reason"] for one in documents]
    assert reasons == [
        "not-readable", "not-an-image", "not-a-file", "not-an-image", "not-readable", None,
    ]  # fmt: skip
    assert documents[-1]["label"] == "grizzly"
    assert documents[-1]["probability"] == 0.97
    assert documents[-1]["abstained"] is False
    assert documents[-1]["predictions"][0] == {"label": "grizzly", "probability": 0.97}
    assert documents[-1]["model_id"] == model["id"]
    assert all(set(one) == set(documents[-1]) for one in documents)
    assert "missing.jpg: not-readable" in result.err


def test_a_file_over_the_limit_is_not_sent(api, run, model, tmp_path, monkeypatch):
    monkeypatch.setattr(classify, "MAX_FILE_BYTES", 3)
    (tmp_path / "a.jpg").write_bytes(b"grizzly")
    result = run("classify", "a.jpg")
    assert result.code == 1
    assert "too-large" in result.err
    assert api.seen("POST", ".*") == []


def test_model_and_dataset_are_passed_on(api, run, model, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"grizzly")
    run("classify", "a.jpg", "--dataset", "bears", "--top", "3", "--model", model["id"])
    [request] = api.seen("POST", ".*/classify")
    assert request.query == {"dataset": model["dataset_id"], "model": model["id"], "top": "3"}


def test_no_model_ends_it_with_advice(api, run, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"grizzly")
    result = run("classify", "a.jpg", "a.jpg", "--json")
    assert (result.code, result.out) == (1, "")
    assert "bowerbird train" in result.err


def test_an_answer_withheld_says_so(api, run, model, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"grizzly")
    answer = {"model_id": "m", "label": "grizzly", "probability": 0.4, "abstained": True,
              "predictions": []}  # fmt: skip
    api.script("POST", ".*/classify", reply_json(200, answer))
    assert "none of these (grizzly?)" in run("classify", "a.jpg").out


def test_odd_names_do_not_reach_the_terminal_raw(api, run, model, tmp_path):
    name = "a\x1b[2Jé.jpg"
    (tmp_path / name).write_bytes(b"grizzly")
    api.script("POST", ".*/classify", problem(422, "image-not-usable", "bad\x07", reason="empty"))
    result = run("classify", name)
    assert "\x1b" not in result.out + result.err
    assert "\x07" not in result.err
