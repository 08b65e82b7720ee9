"""The verbs of datasets and images, against a real server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.cli.app import main
from tests.support.archives import plain_tar, plain_zip
from tests.support.images import jpeg
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("server") / "data"
    with ServerProcess(data, {}, has_trainer=False) as server:
        yield server


@pytest.fixture
def run(
    server: ServerProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    monkeypatch.setenv("BOWERBIRD_SERVER", server.url)
    monkeypatch.setenv("BOWERBIRD_TOKEN", server.token)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        captured = capsys.readouterr()
        return Result(ending.value.code, captured.out, captured.err)

    return call


def labels(run: Run, dataset: str) -> dict[str, int]:
    counts = run("dataset", "show", dataset, "--json").json["counts"]["labels"]
    return {name: number["ready"] for name, number in counts.items()}


def test_a_dataset_is_filled_shown_changed_and_deleted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for n in range(4):
        path = tmp_path / "photos" / ("grizzly" if n % 2 else "teddy") / f"{n}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(80 + n, 60, n))
    assert run("dataset", "import", "photos", "--dataset", "verbs").code == 0
    assert labels(run, "verbs") == {"grizzly": 2, "teddy": 2}
    assert "label grizzly\t2" in run("dataset", "show", "verbs").out

    listed = run("image", "list", "--dataset", "verbs", "--label", "grizzly", "--json").json
    assert [image["label"] for image in listed] == ["grizzly"] * 2
    assert len(run("image", "list", "--dataset", "verbs", "--limit", "3").out.splitlines()) == 3
    first = listed[0]["id"]
    assert run("image", "show", first, "--json").json["sightings"] == []
    assert "label\tgrizzly" in run("image", "show", first).out

    changed = run("image", "set", first, "--label", "teddy", "--exclude", "--json").json
    assert (changed["label"], changed["excluded"]) == ("teddy", True)
    assert labels(run, "verbs") == {"grizzly": 1, "teddy": 3}
    refused = run("image", "set", first, "--label", "panda")
    assert refused.code == 1
    assert "no label 'panda'" in refused.err
    assert run("image", "set", first).code == 2

    assert run("dataset", "retry", "verbs", "--json").json == {"queued": 0}
    assert run("dataset", "pause", "verbs", "--json").json["paused"] is True
    assert run("dataset", "resume", "verbs", "--json").json["paused"] is False
    assert run("dataset", "delete", "verbs").code == 1, "nobody answered the question"
    assert labels(run, "verbs")
    assert run("dataset", "delete", "verbs", "--yes").code == 0
    assert run("dataset", "show", "verbs").code == 1


def test_many_images_are_changed_by_ids_from_a_pipe(run: Run, monkeypatch: pytest.MonkeyPatch):
    Path("a.tar").write_bytes(
        plain_tar({f"grizzly/{n}.jpg": jpeg(64, 64, 50 + n) for n in range(5)})
    )
    assert run("dataset", "import", "a.tar", "--dataset", "piped").code == 0
    ids = run("image", "list", "--dataset", "piped", "--limit", "0").out
    monkeypatch.setattr("sys.stdin", io.StringIO(ids.replace("\t", "\n\n\t", 1)[:26] + "\n\n"))
    result = run("image", "bulk", "-", "--dataset", "piped", "--exclude", "--json")
    assert result.json["changed"] == 1
    assert result.json["conflicts"] == []
    excluded = run("image", "list", "--dataset", "piped", "--excluded", "--json").json
    assert [image["id"] for image in excluded] == [ids[:26]]
    undone = run("image", "undo", "--dataset", "piped", "--json").json
    assert (undone["changed"], undone["action"]["id"]) == (1, result.json["action_ids"][0])
    assert run("image", "list", "--dataset", "piped", "--excluded", "--json").json == []
    assert "made again" in run("image", "redo", "--dataset", "piped").err
    assert run("image", "undo", "--dataset", "piped").code == 0
    refused = run("image", "undo", "--dataset", "piped")
    assert (refused.code, refused.out) == (1, "")
    stale = run("image", "set", ids[:26], "--exclude", "--version", "1")
    assert stale.code == 1, "it was changed and changed back"
    monkeypatch.setattr("sys.stdin", io.StringIO("x" * 100))
    assert run("image", "bulk", "-", "--dataset", "piped", "--exclude").code == 1


def test_what_has_a_table_is_read_by_the_server(run: Run, tmp_path: Path):
    folder = tmp_path / "hf" / "train"
    folder.mkdir(parents=True)
    (folder / "metadata.csv").write_text("file_name,label\na.jpg,grizzly\nb.jpg,teddy\n")
    for n, name in enumerate(("a.jpg", "b.jpg", ".hidden.jpg")):
        (folder / name).write_bytes(jpeg(64, 48, 60 + n))
    (folder / "link.jpg").symlink_to("/etc/passwd")
    missing = run("dataset", "import", "hf", "--dataset", "table", "--dry-run")
    assert missing.code == 1
    assert "dataset create" in missing.err
    run("dataset", "create", "table")
    preview = run("dataset", "import", "hf", "--dataset", "table", "--dry-run", "--json").json
    assert (preview["added"], preview["labels"]) == (2, {"grizzly": 1, "teddy": 1})
    assert labels(run, "table") == {}
    done = run("dataset", "import", "hf", "--dataset", "table")
    assert done.out == "2 added, 0 already there\n1 left out\n2 not sent\n"
    assert "link.jpg: a link that leads out of the folder" in done.err
    assert "hidden.jpg: hidden" in done.err
    assert labels(run, "table") == {"grizzly": 1, "teddy": 1}

    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}
    del files["link.jpg"]
    Path("hf.zip").write_bytes(plain_zip({f"train/{name}": data for name, data in files.items()}))
    again = run("dataset", "import", "hf.zip", "--dataset", "table", "--json").json
    assert (again["added"], again["known"]) == (0, 2)
    for name in ("a.jpg", "b.jpg"):
        (folder / name).unlink()
    assert run("dataset", "import", "hf", "--dataset", "table").code == 1, "nothing was taken"
    Path("bad.tar").write_bytes(b"\0" * 600)
    refused = run("dataset", "import", "bad.tar", "--dataset", "table")
    assert refused.code == 1
    assert "neither a zip nor a tar" in refused.err


def test_everything_of_a_site_is_removed_and_kept_out(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run("dataset", "create", "sited")
    table = ["file_name,label,source_url,title,license"]
    files = {}
    for number, host in enumerate(("example.org", "img.example.org", "other.test")):
        files[f"{number}.jpg"] = jpeg(64, 64, 500 + number)
        table.append(f"{number}.jpg,a,https://{host}/{number},=1+1|{host},CC BY")
    files["metadata.csv"] = "\n".join(table).encode()
    (tmp_path / "sited.zip").write_bytes(plain_zip(files))
    assert run("dataset", "import", "sited.zip", "--dataset", "sited").code == 0

    listed_credits = run("dataset", "credits", "sited", "--format", "csv").out.splitlines()
    assert listed_credits[0].startswith("image_id,sha256,label,title,url,source_url")
    assert len(listed_credits) == 4
    assert all(",'=1+1|" in line for line in listed_credits[1:]), "no spreadsheet runs it"
    shown = run("dataset", "credits", "sited").out
    assert "=1+1\\|example.org" in shown
    assert [one["site"] for one in run("dataset", "credits", "sited", "--json").json] == [
        "example.org",
        "img.example.org",
        "other.test",
    ]

    seen = run("site", "remove", "example.org", "--dataset", "sited", "--dry-run", "--json")
    assert (seen.json["images"], seen.json["removal_id"]) == (2, None)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    asked = run("site", "remove", "example.org")
    assert asked.code == 1, "the answer is no"
    assert "Of example.org would go: 2 images, 0 captures, 2 files" in asked.err
    done = run("site", "remove", "example.org", "--block", "--yes")
    assert (done.code, done.out) == (0, "")
    assert "Of example.org are gone: 2 images" in done.err
    assert "It can't be undone. example.org is kept out now." in done.err
    [listed] = run("site", "list-removed", "--json").json
    assert (listed["site"], listed["images"], listed["block"]) == ("example.org", 2, True)
    assert run("site", "list-removed").out.startswith("example.org\t")
    assert run("site", "list-blocked").out.startswith("example.org\t")
    again = run("dataset", "import", "sited.zip", "--dataset", "sited", "--json").json
    assert again["reasons"] == {"opt-out": 2}
    assert "is let in again" in run("site", "unblock", "example.org").err
    refused = run("site", "unblock", "example.org")
    assert (refused.code, "example.org is not kept out" in refused.err) == (1, True)
    assert run("dataset", "delete", "sited", "--yes").code == 0


def test_an_export_comes_in_again_under_the_labels_that_it_left_with(run: Run, tmp_path: Path):
    wanted = {"grizzly": 6, "black/brown": 6}
    for label, folder in (("grizzly", "grizzly"), ("black/brown", "black%2Fbrown")):
        (tmp_path / "photos" / folder).mkdir(parents=True)
        for n in range(wanted[label]):
            picture = jpeg(64, 48, 300 + n + 10 * len(folder))
            (tmp_path / "photos" / folder / f"{n}.jpg").write_bytes(picture)
    assert run("dataset", "import", "photos", "--dataset", "left").code == 0
    assert labels(run, "left") == wanted
    made = run("snapshot", "create", "--dataset", "left", "--valid-ratio", "0.3")
    assert made.code == 0, made.err
    snapshot_id = made.out.strip()
    for form, name in (("folder", "a.zip"), ("hf", "b.zip"), ("webdataset", "c.tar")):
        assert run("snapshot", "export", snapshot_id, "--format", form, "--out", name).code == 0
        done = run("dataset", "import", name, "--dataset", f"came as {form}")
        assert done.out.startswith("12 added, 0 already there\n"), done.err
        assert labels(run, f"came as {form}") == wanted
    with zipfile.ZipFile("a.zip") as archive:
        archive.extractall("unpacked")
    assert run("dataset", "import", "unpacked", "--dataset", "came unpacked").code == 0
    assert labels(run, "came unpacked") == wanted
