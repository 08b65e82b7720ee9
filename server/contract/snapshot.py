"""The snapshot's manifest and the split. May import ``contract.schema``, ``files``, ``errors``.

A manifest is an immutable list of (blob, label, split). Its canonical JSON is stable byte for byte,
and the sha256 of those bytes is the snapshot's identity.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from server.contract.errors import FormatError
from server.contract.files import canonical_json, sha256_of
from server.contract.schema import (
    MAX_CLASSES,
    Id,
    Name,
    Sha256,
    StrictModel,
    UtcDatetime,
    parse_json,
)

MAX_ITEMS = 500_000  # about 130 MB of JSON; beyond that a snapshot wants another format
MAX_MANIFEST_BYTES = 256 << 20
_HASH_RANGE = 2**64  # of the eight bytes that `split_of` looks at


class Split(StrEnum):
    """The side of an image in training."""

    TRAIN = "train"
    VALID = "valid"


def split_of(seed: int, group: str, valid_ratio: float) -> Split:
    """Return the side of a group of near-duplicates: a function of its arguments alone.

    An image stays on its side when the dataset grows; a larger ``valid_ratio`` only moves groups
    from train to valid.

    Args:
        seed: The snapshot's seed.
        group: The group's name; all its images share the side.
        valid_ratio: The expected share of validation images, 0..1.
    """
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / _HASH_RANGE
    return Split.VALID if position < valid_ratio else Split.TRAIN


class DatasetRef(StrictModel):
    """The dataset that a snapshot or model comes from, by id and by its name at that time."""

    id: Id
    name: Name


class Item(StrictModel):
    """One verified image of a snapshot.

    Attributes:
        bytes: The blob's size.
        width: In pixels, as stored (before any EXIF turn).
        height: In pixels, as stored.
        format: What the bytes are, for example ``jpeg``.
        group: The cluster of near-duplicates it belongs to; decides the split.
    """

    sha256: Sha256
    label: Name
    split: Split
    bytes: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    format: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    group: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Manifest(StrictModel):
    """A snapshot, whole. Checked when made and when read: see the validator for the rules."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    snapshot_id: Id
    dataset: DatasetRef
    created_at: UtcDatetime
    classes: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_CLASSES)]
    valid_ratio: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    items: Annotated[tuple[Item, ...], Field(max_length=MAX_ITEMS)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not _rises(self.classes):
            raise FormatError("classes must be sorted and unique")
        if not _rises([item.sha256 for item in self.items]):
            raise FormatError("items must be sorted by sha256, each blob once")
        known = set(self.classes)
        for item in self.items:
            if item.label not in known:
                raise FormatError(f"item {item.sha256}: its label is not among the classes")
            if item.split != split_of(self.seed, item.group, self.valid_ratio):
                raise FormatError(f"item {item.sha256}: its split does not follow its group")
        return self

    def to_bytes(self) -> bytes:
        """Return the manifest's canonical JSON."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    @property
    def sha256(self) -> str:
        """The snapshot's identity: the sha256 of `to_bytes`."""
        return sha256_of(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a manifest.

        Raises:
            FormatError: Too large, unknown schema, a broken rule, or not in canonical form (two
                byte strings for one snapshot would be two identities).
        """
        manifest = parse_json(cls, data, name="manifest", max_bytes=MAX_MANIFEST_BYTES)
        if manifest.to_bytes() != data:
            raise FormatError("manifest: not in canonical form")
        return manifest

    def items_of(self, split: Split) -> tuple[Item, ...]:
        """Return the items of one side, in the manifest's order."""
        return tuple(item for item in self.items if item.split is split)


def _rises(values: tuple[str, ...] | list[str]) -> bool:
    return all(left < right for left, right in pairwise(values))
