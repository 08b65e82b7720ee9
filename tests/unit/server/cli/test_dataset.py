"""``bowerbird dataset …`` against a played server."""

from __future__ import annotations

import json
import zipfile

import pytest

from server.cli.importing import addresses, upload
from tests.support.cli_server import BROKEN_IMAGE, ERROR_IMAGE, Reply, problem, reply_json


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    for label in ("grizzly", "teddy"):
        (root / label).mkdir(parents=True)
        for number in range(12):
            (root / label / f"{number}.jpg").write_bytes(f"{label} {number}".encode())
    return root


def test_list_shows_counts_one_line_each_in_a_pipe(api, run):
    api.add_dataset("bears", ready=7, queued=2)
    dataset = api.add_dataset("buses\x1b[2J")
    result = run("dataset", "list")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].split("\t")[:4] == ["bears", "7", "2", "0"]
    assert lines[1].split("\t")[0] == "buses\\x1b[2J"
    assert lines[1].endswith(dataset["id"])


def test_list_json_is_the_server_s_own(api, run):
    assert json.loads(run("dataset", "list", "--json").out) == []
    dataset = api.add_dataset("bears", ready=7)
    [listed] = json.loads(run("dataset", "list", "--json").out)
    assert listed["id"] == dataset["id"]
    assert listed["created_at"] == "2026-11-22T10:00:00Z"


def test_create_prints_the_id_alone(api, run):
    result = run("dataset", "create", "bears", "--description", "three kinds")
    assert result.code == 0
    assert result.out.strip() in api.datasets
    again = run("dataset", "create", "bears")
    assert (again.code, again.out) == (1, "")
    assert "already" in again.err


def test_a_dataset_is_paused_and_resumed_by_name(api, run):
    dataset = api.add_dataset("bears", queued=7)
    result = run("dataset", "pause", "bears")
    assert (result.code, result.out) == (0, "")
    assert "bears is paused; 7 images are waiting" in result.err
    assert api.datasets[dataset["id"]]["paused"] is True
    resumed = json.loads(run("dataset", "resume", "bears", "--json").out)
    assert resumed["paused"] is False
    assert "no dataset `buses`" in run("dataset", "pause", "buses").err


def test_import_makes_the_dataset_and_labels_and_sends_everything(api, run, photos):
    result = run("dataset", "import", str(photos), "--dataset", "bears")
    assert (result.code, result.out) == (0, "24 added, 0 already there\n")
    [dataset] = api.datasets.values()
    assert api.labels[dataset["id"]] == ["grizzly", "teddy"]
    assert len(api.images) == 24
    again = run("dataset", "import", str(photos), "--dataset", "bears")
    assert (again.code, again.out) == (0, "0 added, 24 already there\n")


def test_import_json_tells_every_file_s_fate(api, run, photos):
    (photos / "teddy" / "bad.jpg").write_bytes(BROKEN_IMAGE)
    (photos / "teddy" / "copy.jpg").write_bytes(b"grizzly 0")
    (photos / "teddy" / "trip.jpg").write_bytes(ERROR_IMAGE)
    (photos / "teddy" / ".DS_Store").write_bytes(b"x")
    document = json.loads(run("dataset", "import", str(photos), "--dataset", "bears", "--json").out)
    assert document["dataset"] == "bears"
    assert (document["added"], document["already_there"]) == (24, 0)
    assert document["refused"] == {"not-an-image": 1, "internal": 1}
    assert {one["name"] for one in document["refused_items"]} == {
        "teddy/bad.jpg",
        "teddy/trip.jpg",
    }
    assert [one["name"] for one in document["other_label"]] == ["teddy/copy.jpg"]
    assert document["skipped"] == [{"name": "teddy/.DS_Store", "reason": "hidden"}]


def test_import_summary_says_what_was_refused_and_left_out(api, run, photos):
    (photos / "teddy" / "bad.jpg").write_bytes(BROKEN_IMAGE)
    (photos / ".hidden").write_bytes(b"x")
    result = run("dataset", "import", str(photos), "--dataset", "bears")
    assert result.code == 0
    assert "1 refused: not-an-image" in result.out
    assert "refused: teddy/bad.jpg: not-an-image" in result.err
    assert "left out: .hidden: hidden" in result.err


def test_import_fails_when_nothing_was_taken(api, run, tmp_path):
    (tmp_path / "x" / "a").mkdir(parents=True)
    (tmp_path / "x" / "a" / "1.jpg").write_bytes(BROKEN_IMAGE)
    assert run("dataset", "import", str(tmp_path / "x"), "--dataset", "bears").code == 1


def test_import_of_nothing_says_what_is_expected(api, run, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1.jpg").write_bytes(b"1")
    result = run("dataset", "import", str(tmp_path / "x"), "--dataset", "bears")
    assert result.code == 1
    assert "sub-folder for each label" in result.err
    assert api.datasets == {}


def test_dry_run_asks_no_server(run, photos):
    result = run("dataset", "import", str(photos), "--dataset", "bears", "--dry-run")
    assert (result.code, result.out) == (0, "grizzly\t12\nteddy\t12\n")
    assert "Nothing was sent" in result.err
    document = json.loads(
        run("dataset", "import", str(photos), "--dataset", "bears", "--dry-run", "--json").out
    )
    assert document["labels"] == {"grizzly": 12, "teddy": 12}


def test_import_stops_when_the_server_no_longer_lets_us_in(api, run, photos):
    api.script("POST", ".*/images", *[problem(401, "unauthorised", "No.")] * 24)
    result = run("dataset", "import", str(photos), "--dataset", "bears")
    assert result.code == 1
    assert "token create" in result.err
    assert "goes on from there" in result.err
    assert len(api.seen("POST", ".*/images")) < 24


def test_import_stops_when_the_server_keeps_failing(api, run, photos, monkeypatch):
    monkeypatch.setattr(upload, "MAX_SERVER_ERRORS", 2)
    api.script("POST", ".*/images", *[problem(500, "internal", "See the log.")] * 24)
    result = run("dataset", "import", str(photos), "--dataset", "bears")
    assert result.code == 1
    assert "keeps failing" in result.err


def test_import_stops_when_the_server_dies(api, run, photos):
    api.script("POST", ".*/images", *[Reply(201, b"{", is_cut=True)] * 24)
    result = run("dataset", "import", str(photos), "--dataset", "bears")
    assert result.code == 1
    assert "stopped answering" in result.err


def test_import_csv_sends_captures_a_label_each(api, run, tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "BATCH", 2)
    lines = [f"https://x.example/{n}.jpg,{'a' if n % 2 else 'b'}" for n in range(6)]
    (tmp_path / "list.csv").write_text("url,label\n" + "\n".join([*lines, "ftp://x,a", ",a"]))
    result = run("dataset", "import", "list.csv", "--dataset", "bears")
    assert result.code == 0
    assert result.out == "6 added, 0 already there\n1 refused: bad-url\n1 left out\n"
    captures = [request.json() for request in api.seen("POST", ".*/captures")]
    assert [(c["label"], len(c["candidates"])) for c in captures] == [
        ("b", 2), ("b", 1), ("a", 2), ("a", 2),
    ]  # fmt: skip
    assert len({c["capture_key"] for c in captures}) == 4


def test_import_of_another_kind_of_file_is_refused(run, tmp_path):
    (tmp_path / "a.rar").write_bytes(b"x")
    result = run("dataset", "import", "a.rar", "--dataset", "bears")
    assert result.code == 1
    assert "neither a folder" in result.err


def test_empty_list_and_json_of_create(api, run):
    result = run("dataset", "list")
    assert (result.code, result.out) == (0, "")
    assert "dataset create" in result.err
    assert json.loads(run("dataset", "create", "bears", "--json").out)["name"] == "bears"


def test_import_of_a_zip(api, run, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("bears/grizzly/1.jpg", b"1")
        made.writestr("bears/teddy/2.jpg", b"2")
    result = run("dataset", "import", "a.zip", "--dataset", "bears")
    assert (result.code, result.out) == (0, "2 added, 0 already there\n")


def test_long_lists_are_cut_on_stderr(api, run, tmp_path):
    (tmp_path / "x" / "a").mkdir(parents=True)
    (tmp_path / "x" / "a" / "1.jpg").write_bytes(b"1")
    (tmp_path / "x" / "a" / "2.jpg").write_bytes(b"1")
    for number in range(25):
        (tmp_path / "x" / "a" / f".{number}").write_bytes(b"x")
    result = run("dataset", "import", "x", "--dataset", "bears")
    assert result.err.count("left out:") == 20
    assert "… and 5 more" in result.err
    assert result.out == "1 added, 1 already there\n25 left out\n"


def test_a_picture_under_two_labels_keeps_the_first(api, run, tmp_path):
    dataset = api.add_dataset("bears")
    run("dataset", "import", str(_one(tmp_path / "1", "grizzly")), "--dataset", "bears")
    result = run("dataset", "import", str(_one(tmp_path / "2", "teddy")), "--dataset", "bears")
    assert result.out == "0 added, 0 already there\n1 already there under another label\n"
    assert "label kept: teddy/1.jpg: the same picture is there as 'grizzly'" in result.err
    assert set(api.labels[dataset["id"]]) == {"grizzly", "teddy"}


def _one(root, label):
    (root / label).mkdir(parents=True)
    (root / label / "1.jpg").write_bytes(b"the same bytes")
    return root


def test_a_label_that_somebody_else_makes_meanwhile_is_as_good(api, run, tmp_path):
    dataset = api.add_dataset("bears")
    api.labels[dataset["id"]] = ["grizzly"]
    api.script("GET", ".*/labels", reply_json(200, {"items": [], "next_cursor": None}))
    assert (
        run("dataset", "import", str(_one(tmp_path / "1", "grizzly")), "--dataset", "bears").code
        == 0
    )


def test_a_label_the_server_does_not_allow_ends_it(api, run, tmp_path):
    api.script("POST", ".*/labels", problem(422, "invalid-request", "Not a name."))
    result = run("dataset", "import", str(_one(tmp_path / "1", "grizzly")), "--dataset", "bears")
    assert result.code == 1
    assert "Not a name." in result.err
