"""Domain errors of asking models, and of what is kept of their answers.

Apart from ``server.errors``, which they build upon, for the length of that file alone.
"""

from __future__ import annotations

from server.errors import NotFoundError, ServerError


class TooBusyError(ServerError):
    """More is asked of the models than is let in.

    Attributes:
        retry_after_s: Whole seconds after which there will be room; in ``extra`` as well.
    """

    slug, title = "too-busy", "The server has too much to answer at once"

    def __init__(self, why: str, retry_after_s: int) -> None:
        super().__init__(f"{why}; try again in {retry_after_s} s", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class PredictionNotFoundError(NotFoundError):
    """No prediction is kept under this id, or not its image (any more)."""

    slug, title, noun = "prediction-not-found", "Prediction not found", "kept prediction"
