"""The contract's one error. Imports nothing."""

from __future__ import annotations


class FormatError(ValueError):
    """Something does not follow its format; the text says what and where."""
