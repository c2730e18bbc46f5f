"""One open wave of a shipped questionnaire, behind a link that anybody may follow."""

from __future__ import annotations

from pathlib import Path

from minyi.conversing import QUESTIONNAIRES, settle
from minyi.talk import ORGANISATION, PAYLOAD, rehearse
from storage import FileKeyring, SqlStore
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.reply import Heard, Opened, Typed
from surveys.visit import Setting

FILE = QUESTIONNAIRES / "leadership.md"
WORDS = ("好",) * 8 + ("跳过",)  # eight grades and a skipped question, typed
TURNS = 1 + len(WORDS)
"""Turns of one whole interview: first contact, nine answers, the last seals the ballot."""

HEARD: tuple[Heard, ...] = (Opened(PAYLOAD), *(Typed(word) for word in WORDS))


async def found(store: SqlStore, keys: Path) -> Conversation:
    """Put the wave into an empty ``store``; the conversation about it."""
    keyring = FileKeyring(keys)
    await rehearse(store, keyring, FILE, RaterGroup.RECIPIENT)
    return await converse(store, keys)


async def converse(store: SqlStore, keys: Path) -> Conversation:
    """The conversation about a wave that was found before."""
    setting = Setting(ORGANISATION, web="http://127.0.0.1:8080/c")
    return await settle(store, FileKeyring(keys), setting)


async def ballots(store: SqlStore) -> int:
    """How many sealed ballots lie in the box: the proof that every turn was real."""
    return await store.read(lambda tx: tx.ballot_count("talk"))
