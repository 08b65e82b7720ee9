"""A server killed in the middle of a removal: the next start finishes it, and nothing else goes."""

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
from tests.support.processes import ServerProcess, wait_until

pytestmark = pytest.mark.slow
COUNT = 900
SITE = "example.org"
PATIENCE_S = 60.0


def archive() -> tuple[bytes, set[str]]:
    """Return images of which two of three are of the site, and the hashes of the others."""
    files: dict[str, bytes] = {}
    rows = ["file_name,label,source_url"]
    kept = set()
    for number in range(COUNT):
        data = jpeg(64, 48, number)
        host = SITE if number % 3 else "other.test"
        if host != SITE:
            kept.add(hashlib.sha256(data).hexdigest())
        files[f"{number}.jpg"] = data
        rows.append(f"{number}.jpg,x{number % 2},https://{host}/{number}")
    files["metadata.csv"] = "\n".join(rows).encode()
    return plain_zip(files), kept


def test_a_server_killed_in_the_middle_of_a_removal_finishes_it(tmp_path: Path):
    body, kept = archive()
    fault_file = tmp_path / "fault"
    settings = {faulty_server.ENVIRONMENT: str(fault_file)}
    module = faulty_server.__name__
    server = ServerProcess(tmp_path / "data", settings, has_trainer=False, module=module)
    server.start()
    with server.client() as client:
        dataset_id = workflow.create_dataset(client, "foods")
        path = f"/api/v1/datasets/{dataset_id}/imports"
        assert client.post(path, content=body).json()["added"] == COUNT
        snapshot = client.post(f"/api/v1/datasets/{dataset_id}/snapshots").json()
        # After the rows of the second batch, before their files.
        Fault("removal.committed", after=1).put(fault_file)
        with pytest.raises(httpx2.TransportError):
            client.post("/api/v1/sites/removal", json={"site": SITE})
    assert server.process is not None
    assert server.process.wait(PATIENCE_S) == -signal.SIGKILL
    fault_file.unlink()

    with server, server.client() as client:
        (done,) = wait_until(
            lambda: [
                one
                for one in client.get("/api/v1/sites/removals").json()["items"]
                if one["finished_at"] is not None
            ],
            PATIENCE_S,
            "the removal is finished",
        )
        assert (done["images"], done["blobs"]) == (COUNT - len(kept), COUNT - len(kept))
        assert [one["images"] for one in done["snapshots"]] == [COUNT - len(kept)]
        images = workflow.list_images(client, dataset_id)
        shown = client.get(f"/api/v1/snapshots/{snapshot['id']}").json()
    assert {image["sha256"] for image in images} == kept
    assert shown["removed_count"] == COUNT - len(kept)
    for folder in ("blobs", "thumbnails"):
        left = {path.name.removesuffix(".jpg") for path in (server.data / folder).glob("*/*")}
        assert left == kept, folder
