"""The stores every room's tests may use: in memory, a SQLite file, a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage import SqlStore, migrate
from tests.postgres import Cluster, postgres_binaries, private_cluster

CROWDED = frozenset({
    "test_barriers", "test_browser", "test_connections_browser", "test_crash", "test_delivery",
    "test_desk_day", "test_kinds_browser", "test_killed", "test_late", "test_openid_browser",
    "test_outages",
    "test_questionnaires_browser", "test_rehearsing", "test_safekeeping", "test_stage_process",
})  # fmt: skip
"""Modules in which browsers are watched, or other processes killed, on a machine that is busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They get one more try, which the summary names (docs/decisions/0013)."""
    for item in items:
        if item.path.stem in CROWDED:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """One PostgreSQL cluster for the whole run."""
    with private_cluster(_binaries()) as cluster:
        yield cluster


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """A cluster that one test may crash."""
    with private_cluster(_binaries()) as cluster:
        yield cluster


def _binaries() -> Path:
    binaries = postgres_binaries()
    if binaries is not None:
        return binaries
    missing = "no PostgreSQL binaries on PATH or under /usr/lib/postgresql; install `postgresql`"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database, migrated once, to be copied."""
    path = tmp_path_factory.mktemp("template") / "minyi.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """URL of a fresh SQLite file."""
    path = tmp_path / "minyi.db"
    shutil.copy(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: Cluster) -> str:
    """URL of a fresh PostgreSQL database."""
    return postgres.fresh_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database that several stores, or processes, may open at once."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind."""
    if request.param == "memory":
        return "sqlite://"
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    """A Store on each kind of database: the contract is the same."""
    opened = SqlStore(store_url)
    yield opened
    await opened.close()
