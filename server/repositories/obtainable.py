"""Which rejected images a person's own browser may still get: decided here and nowhere else.

The address answered the server, so the server's guard had let it through, and the answer looks
like one that depends on who asks: a sign-in, a hotlink check, a limit on strangers. What is wrong
with the image itself (gone, broken, too large) a browser would only find again.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from sqlalchemy import ColumnElement, and_, exists, or_, select

from server.db.models import ImageRecord, ImageStatus
from server.db.session import Session
from server.reasons import Reason

# 406 is what some firewalls say to a User-Agent that is no browser's.
STATUSES = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.TOO_MANY_REQUESTS,
)


class ObtainableBy(StrEnum):
    """Who may still get the bytes of an image that the server could not get."""

    BROWSER = "browser"


def obtainable() -> ColumnElement[bool]:
    """Return the condition on ``ImageRecord``."""
    refused = and_(ImageRecord.reason == Reason.HTTP_STATUS, ImageRecord.http_status.in_(STATUSES))
    # A page in the image's place, most often one to sign in. Without a status nothing had answered.
    replaced = and_(ImageRecord.reason == Reason.NOT_AN_IMAGE, ImageRecord.http_status.is_not(None))
    return and_(
        ImageRecord.status == ImageStatus.REJECTED,
        ImageRecord.url.is_not(None),
        or_(refused, replaced),
    )


async def is_obtainable(session: Session, image_id: str) -> bool:
    """Tell whether the condition holds for an image."""
    query = select(exists().where(ImageRecord.id == image_id, obtainable()))
    return bool(await session.scalar(query))
