"""Features of a snapshot's images by a frozen backbone, each computed once.

May import torch, ``trainer.data.store``, ``trainer.backbones``, ``failures``, ``snapshot`` and the
contract.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from server.contract.errors import FormatError
from server.contract.files import canonical_json, sha256_of
from server.contract.preprocess import Preprocessing, decode, to_array
from server.contract.snapshot import Item
from trainer.backbones.loading import LoadedBackbone
from trainer.baselines import PIXELS_SIDE_PX
from trainer.data.pictures import DECODE_THREADS, unreadable
from trainer.data.store import ArrayStore, ImageArrays
from trainer.failures import is_out_of_memory
from trainer.snapshot import LocalSnapshot

log = logging.getLogger(__name__)

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Extracted:
    """Arrays of all images, in the manifest's order.

    Attributes:
        features: ``[N, F]`` float32.
        pixels: ``[N, 32, 32, 3]`` uint8, RGB.
    """

    features: NDArray[np.float32]
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Extractor:
    """How features are computed.

    Attributes:
        batch_size: Images per forward pass; also what is lost when the trainer is killed.
    """

    backbone: LoadedBackbone
    preprocessing: Preprocessing
    batch_size: int

    @property
    def variant(self) -> str:
        """The name under which results are kept: all that they depend on but the image."""
        parts = {
            "backbone": self.backbone.name,
            "weights": self.backbone.weights_sha256,
            "preprocessing": asdict(self.preprocessing),
            "pixels": PIXELS_SIDE_PX,
        }
        return sha256_of(canonical_json(parts))

    def extract(self, snapshot: LocalSnapshot, store: ArrayStore, step: Step) -> Extracted:
        """Return the arrays of every image, computing only those that ``store`` lacks.

        Args:
            snapshot: Its blobs must be in its folder.
            store: Read from, and added to batch by batch.
            step: Told (done, total) after each batch; may raise to stop.

        Raises:
            JobFailedError: ``blob-unreadable``: an image cannot be decoded.
        """
        hashes = [item.sha256 for item in snapshot.items]
        known = store.find(self.variant, hashes)
        todo = [item for item in snapshot.items if item.sha256 not in known]
        step(len(known), len(hashes))
        for batch in self._decoded(snapshot, todo):
            inputs = np.stack([array for _, array, _ in batch])
            features = self._forward(inputs)
            fresh = {
                item.sha256: ImageArrays(row, pixels)
                for (item, _, pixels), row in zip(batch, features, strict=True)
            }
            store.add(self.variant, fresh)
            known.update(fresh)
            step(len(known), len(hashes))
        return Extracted(
            features=np.stack([known[sha256].features for sha256 in hashes]),
            pixels=np.stack([known[sha256].pixels for sha256 in hashes]),
        )

    def _forward(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features of a batch, computed in halves when memory does not suffice."""
        try:
            with torch.inference_mode():
                result: NDArray[np.float32] = self.backbone.module(torch.from_numpy(inputs)).numpy()
        except (RuntimeError, MemoryError) as error:
            if len(inputs) == 1 or not is_out_of_memory(error):
                raise
            log.warning("features.split", extra={"images": len(inputs)})
        else:
            return result
        return np.concatenate([self._forward(half) for half in np.array_split(inputs, 2)])

    def _decoded(
        self, snapshot: LocalSnapshot, items: Sequence[Item]
    ) -> Iterator[list[tuple[Item, NDArray[np.float32], NDArray[np.uint8]]]]:
        """Yield decoded batches, the next one being decoded while this one is used."""
        batches = [
            items[start : start + self.batch_size]
            for start in range(0, len(items), self.batch_size)
        ]
        with ThreadPoolExecutor(DECODE_THREADS, thread_name_prefix="decode") as pool:
            waiting: list[Future[tuple[Item, NDArray[np.float32], NDArray[np.uint8]]]] = []
            for batch in [*batches, []]:
                ahead = [pool.submit(self._load, snapshot, item) for item in batch]
                if waiting:
                    yield [future.result() for future in waiting]
                waiting = ahead

    def _load(
        self, snapshot: LocalSnapshot, item: Item
    ) -> tuple[Item, NDArray[np.float32], NDArray[np.uint8]]:
        try:
            image = decode(snapshot.path(item))
        except FormatError as error:
            raise unreadable(item, error) from error
        side = (PIXELS_SIDE_PX, PIXELS_SIDE_PX)
        # BOX averages each cell's pixels: all that a comparison of colours needs.
        pixels = np.asarray(image.resize(side, Image.Resampling.BOX), dtype=np.uint8)
        return item, to_array(image, self.preprocessing), pixels
