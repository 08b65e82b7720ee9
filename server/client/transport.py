"""The server's REST API, request by request. May import ``views``, ``errors``.

Every wait is timed and every answer capped. GETs are repeated after a broken connection, other
methods never: a second POST could do the thing twice.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Protocol, Self

import httpx2
from pydantic import JsonValue

from server.client.answers import pieces, place_of, problem_of, read_capped, read_view
from server.client.errors import (
    ClientError,
    ConnectionLostError,
    ForeignServerError,
    NoServerError,
    UnexpectedAnswerError,
)
from server.client.views import Health, Page, ViewT

API = "/api/v1"
IDENTITY_HEADER = "X-Bowerbird"
# Loopback connects at once; a server across the world within a second or two.
CONNECT_S = 5.0
# Classifying or storing one image takes well under a second; a snapshot re-reads every blob.
ANSWER_S = 60.0
SNAPSHOT_S = 600.0
# 100,000 images are verified in some 20 minutes; nothing is heard of them meanwhile.
IMPORT_S = 7200.0
# A download that restarts within a second or two is not worth an error.
RETRY_PAUSES_S = (0.2, 0.8)
PAGE_LIMIT = 500
# 500 items a page: far beyond what a person's list holds, and a cursor that repeats ends here.
MAX_PAGES = 10_000
_PART_STATUSES = (
    HTTPStatus.OK,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
)

Params = Mapping[str, str | int]


class Access(Protocol):
    """What the client needs to know: ``ClientSettings`` without its import time."""

    @property
    def server(self) -> str:
        """Return the address of the server, without a trailing slash."""

    def read_token(self) -> str:
        """Return the token."""


@dataclass(frozen=True)
class Upload:
    """Bytes to send as the multipart field ``file``, with further text fields."""

    content: bytes
    name: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """An answer of any length, or a part of one.

    Attributes:
        status: 200 for the whole, 206 for a part, 416 for none.
        etag: Names the bytes; empty when the server does not.
        start: Where it begins in the whole; None when the server does not say.
        total: Bytes of the whole; None when the server does not say.
        chunks: What comes.
    """

    status: HTTPStatus
    etag: str
    start: int | None
    total: int | None
    chunks: Iterator[bytes]


def _is_loopback(server: str) -> bool:
    host = httpx2.URL(server).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Client:
    """A connection to one server. Safe to share between threads; close it after use."""

    def __init__(self, access: Access) -> None:
        self.server = access.server
        self._access = access
        self._lock = threading.Lock()
        self._headers: dict[str, str] | None = None
        self._http = httpx2.Client(
            base_url=access.server,
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
            # A proxy from the environment can't reach this machine's own loopback.
            trust_env=not _is_loopback(access.server),
            # A redirect would carry the token to a place nobody named.
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request would be refused."""
        self._http.close()

    def health(self) -> Health:
        """Ask who answers, without the token.

        Raises:
            NoServerError: Nothing answers.
            ForeignServerError: It is not Bowerbird.
        """
        status, headers, body = self._send(self._http.build_request("GET", "/healthz"))
        if IDENTITY_HEADER not in headers:
            raise ForeignServerError(self.server)
        return read_view("GET /healthz", status, body, Health)

    def get(self, path: str, view: type[ViewT], params: Params | None = None) -> ViewT:
        """GET a document; repeated when the connection breaks.

        Raises:
            ClientError: The server can't be asked, or refuses, or answers nonsense.
        """
        for pause_s in RETRY_PAUSES_S:
            try:
                return self._get_once(path, view, params)
            except ConnectionLostError:
                time.sleep(pause_s)
        return self._get_once(path, view, params)

    def _get_once(self, path: str, view: type[ViewT], params: Params | None) -> ViewT:
        status, _, body = self._send(self._build("GET", API + path, params=params))
        return read_view(f"GET {path}", status, body, view)

    def pages(self, path: str, view: type[ViewT], params: Params | None = None) -> Iterator[ViewT]:
        """Yield every item of a list, page by page.

        Raises:
            ClientError: As ``get``; also when the pages never end.
        """
        query: dict[str, str | int] = {**(params or {}), "limit": PAGE_LIMIT}
        for _ in range(MAX_PAGES):
            page = self.get(path, Page[view], query)  # type: ignore[valid-type] # a run-time generic
            yield from page.items
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor
            query.pop("skip", None)  # the cursor goes on from there
        raise UnexpectedAnswerError(f"GET {path}", "its pages never end")

    def post(
        self,
        path: str,
        view: type[ViewT],
        body: Mapping[str, JsonValue],
        *,
        params: Params | None = None,
        timeout_s: float = ANSWER_S,
    ) -> ViewT:
        """POST a JSON document, once.

        Raises:
            ClientError: As ``get``.
        """
        request = self._build("POST", API + path, params=params, json=dict(body))
        request.extensions["timeout"] = httpx2.Timeout(timeout_s, connect=CONNECT_S).as_dict()
        status, _, answer = self._send(request)
        return read_view(f"POST {path}", status, answer, view)

    def upload(
        self, path: str, view: type[ViewT], upload: Upload, params: Params | None = None
    ) -> tuple[int, ViewT]:
        """POST a file, once; return the HTTP status with the document.

        Raises:
            ClientError: As ``get``.
        """
        # Header-safe whatever the file is called; the server goes by the bytes.
        name = PurePosixPath(upload.name).name.encode("ascii", "replace").decode("ascii") or "file"
        request = self._build(
            "POST",
            API + path,
            params=params,
            data=dict(upload.fields),
            files={"file": (name, upload.content, "application/octet-stream")},
        )
        status, _, answer = self._send(request)
        return status, read_view(f"POST {path}", status, answer, view)

    def patch(
        self,
        path: str,
        view: type[ViewT],
        body: Mapping[str, JsonValue],
        *,
        version: int | None = None,
    ) -> ViewT:
        """PATCH a document, once.

        Args:
            path: Below the API's prefix.
            view: What the answer is read as.
            body: The members to change.
            version: The change is refused when the document is no longer of this version.

        Raises:
            ClientError: As ``get``.
        """
        request = self._build("PATCH", API + path, json=dict(body))
        if version is not None:
            request.headers["If-Match"] = f'"{version}"'
        status, _, answer = self._send(request)
        return read_view(f"PATCH {path}", status, answer, view)

    def delete(self, path: str) -> None:
        """DELETE, once.

        Raises:
            ClientError: As ``get``.
        """
        status, _, answer = self._send(self._build("DELETE", API + path))
        if not httpx2.codes.is_success(status):
            raise problem_of(f"DELETE {path}", status, answer)

    def send_file(
        self,
        path: str,
        view: type[ViewT],
        file: Path,
        *,
        params: Params | None = None,
        on_sent: Callable[[int], None] | None = None,
    ) -> ViewT:
        """POST a file as the body, once, piece by piece; wait for the answer as long as it takes.

        Args:
            path: Below the API's prefix.
            view: What the answer is read as.
            file: Of any size.
            params: Of the query.
            on_sent: Called with the bytes sent so far.

        Raises:
            ClientError: As ``get``; also when the file can't be read.
        """
        try:
            with file.open("rb") as opened:
                size_bytes = opened.seek(0, 2)
                opened.seek(0)
                headers = {
                    **self._authorised(),
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(size_bytes),
                }
                request = self._http.build_request(
                    "POST",
                    API + path,
                    params=params,
                    content=pieces(opened, on_sent),
                    headers=headers,
                )
                timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S, read=IMPORT_S)
                request.extensions["timeout"] = timeout.as_dict()
                status, _, answer = self._send(request)
        except OSError as error:
            raise ClientError(f"{file} can't be read: {error.strerror}.") from error
        return read_view(f"POST {path}", status, answer, view)

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """GET bytes of any length, in chunks.

        Raises:
            ClientError: As ``get``.
        """
        request = self._build("GET", API + path)
        with self._errors():
            response = self._http.send(request, stream=True)
            try:
                if response.status_code != HTTPStatus.OK:
                    body = read_capped(response)
                    raise problem_of(f"GET {path}", response.status_code, body)
                yield response.iter_bytes()
            finally:
                response.close()

    @contextmanager
    def part(self, path: str, params: Params, headers: Mapping[str, str]) -> Iterator[Part]:
        """GET bytes of any length, or the range of them that the headers ask for.

        Raises:
            ClientError: As ``get``.
        """
        request = self._build("GET", API + path, params=params)
        request.headers.update(headers)
        # Before the first byte, the server may have to read everything that it is about to send.
        request.extensions["timeout"] = httpx2.Timeout(SNAPSHOT_S, connect=CONNECT_S).as_dict()
        with self._errors():
            response = self._http.send(request, stream=True)
            try:
                if response.status_code not in _PART_STATUSES:
                    body = read_capped(response)
                    raise problem_of(f"GET {path}", response.status_code, body)
                status, found = HTTPStatus(response.status_code), response.headers
                start, total = place_of(status, found)
                yield Part(status, found.get("ETag", ""), start, total, response.iter_bytes())
            finally:
                response.close()

    def _build(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: dict[str, JsonValue] | None = None,
        data: dict[str, str] | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
    ) -> httpx2.Request:
        headers = self._authorised()
        return self._http.build_request(
            method, path, params=params, json=json, data=data, files=files, headers=headers
        )

    def _authorised(self) -> dict[str, str]:
        """Return the token's header; before the first time, check who would get it."""
        with self._lock:
            if self._headers is None:
                self.health()
                self._headers = {"Authorization": f"Bearer {self._access.read_token()}"}
            return self._headers

    def _send(self, request: httpx2.Request) -> tuple[int, httpx2.Headers, bytes]:
        with self._errors():
            response = self._http.send(request, stream=True)
            try:
                return response.status_code, response.headers, read_capped(response)
            finally:
                response.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the HTTP library's errors into ours, at this one place."""
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NoServerError(self.server) from error
        except httpx2.TimeoutException as error:
            raise ConnectionLostError(self.server, "no answer in time") from error
        except httpx2.RemoteProtocolError as error:
            what = f"the answer is no proper HTTP, or was cut off ({error})"
            raise ConnectionLostError(self.server, what) from error
        except httpx2.HTTPError as error:
            what = f"the connection broke ({type(error).__name__})"
            raise ConnectionLostError(self.server, what) from error
