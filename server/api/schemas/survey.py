"""What is seen by looking over a whole dataset."""

from __future__ import annotations

from collections.abc import Mapping

from server.api.schemas.base import ReplyModel
from server.api.schemas.images import ImageOut
from server.repositories.facets import Facet
from server.repositories.stacks import Stack


class ValueOut(ReplyModel):
    """A value of a filter, and how many images it gives; null is for those without one."""

    value: str | bool | None
    count: int


class FacetsOut(ReplyModel):
    """The values of each filter, over the whole dataset, most images first.

    Of queries and sites, the 50 with the most. An image counts once for a site that both its
    address and its page are on.
    """

    label: list[ValueOut]
    status: list[ValueOut]
    reason: list[ValueOut]
    engine: list[ValueOut]
    query: list[ValueOut]
    site: list[ValueOut]
    hint: list[ValueOut]
    reviewed: list[ValueOut]

    @classmethod
    def of(cls, facets: Mapping[str, Facet]) -> FacetsOut:
        """Return the facets as the API shows them."""
        return cls.model_validate(
            {
                name: [{"value": value, "count": count} for value, count in facet]
                for name, facet in facets.items()
            }
        )


class StackOut(ReplyModel):
    """Ready images that look alike: up to 20, the largest first, of those the sharpest."""

    near_group: str
    count: int
    images: list[ImageOut]

    @classmethod
    def of(cls, stack: Stack) -> StackOut:
        """Return the stack as the API shows it."""
        images = [ImageOut.of_row(image) for image in stack.images]
        return cls(near_group=stack.key, count=stack.image_count, images=images)


class ConflictOut(ReplyModel):
    """Images that hold the same bytes under different labels, the oldest first."""

    sha256: str
    images: list[ImageOut]

    @classmethod
    def of(cls, stack: Stack) -> ConflictOut:
        """Return the conflict as the API shows it."""
        return cls(sha256=stack.key, images=[ImageOut.of_row(image) for image in stack.images])
