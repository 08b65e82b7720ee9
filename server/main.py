"""Composition root: from settings to a running server."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import logging
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from filelock import FileLock, Timeout

from server import heap, logs
from server.api.address import listen, shown_host
from server.api.app import create_app
from server.api.deps import About, Limits, Services
from server.api.middleware import Doors
from server.api.web_server import WebServer
from server.config import Folders, Settings, inherited_environment
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
from server.services.access import AccessService, TokenKind
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
from server.services.history import HistoryService
from server.services.images import ImageService
from server.services.imports import ImportService
from server.services.imports_images import ImageRules, Keeper
from server.services.intake import Intake, Stores
from server.services.looks import LookService
from server.services.models import BundleStore, ModelService
from server.services.monitoring import Monitoring
from server.services.pairing import PairingService, SignInService
from server.services.predictions import Sources
from server.services.promotion import PromotionService
from server.services.reclaim import ReclaimService
from server.services.removals import RemovalService
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
from server.workers.removals import finish_removals
from server.workers.trainer import TrainerCommand, TrainerProcess, TrainerState

log = logging.getLogger(__name__)

GRACE_S = 5  # for open requests at shutdown; event streams never end by themselves
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
        parts = _put_together(settings, folders, stores, database, pool, fetcher)
        stack.callback(parts.shelf.close)
        stack.callback(parts.answering.close)
        yield parts


def _put_together(
    settings: Settings,
    folders: Folders,
    stores: Stores,
    database: Database,
    pool: CpuPool,
    fetcher: Fetcher,
) -> Parts:
    feed = Feed()
    intake = Intake(stores, pool, limits.verify_limits(settings))
    bundles = BundleStore(folders.make("bundles"))
    suspicions = SuspicionService(database, bundles, pool)
    access = AccessService(database)
    custody = Custody(database, stores, FileStore(folders.make("trainer") / "blobs"))
    downloads = DownloadService(database, feed, custody)
    shelf = ContentShelf(stores.blobs, stores.thumbnails, folders.root)
    pipeline = _pipeline(settings, downloads, shelf, fetcher)
    usable = ImageRules(limits.verify_limits(settings), settings.fetch.max_bytes)
    looks = LookService(database, stores.thumbnails, pool, feed)
    shelves = Shelves(stores.blobs, folders.make("snapshots"), folders.make("exports"))
    kept = KeptFiles(SnapshotLeftovers(shelves), bundles)
    snapshots = SnapshotService(database, looks, shelves, custody, pool)
    images = ImageService(database, feed, intake, stores, custody)
    sources = Sources(fetcher, limits.verify_limits(settings), images)
    answering = answering_parts.put_together(settings.inference, database, sources, bundles)
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
        pipeline=pipeline,
        images=images,
        imports=ImportService(database, feed, Keeper(shelf, custody), pool, usable),
        actions=ActionService(database, feed),
        history=HistoryService(database),
        sides=SideService(snapshots),
        survey=SurveyService(database),
        completions=CompletionService(database, feed, intake, custody),
        credits=CreditService(database),
        removals=RemovalService(database, feed, shelves, custody, pool),
        snapshots=snapshots,
        exports=ExportService(database, snapshots, shelves, pool, version()),
        training=TrainingService(database, feed, bundles, pool, limits.job_rules(settings)),
        models=ModelService(database, bundles, pool),
        suspicions=suspicions,
        promotion=PromotionService(database, feed, bundles, answering.registry, suspicions),
        admission=answering.admission,
        predictions=answering.predictions,
        monitoring=Monitoring.build(settings, folders, database, bundles, pool),
    )
    sweep = SweepService(database, stores, kept, custody.copies)
    reclaim = ReclaimService(database, shelves, custody, pool)
    worker = DownloadWorker(downloads, pipeline, Cleaning(sweep, reclaim), feed)
    return Parts(services, worker, LookWorker(looks), shelf, answering)


def _pipeline(
    settings: Settings, downloads: DownloadService, shelf: ContentShelf, fetcher: Fetcher
) -> Pipeline:
    ends = Ends(source=downloads, sink=downloads, shelf=shelf)
    bounds = limits.pipeline_limits(settings, decode_niceness=DECODE_NICENESS)
    return Pipeline(ends, fetcher, bounds)


def create_server_app(parts: Parts, settings: Settings, trainer: TrainerProcess | None) -> FastAPI:
    """Return the application with its workers beside it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await parts.services.access.load_origins()
        await parts.services.access.forget_old_sessions()
        await parts.services.training.renew_leases()
        loops = [parts.downloads.run(), parts.looks.run(), finish_removals(parts.services.removals)]
        loops += [parts.answering.warm_up()]
        loops.append(parts.services.monitoring.log.run())
        loops += [trainer.run()] if trainer else []
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_watch(loop)) for loop in loops]
            yield
            for task in running:
                task.cancel()

    parts.services.predictions.note = parts.services.monitoring.log.note
    doors = Doors(settings.http.host_names, parts.services.access.is_paired)
    return create_app(parts.services, doors, lifespan)


async def _watch(loop: Coroutine[None, None, None]) -> None:
    """Run a loop that never ends; should it fail, end the server rather than serve without it."""
    try:
        await loop
    except Exception:  # boundary: the last one of a worker
        log.exception("worker.died")
        signal.raise_signal(signal.SIGTERM)


def serve(settings: Settings, *, open_browser: bool) -> int:
    """Run the server until it is stopped by a signal.

    Args:
        settings: All of them.
        open_browser: Show the sign-in link in the person's browser.

    Returns:
        The exit code.

    Raises:
        DataFolderInUseError: Another server uses the data folder.
        OSError: The port is taken, or the data folder cannot be written.
    """
    heap.share()
    logs.configure(settings.log_level)
    return asyncio.run(_serve(settings, open_browser=open_browser))


async def _serve(settings: Settings, *, open_browser: bool) -> int:
    async with build(settings) as parts:
        listener = listen(settings.http)
        url = f"http://{shown_host(settings.http.host)}:{listener.getsockname()[1]}"
        services = parts.services
        await _leave_tokens(services.access, settings)
        trainer = await _trainer(services, settings, url)

        def on_ready() -> None:
            code, _ = services.sign_in.open()
            link = f"{url}/sign-in?code={code}"
            sys.stdout.write(
                f"Bowerbird {services.about.version} is ready at {url}\n"
                f"Sign in (this link works once): {link}\n"
            )
            sys.stdout.flush()
            # What was loaded stays. Python would go through all of it every few seconds of
            # downloads, and nobody is answered for the 100 ms that takes.
            gc.freeze()
            if open_browser:
                webbrowser.open(link)

        config = uvicorn.Config(
            create_server_app(parts, settings, trainer),
            log_config=None,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )

        def on_stop() -> None:
            if trainer is not None:
                trainer.stop()
            services.feed.close()

        server = WebServer(config, on_ready, on_stop)
        await server.serve(sockets=[listener])
        return 0 if server.started else 1


def create_token(settings: Settings, name: str) -> str:
    """Make a token and return its text. Works beside a running server.

    Args:
        settings: Name the data folder.
        name: What the token is for.
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate.upgrade(settings.resolved_database_url)

    async def create() -> str:
        database = Database(settings.resolved_database_url)
        try:
            text, _ = await AccessService(database).create(name, TokenKind.API)
        finally:
            await database.close()
        return text

    return asyncio.run(create())


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


async def _leave_tokens(access: AccessService, settings: Settings) -> None:
    """Make sure that the owner's token, and one for trainers elsewhere, lie where they belong."""
    await access.leave(settings.data / "token", "owner", TokenKind.OWNER)
    if settings.training.token_file is not None:
        file = settings.training.token_file
        await access.leave(file, "trainers elsewhere", TokenKind.TRAINER)


async def _trainer(services: Services, settings: Settings, url: str) -> TrainerProcess | None:
    about = services.about
    if not settings.training.enabled:
        about.trainer_state = TrainerState.OFF
        return None
    if importlib.util.find_spec("torch") is None:
        about.trainer_state = TrainerState.MISSING
        log.warning(
            "trainer.missing",
            extra={"advice": "pip install 'bowerbird[trainer]' to train on this machine"},
        )
        return None
    token = await services.access.replace("trainer beside the server", TokenKind.TRAINER)
    command = TrainerCommand(url, token, Folders(settings.data.absolute()).make("trainer"))

    def tell(state: TrainerState) -> None:
        about.trainer_state = state

    return TrainerProcess(command, inherited_environment(), tell)
