"""Checks of the running server and its port. May import ``client``, ``check``."""

from __future__ import annotations

import contextlib
import errno
import socket

from server.cli.doctor.check import Check, fail, ok, warn
from server.cli.errors import CommandError
from server.client.errors import ForeignServerError, NoServerError, ProblemError
from server.client.transport import Client
from server.client.views import ServerInfo, TrainerInfo


def check_server(client: Client) -> list[Check]:
    """Check who answers at the server's address, whether it lets us in, and its trainer."""
    try:
        health = client.health()
    except NoServerError:
        found = f"nothing answers at {client.server}"
        return [warn("server", found, "Start it: `bowerbird serve --data ./data`.")]
    except ForeignServerError as error:
        return [fail("server", f"another program answers at {client.server}", error.advice)]
    except CommandError as error:
        return [fail("server", str(error), error.advice or "See the server's log.")]
    found = f"Bowerbird {health.version} at {client.server}"
    return [ok("server", found), *_check_token(client)]


def _check_token(client: Client) -> list[Check]:
    try:
        info = client.get("/server", ServerInfo)
    except ProblemError as error:
        return [fail("token", str(error), error.advice)]
    except CommandError as error:
        return [fail("token", str(error), error.advice)]
    name = info.token.name if info.token is not None else "valid"
    return [ok("token", name), _check_worker(info.trainer)]


def _check_worker(trainer: TrainerInfo | None) -> Check:
    if trainer is None or not trainer.enabled:
        advice = "Serve without --no-trainer, or run `python -m trainer` somewhere."
        return warn("running trainer", "none beside the server", advice)
    state = trainer.state or "started by the server"
    if state in _BROKEN:
        return fail("running trainer", state, "See the server's log for why it ended.")
    return ok("running trainer", state)


_BROKEN = frozenset({"failed", "crashed", "stopped", "missing"})


def check_port(host: str, port: int, *, is_answering: bool) -> Check:
    """Check that ``serve`` could listen on its port.

    Args:
        host: The address it would listen on.
        port: The port.
        is_answering: Whether a Bowerbird was found to be running.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        # As the server does: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return _port_taken(error, port, is_answering=is_answering)
    return ok("port", f"{port} is free")


def _port_taken(error: OSError, port: int, *, is_answering: bool) -> Check:
    if error.errno == errno.EADDRINUSE and is_answering:
        return ok("port", f"{port} is in use, by the Bowerbird that answers")
    advice = "Serve on another one: `bowerbird serve --port 8001`."
    return fail("port", f"{port} can't be used ({error.strerror})", advice)
