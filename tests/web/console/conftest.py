"""A desk for every test of the console."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage import SqlStore
from tests.web.console.seats import Desk, desk_on


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    """A site with a desk on a fresh SQLite file."""
    store = SqlStore(sqlite_url)
    made = desk_on(store)
    yield made
    for client in made.opened:
        await client.aclose()
    await store.close()
