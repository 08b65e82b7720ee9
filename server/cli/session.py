"""Opens the connection to the server that the client's verbs share."""

from __future__ import annotations

from pathlib import Path

from server.cli.client import Client


def connect(data: Path | None = None) -> Client:
    """Return a client for the server named by the environment. Nothing is sent yet.

    Args:
        data: The server's data folder, for its token, when the person named it.

    Raises:
        CommandError: A setting is not usable.
    """
    # pydantic-settings takes 0.2 s to import, which `--help` need not pay.
    from server.cli.settings import ClientSettings  # noqa: PLC0415

    return Client(ClientSettings.load(data))
