"""Questionnaires tried at the desk: the very conversation that people have, kept in memory only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from minyi.conversing import settle
from minyi.talk import PAYLOAD, stage
from storage import FileKeyring, FileVault, SqlStore
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.forms.form import Form
from surveys.forms.label_media import media_names
from surveys.people import Address
from surveys.reply import Heard, Reply
from surveys.visit import Setting

LASTS = timedelta(hours=1)  # after the last word in it
MOST = 50  # at one time; the one longest silent goes first


@dataclass
class OneTrial:
    """A store in memory, keys in a folder that goes with it, and the conversation over both."""

    form: Form
    origin: str
    used_at: datetime
    _conversation: Conversation
    _store: SqlStore
    _folder: TemporaryDirectory[str]
    payload: str = PAYLOAD

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = ""
    ) -> tuple[Reply, ...]:
        """What is said to ``heard``."""
        self.used_at = now
        return await self._conversation.receive(address, heard, now, hint=hint)

    async def medium(self, form: str, name: str) -> bytes:
        """A file that belongs to a label."""
        return await self._conversation.medium(form, name)

    async def close(self) -> None:
        """Forget everything."""
        await self._store.close()
        self._folder.cleanup()


class RoomForTrials:
    """Implements ``web.console.console.Trials``, for the house that ``setting`` tells of."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._trials: dict[str, OneTrial] = {}
        self._making = asyncio.Lock()

    async def begin(
        self,
        account: str,
        form: Form,
        media: Callable[[str], tuple[str, bytes] | None],
        now: datetime,
        origin: str,
    ) -> OneTrial:
        """A new trial; the account's last one is forgotten, and so is every one that is over."""
        files = {name: found for name in media_names(form) if (found := media(name)) is not None}
        async with self._making:
            await self._make_room(account, now)
            folder = await asyncio.to_thread(TemporaryDirectory, prefix="minyi-trial-")
            store, keyring = SqlStore("sqlite://"), FileKeyring(Path(folder.name))
            try:
                await stage(store, keyring, form, files, RaterGroup.RECIPIENT, now)
                vault = FileVault(Path(folder.name) / "files")
                talk = await settle(store, keyring, self._setting, vault)
            except BaseException:
                await store.close()
                folder.cleanup()
                raise
            trial = self._trials[account] = OneTrial(form, origin, now, talk, store, folder)
        return trial

    def under_way(self, account: str, now: datetime) -> OneTrial | None:
        """The account's trial, unless nobody has said anything in it for an hour."""
        trial = self._trials.get(account)
        return None if trial is None or _over(trial, now) else trial

    async def close(self) -> None:
        """Forget all of them."""
        async with self._making:
            for account in list(self._trials):
                await self._trials.pop(account).close()

    async def _make_room(self, account: str, now: datetime) -> None:
        over = [who for who, trial in self._trials.items() if who == account or _over(trial, now)]
        left = sorted(self._trials.keys() - set(over), key=lambda who: self._trials[who].used_at)
        for who in [*over, *left[: max(0, len(left) - MOST + 1)]]:
            await self._trials.pop(who).close()


def _over(trial: OneTrial, now: datetime) -> bool:
    return now - trial.used_at >= LASTS
