"""The bundle: what training exports, one zip with everything that inference needs.

No pickle, no path of the archive is ever used, and nothing is read before its size is known to be
sane. May import the rest of the contract.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from server.contract.abstaining import ServedScore
from server.contract.analysis import Ratio
from server.contract.errors import FormatError
from server.contract.evaluation import Evaluation, History, Metrics
from server.contract.files import atomic_writer, canonical_json, sha256_of
from server.contract.preprocess import Preprocessing
from server.contract.recipes import Recipe
from server.contract.schema import (
    MAX_CLASSES,
    Id,
    Name,
    Sha256,
    StrictModel,
    UtcDatetime,
    parse_json,
)
from server.contract.snapshot import DatasetRef

BUNDLE_JSON = "bundle.json"
MODEL_ONNX = "model.onnx"
EVALUATION_JSON = "evaluation.json"
HISTORY_JSON = "history.json"
MODEL_CARD = "MODEL_CARD.md"
INPUT_NAME = "images"
OUTPUT_NAME = "logits"

# Uncompressed caps. The zip may hold exactly these members.
MEMBER_CAPS_BYTES: Mapping[str, int] = {
    BUNDLE_JSON: 8 << 20,  # a confusion matrix of 1000 classes takes 2 to 4 MB
    MODEL_ONNX: 512 << 20,  # convnext_tiny, the largest backbone offered, takes 115 MB
    EVALUATION_JSON: 224 << 20,  # 500,000 images at some 400 bytes
    HISTORY_JSON: 8 << 20,
    MODEL_CARD: 1 << 20,
}
PARTS = tuple(name for name in MEMBER_CAPS_BYTES if name != BUNDLE_JSON)
MAX_BUNDLE_BYTES = sum(MEMBER_CAPS_BYTES.values()) + (1 << 20)  # plus the zip's own headers
_MAX_RATIO = 100  # our JSON compresses 3 to 15 times; a bomb some 1000 times
_RATIO_FREE_BYTES = 1 << 20  # below this no ratio can hurt
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's zero: same parts, same bytes
_ENCRYPTED_FLAG = 0x1
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MAX_DEVIATION = 1e-6  # of probabilities that were written as decimal numbers

# What `zipfile` raises for damaged archives: each was seen, and none is a bug of ours.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)


class SnapshotRef(StrictModel):
    """The snapshot that a model was trained on."""

    id: Id
    manifest_sha256: Sha256


class Backbone(StrictModel):
    """The pretrained network below the head, and the hash of its weights file."""

    name: Name
    weights_sha256: Sha256
    feature_count: Annotated[int, Field(ge=1)]


class Calibration(StrictModel):
    """Divide logits by ``temperature`` before softmax: see ``contract.calibration``.

    Attributes:
        fitted_on: ``out-of-fold``: training images, each by a head that never saw it.
            ``validation``, of a fine-tuned network: all validation images; the probabilities that
            the bundle reports of them are calibrated without an image's own fold.
    """

    temperature: Annotated[float, Field(gt=0)]
    fitted_on: Literal["out-of-fold", "validation", "none"]


class Abstention(StrictModel):
    """When to answer "none of these": ``score`` below ``threshold``, or ``background`` on top.

    The threshold comes from known images alone, so it bounds how often a right answer is withheld.
    How many foreign images are caught is known only where there were background images, and only
    for images like those.

    Attributes:
        score: See ``contract.abstaining``.
        threshold: In the score's own units: 0..1 for ``max_probability`` and ``margin``.
        coverage: Share of known images that are answered, by models that had not seen them.
        background: The class that stands for "none of these"; null when there is none.
        background_passed: Share of held-out background images that are answered all the same; null
            when there were none.
    """

    score: ServedScore = "max_probability"
    threshold: float
    coverage: Ratio
    background: Name | None = None
    background_passed: Ratio | None = None

    @model_validator(mode="after")
    def _check_abstention(self) -> Self:
        if self.score != "energy" and not 0 <= self.threshold <= 1:
            raise FormatError(f"abstention.threshold of {self.score} must be 0 to 1")
        return self


class BundleManifest(StrictModel):
    """``bundle.json``. ``classes`` are in the order of the logits.

    Attributes:
        parts: sha256 of each other member; filled by `write_bundle`.
        versions: Of the packages that made it.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    dataset: DatasetRef
    snapshot: SnapshotRef
    classes: Annotated[tuple[Name, ...], Field(min_length=2, max_length=MAX_CLASSES)]
    preprocessing: Preprocessing
    backbone: Backbone
    recipe: Recipe
    metrics: Metrics
    calibration: Calibration
    abstention: Abstention
    versions: dict[str, str]
    created_at: UtcDatetime
    parts: dict[str, Sha256] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise FormatError("classes must be unique")
        if tuple(row.label for row in self.metrics.per_class) != self.classes:
            raise FormatError("metrics.per_class must follow classes")
        size = len(self.classes)
        if self.abstention.background not in (None, *self.classes):
            raise FormatError("abstention.background must be one of the classes")
        if [len(row) for row in self.metrics.confusion] != [size] * size:
            raise FormatError(f"metrics.confusion must be {size} x {size}")
        low, high = self.metrics.error_rate_interval
        if not low - _MAX_DEVIATION <= self.metrics.error_rate <= high + _MAX_DEVIATION:
            raise FormatError("metrics.error_rate must lie in its interval")
        return self


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and checked.

    Attributes:
        onnx: The model: input ``images`` float32 ``[N, 3, H, W]``, output ``logits`` ``[N, C]``.
        card: Markdown, for people.
    """

    manifest: BundleManifest
    onnx: bytes
    evaluation: Evaluation
    history: History
    card: str


def write_bundle(
    path: Path, manifest: BundleManifest, parts: Mapping[str, bytes]
) -> BundleManifest:
    """Write a bundle as a whole or not at all; the same input gives the same bytes.

    Args:
        path: The zip to make or replace.
        manifest: Its ``parts`` are replaced by the hashes of ``parts``.
        parts: The bytes of each of `PARTS`.

    Returns:
        The manifest as written.

    Raises:
        FormatError: A part is missing, unknown or over its cap.
    """
    if set(parts) != set(PARTS):
        raise FormatError(
            f"a bundle has the parts {', '.join(PARTS)}, not {', '.join(sorted(parts))}"
        )
    hashes = {name: sha256_of(parts[name]) for name in PARTS}
    complete = manifest.model_copy(update={"parts": hashes})
    members = {
        BUNDLE_JSON: canonical_json(complete.model_dump(mode="json", by_alias=True)),
        **parts,
    }
    with atomic_writer(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, cap in MEMBER_CAPS_BYTES.items():
            if len(members[name]) > cap:
                raise FormatError(
                    f"{name} has {len(members[name])} bytes; at most {cap} fit a bundle"
                )
            entry = zipfile.ZipInfo(name, _EPOCH)
            # Weights do not compress; storing them saves seconds on each side.
            entry.compress_type = zipfile.ZIP_STORED if name == MODEL_ONNX else zipfile.ZIP_DEFLATED
            archive.writestr(entry, members[name])
    return complete


def read_bundle(path: Path) -> Bundle:
    """Read a bundle that may come from a stranger.

    Raises:
        FormatError: Not a zip; members missing, unknown, doubled, encrypted, too large or
            compressed beyond reason; a hash or the schema does not match; contents disagree.
        OSError: The file cannot be read at all.
    """
    return _parse(_read_members(path, frozenset(MEMBER_CAPS_BYTES)))


def read_evaluation(path: Path) -> tuple[BundleManifest, Evaluation]:
    """Read what a bundle says of its images, without its network, which is most of its bytes.

    Raises:
        FormatError: As `read_bundle`, of the members that are read.
        OSError: The file cannot be read at all.
    """
    members = _read_members(path, frozenset({BUNDLE_JSON, EVALUATION_JSON}))
    manifest = _parse_manifest(members)
    return manifest, _parse_evaluation(members[EVALUATION_JSON], manifest)


def read_member(path: Path, name: str) -> bytes:
    """Read one member of a bundle, and check it by the hash that ``bundle.json`` has of it.

    Raises:
        FormatError: As `read_bundle`, of the members that are read.
        OSError: The file cannot be read at all.
    """
    members = _read_members(path, frozenset({BUNDLE_JSON, name}))
    _parse_manifest(members)
    return members[name]


def _read_members(path: Path, names: frozenset[str]) -> dict[str, bytes]:
    if path.stat().st_size > MAX_BUNDLE_BYTES:
        raise FormatError(f"the bundle has more than {MAX_BUNDLE_BYTES} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_directory(entries, path.stat().st_size)
            wanted = [entry for entry in entries if entry.filename in names]
            return {entry.filename: _read_member(archive, entry) for entry in wanted}
    except FormatError:
        raise
    except _ZIP_ERRORS as error:
        raise FormatError(f"the bundle is not a readable zip ({error})") from error


def _check_directory(entries: list[zipfile.ZipInfo], archive_bytes: int) -> None:
    names = sorted(entry.filename for entry in entries)
    if names != sorted(MEMBER_CAPS_BYTES):
        expected = ", ".join(MEMBER_CAPS_BYTES)
        raise FormatError(f"a bundle has exactly the members {expected}, each once")
    for entry in entries:
        if not 0 <= entry.header_offset < archive_bytes:
            # zipfile would seek there, and fail as if the disk had.
            raise FormatError(f"{entry.filename} lies outside the bundle")
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise FormatError(f"{entry.filename} is encrypted")
        if entry.compress_type not in _COMPRESSIONS:
            raise FormatError(f"{entry.filename} is compressed in a way that is not accepted")
        cap = MEMBER_CAPS_BYTES[entry.filename]
        if entry.file_size > cap:
            raise FormatError(f"{entry.filename} has {entry.file_size} bytes; at most {cap} fit")
        if entry.file_size > max(_RATIO_FREE_BYTES, entry.compress_size * _MAX_RATIO):
            raise FormatError(f"{entry.filename} is compressed more than {_MAX_RATIO} times")


def _read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    # Asking for a number bounds what is decompressed, though the directory lie about the size.
    with archive.open(entry) as member:
        return member.read(entry.file_size + 1)


def _parse_manifest(members: Mapping[str, bytes]) -> BundleManifest:
    """Return the manifest, by which every other member that was read has its hash."""
    manifest = parse_json(
        BundleManifest,
        members[BUNDLE_JSON],
        name=BUNDLE_JSON,
        max_bytes=MEMBER_CAPS_BYTES[BUNDLE_JSON],
    )
    if set(manifest.parts) != set(PARTS):
        raise FormatError(f"{BUNDLE_JSON}: parts must name {', '.join(PARTS)}")
    for name in PARTS:
        if name in members and sha256_of(members[name]) != manifest.parts[name]:
            raise FormatError(f"{name} is not what {BUNDLE_JSON} says: its sha256 differs")
    return manifest


def _parse_evaluation(data: bytes, manifest: BundleManifest) -> Evaluation:
    evaluation = parse_json(
        Evaluation,
        data,
        name=EVALUATION_JSON,
        max_bytes=MEMBER_CAPS_BYTES[EVALUATION_JSON],
    )
    known = set(manifest.classes)
    for item in evaluation.items:
        names = {item.label, item.predicted}
        if item.out_of_fold is not None:
            names.add(item.out_of_fold.predicted)
        if not names <= known:
            raise FormatError(f"{EVALUATION_JSON} names a class that {BUNDLE_JSON} does not")
    return evaluation


def _parse(members: Mapping[str, bytes]) -> Bundle:
    manifest = _parse_manifest(members)
    evaluation = _parse_evaluation(members[EVALUATION_JSON], manifest)
    history = parse_json(
        History,
        members[HISTORY_JSON],
        name=HISTORY_JSON,
        max_bytes=MEMBER_CAPS_BYTES[HISTORY_JSON],
    )
    try:
        card = members[MODEL_CARD].decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{MODEL_CARD} is not UTF-8") from error
    return Bundle(manifest, members[MODEL_ONNX], evaluation, history, card)
