"""What all schemas share: bases, pages, and how hints of pages are read.

What a page says of an image is a hint: what is too long or no web address is dropped, so that an
odd tile never costs a capture. What the person says is checked and refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from server import labels
from server.repositories.paging import Page

Item = TypeVar("Item")
Row = TypeVar("Row")

MAX_URL_CHARS = 8192  # what browsers and servers agree to carry
MAX_SIDE_PX = 1_000_000


def cut(length: int) -> BeforeValidator:
    """Return a validator that cuts text to ``length`` characters, and mends half ones.

    Texts of JavaScript may hold a half of a surrogate pair, most often where they were cut; neither
    SQL nor UTF-8 can.
    """
    return BeforeValidator(lambda v: _mend(v[:length]) if isinstance(v, str) else v)


def _mend(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _drop_odd_address(value: object) -> object:
    if isinstance(value, str) and (
        len(value) > MAX_URL_CHARS or not value.lower().startswith(("http://", "https://"))
    ):
        return None  # data: thumbnails, javascript: links
    return _mend(value) if isinstance(value, str) else value


def _drop_odd_size(value: object) -> object:
    return value if isinstance(value, int) and 0 < value <= MAX_SIDE_PX else None


def _strip(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


def _refuse_odd_signs(name: str) -> str:
    if sign := labels.find_odd_sign(name):
        raise ValueError(f"the name has {sign}; type it anew without")
    return name


# The length comes first: so the core checks it, which refuses halves of characters as well.
Name = Annotated[
    str,
    Field(min_length=1, max_length=100),
    BeforeValidator(_strip),
    AfterValidator(_refuse_odd_signs),
]
# Of one that is there, or of a new one: `server.repositories.datasets` tells which, and holds the
# new ones alone to the rule of `server.labels`.
LabelName = Annotated[
    str,
    Field(min_length=1, max_length=labels.MAX_WRITTEN_CHARS),
    BeforeValidator(_strip),
]
Id = Annotated[str, Field(max_length=64)]
HintUrl = Annotated[str | None, BeforeValidator(_drop_odd_address)]
HintSize = Annotated[int | None, BeforeValidator(_drop_odd_size)]
HintText = Annotated[str | None, cut(1000)]
HintShort = Annotated[str | None, cut(200)]


class RequestModel(BaseModel):
    """A request: unknown members are refused, since they are slips."""

    model_config = ConfigDict(extra="forbid")


class ReplyModel(BaseModel):
    """A response, read off records or views."""

    model_config = ConfigDict(from_attributes=True)


class PageOut(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next_cursor: str | None
    total: int

    @classmethod
    def of(cls, page: Page[Row], convert: Callable[[Row], Item]) -> PageOut[Item]:
        """Return the page with each row converted."""
        items = [convert(row) for row in page.items]
        return cls(items=items, next_cursor=page.next_cursor, total=page.total)
