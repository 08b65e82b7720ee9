"""The list of addresses of ``bowerbird fetch``: every line comes out, whatever is in it."""

from __future__ import annotations

import io
import os
import threading

import pytest

from server.cli.errors import CommandError
from server.cli.fetching.addresses import AddressList, open_list
from server.net.urls import MAX_URL_CHARS

GOOD = "https://example.org/a.jpg"


def _read(data: bytes) -> list[tuple[int, str, str]]:
    return [(line.number, line.url, line.fault) for line in AddressList(io.BytesIO(data))]


def test_lines_come_in_order_with_their_hosts_and_blank_ones_do_not():
    data = b"\xef\xbb\xbf http://b.test/1 \r\n\r\n\t\nhttps://A.test:81/2,3 # no comment\nhttp://c.test/"
    lines = AddressList(io.BytesIO(data))
    assert [(line.number, line.url, line.host) for line in lines] == [
        (1, "http://b.test/1", "b.test"),
        (4, "https://A.test:81/2,3 # no comment", "a.test"),
        (5, "http://c.test/", "c.test"),
    ]
    assert (lines.line_count, lines.blank_count) == (5, 2)


@pytest.mark.parametrize(
    ("data", "count"), [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\nb", 2)]
)
def test_lines_are_counted_with_and_without_a_last_newline(data, count):
    assert AddressList(io.BytesIO(data)).line_count == count


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"no address", "does not start with http"),
        (b"ftp://example.org/a.jpg", "does not start with http"),
        (b"file:///etc/passwd", "does not start with http"),
        (b"http://user:secret@example.org/", "user name or a password"),
        (b"http://127.1/a.jpg", "no plain IPv4"),
        (b"http://example.org/\x00.jpg", "control characters"),
        (b"http://example.org/\x1b[2J", "control characters"),
        (b"http://example.org/a.jpg\rhttp://example.org/b.jpg", "control characters"),
        (b"http://example.org/\xff.jpg", "not in UTF-8"),
        (b"http://example.org/\xed\xa0\x80", "not in UTF-8"),  # a surrogate
        (b"http://example.org/" + b"a" * 9_000, "longer than 8192"),
        (b"http://example.org/" + b"a" * 65_536, "longer than 65,536 bytes"),
        (b"http://example.org/" + b"\xff" * 300_000, "longer than 65,536 bytes"),
    ],
)
def test_a_line_that_is_no_address_has_a_fault_and_the_next_is_read(line, fault):
    (bad, good) = AddressList(io.BytesIO(line + b"\n" + GOOD.encode()))
    assert fault in bad.fault
    assert bad.host == ""
    assert len(bad.url) <= MAX_URL_CHARS
    bad.url.encode()  # can be stored: no surrogates
    assert (good.number, good.url, good.fault) == (2, GOOD, "")


@pytest.mark.parametrize("length", [65_534, 65_535, 65_536, 65_537, 131_072])
def test_a_long_line_is_one_line_wherever_it_is_cut(length):
    assert [number for number, _, _ in _read(b"x" * length + b"\n" + GOOD.encode())] == [1, 2]
    assert [number for number, _, _ in _read(b"x" * length)] == [1]


def test_the_key_is_that_of_the_whole_line():
    long = b"x" * 100_000
    lines = [b"a", b"a ", b"b", long + b"1", long + b"2", b"\xff", b"\xfe", b"\xef\xbf\xbd"]
    keys = [line.key for line in AddressList(io.BytesIO(b"\n".join(lines)))]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 7


def test_a_pipe_is_read_to_its_end_first(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"http://a.test/\nhttp://b.test/\n"))
    writer.start()
    with open_list(pipe, tmp_path) as lines:
        assert lines.line_count == 2
        assert [line.host for line in lines] == ["a.test", "b.test"]
    writer.join()
    assert list(tmp_path.iterdir()) == [pipe]  # the copy has no name


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_refused_with_the_way_out(tmp_path, encoding):
    path = tmp_path / "list.txt"
    path.write_bytes(
        ("" if encoding == "utf-16" else "\ufeff").encode(encoding) + GOOD.encode(encoding)
    )
    with pytest.raises(CommandError, match="UTF-16"), open_list(path, tmp_path):
        pass
