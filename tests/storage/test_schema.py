from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import storage.desk_tables
import storage.ledgers  # noqa: F401 - fills the metadata
from storage import migrate, newest_revision, revision
from storage.engine import open_engine
from storage.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'minyi.db'}"
    return str(request.getfixturevalue("postgres").empty_database())


def tables(url: str) -> set[str]:
    engine = open_engine(url)
    found = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_a_database_goes_up_and_down_and_up_again(empty_url: str) -> None:
    assert revision(empty_url) is None
    migrate(empty_url)
    assert revision(empty_url) == newest_revision()
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}
    migrate(empty_url, "base")
    assert revision(empty_url) is None
    assert tables(empty_url) == {"alembic_version"}
    migrate(empty_url, "0001")
    migrate(empty_url)
    assert revision(empty_url) == newest_revision()


def test_migrations_and_metadata_agree(empty_url: str) -> None:
    migrate(empty_url)
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrations_and_metadata_make_the_same_sqlite_tables(tmp_path: Path) -> None:
    """What Alembic does not compare: WITHOUT ROWID, partial indexes, constraint names."""

    def schema(engine: sa.Engine) -> dict[str, str]:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").all()
        engine.dispose()
        return {
            row.name: " ".join(row.sql.split())
            for row in rows
            if row.sql and row.name != "alembic_version"
        }

    migrated, created = f"sqlite:///{tmp_path / 'a.db'}", f"sqlite:///{tmp_path / 'b.db'}"
    migrate(migrated)
    engine = open_engine(created)
    metadata.create_all(engine)
    assert schema(open_engine(migrated)) == schema(engine)


def test_whatever_holds_an_answer_has_no_rowid(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with engine.connect() as connection:
        for table in (
            "ballots",
            "cells",
            "reasons",
            "remarks",
            "interviews",
            "concerns",
            "attachments",
            "paradata",
            "paradata_drafts",
        ):
            with pytest.raises(sa.exc.OperationalError, match="no such column: rowid"):
                connection.exec_driver_sql(f"SELECT rowid FROM {table}")
    engine.dispose()


def test_two_processes_may_migrate_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate, [empty_url, empty_url]))
    assert revision(empty_url) == newest_revision()
