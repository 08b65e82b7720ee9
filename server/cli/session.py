"""Opens the connection to the server that the client's verbs share."""

from __future__ import annotations

from pathlib import Path

from server.client.bowerbird import Bowerbird
from server.client.transport import Client


def open_bird() -> Bowerbird:
    """Return the Python client for the server named by the environment. Nothing is sent yet.

    Raises:
        ClientError: A setting is not usable.
    """
    return Bowerbird(transport=connect())


def connect(data: Path | None = None) -> Client:
    """Return a client for the server named by the environment. Nothing is sent yet.

    Args:
        data: The server's data folder, for its token, when the person named it.

    Raises:
        CommandError: A setting is not usable.
    """
    # pydantic-settings takes 0.2 s to import, which `--help` need not pay.
    from server.client.settings import ClientSettings  # noqa: PLC0415

    return Client(ClientSettings.load(data))
