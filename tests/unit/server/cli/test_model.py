"""``bowerbird model …`` and ``bowerbird open`` against a played server."""

from __future__ import annotations

import json
import webbrowser

import pytest

from server.cli.commands import model as model_command
from tests.support.cli_server import Reply, problem, reply_json


@pytest.fixture
def model(api):
    return api.add_model(api.add_dataset("bears")["id"])


def test_list_and_its_filters(api, run, model):
    other = api.add_model(api.add_dataset("buses")["id"], "candidate")
    assert len(run("model", "list").out.splitlines()) == 2
    [line] = run("model", "list", "--dataset", "buses").out.splitlines()
    assert line.split("\t")[:3] == [other["id"], "candidate", "5.0%"]
    [live] = json.loads(run("model", "list", "--stage", "live", "--json").out)
    assert live["id"] == model["id"]


def test_an_empty_list_says_what_to_do(api, run):
    result = run("model", "list")
    assert (result.code, result.out) == (0, "")
    assert "bowerbird train" in result.err


def test_stage(api, run, model):
    result = run("model", "stage", model["id"], "retired")
    assert (result.code, result.out) == (0, f"{model['id']} is retired\n")
    assert model["stage"] == "retired"


def test_a_worse_model_is_forced_with_a_reason(api, run, model):
    api.script("POST", ".*/stage", problem(409, "model-worse", "It makes 9 mistakes more."))
    refused = run("model", "stage", model["id"], "live")
    assert (refused.code, refused.out) == (1, "")
    assert "9 mistakes more" in refused.err
    assert run("model", "stage", model["id"], "live", "--force").code == 2
    forced = run("model", "stage", model["id"], "live", "--force", "--reason", "new camera")
    assert forced.code == 0
    sent = api.seen("POST", ".*/stage")[-1].json()
    assert sent == {"stage": "live", "force": True, "reason": "new camera"}


def test_a_model_goes_beside_the_live_one_by_rules(api, run, model):
    told = ("--share", "0.2", "--site", "a.example", "--site", "b.example", "--auto")
    assert run("model", "stage", model["id"], "limited", *told).code == 0
    assert api.seen("POST", ".*/stage")[-1].json()["rollout"] == {
        "share": 0.2,
        "sites": ["a.example", "b.example"],
        "auto_promote": True,
    }
    assert run("model", "stage", model["id"], "shadow").code == 0
    assert "rollout" not in api.seen("POST", ".*/stage")[-1].json(), "the usual rules"
    assert run("model", "stage", model["id"], "live", "--share", "0.2").code == 2
    assert run("model", "stage", model["id"], "limited", "--share", "1.2").code == 2


def test_rollouts(api, run, model):
    figures = {"compared": 80, "agreed": 60, "live_abstained": 0, "model_abstained": 0}
    decision = {"kind": "wait", "sentence": "Not enough is known yet.", "share": 0.2,
                "created_at": "2026-11-23T10:00:00Z"}  # fmt: skip
    rollout = {
        "id": "R", "model_id": model["id"], "live_id": "L", "stage": "limited", "share": 0.2,
        "floor": 0.9, "figures": figures, "not_compared": 3, "outcome": None,
        "decisions": [decision],
    }  # fmt: skip
    page = {"items": [rollout], "next_cursor": None, "total": 1}
    api.script("GET", ".*/rollouts", *[reply_json(200, page)] * 2)
    shown = run("model", "rollouts", "--dataset", "bears")
    assert shown.code == 0
    for words in ("75.0%", "20%", "goes on"):
        assert words in shown.out
    assert "Not enough is known yet." in shown.err
    told = json.loads(run("model", "rollouts", "--dataset", "bears", "--json").out)
    assert told[0]["figures"]["compared"] == 80


def test_rollback(api, run, model):
    api.script("POST", ".*/rollback", reply_json(200, model))
    result = run("model", "rollback", "--dataset", "bears", "--reason", "odd answers")
    assert (result.code, result.out) == (0, f"{model['id']} is live\n")
    [asked] = api.seen("POST", ".*/rollback")
    assert asked.json() == {"reason": "odd answers"}


def test_history(api, run, model):
    change = {
        "model_id": model["id"], "before": "candidate", "after": "live", "kind": "forced",
        "replaced_id": "01OLD", "reason": "new camera", "created_at": "2026-11-22T10:00:00.5Z",
    }  # fmt: skip
    page = {"items": [change], "next_cursor": None, "total": 1}
    api.script("GET", ".*/stage-changes", reply_json(200, page), reply_json(200, page))
    [line] = run("model", "history", "--dataset", "bears").out.splitlines()
    assert line.split("\t") == [
        "2026-11-22T10:00:00", model["id"], "candidate", "live", "forced", "01OLD", "new camera",
    ]  # fmt: skip
    assert json.loads(run("model", "history", "--dataset", "bears", "--json").out) == [change]


def test_log_tells_what_a_model_was_asked_and_forgets_it(api, run, model):
    found = {
        "mode": "counts", "days": 7, "count": 5, "abstained": 1,
        "labels": [{"label": "grizzly", "count": 5, "abstained": 1}],
    }  # fmt: skip
    nothing = {"mode": "off", "days": 30, "count": 0, "abstained": 0, "labels": []}
    told, empty = reply_json(200, found), reply_json(200, nothing)
    api.script("GET", ".*/prediction-counts", told, told, empty)
    api.script("DELETE", ".*/predictions", reply_json(200, {}))
    result = run("model", "log", model["id"], "--days", "7")
    assert result.out == "grizzly\t5\t1\n"
    assert json.loads(run("model", "log", model["id"], "--json").out) == found
    assert "BOWERBIRD_PREDICTION_LOG__MODE" in run("model", "log", model["id"], "--forget").err
    assert len(api.seen("DELETE", ".*/predictions")) == 1
    assert api.seen("GET", ".*/prediction-counts")[0].query == {"days": "7"}


def test_drift_is_told_in_words(api, run, model):
    test = {
        "kind": "label-mix", "effect": 0.5, "p_value": 0.0003, "is_alert": True,
        "sentence": "grizzly is 80 % of the answers.",
    }  # fmt: skip
    found = {
        "mode": "counts", "days": 7, "count": 90, "min_count": 50, "is_alert": True,
        "sentence": "It has drifted.", "tests": [test], "notes": ["No embeddings."],
    }  # fmt: skip
    api.script("GET", ".*/drift", reply_json(200, found), reply_json(200, found))
    result = run("model", "drift", model["id"])
    assert result.out == "label-mix\t0.500\t0.0003\tyes\n"
    assert result.err.splitlines() == [
        "It has drifted.", "grizzly is 80 % of the answers.", "No embeddings.",
    ]  # fmt: skip
    assert json.loads(run("model", "drift", model["id"], "--json").out) == found


def test_export_writes_the_bundle(api, run, model, tmp_path):
    result = run("model", "export", model["id"], "--out", "m.zip")
    assert (result.code, result.out) == (0, "m.zip\n")
    assert (tmp_path / "m.zip").read_bytes() == api.bundle
    document = json.loads(run("model", "export", model["id"], "--out", "m.zip", "--json").out)
    assert document == {"model_id": model["id"], "path": "m.zip", "bytes": len(api.bundle)}


@pytest.mark.parametrize(
    "reply",
    [Reply(200, b"other bytes"), Reply(200, b"PK", is_cut=True), Reply(200, b"x" * 200)],
    ids=["wrong-hash", "cut", "too-large"],
)
def test_a_bundle_that_is_not_whole_leaves_the_old_file(
    api, run, model, tmp_path, monkeypatch, reply
):
    monkeypatch.setattr(model_command, "MAX_BUNDLE_BYTES", 100)
    (tmp_path / "m.zip").write_bytes(b"old")
    api.script("GET", ".*/bundle", reply)
    assert run("model", "export", model["id"], "--out", "m.zip").code == 1
    assert (tmp_path / "m.zip").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["m.zip"]


def test_an_unknown_model_and_a_missing_folder(run, model):
    assert run("model", "export", "01JD", "--out", "m.zip").code == 1
    assert run("model", "export", model["id"], "--out", "no/m.zip").code == 2


class _Window(webbrowser.BaseBrowser):
    opened: list[str]

    def open(self, url, new=0, autoraise=True):
        self.opened.append(url)
        return True


def test_open_prints_the_link_and_opens_it(api, run, monkeypatch):
    window = _Window()
    window.opened = []
    monkeypatch.setattr(webbrowser, "get", lambda: window)
    result = run("open")
    assert result.out == f"{api.address}/sign-in?code=K7\n"
    assert window.opened == [result.out.strip()]
    run("open", "--print")
    assert len(window.opened) == 1


def test_open_leaves_the_terminal_to_nobody(api, run, monkeypatch):
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("w3m"))
    result = run("open")
    assert result.code == 0
    assert "copy the link" in result.err


def test_json_of_stage_and_open(api, run, model):
    assert json.loads(run("model", "stage", model["id"], "live", "--json").out)["stage"] == "live"
    assert json.loads(run("open", "--print", "--json").out)["url"].startswith(api.address)


def test_a_link_that_is_none_is_not_opened(api, run, monkeypatch):
    monkeypatch.setattr(webbrowser, "get", lambda: pytest.fail("opened"))
    api.script("POST", ".*/sign-in-codes", reply_json(201, {"url": "file:///etc/passwd"}))
    result = run("open")
    assert (result.code, result.out) == (1, "")


def test_no_browser_at_all(api, run, monkeypatch):
    def none():
        raise webbrowser.Error("none")

    monkeypatch.setattr(webbrowser, "get", none)
    assert "copy the link" in run("open").err


def test_a_bundle_that_is_gone(api, run, model):
    api.script("GET", ".*/bundle", problem(404, "model-not-found", "no bundle"))
    result = run("model", "export", model["id"], "--out", "m.zip")
    assert result.code == 1
    assert "no bundle" in result.err
