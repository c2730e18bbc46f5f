"""Killed outright while the whole is copied, brought back or brought up to date."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minyi.settings import Settings
from storage import copying, migrate, newest_revision, revision
from tests.minyi.conftest import Minyi
from tests.minyi.visitors import furnished, settings_in

OLD = "0001"
# dies, as by kill -9, at the given call of a function, before or after it has done its work
DYING = """
import os, signal, sys
from importlib import import_module
place, when, count, *words = sys.argv[1:]
module, name = place.split(":")
owner = import_module(module)
genuine, calls = getattr(owner, name), []
def die(*given, **named):
    calls.append(1)
    if len(calls) == int(count) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = genuine(*given, **named)
    if len(calls) == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    return done
setattr(owner, name, die)
sys.argv = ["minyi", *words]
from minyi.cli import main
main()
"""


def killed(folder: Path, place: str, when: str, count: int, *words: str) -> None:
    """Run ``minyi`` in ``folder``, killed at that call."""
    environment = {key: value for key, value in os.environ.items() if "MINYI" not in key}
    ran = subprocess.run(
        [sys.executable, "-c", DYING, place, when, str(count), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr


def unfinished(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".unfinished"))


@pytest.mark.parametrize(
    ("place", "when", "count"),
    [
        ("storage.copying:copy_sqlite", "before", 1),
        ("storage.copying:copy_sqlite", "after", 1),
        ("minyi.archiving:_add", "after", 2),
        ("minyi.archiving:_put", "after", 1),
        ("minyi.safekeeping:_tried", "after", 1),
    ],
)
def test_a_backup_killed_anywhere_is_none_and_the_next_one_is_whole(
    founded: Minyi, tmp_path: Path, place: str, when: str, count: int
) -> None:
    killed(tmp_path, place, when, count, "backup", "b.tar")
    assert not (tmp_path / "b.tar").exists(), "no half one under its name"
    [left] = unfinished(tmp_path)
    assert (tmp_path / left).stat().st_mode & 0o777 == 0o700
    again = founded("backup", "c.tar")
    assert again.status == 0
    assert f"Deleted what it left: {tmp_path / left}" in again.err
    assert unfinished(tmp_path) == []
    assert founded("restore", "c.tar", "--into", "there").status == 0


def test_killed_once_it_had_its_name_a_backup_is_whole(founded: Minyi, tmp_path: Path) -> None:
    killed(tmp_path, "minyi.safekeeping:flush", "before", 1, "backup", "b.tar")
    assert founded("restore", "b.tar", "--into", "there").status == 0
    assert unfinished(tmp_path) == []


@pytest.mark.parametrize(
    ("place", "when", "count"),
    [
        ("minyi.archiving:_put", "after", 1),
        ("minyi.restoring:_filled", "after", 1),
        ("minyi.restoring:_settled", "after", 1),
    ],
)
def test_a_restore_killed_anywhere_has_made_nothing_says_so_next_time_and_mends(
    founded: Minyi, tmp_path: Path, place: str, when: str, count: int
) -> None:
    assert founded("backup", "b.tar").status == 0
    killed(tmp_path, place, when, count, "restore", "b.tar", "--into", "there")
    assert not (tmp_path / "there").exists()
    [left] = unfinished(tmp_path)
    again = founded("restore", "b.tar", "--into", "there")
    assert again.status == 0
    assert f"Deleted what it left: {tmp_path / left}" in again.err
    assert unfinished(tmp_path) == []
    assert founded("doctor", MINYI_DATA_DIR=str(tmp_path / "there")).status == 0


def test_somebody_elses_work_in_progress_is_left_alone(founded: Minyi, tmp_path: Path) -> None:
    from minyi.drafts import beside, swept

    with beside(tmp_path / "other.tar") as folder:
        assert swept(tmp_path / "b.tar") == ()
        assert founded("backup", "b.tar").status == 0
        assert folder.is_dir()
    mine = tmp_path / ".mine.0123456789ab.unfinished"
    mine.write_text("a file of that name")
    assert swept(tmp_path / "b.tar") == ()
    assert mine.exists()


# ---- bringing up to date


def older(folder: Path) -> Settings:
    settings = settings_in(folder / "minyi-data")
    asyncio.run(furnished(settings))
    migrate(settings.database, OLD)
    return settings


@pytest.mark.parametrize(
    ("place", "when"),
    [
        ("alembic.command:upgrade", "before"),
        ("alembic.command:upgrade", "after"),  # all is done, nothing is committed
    ],
)
def test_killed_in_a_migration_the_copy_is_there_and_the_next_init_goes_on(
    minyi: Minyi, tmp_path: Path, place: str, when: str
) -> None:
    settings = older(tmp_path)
    file = settings.data_dir / "minyi.db"
    before = copying.sqlite_contents(file)
    killed(tmp_path, place, when, 1, "init")
    copy = file.with_name(f"minyi.db.before-{newest_revision()}")
    assert copying.sqlite_contents(copy) == before
    assert list(copying.sqlite_flaws(copy)) == []
    assert copying.sqlite_contents(file) == before, "whole or not at all"
    told = minyi("doctor")
    assert (told.status, "Run `minyi" in told.out + told.err) == (1, True)
    assert minyi("init").status == 0
    assert revision(settings.database) == newest_revision()
    assert copying.sqlite_contents(file).waves == before.waves
    assert copying.sqlite_contents(copy) == before, "nothing is replaced"


def test_killed_while_the_copy_is_made_there_is_no_half_one_under_its_name(
    minyi: Minyi, tmp_path: Path
) -> None:
    settings = older(tmp_path)
    copy = settings.data_dir / f"minyi.db.before-{newest_revision()}"
    killed(tmp_path, "storage.copying:_reading", "before", 1, "init")
    assert not copy.exists()
    draft = copy.with_name(f".{copy.name}.part")
    assert draft.stat().st_mode & 0o777 == 0o600
    assert revision(settings.database) == OLD
    assert minyi("init").status == 0
    assert not draft.exists(), "the next one used its place"
    assert copying.sqlite_contents(copy).revision == OLD
