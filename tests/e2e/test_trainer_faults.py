"""Real trainers beside a real server: killed, stopped, cut off, crowded, out of room.

The network is tiny (``tests.support.small_trainer``); a file holds it still at the step that a test
is about, so that nothing depends on how fast the machine is.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.contract.bundle import read_bundle
from server.contract.recipes import FineTuneRecipe, HeadRecipe, Recipe
from tests.support import workflow
from tests.support.processes import ServerProcess, wait_until
from tests.support.small_disk import fill, small_disk
from tests.support.small_trainer import HEARD
from tests.support.snapshots import coloured
from tests.support.trainer_process import STEP_TIMEOUT_S, TrainerProcess

pytestmark = pytest.mark.slow

LEASE_S = 4
# The head's penalty is so strong that it answers by chance: the fine-tuned network is kept.
TUNED = FineTuneRecipe(size_px=64, train_size_px=32, l2=1e4, updates=12, batch_size=8, lr=1e-2)
HEAD = HeadRecipe(size_px=64)
MIDDLE = {"head": "features 8", "fine-tune": "fine-tune 7"}
EXPORT = (TUNED, "export 0")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without a trainer."""
    data = tmp_path_factory.mktemp("server") / "data"
    settings = {"BOWERBIRD_TRAINING__LEASE_S": str(LEASE_S)}
    with ServerProcess(data, settings, has_trainer=False) as running:
        yield running


@pytest.fixture(scope="module")
def snapshot_id(server: ServerProcess) -> str:
    """A snapshot of drawn pictures in three classes."""
    with server.client() as client:
        dataset_id = workflow.create_dataset(client, "colours")
        for label, pictures in coloured(8).items():
            for picture in pictures:
                reply = client.post(
                    f"/api/v1/datasets/{dataset_id}/images",
                    files={"file": ("drawn.jpg", picture)},
                    data={"label": label},
                )
                assert reply.status_code == 201, reply.text
        made = client.post(f"/api/v1/datasets/{dataset_id}/snapshots", json={"valid_ratio": 0.3})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx2.Client]:
    """A client of the server; no job of another test is left."""
    with server.client() as client:
        yield client
        for state in ("queued", "running"):
            for job in client.get("/api/v1/jobs", params={"state": state}).json()["items"]:
                client.post(f"/api/v1/jobs/{job['id']}/cancel")


def _queue(client: httpx2.Client, snapshot_id: str, recipe: Recipe) -> str:
    body = {"recipe": recipe.model_dump(mode="json")}
    made = client.post(f"/api/v1/snapshots/{snapshot_id}/jobs", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _models_of(client: httpx2.Client, *job_ids: str) -> list[str]:
    models = client.get("/api/v1/models", params={"limit": 500}).json()["items"]
    return sorted(model["job_id"] for model in models if model["job_id"] in job_ids)


def _finish(client: httpx2.Client, job_id: str, attempts: int) -> dict[str, Any]:
    """Wait until the job is done, in so many attempts, by one model."""
    job = workflow.wait_finished(client, job_id)
    assert (job["state"], job["attempts"]) == ("succeeded", attempts), job
    assert _models_of(client, job_id) == [job_id]
    return job


def _leftovers(work: Path) -> list[str]:
    """Return what a job leaves in the folder of a worker but what the next ones can use."""
    kept = {"blobs", "checkpoints", "features.sqlite", "graphs", "pictures.sqlite"}
    names = [path.name for path in work.iterdir()]
    left = [name for name in names if name.removesuffix("-wal").removesuffix("-shm") not in kept]
    left = [name for name in left if not name.endswith(".identity")]
    return left + [path.name for path in work.glob("checkpoints/*")]


def _judged(client: httpx2.Client, job: dict[str, Any], folder: Path) -> list[Any]:
    """Return all that the job's bundle says but how long it took."""
    file = folder / f"{job['id']}.zip"
    file.write_bytes(client.get(f"/api/v1/models/{job['model_id']}/bundle").content)
    bundle = read_bundle(file)
    tuning = bundle.history.fine_tuning
    return [
        bundle.onnx,
        bundle.evaluation,
        bundle.manifest.calibration,
        bundle.manifest.metrics.model_copy(update={"seconds": 0}),
        tuning and tuning.stages,
        tuning and tuning.choice,
    ]


def test_a_killed_training_ends_as_if_it_had_not_been(
    server: ServerProcess, snapshot_id: str, client: httpx2.Client, tmp_path: Path
) -> None:
    worker = TrainerProcess(server, tmp_path / "work", "killed", tmp_path)
    jobs = []
    with worker:
        for recipe in (HEAD, TUNED):
            phase, done = MIDDLE[recipe.kind].split()
            worker.hold_at(MIDDLE[recipe.kind])
            job_id = _queue(client, snapshot_id, recipe)
            worker.wait_for(MIDDLE[recipe.kind])
            worker.kill()
            worker.let_go()
            before = len(worker.steps)
            worker.start()
            jobs.append(_finish(client, job_id, attempts=2))
            again = {step for step in worker.steps[before:] if step.startswith(phase)}
            assert f"{phase} {int(done) - 4}" not in again, "what was done is not done again"
            assert len(again) > 1, "what was not done is done"
        for path in worker.work.glob("*.sqlite*"):
            path.unlink()  # it may be deleted at any time, and the same is computed anew
        whole = [
            _finish(client, _queue(client, snapshot_id, recipe), attempts=1)
            for recipe in (HEAD, TUNED)
        ]
    for one, other in zip(whole, jobs, strict=True):
        assert _judged(client, one, tmp_path) == _judged(client, other, tmp_path)
    assert _judged(client, jobs[1], tmp_path)[-1].kept == "fine-tuned"
    assert _leftovers(worker.work) == []


def test_a_cancelled_training_stops_and_the_next_begins(
    server: ServerProcess, snapshot_id: str, client: httpx2.Client, tmp_path: Path
) -> None:
    worker, job_ids = TrainerProcess(server, tmp_path / "work", "cancelled", tmp_path), []
    with worker:
        for recipe, step in (*((kind, MIDDLE[kind.kind]) for kind in (HEAD, TUNED)), EXPORT):
            worker.wait_for_event("worker.started")
            log_size, before = len(worker.log), len(worker.steps)
            worker.hold_at(step)
            job_ids.append(_queue(client, snapshot_id, recipe))
            worker.wait_for(step, before)
            assert client.post(f"/api/v1/jobs/{job_ids[-1]}/cancel").status_code == 200
            # In the middle of a batch, or of the export, which nothing lets end.
            worker.wait_for_event("job.stopped", log_size)
            worker.wait_for_event("worker.started", log_size)
            worker.let_go()
            told = [told for told in worker.steps[before:] if told != HEARD]
            assert told[-1] == step, "no further batch"
            assert _leftovers(worker.work) == []
        _finish(client, _queue(client, snapshot_id, HEAD), attempts=1)
    for job_id in job_ids:
        assert client.get(f"/api/v1/jobs/{job_id}").json()["state"] == "cancelled"
    assert _models_of(client, *job_ids) == []


def test_a_training_outlives_its_server(
    server: ServerProcess, snapshot_id: str, client: httpx2.Client, tmp_path: Path
) -> None:
    job_id = _queue(client, snapshot_id, TUNED)
    worker = TrainerProcess(server, tmp_path / "work", "cut-off", tmp_path)
    worker.hold_at(MIDDLE["fine-tune"])
    with worker:
        worker.wait_for(MIDDLE["fine-tune"])
        server.stop()
        try:
            worker.let_go()
            worker.wait_for("upload 0")
            worker.wait_for_event("server.unreachable")
        finally:
            server.start()
        _finish(client, job_id, attempts=1)

        # The same, and the worker is killed with the finished bundle in its hands.
        other_id = _queue(client, snapshot_id, HEAD)
        worker.hold_at("upload 0")
        before = len(worker.steps)
        worker.wait_for("upload 0", before)
        server.kill()
        try:
            worker.kill()
            worker.let_go()
            before = len(worker.steps)
            worker.start()
        finally:
            server.start()
        _finish(client, other_id, attempts=2)
    phases = {step.split()[0] for step in worker.steps[before:]}
    assert phases <= {"blobs", "upload"}, "a bundle that is finished is only sent"
    assert _leftovers(worker.work) == []


def test_workers_that_race_take_different_jobs_and_one_that_falls_silent_gives_way(
    server: ServerProcess, snapshot_id: str, client: httpx2.Client, tmp_path: Path
) -> None:
    # Even of one name, in one folder: what a process holds is its own.
    notes = [tmp_path / place for place in ("one", "two")]
    for folder in notes:
        folder.mkdir()
    workers = [TrainerProcess(server, tmp_path / "work", "twin", folder) for folder in notes]
    with workers[0], workers[1]:
        for worker in workers:
            worker.hold_at("blobs 0")
            worker.wait_for_event("worker.started")
        job_ids = [_queue(client, snapshot_id, HEAD)]
        wait_until(lambda: any(worker.steps for worker in workers), STEP_TIMEOUT_S, "one has it")
        # The other one waits: it takes the next.
        job_ids.append(_queue(client, snapshot_id, HEAD))
        for worker in workers:
            worker.wait_for("blobs 0")
        for worker in workers:  # not before: what one fetches the other has, and has no such step
            worker.let_go()
        for job_id in job_ids:
            _finish(client, job_id, attempts=1)
        for worker in workers:
            worker.wait_for_event("job.finished")
            assert worker.log.count('"job.started"') == 1

        for worker in workers:
            worker.hold_at("baselines 0")
        before = [len(worker.steps) for worker in workers]
        lost_id = _queue(client, snapshot_id, HEAD)
        silent, taker = workers if _first_at("baselines 0", workers, before) == 0 else workers[::-1]
        said = len(silent.steps)
        silent.send(signal.SIGSTOP)
        taker.let_go()
        job = _finish(client, lost_id, attempts=2)
        silent.send(signal.SIGCONT)
        silent.wait_for(HEARD, said)
        silent.let_go()
        silent.wait_for_event("job.stopped")
    assert "upload 0" not in silent.steps[said:]
    assert client.get(f"/api/v1/jobs/{lost_id}").json() == job
    assert _models_of(client, *job_ids, lost_id) == sorted([*job_ids, lost_id])


def _first_at(step: str, workers: list[TrainerProcess], before: list[int]) -> int:
    """Return the place of the worker that reaches a step first, later than its first steps."""

    def reached() -> list[int]:
        sizes = zip(workers, before, strict=True)
        return [place for place, (worker, size) in enumerate(sizes) if step in worker.steps[size:]]

    places: list[int] = wait_until(reached, STEP_TIMEOUT_S, f"a worker reaches {step}")
    return places[0]


def test_a_full_disk_fails_the_job_and_is_used_again(
    server: ServerProcess, snapshot_id: str, client: httpx2.Client, tmp_path: Path
) -> None:
    # Without room for the images, for their features, for the bundle, for pictures to tune on.
    full = [(HEAD, "blobs 0"), (HEAD, "features 4"), (HEAD, "export 0"), (TUNED, "fine-tune 0")]
    with small_disk(tmp_path / "disk"):
        filler = tmp_path / "disk" / "filler"
        worker = TrainerProcess(server, tmp_path / "disk" / "work", "full", tmp_path)
        with worker:
            for recipe, step in full:
                before = len(worker.steps)
                worker.hold_at(step)
                job_id = _queue(client, snapshot_id, recipe)
                worker.wait_for(step, before)
                fill(filler)
                worker.let_go()
                job = workflow.wait_finished(client, job_id)
                assert (job["state"], job["error"]["kind"]) == ("failed", "disk-full"), job
                assert str(worker.work) in job["error"]["detail"]
                filler.unlink()
            _finish(client, _queue(client, snapshot_id, TUNED), attempts=1)
        assert _leftovers(worker.work) == []
