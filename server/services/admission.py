"""Who may ask a model: at most so many images, and bytes of them, at once; the rest is told when.

What is let in is answered; what is not costs nothing but its refusal. So memory stays bounded
whatever arrives, and so does the time that an image waits.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from server.errors import TooBusyError
from server.inference.turns import Turns

_MAX_RETRY_S: Final = 30  # what clients will wait; by then all that is let in has been answered
_CLIENT_SHARE: Final = 2  # one client may hold half of the bytes


@dataclass(frozen=True)
class AdmissionLimits:
    """How much is let in.

    Attributes:
        images: Of all clients.
        images_per_client: Of one, so that none can fill the server.
        body_bytes: Of requests that are being received or answered.
    """

    images: int
    images_per_client: int
    body_bytes: int


class Admission:
    """Counts what is let in. For one event loop."""

    def __init__(self, limits: AdmissionLimits, turns: Turns) -> None:
        """Begin with nobody.

        Args:
            limits: How much is let in.
            turns: What those wait for who are let in; tells how long.
        """
        self._limits = limits
        self._turns = turns
        self._images: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    @property
    def image_count(self) -> int:
        """Images that are let in."""
        return self._images.total()

    @contextmanager
    def enter(self, client: str, body_bytes: int) -> Iterator[Ticket]:
        """Let a request with one image in until the ``with`` ends, before its body is read.

        Args:
            client: Who asks.
            body_bytes: At most what its body takes. A server that holds nothing takes any.

        Raises:
            TooBusyError: It has to come back later.
        """
        self.check_room(client, 1)
        self._check_bytes(client, body_bytes)
        ticket = Ticket(self, client)
        self._bytes[client] += body_bytes
        self.count(client, 1)
        try:
            yield ticket
        finally:
            self.count(client, -ticket.image_count)
            self._bytes[client] -= body_bytes
            # Counters keep zeros: of clients that are long gone, too.
            self._bytes += Counter()

    def check_room(self, client: str, count: int) -> None:
        """Refuse ``count`` further images of a client that do not fit.

        Raises:
            TooBusyError: They do not.
        """
        if self._images[client] + count > self._limits.images_per_client:
            raise self._refusal(
                f"{self._images[client]} images that you sent wait for their answers; send "
                f"{self._limits.images_per_client} at once at most"
            )
        if self.image_count + count > self._limits.images:
            raise self._refusal("too many images wait for their answers")

    def count(self, client: str, count: int) -> None:
        """Note that so many images more, or less, are let in."""
        self._images[client] += count
        self._images += Counter()

    def _check_bytes(self, client: str, body_bytes: int) -> None:
        held, cap = self._bytes.total(), self._limits.body_bytes
        if held and held + body_bytes > cap:
            raise self._refusal("too many bytes of images wait for their answers")
        ours = self._bytes[client]
        if ours and ours + body_bytes > cap // _CLIENT_SHARE:
            raise self._refusal("too many bytes that you sent wait for their answers")

    def _refusal(self, why: str) -> TooBusyError:
        seconds = self.image_count * self._turns.mean_s / self._turns.at_once
        return TooBusyError(why, min(max(1, math.ceil(seconds)), _MAX_RETRY_S))


class Ticket:
    """A request that was let in.

    Attributes:
        image_count: How many images it has, as far as is known.
    """

    def __init__(self, admission: Admission, client: str) -> None:
        """Begin with one image."""
        self._admission = admission
        self.client = client
        self.image_count = 1

    def grow(self, image_count: int) -> None:
        """Say how many images it has, once that is known.

        Args:
            image_count: At least 1.

        Raises:
            TooBusyError: So many do not fit; those that were let in stay.
        """
        more = image_count - self.image_count
        self._admission.check_room(self.client, more)
        self._admission.count(self.client, more)
        self.image_count = image_count
