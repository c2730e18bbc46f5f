from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from rehearsal.telegram import Stage
from storage.store import SqlStore
from tests.bot.stage import Clock, telegram


@pytest_asyncio.fixture
async def store() -> AsyncIterator[SqlStore]:
    made = SqlStore("sqlite://")
    yield made
    await made.close()


@pytest_asyncio.fixture
async def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def live(clock: Clock) -> AsyncIterator[tuple[Stage, str]]:
    """A Bot API server without limits, and its root URL."""
    async with telegram(clock) as made:
        yield made
