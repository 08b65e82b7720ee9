"""What a robots.txt asks of us: groups, paths, wishes on training, and texts that mean harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.net.limits import RobotsTxt
from server.net.robots import (
    FORBIDDEN,
    MAX_LINE_CHARS,
    MAX_RULES,
    NO_RULES,
    NOT_FOR_TRAINING,
    read_robots,
)

HOST = "http://a.test"


def wish(text: str, path: str = "/x.jpg", mode: RobotsTxt = RobotsTxt.NAMED) -> str | None:
    return read_robots(text, mode).objection(HOST + path)


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: bowerbird\nDisallow: /",
        "user-agent:BOWERBIRD\r\ndisallow:/",
        "\ufeffUser-agent: Bowerbird\rDisallow: /",
        "User-agent: Bowerbird/1.0\nDisallow: /",
        "User-agent: bowerbird # ours\nDisallow: / # all",
        "User-agent: otherbot\nUser-agent: bowerbird\n\nDisallow: /",
        "User-agent: bowerbird\nSitemap: http://a.test/s.xml\nUser-agent: otherbot\nDisallow: /",
        "User-agent: bowerbird\nAllow: /y\nUser-agent: a\nUser-agent: bowerbird\nDisallow: /",
        "User-agent: bowerbird\nDisallow: /*.jpg$",
        "User-agent: bowerbird\nDisallow: /x.jp%67",
        "User-agent: *\nAllow: /\nUser-agent: bowerbird\nDisallow: /",
    ],
)
def test_who_names_us_is_heeded(text: str):
    assert wish(text) == FORBIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\0\0",
        "<!doctype html><p>User-agent: bowerbird</p>\n<p>Disallow: /</p>",
        "Disallow: /",
        "User-agent: *\nDisallow: /",
        "User-agent: otherbot\nDisallow: /",
        "User-agent: bower\nDisallow: /",
        "User-agent: bowerbirds\nDisallow: /",
        "User-agent: bowerbird\nDisallow:",
        "User-agent: bowerbird\nDisallow: /y",
        "User-agent: bowerbird\nDisallow: /\nAllow: /x.jpg",
        "User-agent: bowerbird\nDisallow: /x\nAllow: /x",
        "User-agent: bowerbird\nAllow: /x\nDisallow: /x",
        "User-agent: bowerbird\nDisallow: x.jpg",
        "User-agent: bowerbird\nCrawl-delay: 9\nUser-agent: otherbot\nDisallow: /",
        "User-agent: bowerbird\nDisallow: /y\x85Disallow: /x",
        f"User-agent: bowerbird\nDisallow: /{'*' * 50}",
        f"User-agent: bowerbird\nDisallow: /#{'x' * MAX_LINE_CHARS}",
    ],
)
def test_what_is_not_for_us_is_not_heeded(text: str):
    assert wish(text) is None


@pytest.mark.parametrize(
    ("text", "named", "everybody"),
    [
        ("User-agent: *\nDisallow: /", None, FORBIDDEN),
        ("User-agent: *\nDisallow: /y", None, None),
        ("User-agent: *\nDisallow: /\nUser-agent: bowerbird\nAllow: /", None, None),
        ("User-agent: *\nDisallow: /\nUser-agent: bowerbird", None, None),
        ("User-agent: *\nContent-Usage: train-ai=n\nDisallow: /x", NOT_FOR_TRAINING, FORBIDDEN),
    ],
)
def test_rules_for_everybody_are_for_crawlers_unless_the_person_says_so(
    text: str, named: str | None, everybody: str | None
):
    assert wish(text) == named
    assert wish(text, mode=RobotsTxt.ALL) == everybody


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        ("Content-Usage: train-ai=n", True),
        ("content-usage:search=y,TRAIN-AI = n ; x=1", True),
        ("Content-Usage: train-ai=y", False),
        ("Content-Usage: train-ai", False),
        ("Content-Usage: search=n", False),
        ('Content-Usage: train-ai="n"', False),
        ("Content-Usage: train-ai=n, train-ai=y", False),
        ("Content-Usage: train-ai=y\nContent-Usage: train-ai=n", True),
        ("Content-Usage: train-ai=n\nContent-Usage: train-ai=y", True),
        ("Content-Usage: train-ai=n\nContent-Usage: /x train-ai=y", False),
        ("Content-Usage: /x\ttrain-ai=n", True),
        ("Content-Usage: /y train-ai=n", False),
        ("Content-Usage: /x", False),
        ("Content-Signal: search=yes, ai-train=no", True),
        ("Content-Signal: ai-train=yes", False),
        ("Content-Signal: train-ai=n", False),
        ("Content-Usage: ai-train=no", False),
        ("Allow: /\nContent-Signal: ai-train=no\nAllow: /", True),
    ],
)
@pytest.mark.parametrize("name", ["*", "bowerbird"])
def test_wishes_on_training_are_heeded_in_the_group_that_applies(
    rules: str, refused: bool, name: str
):
    expected = NOT_FOR_TRAINING if refused else None
    assert wish(f"User-agent: {name}\n{rules}") == expected
    assert wish(f"User-agent: otherbot\n{rules}") is None
    assert wish(f"User-agent: {name}\n{rules}", mode=RobotsTxt.ALL) == expected


def test_what_is_said_to_us_by_name_stands_in_the_place_of_what_is_said_to_everybody():
    everybody = "User-agent: *\nContent-Signal: ai-train=no\n"
    assert wish(everybody) == NOT_FOR_TRAINING
    assert wish(f"{everybody}User-agent: bowerbird\nAllow: /") is None
    assert wish(f"{everybody}User-agent: bowerbird\nContent-Signal: ai-train=yes") is None


def test_most_sites_take_no_memory():
    for text in ("", "User-agent: *\nDisallow: /admin", "User-agent: bowerbird\nAllow: /"):
        assert read_robots(text, RobotsTxt.NAMED) is NO_RULES


def test_rules_are_capped():
    lines = [f"Disallow: /{n}/" for n in range(3 * MAX_RULES)]
    rules = read_robots("\n".join(["User-agent: bowerbird", *lines]), RobotsTxt.NAMED)
    assert rules.objection(f"{HOST}/{MAX_RULES - 1}/a.jpg") == FORBIDDEN
    assert rules.objection(f"{HOST}/{MAX_RULES}/a.jpg") is None
    assert 0 < rules.weight_bytes <= MAX_RULES * (800 + 2 * MAX_LINE_CHARS)


PIECES = st.one_of(
    st.sampled_from(
        ["User-agent", "Disallow", "Allow", "Content-Usage", "Content-Signal", "Sitemap", ":", ": ",
         "\n", "\r", "\r\n", "\x85", "\u2028", "#", "*", "$", "/", "%", "%2F", "%zz", "bowerbird",
         "train-ai=n", "ai-train=no", ",", ";", "=", " ", "\t", "\0", "\ufeff", "\ufffd", "http://",
         "//", "?", "[", "index.html"]
    ),
    st.text(max_size=5).map(lambda text: text.encode(errors="replace").decode()),
)  # fmt: skip
PATHS = st.lists(st.sampled_from(["/", "x", "%2F", "%", "?", "*", "$", "//[", "é"]), max_size=8)


@pytest.mark.fuzz
@given(st.lists(PIECES, max_size=40).map("".join), PATHS.map("".join), st.sampled_from(RobotsTxt))
def test_any_text_is_read_and_answers_for_any_address(text: str, path: str, mode: RobotsTxt):
    rules = read_robots(text, mode)
    wishes = {FORBIDDEN, NOT_FOR_TRAINING, None}
    assert rules.objection(f"{HOST}/{path}") in wishes
    # Whatever stands before and after, a group of its own is heeded.
    own = f"{text}\nUser-agent: bowerbird\nAllow: /none\nUser-agent: bowerbird\nDisallow: /~q/\n"
    others = [value for value in ("/~", "/*", "*", "Allow: /~q") if value in text]
    if not others:
        assert read_robots(own, mode).objection(f"{HOST}/~q/x") is not None


@pytest.mark.fuzz
@given(st.lists(PIECES, max_size=40).map("".join))
def test_groups_of_others_change_nothing(text: str):
    """Behind a group of another robot stands, up to the next name, nothing that is for us."""
    harmless = text.replace(":", " ")
    assert wish(f"User-agent: otherbot\n{harmless}\nDisallow: /", "/x") is None
