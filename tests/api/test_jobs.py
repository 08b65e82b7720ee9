"""Jobs: leases that run out, workers that come back, bundles that are checked; one live model."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from server.contract.bundle import MODEL_ONNX, SnapshotRef, read_bundle, write_bundle
from server.contract.files import sha256_of
from server.contract.snapshot import DatasetRef
from server.services.training import JobRules
from tests.support.app import Bird, Clock, eventually, listening, problem, running
from tests.support.bundles import bundle_manifest, bundle_parts, colour_onnx
from tests.support.played_trainer import (
    WORKER,
    bundle_for,
    claim,
    coloured_dataset,
    deliver,
    job,
    plain,
    snapshot,
    trained,
)

PROGRESS = {"phase": "features", "done": 3, "total": 9, "message": "reading"}
STAGE = {"update": 19, "epoch": 0.5, "lr": 2e-4,
         "train_loss": 1.5, "valid_loss": 1.25, "valid_error_rate": 0.25}  # fmt: skip


@pytest.fixture
def data_folder(tmp_path: Path, coloured_data: Callable[[int], tuple[Path, str]]) -> Path:
    """Return a data folder with one dataset of 18 images."""
    return shutil.copytree(coloured_data(6)[0], tmp_path / "data")


async def filled(bird: Bird) -> str:
    """Return the dataset that is there from the beginning."""
    (dataset,) = (await bird.get("/datasets")).json()["items"]
    return str(dataset["id"])


async def queued(bird: Bird, dataset: str | None = None) -> dict:
    """Return a queued job on a dataset; unless told, on the one that is there."""
    made = await snapshot(bird, dataset or await filled(bird))
    return await job(bird, made["id"])


def stopped(bird: Bird) -> Clock:
    clock = Clock()
    bird.parts.services.training._clock = clock
    return clock


async def state_of(bird: Bird, job_id: str) -> str:
    return str((await bird.get(f"/jobs/{job_id}")).json()["state"])


async def report(bird: Bird, job_id: str, worker: str = WORKER):
    body = {"worker": worker, "progress": PROGRESS}
    return await bird.post(f"/jobs/{job_id}/progress", json=body)


async def test_a_job_is_made_with_the_whole_recipe(still: Bird):
    made = await queued(still)
    assert made["state"] == "queued"
    assert made["recipe"]["kind"] == "head"
    assert made["recipe"]["backbone"] == "efficientnet_lite0"
    assert (made["attempts"], made["progress"], made["error"], made["model_id"]) == (
        0,
        None,
        None,
        None,
    )
    assert (await still.get(f"/jobs/{made['id']}")).json() == made
    for recipe in ({"kind": "magic"}, {"sise_px": 64}, {"size_px": 65}):
        path = f"/snapshots/{made['snapshot_id']}/jobs"
        problem(await still.post(path, json={"recipe": recipe}), 422, "invalid-request")


async def test_jobs_are_listed_newest_first_by_dataset_and_state(still: Bird):
    one = await queued(still)
    other = await queued(still, await coloured_dataset(still, 6))
    assert (await claim(still))["id"] == one["id"], "the oldest comes first"

    async def listed(**wanted: str) -> list[str]:
        return [j["id"] for j in (await still.get("/jobs", params=wanted)).json()["items"]]

    assert await listed() == [other["id"], one["id"]]
    assert await listed(state="running") == [one["id"]]
    assert await listed(dataset=other["dataset_id"]) == [other["id"]]
    assert await listed(dataset=other["dataset_id"], state="running") == []
    assert await listed(dataset="nothing") == []


async def test_a_worker_is_told_at_once_that_there_is_nothing(still: Bird):
    response = await still.post("/jobs/claim", json={"worker": WORKER})
    assert (response.status_code, response.content) == (204, b"")
    for body in ({}, {"worker": ""}, {"worker": "a b"}, {"worker": "w", "wait_s": 21}):
        problem(await still.post("/jobs/claim", json=body), 422, "invalid-request")


async def test_a_waiting_worker_wakes_with_the_job(still: Bird):
    made = await snapshot(still, await filled(still))
    started = time.monotonic()
    waiting = asyncio.create_task(claim(still, wait_s=20))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    queued_job = await job(still, made["id"])
    claimed = await waiting
    assert claimed["id"] == queued_job["id"]
    assert claimed["state"] == "running"
    assert time.monotonic() - started < 20


async def test_a_worker_waits_no_longer_than_it_said(still: Bird):
    started = time.monotonic()
    assert await claim(still, wait_s=0.2) is None
    assert 0.2 <= time.monotonic() - started < 20, "a claim may wait for 20 s, this one did not"


async def test_two_waiting_workers_share_one_job(still: Bird):
    made = await snapshot(still, await filled(still))
    waiting = [asyncio.create_task(claim(still, f"w{n}", wait_s=0.5)) for n in range(2)]
    await asyncio.sleep(0.05)
    await job(still, made["id"])
    assert sorted(claimed is not None for claimed in await asyncio.gather(*waiting)) == [
        False,
        True,
    ]


async def test_a_silent_worker_loses_its_job_to_the_next(still: Bird):
    made, clock = await queued(still), stopped(still)
    await claim(still, "first")
    assert (await report(still, made["id"], "first")).json()["state"] == "running"
    clock.advance(seconds=29)
    assert await claim(still, "second") is None
    clock.advance(seconds=2)
    taken = await claim(still, "second")
    assert (taken["id"], taken["attempts"], taken["progress"]) == (made["id"], 2, None)
    problem(await report(still, made["id"], "first"), 409, "job-not-leased")
    late = await deliver(still, made["id"], b"", "first")
    problem(late, 409, "job-not-leased")


async def test_progress_is_kept_and_renews_the_lease(still: Bird):
    made, clock = await queued(still), stopped(still)
    await claim(still, "first")
    for _ in range(5):
        clock.advance(seconds=20)
        response = await report(still, made["id"], "first")
        assert response.json() == {"state": "running", "lease_s": 30.0}
        assert await claim(still, "second") is None
    shown = (await still.get(f"/jobs/{made['id']}")).json()
    assert shown["progress"] == PROGRESS | {"stages": []}  # of a trainer that tells no curves
    curves = PROGRESS | {"stages": [STAGE]}
    await still.post(f"/jobs/{made['id']}/progress", json={"worker": "first", "progress": curves})
    shown = (await still.get(f"/jobs/{made['id']}")).json()
    assert shown["progress"] == curves
    assert shown["attempts"] == 1


async def test_a_server_that_was_away_takes_no_job_from_its_worker(still: Bird):
    made, clock = await queued(still), stopped(still)
    await claim(still, "first")
    clock.advance(minutes=2)
    await still.parts.services.training.renew_leases()  # as at each start
    assert await claim(still, "second") is None
    assert (await report(still, made["id"], "first")).json()["state"] == "running"
    clock.advance(seconds=31)
    assert (await claim(still, "second"))["id"] == made["id"], "a whole lease and no more"


async def test_a_worker_that_was_killed_while_it_waited_takes_no_job(still: Bird):
    async def is_gone() -> bool:
        return True

    waiting = asyncio.create_task(still.parts.services.training.claim("gone", 20, is_gone))
    await asyncio.sleep(0)
    made = await queued(still)
    assert await waiting is None
    assert (await claim(still, "alive"))["attempts"] == 1
    assert await state_of(still, made["id"]) == "running"


async def test_a_restarted_worker_gets_its_job_back_at_once(still: Bird):
    made, _ = await queued(still), stopped(still)
    assert (await claim(still))["attempts"] == 1
    again = await claim(still)
    assert (again["id"], again["attempts"]) == (made["id"], 2)
    assert again["started_at"] == (await still.get(f"/jobs/{made['id']}")).json()["started_at"]


async def test_a_job_whose_worker_always_vanishes_fails(still: Bird):
    made, clock = await queued(still), stopped(still)
    for _ in range(3):
        assert await claim(still) is not None
        clock.advance(minutes=1)
    assert await claim(still) is None
    shown = (await still.get(f"/jobs/{made['id']}")).json()
    assert (shown["state"], shown["error"]["kind"]) == ("failed", "worker-lost")
    assert shown["finished_at"]


async def test_a_hopeless_job_does_not_hold_up_the_next(still: Bird):
    first = await queued(still)
    second = await queued(still, await coloured_dataset(still, 6))
    still.parts.services.training.rules = JobRules(lease_s=30, max_attempts=1)
    assert (await claim(still))["id"] == first["id"]
    assert (await claim(still))["id"] == second["id"]
    assert await state_of(still, first["id"]) == "failed"


async def test_a_queued_job_is_cancelled_and_never_claimed(still: Bird):
    made = await queued(still)
    cancelled = (await still.post(f"/jobs/{made['id']}/cancel")).json()
    assert cancelled["state"] == "cancelled"
    assert await claim(still) is None
    problem(await still.post(f"/jobs/{made['id']}/cancel"), 409, "job-finished")


async def test_the_worker_of_a_cancelled_job_is_told_to_stop(still: Bird):
    made = await queued(still)
    await claim(still)
    await still.post(f"/jobs/{made['id']}/cancel")
    assert (await report(still, made["id"])).json()["state"] == "cancelled"
    problem(await report(still, made["id"], "other"), 409, "job-not-leased")
    data = await bundle_for(still, made["snapshot_id"])
    problem(await deliver(still, made["id"], data), 409, "job-not-leased")
    assert await state_of(still, made["id"]) == "cancelled"


async def test_a_worker_gives_up_with_its_reason(still: Bird):
    made = await queued(still)
    path = f"/jobs/{made['id']}/fail"
    error = {"kind": "out-of-memory", "detail": "close other programs"}
    body = {"worker": WORKER, "error": error}
    problem(await still.post(path, json=body), 409, "job-not-leased")
    await claim(still)
    problem(await still.post(path, json=body | {"worker": "w"}), 409, "job-not-leased")
    assert (await still.post(path, json=body)).status_code == 204
    shown = (await still.get(f"/jobs/{made['id']}")).json()
    assert (shown["state"], shown["error"]) == ("failed", error)
    problem(await report(still, made["id"]), 409, "job-not-leased")


# --- bundles and models


async def test_a_bundle_becomes_a_model_that_goes_live(still: Bird):
    made = await queued(still)
    await claim(still)
    data = await bundle_for(still, made["snapshot_id"])
    response = await deliver(still, made["id"], data)
    assert response.status_code == 201
    model_id = response.json()["model_id"]
    shown = (await still.get(f"/jobs/{made['id']}")).json()
    assert (shown["state"], shown["model_id"]) == ("succeeded", model_id)

    model = (await still.get(f"/models/{model_id}")).json()
    assert (model["stage"], model["classes"]) == ("live", ["blue", "green", "red"])
    assert (model["bundle_sha256"], model["bundle_bytes"]) == (sha256_of(data), len(data))
    assert model["recipe"] == made["recipe"]
    assert model["evaluation"]["items"][0]["loss"] == 1.5
    assert model["history"]["folds"] == 5
    assert model["card"].startswith("# colours")
    dataset = (await still.get(f"/datasets/{made['dataset_id']}")).json()
    assert dataset["live_model_id"] == model_id

    bundle = await still.get(f"/models/{model_id}/bundle")
    assert bundle.content == data
    assert bundle.headers["content-type"] == "application/zip"
    assert bundle.headers["etag"] == f'"{sha256_of(data)}"'
    assert f"bowerbird-{model_id}.zip" in bundle.headers["content-disposition"]
    assert not list((still.data / "incoming").iterdir())


async def test_a_bundle_sent_again_is_the_same_model(still: Bird):
    made = await queued(still)
    await claim(still)
    data = await bundle_for(still, made["snapshot_id"])
    first = await deliver(still, made["id"], data)
    again = await deliver(still, made["id"], data)
    assert first.json() == again.json()
    assert (await still.get("/models")).json()["total"] == 1


async def test_a_bundle_sent_twice_at_once_is_one_model(still: Bird):
    made = await queued(still)
    await claim(still)
    data = await bundle_for(still, made["snapshot_id"])
    answers = await asyncio.gather(*(deliver(still, made["id"], data) for _ in range(3)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["model_id"] for a in answers}) == 1


def altered(data: bytes, folder, **parts: bytes) -> bytes:
    """Return the bundle with other parts, its hashes in order."""
    source, target = folder / "a.zip", folder / "b.zip"
    source.write_bytes(data)
    manifest = read_bundle(source).manifest
    write_bundle(target, manifest, bundle_parts(manifest.classes) | parts)
    return target.read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        "not a zip",
        "cut",
        "another snapshot",
        "another manifest",
        "another recipe",
        "another dataset",
        "other classes",
        "classes in another order",
        "no network",
        "a network of other classes",
    ],
)
async def test_a_wrong_bundle_is_refused_and_the_job_goes_on(still: Bird, spoil, tmp_path):
    made = await queued(still)
    await claim(still)
    snapshot_id = made["snapshot_id"]
    right = await bundle_for(still, snapshot_id)
    ref = read_ref(right, tmp_path)
    if spoil == "not a zip":
        wrong = b"PK but no zip"
    elif spoil == "cut":
        wrong = right[: len(right) // 2]
    elif spoil == "another snapshot":
        other = SnapshotRef(id="01JDOTHER", manifest_sha256=ref.manifest_sha256)
        wrong = await bundle_for(still, snapshot_id, snapshot=other)
    elif spoil == "another manifest":
        other = SnapshotRef(id=ref.id, manifest_sha256="0" * 64)
        wrong = await bundle_for(still, snapshot_id, snapshot=other)
    elif spoil == "another recipe":
        manifest = bundle_manifest(snapshot=ref)
        recipe = manifest.recipe.model_copy(update={"seed": 7})
        path = tmp_path / "recipe.zip"
        write_bundle(path, manifest.model_copy(update={"recipe": recipe}), bundle_parts())
        wrong = path.read_bytes()
    elif spoil == "another dataset":
        wrong = await bundle_for(still, snapshot_id, dataset=DatasetRef(id="01JDOTHER", name="x"))
    elif spoil == "other classes":
        wrong = await bundle_for(still, snapshot_id, classes=("blue", "green", "mauve"))
    elif spoil == "classes in another order":
        wrong = await bundle_for(still, snapshot_id, classes=("green", "blue", "red"))
    elif spoil == "no network":
        wrong = altered(right, tmp_path, **{MODEL_ONNX: b"\x08\x01 not onnx"})
    else:
        wrong = altered(right, tmp_path, **{MODEL_ONNX: colour_onnx(("blue", "red"))})
    said = problem(await deliver(still, made["id"], wrong), 422, "bundle-refused")["detail"]
    assert spoil != "classes in another order" or "in the order" in said
    assert await state_of(still, made["id"]) == "running"
    assert (await still.get("/models")).json()["total"] == 0
    assert not list((still.data / "incoming").iterdir())
    assert not list((still.data / "bundles").iterdir())
    assert (await deliver(still, made["id"], right)).status_code == 201


def read_ref(data: bytes, folder) -> SnapshotRef:
    path = folder / "ref.zip"
    path.write_bytes(data)
    return read_bundle(path).manifest.snapshot


async def test_a_bundle_over_the_cap_is_refused_and_leaves_nothing(data_folder):
    async with running(data_folder, workers=False, http={"max_bundle_bytes": 1024**2}) as bird:
        made = await queued(bird)
        await claim(bird)

        async def endless():
            while True:
                yield bytes(65536)

        for content in (bytes(1024**2 + 1), endless()):
            response = await bird.request(
                "PUT", f"/jobs/{made['id']}/bundle?worker={WORKER}", content=content
            )
            problem(response, 413, "body-too-large")
        assert not list((data_folder / "incoming").iterdir())
        assert await state_of(bird, made["id"]) == "running"


async def test_a_body_that_breaks_off_leaves_nothing(still: Bird, caplog):
    made = await queued(still)
    await claim(still)

    caplog.set_level("INFO", "server.api.middleware")
    async with listening(still) as url:
        host, port = url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"PUT /api/v1/jobs/{made['id']}/bundle?worker={WORKER} HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {still.token}\r\nContent-Length: 100000\r\n\r\n"
        )
        writer.write(head.encode() + b"PK")
        await writer.drain()
        incoming = still.data / "incoming"
        await eventually(lambda: any(incoming.iterdir()))
        writer.close()
        await eventually(lambda: not any(incoming.iterdir()))
    assert "request.failed" not in caplog.text, "that is no bug"
    assert await state_of(still, made["id"]) == "running"


async def test_a_second_model_waits_as_candidate_until_it_is_staged(still: Bird):
    dataset = await filled(still)
    first, second = await trained(still, dataset), await trained(still, dataset)

    async def stages() -> dict[str, str]:
        items = (await still.get("/models", params={"dataset": dataset})).json()["items"]
        return {model["id"]: model["stage"] for model in items}

    assert await stages() == {second: "candidate", first: "live"}
    response = await still.post(f"/models/{second}/stage", json={"stage": "live"})
    assert response.json()["stage"] == "live"
    assert await stages() == {second: "live", first: "retired"}
    await still.post(f"/models/{second}/stage", json={"stage": "retired"})
    assert await stages() == {second: "retired", first: "retired"}
    assert (await still.get(f"/datasets/{dataset}")).json()["live_model_id"] is None
    third = await trained(still, dataset)
    assert (await stages())[third] == "live", "nothing was live, so it is"
    live = (await still.get("/models", params={"stage": "live"})).json()["items"]
    assert [model["id"] for model in live] == [third]
    wrong = await still.post(f"/models/{third}/stage", json={"stage": "famous"})
    problem(wrong, 422, "invalid-request")


async def test_whoever_races_only_one_model_is_live(still: Bird):
    dataset = await filled(still)
    models = [await trained(still, dataset) for _ in range(3)]
    await asyncio.gather(
        *(
            still.post(f"/models/{model}/stage", json={"stage": "live"})
            for _ in range(3)
            for model in models
        )
    )
    items = (await still.get("/models", params={"stage": "live"})).json()["items"]
    assert len(items) == 1


async def test_jobs_that_end_at_once_make_one_live_model(still: Bird):
    made = await snapshot(still, await filled(still))
    data = await bundle_for(still, made["id"])
    jobs = []
    for n in range(3):
        await job(still, made["id"])
        jobs.append((await claim(still, f"w{n}"))["id"])
    answers = await asyncio.gather(*(deliver(still, j, data, f"w{n}") for n, j in enumerate(jobs)))
    assert [a.status_code for a in answers] == [201] * 3
    live = (await still.get("/models", params={"stage": "live"})).json()["items"]
    assert len(live) == 1


async def test_a_deleted_dataset_takes_its_jobs_and_models(still: Bird):
    dataset = await filled(still)
    model = await trained(still, dataset)
    running_job = await job(still, (await snapshot(still, dataset))["id"])
    await claim(still)
    await still.delete(f"/datasets/{dataset}")
    problem(await still.get(f"/models/{model}"), 404, "model-not-found")
    problem(await report(still, running_job["id"]), 404, "job-not-found")
    assert (await still.get("/jobs")).json()["total"] == 0
    files = {"file": plain("red")}
    problem(await still.post("/classify", files=files), 409, "no-model")


FINDING = {
    "points": [
        {"lr": 1e-4, "loss": 2.0, "smoothed": 2.0},
        {"lr": 1e-3, "loss": 1.0, "smoothed": 1.5},
    ],
    "valley": 3e-4,
    "steep": 5e-4,
    "minimum": 1e-4,
    "seconds": 1.0,
}


async def test_a_job_that_makes_no_model_keeps_what_it_found(still: Bird):
    made = await snapshot(still, await filled(still))
    found = await job(still, made["id"], recipe={"kind": "lr-find"})
    assert found["finding"] is None
    await claim(still)
    path, body = f"/jobs/{found['id']}/finding", {"worker": WORKER, "finding": FINDING}
    other = {"worker": "other", "finding": FINDING}
    problem(await still.post(path, json=other), 409, "job-not-leased")
    wrong = {"worker": WORKER, "finding": FINDING | {"valley": -1}}
    problem(await still.post(path, json=wrong), 422, "invalid-request")
    assert (await still.post(path, json=body)).status_code == 204
    assert (await still.post(path, json=body)).status_code == 204, "its answer may have been lost"
    ended = (await still.get(f"/jobs/{found['id']}")).json()
    assert (ended["state"], ended["finding"], ended["model_id"]) == ("succeeded", FINDING, None)


async def test_a_job_that_makes_a_model_does_not_end_with_a_finding(still: Bird):
    made = await queued(still)
    await claim(still)
    body = {"worker": WORKER, "finding": FINDING}
    problem(await still.post(f"/jobs/{made['id']}/finding", json=body), 422, "bundle-refused")
    assert await state_of(still, made["id"]) == "running"


EVALUATION = {
    "count": 10,
    "seen_count": 8,
    "error_rate": 0.1,
    "error_rate_interval": [0.02, 0.4],
    "majority_error_rate": 0.6,
    "log_loss": 0.3,
    "calibration_error": 0.02,
    "abstained_ratio": 0.0,
    "answered_error_rate": 0.1,
    "told_error_rate": 0.0,
    "told_error_rate_interval": [0.0, 0.2],
    "per_class": [
        {"label": label, "precision": 1.0, "recall": None, "support": 0} for label in ("a", "b")
    ],
    "confused": [],
    "worst": [],
    "foreign": None,
    "seconds": 1.0,
}


async def test_a_model_is_evaluated_by_a_job_that_keeps_what_it_found(still: Bird):
    dataset = await coloured_dataset(still)
    model = await trained(still, dataset)
    made = await snapshot(still, dataset)
    recipe = {"kind": "evaluate", "model_id": model}
    judging = await job(still, made["id"], recipe=recipe)
    assert judging["recipe"] == recipe
    await claim(still)
    path, finding = f"/jobs/{judging['id']}/finding", EVALUATION | {"model_id": model}
    for wrong in (FINDING, EVALUATION | {"model_id": "another"}):
        answer = await still.post(path, json={"worker": WORKER, "finding": wrong})
        problem(answer, 422, "bundle-refused")
    answer = await still.post(path, json={"worker": WORKER, "finding": finding})
    assert answer.status_code == 204, answer.text
    ended = (await still.get(f"/jobs/{judging['id']}")).json()
    assert (ended["state"], ended["finding"], ended["model_id"]) == ("succeeded", finding, None)


async def test_a_model_that_is_not_there_is_not_evaluated(still: Bird):
    made = await snapshot(still, await filled(still))
    recipe = {"kind": "evaluate", "model_id": "nothing"}
    answer = await still.post(f"/snapshots/{made['id']}/jobs", json={"recipe": recipe})
    problem(answer, 404, "model-not-found")
