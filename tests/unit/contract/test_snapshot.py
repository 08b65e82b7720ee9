"""The manifest and the split: what snapshots of any age must keep meaning."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.contract import snapshot as module
from server.contract.errors import FormatError
from server.contract.files import canonical_json, sha256_of
from server.contract.snapshot import DatasetRef, Item, Manifest, Split, split_of

# Golden values: a change here would move images between the splits of existing datasets.
_SPLITS = [
    (42, "a", 0.2, Split.TRAIN),
    (42, "b", 0.2, Split.TRAIN),
    (42, "c", 0.2, Split.TRAIN),
    (42, "group-7", 0.2, Split.VALID),
    (1, "a", 0.5, Split.VALID),
    (2, "Bär", 0.5, Split.TRAIN),
]


def _item(number: int, label: str = "cat") -> Item:
    sha256 = f"{number:064x}"
    return Item(
        sha256=sha256,
        label=label,
        split=split_of(42, sha256, 0.2),
        bytes=100,
        width=10,
        height=20,
        format="jpeg",
        group=sha256,
    )


def _manifest() -> Manifest:
    return Manifest(
        snapshot_id="01JD",
        dataset=DatasetRef(id="01JC", name="Bären"),
        created_at=datetime(2026, 11, 22, 10, 30, tzinfo=UTC),
        classes=("cat", "dog"),
        valid_ratio=0.2,
        seed=42,
        items=tuple(_item(number, "dog" if number % 2 else "cat") for number in range(6)),
    )


def _changed(**changes: Any) -> bytes:
    value = json.loads(_manifest().to_bytes())
    value.update(changes)
    return canonical_json(value)


def test_a_manifest_survives_the_round_trip_byte_for_byte() -> None:
    manifest = _manifest()
    data = manifest.to_bytes()
    assert Manifest.from_bytes(data) == manifest
    assert Manifest.from_bytes(data).to_bytes() == data
    assert manifest.sha256 == sha256_of(data)


def test_the_bytes_of_a_manifest_are_golden() -> None:
    assert _manifest().sha256 == "877284287dd518065d21755ba9d34028495e83723e05adca0bd3ad155015f250"


def test_times_of_other_zones_are_kept_in_utc() -> None:
    local = datetime(2026, 11, 22, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    manifest = Manifest.model_validate(
        _manifest().model_dump(by_alias=True) | {"created_at": local}
    )
    assert b'"created_at":"2026-11-22T10:30:00Z"' in manifest.to_bytes()


def test_items_are_told_apart_by_split() -> None:
    manifest = _manifest()
    train, valid = manifest.items_of(Split.TRAIN), manifest.items_of(Split.VALID)
    assert set(train) | set(valid) == set(manifest.items)
    assert {item.split for item in valid} <= {Split.VALID}


def _other_split(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"split": "valid" if item["split"] == "train" else "train"}


_ITEMS = json.loads(_manifest().to_bytes())["items"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"schema": 2}, "schema"),
        ({"extra": 1}, "extra"),
        ({"classes": ["dog", "cat"]}, "sorted"),
        ({"classes": ["cat", "cat", "dog"]}, "sorted"),
        ({"classes": ["cat"]}, "label"),
        ({"classes": []}, "classes"),
        ({"items": _ITEMS[::-1]}, "sorted by sha256"),
        ({"items": [_ITEMS[0], _ITEMS[0]]}, "each blob once"),
        ({"items": [_other_split(_ITEMS[0])]}, "split does not follow"),
        ({"items": [_ITEMS[0] | {"sha256": "../../etc/passwd"}]}, "sha256"),
        ({"items": [_ITEMS[0] | {"bytes": "100"}]}, "bytes"),
        ({"items": [_ITEMS[0] | {"bytes": -1}]}, "bytes"),
        ({"valid_ratio": 0}, "valid_ratio"),
        ({"seed": 43}, "split does not follow"),
        ({"created_at": "2026-11-22T10:30:00"}, "created_at"),
        ({"created_at": "2026-11-22T12:30:00+02:00"}, "canonical"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "no such time"),
    ],
    ids=str,
)
def test_a_manifest_that_breaks_a_rule_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(FormatError, match=text):
        Manifest.from_bytes(_changed(**changes))


def test_a_manifest_in_another_form_is_refused() -> None:
    pretty = json.dumps(json.loads(_manifest().to_bytes()), indent=1).encode()
    with pytest.raises(FormatError, match="canonical"):
        Manifest.from_bytes(pretty)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"{}"], ids=repr)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        Manifest.from_bytes(data)


def test_a_manifest_above_the_cap_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MANIFEST_BYTES", 100)
    with pytest.raises(FormatError, match="at most 100"):
        Manifest.from_bytes(_manifest().to_bytes())


def test_a_manifest_cannot_be_built_against_the_rules() -> None:
    fields = _manifest().model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="split does not follow"):
        Manifest.model_validate(fields | {"seed": 43})


@pytest.mark.parametrize(("seed", "group", "valid_ratio", "split"), _SPLITS, ids=str)
def test_splits_are_golden(seed: int, group: str, valid_ratio: float, split: Split) -> None:
    assert split_of(seed, group, valid_ratio) is split


def test_about_the_asked_share_is_validation() -> None:
    groups = [f"group {number}" for number in range(10_000)]
    share = sum(split_of(7, group, 0.2) is Split.VALID for group in groups) / len(groups)
    assert share == pytest.approx(0.2, abs=0.015)


@pytest.mark.fuzz
@given(
    st.integers(0, 2**63 - 1),
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.floats(0.01, 0.5),
    st.floats(0.5, 0.99),
)
def test_a_larger_ratio_only_moves_groups_to_validation(
    seed: int, group: str, small: float, large: float
) -> None:
    if split_of(seed, group, small) is Split.VALID:
        assert split_of(seed, group, large) is Split.VALID


@pytest.mark.fuzz
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        Manifest.from_bytes(data)


def test_the_manifest_on_disk_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(_manifest().to_bytes())
    assert Manifest.from_bytes(path.read_bytes()).sha256 == _manifest().sha256
