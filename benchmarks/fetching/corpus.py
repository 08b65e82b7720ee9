"""The corpus: synthetic photos of about a megapixel, and what strangers put in their place.

Files lie in one folder, to be served as they are; which address holds a usable image is known from
how it was made. Imports nothing of the project.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH_PX, HEIGHT_PX = 1200, 850
GRAIN = 4.5  # standard deviation of the noise that makes a picture some 170 KB
JPEG_QUALITY = 82
SEED = 42
SLOW_SHARE = 0.012
END_MARKER = b"\xff\xd9"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><rect/></svg>'
HTML = b"<!doctype html><title>Not here</title><p>The image that you look for is not here."


@dataclass(frozen=True)
class Entry:
    """One address of the corpus.

    Attributes:
        path: Below the site's root, with its leading slash.
        sha256: Of the bytes that are served; empty where there are none.
        is_usable: Whether it is a whole image that a reader should keep.
    """

    path: str
    sha256: str
    is_usable: bool


def draw(number: int) -> bytes:
    """Return a synthetic photo as JPEG: soft shapes with grain, the same in every run."""
    random = np.random.default_rng((SEED, number))
    coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    soft = np.asarray(coarse.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC))
    grain = random.normal(0, GRAIN, (HEIGHT_PX, WIDTH_PX, 1))
    file = io.BytesIO()
    picture = Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _recode(data: bytes, kind: str) -> bytes:
    file = io.BytesIO()
    # Bytes of our own.
    with Image.open(io.BytesIO(data)) as image:  # noqa: TID251
        image.resize((600, 425)).save(file, kind)
    return file.getvalue()


@dataclass(frozen=True)
class Kind:
    """What stands at some of the dirty addresses.

    Attributes:
        share: Of all addresses.
        make: From a photo to what is served; None for an address without a file.
        folder: Below the site's root; the site treats some folders in ways of their own.
    """

    share: float
    is_usable: bool
    make: Callable[[bytes], bytes | None]
    folder: str = "odd"


KINDS = {
    "missing": Kind(0.04, False, lambda _: None),
    "refused": Kind(0.02, False, lambda _: None, "refused"),
    "failing": Kind(0.01, False, lambda _: None, "failing"),
    "loop": Kind(0.01, False, lambda _: None, "loop"),
    "page": Kind(0.03, False, lambda _: HTML),
    "drawing": Kind(0.01, False, lambda _: SVG),
    "empty": Kind(0.01, False, lambda _: b""),
    "cut": Kind(0.02, False, lambda data: data[: len(data) * 6 // 10]),
    "cut-and-ended": Kind(0.01, False, lambda data: data[: len(data) // 2] + END_MARKER),
    "zeroed": Kind(0.01, False, lambda data: data[: len(data) // 2].ljust(len(data), b"\0")),
    "slow": Kind(SLOW_SHARE, True, lambda data: data, "slow"),
    "png": Kind(0.01, True, lambda data: _recode(data, "PNG")),
    "webp": Kind(0.02, True, lambda data: _recode(data, "WEBP")),
}


def make_clean(root: Path, count: int) -> list[Entry]:
    """Draw ``count`` photos below ``root``, those that are not there yet; return their entries."""
    folder = root / "clean"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    with ProcessPoolExecutor() as pool:
        for number, data in zip(missing, pool.map(draw, missing, chunksize=16), strict=True):
            _write(paths[number], data)
    return [_entry(root, path, is_usable=True) for path in paths]


def make_dirty(root: Path, clean: Sequence[Entry]) -> list[Entry]:
    """Return as many entries as ``clean`` has, some of them spoilt, in a mixed order."""
    entries: list[Entry] = []
    rest = iter(clean)
    for name, kind in KINDS.items():
        count = round(len(clean) * kind.share)
        entries += [_spoil(root, entry, name, kind) for entry in islice(rest, count)]
    entries += rest
    order = np.random.default_rng(SEED).permutation(len(entries))
    return [entries[place] for place in order]


def _spoil(root: Path, entry: Entry, name: str, kind: Kind) -> Entry:
    path = root / kind.folder / f"{name}-{Path(entry.path).name}"
    data = kind.make((root / entry.path.lstrip("/")).read_bytes())
    if data is None:
        return Entry(f"/{path.relative_to(root)}", "", is_usable=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _write(path, data)
    return _entry(root, path, is_usable=kind.is_usable)


def _entry(root: Path, path: Path, *, is_usable: bool) -> Entry:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Entry(f"/{path.relative_to(root)}", digest, is_usable)


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.rename(path)


def urls_of(entries: Sequence[Entry], origin_of: Callable[[int, str], str]) -> Iterator[str]:
    """Yield the address of each entry; ``origin_of`` gives its origin by its number and path."""
    return (origin_of(number, entry.path) + entry.path for number, entry in enumerate(entries))
