"""Limits that limit, and the name under which we ask."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from server.net.limits import FetchLimits


@pytest.mark.parametrize(
    "bad",
    [{"max_bytes": 0}, {"concurrency": 0}, {"per_host": 0}, {"max_redirects": -1}, {"total_s": 0},
     {"connect_s": 0}, {"read_s": -1}, {"keepalive_s": 0}, {"contact": "a\r\nX: y"},
     {"contact": "ü"}],
)  # fmt: skip
def test_limits_that_limit_nothing_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        FetchLimits(**bad)


def test_the_name_is_honest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FetchLimits(contact="x@example.org").user_agent.endswith("(+x@example.org)")
    assert FetchLimits().user_agent.startswith("Bowerbird/")

    def missing(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", missing)
    assert FetchLimits().user_agent.startswith("Bowerbird/0 (")
