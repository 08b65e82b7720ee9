"""A loopback HTTP server that plays the API, as far as the command line uses it.

It keeps real state (datasets, labels, images by hash), so that a test reads like use; `script`
puts single answers before that: errors, odd bytes, slow or broken ones.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-the-tests"
BROKEN_IMAGE = b"not an image at all"
ERROR_IMAGE = b"the server trips over this one"
METRICS = {
    "error_rate": 0.05,
    "error_rate_interval": [0.02, 0.11],
    "baselines": {"majority": 0.6, "pixel_similarity": 0.45},
    "seconds": 3.5,
    "valid_count": 60,
    "quantisation": None,
}


@dataclass(frozen=True)
class Reply:
    """An answer as it goes over the wire.

    `is_cut` closes the connection in the middle of the body.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    is_cut: bool = False


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


def reply_json(status: int, document: object, **headers: str) -> Reply:
    body = json.dumps(document).encode()
    return Reply(status, body, {"Content-Type": "application/json", **headers})


def problem(status: int, slug: str, detail: str, **members: object) -> Reply:
    document = {
        "type": f"/problems/{slug}",
        "title": slug.replace("-", " "),
        "status": status,
        "detail": detail,
        **members,
    }
    body = json.dumps(document).encode()
    return Reply(status, body, {"Content-Type": "application/problem+json"})


def read_multipart(request: Request) -> dict[str, bytes]:
    """Return the fields of a multipart body by name."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + request.body)
    parts = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        parts[name] = part.get_payload(decode=True)
    return parts


class PlayedApi:
    """State and answers. Its attributes are what a test looks at and turns."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[Request] = []
        self.datasets: dict[str, dict] = {}
        self.labels: dict[str, list[str]] = {}
        self.images: dict[tuple[str, str], dict] = {}
        self.models: dict[str, dict] = {}
        self.bundle = b"PK the bundle"
        self.job_states: list[dict] = []
        self.trainer = {"enabled": True, "state": "idle"}
        self.has_identity = True
        self._scripts: list[tuple[str, re.Pattern[str], list[Reply]]] = []
        self._lock = threading.Lock()
        self._ids = 0

    def script(self, method: str, path: str, *replies: Reply) -> None:
        """Answer the next requests to `path` (a regular expression) with these, in turn."""
        self._scripts.append((method, re.compile(path), list(replies)))

    def seen(self, method: str, path: str) -> list[Request]:
        """Return what came to `path` (a regular expression)."""
        return [r for r in self.requests if r.method == method and re.fullmatch(path, r.path)]

    def add_dataset(self, name: str, **status: int) -> dict:
        dataset = {
            "id": self._new_id(),
            "name": name,
            "description": None,
            "created_at": "2026-11-22T10:00:00Z",
            "counts": {"total": 0, "excluded": 0, "status": {"ready": 0, **status}, "labels": {}},
            "live_model_id": None,
        }
        self.datasets[dataset["id"]] = dataset
        self.labels[dataset["id"]] = []
        return dataset

    def add_model(self, dataset_id: str, stage: str = "live") -> dict:
        model = {
            "id": self._new_id(),
            "dataset_id": dataset_id,
            "stage": stage,
            "classes": ["a", "b"],
            "metrics": METRICS,
            "bundle_sha256": hashlib.sha256(self.bundle).hexdigest(),
            "bundle_bytes": len(self.bundle),
            "created_at": "2026-11-22T10:00:00Z",
        }
        self.models[model["id"]] = model
        return model

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            for method, path, replies in self._scripts:
                if method == request.method and path.fullmatch(request.path) and replies:
                    return replies.pop(0)
            if request.path == "/healthz":
                return reply_json(200, {"status": "ok", "version": "9.9.9"})
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return problem(401, "unauthorised", "No valid token was sent.")
            for method, path, handler in _ROUTES:
                found = path.fullmatch(request.path)
                if method == request.method and found:
                    return handler(self, request, *found.groups())
        return problem(404, "not-found", "There is nothing here.")

    def _new_id(self) -> str:
        self._ids += 1
        return f"01JD{self._ids:022d}"

    def _server(self, _request: Request) -> Reply:
        return reply_json(
            200,
            {
                "name": "bowerbird",
                "version": "9.9.9",
                "api_version": 1,
                "token": {"name": "tests", "kind": "api"},
                "trainer": self.trainer,
            },
        )

    def _list_datasets(self, request: Request) -> Reply:
        return _page(request, list(self.datasets.values()))

    def _create_dataset(self, request: Request) -> Reply:
        name = request.json()["name"]
        if any(one["name"] == name for one in self.datasets.values()):
            return problem(409, "dataset-exists", f"There is a dataset {name!r} already.")
        return reply_json(201, self.add_dataset(name))

    def _get_dataset(self, _request: Request, dataset_id: str) -> Reply:
        dataset = self.datasets[dataset_id]
        reply = reply_json(200, dataset)
        status = dataset["counts"]["status"]
        if status.get("queued"):  # the next look finds one more downloaded
            status["queued"] -= 1
            status["ready"] += 1
        return reply

    def _switch(self, _request: Request, dataset_id: str, action: str) -> Reply:
        self.datasets[dataset_id]["paused"] = action == "pause"
        return reply_json(200, self.datasets[dataset_id])

    def _list_labels(self, request: Request, dataset_id: str) -> Reply:
        return _page(request, [{"id": n, "name": n} for n in self.labels[dataset_id]])

    def _create_label(self, request: Request, dataset_id: str) -> Reply:
        name = request.json()["name"]
        if name in self.labels[dataset_id]:
            return problem(409, "label-exists", "It is there already.")
        self.labels[dataset_id].append(name)
        return reply_json(201, {"id": name, "name": name})

    def _upload(self, request: Request, dataset_id: str) -> Reply:
        parts = read_multipart(request)
        content, label = parts["file"], parts["label"].decode()
        if label not in self.labels[dataset_id]:
            return problem(404, "label-not-found", f"There is no label {label!r}.")
        if content == BROKEN_IMAGE:
            return problem(422, "image-not-usable", "No image.", reason="not-an-image")
        if content == ERROR_IMAGE:
            return problem(500, "internal", "See the log.")
        key = (dataset_id, hashlib.sha256(content).hexdigest())
        if key in self.images:
            return reply_json(200, self.images[key])
        self.images[key] = {"id": self._new_id(), "label": label, "status": "ready"}
        return reply_json(201, self.images[key])

    def _capture(self, request: Request, _dataset_id: str) -> Reply:
        urls = [one["url"] for one in request.json()["candidates"]]
        refused = [
            {"index": i, "reason": "bad-url", "detail": "no http(s) address"}
            for i, url in enumerate(urls)
            if not url.startswith("http")
        ]
        added = len(urls) - len(refused)
        body = {"capture_id": self._new_id(), "added": added, "known": 0, "refused": refused}
        return reply_json(201, body)

    def _snapshot(self, request: Request, dataset_id: str) -> Reply:
        document = {"id": self._new_id(), "dataset_id": dataset_id, **request.json()}
        document["counts"] = {"total": 300, "train": 240, "valid": 60, "labels": {}}
        return reply_json(201, document)

    def _create_job(self, _request: Request, snapshot_id: str) -> Reply:
        self.job = {"id": self._new_id(), "snapshot_id": snapshot_id, "state": "queued"}
        return reply_json(201, self.job)

    def _get_job(self, _request: Request, _job_id: str) -> Reply:
        if self.job_states:
            self.job.update(self.job_states.pop(0))
        return reply_json(200, self.job)

    def _cancel_job(self, _request: Request, _job_id: str) -> Reply:
        self.job["state"] = "cancelled"
        return reply_json(200, self.job)

    def _list_models(self, request: Request) -> Reply:
        wanted = [
            one
            for one in self.models.values()
            if request.query.get("dataset", one["dataset_id"]) == one["dataset_id"]
            and request.query.get("stage", one["stage"]) == one["stage"]
        ]
        return _page(request, wanted)

    def _get_model(self, _request: Request, model_id: str) -> Reply:
        if model_id not in self.models:
            return problem(404, "model-not-found", f"There is no model {model_id}.")
        return reply_json(200, self.models[model_id])

    def _stage(self, request: Request, model_id: str) -> Reply:
        self.models[model_id]["stage"] = request.json()["stage"]
        return reply_json(200, self.models[model_id])

    def _get_bundle(self, _request: Request, _model_id: str) -> Reply:
        return Reply(200, self.bundle, {"Content-Type": "application/zip"})

    def _classify(self, request: Request) -> Reply:
        if not self.models:
            return problem(409, "no-model", "No model is live.")
        if request.headers["content-type"].startswith("multipart/"):
            content = read_multipart(request)["file"]
        else:
            content = request.json()["url"].encode()
        if content == BROKEN_IMAGE or content.endswith(b"/gone.jpg"):
            return problem(422, "image-not-usable", "No image.", reason="not-an-image")
        label = content.decode(errors="replace")
        return reply_json(
            200,
            {
                "model_id": next(iter(self.models)),
                "dataset_id": "d",
                "label": label,
                "probability": 0.97,
                "abstained": False,
                "threshold": 0.5,
                "predictions": [
                    {"label": label, "probability": 0.97},
                    {"label": "other", "probability": 0.03},
                ],
                "milliseconds": 4.0,
                "sha256": hashlib.sha256(content).hexdigest(),
            },
        )

    def _sign_in(self, _request: Request) -> Reply:
        return reply_json(201, {"url": f"{self.address}/sign-in?code=K7", "expires_at": "2026"})


def _page(request: Request, items: list[dict], size: int = 2) -> Reply:
    """Answer with two items a page, however many are asked for: more pages, more to go wrong."""
    start = int(request.query.get("cursor", "0"))
    following = start + size
    return reply_json(
        200,
        {
            "items": items[start:following],
            "next_cursor": str(following) if following < len(items) else None,
            "total": len(items),
        },
    )


_ROUTES = [
    (method, re.compile("/api/v1" + path), handler)
    for method, path, handler in (
        ("GET", "/server", PlayedApi._server),
        ("GET", "/datasets", PlayedApi._list_datasets),
        ("POST", "/datasets", PlayedApi._create_dataset),
        ("GET", "/datasets/([^/]+)", PlayedApi._get_dataset),
        ("POST", "/datasets/([^/]+)/(pause|resume)", PlayedApi._switch),
        ("GET", "/datasets/([^/]+)/labels", PlayedApi._list_labels),
        ("POST", "/datasets/([^/]+)/labels", PlayedApi._create_label),
        ("POST", "/datasets/([^/]+)/images", PlayedApi._upload),
        ("POST", "/datasets/([^/]+)/captures", PlayedApi._capture),
        ("POST", "/datasets/([^/]+)/snapshots", PlayedApi._snapshot),
        ("POST", "/snapshots/([^/]+)/jobs", PlayedApi._create_job),
        ("GET", "/jobs/([^/]+)", PlayedApi._get_job),
        ("POST", "/jobs/([^/]+)/cancel", PlayedApi._cancel_job),
        ("GET", "/models", PlayedApi._list_models),
        ("GET", "/models/([^/]+)", PlayedApi._get_model),
        ("POST", "/models/([^/]+)/stage", PlayedApi._stage),
        ("GET", "/models/([^/]+)/bundle", PlayedApi._get_bundle),
        ("POST", "/classify", PlayedApi._classify),
        ("POST", "/sign-in-codes", PlayedApi._sign_in),
    )
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: PlayedApi

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        reply = self.api.answer(Request(self.command, parts.path, query, headers, body))
        time.sleep(reply.delay_s)
        self.send_response(reply.status)
        if self.api.has_identity:
            self.send_header("X-Bowerbird", "1")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + reply.is_cut * 1000))
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = reply.is_cut

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the base's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: pytest shows what matters."""


@contextmanager
def played_api() -> Iterator[PlayedApi]:
    """Serve a `PlayedApi` on a free loopback port."""
    api = PlayedApi()
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    api.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
