"""``python -m trainer``: one trainer process. Parses options, wires the parts, runs the worker."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from pydantic import ValidationError

from server.contract.schema import describe
from trainer import identity, logs, watch
from trainer.client import ServerClient
from trainer.config import WorkerSettings
from trainer.transport import Transport
from trainer.worker import Worker

_USAGE_ERROR = 2
_SPARE_CONNECTIONS = 4  # beside the downloads: heartbeat, claim, upload


def main(arguments: list[str] | None = None) -> int:
    """Run a trainer until it is ended.

    Returns:
        The exit code: 0, or 2 when settings are wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
    except ValidationError as error:
        sys.stderr.write(f"trainer: {describe(error)}\n")
        return _USAGE_ERROR
    except OSError as error:
        sys.stderr.write(f"trainer: the token file cannot be read: {error}\n")
        return _USAGE_ERROR
    logs.configure()
    watch.exit_on_signals(has_parent=options.parent_pid is not None)
    if options.parent_pid:
        watch.exit_with(options.parent_pid)
    connections = settings.download_threads + _SPARE_CONNECTIONS
    with (
        identity.claimed(settings.work, settings.name) as name,
        Transport(str(settings.server), settings.token, connections) as transport,
    ):
        client = ServerClient(transport, name, settings.download_threads)
        own = settings.model_copy(update={"name": name})
        renew = _end if options.once else _renew
        Worker(client, own, time.sleep, renew).run(once=options.once)
    return 0


def _renew() -> None:
    # The same process id, options and environment; sockets and files close themselves (PEP 446).
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command


def _end() -> None:
    os._exit(0)  # not by an exception: it is another thread's work that ends


def _settings(options: argparse.Namespace) -> WorkerSettings:
    given = {
        name: value
        for name in ("server", "work", "name")
        if (value := getattr(options, name)) is not None
    }
    if options.token_file:
        given["token"] = options.token_file.read_text(encoding="utf-8").strip()
    return WorkerSettings(**given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer",
        description="Claim training jobs from a Bowerbird server and send back models.",
        epilog="The token comes from BOWERBIRD_TOKEN or --token-file; more settings by environment "
        "variables that begin with BOWERBIRD_TRAINER__.",
    )
    parser.add_argument("--server", metavar="URL", help="address of the server")
    parser.add_argument("--work", metavar="DIR", type=Path, help="folder of blobs and features")
    parser.add_argument("--name", help="this worker's name; each process adds a suffix")
    parser.add_argument("--token-file", metavar="FILE", type=Path, help="file that holds the token")
    parser.add_argument(
        "--parent-pid", metavar="PID", type=int, help="end when this process is gone"
    )
    parser.add_argument("--once", action="store_true", help="end after one job")
    return parser


if __name__ == "__main__":
    sys.exit(main())
