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
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from server import heap, logs
from server.api.address import listen, shown_host
from server.api.app import create_app
from server.api.deps import Services
from server.api.middleware import Doors
from server.api.web_server import WebServer
from server.assembly import Parts, build
from server.config import Folders, Settings, inherited_environment
from server.db import migrate
from server.db.session import Database
from server.services.access import AccessService, TokenKind
from server.workers.refresh import refresh_by_night
from server.workers.removals import finish_removals
from server.workers.trainer import TrainerCommand, TrainerProcess, TrainerState

log = logging.getLogger(__name__)

GRACE_S = 5  # for open requests at shutdown; event streams never end by themselves


def create_server_app(parts: Parts, settings: Settings, trainer: TrainerProcess | None) -> FastAPI:
    """Return the application with its workers beside it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await parts.services.access.load_origins()
        await parts.services.access.forget_old_sessions()
        await parts.services.training.renew_leases()
        loops = [parts.downloads.run(), parts.looks.run(), finish_removals(parts.services.removals)]
        loops += [parts.answering.warm_up()]
        loops += [parts.services.monitoring.log.run(), parts.services.monitoring.nearness.run()]
        loops.append(parts.services.rollouts.run())
        loops.append(parts.services.links.run())
        loops.append(parts.services.inbox.run())
        loops.append(refresh_by_night(parts.services.refresh))
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
