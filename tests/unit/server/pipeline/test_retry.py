"""What is tried again, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.media.verify import VerifyLimits
from server.net.outcome import Outcome
from server.net.retry_after import parse_retry_after
from server.net.validators import Validators
from server.pipeline import retry
from server.pipeline.retry import RetryPolicy, is_overloaded, is_passing, refusal_of, rules_of
from server.reasons import Reason

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
POLICY = RetryPolicy(max_attempts=4, first_s=2.0, most_s=300.0)


def outcome(reason: Reason, status: int | None = None, **more: Any) -> Outcome:
    return Outcome("http://a.test/", None, status, reason, "", None, None, 0, 0.1, NOW, **more)


@pytest.mark.parametrize(
    ("failed", "passing", "overloaded"),
    [
        (outcome(Reason.TIMEOUT), True, True),
        (outcome(Reason.CONNECTION), True, True),
        (outcome(Reason.DNS, dns_may_recover=True), True, False),
        (outcome(Reason.DNS), False, False),
        (outcome(Reason.TRUNCATED, 200), True, False),
        (outcome(Reason.TRUNCATED, 304, is_unchanged=True), False, False),
        (outcome(Reason.TLS), False, False),
        (outcome(Reason.BLOCKED_ADDRESS), False, False),
        (outcome(Reason.BAD_URL), False, False),
        (outcome(Reason.OPT_OUT, 200), False, False),
        (outcome(Reason.TOO_LARGE, 200), False, False),
        (outcome(Reason.EMPTY, 200), False, False),
        (outcome(Reason.TOO_MANY_REDIRECTS, 302), False, False),
        *((outcome(Reason.HTTP_STATUS, code), False, False) for code in (400, 401, 403, 404, 410)),
        *((outcome(Reason.HTTP_STATUS, code), True, False) for code in (408, 425, 500, 507, 520)),
        *((outcome(Reason.HTTP_STATUS, code), True, True) for code in (429, 502, 503, 504)),
        *((outcome(Reason.HTTP_STATUS, code), False, False) for code in (501, 505)),
        (outcome(Reason.HTTP_STATUS), False, False),
    ],
    ids=lambda value: f"{value.reason}-{value.http_status}" if isinstance(value, Outcome) else "",
)
def test_what_may_pass(failed: Outcome, passing: bool, overloaded: bool):
    assert (is_passing(failed), is_overloaded(failed)) == (passing, overloaded)
    assert (POLICY.pause_s(failed, 0, 0.5) is not None) == passing


def test_pauses_double_and_end():
    slow = outcome(Reason.TIMEOUT)
    assert [POLICY.pause_s(slow, retries, 1.0) for retries in range(5)] == [2, 4, 8, None, None]
    assert POLICY.pause_s(slow, 0, 0.0) == 1.0
    assert RetryPolicy(max_attempts=1).pause_s(slow, 0, 0.5) is None


@given(
    retries=st.integers(0, 10**6),
    dice=st.floats(0, 1, exclude_max=True),
    wish=st.none() | st.floats(0, 1e12),
    most=st.integers(1, 10**6),
)
def test_a_pause_is_never_above_its_cap_nor_zero(retries, dice, wish, most):
    policy = RetryPolicy(max_attempts=2 * 10**6, first_s=2.0, most_s=float(most))
    failed = outcome(Reason.HTTP_STATUS, 503, retry_after_s=wish)
    pause = policy.pause_s(failed, retries, dice)
    assert pause is not None
    assert 0 < pause <= most
    if wish is not None:
        assert pause >= min(wish, most)
    assert 0 <= policy.host_pause_s(failed) <= most


@given(st.integers(1, 20), st.floats(0, 1, exclude_max=True))
def test_tries_are_bounded(max_attempts, dice):
    policy = RetryPolicy(max_attempts=max_attempts)
    tries = 1
    while policy.pause_s(outcome(Reason.TIMEOUT), tries - 1, dice) is not None:
        tries += 1
    assert tries == max_attempts


def test_only_what_speaks_for_the_host_pauses_it():
    assert POLICY.host_pause_s(outcome(Reason.HTTP_STATUS, 503, retry_after_s=60)) == 60
    assert POLICY.host_pause_s(outcome(Reason.HTTP_STATUS, 429, retry_after_s=1e9)) == 300
    assert POLICY.host_pause_s(outcome(Reason.HTTP_STATUS, 503)) == 0
    assert POLICY.host_pause_s(outcome(Reason.HTTP_STATUS, 404, retry_after_s=60)) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("999999999", 999_999_999.0),
        ("Sun, 22 Nov 2026 10:02:00 GMT", 120.0),
        ("Sunday, 22-Nov-26 10:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 11:00:00 +0000", 3600.0),
        ("Sun Nov 22 10:00:05 2026", 5.0),
        ("", None),
        (None, None),
        ("-5", None),
        ("1.5", None),
        ("1" * 5000, None),
        ("soon", None),
        ("Sun, 99 Nov 2026 10:02:00 GMT", None),
        ("x" * 10_000, None),
        ("٣", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_server_asks_for(text: str | None, seconds: float | None):
    assert parse_retry_after(text, NOW) == seconds


@given(st.text(max_size=80))
def test_any_header_is_read_without_harm(text: str):
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or seconds >= 0


def test_rules_change_with_limits_and_decoders_and_with_nothing_else(monkeypatch):
    now = rules_of(VerifyLimits())
    assert now == rules_of(VerifyLimits())
    assert len(now) == 16
    assert len({now, rules_of(VerifyLimits(min_side_px=8)), rules_of(VerifyLimits(10**6))}) == 3
    monkeypatch.setattr(retry.metadata, "version", lambda name: f"{name} 99")
    assert rules_of(VerifyLimits()) != now


def test_bytes_without_a_name_or_a_place_cannot_be_known_again():
    named = Validators('"1"')
    bare = outcome(Reason.EMPTY, 200)
    nowhere = outcome(Reason.EMPTY, 200, validators=named)
    assert refusal_of(bare, Reason.EMPTY, "no bytes", "rules") is None
    assert refusal_of(nowhere, Reason.EMPTY, "no bytes", "rules") is None
