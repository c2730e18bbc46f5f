"""An older database is copied before it is brought up to date; a failure leaves it usable."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from minyi.settings import Settings
from storage import copying, migrate, newest_revision, revision
from storage.copying import Contents
from storage.programs import CopyError
from tests.minyi.conftest import Minyi
from tests.minyi.visitors import furnished, settings_in
from tests.postgres import Cluster

OLD = "0001"


def older(settings: Settings) -> None:
    """A house with a wave, as the version before the desk left it."""
    asyncio.run(furnished(settings))
    migrate(settings.database, OLD)


def rows(found: Contents) -> dict[str, int]:
    """How many, without what only tells the revision."""
    return {name: count for name, count in found.counts.items() if count}


def test_an_older_file_is_copied_then_brought_up_with_all_that_is_in_it(
    minyi: Minyi, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path / "minyi-data")
    older(settings)
    file = tmp_path / "minyi-data" / "minyi.db"
    before = copying.sqlite_contents(file)
    assert before.revision == OLD
    ran = minyi("init")
    assert ran.status == 0, ran.err
    copy = file.with_name(f"minyi.db.before-{newest_revision()}")
    assert str(copy) in ran.out
    assert f"Brought from {OLD} the database" in ran.out
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copying.sqlite_contents(copy) == before
    after = copying.sqlite_contents(file)
    assert after.revision == newest_revision()
    assert rows(before).items() <= rows(after).items()
    assert after.waves == before.waves
    again = minyi("init")
    assert "Copied" not in again.out, "nothing is left to do"


def test_an_earlier_copy_is_never_replaced(minyi: Minyi, tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "minyi-data")
    older(settings)
    file = tmp_path / "minyi-data" / "minyi.db"
    earlier = file.with_name(f"minyi.db.before-{newest_revision()}")
    earlier.write_text("an earlier copy")
    assert minyi("init").status == 0
    assert earlier.read_text() == "an earlier copy"
    assert copying.sqlite_contents(earlier.with_name(f"{earlier.name}-2")).revision == OLD


def test_a_migration_that_fails_leaves_the_old_file_as_it_was(
    minyi: Minyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path / "minyi-data")
    older(settings)
    before = copying.sqlite_contents(tmp_path / "minyi-data" / "minyi.db")
    genuine = command.upgrade

    def half_way(*words: Any) -> None:
        genuine(*words)
        raise sqlite3.OperationalError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", half_way)
        ran = minyi("init")
    assert (ran.status, "the disk is full" in ran.err) == (1, True)
    assert copying.sqlite_contents(tmp_path / "minyi-data" / "minyi.db") == before
    assert list(copying.sqlite_flaws(tmp_path / "minyi-data" / "minyi.db")) == []
    assert minyi("init").status == 0, "and the next time it succeeds"


def test_a_file_that_cannot_be_copied_is_not_changed(
    minyi: Minyi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path / "minyi-data")
    older(settings)

    def full(*_: object) -> None:
        raise CopyError("the disk is full")

    monkeypatch.setattr(copying, "copy_sqlite", full)
    ran = minyi("init")
    assert (ran.status, "Nothing was changed" in ran.err) == (1, True)
    assert revision(settings.database) == OLD


def test_a_database_of_a_newer_version_is_left_alone(founded: Minyi, tmp_path: Path) -> None:
    file = tmp_path / "minyi-data" / "minyi.db"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    ran = founded("init")
    assert (ran.status, "a newer one was here" in ran.err) == (1, True)
    assert copying.sqlite_contents(file).revision == "9999"


def test_postgresql_is_dumped_first_or_the_operator_says_that_there_is_a_copy(
    minyi: Minyi, tmp_path: Path, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing").mkdir()
    for number, way in enumerate(("dumped", "said")):
        settings = settings_in(tmp_path / f"data-{number}", postgres.fresh_database())
        older(settings)
        told = {
            "MINYI_DATABASE_URL": settings.database_url,
            "MINYI_DATA_DIR": str(settings.data_dir),
        }
        refused = minyi("init", **told, PATH=str(tmp_path / "nothing"))
        assert (refused.status, "--i-have-a-backup" in refused.err) == (1, True)
        assert revision(settings.database) == OLD
        if way == "said":
            ran = minyi("init", "--i-have-a-backup", **told, PATH=str(tmp_path / "nothing"))
        else:
            ran = minyi("init", **told, PATH=f"{postgres.binaries}{os.pathsep}{os.environ['PATH']}")
        assert ran.status == 0, ran.err
        assert revision(settings.database) == newest_revision()
        dumps = list(settings.data_dir.glob("minyi.dump.before-*"))
        assert len(dumps) == (way == "dumped")
        for dump in dumps:
            assert dump.stat().st_mode & 0o777 == 0o600
            assert "waves" in copying.listed_tables(dump)
