"""How many requests run at once: over all hosts, and to each host. Standard library only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class HostSlots:
    """Two bounds on what runs at once, both first come, first served.

    The host's slot is taken before the common one: waiting for a slow host must not hold a slot
    that another host could use. A host's entry lives only while someone holds or awaits it.

    Args:
        total: Slots over all hosts, at least 1.
        per_host: Slots of one host, at least 1.
    """

    def __init__(self, total: int, per_host: int) -> None:
        self._total = asyncio.Semaphore(total)
        self._per_host = per_host
        self._hosts: dict[str, _Host] = {}

    def __len__(self) -> int:
        """Return how many hosts are held or awaited right now."""
        return len(self._hosts)

    @asynccontextmanager
    async def hold(self, host: str) -> AsyncIterator[None]:
        """Wait for a slot of ``host`` and a common one; give both back at the end.

        The wait has no limit of its own: each holder's time is limited, and the caller bounds how
        many wait.
        """
        entry = self._hosts.setdefault(host, _Host(self._per_host))
        entry.users += 1
        try:
            async with entry.semaphore, self._total:
                yield
        finally:
            entry.users -= 1
            if entry.users == 0:
                del self._hosts[host]


class _Host:
    def __init__(self, slots: int) -> None:
        self.semaphore = asyncio.Semaphore(slots)
        self.users = 0
