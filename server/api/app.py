"""Put the routes, the handlers and the middleware together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from server.api import problems
from server.api.deps import Limits, Services, get_caller
from server.api.middleware import BodyCap, Doorkeeper, Doors, ProblemsOnly, RequestLog
from server.api.routes import (
    access,
    actions,
    captures,
    credit_list,
    datasets,
    events,
    exports,
    feedback,
    health,
    images,
    imports,
    jobs,
    links,
    models,
    predict,
    prediction_log,
    refresh,
    removed_blobs,
    rollouts,
    sites,
    snapshots,
    survey,
    suspicions,
    web,
)

API_PREFIX = "/api/v1"
MULTIPART_SLACK_BYTES = 64 * 1024  # boundaries and the other fields of a form with one image

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@functools.cache
def _routes() -> list[BaseRoute]:
    """Return all routes, of which every application of a process has the same.

    At the first request the framework makes handlers of them, which takes 0.2 s: only once so.
    """
    every = APIRouter(responses=problems.RESPONSES)
    needs_token = [Depends(get_caller)]
    routers = (
        predict,  # first: routes are tried in their order, and these are asked hundreds a second
        datasets,
        events,
        captures,
        images,
        imports,
        credit_list,
        sites,
        removed_blobs,
        actions,
        survey,
        snapshots,
        exports,
        jobs,
        models,
        rollouts,
        suspicions,
        prediction_log,
        feedback,
        links,
        refresh,
        access,
    )
    for router in routers:
        every.include_router(router.router, prefix=API_PREFIX, dependencies=needs_token)
    every.include_router(predict.first_lesson, dependencies=needs_token)
    every.include_router(access.public, prefix=API_PREFIX)
    for public in (access.sign_in, health.router, web.router, links.visit):
        every.include_router(public)
    every.mount("/assets", web.assets, name="assets")
    return every.routes


def create_app(services: Services, doors: Doors, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the application.

    Args:
        services: What the routes use.
        doors: Whom the server answers to.
        lifespan: Runs the workers beside it.
    """
    app = FastAPI(
        title="Bowerbird",
        version=services.about.version,
        description="From browsing to a working image classifier.",
        lifespan=lifespan,
        # Ours at /docs: the framework's would load scripts from elsewhere into this origin.
        docs_url=None,
        responses=problems.RESPONSES,
        redoc_url=None,
        routes=_routes(),
    )
    app.state.services = services
    problems.install(app)
    # The last one added is the outermost.
    app.add_middleware(ProblemsOnly)
    app.add_middleware(BodyCap, caps=_caps(services.limits), default=services.limits.json_bytes)
    app.add_middleware(Doorkeeper, doors=doors)
    app.add_middleware(RequestLog)
    return app


def _caps(limits: Limits) -> Mapping[Callable[..., object], int]:
    """Return the cap of the body, in bytes, of each route that takes more than JSON."""
    form_bytes = limits.image_bytes + MULTIPART_SLACK_BYTES
    return {
        images.upload_image: form_bytes,
        images.complete_image: form_bytes,
        predict.classify: form_bytes,
        feedback.give_feedback: form_bytes,
        jobs.upload_bundle: limits.bundle_bytes,
        imports.import_file: limits.import_bytes,
        links.ask: limits.visitor_image_bytes + MULTIPART_SLACK_BYTES,
    }
