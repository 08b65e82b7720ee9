"""A server killed in the middle of an import: whole batches stay, the rest comes with a second."""

from __future__ import annotations

import hashlib
import signal
from pathlib import Path

import httpx2
import pytest

from tests.support import faulty_server, workflow
from tests.support.archives import plain_zip
from tests.support.faulty_server import Fault
from tests.support.images import jpeg
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("point", "count"), [("import.uncommitted", 200), ("import.committed", 300)]
)
def test_a_server_killed_in_the_middle_of_an_import_loses_nothing(
    tmp_path: Path, point: str, count: int
):
    photos = {f"x{n % 3}/{n}.jpg": jpeg(400, 300, n) for n in range(600)}
    body = plain_zip(photos)
    fault_file = tmp_path / "fault"
    settings = {faulty_server.ENVIRONMENT: str(fault_file)}
    module = faulty_server.__name__
    server = ServerProcess(tmp_path / "data", settings, has_trainer=False, module=module)
    server.start()
    with server.client() as client:
        dataset_id = workflow.create_dataset(client, "foods")
        path = f"/api/v1/datasets/{dataset_id}/imports"
        Fault(point, after=2).put(fault_file)
        with pytest.raises(httpx2.TransportError):
            client.post(path, content=body)
    assert server.process is not None
    assert server.process.wait(60) == -signal.SIGKILL
    fault_file.unlink()

    with server, server.client() as client:
        left = workflow.count_statuses(client, dataset_id)
        assert left["ready"] == count, "a batch is in as a whole or not at all"
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
