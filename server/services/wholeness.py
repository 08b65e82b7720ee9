"""Whether a snapshot still has all of its images, and what is said where it has not."""

from __future__ import annotations

from collections.abc import Sequence

from server.db.removal_models import RemovalRecord
from server.db.session import Session
from server.errors import ImagesRemovedError
from server.repositories import removals


async def check_whole(session: Session, snapshot_id: str) -> None:
    """Check that no image of a snapshot was removed for good.

    Raises:
        ImagesRemovedError: Some were.
    """
    count = (await removals.count_gone(session, [snapshot_id])).get(snapshot_id, 0)
    if not count:
        return
    took = await removals.list_removals_of(session, snapshot_id)
    named = ", ".join(sorted({record.site for record in took}))
    raise ImagesRemovedError(
        f"{count} images of snapshot {snapshot_id} were removed for good, with everything of "
        f"{named}; take a new snapshot",
        removed=count,
        removals=removal_notes(took),
    )


def removal_notes(took: Sequence[RemovalRecord]) -> list[dict[str, str]]:
    """Return removals as a problem names them."""
    return [
        {
            "removal_id": record.id,
            "site": record.site,
            "created_at": record.created_at.isoformat(),
        }
        for record in took
    ]
