"""Archives with any bytes changed: read, refused in part or as a whole, and nothing else."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.archives.entries import ArchiveLimits
from server.archives.formats import Format, open_archive, sniff
from server.archives.layout import look_over
from server.archives.refusals import EntryRefusedError
from server.archives.tables import read_rows
from server.errors import ImportRefusedError
from tests.support.archives import Member, plain_tar, plain_zip, zip_of

pytestmark = pytest.mark.fuzz
LIMITS = ArchiveLimits(entry_bytes=1000, entries=50, directory_bytes=5000)
FILES = {
    "metadata.csv": b'file_name,label\na.jpg,"x"\nsub/b.jpg,y\n',
    "a.jpg": b"first" * 20,
    "sub/b.jpg": b"second" * 20,
    "c.json": b'{"label": "z"}',
    "c.jpg": b"third",
}
SEEDS = [
    plain_zip(FILES),
    plain_zip(FILES, 8),
    zip_of(*(Member(name.encode(), data) for name, data in FILES.items()), comment=b"PK\5\6" * 9),
    plain_tar(FILES, tarfile.USTAR_FORMAT),
    plain_tar({f"{'n' * 120}/{n}": d for n, d in FILES.items()}, tarfile.GNU_FORMAT),
    plain_tar({f"{'ä' * 120}/{n}": d for n, d in FILES.items()}, tarfile.PAX_FORMAT),
]
CHANGES = st.lists(
    st.tuples(st.integers(0, 20_000), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0x2F, 0x30])),
    min_size=1,
    max_size=6,
)


def read_all(data: bytes) -> int:
    """Read everything there is; return its bytes."""
    file = io.BytesIO(data)
    kind = sniff(file)
    if kind is Format.CSV:
        return sum(1 for _ in read_rows(file, (("url",), ("label",)), is_bare_ok=True))
    archive = open_archive(file, kind, LIMITS)
    layout = look_over(archive)
    size_bytes = 0
    for entry in archive.entries():
        try:
            if entry.refusal is not None:
                raise entry.refusal
            layout.label(entry)
            size_bytes += len(archive.read(entry, LIMITS.entry_bytes))
        except EntryRefusedError:
            continue
    return size_bytes


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seeds_are_whole(seed: bytes):
    assert read_all(seed) == sum(map(len, FILES.values()))


@settings(max_examples=400, deadline=None)
@given(seed=st.sampled_from(SEEDS), changes=CHANGES, end=st.integers(0, 4000))
def test_changed_bytes_are_refused_or_read(seed: bytes, changes: list[tuple[int, int]], end: int):
    data = bytearray(seed)
    for place, value in changes:
        # Counted from the end as well: that is where a zip says what it holds.
        data[-(place % len(data)) if place % 2 else place % len(data)] = value
    with suppress(ImportRefusedError):
        read_all(bytes(data[: len(data) - end if end < 40 else len(data)]))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"url,label\n", b'url\n"']))
def test_any_bytes_are_refused_or_read(data: bytes, head: bytes):
    with suppress(ImportRefusedError):
        read_all(head + data)
