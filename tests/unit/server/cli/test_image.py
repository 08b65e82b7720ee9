"""``bowerbird image bulk`` against a played server: more ids than one change takes."""

from __future__ import annotations

import json

from tests.support.cli_server import problem, reply_json

IDS = [f"image-{number}" for number in range(2500)]


def bulk(api, run, *answers, more=()):
    dataset = api.add_dataset("bears", ready=10)
    api.script("POST", f"/api/v1/datasets/{dataset['id']}/images/bulk", *answers)
    return run("image", "bulk", *IDS, "--dataset", "bears", "--exclude", *more)


def changed(count, action):
    return reply_json(200, {"changed": count, "action_id": action})


def test_each_thousand_is_undone_by_a_command_of_its_own(api, run):
    answers = [changed(1000, "one"), changed(1000, "two"), changed(500, "three")]
    result = bulk(api, run, *answers)
    assert result.code == 0
    assert result.err.splitlines() == [
        "2500 images changed; to undo it:",
        "  bowerbird image undo --dataset bears --action three",
        "  bowerbird image undo --dataset bears --action two",
        "  bowerbird image undo --dataset bears --action one",
    ]


def test_what_was_done_before_a_failure_is_told(api, run):
    failure = problem(409, "conflict", "The dataset is gone.")
    result = bulk(api, run, changed(1000, "one"), failure)
    assert result.code == 1
    assert "1000 images changed" in result.err
    assert "--action one" in result.err
    assert "1500 of 2500 ids are not done." in result.err
    assert "The dataset is gone." in result.err


def test_a_script_gets_what_was_done_before_a_failure(api, run):
    failure = problem(409, "conflict", "The dataset is gone.")
    result = bulk(api, run, changed(1000, "one"), failure, more=["--json"])
    assert result.code == 1
    assert json.loads(result.out)["action_ids"] == ["one"]
