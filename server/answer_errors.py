"""Domain errors of what is kept of models' answers.

Apart from ``server.errors``, which they build upon, for the length of that file alone.
"""

from __future__ import annotations

from server.errors import NotFoundError


class PredictionNotFoundError(NotFoundError):
    """No prediction is kept under this id, or not its image (any more)."""

    slug, title, noun = "prediction-not-found", "Prediction not found", "kept prediction"
