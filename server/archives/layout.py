"""Which label an image in an archive has: by a table, by a file beside it, or by its folder.

A first look over the whole archive finds that out; images are read in a second one. What is kept
between them is a label for each image that has one outside of its path.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from pydantic import JsonValue

from server.archives.entries import MAX_TABLE_BYTES, Archive, Entry
from server.archives.formats import is_archive_name
from server.archives.names import is_hidden, label_of, label_of_folder, split_path
from server.archives.refusals import EntryFlaw, EntryRefusedError, Flaw, refused
from server.archives.tables import Row, read_rows
from server.errors import ImportRefusedError
from server.labels import MAX_WRITTEN_CHARS

SPLITS: Final = frozenset(
    {"train", "training", "valid", "val", "validation", "dev", "test", "testing"}
)
# Of all tables in an archive: one for each entry that there may be.
MAX_TABLE_ROWS: Final = 250_000
# A label, and what else a sample's JSON says of it.
_MAX_SIDECAR_BYTES: Final = 64 * 1024
# Stands for a text that can't be a label, and is not kept: no label is empty.
_UNUSABLE: Final = ""
_TABLE = "metadata.csv"
# Beside the folders of an export: which label each of them stands for, in full.
_FOLDER_TABLE = "labels.csv"
_SIDECARS: Final = frozenset({".cls", ".json"})
# What comes with datasets and is no image; it is counted, not refused.
_DOCUMENTS: Final = frozenset(
    {
        *(".md", ".txt", ".csv", ".tsv", ".json", ".jsonl", ".html", ".htm", ".cls"),
        *(".yaml", ".yml", ".xml", ".parquet", ".rst", ".ini", ".db", ".lnk"),
    }
)
_LABEL_COLUMNS: Final = ("label", "class", "class_name", "label_name")
# What a table may say of an image beside its label: hints, kept as those of pages.
_ORIGIN_COLUMNS: Final = (
    ("title",),
    ("source_url", "page_url"),
    ("final_url", "url"),
    ("license",),
)
_LABEL_MEMBERS: Final = ("label", "label_name", "class_name", "class")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a table says of where an image comes from; empty where it does not.

    Attributes:
        title: Of the image.
        source_url: The page that it was seen on.
        final_url: The address that its bytes came from.
        license: As the page named it.
    """

    title: str = ""
    source_url: str = ""
    final_url: str = ""
    license: str = ""


NO_ORIGIN: Final = Origin()


@dataclass
class Layout:
    """What the first look found.

    Attributes:
        image_count: Entries that are neither documents nor hidden, refused ones included.
        skipped_count: Documents, and hidden files.
        wrapper: How many folders are around everything.
        has_splits: The next folder says on which side of a split an image is, not what it shows.
        has_table: A table gives the labels, so that folders do not.
        of_path: Labels by path, from tables; here and below empty for what can't be a label.
        of_folder: Labels by the name of their folder, where a table says more than that name.
        origins: Where images come from, by path.
        of_sample: Labels by sample, from files beside the images.
    """

    image_count: int = 0
    skipped_count: int = 0
    wrapper: int = 0
    has_splits: bool = False
    has_table: bool = False
    of_path: dict[str, str] = field(default_factory=dict)
    of_folder: dict[str, str] = field(default_factory=dict)
    of_sample: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)

    def origin(self, entry: Entry) -> Origin:
        """Return what is said of where an image comes from."""
        return self.origins.get("/".join(entry.parts), NO_ORIGIN)

    def label(self, entry: Entry) -> str | None:
        """Return the label of an image; None when it has none.

        Raises:
            EntryRefusedError: What should be its label can't be one.
        """
        label = self._told(entry)
        if label is None:
            folders = () if self.has_table else entry.parts[self.wrapper + self.has_splits : -1]
            if not folders:
                return None
            label = self.of_folder.get(folders[0])
            if label is None:
                label = label_of_folder(folders[0])
        if not label:
            raise EntryRefusedError(EntryFlaw.BAD_LABEL, "its folder or row names no usable label")
        return label

    def _told(self, entry: Entry) -> str | None:
        """Return what a table or a file beside an image says; None when neither does."""
        label = self.of_path.get("/".join(entry.parts))
        return self.of_sample.get(_sample(entry.parts)) if label is None else label


def is_skipped(entry: Entry) -> bool:
    """Tell whether an entry is passed over: hidden, or a document."""
    if entry.refusal is not None:
        return False
    return is_hidden(entry.parts) or _suffix(entry.parts) in _DOCUMENTS


def look_over(archive: Archive) -> Layout:
    """Go through the whole archive once: check it, count it, find its labels.

    Raises:
        ImportRefusedError: The archive or its table is damaged, or goes beyond its limits.
    """
    layout, shape, allowance = Layout(), _Shape(), _Allowance()
    sidecars: dict[str, str] = {}
    tables: list[Entry] = []
    folder_tables: list[Entry] = []
    for entry in archive.entries():
        if not is_skipped(entry):
            layout.image_count += 1
            if entry.refusal is None and not is_archive_name(entry.parts[-1]):
                shape.add(entry.parts)
            continue
        layout.skipped_count += 1
        if is_hidden(entry.parts):
            continue
        if entry.parts[-1].lower() == _TABLE:
            tables.append(entry)
        elif entry.parts[-1].lower() == _FOLDER_TABLE:
            folder_tables.append(entry)
        elif _suffix(entry.parts) in _SIDECARS:
            _add_sidecar(archive, entry, layout.of_sample, sidecars)
    layout.of_sample = sidecars | layout.of_sample
    for entry in folder_tables:
        _add_folders(archive, entry, allowance, layout.of_folder)
    for entry in tables:
        _add_table(archive, entry, allowance, layout)
    layout.wrapper, layout.has_splits = shape.read()
    return layout


def has_splits(paths: Iterable[tuple[str, ...]]) -> bool:
    """Tell whether the folders say on which side of a split each image is, not what it shows.

    Args:
        paths: Of all files, by their parts; documents and hidden files say nothing.
    """
    shape = _Shape()
    for parts in paths:
        if parts and not is_hidden(parts) and _suffix(parts) not in _DOCUMENTS:
            shape.add(parts)
    return not shape.is_empty and shape.read()[1]


@dataclass
class _Allowance:
    """What the tables of one archive may take together: each could be of the largest size."""

    left_bytes: int = MAX_TABLE_BYTES
    left_rows: int = MAX_TABLE_ROWS

    def read(self, archive: Archive, entry: Entry) -> bytes:
        """Return the bytes of a table.

        Raises:
            EntryRefusedError: It can't be read.
            ImportRefusedError: With it the tables are too large.
        """
        self.left_bytes -= entry.bytes
        if self.left_bytes < 0:
            raise refused(
                Flaw.UNPACKS_TOO_LARGE,
                f"its tables have more than {MAX_TABLE_BYTES:,} bytes with {entry.path}; "
                "import it in parts",
            )
        return archive.read(entry, entry.bytes)

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows of a table.

        Raises:
            ImportRefusedError: They are too many with those of other tables.
        """
        for row in rows:
            self.left_rows -= 1
            if self.left_rows < 0:
                raise refused(
                    Flaw.TOO_MANY_ENTRIES,
                    f"its tables have more than {MAX_TABLE_ROWS:,} rows; import it in parts, "
                    "each with the rows of its own images",
                )
            yield row


@dataclass
class _Shape:
    """What all paths have in common: one folder around everything, folders that name splits."""

    _first: str | None = None
    _is_one_first: bool = True
    _is_deep: bool = True
    _are_first_splits: bool = True
    _are_second_splits: bool = True

    def add(self, parts: tuple[str, ...]) -> None:
        self._first = self._first or parts[0]
        self._is_one_first = self._is_one_first and parts[0] == self._first
        self._is_deep = self._is_deep and len(parts) > 2  # noqa: PLR2004 - wrapper/label/file
        self._are_first_splits = self._are_first_splits and len(parts) > 1 and _is_split(parts[0])
        is_second = len(parts) > 2 and _is_split(parts[1])  # noqa: PLR2004 - as above
        self._are_second_splits = self._are_second_splits and is_second

    @property
    def is_empty(self) -> bool:
        return self._first is None

    def read(self) -> tuple[int, bool]:
        """Return how many folders wrap everything, and whether the next one names splits."""
        if self._are_first_splits:
            return 0, True
        if self._is_deep and self._is_one_first:
            return 1, self._are_second_splits
        return 0, False


def _is_split(name: str) -> bool:
    return name.lower() in SPLITS


def _suffix(parts: tuple[str, ...]) -> str:
    return PurePosixPath(parts[-1]).suffix.lower()


def _sample(parts: tuple[str, ...]) -> str:
    """Return the key of a sample, as WebDataset has it: the path up to the name's first dot."""
    return "/".join((*parts[:-1], parts[-1].split(".", 1)[0]))


def _add_sidecar(
    archive: Archive, entry: Entry, of_sample: dict[str, str], of_class: dict[str, str]
) -> None:
    """Read ``key.json`` (its label by name) or ``key.cls`` (which may be a bare number)."""
    try:
        data = archive.read(entry, _MAX_SIDECAR_BYTES)
    except EntryRefusedError:
        return  # the image is taken without a label then
    key = _sample(entry.parts)
    if _suffix(entry.parts) == ".cls":
        text = data.decode("utf-8", "replace").strip()
        if text:
            of_class[key] = _label(text)
        return
    label = _read_json_label(data)
    if isinstance(label, str) and label.strip():
        of_sample[key] = _label(label.strip())
    elif isinstance(label, int) and not isinstance(label, bool):
        of_class.setdefault(key, _label(str(label)))


def _label(text: str) -> str:
    """Return the label that a text stands for, or `_UNUSABLE`: thousands of long texts add up."""
    # A longer text is not even composed, which takes long for marks without end.
    label = label_of(text) if len(text) <= MAX_WRITTEN_CHARS else None
    return label or _UNUSABLE


def _read_json_label(data: bytes) -> JsonValue:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    found: list[JsonValue] = [document[name] for name in _LABEL_MEMBERS if name in document]
    texts = [value for value in found if isinstance(value, str)]
    return next(iter([*texts, *found]), None)


def _add_folders(
    archive: Archive, entry: Entry, allowance: _Allowance, of_folder: dict[str, str]
) -> None:
    """Read which folder stands for which label; a table that says other things says nothing."""
    try:
        data = allowance.read(archive, entry)
    except EntryRefusedError:
        return  # folders still have their names
    try:
        rows = [*read_rows(io.BytesIO(data), (("folder",), _LABEL_COLUMNS))]
    except ImportRefusedError:
        return
    for row in allowance.count(rows):
        folder, label = row.cells
        if label:
            of_folder.setdefault(folder, _label(label))


def _add_table(archive: Archive, entry: Entry, allowance: _Allowance, layout: Layout) -> None:
    for row in allowance.count(_read_table(archive, entry, allowance)):
        name, label, *hints = row.cells
        try:
            path = "/".join(split_path("/".join((*entry.parts[:-1], name))))
        except EntryRefusedError:
            continue  # it names no file of this archive, whatever it names
        if label:
            layout.has_table = True
            layout.of_path[path] = _label(label)
        if any(hints):
            layout.origins[path] = Origin(*hints)


def _read_table(archive: Archive, entry: Entry, allowance: _Allowance) -> Iterator[Row]:
    try:
        data = allowance.read(archive, entry)
    except EntryRefusedError as error:
        # Without it every image would come in with a wrong label, or none.
        raise refused(Flaw.BROKEN_TABLE, f"{entry.path}: {error.detail}") from error
    try:
        wanted = (("file_name",), _LABEL_COLUMNS, *_ORIGIN_COLUMNS)
        yield from read_rows(io.BytesIO(data), wanted)
    except ImportRefusedError as error:  # an archive may hold several tables
        raise ImportRefusedError(f"{entry.path}: {error}", **error.extra) from error
