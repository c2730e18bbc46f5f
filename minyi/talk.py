"""The terminal channel: any questionnaire, through the same conversation core.

Forty lines that can drive any questionnaire are the proof that no logic lives in a channel: this
one prints what a reply says and turns a typed line into what was heard. ``[label]`` presses the
newest button so labelled, an old one included; ``@photo.jpg`` hands a file over, ``@39.9, 116.4``
shares a place; ``~words`` edits what was typed last.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from minyi import loop
from minyi.commands.desk import CommandError
from minyi.conversing import settle
from storage import FileKeyring, FileVault, SqlStore
from surveys.campaigns import Campaign, Wave, WaveState, period_of
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.forms.form import Form, FormError, Kind
from surveys.forms.label_media import Media, load_media, media_names, put_questionnaire
from surveys.forms.record import record
from surveys.forms.xlsform import load_form
from surveys.lint.check import refusal
from surveys.people import Address, Invite, Subject
from surveys.rating import Rating
from surveys.reply import Handed, Heard, Located, Opened, Reply, Tapped, Typed
from surveys.store import SealedInterview
from surveys.visit import Setting
from surveys.words import LANGUAGES

HERE = Address("terminal", "me")
PAYLOAD = "demo"
PLACE = re.compile(r"@(-?\d+(?:\.\d+)?), ?(-?\d+(?:\.\d+)?)")
ZONE = ZoneInfo("Asia/Shanghai")
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
        if place := PLACE.fullmatch(label):
            return await self._say(Located(float(place[1]), float(place[2])))
        if label.startswith("@") and (file := Path(label[1:])).is_file():
            return await self._say(handed(file))
        if label.startswith("~"):
            return await self._say(Typed(label[1:].strip(), amended=True))
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
    form = load_form(file)
    media = load_media(file, media_names(form))
    await stage(store, keyring, form, media, group, datetime.now(UTC))


async def stage(
    store: SqlStore,
    keyring: FileKeyring,
    form: Form,
    media: Media,
    group: RaterGroup,
    now: datetime,
) -> None:
    """Put one wave of ``form``, open for a day from ``now``, into an empty store."""
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
        put_questionnaire(tx, form, media)  # type: ignore[arg-type]
        tx.put_campaign(campaign)  # type: ignore[attr-defined]
        tx.put_wave(wave)  # type: ignore[attr-defined]
        tx.put_invites([Invite(PAYLOAD, "unit", SUBJECT.id)])  # type: ignore[attr-defined]

    await store.write(work)


def handed(file: Path) -> Handed:
    """``file`` as something handed over, of the kind that its name tells."""
    kinds = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO}
    major = (mimetypes.guess_type(file.name)[0] or "").partition("/")[0]

    size = file.stat().st_size

    async def fetch(limit: int) -> bytes:
        if size > limit:
            raise ValueError(f"{file.name} has more than {limit} bytes")
        return await asyncio.to_thread(file.read_bytes)

    return Handed(kinds.get(major, Kind.FILE), fetch, file.name, size)


class Overheard(Rating):
    """A rating whose answers are also told to whoever tries the questionnaire out."""

    answers: Mapping[str, str] | None = None

    def finish(
        self,
        tx: Any,
        row: SealedInterview,
        form: Form,
        values: Mapping[str, str],
        answers: Mapping[str, str],
        address: Address,
        now: datetime,
        language: str,
    ) -> Reply:
        """Remember the answers, then seal them as ever."""
        self.answers = dict(values)
        return super().finish(tx, row, form, values, answers, address, now, language)


async def converse(
    file: Path, language: str, lines: Iterable[str], *, as_json: bool = False
) -> None:
    """Interview whoever types ``lines``, until they end.

    ``as_json``: the last line printed is then the answers, or null where it was left unfinished.
    """
    with tempfile.TemporaryDirectory() as folder:
        store, keyring = SqlStore("sqlite://"), FileKeyring(Path(folder))
        await rehearse(store, keyring, file, RaterGroup.RECIPIENT)
        setting = Setting(ORGANISATION, web="http://127.0.0.1:8080/c", zone=ZONE)
        overheard, vault = Overheard(keyring), FileVault(Path(folder))
        conversation = await settle(store, keyring, setting, vault, rating=overheard)
        terminal = Terminal(conversation, language)
        write("\n\n".join(await terminal.open(PAYLOAD)))
        for line in lines:
            write("\n\n".join(await terminal.hear(line.rstrip("\n"))))
        await store.close()
    if as_json:
        form = load_form(file)
        answers = None if overheard.answers is None else record(form, overheard.answers)
        told = {"form": form.id, "version": form.hash, "complete": answers is not None}
        sys.stdout.write(json.dumps(told | {"answers": answers}, ensure_ascii=False) + "\n")


def write(text: str) -> None:
    """Print, with room for the next typed line."""
    sys.stdout.write(f"{text}\n> " if sys.stdin.isatty() else f"{text}\n\n")
    sys.stdout.flush()


def run(file: Path, language: str = "zh", *, as_json: bool = False) -> int:
    """``minyi talk FILE``. One that cannot be asked is told of as ``minyi form check`` does."""
    try:
        load_form(file)
    except FormError as error:
        if not error.problems:
            raise
        known = language if language in LANGUAGES else "en"
        raise CommandError(refusal(file, known)) from error
    loop.run(converse(file, language, sys.stdin, as_json=as_json))
    return 0
