"""The client against a real loopback server: manifests, blobs, claims, bundles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.contract.jobs import JobError, Progress
from tests.support.snapshots import coloured, make_snapshot
from tests.support.training_server import JOB_ID, TOKEN, TrainingServer, training_server
from trainer.client import ServerClient
from trainer.errors import JobFailedError, JobStoppedError, ServerAwayError, ServerRefusedError
from trainer.snapshot import blob_path
from trainer.transport import Transport


@pytest.fixture
def play(tmp_path: Path) -> Iterator[TrainingServer]:
    """A running server with a small snapshot."""
    with training_server(make_snapshot(tmp_path / "server", coloured(4))) as server:
        yield server


@pytest.fixture
def client(play: TrainingServer) -> Iterator[ServerClient]:
    """A client of that server."""
    with Transport(play.address, SecretStr(TOKEN), 8, lambda _: None) as transport:
        yield ServerClient(transport, "tester", 4)


def _ignore(done: int, total: int) -> None:
    """Take progress and do nothing."""


def test_a_job_is_claimed_once(client: ServerClient) -> None:
    claim = client.claim(0)
    assert claim is not None
    assert (claim.job.id, claim.lease_s) == (JOB_ID, 30)
    assert client.claim(0) is None


def test_a_job_not_understood_is_given_back_with_the_reason(
    play: TrainingServer, client: ServerClient
) -> None:
    play.recipe = {"kind": "distil"}
    assert client.claim(0) is None
    (report,) = play.failed
    assert report["worker"] == "tester"
    assert report["error"]["kind"] == "job-not-understood"
    assert "Update the trainer" in report["error"]["detail"]


def test_progress_and_failure_are_reported(play: TrainingServer, client: ServerClient) -> None:
    reply = client.report(JOB_ID, Progress(phase="head", done=1, total=36))
    assert reply.state == "running"
    client.fail(JOB_ID, JobError(kind="out-of-memory", detail="Buy some."))
    # And no more than that: a server that is older than the stages would refuse them.
    assert play.reports[0]["progress"] == {"phase": "head", "done": 1, "total": 36}
    assert play.failed[0]["error"] == {"kind": "out-of-memory", "detail": "Buy some."}


def test_a_manifest_is_fetched_and_checked(play: TrainingServer, client: ServerClient) -> None:
    assert client.fetch_manifest(play.manifest.snapshot_id) == play.manifest


def test_origins_are_fetched_by_hash_and_unknown_to_an_older_server(
    play: TrainingServer, client: ServerClient
) -> None:
    asked = play.manifest.snapshot_id
    assert client.fetch_origins(asked) == {}
    first = play.manifest.items[0].sha256
    play.origins = [{"sha256": first, "engine": "bing", "site": "a.example", "license": None}]
    (origin,) = client.fetch_origins(asked).values()
    assert (origin.sha256, origin.engine, origin.site) == (first, "bing", "a.example")


def test_a_manifest_of_another_hash_fails_the_job(
    play: TrainingServer, client: ServerClient
) -> None:
    play.manifest_sha256 = "0" * 64
    with pytest.raises(JobFailedError, match="sha256") as caught:
        client.fetch_manifest(play.manifest.snapshot_id)
    assert caught.value.kind == "manifest-damaged"


def test_blobs_are_fetched_once(play: TrainingServer, client: ServerClient, tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    folder.mkdir()
    steps: list[tuple[int, int]] = []
    client.fetch_blobs(play.manifest.items, folder, lambda *step: steps.append(step))
    assert steps[0] == (0, 12)
    assert steps[-1] == (12, 12)
    for item in play.manifest.items:
        original = play.snapshot.path(item).read_bytes()
        assert blob_path(folder, item.sha256).read_bytes() == original
    before = len(play.requests)
    client.fetch_blobs(play.manifest.items, folder, lambda *step: steps.append(step))
    assert len(play.requests) == before
    assert steps[-1] == (12, 12)


def test_a_blob_cut_short_on_disk_is_fetched_again(
    play: TrainingServer, client: ServerClient, tmp_path: Path
) -> None:
    item = play.manifest.items[0]
    path = blob_path(tmp_path / "blobs", item.sha256)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"short")
    client.fetch_blobs([item], tmp_path / "blobs", _ignore)
    assert path.stat().st_size == item.bytes


def test_a_damaged_blob_is_not_kept(
    play: TrainingServer, client: ServerClient, tmp_path: Path
) -> None:
    item = play.manifest.items[5]
    play.broken[item.sha256] = b"x" * item.bytes
    with pytest.raises(JobFailedError, match=item.sha256) as caught:
        client.fetch_blobs(play.manifest.items, tmp_path, _ignore)
    assert caught.value.kind == "blob-damaged"
    assert not blob_path(tmp_path, item.sha256).exists()


@pytest.mark.parametrize("how", ["missing", "lost"])
def test_a_blob_that_is_gone_fails_the_job(
    play: TrainingServer, client: ServerClient, tmp_path: Path, how: str
) -> None:
    getattr(play, how).add(play.manifest.items[2].sha256)
    with pytest.raises(JobFailedError) as caught:
        client.fetch_blobs(play.manifest.items, tmp_path, _ignore)
    assert caught.value.kind == "blob-missing"


def test_a_blob_larger_than_announced_is_cut_off(
    play: TrainingServer, client: ServerClient, tmp_path: Path
) -> None:
    item = play.manifest.items[0]
    play.broken[item.sha256] = b"x" * (item.bytes + 1)
    with pytest.raises(ServerAwayError, match="more than"):
        client.fetch_blobs([item], tmp_path, _ignore)


def test_a_refused_token_is_not_a_missing_blob(play: TrainingServer, tmp_path: Path) -> None:
    with Transport(play.address, SecretStr("wrong"), 8, lambda _: None) as transport:
        client = ServerClient(transport, "tester", 4)
        with pytest.raises(ServerRefusedError, match="401"):
            client.fetch_blobs(play.manifest.items, tmp_path, _ignore)


def test_a_listener_that_raises_stops_the_download(
    play: TrainingServer, client: ServerClient, tmp_path: Path
) -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise JobStoppedError("cancelled")

    with pytest.raises(JobStoppedError):
        client.fetch_blobs(play.manifest.items, tmp_path, stop)


def test_a_bundle_is_streamed_up(
    play: TrainingServer, client: ServerClient, tmp_path: Path
) -> None:
    data = bytes(range(256)) * 4096  # four chunks
    (tmp_path / "b.zip").write_bytes(data)
    assert client.upload(JOB_ID, tmp_path / "b.zip") == "01JDMODEL"
    assert play.bundle == data
