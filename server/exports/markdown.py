"""Strangers' texts in Markdown. Imports nothing of the project."""

from __future__ import annotations

import re


def escape(text: object) -> str:
    """Return a stranger's text as Markdown that shows it, and nothing else, on one line."""
    line = " ".join(str("" if text is None else text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#!~])", r"\\\1", line)
