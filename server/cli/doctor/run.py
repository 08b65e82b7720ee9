"""Runs every check. May import its neighbours, ``local`` and ``session``."""

from __future__ import annotations

from pathlib import Path

from server.cli import local
from server.cli.doctor import machine, service, storage
from server.cli.doctor.check import Check, Verdict, fail
from server.cli.errors import CommandError
from server.cli.session import connect


def run_checks(data: Path | None) -> list[Check]:
    """Return all checks, in the order in which a person would look at them."""
    checks = [
        machine.check_python(),
        machine.check_inference(),
        machine.check_trainer(),
        machine.check_browser(),
    ]
    try:
        settings = local.load(data)
        checks += [storage.check_data(settings.data), storage.check_space(settings.data)]
        checks.append(storage.check_database(settings))
        with connect(settings.data) as client:
            found = service.check_server(client)
        checks += found
        is_answering = found[0].verdict is Verdict.OK
        http = settings.http
        checks.append(service.check_port(http.host, http.port, is_answering=is_answering))
    except CommandError as error:
        checks.append(fail("settings", str(error), "See docs/settings.md."))
    return checks
