"""Bundles: the round trip, and every way in which a stranger's archive is refused."""

from __future__ import annotations

import contextlib
import json
import math
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from server.contract import bundle as module
from server.contract.bundle import (
    BUNDLE_JSON,
    EVALUATION_JSON,
    HISTORY_JSON,
    MODEL_CARD,
    MODEL_ONNX,
    BundleManifest,
    read_bundle,
    read_evaluation,
    write_bundle,
)
from server.contract.errors import FormatError
from server.contract.files import canonical_json, sha256_of
from tests.support.bundles import bundle_manifest, bundle_parts, make_bundle


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _archive(
    path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def members(tmp_path: Path) -> dict[str, bytes]:
    """The members of a good bundle."""
    make_bundle(tmp_path / "good.zip")
    return _members(tmp_path / "good.zip")


def _with_manifest(members: dict[str, bytes], change: Callable[[Any], None]) -> dict[str, bytes]:
    value = json.loads(members[BUNDLE_JSON])
    change(value)
    return members | {BUNDLE_JSON: canonical_json(value)}


def _with_part(members: dict[str, bytes], name: str, data: bytes) -> dict[str, bytes]:
    """Exchange a part and its recorded hash."""
    changed = members | {name: data}
    return _with_manifest(changed, lambda value: value["parts"].update({name: sha256_of(data)}))


def test_a_bundle_survives_the_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    written = make_bundle(path)
    bundle = read_bundle(path)
    assert bundle.manifest == written
    assert bundle.onnx == bundle_parts()[MODEL_ONNX]
    assert bundle.card == "# colours\n"
    assert bundle.evaluation.items[0].predicted == "green"
    assert bundle.history.trials[0].l2 == 0.1
    assert set(written.parts) == {MODEL_ONNX, EVALUATION_JSON, HISTORY_JSON, MODEL_CARD}


def test_the_evaluation_is_read_without_the_network(tmp_path: Path, members: Any) -> None:
    path = tmp_path / "bundle.zip"
    make_bundle(path)
    bundle = read_bundle(path)
    assert read_evaluation(path) == (bundle.manifest, bundle.evaluation)
    tampered = members | {EVALUATION_JSON: members[EVALUATION_JSON].replace(b"0.7", b"0.8")}
    with pytest.raises(FormatError, match=r"evaluation\.json is not what"):
        read_evaluation(_archive(tmp_path / "tampered.zip", tampered))
    with pytest.raises(FormatError, match="exactly the members"):
        read_evaluation(_archive(tmp_path / "short.zip", {BUNDLE_JSON: members[BUNDLE_JSON]}))


def test_an_evaluation_from_before_the_folds_over_both_splits_is_read(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    value = json.loads(members[EVALUATION_JSON])
    for item in value["items"]:
        del item["out_of_fold"]
    old = _with_part(members, EVALUATION_JSON, canonical_json(value))
    bundle = read_bundle(_archive(tmp_path / "old.zip", old))
    assert [item.out_of_fold for item in bundle.evaluation.items] == [None]


def test_a_bundle_from_before_the_analysis_is_read(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    value = json.loads(members[EVALUATION_JSON])
    del value["analysis"]

    def grow_old(manifest: Any) -> None:
        del manifest["metrics"]["baselines"]["pixel_linear"]
        for name in ("background", "background_passed"):
            del manifest["abstention"][name]

    old = _with_part(_with_manifest(members, grow_old), EVALUATION_JSON, canonical_json(value))
    bundle = read_bundle(_archive(tmp_path / "old.zip", old))
    assert bundle.evaluation.analysis is None
    assert bundle.manifest.metrics.baselines.pixel_linear is None
    assert bundle.manifest.abstention.background_passed is None


@pytest.mark.parametrize(
    "abstention",
    [
        {"score": "max_probability", "threshold": 1.5, "coverage": 0.9},
        {"score": "margin", "threshold": -0.1, "coverage": 0.9},
        {"score": "knn", "threshold": 0.1, "coverage": 0.9},
        {"threshold": 0.5, "coverage": 0.9, "background": "violet"},
    ],
)
def test_a_rule_to_abstain_that_cannot_be_followed_is_refused(
    tmp_path: Path, members: dict[str, bytes], abstention: dict[str, Any]
) -> None:
    odd = _with_manifest(members, lambda value: value.update(abstention=abstention))
    with pytest.raises(FormatError):
        read_bundle(_archive(tmp_path / "odd.zip", odd))


def test_a_class_that_only_the_folds_name_is_refused(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    value = json.loads(members[EVALUATION_JSON])
    judged = {"predicted": "violet", "probability": 0.5, "label_probability": 0.5, "loss": 0.7}
    value["items"][0]["out_of_fold"] = judged
    odd = _with_part(members, EVALUATION_JSON, canonical_json(value))
    with pytest.raises(FormatError, match="names a class"):
        read_bundle(_archive(tmp_path / "odd.zip", odd))


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    make_bundle(tmp_path / "a.zip")
    make_bundle(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_the_manifest_names_its_schema_and_order(members: dict[str, bytes]) -> None:
    value = json.loads(members[BUNDLE_JSON])
    assert value["schema"] == 1
    assert value["classes"] == ["blue", "green", "red"]
    assert value["abstention"] == {
        "score": "max_probability",
        "threshold": 0.4,
        "coverage": 0.95,
        "background": None,
        "background_passed": None,
    }


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_parts_must_be_complete_to_be_written(tmp_path: Path, change: str) -> None:
    parts = bundle_parts()
    if change == "missing":
        del parts[MODEL_CARD]
    else:
        parts["setup.py"] = b""
    with pytest.raises(FormatError, match="a bundle has the parts"):
        write_bundle(tmp_path / "bundle.zip", bundle_manifest(), parts)
    assert list(tmp_path.iterdir()) == []


def test_a_part_above_its_cap_is_not_written(tmp_path: Path) -> None:
    parts = bundle_parts() | {MODEL_CARD: b"x" * ((1 << 20) + 1)}
    with pytest.raises(FormatError, match="at most"):
        write_bundle(tmp_path / "bundle.zip", bundle_manifest(), parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [MODEL_ONNX, EVALUATION_JSON, HISTORY_JSON, MODEL_CARD])
def test_a_changed_part_is_refused(tmp_path: Path, members: dict[str, bytes], name: str) -> None:
    members[name] += b" "
    with pytest.raises(FormatError, match="its sha256 differs"):
        read_bundle(_archive(tmp_path / "b.zip", members))


@pytest.mark.parametrize("name", [BUNDLE_JSON, MODEL_ONNX, EVALUATION_JSON, MODEL_CARD])
def test_a_missing_member_is_refused(tmp_path: Path, members: dict[str, bytes], name: str) -> None:
    del members[name]
    with pytest.raises(FormatError, match="exactly the members"):
        read_bundle(_archive(tmp_path / "b.zip", members))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "model.onnx.data", "folder/", "a\\b", "BUNDLE.JSON"]
)
def test_an_unknown_member_is_refused(tmp_path: Path, members: dict[str, bytes], name: str) -> None:
    with pytest.raises(FormatError, match="exactly the members"):
        read_bundle(_archive(tmp_path / "b.zip", members | {name: b"x"}))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["b.zip", "good.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_doubled_member_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    path = _archive(tmp_path / "b.zip", members)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(MODEL_ONNX, b"other")
    with pytest.raises(FormatError, match="each once"):
        read_bundle(path)


def test_an_encrypted_member_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    data = bytearray(_archive(tmp_path / "b.zip", members).read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 0x1  # the flag in the central directory
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(FormatError, match="encrypted"):
        read_bundle(tmp_path / "b.zip")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(
    tmp_path: Path, members: dict[str, bytes], compression: int
) -> None:
    with pytest.raises(FormatError, match="not accepted"):
        read_bundle(_archive(tmp_path / "b.zip", members, compression))


def test_a_bomb_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    path = _archive(tmp_path / "b.zip", members | {EVALUATION_JSON: b" " * (50 << 20)})
    assert path.stat().st_size < 200_000
    with pytest.raises(FormatError, match="compressed more than 100 times"):
        read_bundle(path)


def test_a_member_above_its_cap_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    members[MODEL_CARD] = b"x" * ((1 << 20) + 1)
    with pytest.raises(FormatError, match=f"{MODEL_CARD} has .* at most"):
        read_bundle(_archive(tmp_path / "b.zip", members, zipfile.ZIP_STORED))


def test_a_directory_that_lies_about_a_size_is_refused(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    members[MODEL_CARD] = b"x" * 2000
    path = _archive(tmp_path / "b.zip", members)
    data = bytearray(path.read_bytes())
    entry = data.index(MODEL_CARD.encode(), data.index(b"PK\x01\x02")) - 46
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")  # uncompressed size
    path.write_bytes(data)
    with pytest.raises(FormatError):
        read_bundle(path)


def test_an_archive_above_the_cap_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bundle(tmp_path / "b.zip")
    monkeypatch.setattr(module, "MAX_BUNDLE_BYTES", 100)
    with pytest.raises(FormatError, match="more than 100 bytes"):
        read_bundle(tmp_path / "b.zip")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no zip", b"\x80\x04pickle"], ids=repr)
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(FormatError, match="not a readable zip"):
        read_bundle(tmp_path / "b.zip")


def test_a_missing_file_is_not_a_matter_of_format(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bundle(tmp_path / "b.zip")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda value: value.update(schema=2), "schema"),
        (lambda value: value.update(command="rm"), "command"),
        (lambda value: value.pop("abstention"), "abstention"),
        (lambda value: value.update(classes=["red", "green", "blue"]), "per_class"),
        (lambda value: value.update(classes=["red", "red", "blue"]), "unique"),
        (lambda value: value["metrics"].update(confusion=[[1, 2], [3, 4]]), "3 x 3"),
        (lambda value: value["metrics"].update(error_rate=0.9), "interval"),
        (lambda value: value["metrics"].update(error_rate="0"), "error_rate"),
        (lambda value: value["calibration"].update(temperature=0), "temperature"),
        (lambda value: value["preprocessing"].update(std=[0.5, 0, 0.5]), "std"),
        (lambda value: value["preprocessing"].update(size_px=100_000), "size_px"),
        (lambda value: value["preprocessing"].update(code="x"), "code"),
        (lambda value: value["parts"].pop(MODEL_CARD), "parts must name"),
        (lambda value: value["parts"].update({"../x": "a" * 64}), "parts must name"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_refused(
    tmp_path: Path, members: dict[str, bytes], change: Callable[[Any], None], text: str
) -> None:
    with pytest.raises(FormatError, match=text):
        read_bundle(_archive(tmp_path / "b.zip", _with_manifest(members, change)))


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        (EVALUATION_JSON, b'{"schema":2,"items":[]}', "schema"),
        (EVALUATION_JSON, b"[]", EVALUATION_JSON),
        (HISTORY_JSON, b"{}", HISTORY_JSON),
        (HISTORY_JSON, b'{"l2":NaN}', HISTORY_JSON),
        (MODEL_CARD, b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_part_not_understood_is_refused(
    tmp_path: Path, members: dict[str, bytes], name: str, data: bytes, text: str
) -> None:
    with pytest.raises(FormatError, match=text):
        read_bundle(_archive(tmp_path / "b.zip", _with_part(members, name, data)))


def test_an_evaluation_of_other_classes_is_refused(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    data = members[EVALUATION_JSON].replace(b'"green"', b'"purple"')
    with pytest.raises(FormatError, match="names a class"):
        read_bundle(_archive(tmp_path / "b.zip", _with_part(members, EVALUATION_JSON, data)))


@pytest.mark.parametrize(
    ("where", "change", "text"),
    [
        ("image", {"guess": 1}, "items.0.guess: Unexpected"),
        ("folds", {"guess": 1}, "items.0.out_of_fold.guess: Unexpected"),
        ("image", {"loss": "0.5"}, "items.0.loss: Input should be a valid number"),
        ("image", {"loss": math.inf}, "items.0.loss: Input should be a finite number"),
        ("folds", {"probability": 1.5}, "items.0.out_of_fold.probability: Input"),
        ("image", {"split": "test"}, "items.0.split: Input"),
        ("image", {"sha256": "0f"}, "items.0.sha256: String"),
    ],
)
def test_an_image_is_evaluated_as_strictly_as_all_else(
    tmp_path: Path, members: dict[str, bytes], where: str, change: dict[str, Any], text: str
) -> None:
    value = json.loads(members[EVALUATION_JSON])
    image = value["items"][0]
    folds = {"predicted": "blue", "probability": 0.7, "label_probability": 0.7, "loss": 0.4}
    image["out_of_fold"] = folds
    _read_items(tmp_path, members, value)
    (image if where == "image" else folds).update(change)
    with pytest.raises(FormatError, match=re.escape(text)):
        _read_items(tmp_path, members, value)


def test_what_is_said_of_an_image_holds_nothing_but_that(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    (image, *_others) = _read_items(tmp_path, members, json.loads(members[EVALUATION_JSON]))
    assert not hasattr(image, "__dict__")  # of 100,000 images these would take 130 MB more
    with pytest.raises(AttributeError):
        image.loss = 0.0


def _read_items(tmp_path: Path, members: dict[str, bytes], value: Any) -> Any:
    data = json.dumps(value).encode()
    path = _archive(tmp_path / "b.zip", _with_part(members, EVALUATION_JSON, data))
    return read_evaluation(path)[1].items


def test_an_error_rate_beside_its_interval_cannot_be_built() -> None:
    fields = bundle_manifest().model_dump(by_alias=True)
    fields["metrics"]["error_rate"] = 0.9
    with pytest.raises(ValidationError, match="interval"):
        BundleManifest.model_validate(fields)


@pytest.mark.parametrize("shift", [1, 2**31])
def test_a_member_outside_the_file_is_refused(tmp_path: Path, shift: int) -> None:
    path = tmp_path / "b.zip"
    make_bundle(path)
    good = path.read_bytes()
    end = good.rindex(b"PK\x05\x06")
    start = int.from_bytes(good[end + 16 : end + 20], "little") + shift
    # By this, the archive seems to begin before the file does.
    path.write_bytes(good[: end + 16] + start.to_bytes(4, "little") + good[end + 20 :])
    with pytest.raises(FormatError, match="outside the bundle"):
        read_bundle(path)


@pytest.mark.fuzz
@settings(deadline=None)
@given(st.data())
def test_a_damaged_bundle_is_read_or_refused(tmp_path_factory: Any, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("bundle") / "b.zip"
    make_bundle(path)
    good = path.read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=20))
    path.write_bytes(good[:place] + noise + good[place + len(noise) :])
    with contextlib.suppress(FormatError):
        read_bundle(path)


@pytest.mark.fuzz
@given(st.binary(max_size=500))
def test_any_bytes_are_refused(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bundle") / "b.zip"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        read_bundle(path)
