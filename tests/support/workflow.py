"""What a client of the REST API does, in the words of a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx2

from tests.support.processes import wait_until

SETTLE_TIMEOUT_S = 120.0
TRAIN_TIMEOUT_S = 240.0  # some 30 s on a quiet machine
PAGE = 500


def create_dataset(client: httpx2.Client, name: str) -> str:
    """Make a dataset; return its id."""
    reply = client.post("/api/v1/datasets", json={"name": name})
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def capture(
    client: httpx2.Client, dataset_id: str, label: str, urls: Sequence[str], key: str
) -> dict[str, Any]:
    """Post a capture; return the server's answer."""
    body = {
        "capture_key": key,
        "label": label,
        "captured_at": "2026-11-22T10:00:00Z",
        "candidates": [{"url": url, "rank": rank} for rank, url in enumerate(urls)],
    }
    reply = client.post(f"/api/v1/datasets/{dataset_id}/captures", json=body)
    assert reply.status_code == 201, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def list_images(client: httpx2.Client, dataset_id: str) -> list[dict[str, Any]]:
    """Return all images of the dataset, page by page."""
    images: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/api/v1/datasets/{dataset_id}/images", params=query).json()
        images += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return images


def count_statuses(client: httpx2.Client, dataset_id: str) -> Counter[str]:
    """Return how many images stand in each status."""
    status = client.get(f"/api/v1/datasets/{dataset_id}").json()["counts"]["status"]
    return Counter({name: count for name, count in status.items() if count})


def wait_settled(client: httpx2.Client, dataset_id: str) -> Counter[str]:
    """Wait until no image is queued or downloading; return the counts."""

    def settled() -> Counter[str] | None:
        counts = count_statuses(client, dataset_id)
        return counts if not counts["queued"] and not counts["downloading"] else None

    found: Counter[str] = wait_until(settled, SETTLE_TIMEOUT_S, "all images settle")
    return found


def start_job(client: httpx2.Client, dataset_id: str, recipe: dict[str, Any] | None = None) -> str:
    """Freeze the dataset and queue a training, of a head unless told; return the job's id."""
    snapshot = client.post(f"/api/v1/datasets/{dataset_id}/snapshots")
    assert snapshot.status_code == 201, snapshot.text
    body = {"recipe": recipe or {"kind": "head"}}
    job = client.post(f"/api/v1/snapshots/{snapshot.json()['id']}/jobs", json=body)
    assert job.status_code == 201, job.text
    return str(job.json()["id"])


def wait_finished(client: httpx2.Client, job_id: str) -> dict[str, Any]:
    """Wait until the job has ended; return it."""

    def finished() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(f"/api/v1/jobs/{job_id}").json()
        return job if job["state"] in {"succeeded", "failed", "cancelled"} else None

    job: dict[str, Any] = wait_until(finished, TRAIN_TIMEOUT_S, f"job {job_id} ends")
    return job
