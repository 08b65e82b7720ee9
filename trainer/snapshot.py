"""A snapshot on this machine: its manifest and the folder that its blobs are in.

May import the contract and numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from server.contract.origins import Origin
from server.contract.snapshot import Item, Manifest, Split


def blob_path(folder: Path, sha256: str) -> Path:
    """Return where a blob lies: fanned out by its first two digits, so that no folder is huge."""
    return folder / sha256[:2] / sha256


@dataclass(frozen=True)
class LocalSnapshot:
    """A manifest with its blobs in ``folder``; all arrays are in the manifest's order.

    Attributes:
        origins: Where images come from, by sha256; empty when it is not known.
    """

    manifest: Manifest
    folder: Path
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def items(self) -> tuple[Item, ...]:
        """The manifest's items."""
        return self.manifest.items

    def path(self, item: Item) -> Path:
        """Return where the item's bytes are."""
        return blob_path(self.folder, item.sha256)

    def labels(self) -> NDArray[np.int64]:
        """Return ``[N]`` indices into the manifest's classes."""
        index = {name: place for place, name in enumerate(self.manifest.classes)}
        return np.array([index[item.label] for item in self.items], dtype=np.int64)

    def is_valid(self) -> NDArray[np.bool_]:
        """Return ``[N]``: true for images of the validation split."""
        return np.array([item.split is Split.VALID for item in self.items], dtype=np.bool_)

    def groups(self) -> list[str]:
        """Return the N names of near-duplicate clusters."""
        return [item.group for item in self.items]
