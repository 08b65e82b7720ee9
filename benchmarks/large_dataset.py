"""A data folder with one large dataset, as most of a year of collecting would leave it.

Rows are made up, with a spread like that of real collections: a few large labels and many small
ones, a few engines and many queries, sites of which some are everywhere, look-alikes, refusals.
Each image has a real JPEG of some kilobytes; what its row says of its size and looks is made up,
for nothing decodes it again. May import ``server.main`` and the tests' bundles.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from ulid import ULID

from server.assembly import Parts, build
from server.config import load_settings
from server.contract.bundle import EVALUATION_JSON, SnapshotRef, write_bundle
from server.contract.files import sha256_of_file
from server.contract.snapshot import DatasetRef
from server.db.ids import new_id
from server.db.models import (
    BlobRecord,
    CaptureRecord,
    ImageRecord,
    ImageStatus,
    JobRecord,
    LabelRecord,
    ModelRecord,
    ModelStage,
    ObtainedBy,
    SightingRecord,
    SnapshotRecord,
)
from server.media.blobs import BlobStore, ThumbnailStore
from server.reasons import Reason
from server.services.freezing import SplitRequest
from server.services.intake import to_signed
from tests.support.bundles import bundle_manifest, bundle_parts
from tests.support.images import jpeg

VERSION = 1  # of what is made here
DESCRIPTION = "description.json"
LABELS = [f"species {number:02}" for number in range(24)]
ENGINES = ["google", "bing", "duckduckgo", "generic", "wikimedia"]
QUERIES = [f"{kind} {number}" for kind in ("satin bird", "nest", "bower") for number in range(60)]
SITES = [f"site-{number}.example" for number in range(3_000)]
WORDS = [
    "satin",
    "blue",
    "feather",
    "nest",
    "bower",
    "forest",
    "male",
    "female",
    "juvenile",
    "display",
    "stick",
    "leaf",
]
REASONS = [Reason.HTTP_STATUS, Reason.TIMEOUT, Reason.NOT_AN_IMAGE, Reason.TOO_SMALL, Reason.TLS]
SIZES = [(320, 240), (640, 480), (1024, 768), (800, 1200), (1600, 1067), (100, 80), (1500, 300)]
CAPTURE_SIZE = 100
STEP = 5_000  # rows of a transaction
PICTURES = 200  # different ones; each blob is one of them with a comment of its own
PICTURE_PX = (96, 72)  # some 3 KB
MOST_COMMENT_BYTES = 65_000  # of a JPEG's segment
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 300
# Shares of all images, and of those with bytes.
REJECTED, DUPLICATE, SEEN_TWICE = 0.06, 0.03, 0.2
ALIKE, FLIPPED_BITS, REVIEWED, EXCLUDED, UNLABELLED = 0.12, 3, 0.3, 0.02, 0.01
WRONG = 0.05  # in the model's eyes

Row = dict[str, Any]


@dataclass(frozen=True)
class LargeDataset:
    """What was made.

    Attributes:
        count: Images, rejected ones and duplicates among them.
        near_group: One of several blobs.
        site: One that has many images.
    """

    version: int
    count: int
    mean_bytes: int
    dataset_id: str
    snapshot_id: str
    model_id: str
    near_group: str
    site: str


def prepare(data: Path, count: int, mean_bytes: int) -> LargeDataset:
    """Return the dataset of a data folder, which is made unless it is there.

    Raises:
        RuntimeError: The folder holds something else, or was not finished.
    """
    description = data / DESCRIPTION
    if description.exists():
        found = LargeDataset(**json.loads(description.read_text()))
        if (found.version, found.count, found.mean_bytes) == (VERSION, count, mean_bytes):
            return found
    if data.exists():
        raise RuntimeError(f"{data} holds something else: delete it, and it is made anew")
    found = asyncio.run(_make(data, count, mean_bytes))
    description.write_text(json.dumps(asdict(found)))
    return found


async def _make(data: Path, count: int, mean_bytes: int) -> LargeDataset:
    async with build(load_settings(data=data, training={"enabled": False})) as parts:
        dataset = (await parts.services.datasets.create("large", "")).record.id
        rows = Collection(dataset, count, mean_bytes, data)
        await _insert(parts, [LabelRecord], [rows.labels])
        for tables in rows.steps():
            await _insert(parts, [CaptureRecord, BlobRecord, ImageRecord, SightingRecord], tables)
        snapshots = parts.services.snapshots
        # As a server that runs has done since its start.
        await snapshots._looks.group_new()  # noqa: SLF001 - of no service's routes
        snapshot = await snapshots.create(dataset, SplitRequest())
        manifest = json.loads((await snapshots.get_manifest(snapshot.id))[0].read_bytes())
        model = await _add_model(parts, data, manifest["items"], snapshot)
    return LargeDataset(
        VERSION, count, mean_bytes, dataset, snapshot.id, model, rows.near_group, SITES[0]
    )


async def _insert(parts: Parts, records: Sequence[Any], tables: Sequence[Sequence[Row]]) -> None:
    # Filled past the services' rules, which would fetch each image.
    async with parts.services.datasets._database.write() as session:  # noqa: SLF001
        for record, rows in zip(records, tables, strict=True):
            if rows:
                await session.execute(insert(record), rows)


@cache
def _weights(count: int) -> list[float]:
    # By rank, the n-th 1/n as often: Zipf's law.
    return list(accumulate(1 / rank for rank in range(1, count + 1)))


@dataclass
class Collection:
    """Makes the rows and files of a dataset, the oldest first.

    Attributes:
        near_group: The last one that has several blobs.
    """

    dataset_id: str
    count: int
    mean_bytes: int
    data: Path
    near_group: str = ""
    labels: list[Row] = field(init=False)
    _look: Row = field(default_factory=dict)
    _ready: dict[str, str] = field(default_factory=dict)  # the last bytes of each label

    def __post_init__(self) -> None:
        """Make the labels."""
        self._chance = random.Random(self.count)  # noqa: S311 - the same each time
        self._pictures = [jpeg(*PICTURE_PX, seed=seed) for seed in range(PICTURES)]
        self._blobs = BlobStore(self.data / "blobs")
        self._thumbnails = ThumbnailStore(self.data / "thumbnails")
        self._images: dict[str, str] = {}  # by their bytes
        self.labels = [
            {"id": new_id(), "dataset_id": self.dataset_id, "name": name, "created_at": FIRST}
            for name in LABELS
        ]

    def steps(self) -> Iterator[tuple[list[Row], list[Row], list[Row], list[Row]]]:
        """Yield rows of captures, blobs, images and sightings, some thousand images at a time."""
        capture: Row = {}
        former = ""
        for start in range(0, self.count, STEP):
            captures: list[Row] = []
            blobs: list[Row] = []
            images: list[Row] = []
            sightings: list[Row] = []
            for number in range(start, min(start + STEP, self.count)):
                at = FIRST + timedelta(days=DAYS) * (number / self.count)
                if number % CAPTURE_SIZE == 0:
                    former = capture.get("id", "")
                    capture = self._capture(number, at)
                    captures.append(capture)
                image, blob = self._image(number, at, capture["label_id"])
                images.append(image)
                blobs += [] if blob is None else [blob]
                seen = [capture["id"]]
                seen += [former] if former and self._chance.random() < SEEN_TWICE else []
                sightings += [self._sighting(image, each, number) for each in seen]
            yield captures, blobs, images, sightings

    def _pick(self, values: Sequence[Any]) -> Any:
        return self._chance.choices(values, cum_weights=_weights(len(values)))[0]

    def _capture(self, number: int, at: datetime) -> Row:
        engine = self._pick(ENGINES)
        return {
            "id": str(ULID.from_datetime(at)),
            "dataset_id": self.dataset_id,
            "capture_key": f"capture {number}",
            "label_id": self._pick(self.labels)["id"],
            "page_url": f"https://{engine}.example/search?page={number}",
            "page_title": "Pictures",
            "engine": engine,
            "query": None if engine == "generic" else self._pick(QUERIES),
            "captured_at": at,
            "received_at": at,
            "added_count": CAPTURE_SIZE,
            "known_count": 0,
            "refused": [],
        }

    def _sighting(self, image: Row, capture_id: str, number: int) -> Row:
        return {
            "id": str(ULID()),
            "image_id": image["id"],
            "capture_id": capture_id,
            "rank": number % CAPTURE_SIZE,
            "source_url": image["source_url"],
            "title": image["title"],
        }

    def _image(self, number: int, at: datetime, label_id: str) -> tuple[Row, Row | None]:
        host, page_host = self._pick(SITES), self._pick(SITES)
        title = " ".join(self._chance.choices(WORDS, k=5))
        url = f"https://{host}/uploads/{number % 97}/{title.replace(' ', '-')}-{number}.jpg"
        image: Row = {
            "id": str(ULID.from_datetime(at)),
            "dataset_id": self.dataset_id,
            "label_id": None if self._chance.random() < UNLABELLED else label_id,
            "url": url,
            "url_key": url,
            "host": host,
            "page_host": page_host,
            "source_url": f"https://{page_host}/article/{number // 3}/{title.replace(' ', '-')}",
            "title": f"{title} {number}",
            "attempts": 1,
            "excluded": self._chance.random() < EXCLUDED,
            "reviewed_at": at if self._chance.random() < REVIEWED else None,
            "created_at": at,
            "settled_at": at,
        }
        fate = self._chance.random()
        known = self._ready.get(label_id)
        if fate < REJECTED:
            refused = {"status": ImageStatus.REJECTED, "reason": self._pick(REASONS)}
            return self._settle(image, **refused), None
        obtained = {"obtained_by": ObtainedBy.SERVER}
        if fate < REJECTED + DUPLICATE and known is not None:
            image["label_id"] = label_id
            copy = {"sha256": known, "duplicate_of": self._images[known], **obtained}
            return self._settle(image, status=ImageStatus.DUPLICATE, **copy), None
        blob = self._blob(number, at)
        if image["label_id"] is not None:
            self._ready[label_id] = blob["sha256"]
            self._images[blob["sha256"]] = image["id"]
        return self._settle(
            image, status=ImageStatus.READY, sha256=blob["sha256"], **obtained
        ), blob

    @staticmethod
    def _settle(image: Row, **settled: Any) -> Row:
        empty = dict.fromkeys(("reason", "sha256", "duplicate_of", "obtained_by"))
        return image | empty | settled

    def _blob(self, number: int, at: datetime) -> Row:
        data = self._draw(number)
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._blobs.path(sha256)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        # A picture this small is its own thumbnail; a second name for it takes no room.
        thumbnail = self._thumbnails.path(sha256)
        thumbnail.parent.mkdir(exist_ok=True)
        thumbnail.hardlink_to(path)
        chance = self._chance
        if self._look and chance.random() < ALIKE:
            dhash = self._look["dhash"]
            for bit in chance.sample(range(64), FLIPPED_BITS):
                dhash ^= 1 << bit
            look = self._look | {"dhash": dhash}
            self.near_group = look["near_group"]
        else:
            hashes = {name: chance.getrandbits(64) for name in ("dhash", "phash")}
            look = self._look = {**hashes, "near_group": sha256}
        width, height = chance.choice(SIZES)
        return {
            "sha256": sha256,
            "bytes": len(data),
            "width": width + chance.randrange(40),
            "height": height + chance.randrange(40),
            "format": "jpeg",
            **look,
            "dhash": to_signed(look["dhash"]),
            "phash": to_signed(look["phash"]),
            "luma_p99": min(1.0, abs(chance.gauss(0.9, 0.2))),
            "luma_p05": min(1.0, abs(chance.gauss(0.1, 0.25))),
            "sharpness": chance.lognormvariate(4, 1.3),
            "entropy_bits": min(8.0, abs(chance.gauss(6.8, 1.2))),
            "created_at": at,
        }

    def _draw(self, number: int) -> bytes:
        """Return a JPEG that no other is, of about the wanted size."""
        picture = self._pictures[number % PICTURES]
        room = max(self.mean_bytes - len(picture), 16)
        size = min(self._chance.randrange(8, 2 * room), MOST_COMMENT_BYTES)
        comment = self._chance.randbytes(size)
        # After the two bytes that begin every JPEG: a comment segment, its length with itself.
        return b"".join(
            (picture[:2], b"\xff\xfe", (len(comment) + 2).to_bytes(2), comment, picture[2:])
        )


async def _add_model(
    parts: Parts, data: Path, items: Sequence[Row], snapshot: SnapshotRecord
) -> str:
    """Add a model that doubts some labels; return its id."""
    chance = random.Random(len(items))  # noqa: S311 - the same each time
    classes = sorted({item["label"] for item in items})
    evaluated = [_evaluate(item, chance, classes) for item in items]
    members = bundle_parts(["blue", "green"])
    evaluation = json.dumps({"schema": 1, "items": evaluated}).encode()
    manifest = bundle_manifest(
        classes,
        SnapshotRef(id=snapshot.id, manifest_sha256=snapshot.manifest_sha256),
        DatasetRef(id=snapshot.dataset_id, name="large"),
    )
    aside = data / "bundle.zip"
    written = write_bundle(aside, manifest, members | {EVALUATION_JSON: evaluation})
    digest = sha256_of_file(aside)
    size = aside.stat().st_size
    aside.rename(data / "bundles" / f"{digest}.zip")
    job = {
        "id": new_id(),
        "snapshot_id": snapshot.id,
        "state": "succeeded",
        "recipe": {},
        "attempts": 1,
        "created_at": snapshot.created_at,
    }
    model = {
        "id": new_id(),
        "dataset_id": snapshot.dataset_id,
        "snapshot_id": snapshot.id,
        "job_id": job["id"],
        "stage": ModelStage.CANDIDATE,
        "bundle_sha256": digest,
        "bundle_bytes": size,
        "manifest": written.model_dump(mode="json", by_alias=True),
        "created_at": snapshot.created_at,
    }
    await _insert(parts, [JobRecord, ModelRecord], [[job], [model]])
    return str(model["id"])


def _evaluate(item: Row, chance: random.Random, classes: Sequence[str]) -> Row:
    is_doubted = chance.random() < WRONG
    probability = round(chance.uniform(0.5, 0.99), 6)
    own = round((1 - probability) * chance.uniform(0.1, 0.9), 6) if is_doubted else probability
    said = {
        "predicted": chance.choice(classes) if is_doubted else item["label"],
        "probability": probability,
        "loss": -math.log(own),
    }
    kept = {name: item[name] for name in ("sha256", "split", "label")}
    return {**kept, **said, "out_of_fold": {**said, "label_probability": own}}
