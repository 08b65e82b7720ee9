"""Archives and tables that were made to do harm: each is answered by a kind that is known.

Every case goes the whole way, through the API and by a dry run as well; none may add anything that
it should not, nor write anywhere but under the names of our own.
"""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import pytest

from server.archives import zips
from server.archives.entries import ArchiveLimits
from server.archives.layout import look_over
from server.archives.refusals import EntryFlaw, EntryRefusedError, Flaw
from server.archives.tars import TarArchive
from server.errors import ImportRefusedError
from server.reasons import Reason
from tests.support.app import Bird, problem
from tests.support.archives import Member, plain_tar, plain_zip, tar_block, zip_of
from tests.support.images import jpeg

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = jpeg(64, 48, 7)
BAD_ZIP64 = struct.pack("<2HQ", 1, 8, 2**62)
DEEP = b"[" * 60_000
KINDS = {*EntryFlaw, *Reason}


def one(name: bytes, data: bytes = GOOD, **claims: object) -> bytes:
    """Return a zip of one entry beside a good one."""
    return zip_of(Member(b"x/good.jpg", jpeg(64, 48, 8)), Member(name, data, **claims))


def tar_of(*blocks: bytes) -> bytes:
    return tar_block(b"x/good.jpg", jpeg(64, 48, 8)) + b"".join(blocks) + bytes(1024)


def pax(**records: str) -> bytes:
    body = b""
    for name, value in records.items():
        text = f" {name.replace('_', '.')}={value}\n".encode()
        length = len(text) + 1
        while len(str(length)) + len(text) != length:
            length += 1
        body += str(length).encode() + text
    return tar_block(b"pax", body, kind=b"x")


def end_64(count: int, size: int, at: int, where: int) -> bytes:
    """Return a zip64 end, its locator and an end that points to them."""
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, where, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    return wide + locator + end


FOREIGN = plain_zip({"x/a.jpg": GOOD})

# One entry is refused; the good one beside it comes in.
ENTRIES: dict[str, tuple[bytes, str]] = {
    "slip": (one(b"../../etc/cron.d/x.jpg"), "unsafe-path"),
    "slip-in-the-middle": (one(b"x/../../y.jpg"), "unsafe-path"),
    "absolute": (one(b"/etc/passwd"), "unsafe-path"),
    "drive": (one(b"C:/Windows/x.jpg"), "unsafe-path"),
    "drive-relative": (one(b"c:x.jpg"), "unsafe-path"),
    "backslashes": (one(b"..\\..\\x.jpg"), "unsafe-path"),
    "share": (one(b"\\\\host\\share\\x.jpg"), "unsafe-path"),
    "deep": (one(b"a/" * 200 + b"x.jpg"), "unsafe-path"),
    "nul": (one(b"x/a.jpg\0.txt"), "bad-name"),
    "newline": (one(b"x/a\nb.jpg"), "bad-name"),
    "escape": (one(b"x/\x1b[2Ja.jpg"), "bad-name"),
    "no-name": (one(b""), "bad-name"),
    "only-a-dot": (one(b"."), "bad-name"),
    "not-the-utf-8-it-claims": (one(b"x/\xff\xfe.jpg"), "bad-name"),
    "64-kb-name": (one(b"x/" + b"n" * 65_000), "name-too-long"),
    "symlink": (one(b"x/link.jpg", b"/etc/passwd", mode=0o120777), "link"),
    "symlink-of-macos": (one(b"x/link.jpg", b"/etc/passwd", mode=0o120777, made_by=19), "link"),
    "device": (one(b"x/null.jpg", mode=0o020666), "special-file"),
    "pipe": (one(b"x/pipe.jpg", mode=0o010666), "special-file"),
    "encrypted": (one(b"x/a.jpg", flags=0x801), "encrypted"),
    "strongly-encrypted": (one(b"x/a.jpg", flags=0x841), "encrypted"),
    "lzma": (one(b"x/a.jpg", method=14), "unsupported-compression"),
    "says-otherwise-inside": (one(b"x/a.jpg", local_method=0), "damaged"),
    "checksum": (one(b"x/a.jpg", crc=1), "damaged"),
    "not-deflated": (one(b"x/a.jpg", raw=b"\xff" * 99), "damaged"),
    "cut-off-inside": (one(b"x/a.jpg", raw=Member(b"", GOOD).packed[:200]), "lying-size"),
    "claims-less": (one(b"x/a.jpg", bytes(5_000_000), size=100), "lying-size"),
    "claims-more": (one(b"x/a.jpg", size=len(GOOD) + 1), "lying-size"),
    "stored-claims-more": (one(b"x/a.jpg", method=0, size=len(GOOD) * 2), "lying-size"),
    "one-large-bomb": (one(b"x/a.jpg", bytes(30_000_000)), "too-large"),
    "claims-4-gb": (one(b"x/a.jpg", size=2**32 - 2), "too-large"),
    "empty": (one(b"x/a.jpg", b"", method=0), "empty"),
    "nested-by-name": (one(b"x/a.zip"), "nested-archive"),
    "nested-by-content": (one(b"x/a.jpg", FOREIGN), "nested-archive"),
    "nested-gzip": (one(b"x/a.jpg", b"\x1f\x8b\x08" + bytes(99)), "nested-archive"),
    "script": (one(b"x/a.jpg", b"#!/bin/sh\nrm -rf /\n"), "not-an-image"),
    "page": (one(b"x/a.jpg", b"<html><script>alert(1)</script>"), "not-an-image"),
    "duplicate-name": (
        zip_of(*(Member(b"x/a.jpg", jpeg(64, 48, seed)) for seed in (8, 9))),
        "duplicate-name",
    ),
    "same-name-written-otherwise": (
        zip_of(Member(b"x/a.jpg", jpeg(64, 48, 8)), Member(b"./x//a.jpg", GOOD)),
        "duplicate-name",
    ),
    "label-of-control-characters": (one("x/a.jpg".replace("x", "\x85").encode()), "bad-name"),
    "label-turned-around": (one("\u202egnp.exe/a.jpg".encode()), "bad-label"),
    "label-of-a-mark": (one("\u200f/a.jpg".encode()), "bad-label"),
    "label-of-spaces": (one("\u2003 /a.jpg".encode()), "bad-label"),
    "label-too-long": (one(b"n" * 101 + b"/a.jpg"), "bad-label"),
    "tar-slip": (tar_of(tar_block(b"../x.jpg", GOOD)), "unsafe-path"),
    "tar-absolute": (tar_of(tar_block(b"/etc/passwd", GOOD)), "unsafe-path"),
    "tar-slip-by-pax": (
        tar_of(pax(path="../../x.jpg"), tar_block(b"x/a.jpg", GOOD)),
        "unsafe-path",
    ),
    "tar-symlink": (tar_of(tar_block(b"x/a.jpg", kind=b"2")), "link"),
    "tar-hard-link": (tar_of(tar_block(b"x/a.jpg", kind=b"1", size=10**9)), "link"),
    "tar-device": (tar_of(tar_block(b"x/a.jpg", kind=b"3")), "special-file"),
    "tar-pipe": (tar_of(tar_block(b"x/a.jpg", kind=b"6")), "special-file"),
    "tar-sparse": (
        tar_of(pax(GNU_sparse_realsize="1099511627776"), tar_block(b"x/a.jpg", GOOD)),
        "special-file",
    ),
    "tar-not-utf-8": (tar_of(tar_block(b"x/\xff.jpg", GOOD)), "bad-name"),
    "tar-long-name": (
        tar_of(tar_block(b"long", b"n" * 70_000, kind=b"L"), tar_block(b"x/a.jpg", GOOD)),
        "name-too-long",
    ),
    "tar-empty-name": (tar_of(tar_block(b"", GOOD)), "bad-name"),
    "tar-too-large": (tar_of(tar_block(b"x/a.jpg", bytes(21_000_000))), "too-large"),
}


@pytest.mark.parametrize(("body", "reason"), ENTRIES.values(), ids=ENTRIES)
async def test_an_entry_is_refused_and_the_others_come_in(shared: Bird, body: bytes, reason: str):
    before = tree(shared.data)
    dataset_id = await shared.dataset()
    path = f"/datasets/{dataset_id}/imports"
    preview = await shared.post(path, content=body, params={"dry_run": True})
    response = await shared.post(path, content=body)
    assert response.status_code == 201, response.text
    report = response.json()
    assert preview.json() == report | {"dry_run": True}
    assert [entry["reason"] for entry in report["refused"]] == [reason]
    assert reason in KINDS
    refused = report["refused"][0]
    assert refused["detail"]
    assert refused["path"].isprintable()
    assert len(refused["path"]) <= 1300, "escapes are up to six characters"
    assert (report["added"], report["found"]) == (1, 2)
    assert (await shared.counts(dataset_id))["status"]["ready"] == 1
    assert tree(shared.data) - before <= {"blobs", "thumbnails"}


def tree(folder: Path) -> set[str]:
    """Return the folders of the data folder that files lie in, by their first name."""
    found = {str(path.relative_to(folder)).split("/", 1)[0] for path in folder.rglob("*")}
    return found - {"bowerbird.db", "bowerbird.db-wal", "bowerbird.db-shm", "server.lock"}


def overlapping() -> bytes:
    return zip_of(*(Member(b"x/%d.jpg" % n, GOOD, at=0) for n in range(3)))


def cut(body: bytes, count: int) -> bytes:
    return body[:-count]


ZIP = plain_zip({"x/a.jpg": GOOD})
TABLE = b"file_name,label\n"

# The whole file is refused, before anything is added.
WHOLES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not-an-archive"),
    "noise": (b"\x00\x01\x02" * 400, "not-an-archive"),
    "an-image": (GOOD, "not-an-archive"),
    "gzip": (b"\x1f\x8b\x08" + bytes(99), "unsupported-archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "unsupported-archive"),
    "rar": (b"Rar!\x1a\x07\x00" + bytes(99), "unsupported-archive"),
    "parquet": (b"PAR1" + bytes(99), "unsupported-archive"),
    "zip-cut-off": (cut(ZIP, 30), "damaged-archive"),
    "zip-of-several-parts": (
        ZIP[:-22] + struct.pack("<4s4H2LH", b"PK\5\6", 1, 1, 1, 1, 46, 0, 0),
        "unsupported-archive",
    ),
    "directory-beyond-the-file": (
        ZIP[:-22] + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 10**6, 10**9, 0),
        "damaged-archive",
    ),
    "directory-of-4-gb": (
        ZIP[:-22] + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 2**32 - 2, 0, 0),
        "damaged-archive",
    ),
    "counts-fewer": (zip_of(*(Member(b"%d" % n) for n in range(9)), count=1), "damaged-archive"),
    "counts-more": (zip_of(Member(b"x"), count=60_000), "damaged-archive"),
    "counts-a-billion": (ZIP[:-22] + end_64(10**9, 53, 0, len(ZIP) - 22), "too-many-entries"),
    "zip64-end-elsewhere": (ZIP[:-22] + end_64(1, 53, 0, 2**60), "damaged-archive"),
    "zip64-end-is-none": (ZIP[:-22] + end_64(1, 53, 0, 0), "damaged-archive"),
    "zip64-directory-beyond": (
        ZIP[:-22] + end_64(1, 2**62, 2**62, len(ZIP) - 22),
        "damaged-archive",
    ),
    "zip64-offset-beyond": (one(b"x/a.jpg", at=2**32 - 1, extra=BAD_ZIP64), "damaged-archive"),
    "zip64-field-missing": (one(b"x/a.jpg", size=2**32 - 1), "damaged-archive"),
    "packed-beyond-the-file": (one(b"x/a.jpg", packed_size=10**9), "damaged-archive"),
    "overlapping": (overlapping(), "overlapping-entries"),
    "overlapping-in-part": (
        zip_of(Member(b"x/a.jpg", GOOD), Member(b"x/b.jpg", GOOD, at=40)),
        "overlapping-entries",
    ),
    "bomb-of-many": (
        zip_of(*(Member(b"x/%d.bmp" % n, bytes(20_000_000)) for n in range(14))),
        "unpacks-too-large",
    ),
    "bomb-of-tables": (
        zip_of(*(Member(b"%d/metadata.csv" % n, TABLE + bytes(24 * 2**20)) for n in range(12))),
        "unpacks-too-large",
    ),
    "tables-too-large-together": (
        zip_of(*(Member(b"%d/labels.csv" % n, TABLE + b"\n" * (33 * 2**20)) for n in range(2))),
        "unpacks-too-large",
    ),
    "tables-of-too-many-rows-together": (
        plain_zip({f"{n}/metadata.csv": TABLE + b"a,b\n" * 130_000 for n in range(2)}),
        "too-many-entries",
    ),
    "broken-metadata": (
        plain_zip({"metadata.csv": b'file_name,label\n"a', "a.jpg": GOOD}),
        "broken-table",
    ),
    "metadata-not-utf-8": (plain_zip({"metadata.csv": b"\xff\xfef\0", "a.jpg": GOOD}), "not-utf-8"),
    "metadata-without-its-column": (
        plain_zip({"metadata.csv": b"name,label\n", "a.jpg": GOOD}),
        "missing-columns",
    ),
    "tar-cut-off": (cut(plain_tar({"x/a.jpg": GOOD}), 9500), "damaged-archive"),
    "tar-damaged": (tar_of(b"\x07" * 512), "damaged-archive"),
    "tar-claims-8-eb": (tar_of(tar_block(b"x/a.jpg", size=2**63)), "damaged-archive"),
    "tar-header-of-1-mb": (
        tar_of(tar_block(b"long", bytes(2**20), kind=b"L")),
        "directory-too-large",
    ),
    "tar-pax-damaged": (tar_of(tar_block(b"p", b"999999 x", kind=b"x")), "damaged-archive"),
    "tar-pax-of-no-length": (tar_of(tar_block(b"p", b"0 a=b\n", kind=b"x")), "damaged-archive"),
    "csv-utf-16": ("url,label\n".encode("utf-16"), "not-utf-8"),
    "csv-latin-1": (b"url,label\nhttps://e.org/\xe9.jpg,x\n", "not-utf-8"),
    "csv-line-of-10-mb": (b"url,label\nhttps://e.org/" + b"a" * 10**7, "line-too-long"),
    "csv-quotes-unclosed": (b'url,label\nhttps://e.org/a.jpg,"x\n' * 3, "broken-table"),
    "csv-quotes-over-many-lines": (
        b'url,label\nhttps://e.org/a.jpg,"' + b"x" * 1000 + b"\nx" * 100_000,
        "broken-table",
    ),
    "csv-without-columns": (b"a,b\n1,2\n", "missing-columns"),
    "json": (b'{"url": "https://e.org/a.jpg"}', "missing-columns"),
    "csv-nul-at-once": (b"url,label\nhttps://e.org/a\0.jpg,x\n", "not-an-archive"),
}


@pytest.mark.parametrize(("body", "kind"), WHOLES.values(), ids=WHOLES)
async def test_a_file_is_refused_as_a_whole(shared: Bird, body: bytes, kind: str):
    dataset_id = await shared.dataset()
    for dry_run in (True, False):
        response = await shared.post(
            f"/datasets/{dataset_id}/imports", content=body, params={"dry_run": dry_run}
        )
        said = problem(response, 422, "import-refused")
        assert said["kind"] == kind
        assert kind in set(Flaw)
    assert (await shared.counts(dataset_id))["total"] == 0


ROWS = {
    "nul": (b"https://e.org/a\0.jpg", "bad-url"),
    "formula": (b'"=HYPERLINK(""https://e.org/a.jpg"")"', "bad-url"),
    "script": (b"javascript:alert(1)", "bad-url"),
    "file": (b"file:///etc/passwd", "bad-url"),
    "data": (b'"data:image/png;base64,AAAA"', "bad-url"),
    "9,000-characters": (b"https://e.org/" + b"a" * 9000, "bad-url"),
    "no-address": (b"", "bad-row"),
    "a-label-turned-around": ("https://e.org/a.jpg,\u202egnp".encode(), "bad-label"),
    "a-label-of-dots": (b"https://e.org/a.jpg,..", "bad-label"),
}


@pytest.mark.parametrize(("row", "reason"), ROWS.values(), ids=ROWS)
async def test_a_row_is_refused_and_the_others_come_in(shared: Bird, row: bytes, reason: str):
    dataset_id = await shared.dataset()
    row = row if b"," in row and b'"' not in row else row + b",x"
    wide = b"https://e.org/b.jpg,=cmd|'/C calc'!A0" + b",c" * 150
    body = b"\xef\xbb\xbfurl,label" + b",c" * 150 + b"\r\n" + wide + b"\r\n" + row + b"\r\n"
    report = (await shared.post(f"/datasets/{dataset_id}/imports", content=body)).json()
    assert [entry["reason"] for entry in report["refused"]] == [reason]
    assert report["refused"][0]["path"].startswith("line 3")
    assert (report["found"], report["added"]) == (2, 1)
    assert report["labels"] == {"=cmd|'/C calc'!A0": 1}, "a formula is text here"


async def test_names_of_other_encodings_are_read(shared: Bird):
    dataset_id = await shared.dataset()
    seeds = iter(range(20, 30))
    body = zip_of(
        Member("bär/a.jpg".encode("cp437"), jpeg(32, 32, next(seeds)), flags=0),
        Member("bär/b.jpg".encode(), jpeg(32, 32, next(seeds)), flags=0),
        Member("bär/c.jpg".encode(), jpeg(32, 32, next(seeds))),
        Member("ba\u0308r/d.jpg".encode(), jpeg(32, 32, next(seeds))),
    )
    report = (await shared.post(f"/datasets/{dataset_id}/imports", content=body)).json()
    assert report["labels"] == {"bär": 4}


async def test_a_broken_table_is_named_with_its_line(shared: Bird):
    dataset_id = await shared.dataset()
    tables = {"train/metadata.csv": b'file_name,label\n"a', "valid/metadata.csv": b"label\nx\n"}
    told = {
        "train/metadata.csv": "train/metadata.csv: line 2: unexpected end of data",
        "valid/metadata.csv": "valid/metadata.csv: its first line must name the column `file_name`",
    }
    for name, table in tables.items():
        body = plain_zip({name: table, "train/a.jpg": GOOD})
        response = await shared.post(f"/datasets/{dataset_id}/imports", content=body)
        assert told[name] in problem(response, 422, "import-refused")["detail"]


@pytest.mark.parametrize(
    ("claimed", "name", "kind"),
    [(1_000_000, b"x" * 10, "too-many-entries"), (10, b"x" * 30, "directory-too-large")],
)
async def test_a_million_entries_are_refused_before_they_are_listed(
    shared: Bird, monkeypatch: pytest.MonkeyPatch, claimed: int, name: bytes, kind: str
):
    row = struct.pack(
        "<4s4B4H3L5H2L",
        *(b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0),
    )
    directory = (row + name) * 1_000_000
    body = b"PK\x03\x04" + directory + end_64(claimed, len(directory), 4, len(directory) + 4)
    monkeypatch.setattr(zips.ZipArchive, "_read_directory", None)  # a call of it would fail
    dataset_id = await shared.dataset()
    response = await shared.post(f"/datasets/{dataset_id}/imports", content=body)
    assert problem(response, 422, "import-refused")["kind"] == kind


async def test_samples_that_cannot_be_read_give_no_label(shared: Bird):
    dataset_id = await shared.dataset()
    files = {"a.jpg": GOOD, "a.json": DEEP, "b.jpg": jpeg(32, 32, 31), "b.json": b"[]"}
    files |= {"c.jpg": jpeg(32, 32, 32), "c.json": bytes(70_000), "d.cls": b"x", "d.jpg": b"no"}
    body = plain_tar(files, tarfile.USTAR_FORMAT)
    report = (await shared.post(f"/datasets/{dataset_id}/imports", content=body)).json()
    assert report["labels"] == {"": 3}
    assert report["reasons"] == {"not-an-image": 1}


async def test_too_many_entries_of_a_tar_are_refused():
    many = plain_tar({f"{n}.jpg": b"x" for n in range(5)})
    archive = TarArchive(io.BytesIO(many), ArchiveLimits(entries=4))
    with pytest.raises(ImportRefusedError, match="more than 4 entries") as error:
        look_over(archive)
    assert error.value.extra == {"kind": "too-many-entries"}


async def test_texts_too_long_for_labels_are_not_kept():
    long = b"n" * 60_000
    files = {"a.cls": long, "b.json": b'{"label": "%s"}' % long, "c.jpg": GOOD, "a.jpg": GOOD}
    files |= {"metadata.csv": b"file_name,label\nc.jpg," + long, "labels.csv": b"folder,label\nx,y"}
    archive = TarArchive(io.BytesIO(plain_tar(files)), ArchiveLimits())
    layout = look_over(archive)
    assert (layout.of_path, layout.of_sample) == ({"c.jpg": ""}, {"a": "", "b": ""})
    assert layout.of_folder == {"x": "y"}
    for entry in archive.entries():
        if entry.path in {"a.jpg", "c.jpg"}:
            with pytest.raises(EntryRefusedError, match="names no usable label"):
                layout.label(entry)
