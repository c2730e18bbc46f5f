"""Files that nobody kept go once a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desk.store import Notice, Work
from evaluation.method_file import shipped
from minyi import serving
from minyi.conversing import settle
from minyi.house import House, Pace
from minyi.invitations import Invitations
from minyi.settings import Settings
from minyi.sweeping import KEPT, sweep
from storage import FileKeyring, FileVault, SqlStore
from storage.transaction import SqlTransaction
from surveys.files.attachments import KEEP, take
from surveys.forms.form import Kind
from surveys.visit import Setting
from tests.surveys.handing import photo

OPEN = datetime(2026, 12, 10, 2, tzinfo=UTC)
DUE = OPEN + KEEP + timedelta(days=1)


async def house_on(store: SqlStore, folder: Path, vault: FileVault | None) -> House:
    keys, settings = FileKeyring(folder / "keys"), Settings.model_validate({"data_dir": folder})
    conversation = await settle(store, keys, Setting(settings.organisation), vault)
    invitations = Invitations(settings.organisation, store, lambda: DUE)
    pace = Pace(lambda: DUE)
    return House(
        settings, store, keys, conversation, invitations, shipped("quarterly"), pace, vault=vault
    )


async def test_it_sweeps_the_first_time_on_each_day(store: SqlStore, tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "attachments")
    house = await house_on(store, tmp_path, vault)
    await take(vault, Kind.IMAGE, photo(), store, OPEN.date())
    assert [await sweep(house, now) for now in (OPEN, OPEN + KEEP, DUE)] == [0, 0, 1]
    await take(vault, Kind.IMAGE, photo(), store, OPEN.date())
    assert await sweep(house, DUE) == 0, "today it has been done"
    assert await sweep(house, DUE + timedelta(days=1)) == 1


async def test_the_server_sweeps_by_itself(store: SqlStore, tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "attachments")
    house = await house_on(store, tmp_path, vault)
    await take(vault, Kind.IMAGE, photo(), store, OPEN.date())
    await serving.JOBS["sweep"](house)
    assert await store.read(lambda tx: tx.attachments()) == []


async def test_without_a_vault_there_is_nothing_to_sweep(store: SqlStore, tmp_path: Path) -> None:
    assert await sweep(await house_on(store, tmp_path, None), DUE) == 0


async def test_what_is_stale_goes_with_a_vault_or_without(store: SqlStore, tmp_path: Path) -> None:
    house = await house_on(store, tmp_path, None)
    old, new = DUE - KEPT - timedelta(minutes=1), DUE - timedelta(hours=1)
    month = old - timedelta(days=30)  # a receiver's owner comes back from a holiday
    sent, given_up = (
        Notice(0, "h", "wave.opened", "{}", month, state=s) for s in ("sent", "failed")
    )

    def settle(tx: SqlTransaction) -> None:
        tx.put_work(Work("old", "check", "a", old, old, result={"news": ["李四"]}))
        tx.put_work(Work("long", "import", "a", old, new))  # begun long ago, and alive
        tx.put_notices([sent, given_up, replace(sent, due_at=old), replace(sent, state="due")])

    await store.write(settle)
    await sweep(house, DUE)
    assert [work.id for work in await store.read(lambda tx: tx.works())] == ["long"]
    left = await store.read(lambda tx: tx.notices("h"))
    assert [(notice.state, notice.due_at) for notice in left] == [("due", month), ("sent", old)]
