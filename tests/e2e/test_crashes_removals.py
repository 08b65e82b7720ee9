"""A server killed in the middle of a removal: the next start finishes it, and nothing else goes."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support import workflow
from tests.support.archives import plain_zip
from tests.support.images import jpeg
from tests.support.processes import ServerProcess, wait_until

pytestmark = pytest.mark.slow
COUNT = 900
SITE = "example.org"


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
    server = ServerProcess(tmp_path / "data", {}, has_trainer=False)
    server.start()
    with server.client() as client:
        dataset_id = workflow.create_dataset(client, "foods")
        path = f"/api/v1/datasets/{dataset_id}/imports"
        assert client.post(path, content=body, timeout=60).json()["added"] == COUNT
        snapshot = client.post(f"/api/v1/datasets/{dataset_id}/snapshots").json()
        failures: list[Exception] = []

        def send() -> None:
            try:
                with server.client() as sender:
                    sender.post("/api/v1/sites/removal", json={"site": SITE}, timeout=60)
            except httpx2.HTTPError as error:
                failures.append(error)

        def removals() -> Any:
            return client.get("/api/v1/sites/removals").json()["items"]

        sending = threading.Thread(target=send)
        sending.start()
        wait_until(lambda: [one for one in removals() if one["images"]], 30, "some are gone")
    server.kill()
    sending.join(30)
    assert failures, "the answer never came"

    with server, server.client() as client:
        (done,) = wait_until(
            lambda: [
                one
                for one in client.get("/api/v1/sites/removals").json()["items"]
                if one["finished_at"] is not None
            ],
            30,
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
