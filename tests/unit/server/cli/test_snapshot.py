"""``bowerbird snapshot …`` against a played server: what goes wrong on the way."""

from __future__ import annotations

import json

import pytest

from server.client import downloads
from tests.support.cli_server import Reply, problem, reply_json

WHOLE = bytes(range(256)) * 40
TAG = {"ETag": '"one"'}
CUT_AT = 5000
EXPORT = "/api/v1/snapshots/01JD/export"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_PAUSE_S", 0.0)


def part(start: int, stop: int = len(WHOLE), *, is_cut: bool = False) -> Reply:
    headers = TAG | {"Content-Range": f"bytes {start}-{len(WHOLE) - 1}/{len(WHOLE)}"}
    return Reply(206, WHOLE[start:stop], headers, is_cut=is_cut)


def export(run, *more: str):
    return run("snapshot", "export", "01JD", "--format", "folder", "--out", "b.zip", *more)


def test_a_download_that_is_cut_goes_on(api, run, tmp_path):
    api.script("GET", EXPORT, Reply(200, WHOLE[:CUT_AT], TAG, is_cut=True))
    api.script("GET", EXPORT, part(CUT_AT))
    result = export(run, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out) == {
        "snapshot_id": "01JD",
        "format": "folder",
        "path": "b.zip",
        "bytes": len(WHOLE),
    }
    assert (tmp_path / "b.zip").read_bytes() == WHOLE
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]
    first, second = api.seen("GET", EXPORT)
    assert "range" not in first.headers
    assert second.headers["range"] == f"bytes={CUT_AT}-"
    assert second.headers["if-range"] == '"one"'
    assert second.headers["accept-encoding"] == "identity"


def test_what_came_is_kept_for_the_next_run(api, run, tmp_path):
    (tmp_path / "b.zip").write_bytes(b"old")
    api.script("GET", EXPORT, Reply(200, WHOLE[:CUT_AT], TAG, is_cut=True))
    gone = [Reply(206, b"", TAG | {"Content-Range": f"bytes {CUT_AT}-9/10"}, is_cut=True)] * 5
    api.script("GET", EXPORT, *gone)
    result = export(run)
    assert result.code == 1
    assert "goes on where" in result.err
    assert (tmp_path / "b.zip").read_bytes() == b"old"
    api.script("GET", EXPORT, part(CUT_AT))
    assert export(run).code == 0
    assert (tmp_path / "b.zip").read_bytes() == WHOLE


def test_another_file_begins_anew(api, run, tmp_path):
    api.script("GET", EXPORT, Reply(200, WHOLE[:CUT_AT], TAG, is_cut=True))
    api.script("GET", EXPORT, Reply(200, b"all new", {"ETag": '"two"'}))
    assert export(run).code == 0
    assert (tmp_path / "b.zip").read_bytes() == b"all new"


def test_a_part_of_another_export_is_not_taken_up(api, run, tmp_path):
    (tmp_path / ".b.zip.part").write_bytes(b"12345")
    (tmp_path / ".b.zip.part.json").write_text('{"of": "another", "etag": "\\"one\\""}')
    api.script("GET", EXPORT, Reply(200, WHOLE, TAG))
    assert export(run).code == 0
    assert (tmp_path / "b.zip").read_bytes() == WHOLE
    assert "range" not in api.seen("GET", EXPORT)[0].headers


def test_a_kill_between_note_and_bytes_leaves_no_part_of_another_file(
    api, run, tmp_path, monkeypatch
):
    (tmp_path / ".b.zip.part").write_bytes(b"12345")
    (tmp_path / ".b.zip.part.json").write_text('{"of": "another", "etag": "\\"one\\""}')
    write = downloads.write_atomically

    def killed(*arguments):
        write(*arguments)
        raise OSError(5, "killed")

    monkeypatch.setattr(downloads, "write_atomically", killed)
    api.script("GET", EXPORT, Reply(200, WHOLE, TAG))
    assert export(run).code == 1
    monkeypatch.setattr(downloads, "write_atomically", write)
    api.script("GET", EXPORT, Reply(200, WHOLE, TAG))
    assert export(run).code == 0
    assert "range" not in api.seen("GET", EXPORT)[1].headers
    assert (tmp_path / "b.zip").read_bytes() == WHOLE


def test_all_came_before_and_only_the_name_was_missing(api, run, tmp_path):
    (tmp_path / ".b.zip.part").write_bytes(WHOLE)
    key = downloads.Source("/snapshots/01JD/export", {"format": "folder"}).key
    (tmp_path / ".b.zip.part.json").write_text(json.dumps({"of": key, "etag": '"one"'}))
    api.script("GET", EXPORT, Reply(416, b"", {"Content-Range": f"bytes */{len(WHOLE)}"}))
    assert export(run).code == 0
    assert (tmp_path / "b.zip").read_bytes() == WHOLE


def test_a_part_that_begins_elsewhere_is_no_answer(api, run, tmp_path):
    api.script("GET", EXPORT, Reply(200, WHOLE[:CUT_AT], TAG, is_cut=True), part(CUT_AT - 1))
    result = export(run)
    assert result.code == 1
    assert "begins" in result.err
    assert not (tmp_path / "b.zip").exists()


def test_a_refusal_is_told(api, run, tmp_path):
    api.script("GET", EXPORT, problem(409, "snapshot-damaged", "The manifest is gone."))
    result = export(run)
    assert (result.code, "The manifest is gone." in result.err) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage(run, tmp_path):
    assert export(run, "--shard", "1").code == 2
    odd = ("snapshot", "export", "../x", "--format", "csv", "--out", "a.csv")
    assert run(*odd).code == 2
    nowhere = ("snapshot", "export", "01JD", "--format", "csv", "--out", "no/a.csv")
    assert run(*nowhere).code == 2


def test_what_straddles_the_split_is_said(api, run):
    dataset = api.add_dataset("bears", ready=10)
    counts = {"total": 10, "train": 8, "valid": 2}
    apart = {"near_duplicate_pairs": 3, "source_pages": 0}
    made = {"id": "01JE", "counts": counts | {"straddling": apart}}
    api.script("POST", f"/api/v1/datasets/{dataset['id']}/snapshots", reply_json(201, made))
    result = run("snapshot", "create", "--dataset", "bears")
    assert result.out == "01JE\n"
    assert "3 pairs of near-duplicates" in result.err
