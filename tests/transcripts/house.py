"""The house of ``minyi talk``, for the channels that need a server before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from minyi.conversing import settle
from minyi.talk import ORGANISATION, ZONE, rehearse
from storage import FileKeyring, FileVault, SqlStore
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.visit import Setting

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Talking:
    """A conversation about one questionnaire, behind the payload ``demo``."""

    conversation: Conversation
    store: SqlStore


@asynccontextmanager
async def talking(questionnaire: str) -> AsyncIterator[Talking]:
    """One open wave of ``questionnaire`` (a path from the root) in a store in memory."""
    with TemporaryDirectory() as folder:
        store, keyring = SqlStore("sqlite://"), FileKeyring(Path(folder))
        await rehearse(store, keyring, ROOT / questionnaire, RaterGroup.RECIPIENT)
        setting = Setting(ORGANISATION, web="http://127.0.0.1:8080/c", zone=ZONE)
        vault = FileVault(Path(folder) / "attachments")
        try:
            yield Talking(await settle(store, keyring, setting, vault), store)
        finally:
            await store.close()
