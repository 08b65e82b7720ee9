"""Connections that were checked: the address that the guard saw is the one connected to.

May import ``server.net.guard`` and ``server.net.limits``. The check sits in aiohttp's
``socket_factory``, the one place that every connection passes: literal addresses, DNS answers and
each hop of a redirect alike. A check in a resolver would never see a literal, and a check before
the request would be of another DNS answer than the one connected to (rebinding).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from server.net.guard import AddressGuard, BlockedAddressError
from server.net.limits import FetchLimits

# getaddrinfo blocks its thread until the system's resolver gives up; a pool of its own, so that
# names that hang never hold the loop's executor. Half the default concurrency.
_DNS_THREADS: Final = 16
# A name with thousands of addresses would be tried address by address.
_MAX_ADDRESSES: Final = 8


@dataclass(slots=True)
class Hop:
    """One request on its way: what the connector is told of it, and what it tells back.

    Attributes:
        host: The host as written in the address, which exemptions go by.
        port: Its port.
        refused: The guard's last refusal, which aiohttp would hide.
        permitted: Some address passed the guard.
        reused: The request went out on a connection kept from an earlier one.
    """

    host: str
    port: int
    refused: BlockedAddressError | None = None
    permitted: bool = False
    reused: bool = False


# A context variable, and not an attribute: aiohttp gives the socket factory nothing but the
# address, and calls it in the requesting task or in children of it, which inherit the value.
current_hop: Final[ContextVar[Hop]] = ContextVar("current_hop")


class TimedResolver(AbstractResolver):
    """The system's resolver with a limit on time and on the number of answers.

    Args:
        limit_s: Longest wait for an answer.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._threads = ThreadPoolExecutor(_DNS_THREADS, thread_name_prefix="dns")

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            OSError: No answer, or none in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limit_s):
                found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        except TimeoutError as error:
            # With an errno: aiohttp takes a bare TimeoutError for its own.
            raise OSError(socket.EAI_AGAIN, f"no DNS answer in {self._limit_s:g} s") from error
        return found[:_MAX_ADDRESSES]

    @override
    async def close(self) -> None:
        """Let go of the threads; those that hang end with the system's own limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def make_session(
    limits: FetchLimits, resolver: AbstractResolver, ssl_context: ssl.SSLContext | None
) -> aiohttp.ClientSession:
    """Make the one session that all fetching shares. Call it inside the event loop.

    Args:
        limits: Whose guard, sizes and seconds hold.
        resolver: The caller's to close: aiohttp closes only its own.
        ssl_context: None for the system's trusted authorities.
    """
    guard = AddressGuard(limits.allowed_hosts)

    def open_socket(addr_info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = addr_info
        hop = current_hop.get()
        try:
            # The port of the connection itself, not the one that the address wrote.
            guard.check_address(str(address[0]), hop.host, int(address[1]))
        except BlockedAddressError as error:
            hop.refused = error
            raise
        hop.permitted = True
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        limit=2 * limits.concurrency,  # as many again for robots.txt: images never wait for those
        resolver=resolver,
        socket_factory=open_socket,
        keepalive_timeout=limits.keepalive_s,
        ssl=True if ssl_context is None else ssl_context,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(
            total=None,  # the fetcher's own, over all hops
            sock_connect=limits.connect_s,
            sock_read=limits.read_s,
        ),
        headers={
            "User-Agent": limits.user_agent,
            "Accept": "image/*,*/*;q=0.1",
            # Compressed bodies are how 1 MB becomes 1 GB; images gain nothing from it.
            "Accept-Encoding": "identity",
        },
        auto_decompress=False,
        trust_env=False,  # through a proxy, no check of addresses would hold
        max_line_size=8190,
        max_field_size=8190,
        max_headers=128,
        trace_configs=[_reuse_trace()],
    )


def _look_up(host: str, port: int, family: int) -> list[ResolveResult]:
    answers = socket.getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=int(address[1]),
            family=found,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for found, _, protocol, _, address in cast("list[_Answer]", answers)
    ]


_Answer = tuple[socket.AddressFamily, int, int, str, tuple[str, int]]


def _reuse_trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def note(*_: object) -> None:
        current_hop.get().reused = True

    trace.on_connection_reuseconn.append(note)
    return trace
