"""What a site's ``robots.txt`` asks of us. Pure functions on text of strangers.

May import ``server.net.limits`` and ``server.net.opt_out``. Which group of rules is ours is decided
here (RFC 9309 section 2.2.1); whether a rule's path fits an address, by Protego, which gets no
lines but those. Everything is capped: a file may hold what its author likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from protego import Protego

from server.net.limits import RobotsTxt
from server.net.opt_out import read_preferences

PRODUCT_TOKEN: Final = "bowerbird"  # noqa: S105 - a robot's name, and no secret
EVERYBODY: Final = "*"

MAX_LINE_CHARS: Final = 2048  # no path in use is half as long; longer lines say nothing
MAX_RULES: Final = 1000  # of one site, for us: the largest files in use have some hundreds
# Each star of a pattern is a search through the address; patterns in use have three at most.
_MAX_STARS: Final = 16
# What a rule takes in memory beside its text, measured with Protego 0.7.
_RULE_BYTES: Final = 800

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_TOKEN: Final = re.compile(r"[a-z_-]+")
_NAME_FIELDS: Final = frozenset({"user-agent", "useragent"})
_SITE_FIELDS: Final = frozenset({"sitemap", "host"})  # stand anywhere, and end no list of names
# Field → the preference that it may hold, and the word for no.
_PREFERENCES: Final = {"content-usage": ("train-ai", "n"), "content-signal": ("ai-train", "no")}

FORBIDDEN: Final = "the site's robots.txt asks Bowerbird not to fetch it"
NOT_FOR_TRAINING: Final = "the site's robots.txt asks not to use it for machine learning"


@dataclass
class _Group:
    """The rules of all groups for one name; pattern → whether it is allowed.

    Of two equal patterns the one that allows counts for fetching (RFC 9309 section 2.2.2), the one
    that forbids for training (draft-ietf-aipref-attach).
    """

    is_there: bool = False
    fetching: dict[str, bool] = field(default_factory=dict)
    training: dict[str, bool] = field(default_factory=dict)

    def add(self, key: str, value: str) -> None:
        """Take in a rule; what is none, or one too many, is passed over."""
        if key in {"allow", "disallow"}:
            is_allowed = key == "allow"
            _note(self.fetching, value, is_allowed=is_allowed, is_stronger=is_allowed)
            return
        wish = _read_wish(key, value)
        if wish is not None:
            pattern, is_allowed = wish
            _note(self.training, pattern, is_allowed=is_allowed, is_stronger=not is_allowed)


@dataclass(frozen=True, slots=True)
class SiteRules:
    """What a site asks of us.

    Attributes:
        fetching: Rules of what may be fetched; None when all may be.
        training: Rules of what may be trained on; None when all may be.
        weight_bytes: About how much memory they take.
    """

    fetching: Protego | None = None
    training: Protego | None = None
    weight_bytes: int = 0

    def objection(self, url: str) -> str | None:
        """Return the site's wish against an address, as a sentence; None when it has none.

        Args:
            url: As `server.net.urls.ParsedUrl.text`, of this site.
        """
        if self.fetching is not None and not self.fetching.can_fetch(url, PRODUCT_TOKEN):
            return FORBIDDEN
        if self.training is not None and not self.training.can_fetch(url, PRODUCT_TOKEN):
            return NOT_FOR_TRAINING
        return None


NO_RULES: Final = SiteRules()


def read_robots(text: str, mode: RobotsTxt) -> SiteRules:
    """Read a robots.txt.

    Args:
        text: Of strangers, at most as long as the caller likes to read.
        mode: Which rules count. Those for Bowerbird by name always do, and then those for everybody
            do not (RFC 9309 section 2.2.1). Where nothing is said to Bowerbird by name, what is
            said to everybody about training counts, and with `RobotsTxt.ALL` about fetching too.
    """
    groups = {PRODUCT_TOKEN: _Group(), EVERYBODY: _Group()}
    for names, key, value in _rules(text):
        for name in names:
            groups[name].is_there = True
            groups[name].add(key, value)
    ours = groups[PRODUCT_TOKEN]
    if ours.is_there:
        return _site_rules(ours.fetching, ours.training)
    everybody = groups[EVERYBODY]
    return _site_rules(everybody.fetching if mode is RobotsTxt.ALL else {}, everybody.training)


def _rules(text: str) -> Iterator[tuple[frozenset[str], str, str]]:
    """Yield the rules that may be for us: whom they are for, the field, the value."""
    names: set[str] = set()
    is_list_open = False  # of names: the next one is of the same group
    for key, value in _fields(text):
        if key in _NAME_FIELDS:
            if not is_list_open:
                names = set()
            is_list_open = True
            names |= _names_of_us(value)
            # A group without a rule is one all the same: nothing is forbidden to whom it names.
            yield frozenset(names), "", ""
        elif key not in _SITE_FIELDS:
            is_list_open = False
            if names:
                yield frozenset(names), key, value


def _fields(text: str) -> Iterator[tuple[str, str]]:
    start = 0
    text = text.removeprefix("\ufeff")
    while start < len(text):
        end = _LINE_END.search(text, start)
        stop, after = (len(text), len(text)) if end is None else end.span()
        if stop - start <= MAX_LINE_CHARS:
            key, colon, value = text[start:stop].partition("#")[0].partition(":")
            if colon:
                yield key.strip().lower(), value.strip()
        start = after


def _names_of_us(value: str) -> set[str]:
    if value.startswith(EVERYBODY) and not value[1:].strip():
        return {EVERYBODY}
    # "Bowerbird/1.0" is a slip that search engines forgive as well.
    match = _TOKEN.match(value.lower())
    return {PRODUCT_TOKEN} if match is not None and match[0] == PRODUCT_TOKEN else set()


def _read_wish(key: str, value: str) -> tuple[str, bool] | None:
    """Return to which path a wish on training applies, and whether it allows it."""
    if key not in _PREFERENCES:
        return None
    name, refusal = _PREFERENCES[key]
    pattern = "/"
    if value.startswith("/"):
        pattern, value = [*value.split(maxsplit=1), ""][:2]
    wish = read_preferences(value).get(name)
    return None if wish is None else (pattern, wish != refusal)


def _note(rules: dict[str, bool], pattern: str, *, is_allowed: bool, is_stronger: bool) -> None:
    is_new = pattern not in rules
    if _is_usable(pattern) and (is_stronger or is_new) and not (is_new and len(rules) >= MAX_RULES):
        rules[pattern] = is_allowed


def _is_usable(pattern: str) -> bool:
    # Not printable is, among others, what Protego takes for the end of a line.
    is_path = pattern.startswith(("/", "*")) and pattern.isprintable()
    return is_path and pattern.count("*") <= _MAX_STARS


def _site_rules(fetching: dict[str, bool], training: dict[str, bool]) -> SiteRules:
    if all(fetching.values()) and all(training.values()):
        return NO_RULES
    weight = sum(_RULE_BYTES + 2 * len(pattern) for pattern in (*fetching, *training))
    return SiteRules(_compiled(fetching), _compiled(training), weight)


def _compiled(rules: dict[str, bool]) -> Protego | None:
    if all(rules.values()):
        return None
    lines = [f"{'Allow' if ok else 'Disallow'}: {pattern}" for pattern, ok in rules.items()]
    return Protego.parse("\n".join(["User-agent: *", *lines]))
