"""What a check returns. Imports nothing of the project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class Verdict(StrEnum):
    """How a check ended: ``warn`` = works, but something is missing; ``fail`` = does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One line of ``doctor``: what was looked at, what was found, what to do about it."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the check as a member of the JSON document."""
        return {
            "name": self.name,
            "verdict": self.verdict.value,
            "found": self.found,
            "advice": self.advice,
        }


def ok(name: str, found: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name, Verdict.OK, found)


def warn(name: str, found: str, advice: str) -> Check:
    """Return a check that found something missing."""
    return Check(name, Verdict.WARN, found, advice)


def fail(name: str, found: str, advice: str) -> Check:
    """Return a check that found something that does not work."""
    return Check(name, Verdict.FAIL, found, advice)
