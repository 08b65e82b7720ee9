"""What routes ask for: the services, the caller, a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from server.config import Settings
from server.errors import TokenScopeError, UnauthenticatedError
from server.pipeline.pipeline import Pipeline
from server.repositories.paging import PageRequest
from server.services.access import AccessService, Caller, TokenKind
from server.services.actions import ActionService
from server.services.admission import Admission
from server.services.captures import CaptureService
from server.services.completions import CompletionService
from server.services.credit_list import CreditService
from server.services.datasets import DatasetService
from server.services.downloads import DownloadService
from server.services.exports import ExportService
from server.services.feed import Feed
from server.services.feedback import FeedbackService
from server.services.history import HistoryService
from server.services.images import ImageService
from server.services.imports import ImportService
from server.services.inbox import InboxService
from server.services.links import LinkService
from server.services.models import ModelService
from server.services.monitoring import Monitoring
from server.services.pairing import PairingService, SignInService
from server.services.predictions import PredictionService
from server.services.promotion import PromotionService
from server.services.refresh import RefreshService
from server.services.removals import RemovalService
from server.services.rollouts import RolloutService
from server.services.sides import SideService
from server.services.snapshots import SnapshotService
from server.services.spool import Spool
from server.services.survey import SurveyService
from server.services.suspicions import SuspicionService
from server.services.training import TrainingService

MAX_LIMIT = 500  # rows of a page: about half a megabyte of JSON
COOKIE_PREFIX = "bowerbird_session"


@dataclass(frozen=True)
class Limits:
    """Caps of request bodies, in bytes."""

    json_bytes: int
    image_bytes: int
    bundle_bytes: int
    import_bytes: int
    visitor_image_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the caps that the settings ask for."""
        http = settings.http
        return cls(
            http.max_json_bytes,
            settings.fetch.max_bytes,
            http.max_bundle_bytes,
            http.max_import_bytes,
            min(settings.links.max_image_bytes, settings.fetch.max_bytes),
        )


@dataclass
class About:
    """What the server says of itself.

    Attributes:
        trainer_state: Of the trainer beside it: ``off``, ``missing``, ``running`` or ``stopped``.
        extension_path: The folder to load into the browser; None when it is not on this machine.
    """

    version: str
    extension_path: Path | None
    trainer_state: str = "off"


@dataclass(frozen=True)
class Services:
    """Everything the routes use."""

    about: About
    limits: Limits
    feed: Feed
    spool: Spool
    access: AccessService
    pairing: PairingService
    sign_in: SignInService
    datasets: DatasetService
    captures: CaptureService
    downloads: DownloadService
    pipeline: Pipeline
    images: ImageService
    actions: ActionService
    history: HistoryService
    sides: SideService
    survey: SurveyService
    completions: CompletionService
    imports: ImportService
    credits: CreditService
    removals: RemovalService
    snapshots: SnapshotService
    exports: ExportService
    training: TrainingService
    models: ModelService
    suspicions: SuspicionService
    promotion: PromotionService
    rollouts: RolloutService
    admission: Admission
    predictions: PredictionService
    monitoring: Monitoring
    links: LinkService
    refresh: RefreshService
    feedback: FeedbackService
    inbox: InboxService


async def get_services(request: Request) -> Services:
    """Return the services of the application."""
    services: Services = request.app.state.services
    return services


def cookie_name(request: Request) -> str:
    """Return the name of the session cookie: cookies know no ports, so the name holds it."""
    return f"{COOKIE_PREFIX}_{request.url.port or 80}"


# A trainer opens strangers' images with large libraries: should one take it over, that is all it
# can reach.
_TRAINER_PATHS = re.compile(
    r"/api/v1/(server|removed-blobs|blobs/\w+|models/\w+/bundle|snapshots/\w+(/(manifest|origins))?|jobs/claim|jobs/\w+/(progress|bundle|finding|fail))"
)

_bearer = HTTPBearer(auto_error=False, description="A token of `bowerbird token create`.")


async def get_caller(
    request: Request,
    services: Annotated[Services, Depends(get_services)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """Return who calls, by bearer token or by the web pages' cookie.

    Raises:
        UnauthenticatedError: Neither is there, or it is not known.
        TokenScopeError: It is a trainer's, and this is no trainer's work.
    """
    text = bearer.credentials if bearer else request.cookies.get(cookie_name(request))
    if not text:
        raise UnauthenticatedError("send a token: Authorization: Bearer …")
    caller = await services.access.check(text)
    if caller.kind is TokenKind.TRAINER and not _TRAINER_PATHS.fullmatch(request.url.path):
        raise TokenScopeError("a trainer's token claims jobs, reads their blobs and sends bundles")
    return caller


async def get_page(
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> PageRequest:
    """Return which page of a list is asked for."""
    return PageRequest(cursor, limit)


ServicesDep = Annotated[Services, Depends(get_services)]
CallerDep = Annotated[Caller, Depends(get_caller)]
PageDep = Annotated[PageRequest, Depends(get_page)]
