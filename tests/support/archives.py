"""Archives as no tool writes them: each field of a zip or a tar can lie."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """An entry of a zip, with what it says of itself. None: the truth.

    `raw` is what stands for the packed data; `flags`, `method`, `crc`, `size`, `packed_size` and
    `at` are what the directory claims.
    """

    name: bytes
    data: bytes = b""
    flags: int = 0x800
    method: int = 8
    mode: int = 0o100644
    made_by: int = 3
    crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    at: int | None = None
    extra: bytes = b""
    local_method: int | None = None
    raw: bytes | None = None

    @property
    def packed(self) -> bytes:
        if self.raw is not None or self.method != 8:
            return self.data if self.raw is None else self.raw
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()


def zip_of(*members: Member, count: int | None = None, comment: bytes = b"") -> bytes:
    """Return a zip of these entries, its end claiming `count` of them."""
    body, directory = b"", b""
    for member in members:
        packed = member.packed
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        at = len(body) if member.at is None else member.at
        sizes = (
            len(packed) if member.packed_size is None else member.packed_size,
            len(member.data) if member.size is None else member.size,
        )
        local_method = member.method if member.local_method is None else member.local_method
        body += struct.pack(
            "<4s5H3L2H",
            *(b"PK\x03\x04", 20, member.flags, local_method, 0, 0x21),
            *(zlib.crc32(member.data), len(packed), len(member.data), len(member.name), 0),
        )
        body += member.name + packed
        directory += struct.pack(
            "<4s4B4H3L5H2L",
            *(b"PK\x01\x02", 20, member.made_by, 20, 0, member.flags, member.method, 0, 0x21),
            *(crc & 0xFFFFFFFF, *sizes, len(member.name), len(member.extra), 0, 0, 0),
            *(member.mode << 16, at),
        )
        directory += member.name + member.extra
    number = len(members) if count is None else count
    end = struct.pack(
        "<4s4H2LH",
        *(b"PK\x05\x06", 0, 0, number, number, len(directory), len(body), len(comment)),
    )
    return body + directory + end + comment


def plain_zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip as Python writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def plain_tar(files: Mapping[str, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """Return a tar as Python writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def tar_block(
    name: bytes, data: bytes = b"", *, kind: bytes = b"0", size: int | None = None
) -> bytes:
    """Return one entry of a tar, with a proper sum, whatever it claims."""
    claimed = len(data) if size is None else size
    digits = b"%011o\0" % claimed if claimed < 8**11 else b"\x80" + claimed.to_bytes(11, "big")
    block = bytearray(512)
    block[: len(name[:100])] = name[:100]
    block[100:108] = b"0000644\0"
    block[124:136] = digits
    block[156:157] = kind
    block[257:265] = b"ustar\00000"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + data + bytes(-len(data) % 512)
