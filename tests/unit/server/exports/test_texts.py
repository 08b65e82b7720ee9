"""Names of folders, cells of tables, manifests: texts that are written and read again."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.archives.cells import STARTS, guard, unguard
from server.archives.names import label_of, label_of_folder
from server.contract.errors import FormatError
from server.contract.snapshot import DatasetRef, Item, Manifest, split_of
from server.exports.manifests import Row, write_manifest
from server.exports.markdown import escape
from server.exports.names import folder_names
from server.exports.tables import write_csv

label = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=100
) | st.sampled_from(
    [
        *("..", ".", "a/b", "a\\b", "CON", "con.txt", "a.", " a", "~", "-rf", "100%"),
        *("com¹", "LPT0", "con .x", "conin$", "a%(2)", "%(3)", "\u200fx", "/" * 100, "ク" * 100),
        *("a" * 199 + "/", "ク" * 66 + ". x", "a" * 199 + ".b", "a" * 200 + "\u0301"),
    ]
)


@given(st.lists(label, unique=True, max_size=12))
def test_folders_are_safe_everywhere_different_and_readable_again(labels: list[str]):
    names = folder_names(labels)
    assert len({name.casefold() for name in names}) == len(labels)
    for name, wanted in zip(names, labels, strict=True):
        assert name.strip(" .") == name != ""
        assert not re.search(r'[\x00-\x1f<>:"/\\|?*]', name)
        assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?", name)
        assert not re.search(r"%([0-9A-F]?$|[^0-9A-F(])", name), "no half of an escape"
        assert not name.startswith(("-", "~"))
        assert len(name.encode()) <= 220
        if len(wanted.encode()) <= 60 and label_of(wanted) == wanted:
            assert label_of_folder(name) == wanted


def test_plain_labels_are_called_as_they_are():
    labels = ["teddy bear", "grizzly", "Bär", "クマ"]
    assert folder_names(labels) == labels


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_cells_are_no_formulas_and_lose_nothing(text: str):
    assert unguard(guard(text)) == text
    assert guard(text)[:1] not in STARTS - {"'"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1"])  # noqa: RUF001
def test_what_begins_a_formula_is_neutralised_in_a_table(text: str):
    file = io.BytesIO()
    write_csv(file, [{"label": text, "width": 3}], ("label", "width"))
    rows = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))
    assert rows == [["label", "width"], ["'" + text, "3"]]


def test_markdown_of_strangers_is_shown_and_does_nothing():
    said = escape("a|b\n# [x](javascript:1) <script> ![i](u) `c`")
    assert "\n" not in said
    assert "<" not in said
    assert re.search(r"(?<!\\)[|`\[\]#!]", said) is None


name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(st.integers(0, 2**32), name), max_size=8), name)
def test_a_manifest_is_the_bytes_that_the_contract_gives(rows, dataset: str):
    head = Manifest(
        snapshot_id="01JD",
        dataset=DatasetRef(id="01JDSET", name=dataset),
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        classes=tuple(sorted({label for _, label in rows} | {"x"})),
        valid_ratio=0.2,
        seed=42,
        items=(),
    )
    items = []
    for number, label in rows:
        sha256 = f"{number:064x}"
        split = split_of(42, sha256, 0.2)
        items.append(Row(sha256, label, split.value, number + 1, 2, 3, "jpeg", sha256))
    items = [row for _, row in sorted({row.sha256: row for row in items}.items())]
    data = write_manifest(head, items)
    read = Manifest.from_bytes(data)  # holds the canonical form and every rule
    assert [item.model_dump(mode="json") for item in read.items] == [r._asdict() for r in items]
    assert all(isinstance(item, Item) for item in read.items)


def test_a_manifest_out_of_order_or_of_unknown_labels_is_refused():
    head = Manifest(
        snapshot_id="01JD",
        dataset=DatasetRef(id="01JDSET", name="d"),
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        classes=("a",),
        valid_ratio=0.2,
        seed=42,
        items=(),
    )
    row = Row("a" * 64, "a", "train", 1, 1, 1, "jpeg", "g")
    for rows in ([row, row], [row._replace(label="b")]):
        with pytest.raises(FormatError):
            write_manifest(head, rows)
