"""One request over the shared session, asked again where a kept connection failed it.

May import ``server.net.connect`` and ``server.net.urls``. Redirects are the caller's to follow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
from yarl import URL

from server.net.connect import Hop, current_hop
from server.net.urls import ParsedUrl

Value = TypeVar("Value")
Take = Callable[[aiohttp.ClientResponse, ParsedUrl], Awaitable[Value]]
"""Reads an answer. What it leaves unread, or raises, costs the connection."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How requests are made.

    Attributes:
        session: As `connect.make_session` makes it.
        most_tries: Fresh connections are reached within these.
    """

    session: aiohttp.ClientSession
    most_tries: int = 1

    async def ask(
        self,
        target: ParsedUrl,
        take: Take[Value],
        headers: Mapping[str, str] | None = None,
    ) -> Value:
        """Ask one address, and return what was taken from the answer.

        A fault on a kept connection says nothing of this address: an earlier answer may have been
        longer than it claimed, and its rest would be read as ours. Each fault closes the connection
        it met, and a host has only so many of them, so fresh ones are reached.

        Args:
            target: The address.
            take: Reads the answer.
            headers: Beside those of the session, or in their place.

        Raises:
            BlockedAddressError: The guard refused every address that the host has.
            aiohttp.ClientError: The web failed, as does whatever ``take`` raises.
            OSError: Likewise.
        """
        tries = 0
        while True:
            hop = Hop(target.host, target.port)
            try:
                return await self._ask_once(target, take, headers, hop)
            except (aiohttp.ClientResponseError, aiohttp.ClientConnectionError) as error:
                tries += 1
                was_slow = isinstance(error, TimeoutError)
                if was_slow or not hop.reused or tries > self.most_tries:
                    raise

    async def _ask_once(
        self, target: ParsedUrl, take: Take[Value], headers: Mapping[str, str] | None, hop: Hop
    ) -> Value:
        token = current_hop.set(hop)
        try:
            # encoded=True: the address goes out as parsed, not parsed a second time by other rules.
            async with self.session.get(
                URL(target.text, encoded=True), allow_redirects=False, headers=headers
            ) as response:
                try:
                    return await take(response, target)
                except BaseException:
                    response.close()  # what was not read to its end is not asked again
                    raise
        except aiohttp.ClientConnectorError as error:
            if hop.refused is not None and not hop.permitted:
                raise hop.refused from error
            raise
        finally:
            current_hop.reset(token)
