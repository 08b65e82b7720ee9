"""What tests of fetching share: a body, short limits, a resolver that answers as told."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from server.net.fetch import FetchLimits
from server.net.limits import RobotsTxt

BODY = b"\xff\xd8 the bytes of a picture \xff\xd9"

# Small enough that a test of a limit takes a moment, large enough for a busy machine. Without
# robots.txt: it has its own tests, and here each request is counted.
LIMITS = FetchLimits(
    max_bytes=100_000,
    total_s=1.0,
    connect_s=0.8,
    read_s=0.5,
    allowed_hosts=("127.0.0.1",),
    robots_txt=RobotsTxt.OFF,
)


class FixedResolver(AbstractResolver):
    """Answers each name with the next of its lists of addresses; the last one stays."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError(socket.EAI_NONAME, "no such name")
        turns = self._answers[host]
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None
