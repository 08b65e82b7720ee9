"""X-Robots-Tag: which wishes are for us."""

from __future__ import annotations

import pytest

from server.net.opt_out import says_opt_out


@pytest.mark.parametrize(
    "values",
    [["noai"], ["NoImageAI"], ["noindex, noai"], ["noindex", " noimageai "], ["bowerbird: noai"],
     ["otherbot: noindex", "noai"], ["*: noai"], ["unavailable_after: 25 Jun 2010, noai"],
     ["max-snippet: 20, noimageai"], ["otherbot: nofollow, bowerbird: noai"]],
)  # fmt: skip
def test_a_wish_not_to_be_used_is_seen(values: list[str]) -> None:
    assert says_opt_out(values)


@pytest.mark.parametrize(
    "values",
    [[], [""], ["noindex, nofollow"], ["otherbot: noai"], ["otherbot: noindex, noai"], ["noaix"],
     ["unavailable_after: noai"], [",,:,"]],
)  # fmt: skip
def test_other_wishes_are_not_ours(values: list[str]) -> None:
    assert not says_opt_out(values)
