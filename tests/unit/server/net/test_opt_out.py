"""Headers of an answer: which wishes are for us."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from server.net.opt_out import opt_out_of, says_opt_out


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


def header(*pairs: tuple[str, str]) -> str | None:
    return opt_out_of(CIMultiDictProxy(CIMultiDict(pairs)))


@pytest.mark.parametrize(
    ("pairs", "name"),
    [
        ([("x-robots-tag", "noindex"), ("X-Robots-Tag", "noai")], "X-Robots-Tag"),
        ([("Content-Usage", "train-ai=n")], "Content-Usage"),
        ([("content-usage", "search=y, train-ai=n;a=b")], "Content-Usage"),
        ([("Content-Usage", "train-ai=y"), ("Content-Usage", "train-ai=n")], "Content-Usage"),
        ([("tdm-reservation", "1"), ("tdm-policy", "https://a.test/p")], "TDM-Reservation"),
        ([("TDM-Reservation", " 1 ")], "TDM-Reservation"),
    ],
)
def test_each_header_that_may_say_it_is_heeded(pairs: list[tuple[str, str]], name: str) -> None:
    assert header(*pairs) == name


@pytest.mark.parametrize(
    "pair",
    [
        ("Content-Usage", "train-ai=y"),
        ("Content-Usage", "train-ai=n, train-ai=y"),
        ("Content-Usage", "train-ai"),
        ("Content-Usage", "train-ai=?0"),
        ("Content-Usage", "search=n"),
        ("Content-Usage", ',;=,"train-ai=n"'),
        ("TDM-Reservation", "0"),
        ("TDM-Reservation", "10"),
        ("TDM-Policy", "1"),
        ("Robots", "noai"),
    ],
)
def test_other_headers_are_no_wish(pair: tuple[str, str]) -> None:
    assert header(pair) is None
