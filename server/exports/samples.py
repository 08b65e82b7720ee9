"""The images of a snapshot as archives name and read them. May import ``exports``, ``media``."""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.contract.snapshot import Split
from server.errors import BlobDamagedError
from server.exports.listing import Listing
from server.exports.names import folder_names
from server.media.blobs import BlobStore

_SHA256_BYTES: Final = 32
_SHA256_CHARS: Final = 2 * _SHA256_BYTES


class Samples:
    """Names, sizes and bytes of a snapshot's images.

    Args:
        listing: The snapshot; its CRCs are known.
        blobs: Where the bytes lie.
    """

    def __init__(self, listing: Listing, blobs: BlobStore) -> None:
        if listing.crcs is None:
            raise ValueError("the checksums of the snapshot are not known")
        self.listing = listing
        self.crcs = listing.crcs
        self._blobs = blobs
        self._endings = [f".{extension}".encode() for extension in listing.extensions]
        # Views give plain numbers; numpy makes an object of its own of each that is looked up.
        self._digests = memoryview(listing.digests.tobytes())
        self._sizes = listing.sizes.data
        self._kinds = listing.kinds.data
        self._known_crcs = self.crcs.data

    @cached_property
    def folders(self) -> list[str]:
        """The folder of each label."""
        return folder_names(self.listing.classes)

    @cached_property
    def _prefixes(self) -> list[bytes]:
        return [
            f"{split.value}/{folder}/".encode()
            for folder in self.folders
            for split in (Split.TRAIN, Split.VALID)
        ]

    @cached_property
    def _prefix_places(self) -> NDArray[np.int64]:
        return 2 * self.listing.labels + self.listing.is_valid

    @cached_property
    def path_lengths(self) -> NDArray[np.int64]:
        """``[N]``: the bytes of each `path`."""
        prefixes = np.array([len(prefix) for prefix in self._prefixes], dtype=np.int64)
        endings = np.array([len(ending) for ending in self._endings], dtype=np.int64)
        lengths: NDArray[np.int64] = prefixes[self._prefix_places]
        return lengths + _SHA256_CHARS + endings[self.listing.kinds]

    def path(self, place: int) -> bytes:
        """Return ``train/<label>/<sha256>.jpg`` of the image at a place."""
        prefix: bytes = self._prefixes[self._prefix_places[place]]
        return prefix + self.file_name(place)

    def file_name(self, place: int) -> bytes:
        """Return ``<sha256>.jpg`` of the image at a place."""
        return self.sha256(place).encode() + self._endings[self._kinds[place]]

    def sha256(self, place: int) -> str:
        """Return the name of the blob at a place, sooner than the listing does."""
        start = place * _SHA256_BYTES
        return self._digests[start : start + _SHA256_BYTES].hex()

    def read(self, place: int) -> bytes:
        """Return an image's bytes, compared with what they were.

        Raises:
            BlobDamagedError: They are gone or changed since the snapshot was made.
        """
        sha256, size = self.sha256(place), self._sizes[place]
        try:
            data = self._blobs.read(sha256, size)
        except OSError as error:
            raise BlobDamagedError(f"the blob {sha256} can no longer be read") from error
        if len(data) != size or zlib.crc32(data) != self._known_crcs[place]:
            raise BlobDamagedError(f"the blob {sha256} is no longer what it was")
        return data
