"""The server tells other servers by itself."""

from __future__ import annotations

from pathlib import Path

from desk.connections import hooks
from desk.connections.hooks import Desired
from minyi import serving
from storage import FileVault, SqlStore
from tests.minyi.test_sweeping import house_on
from tests.web.test_outgoing import Receiver, receiving


async def test_the_server_sends_what_is_owed(store: SqlStore, tmp_path: Path) -> None:
    made = await house_on(store, tmp_path, FileVault(tmp_path / "attachments"))
    made.settings = made.settings.model_copy(update={"private_hooks": True})
    await serving.JOBS["tell"](made)  # with nobody to tell
    key = made.keyring.app_key()
    async with receiving(Receiver()) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/"
        desired = Desired(url, ("wave.tallied",), private=True)
        await store.write(lambda tx: hooks.make(tx, made.act(), desired, key))
        now = made.clock()
        await store.write(lambda tx: hooks.announce(tx, "wave.tallied", {"wave": "w.1"}, now))
        await serving.JOBS["tell"](made)
    assert len(receiver.heard) == 1


async def test_without_the_setting_nothing_private_is_told(store: SqlStore, tmp_path: Path) -> None:
    made = await house_on(store, tmp_path, FileVault(tmp_path / "attachments"))
    key = made.keyring.app_key()
    async with receiving(Receiver()) as receiver:
        desired = Desired(f"http://127.0.0.1:{receiver.port}/", ("wave.tallied",), private=True)
        await store.write(lambda tx: hooks.make(tx, made.act(), desired, key))
        now = made.clock()
        await store.write(lambda tx: hooks.announce(tx, "wave.tallied", {"wave": "w.1"}, now))
        await serving.JOBS["tell"](made)
    assert not receiver.heard
