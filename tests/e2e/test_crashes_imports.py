"""A server killed in the middle of an import: whole batches stay, the rest comes with a second."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import httpx2
import pytest

from tests.support import workflow
from tests.support.archives import plain_zip
from tests.support.images import jpeg
from tests.support.processes import ServerProcess, wait_until

pytestmark = pytest.mark.slow


def test_a_server_killed_in_the_middle_of_an_import_loses_nothing(tmp_path: Path):
    photos = {f"x{n % 3}/{n}.jpg": jpeg(400, 300, n) for n in range(600)}
    body = plain_zip(photos)
    server = ServerProcess(tmp_path / "data", {}, has_trainer=False)
    server.start()
    with server.client() as client:
        dataset_id = workflow.create_dataset(client, "foods")
        path = f"/api/v1/datasets/{dataset_id}/imports"
        failures: list[Exception] = []

        def send() -> None:
            try:
                with server.client() as sender:
                    sender.post(path, content=body, timeout=60)
            except httpx2.HTTPError as error:
                failures.append(error)

        sending = threading.Thread(target=send)
        sending.start()
        count = wait_until(
            lambda: workflow.count_statuses(client, dataset_id)["ready"], 30, "a batch is in"
        )
    server.kill()
    sending.join(30)
    assert failures, "the answer never came"
    assert 0 < count < 600

    with server, server.client() as client:
        left = workflow.count_statuses(client, dataset_id)
        assert left["ready"] >= count
        assert left["ready"] % 100 == 0, "a batch is in as a whole or not at all"
        assert list((server.data / "incoming").iterdir()) == []
        report = client.post(path, content=body, timeout=60).json()
        assert (report["added"], report["known"]) == (600 - left["ready"], left["ready"])
        images = workflow.list_images(client, dataset_id)
    assert {image["sha256"] for image in images} == {
        hashlib.sha256(data).hexdigest() for data in photos.values()
    }
    for image in images:
        blob = server.data / "blobs" / image["sha256"][:2] / image["sha256"]
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == image["sha256"]
