"""What goes through the pipeline, and what stands at its two ends.

May import ``server.net``, ``server.media`` and ``server.reasons``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from server.media.verify import Verified
from server.net.outcome import Outcome
from server.net.validators import Refusal
from server.reasons import Reason


@dataclass(frozen=True, slots=True)
class Work:
    """An address whose bytes are wanted.

    Attributes:
        id: The caller's own name for it.
        group: What the caller sorts it under (a dataset); groups can be dropped as a whole.
        url: The address.
        host: Its host, by which turns are taken.
        retries: Tries of this address that failed and were worth another.
        refusal: Bytes of this address that an earlier try refused, when it is known how the server
            calls them.
    """

    id: str
    group: str
    url: str
    host: str
    retries: int = 0
    refusal: Refusal | None = None


class End(StrEnum):
    """How one try ended."""

    READY = "ready"  # verified, on disk
    REJECTED = "rejected"  # no usable image, for good
    RETRY = "retry"  # failed in a way that may pass: again at `Result.again_at`
    RELEASED = "released"  # not tried: this machine or the host's own wish forbids it just now


@dataclass(frozen=True, slots=True)
class Result:
    """One try of one address.

    Attributes:
        work: What was to be done.
        end: How it ended.
        outcome: What the web answered, without the body; None when it was not asked.
        verified: The image; given when the end is `End.READY`.
        reason: Why there is no image; given when a try failed.
        detail: One sentence for a person; empty when all went well.
        again_at: Not to be tried before; given for `End.RETRY`, and for `End.RELEASED` unless it
            may be tried at once.
        refusal: For the `Work` of a later try, when bytes were refused that the server has a name
            for.
    """

    work: Work
    end: End
    outcome: Outcome | None = None
    verified: Verified | None = None
    reason: Reason | None = None
    detail: str = ""
    again_at: datetime | None = None
    refusal: Refusal | None = None


Allowance = Callable[[str], int]
"""How many more addresses of a host may be claimed now; 0 for one that is paused or has plenty."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a source gave.

    Attributes:
        works: At most as many as there was room for.
        more_hosts: Hosts of which it has more than it was allowed to give.
        next_at: When the next address becomes due that is waiting for its time; None for none.
        is_partial: The source stopped looking before it had seen all it has: ask again soon.
        is_end: There is nothing, and there will be nothing.
    """

    works: Sequence[Work] = ()
    more_hosts: Collection[str] = ()
    next_at: datetime | None = None
    is_partial: bool = False
    is_end: bool = False


class Source(Protocol):
    """Where addresses come from."""

    async def claim(self, room: int, allowance: Allowance) -> Claim:
        """Take up to ``room`` due addresses, and of each host no more than its allowance.

        What is taken is the pipeline's until the sink gets its result.

        Raises:
            OSError: This machine cannot just now; the pipeline asks again later.
        """
        ...


class Sink(Protocol):
    """Where results go."""

    async def settle(self, results: Sequence[Result]) -> None:
        """Keep the results, all or none; files of ready ones are durable by now.

        An address that is no longer wanted is passed over.

        Raises:
            OSError: This machine cannot just now; the pipeline tries the same batch again.
        """
        ...


class Shelf(Protocol):
    """Where bytes go."""

    def keep(self, data: bytes, verified: Verified) -> None:
        """Write an image's files, not durable yet. Runs in a thread.

        Raises:
            OSError: The disk is full or fails.
        """
        ...

    def make_durable(self, digests: Sequence[str]) -> None:
        """Return once the files kept under these sha256 survive a power failure. In a thread.

        Raises:
            OSError: The disk is full or fails.
        """
        ...
