"""What the contract's models have in common: base classes, shared field types, parsing.

May import ``contract.errors`` and pydantic.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from server.contract.errors import FormatError

MAX_CLASSES = 1000  # a confusion matrix of 1000 x 1000 still fits bundle.json's cap
_SHOWN_ERRORS = 3  # a broken file may have thousands; the first few say what is wrong


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:  # the first and last hours of the calendar
        raise ValueError("there is no such time in UTC") from error


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]


# Of a dataclass that is as strict as a ``StrictModel``, for what a file has 100,000 of: beside each
# object of a model lie a dictionary and a set, 1.3 kB for what a model says of one image, and to
# read it took twice the time.
ROW_CONFIG: Final = ConfigDict(extra="forbid", allow_inf_nan=False)


class StrictModel(BaseModel):
    """Immutable; refuses unknown fields, NaN and infinity. For files and for requests."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ReplyModel(BaseModel):
    """Immutable; ignores unknown fields, so that a newer server may say more than we read."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


_Model = TypeVar("_Model", bound=BaseModel)


def parse_json(model: type[_Model], data: bytes, *, name: str, max_bytes: int) -> _Model:
    """Validate JSON bytes against a model.

    Args:
        model: What the bytes must be.
        data: JSON, UTF-8.
        name: What to call the document in the error's text.
        max_bytes: The cap; larger documents are refused unread.

    Raises:
        FormatError: Too large, not JSON, or not of the model's shape.
    """
    if len(data) > max_bytes:
        raise FormatError(f"{name} has {len(data)} bytes; at most {max_bytes} are accepted")
    try:
        return model.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise FormatError(f"{name}: {describe(error)}") from error


def describe(error: ValidationError) -> str:
    """Say in one line where and how a document fails, without repeating its content."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    shown = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'document'}: {problem['msg']}"
        for problem in problems[:_SHOWN_ERRORS]
    ]
    more = len(problems) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")
