"""How much visitors of public links may ask: allowances in time, and a share of the room.

All is counted in memory: a restart gives everybody a full allowance again. What an attacker could
win by that, or by thousands of addresses, is bounded by the link's own allowance and the room.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from server.errors import AllowanceUsedError, TooBusyError
from server.services.admission import Admission, AdmissionLimits
from server.services.buckets import DAY_S, HOUR_S, Buckets

# Whom all visitors together are for the models' turns: a crowd of them waits as one, so that the
# owner has every second turn.
VISITORS: Final = "visitors"
# Of one address at once: a page sends one, and impatient ones a few.
PER_VISITOR: Final = 4
_SHARE: Final = 2  # visitors together have at most half of the room
_V6_PREFIX: Final = 64  # what one household or server has at least: its addresses cost nothing
_RETRY_S: Final = 2  # of the room: what waits in it is answered by then


@dataclass(frozen=True)
class Allowance:
    """What a link grants.

    Attributes:
        link_id: Whose.
        per_hour: Answers to one address.
        per_day: Answers to all.
    """

    link_id: str
    per_hour: int
    per_day: int


class Visitors:
    """Lets visitors in. For one event loop."""

    def __init__(
        self,
        admission: Admission,
        limits: AdmissionLimits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nobody.

        Args:
            admission: The room that visitors share with the owner.
            limits: Of that room.
            clock: Seconds, of a clock that never goes back.
        """
        self._admission = admission
        self._most_images = limits.images // _SHARE
        self._most_bytes = limits.body_bytes // _SHARE
        self._addresses = Buckets(clock)
        self._links = Buckets(clock)
        self._inside: Counter[str] = Counter()
        self._bytes = 0

    @contextmanager
    def enter(self, allowance: Allowance, address: str, body_bytes: int) -> Iterator[None]:
        """Let a visitor with one image in until the ``with`` ends, before its body is read.

        An image that turns out to be none has used its answer up all the same: it was work.

        Args:
            allowance: Of the link.
            address: Of the visitor, as the connection or a trusted proxy says.
            body_bytes: At most what its body takes.

        Raises:
            AllowanceUsedError: The visitor, or the link, has had its answers for now.
            TooBusyError: There is no room.
        """
        who = group_of(address)
        keys = f"{allowance.link_id} {who}", allowance.link_id
        self._check_allowance(allowance, keys)
        self._check_room(who, body_bytes)
        with self._admission.enter(f"{VISITORS} {who}", body_bytes):
            self._addresses.take(keys[0])
            self._links.take(keys[1])
            self._inside[who] += 1
            self._bytes += body_bytes
            try:
                yield
            finally:
                self._inside[who] -= 1
                self._bytes -= body_bytes
                self._inside += Counter()

    def _check_allowance(self, allowance: Allowance, keys: tuple[str, str]) -> None:
        mine = self._addresses.wait_s(keys[0], allowance.per_hour, HOUR_S)
        if mine > 0:
            raise AllowanceUsedError(
                f"you have had the {allowance.per_hour} answers an hour that this link gives to "
                "one address",
                math.ceil(mine),
            )
        everybody = self._links.wait_s(keys[1], allowance.per_day, DAY_S)
        if everybody > 0:
            raise AllowanceUsedError(
                f"the {allowance.per_day} answers a day of this link are used up",
                math.ceil(everybody),
            )

    def _check_room(self, who: str, body_bytes: int) -> None:
        if self._inside[who] >= PER_VISITOR:
            raise TooBusyError(f"{PER_VISITOR} images that you sent wait already", _RETRY_S)
        is_full = self._inside.total() >= self._most_images
        if is_full or (self._bytes and self._bytes + body_bytes > self._most_bytes):
            raise TooBusyError("too many visitors ask at once", _RETRY_S)


def group_of(address: str) -> str:
    """Return whom an address counts as: itself, or its network of 64 bits for IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), _V6_PREFIX), strict=False).network_address)
    return str(parsed)
