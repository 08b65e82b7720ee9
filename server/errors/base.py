"""The base of every error that the server raises on purpose."""

from __future__ import annotations

from typing import ClassVar


class ServerError(Exception):
    """Base of every error this server raises on purpose.

    Attributes:
        slug: Stable name of the error kind; the last part of the problem ``type``.
        title: One sentence, the same for every occurrence.
        extra: Members that the problem document carries beside the standard ones.
    """

    slug: ClassVar[str] = "server-error"
    title: ClassVar[str] = "The server failed"

    def __init__(self, message: str = "", **extra: object) -> None:
        super().__init__(message or self.title)
        self.extra = extra
