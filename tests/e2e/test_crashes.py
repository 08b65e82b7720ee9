"""Real processes, killed in the middle: nothing is lost, nothing is doubled."""

from __future__ import annotations

import hashlib
import os
import signal
from collections import Counter
from pathlib import Path

import httpx2
import pytest

from tests.support import workflow
from tests.support.photo_site import PhotoSite
from tests.support.processes import ServerProcess, wait_until

pytestmark = pytest.mark.slow


def _upload(client: httpx2.Client, dataset_id: str, label: str, photos: list[Path]) -> None:
    for photo in photos:
        reply = client.post(
            f"/api/v1/datasets/{dataset_id}/images",
            files={"file": (photo.name, photo.read_bytes())},
            data={"label": label},
        )
        assert reply.status_code == 201, reply.text


def test_a_server_killed_while_downloading_finishes_after_a_restart(tmp_path):
    with PhotoSite(delay_s=0.2) as site:
        settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": site.authority}
        server = ServerProcess(tmp_path / "data", settings, has_trainer=False)
        server.start()
        with server.client() as client:
            dataset_id = workflow.create_dataset(client, "foods")
            sent: list[str] = []
            for query in site.photos:
                urls = site.addresses(query)
                answer = workflow.capture(client, dataset_id, query, urls, key=query)
                assert answer["added"] == len(urls)
                sent += urls

            def is_in_the_middle() -> bool:
                counts = workflow.count_statuses(client, dataset_id)
                return counts["ready"] >= 10 and counts["downloading"] >= 1

            wait_until(is_in_the_middle, 60, "some images are ready and some under way")
        server.kill()

        with server, server.client() as client:
            counts = workflow.wait_settled(client, dataset_id)
            images = workflow.list_images(client, dataset_id)
            again = workflow.capture(client, dataset_id, "fruits", site.addresses("fruits"), "new")

    assert Counter(image["url"] for image in images) == Counter(sent)
    photos, copies = sum(map(len, site.photos.values())), 3 * len(site.photos)
    assert counts == {"ready": photos, "duplicate": copies, "rejected": len(site.dead)}
    assert again["added"] == 0
    for image in images:
        if image["sha256"]:
            blob = server.data / "blobs" / image["sha256"][:2] / image["sha256"]
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == image["sha256"]


@pytest.mark.parametrize("victim", ["trainer", "server"])
def test_a_job_whose_process_is_killed_is_done_after_all(tmp_path, victim):
    # Longer than any stall of a busy machine: else the job is given out a third time.
    settings = {"BOWERBIRD_TRAINING__LEASE_S": "280"}
    with PhotoSite() as site, ServerProcess(tmp_path / "data", settings) as server:
        with server.client() as client:
            dataset_id = workflow.create_dataset(client, "foods")
            for query, photos in site.photos.items():
                _upload(client, dataset_id, query, photos[:20])
            trainer = wait_until(server.trainer_pid, 60, "the trainer runs")
            job_id = workflow.start_job(client, dataset_id)

            def is_in_the_middle() -> bool:
                progress = client.get(f"/api/v1/jobs/{job_id}").json()["progress"]
                return progress is not None and progress["phase"] != "blobs"

            wait_until(is_in_the_middle, 60, "the trainer computes")
            if victim == "trainer":
                os.kill(trainer, signal.SIGKILL)
            else:
                server.kill()
        if victim == "server":
            wait_until(lambda: _is_gone(trainer), 60, "an orphaned trainer ends by itself")
            server.start()
        with server.client() as client:
            job = workflow.wait_finished(client, job_id)
            models = client.get("/api/v1/models").json()["items"]

    assert job["state"] == "succeeded", job
    assert job["attempts"] == 2
    assert [model["job_id"] for model in models] == [job_id]


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A zombie is dead, only not yet collected by its parent (nobody's, in a container).
    status = Path(f"/proc/{pid}/status")
    return status.is_file() and "State:\tZ" in status.read_text()
