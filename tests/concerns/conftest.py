from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.surveys.world import World, found_world


@pytest.fixture(params=["memory", "file"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A house that takes concerns, in memory and in a SQLite file."""
    in_file = request.param == "file"
    url = str(request.getfixturevalue("sqlite_url")) if in_file else "sqlite://"
    made = await found_world(url, tmp_path)
    yield made
    await made.store.close()
