"""``bowerbird doctor``."""

from __future__ import annotations

import typer

from server.cli import console
from server.cli.commands.options import AsJson, DataFolder
from server.cli.doctor.check import Verdict

EXAMPLES = console.examples("bowerbird doctor", "bowerbird doctor --json")


def doctor(data: DataFolder = None, as_json: AsJson = False) -> None:
    """Check what Bowerbird needs, and say what to do where something is missing.

    Exit code 1 when something does not work; what is merely missing is a warning.
    """
    # The settings and, through them, the database: only this verb looks at everything.
    from server.cli.doctor.run import run_checks  # noqa: PLC0415

    checks = run_checks(data)
    has_failed = any(check.verdict is Verdict.FAIL for check in checks)
    if as_json:
        console.emit_json({"ok": not has_failed, "checks": [one.as_json() for one in checks]})
    else:
        for check in checks:
            console.emit(f"{check.verdict.value:4}  {check.name}: {check.found}")
            if check.advice:
                console.emit(f"      → {check.advice}")
    if has_failed:
        raise typer.Exit(1)
