"""A running site and an open fetcher."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.net.fetch import Fetcher
from tests.support.fetching import BODY, LIMITS
from tests.support.site import Site, answer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site({"/good.jpg": answer(BODY, "Content-Type: Image/JPEG; charset=x")}) as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(LIMITS) as opened:
        yield opened
