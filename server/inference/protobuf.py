"""Protobuf's wire format, as far as an ONNX file needs it: nothing is built from what is read.

May import contract. Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from server.contract.bundle import MODEL_ONNX
from server.contract.errors import FormatError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES: Final = 10

Field = tuple[int, memoryview | int]


def fields(message: memoryview) -> Iterator[Field]:
    """Yield number and value of each field: a number, or the bytes of text, message or array.

    Raises:
        FormatError: These are no such bytes.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise _no_onnx()
        if size > len(message) - at:
            raise _no_onnx()
        yield number, message[at : at + size]
        at += size


def part(value: memoryview | int) -> memoryview:
    """Return a field's value as bytes.

    Raises:
        FormatError: It is a number.
    """
    if isinstance(value, int):
        raise _no_onnx()
    return value


def text(value: memoryview | int) -> str:
    """Return a field's value as text.

    Raises:
        FormatError: It is a number.
    """
    return bytes(part(value)).decode("utf-8", "replace")


def text_of(message: memoryview, wanted: int) -> str:
    """Return the first text in a message under a number, empty when there is none.

    Raises:
        FormatError: The message cannot be read.
    """
    return next((text(value) for number, value in fields(message) if number == wanted), "")


def write(number: int, value: bytes) -> bytes:
    """Return a field that holds bytes, text or a message."""
    return _write_varint(number << 3 | _BYTES) + _write_varint(len(value)) + value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_MAX_VARINT_BYTES):
        if at + place >= len(message):
            break
        byte = message[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
            return value, at + place + 1
    raise _no_onnx()


def _write_varint(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        said.append(value & 0x7F | 0x80)
        value >>= 7
    said.append(value)
    return bytes(said)


def _no_onnx() -> FormatError:
    return FormatError(f"{MODEL_ONNX} is not an ONNX file")
