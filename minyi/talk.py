"""The terminal channel: any questionnaire, through the same conversation core.

Forty lines that can drive any questionnaire are the proof that no logic lives in a channel: this
one prints what a reply says and turns a typed line into what was heard. ``[label]`` presses the
newest button so labelled, an old one included.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from minyi import loop
from minyi.conversing import settle
from storage import FileKeyring, SqlStore
from surveys.campaigns import Campaign, Wave, WaveState, period_of
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.people import Address, Invite, Subject
from surveys.reply import Heard, Opened, Reply, Tapped, Typed
from surveys.visit import Setting
from surveys.xlsform import load_form

HERE = Address("terminal", "me")
PAYLOAD = "demo"
SUBJECT = Subject("demo", {"zh": "户籍窗口", "en": "Household registration window"})
ORGANISATION = {"zh": "民意示范区", "en": "Minyi Model District"}


def show(reply: Reply) -> str:
    """A reply as text: its words, then each row of buttons as ``[label] [label]``."""
    rows = ("  " + " ".join(f"[{button.label}]" for button in row) for row in reply.rows)
    return "\n".join((reply.text, *rows))


class Terminal:
    """Remembers the buttons it has printed, so that a label can be pressed again."""

    def __init__(self, conversation: Conversation, language: str) -> None:
        self._conversation = conversation
        self._language = language
        self._drawn: dict[str, str] = {}

    async def hear(self, line: str) -> list[str]:
        """What is said to one typed line."""
        label = line.strip()
        if label.startswith("[") and label.endswith("]") and label[1:-1] in self._drawn:
            return await self._say(Tapped(self._drawn[label[1:-1]]))
        return await self._say(Typed(line))

    async def open(self, payload: str) -> list[str]:
        """What is said to somebody who comes by a link."""
        return await self._say(Opened(payload))

    async def _say(self, heard: Heard) -> list[str]:
        now = datetime.now(UTC)
        replies = await self._conversation.receive(HERE, heard, now, hint=self._language)
        for reply in replies:
            self._drawn |= {b.label: b.data for row in reply.rows for b in row}
        return [show(reply) for reply in replies]


async def rehearse(store: SqlStore, keyring: FileKeyring, file: Path, group: RaterGroup) -> None:
    """Put one open wave of the questionnaire ``file`` into an empty store, behind PAYLOAD."""
    form, now = load_form(file), datetime.now(UTC)
    campaign = Campaign("talk", form.titles, form.hash, (group, RaterGroup.RECIPIENT), now.date())
    wave = Wave(
        id="talk",
        campaign="talk",
        period=period_of(now.date()),
        opens_at=now - timedelta(minutes=1),
        closes_at=now + timedelta(days=1),
        tally_key=keyring.new_wave("talk"),
        state=WaveState.OPEN,
    )

    def work(tx: object) -> None:
        tx.put_subjects([SUBJECT])  # type: ignore[attr-defined]
        tx.put_form(form.hash, form.title, form.source)  # type: ignore[attr-defined]
        tx.put_campaign(campaign)  # type: ignore[attr-defined]
        tx.put_wave(wave)  # type: ignore[attr-defined]
        tx.put_invites([Invite(PAYLOAD, "unit", SUBJECT.id)])  # type: ignore[attr-defined]

    await store.write(work)


async def converse(file: Path, language: str, lines: Iterable[str]) -> None:
    """Interview whoever types ``lines``, until they end."""
    with tempfile.TemporaryDirectory() as folder:
        store, keyring = SqlStore("sqlite://"), FileKeyring(Path(folder))
        await rehearse(store, keyring, file, RaterGroup.RECIPIENT)
        setting = Setting(ORGANISATION, web="http://127.0.0.1:8080/c")
        terminal = Terminal(await settle(store, keyring, setting), language)
        write("\n\n".join(await terminal.open(PAYLOAD)))
        for line in lines:
            write("\n\n".join(await terminal.hear(line.rstrip("\n"))))
        await store.close()


def write(text: str) -> None:
    """Print, with room for the next typed line."""
    sys.stdout.write(f"{text}\n> " if sys.stdin.isatty() else f"{text}\n\n")
    sys.stdout.flush()


def run(file: Path, language: str = "zh") -> int:
    """``minyi talk FILE``."""
    loop.run(converse(file, language, sys.stdin))
    return 0
