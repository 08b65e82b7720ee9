"""Tokens, pairing, sign-in, and what the server says of itself."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from server.api.schemas.base import Name, ReplyModel, RequestModel


class TokenIn(RequestModel):
    """A token to make."""

    name: Name


class TokenOut(ReplyModel):
    """A token; its text is shown once, when it is made."""

    id: str
    name: str
    kind: str
    origin: str | None
    created_at: datetime
    last_used_at: datetime | None


class TokensOut(ReplyModel):
    """The tokens that are the person's to revoke."""

    items: list[TokenOut]


class NewTokenOut(ReplyModel):
    """A new token, with its text."""

    id: str
    name: str
    token: str


class PairingOut(ReplyModel):
    """An open pairing: the code to type into the extension."""

    code: str
    expires_at: datetime
    attempts_left: int


class RedeemIn(RequestModel):
    """A pairing code, typed in the extension."""

    code: str = Field(min_length=1, max_length=40)
    client: Name


class PairedOut(ReplyModel):
    """The token of a newly paired extension."""

    token: str
    token_id: str
    name: str
    server_version: str


class SessionIn(RequestModel):
    """A token to sign the web pages in with."""

    token: str = Field(min_length=1, max_length=200)


class SignInOut(ReplyModel):
    """A link that signs a browser in, once."""

    url: str
    expires_at: datetime


class CallerOut(ReplyModel):
    """Who the server takes the caller for."""

    name: str
    kind: str


class TrainerOut(ReplyModel):
    """The trainer beside the server: whether there is to be one, and how it is."""

    enabled: bool
    state: str


class DownloadsOut(ReplyModel):
    """How the downloads go: requests under way, images queued, images ended a second just now."""

    in_flight: int
    queued: int
    rate_per_s: float


class ServerOut(ReplyModel):
    """What the server says of itself; of the backbones a recipe may name, the default is first."""

    name: str = "bowerbird"
    version: str
    api_version: int = 1
    token: CallerOut
    trainer: TrainerOut
    downloads: DownloadsOut
    extension_path: str | None
    backbones: tuple[str, ...]


class DiskOut(ReplyModel):
    """How much the verified images take, and how much room their disk has left."""

    images_bytes: int
    free_bytes: int
