"""Which failed tries are worth another, and when. Pure: the clock and the dice are the caller's.

May import ``server.net.outcome`` and ``server.reasons``.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from server.net.outcome import Outcome
from server.reasons import Reason

# What may be otherwise in a moment. A TLS fault or a name that does not exist is not among them.
_PASSING: Final = frozenset({Reason.TIMEOUT, Reason.CONNECTION})
# 408, 425 and 429 say "later" by their definition (RFC 9110, 8470, 6585); 501 and 505 say "never".
_LATER: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_NEVER: Final = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})
# What a host says when all of it, not the one address, is at its limit.
_OVERLOADED: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again.

    Attributes:
        max_attempts: Tries of one address in all, the first included.
        first_s: Longest pause after the first failed try; doubles with each further one.
        most_s: Cap of a pause, and of what a server may ask for by ``Retry-After``: it could say a
            century, and a person waits for the rest of a dataset.
    """

    max_attempts: int = 4
    first_s: float = 2.0
    most_s: float = 300.0

    def pause_s(self, outcome: Outcome, retries: int, dice: float) -> float | None:
        """Return how long to wait before the next try; None when there shall be none.

        The pause is drawn evenly from the upper half of an interval that doubles ("equal jitter"):
        addresses that failed together do not come back together, and none comes back at once.
        Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

        Args:
            outcome: The failed try.
            retries: Tries before it.
            dice: A random number in [0, 1).
        """
        if not is_passing(outcome) or retries + 1 >= self.max_attempts:
            return None
        longest = min(self.most_s, self.first_s * 2.0 ** min(retries, 30))
        pause = longest * (0.5 + 0.5 * dice)
        if outcome.retry_after_s is not None:
            pause = max(pause, self.capped(outcome.retry_after_s))
        return pause

    def host_pause_s(self, outcome: Outcome) -> float:
        """Return how long the whole host asks to be left alone; 0 when it does not."""
        if outcome.retry_after_s is None or not is_overloaded(outcome):
            return 0.0
        return self.capped(outcome.retry_after_s)

    def capped(self, seconds: float) -> float:
        """Return a server's wish within what is granted."""
        return min(max(0.0, seconds), self.most_s)


def is_passing(outcome: Outcome) -> bool:
    """Tell whether a failed try could end otherwise later."""
    if outcome.reason in _PASSING:
        return True
    if outcome.reason is Reason.DNS:
        return outcome.dns_may_recover
    if outcome.reason is Reason.TRUNCATED:  # the body broke off on its way
        return True
    status = outcome.http_status
    if outcome.reason is not Reason.HTTP_STATUS or status is None:
        return False
    is_fault_of_server = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NEVER
    return status in _LATER or is_fault_of_server


def is_overloaded(outcome: Outcome) -> bool:
    """Tell whether the host as a whole seems not to answer, or asks for less."""
    if outcome.reason in _PASSING:
        return True
    return outcome.reason is Reason.HTTP_STATUS and outcome.http_status in _OVERLOADED
