"""Reading what a server answers, and what it is sent. May import ``views``, ``errors``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import BinaryIO

import httpx2
from pydantic import JsonValue, TypeAdapter, ValidationError

from server.client.errors import ProblemError, UnexpectedAnswerError, problem_error
from server.client.views import ViewT

# The longest answer is a model with the evaluation of each image: 500,000 of some 250 bytes.
MAX_ANSWER_BYTES = 256 * 1024**2
PIECE_BYTES = 256 * 1024


def pieces(opened: BinaryIO, on_sent: Callable[[int], None] | None) -> Iterator[bytes]:
    """Yield a file piece by piece, telling how much was sent."""
    sent_bytes = 0
    while piece := opened.read(PIECE_BYTES):
        yield piece
        sent_bytes += len(piece)
        if on_sent is not None:
            on_sent(sent_bytes)


_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-\d{1,19}|\*)/(\d{1,19})")


def place_of(status: HTTPStatus, headers: httpx2.Headers) -> tuple[int | None, int | None]:
    """Return where an answer begins in the whole, and how long that is."""
    if status is HTTPStatus.OK:
        length = headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() and length.isascii() else None
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if found is None:
        return None, None
    return (None if found[1] is None else int(found[1])), int(found[2])


def read_capped(response: httpx2.Response) -> bytes:
    """Return the whole of an answer.

    Raises:
        UnexpectedAnswerError: It is far too long.
    """
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise UnexpectedAnswerError(
                f"{response.request.method} {response.request.url.path}", "it is far too long"
            )
    return bytes(body)


def read_view(request: str, status: int, body: bytes, view: type[ViewT]) -> ViewT:
    """Return an answer as its view.

    Raises:
        ProblemError: It is a refusal.
        UnexpectedAnswerError: It follows no agreement.
    """
    if not httpx2.codes.is_success(status):
        raise problem_of(request, status, body)
    try:
        return view.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise UnexpectedAnswerError(request, f"{where}: {first['msg']}") from error


_MEMBERS = TypeAdapter(dict[str, JsonValue])


def problem_of(request: str, status: int, body: bytes) -> ProblemError | UnexpectedAnswerError:
    """Read problem+json; anything else is an answer nobody promised."""
    try:
        members = _MEMBERS.validate_json(body)
    except ValidationError:
        return UnexpectedAnswerError(request, f"HTTP {status} without a reason")
    kind, title, detail = (members.get(name) for name in ("type", "title", "detail"))
    slug = str(kind or "").rsplit("/", 1)[-1] or f"http-{status}"
    errors = members.get("errors")
    pointers = _pointers(errors) if isinstance(errors, list) else ""
    text = f"{title}: {pointers}" if pointers else detail or title or f"HTTP {status}"
    return problem_error(slug, status, str(text), members)


def _pointers(errors: list[JsonValue]) -> str:
    """Write the members that did not validate, at most five, as ``recipe/kind: …``."""
    return "; ".join(
        f"{str(error.get('pointer', '')).removeprefix('/body/')}: {error.get('detail', '')}"
        for error in errors[:5]
        if isinstance(error, dict)
    )
