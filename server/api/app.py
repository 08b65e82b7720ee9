"""Put the routes, the handlers and the middleware together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, Depends, FastAPI

from server.api import problems
from server.api.deps import Services, get_caller
from server.api.middleware import Doorkeeper, Doors, RequestLog
from server.api.routes import (
    access,
    captures,
    datasets,
    health,
    images,
    jobs,
    models,
    predict,
    snapshots,
    web,
)

API_PREFIX = "/api/v1"
MULTIPART_SLACK_BYTES = 64 * 1024  # boundaries and the other fields of a form with one image

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


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
        max_body_size=services.limits.json_bytes,
    )
    app.state.services = services
    problems.install(app)
    needs_token = [Depends(get_caller)]
    image_bytes = services.limits.image_bytes + MULTIPART_SLACK_BYTES
    for router in (datasets, captures, snapshots, jobs, models, access):
        app.include_router(router.router, prefix=API_PREFIX, dependencies=needs_token)
    with_images = APIRouter(max_body_size=image_bytes)
    for router in (images, predict):
        with_images.include_router(router.router)
    app.include_router(with_images, prefix=API_PREFIX, dependencies=needs_token)
    app.include_router(predict.first_lesson, dependencies=needs_token)
    app.include_router(access.public, prefix=API_PREFIX)
    for public in (access.sign_in, health.router, web.router):
        app.include_router(public)
    app.mount("/assets", web.assets, name="assets")
    # The last one added is the outermost.
    app.add_middleware(Doorkeeper, doors=doors)
    app.add_middleware(RequestLog)
    return app
