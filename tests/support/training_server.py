"""A real loopback HTTP server that plays the server's side of training for one job."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from server.contract.snapshot import Manifest
from trainer.snapshot import LocalSnapshot

TOKEN = "secret-of-the-test"
JOB_ID = "01JDJOB"
MODEL_ID = "01JDMODEL"


class TrainingServer:
    """What the server knows and was told; change the attributes to play something else.

    Attributes:
        state: What progress reports are answered with.
        is_leased: False answers everything about the job with 409.
        is_deleted: True answers everything about the job with 404.
        failures: How many further requests are answered with 503.
        broken: sha256 → bytes to send instead of a blob's.
        missing: sha256 of blobs answered with 404.
        lost: sha256 of blobs whose file is gone, answered with 409.
        origins: Where images come from; None plays a server that does not tell.
        removed: sha256 of blobs that were removed for good; None plays one that does not tell.
        recipe: Of the job.
        on_progress: Called with each report.
    """

    def __init__(self, snapshot: LocalSnapshot) -> None:
        self.snapshot = snapshot
        self.jobs = 1
        self.state = "running"
        self.is_leased = True
        self.is_deleted = False
        self.failures = 0
        self.lease_s = 30.0
        self.identity = {"X-Bowerbird": "1"}
        self.recipe: dict[str, Any] = {"kind": "head"}
        self.manifest_sha256 = snapshot.manifest.sha256
        self.broken: dict[str, bytes] = {}
        self.missing: set[str] = set()
        self.lost: set[str] = set()
        self.origins: list[dict[str, Any]] | None = None
        self.removed: list[str] | None = None
        self.requests: list[tuple[str, str]] = []
        self.reports: list[dict[str, Any]] = []
        self.failed: list[dict[str, Any]] = []
        self.bundle = b""
        self.model = b""
        self.finding: dict[str, Any] | None = None
        self.on_progress: Callable[[dict[str, Any]], None] = lambda report: None
        self.lock = threading.Lock()
        self.address = ""

    @property
    def manifest(self) -> Manifest:
        """The snapshot's manifest."""
        return self.snapshot.manifest

    def claim(self) -> dict[str, Any] | None:
        """Give the job out, once."""
        with self.lock:
            if self.jobs == 0:
                return None
            self.jobs -= 1
        job = {
            "id": JOB_ID,
            "snapshot_id": self.manifest.snapshot_id,
            "dataset_id": self.manifest.dataset.id,
            "state": "running",
            "recipe": self.recipe,
            "attempts": 1,
            "created_at": "2026-11-22T10:00:00Z",
        }
        return {"job": job, "lease_s": self.lease_s}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    play: TrainingServer

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes | dict[str, Any] = b"") -> None:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        self.send_response(status)
        for name, value in self.play.identity.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _problem(self, status: int, detail: str, slug: str = "x") -> None:
        self._answer(status, {"type": f"/problems/{slug}", "status": status, "detail": detail})

    def _handle(self) -> None:
        play = self.play
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path.removeprefix("/api/v1/")
        with play.lock:
            play.requests.append((self.command, path))
            is_failing = play.failures > 0
            play.failures -= is_failing
        if is_failing:
            self._problem(503, "starting")
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._problem(401, "no such token")
        elif self.command == "GET":
            self._get(path)
        elif path == "jobs/claim":
            claim = play.claim()
            self._answer(200, claim) if claim else self._answer(204)
        elif play.is_deleted:
            self._problem(404, "no job", "job-not-found")
        elif not play.is_leased:
            self._problem(409, "the job is another worker's", "job-not-leased")
        else:
            self._job(path, body)

    do_GET = do_POST = do_PUT = _handle  # noqa: N815 - the names that http.server calls

    def _get(self, path: str) -> None:
        play = self.play
        if path == f"snapshots/{play.manifest.snapshot_id}":
            self._answer(200, {"id": "x", "manifest_sha256": play.manifest_sha256})
        elif path.endswith("/manifest"):
            self._answer(200, play.manifest.to_bytes())
        elif path.endswith("/origins") and play.origins is not None:
            self._answer(200, {"snapshot_id": play.manifest.snapshot_id, "items": play.origins})
        elif path == "removed-blobs" and play.removed is not None:
            is_told = "cursor" in parse_qs(urlsplit(self.path).query)
            items = [
                {"sha256": sha256, "removed_at": "2026-11-22T10:00:00Z"} for sha256 in play.removed
            ]
            cursor = "1." + "0" * 64 if items else None
            self._answer(200, {"items": [] if is_told else items, "next_cursor": cursor})
        elif path == f"models/{MODEL_ID}/bundle" and play.model:
            self._answer(200, play.model)
        elif path.removeprefix("blobs/") in play.lost:
            self._problem(409, "the file is gone from the data folder", "blob-damaged")
        elif path.startswith("blobs/") and (sha256 := path[6:]) not in play.missing:
            item = next(item for item in play.manifest.items if item.sha256 == sha256)
            self._answer(200, play.broken.get(sha256) or play.snapshot.path(item).read_bytes())
        else:
            self._problem(404, "no such thing")

    def _job(self, path: str, body: bytes) -> None:
        play = self.play
        if path.endswith("/progress"):
            report = json.loads(body)
            play.reports.append(report)
            play.on_progress(report)
            self._answer(200, {"state": play.state, "lease_s": play.lease_s})
        elif path.endswith("/finding"):
            play.finding = json.loads(body)["finding"]
            self._answer(204)
        elif path.endswith("/fail"):
            play.failed.append(json.loads(body))
            self._answer(204)
        else:
            assert parse_qs(urlsplit(self.path).query)["worker"]
            play.bundle = body
            self._answer(201, {"model_id": MODEL_ID})


@contextmanager
def training_server(snapshot: LocalSnapshot) -> Iterator[TrainingServer]:
    """Serve on a free port of 127.0.0.1 during the block."""
    play = TrainingServer(snapshot)
    handler = type("Handler", (_Handler,), {"play": play})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    play.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield play
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
