"""Routes of tokens, pairing and sign-in.

`public` holds the few that need no token: they exchange a code, or a token, for access.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from server.api.deps import CallerDep, ServicesDep, cookie_name
from server.api.schemas.access import (
    CallerOut,
    DiskOut,
    DownloadsOut,
    NewTokenOut,
    PairedOut,
    PairingOut,
    RedeemIn,
    ServerOut,
    SessionIn,
    SignInOut,
    TokenIn,
    TokenOut,
    TokensOut,
    TrainerOut,
)
from server.contract.recipes import BACKBONES
from server.errors import SignInCodeError, TokenScopeError
from server.services.access import SESSION_LIFE, TokenKind

router = APIRouter(tags=["access"])
public = APIRouter(tags=["access"])


@router.get("/server")
async def read_server(caller: CallerDep, services: ServicesDep) -> ServerOut:
    """Say who answers, and for whom the caller is taken."""
    about = services.about
    return ServerOut(
        version=about.version,
        token=CallerOut(name=caller.name, kind=caller.kind),
        trainer=TrainerOut(enabled=about.trainer_state != "off", state=about.trainer_state),
        downloads=DownloadsOut(
            in_flight=services.pipeline.in_flight_count,
            queued=await services.downloads.count_queued(),
            rate_per_s=round(services.pipeline.rate_per_s, 1),
        ),
        extension_path=str(about.extension_path) if about.extension_path else None,
        backbones=BACKBONES,
    )


@router.get("/server/disk")
async def read_disk(services: ServicesDep) -> DiskOut:
    """Say how much of the disk the images take, and how much is free."""
    return DiskOut(
        images_bytes=await services.survey.sum_blob_bytes(),
        free_bytes=await services.spool.free_bytes(),
    )


@router.post("/pairings", status_code=status.HTTP_201_CREATED)
async def open_pairing(services: ServicesDep) -> PairingOut:
    """Open a pairing and return its code; a former code is void."""
    return PairingOut.model_validate(services.pairing.open())


@public.post("/pairings/redeem", status_code=status.HTTP_201_CREATED)
async def redeem_pairing(body: RedeemIn, request: Request, services: ServicesDep) -> PairedOut:
    """Exchange the code on the page for a token. Five wrong codes void it."""
    origin = request.headers.get("origin")
    token, record = await services.pairing.redeem(body.code, body.client, origin)
    version = services.about.version
    return PairedOut(token=token, token_id=record.id, name=record.name, server_version=version)


@router.get("/tokens")
async def list_tokens(services: ServicesDep) -> TokensOut:
    """List paired browsers, sessions and tokens that were made by hand."""
    found = await services.access.list_all()
    return TokensOut(items=[TokenOut.model_validate(record) for record in found])


@router.post("/tokens", status_code=status.HTTP_201_CREATED)
async def create_token(body: TokenIn, services: ServicesDep) -> NewTokenOut:
    """Make a token; its text is shown this once."""
    token, record = await services.access.create(body.name, TokenKind.API)
    return NewTokenOut(id=record.id, name=record.name, token=token)


@router.delete("/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_token(token_id: str, services: ServicesDep) -> Response:
    """Revoke a token: unpair a browser, end a session."""
    await services.access.revoke(token_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/sign-in-codes", status_code=status.HTTP_201_CREATED)
async def open_sign_in(request: Request, services: ServicesDep) -> SignInOut:
    """Make a link that signs a browser in, once."""
    code, expires_at = services.sign_in.open()
    url = request.url.replace(path="/sign-in", query=f"code={code}")
    return SignInOut(url=str(url), expires_at=expires_at)


@public.post("/session", status_code=status.HTTP_204_NO_CONTENT)
async def start_session(body: SessionIn, request: Request, services: ServicesDep) -> Response:
    """Sign the web pages in with a token."""
    caller = await services.access.check(body.token)
    if caller.kind is TokenKind.TRAINER:
        raise TokenScopeError("a trainer's token opens no web pages")
    response = Response(status_code=status.HTTP_204_NO_CONTENT)
    _set_cookie(response, request, await services.sign_in.start_session())
    return response


@router.delete("/session", status_code=status.HTTP_204_NO_CONTENT)
async def end_session(request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    """Sign the web pages out."""
    if caller.kind is TokenKind.WEB:
        await services.access.revoke(caller.token_id)
    response = Response(status_code=status.HTTP_204_NO_CONTENT)
    response.delete_cookie(cookie_name(request), samesite="strict", httponly=True)
    return response


sign_in = APIRouter(tags=["access"], include_in_schema=False)


@sign_in.get("/sign-in")
async def follow_sign_in(
    code: Annotated[str, Query(max_length=100)], request: Request, services: ServicesDep
) -> RedirectResponse:
    """Follow the link that the server printed: set the cookie, show the home page.

    A person whose link is spent gets the page too, which says so and names the other ways in.
    """
    try:
        token = await services.sign_in.redeem(code)
    except SignInCodeError:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        return RedirectResponse("/?link=spent", status_code=status.HTTP_303_SEE_OTHER)
    response = RedirectResponse("/", status_code=status.HTTP_303_SEE_OTHER)
    _set_cookie(response, request, token)
    return response


def _set_cookie(response: Response, request: Request, token: str) -> None:
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
