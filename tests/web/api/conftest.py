"""A stocked desk for every test of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage import SqlStore
from tests.web.api.stocked import stock
from tests.web.console.seats import Desk, desk_on


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    """A site with a desk, and data on it."""
    store = SqlStore(sqlite_url)
    made = desk_on(store)
    await stock(made)
    yield made
    for client in made.opened:
        await client.aclose()
    await store.close()
