"""What the doctor finds of accounts, audit, keys, backups and the way in."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desk.accounts import Account
from desk.audit import Act, record, seal_key
from desk.roles import Grant, Role
from minyi.finding import State
from minyi.opening import keyring
from minyi.settings import Settings
from storage import copying
from tests.minyi.conftest import Minyi
from tests.minyi.test_doctor import NOW, findings, found_at, open_wave


def house(folder: Path) -> Settings:
    return Settings.model_validate({"data_dir": folder / "minyi-data"})


def accounts(folder: Path, *logins: str, totp: bytes = b"", disabled: bool = False) -> None:
    def work(tx: Any) -> None:
        for login in logins:
            grants = (Grant(Role.ADMINISTRATOR),)
            tx.put_account(Account(login, login, login, NOW, grants, totp=totp, disabled=disabled))

    copying.worked(house(folder).database, work)


def test_how_many_administrators_there_are_and_who_lacks_a_second_factor(
    founded: Minyi, tmp_path: Path
) -> None:
    assert "no administrator" in findings(tmp_path)["desk"].what
    accounts(tmp_path, "anna")
    accounts(tmp_path, "gone", disabled=True)
    alone = findings(tmp_path)
    assert (alone["desk"].state, "one administrator" in alone["desk"].what) == (State.NOTE, True)
    assert "missing for anna;" in alone["second factor"].what
    accounts(tmp_path, "ben", "cleo", totp=b"sealed")
    assert findings(tmp_path)["desk"].what == "3 administrators"
    nobody = findings(tmp_path, MINYI_SECOND_FACTOR="none")
    assert "second factor" not in nobody


def entry(folder: Path, action: str, at: datetime) -> None:
    key = seal_key(keyring(house(folder)).app_key())
    act = Act("operator:x", "x", "terminal", at, key)
    copying.worked(house(folder).database, lambda tx: record(tx, act, action, "backup:1"))


def test_an_audit_that_was_tampered_with_must_be_looked_into(
    founded: Minyi, tmp_path: Path
) -> None:
    entry(tmp_path, "backup.made", NOW)
    assert findings(tmp_path)["audit"].state is State.GOOD
    connection = sqlite3.connect(tmp_path / "minyi-data" / "minyi.db")
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE audit SET who = 'somebody'")
    connection.commit()
    connection.close()
    found = findings(tmp_path)["audit"]
    assert (found.state, "Entry 1 was changed" in found.what) == (State.MEND, True)


def test_a_wave_without_its_keys_is_an_alarm(founded: Minyi, tmp_path: Path) -> None:
    open_wave(tmp_path, NOW)
    assert findings(tmp_path)["keys of c.1"].state is State.MEND
    keyring(house(tmp_path)).new_wave("c.1")
    assert "keys of c.1" not in findings(tmp_path)


def test_a_backup_is_missed_after_a_week(founded: Minyi, tmp_path: Path) -> None:
    assert "none yet" in findings(tmp_path)["backup"].what
    entry(tmp_path, "backup.made", datetime(2026, 12, 4, 3, 20, tzinfo=UTC))
    assert findings(tmp_path)["backup"].state is State.GOOD
    late = found_at(NOW + timedelta(days=3), tmp_path)["backup"]
    assert late.state is State.NOTE
    assert "2026-12-04 03:20" in late.what


@pytest.mark.parametrize(
    ("environ", "name", "state"),
    [
        ({"MINYI_PUBLIC_URL": "http://minyi.test"}, "TLS", State.MEND),
        ({"MINYI_PUBLIC_URL": "https://127.0.0.1:9"}, "proxies", State.NOTE),
        ({"MINYI_METRICS_TOKEN": "short"}, "metrics token", State.MEND),
    ],
)
def test_the_way_in_is_looked_at(
    founded: Minyi, tmp_path: Path, environ: dict[str, str], name: str, state: State
) -> None:
    assert name not in findings(tmp_path)
    assert findings(tmp_path, **environ)[name].state is state


def test_a_copy_from_an_upgrade_is_not_forgotten(founded: Minyi, tmp_path: Path) -> None:
    copy = tmp_path / "minyi-data" / "minyi.db.before-0002"
    copy.touch(0o600)
    assert str(copy) in findings(tmp_path)["copy"].what
