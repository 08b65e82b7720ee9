"""What holds for every request: its id, the identity header, Host and Origin, one log line.

Pure ASGI, so that streams pass through untouched.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api import problems
from server.db.ids import new_id
from server.errors import ForeignHostError, ForeignOriginError, ServerError
from server.logs import request_id

log = logging.getLogger(__name__)

IDENTITY_HEADER = "X-Bowerbird"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
EXTENSION_SCHEMES = frozenset({"chrome-extension", "moz-extension"})
API_PATHS = ("/api/", "/classify-url")
# Ours is the same origin; "same-site" is another port of this host, to which cookies go as well.
FOREIGN_SITES = frozenset({"cross-site", "same-site"})
PAIRING_PATH = "/api/v1/pairings/redeem"  # where an extension that is not paired yet may call
# A name or an address, and a port (RFC 9110 section 7.2): no user, path or anything else.
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]+)(?::[0-9]{0,5})?")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
}


# What is in the address of a link for others is all that its holder needs.
_SECRET = re.compile(r"(/try/+)[^/]+", re.IGNORECASE)


class RequestLog:
    """Gives each request an id, each response its headers, and logs one line."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = request_id.set(new_id())
        started = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[IDENTITY_HEADER] = "1"
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            pass  # it sent half a body and went away: nobody is left to answer
        except Exception as error:  # boundary: the last one before the web server
            # Here and not in Starlette's handler, which stands outside of this: the answer needs
            # the request's id and our headers as every other one does.
            response = problems.respond_to_bug(error)
            if status:
                raise  # the answer has begun; all that is left is to break it off
            await response(scope, receive, send_marked)
        finally:
            # The path alone: a query may hold addresses and codes. And of it not the secret.
            path = _SECRET.sub(r"\1…", scope["path"])
            seconds = round(time.perf_counter() - started, 4)
            values = {"method": scope["method"], "path": path, "status": status}
            log.info("request", extra=values | {"seconds": seconds})
            request_id.reset(token)


class ProblemsOnly:
    """Turns what Starlette refuses in plain text (a range beyond a file's end) into problems."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and _is_plain_error(message):
                is_replaced = True
                headers = Headers(raw=message["headers"])
                response = problems.respond_to_status(HTTPStatus(message["status"]), "")
                if (size := headers.get("content-range")) is not None:
                    response.headers["Content-Range"] = size
                await response(scope, receive, send)
            elif not is_replaced:
                await send(message)

        await self._app(scope, receive, send_problem if scope["type"] == "http" else send)


class BodyCap:
    """Refuses request bodies over a cap, by what they claim and by what arrives.

    In place of FastAPI's own, which stands outside of all this and answers in plain text.
    """

    def __init__(
        self, app: ASGIApp, caps: Mapping[Callable[..., object], int], default: int
    ) -> None:
        """Wrap ``app``.

        Args:
            app: What to guard.
            caps: Bytes, by endpoint.
            default: Bytes, for every other endpoint.
        """
        self._app = app
        self._caps = caps
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        size_bytes = 0

        async def receive_capped() -> Message:
            # Called by the endpoint, so the router has said by now which one it is.
            nonlocal size_bytes
            cap = self._caps.get(scope.get("endpoint", self), self._default)
            if claimed_bytes(scope) > cap:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(cap))
            message = await receive()
            size_bytes += len(message.get("body", b""))
            if size_bytes > cap:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(cap))
            return message

        await self._app(scope, receive_capped if scope["type"] == "http" else receive, send)


@dataclass(frozen=True)
class Doors:
    """Whom the server answers to.

    Attributes:
        host_names: Names it goes by beside loopback.
        is_paired: Whether an extension's origin is paired.
    """

    host_names: Collection[str]
    is_paired: Callable[[str], bool]


class Doorkeeper:
    """Refuses requests that name a foreign host or come from a foreign page."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        """Wrap ``app``."""
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] == "http":
            try:
                self._check(Headers(scope=scope), scope["path"])
            except ServerError as error:
                await problems.respond(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers, path: str) -> None:
        host = headers.get("host", "")
        if _host_name(host) not in LOOPBACK_NAMES | set(self._doors.host_names):
            raise ForeignHostError(
                "the Host header names another server; set BOWERBIRD_HTTP__HOST_NAMES to add a name"
            )
        origin = headers.get("origin")
        if origin is not None:
            self._check_origin(origin, host, path)
        elif path.startswith(API_PATHS) and headers.get("sec-fetch-site") in FOREIGN_SITES:
            # A foreign page that embeds or links to us sends no Origin with GET.
            raise ForeignOriginError("a foreign page may not call this server")

    def _check_origin(self, origin: str, host: str, path: str) -> None:
        scheme, _, netloc = origin.partition("://")
        if scheme in {"http", "https"} and netloc == host:
            return
        if scheme in EXTENSION_SCHEMES and (self._doors.is_paired(origin) or path == PAIRING_PATH):
            return
        raise ForeignOriginError(f"the origin {origin[:100]} is not this server's nor paired")


def _is_plain_error(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] >= HTTPStatus.BAD_REQUEST and kind.startswith("text/plain")


def claimed_bytes(scope: Scope, unsaid: int = 0) -> int:
    """Return how long a request says that its body is; ``unsaid`` where it does not."""
    claimed = Headers(scope=scope).get("content-length", "")
    return int(claimed) if claimed.isascii() and claimed.isdigit() else unsaid


def _too_large(cap: int) -> str:
    return f"the body of this request may have {cap} bytes"


def _host_name(host: str) -> str:
    match = _HOST.fullmatch(host)
    return match["name"].strip("[]").removesuffix(".").lower() if match else ""
