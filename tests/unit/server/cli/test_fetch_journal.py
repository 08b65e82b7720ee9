"""The journal and the folder of ``bowerbird fetch``: real files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from server.cli.errors import CommandError
from server.cli.fetching import journal as journals
from server.cli.fetching.images import ImageFolder, relative_path
from server.cli.fetching.journal import Ended, Journal, Status
from server.cli.fetching.table import write_table
from server.media.verify import verify
from server.net.validators import Refusal, Validators
from server.reasons import Reason
from tests.support.images import encode, jpeg, photo

READY = Ended(
    key=b"1" * 16, line=1, url="http://a.test/", status=Status.READY, reason=None, detail="",
    sha256="a" * 64, format="jpeg", width=2, height=3, bytes=4, seconds=0.5, attempts=1,
)  # fmt: skip
REJECTED = Ended(b"2" * 16, 2, "http://b.test/", Status.REJECTED, Reason.TLS, "no trust")


def test_what_is_recorded_is_finished_for_this_run_and_the_next(tmp_path: Path):
    keys = [READY.key, REJECTED.key, b"3" * 16]
    with closing(Journal.open(tmp_path)) as journal:
        assert not journal.was_interrupted
        assert journal.record([READY, REJECTED]) == [Status.READY, Status.REJECTED]
        assert journal.find_finished(keys, is_rejected_final=False) == dict.fromkeys(keys[:2], True)
    with closing(Journal.open(tmp_path)) as journal:
        assert journal.was_interrupted
        assert journal.find_finished(keys, is_rejected_final=True) == dict.fromkeys(keys[:2], False)
        assert journal.find_finished(keys, is_rejected_final=False) == {READY.key: False}
        assert journal.record([replace(REJECTED, reason=Reason.DNS)]) == [Status.REJECTED]
        assert journal.find_finished(keys, is_rejected_final=False) == {
            READY.key: False, REJECTED.key: True,
        }  # fmt: skip
        assert journal.count() == {(Status.READY, None): 1, (Status.REJECTED, Reason.DNS): 1}
        journal.mark_whole()
    with closing(Journal.open(tmp_path)) as journal:
        assert not journal.was_interrupted


def test_equal_bytes_are_duplicates_within_a_batch_and_after_it(tmp_path: Path):
    second, third = (replace(READY, key=bytes([n]) * 16, line=n) for n in (7, 5))
    with closing(Journal.open(tmp_path)) as journal:
        assert journal.record([READY, second]) == [Status.READY, Status.DUPLICATE]
        assert journal.record([third]) == [Status.DUPLICATE]
        assert [*journal.list_rows(["line", "status", "sha256"])] == [
            (1, "ready", "a" * 64), (5, "duplicate", "a" * 64), (7, "duplicate", "a" * 64),
        ]  # fmt: skip
        assert journal.has_image("a" * 64)
        assert not journal.has_image("b" * 64)


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path):
    broken = replace(REJECTED, url=None)  # type: ignore[arg-type] # what SQLite refuses
    with closing(Journal.open(tmp_path)) as journal:
        with pytest.raises(sqlite3.IntegrityError):
            journal.record([READY, broken])
        assert journal.count() == {}


FIRST_TABLES = """
create table runs (id integer primary key, is_whole integer not null default 0);
create table outcomes (
    key blob not null unique, line integer not null, url text not null, status text not null,
    reason text, detail text not null, http_status integer, final_url text, sha256 text,
    format text, width integer, height integer, bytes integer, seconds real,
    attempts integer not null, run integer not null references runs (id)
);
create index outcomes_by_line on outcomes (line);
create index outcomes_by_image on outcomes (sha256) where status = 'ready';
insert into runs values (1, 1);
insert into outcomes (key, line, url, status, reason, detail, attempts, run)
    values (x'32323232323232323232323232323232', 2, 'http://b.test/', 'rejected', 'tls', '', 1, 1);
pragma user_version = 1;
"""


def test_a_folder_that_was_begun_by_the_first_version_is_gone_on_with(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / journals.FILE_NAME)) as connection:
        connection.executescript(FIRST_TABLES)
    for _ in range(2):
        with closing(Journal.open(tmp_path)) as journal:
            keys = [REJECTED.key]
            assert journal.find_finished(keys, is_rejected_final=True) == {REJECTED.key: False}
            assert journal.find_refusals(keys) == {}
            assert [*journal.list_rows(["url", "downgraded"])][-1] == ("http://b.test/", None)
            write_table(journal, tmp_path / "outcomes.parquet")
            journal.record([READY])
    assert pq.read_table(tmp_path / "outcomes.parquet")["downgraded"].to_pylist() == [False, None]


def test_refused_bytes_are_known_again_until_another_end(tmp_path: Path):
    named = replace(
        REJECTED, reason=Reason.TOO_SMALL, detail="8 x 8", final_url="http://c.test/",
        etag='"1"', rules="r",
    )  # fmt: skip
    expected = Refusal("http://c.test/", Validators('"1"'), Reason.TOO_SMALL, "8 x 8", "r")
    with closing(Journal.open(tmp_path)) as journal:
        journal.record([named, READY])
        keys = [READY.key, REJECTED.key, b"3" * 16]
        assert journal.find_refusals(keys) == {REJECTED.key: expected}
        journal.record([REJECTED])
        assert journal.find_refusals(keys) == {}


def test_two_runs_in_one_folder_are_refused(tmp_path: Path):
    with closing(Journal.open(tmp_path)), pytest.raises(CommandError, match="Another"):
        Journal.open(tmp_path)


def test_what_is_no_journal_or_a_newer_one_is_left_alone(tmp_path: Path):
    path = tmp_path / journals.FILE_NAME
    path.write_bytes(b"something else, of more than a hundred bytes" * 10)
    with pytest.raises(CommandError, match="no journal"):
        Journal.open(tmp_path)
    assert path.read_bytes().startswith(b"something else")
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 9")
    with pytest.raises(CommandError, match="another version"):
        Journal.open(tmp_path)


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("JPEG", "jpg"),
        ("PNG", "png"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("TIFF", "tif"),
        ("BMP", "bmp"),
        ("AVIF", "avif"),
    ],
)
def test_images_lie_under_their_hash_with_the_extension_of_their_content(tmp_path, kind, suffix):
    data = encode(photo(64, 48), kind)
    verified = verify(data)
    with closing(ImageFolder(tmp_path, has_thumbnails=False)) as images:
        images.keep(data, verified)
        images.make_durable([verified.sha256, verified.sha256])
    path = relative_path(verified.sha256, verified.format)
    assert path == f"images/{verified.sha256[:2]}/{verified.sha256}.{suffix}"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / path]
    assert (tmp_path / path).read_bytes() == data


def test_the_sweep_removes_what_no_outcome_names_and_nothing_else(tmp_path):
    kept, lost = verify(jpeg(seed=1)), verify(jpeg(seed=2))
    with closing(ImageFolder(tmp_path, has_thumbnails=True)) as images:
        for seed, verified in ((1, kept), (2, lost)):
            images.keep(jpeg(seed=seed), verified)
        home = tmp_path / "images" / lost.sha256[:2]
        (home / f".{lost.sha256[:16]}.123.456.tmp").write_bytes(b"half")
        own = [home / "holiday.jpg", home / ".hidden", tmp_path / "images" / f"{'0' * 64}.jpg"]
        for path in own:
            path.write_bytes(b"the person's own")
        assert images.sweep(lambda sha256: sha256 == kept.sha256) == 3
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    thumbnail = tmp_path / "thumbnails" / kept.sha256[:2] / f"{kept.sha256}.jpg"
    assert left == {tmp_path / relative_path(kept.sha256, "jpeg"), thumbnail, *own}
    assert thumbnail.read_bytes() == kept.thumbnail
