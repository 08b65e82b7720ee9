"""Reading folders, zips and CSVs: real files, hostile ones too."""

from __future__ import annotations

import os
import stat
import zipfile

import pytest

from server.cli.errors import CommandError
from server.cli.importing import addresses, archive, folder
from server.cli.importing.addresses import Address, read_addresses
from server.cli.importing.archive import ZipSource
from server.cli.importing.folder import FolderSource
from server.cli.importing.source import Entry, Unreadable


def _fill(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def _why(listing):
    return {one.path: one.why for one in listing.skipped}


def test_the_first_level_of_folders_gives_the_labels(tmp_path):
    _fill(tmp_path, "grizzly/1.jpg", "grizzly/more/2.jpg", "teddy bear/3.png", "README.txt")
    listing = FolderSource(tmp_path).scan()
    assert listing.entries == (
        Entry("grizzly", "grizzly/1.jpg"),
        Entry("grizzly", "grizzly/more/2.jpg"),
        Entry("teddy bear", "teddy bear/3.png"),
    )
    assert listing.counts == {"grizzly": 2, "teddy bear": 1}
    assert _why(listing) == {"README.txt": "not in a sub-folder, so it has no label"}
    assert FolderSource(tmp_path).read(listing.entries[0]) == b"grizzly/1.jpg"


def test_every_file_that_is_left_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MAX_FILE_BYTES", 100)
    root = tmp_path / "in"
    _fill(root, "a/1.jpg", "a/.hidden.jpg", ".git/config")
    (tmp_path / "secret").write_text("secret")
    (root / "a" / "out.jpg").symlink_to(tmp_path / "secret")
    (root / "a" / "in.jpg").symlink_to(root / "a" / "1.jpg")
    (root / "a" / "dangling.jpg").symlink_to(root / "a" / "nowhere")
    (root / "a" / "loop").symlink_to(root)
    (root / "a" / "empty.jpg").touch()
    (root / "a" / "large.jpg").write_bytes(b"x" * 101)
    os.mkfifo(root / "a" / "fifo")
    listing = FolderSource(root).scan()
    assert [entry.path for entry in listing.entries] == ["a/1.jpg", "a/in.jpg"]
    assert _why(listing) == {
        ".git": "hidden",
        "a/.hidden.jpg": "hidden",
        "a/out.jpg": "a link that leads out of the folder",
        "a/dangling.jpg": "No such file or directory",
        "a/loop": "no regular file",
        "a/empty.jpg": "empty",
        "a/large.jpg": "larger than 20 MiB",
        "a/fifo": "no regular file",
    }


def test_labels_are_composed_and_names_that_are_no_text_left_out(tmp_path):
    _fill(tmp_path, "cafe\u0301/1.jpg")
    odd = tmp_path / os.fsdecode(b"\xff\xfe")
    odd.mkdir()
    (odd / "2.jpg").write_bytes(b"2")
    listing = FolderSource(tmp_path).scan()
    assert [entry.label for entry in listing.entries] == ["caf\u00e9"]
    assert list(_why(listing).values()) == ["its name can't be a label"]


def test_too_many_files_and_too_deep_folders_end(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MAX_DEPTH", 2)
    _fill(tmp_path, "a/b/1.jpg", "a/b/c/2.jpg")
    assert _why(FolderSource(tmp_path).scan()) == {"a/b/c": "more than 2 folders deep"}
    monkeypatch.setattr(folder, "MAX_FILES", 1)
    with pytest.raises(CommandError, match="more than"):
        FolderSource(tmp_path).scan()


def test_a_file_that_is_gone_or_grew_is_unreadable(tmp_path, monkeypatch):
    _fill(tmp_path, "a/1.jpg")
    reader = FolderSource(tmp_path)
    with pytest.raises(Unreadable, match="No such file"):
        reader.read(Entry("a", "a/2.jpg"))
    monkeypatch.setattr(folder, "MAX_FILE_BYTES", 3)
    with pytest.raises(Unreadable, match="larger"):
        reader.read(Entry("a", "a/1.jpg"))


def _zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for member, content in members:
            made.writestr(member, content)
    return path


def test_a_zip_is_read_like_a_folder(tmp_path):
    path = _zip(tmp_path / "a.zip", [("grizzly/1.jpg", b"1"), ("teddy/2.jpg", b"2")])
    reader = ZipSource(path)
    listing = reader.scan()
    assert listing.counts == {"grizzly": 1, "teddy": 1}
    assert reader.read(listing.entries[1]) == b"2"
    reader.close()


def test_one_folder_around_everything_is_looked_through(tmp_path):
    members = [("bears/grizzly/1.jpg", b"1"), ("bears/teddy/2.jpg", b"2"), ("__MACOSX/x/y", b"3")]
    reader = ZipSource(_zip(tmp_path / "a.zip", members))
    assert reader.scan().counts == {"grizzly": 1, "teddy": 1}
    reader.close()


def test_hostile_members_of_a_zip_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 1000)
    link = zipfile.ZipInfo("a/link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    members = [
        ("a/1.jpg", b"1"), ("../../etc/passwd", b"x"), ("/abs/2.jpg", b"x"), ("a\\..\\3.jpg", b"x"),
        (link, b"/etc/passwd"), ("a/bomb.jpg", b"0" * 100_000), ("a/empty.jpg", b""),
        ("top.jpg", b"x"), ("a/.DS_Store", b"x"),
    ]  # fmt: skip
    reader = ZipSource(_zip(tmp_path / "a.zip", members))
    listing = reader.scan()
    assert [entry.path for entry in listing.entries] == ["a/1.jpg"]
    assert _why(listing) == {
        "../../etc/passwd": "its path leads out of the zip",
        "/abs/2.jpg": "its path leads out of the zip",
        "a\\..\\3.jpg": "its path leads out of the zip",
        "a/link.jpg": "a link",
        "a/bomb.jpg": "larger than 20 MiB",
        "a/empty.jpg": "empty",
        "top.jpg": "not in a folder whose name can be a label",
        "a/.DS_Store": "hidden",
    }
    reader.close()


def test_a_zip_that_lies_about_sizes_or_is_damaged(tmp_path):
    path = _zip(tmp_path / "a.zip", [("a/1.jpg", b"some bytes that compress" * 10)])
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF  # within the compressed bytes
    path.write_bytes(content)
    reader = ZipSource(path)
    with pytest.raises(Unreadable, match="broken"):
        reader.read(reader.scan().entries[0])
    reader.close()
    path.write_bytes(b"no zip")
    with pytest.raises(CommandError, match="not a readable zip"):
        ZipSource(path)


def test_too_many_members_end(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 1)
    reader = ZipSource(_zip(tmp_path / "a.zip", [("a/1", b"1"), ("a/2", b"2")]))
    with pytest.raises(CommandError, match="more than"):
        reader.scan()
    reader.close()


A, B = Address("https://x.example/1.jpg", "grizzly"), Address("https://x.example/2.jpg", "teddy")


@pytest.mark.parametrize(
    "text",
    [
        "url,label\nhttps://x.example/1.jpg,grizzly\nhttps://x.example/2.jpg,teddy\n",
        "\ufeffURL,Label\r\nhttps://x.example/1.jpg,grizzly\r\n\r\nhttps://x.example/2.jpg,teddy",
        "id,label,url\n1,grizzly,https://x.example/1.jpg\n2,teddy,https://x.example/2.jpg\n",
        "https://x.example/1.jpg,grizzly\nhttps://x.example/2.jpg,teddy\n",
        'url,label\n"https://x.example/1.jpg"," grizzly "\nhttps://x.example/2.jpg,teddy\n',
    ],
    ids=["plain", "bom-crlf-blank", "columns", "no-heading", "quoted"],
)
def test_csv_is_read_as_spreadsheets_write_it(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_addresses(path) == ([A, B], [])


def test_csv_lines_without_address_or_label_are_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("url,label\n,grizzly\nhttps://x.example/1.jpg\nhttps://x.example/2.jpg,\x00\n")
    addresses, skipped = read_addresses(path)
    assert addresses == []
    assert [one.path for one in skipped] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,size\na,b\n", "needs the columns"),
        (b"", "needs the columns"),
        (b"url,label\n\xff\xfe,x\n", "line 2: not UTF-8"),
        (b'url,label\n"' + b"x" * 200_000 + b'",y', "field larger"),
    ],
)
def test_a_csv_that_is_none_is_explained(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        read_addresses(path)


def test_cells_that_exports_guarded_are_read_back(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("url,label\nhttps://x.example/1.jpg,'=1+1\nhttps://x.example/2.jpg,'tis\n")
    assert [address.label for address in read_addresses(path)[0]] == ["=1+1", "'tis"]


def test_a_csv_beyond_the_caps(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("url,label\nhttps://x.example/1.jpg,a\nhttps://x.example/2.jpg,a\n")
    monkeypatch.setattr(addresses, "MAX_FILES", 2)
    with pytest.raises(CommandError, match="more than 2 lines"):
        read_addresses(path)
    monkeypatch.setattr(addresses, "MAX_CSV_BYTES", 10)
    with pytest.raises(CommandError, match="64 MiB"):
        read_addresses(path)
    with pytest.raises(CommandError, match="can't be read"):
        read_addresses(tmp_path / "missing.csv")


def test_an_address_that_is_too_long_or_garbled_is_left_out(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"url,label\nhttps://x.example/{'a' * 9000},a\nhttps://x\x1b[2J,a\n")
    addresses_, skipped = read_addresses(path)
    assert (addresses_, len(skipped)) == ([], 2)
