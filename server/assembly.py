"""What a server is made of: every service, over one data folder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from server.api.deps import About, Limits, Services
from server.config import Folders, Settings
from server.db import migrate
from server.db.session import Database
from server.errors import DataFolderInUseError
from server.exports.leftovers import SnapshotLeftovers
from server.exports.listing import Shelves
from server.inference.pool import CpuPool
from server.media.blobs import BlobStore, FileStore, ThumbnailStore
from server.net.fetch import Fetcher
from server.pipeline.pipeline import Ends, Pipeline
from server.pipeline.shelf import ContentShelf
from server.services import answering as answering_parts
from server.services.access import AccessService
from server.services.actions import ActionService
from server.services.answering import Answering
from server.services.captures import CaptureService
from server.services.completions import CompletionService
from server.services.credit_list import CreditService
from server.services.custody import Custody
from server.services.datasets import DatasetService
from server.services.downloads import DownloadService
from server.services.exports import ExportService
from server.services.feed import Feed
from server.services.feedback import FeedbackService, Pictures
from server.services.history import HistoryService
from server.services.images import ImageService
from server.services.imports import ImportService
from server.services.imports_images import ImageRules, Keeper
from server.services.inbox import InboxService
from server.services.intake import Intake, Stores
from server.services.links import LinkService
from server.services.looks import LookService
from server.services.models import BundleStore, ModelService
from server.services.monitoring import Monitoring
from server.services.pairing import PairingService, SignInService
from server.services.predictions import Sources
from server.services.promotion import PromotionService
from server.services.reclaim import ReclaimService
from server.services.refresh import RefreshService
from server.services.removals import RemovalService
from server.services.rollouts import RolloutService
from server.services.sides import SideService
from server.services.snapshots import SnapshotService
from server.services.spool import Spool
from server.services.survey import SurveyService
from server.services.suspicions import SuspicionService
from server.services.sweep import KeptFiles, SweepService
from server.services.training import TrainingService
from server.workers import limits
from server.workers.downloads import Cleaning, DownloadWorker
from server.workers.looks import LookWorker

log = logging.getLogger(__name__)

# A tenth of a processor's time where others want it: an answer of the API takes some forty turns
# between threads, each of which would wait for a decoder. Measured by benchmarks/bench_latency.py:
# a page takes 25 ms instead of 70, at the same images a second.
DECODE_NICENESS = 10
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Parts:
    """What was put together for one server.

    Attributes:
        services: What the routes call.
        downloads: A loop beside them.
        looks: Another.
        shelf: To be closed at the end.
        answering: As well; to be warmed up at the start.
    """

    services: Services
    downloads: DownloadWorker
    looks: LookWorker
    shelf: ContentShelf
    answering: Answering


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Parts]:
    """Yield the services over the data folder, which is migrated; close them afterwards.

    Raises:
        DataFolderInUseError: Another server uses the data folder.
    """
    folders = Folders(settings.data.absolute())
    async with AsyncExitStack() as stack:
        stack.enter_context(_lock(folders))
        await asyncio.to_thread(migrate.upgrade, settings.resolved_database_url)
        database = Database(settings.resolved_database_url)
        stack.push_async_callback(database.close)
        pool = CpuPool(settings.fetch.decode_threads)
        stack.callback(pool.close)
        fetcher = await stack.enter_async_context(Fetcher(limits.fetch_limits(settings)))
        stores = Stores(
            BlobStore(folders.make("blobs")), ThumbnailStore(folders.make("thumbnails"))
        )
        for store in (stores.blobs, stores.thumbnails):
            if moved := await asyncio.to_thread(store.flatten):
                log.info("store.flattened", extra={"count": moved})
        parts = _put_together(settings, _Ground(folders, stores, database, pool, fetcher))
        stack.callback(parts.shelf.close)
        stack.callback(parts.answering.close)
        yield parts


class _Ground(NamedTuple):
    """What all services stand on."""

    folders: Folders
    stores: Stores
    database: Database
    pool: CpuPool
    fetcher: Fetcher


def _put_together(settings: Settings, ground: _Ground) -> Parts:
    folders, stores, database, pool, fetcher = ground
    feed = Feed()
    intake = Intake(stores, pool, limits.verify_limits(settings))
    bundles = BundleStore(folders.make("bundles"))
    suspicions = SuspicionService(database, bundles, pool)
    access = AccessService(database)
    custody = Custody(database, stores, FileStore(folders.make("trainer") / "blobs"))
    downloads = DownloadService(database, feed, custody)
    shelf = ContentShelf(stores.blobs, stores.thumbnails, folders.root)
    looks = LookService(database, stores.thumbnails, pool, feed)
    shelves = Shelves(stores.blobs, folders.make("snapshots"), folders.make("exports"))
    kept = KeptFiles(SnapshotLeftovers(shelves), bundles)
    snapshots = SnapshotService(database, looks, shelves, custody, pool)
    images = ImageService(database, feed, intake, stores, custody)
    answering = _answering(settings, database, fetcher, images, bundles)
    promotion = PromotionService(database, feed, bundles, answering.registry, suspicions)
    training = TrainingService(database, feed, bundles, pool, limits.job_rules(settings))
    pictures = Pictures(FileStore(folders.make("feedback")), intake, fetcher, asyncio.Lock())
    feedback = FeedbackService(database, pictures)
    services = Services(
        about=_about(),
        limits=Limits.of(settings),
        feed=feed,
        spool=Spool(folders.make("incoming"), pool),
        access=access,
        pairing=PairingService(access),
        sign_in=SignInService(access),
        datasets=DatasetService(database, feed, kept),
        captures=CaptureService(database, feed),
        downloads=downloads,
        pipeline=_pipeline(settings, downloads, shelf, fetcher),
        images=images,
        imports=ImportService(database, feed, Keeper(shelf, custody), pool, _usable(settings)),
        actions=ActionService(database, feed),
        history=HistoryService(database),
        sides=SideService(snapshots),
        survey=SurveyService(database),
        completions=CompletionService(database, feed, intake, custody),
        credits=CreditService(database),
        removals=RemovalService(database, feed, shelves, custody, pool),
        snapshots=snapshots,
        exports=ExportService(database, snapshots, shelves, pool, version()),
        training=training,
        models=ModelService(database, bundles, pool),
        suspicions=suspicions,
        promotion=promotion,
        rollouts=RolloutService(database, feed, answering.beside, promotion, feedback),
        admission=answering.admission,
        predictions=answering.predictions,
        monitoring=Monitoring.build(settings, folders, database, answering.engines, stores.blobs),
        links=LinkService(database, ModelService(database, bundles, pool), answering.visitors),
        refresh=RefreshService(database, snapshots, training, suspicions),
        feedback=feedback,
        inbox=InboxService(database, pictures, images),
    )
    cleaning = _cleaning(database, stores, kept, shelves, custody, pool)
    return _with_workers(services, cleaning, looks, shelf, answering)


def _with_workers(
    services: Services,
    cleaning: Cleaning,
    looks: LookService,
    shelf: ContentShelf,
    answering: Answering,
) -> Parts:
    worker = DownloadWorker(services.downloads, services.pipeline, cleaning, services.feed)
    return Parts(services, worker, LookWorker(looks), shelf, answering)


def _answering(
    settings: Settings,
    database: Database,
    fetcher: Fetcher,
    images: ImageService,
    bundles: BundleStore,
) -> Answering:
    sources = Sources(fetcher, limits.verify_limits(settings), images)
    return answering_parts.put_together(settings.inference, database, sources, bundles)


def _cleaning(
    database: Database,
    stores: Stores,
    kept: KeptFiles,
    shelves: Shelves,
    custody: Custody,
    pool: CpuPool,
) -> Cleaning:
    sweep = SweepService(database, stores, kept, custody.copies)
    return Cleaning(sweep, ReclaimService(database, shelves, custody, pool))


def _usable(settings: Settings) -> ImageRules:
    return ImageRules(limits.verify_limits(settings), settings.fetch.max_bytes)


def _pipeline(
    settings: Settings, downloads: DownloadService, shelf: ContentShelf, fetcher: Fetcher
) -> Pipeline:
    ends = Ends(source=downloads, sink=downloads, shelf=shelf)
    bounds = limits.pipeline_limits(settings, decode_niceness=DECODE_NICENESS)
    return Pipeline(ends, fetcher, bounds)


def _lock(folders: Folders) -> AbstractContextManager[object]:
    # Two servers on one folder would download everything twice and fight over the leases.
    lock = FileLock(folders.make(".") / "server.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout as error:
        raise DataFolderInUseError(
            f"another server uses {folders.root}; stop it, or choose another folder with --data"
        ) from error


def _about() -> About:
    extension = ROOT / "extension"
    return About(
        version=version(),
        extension_path=extension if (extension / "manifest.json").is_file() else None,
    )


def version() -> str:
    """Return the installed version."""
    try:
        return metadata.version("bowerbird")
    except metadata.PackageNotFoundError:
        return "0+unknown"
