"""Which version this is. Imports nothing of the project."""

from __future__ import annotations

from importlib import metadata

DISTRIBUTION = "bowerbird"


def version() -> str:
    """Return the installed version; ``0+unknown`` when run from a folder that is not installed."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0+unknown"


def client_name() -> str:
    """Return how this client calls itself in captures."""
    return f"bowerbird-cli/{version()}"
