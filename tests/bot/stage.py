"""Telegram on loopback, a store in memory, a core that counts, and a clock that can be moved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bot.assembly import Inbound
from rehearsal.bot_api import BotApi
from rehearsal.limits import Limits
from rehearsal.messages import User
from rehearsal.telegram import Stage
from storage.store import SqlStore
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.conversation import Conversation
from surveys.people import Address, Chat, Kind, Person, Subject
from surveys.reply import Button, Handed, Heard, Medium, Reply, Tapped, Typed
from surveys.store import Assignment, Transaction

TOKEN = "4242:rehearsal-token"
NOW = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)
UNLIMITED = Limits(overall=0, per_chat=0)
T = TypeVar("T")


@dataclass
class Clock:
    """Moves only when somebody sleeps on it, or is told to."""

    at: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0.001)


class Counting(Conversation):
    """Counts up with each tap whose number is the present one; echoes words.

    Like the real core it commits before it answers, a stale tap changes nothing, and a file is
    fetched outside of any transaction. Words in ``unclear`` are not understood. ``shows`` are the
    media of some questions, their bytes in ``kept``.
    """

    def __init__(self, store: Any) -> None:
        self.store = store
        self.heard: list[tuple[str, Heard, str]] = []
        self.before: Callable[[Address, Heard], Awaitable[None]] | None = None
        self.words = "question {turn}"
        self.unclear: set[str] = set()
        self.shows: dict[int, tuple[Medium, ...]] = {}
        self.kept: dict[tuple[str, str], bytes] = {}
        self.limit = 1 << 20
        self.fetched: list[bytes | str] = []

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = "zh"
    ) -> tuple[Reply, ...]:
        if self.before is not None:
            await self.before(address, heard)
        if isinstance(heard, Handed):
            try:
                self.fetched.append(await heard.fetch(self.limit))
            except ValueError as refused:
                self.fetched.append(str(refused))
        name = f"turn:{address.handle}"

        def work(tx: Transaction) -> int:
            turn = int(tx.note(name) or 0)
            if isinstance(heard, Tapped) and heard.data != str(turn):
                return turn
            if isinstance(heard, Typed) and heard.text in self.unclear:
                return turn
            tx.put_note(name, str(turn + 1))
            return turn + 1

        turn = await self.store.write(work)
        self.heard.append((address.handle, heard, hint))
        buttons = ((Button("Next", str(turn)),),)
        media = self.shows.get(turn, ())
        text = self.words.format(turn=turn)
        return (Reply(text, buttons, True, "en", place=f"q{turn}", media=media),)

    async def medium(self, form: str, name: str) -> bytes:
        return self.kept[form, name]


class Flaky:
    """A store that can be gone: its writes then raise what no table knows."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.gone = False
        self.refused = 0

    async def write(self, work: Callable[[Any], T]) -> T:
        if self.gone:
            self.refused += 1
            raise RuntimeError("no such host")
        return await self.store.write(work)

    async def read(self, work: Callable[[Any], T]) -> T:
        if self.gone:
            raise RuntimeError("no such host")
        return await self.store.read(work)

    async def scrub(self) -> None:
        await self.store.scrub()

    async def close(self) -> None:
        await self.store.close()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Real HTTP on a free loopback port; the root URL."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, lifespan="off", log_level="critical", timeout_keep_alive=60
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def telegram(clock: Clock, limits: Limits = UNLIMITED) -> AsyncIterator[tuple[Stage, str]]:
    """The rehearsal's Bot API server and its root URL."""
    stage = Stage(TOKEN, lambda: clock.now().timestamp(), limits, keep_calls=1000)
    api = BotApi(stage, Starlette())
    async with serving(api) as url:
        try:
            yield stage, url
        finally:
            await api.close()


@asynccontextmanager
async def polling(
    url: str, core: Conversation, store: Any, clock: Clock, **more: Any
) -> AsyncIterator[asyncio.Event]:
    """A bot that polls until the end of the block, or until its event is set."""
    inbound = Inbound(TOKEN, url, core, store, seal, clock.now, **{"sleep": _brief, **more})
    stop = asyncio.Event()
    task = asyncio.create_task(inbound.polling(wait=2, grace=1.0).run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await task
        await inbound.close()


async def _brief(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.02))


def people(stage: Stage, *ids: int) -> None:
    for person in ids:
        stage.add_user(User(person, f"Person {person}", "en", started=True))


def seal(words: bytes) -> bytes:
    """Stands for the keyring: reversed, so that the plain words are not in the row."""
    return words[::-1]


def unseal(box: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(box[::-1])
    return found


def seen(stage: Stage, person: int) -> list[str]:
    """The texts of the bot in one chat, top to bottom."""
    return [m.text for m in stage.chats[person].messages.values() if m.from_bot]


def buttoned(stage: Stage, person: int) -> list[int]:
    """The messages that carry buttons, top to bottom."""
    return [m.message_id for m in stage.chats[person].messages.values() if m.keyboard is not None]


def last_button(stage: Stage, person: int) -> str:
    keyboard = list(stage.chats[person].messages.values())[-1].keyboard
    assert keyboard is not None
    label = keyboard.labels()[0][0]
    return str(label)


async def until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for a state; fails loudly where it does not come."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 (what is waited for is on the other side of HTTP)
            await asyncio.sleep(0.005)


def owe(tx: Transaction, chats: list[int], waves: tuple[str, ...] = ("w",)) -> None:
    """Open waves, each with an invitation due for each chat."""
    tx.put_form("form", "Form", b"<form/>")
    tx.put_subjects([Subject("s", {"en": "Office"})])
    tx.put_campaign(
        Campaign("c", {"en": "C"}, "form", (RaterGroup.RECIPIENT,), starts=date(2026, 1, 1))
    )
    opens, closes = NOW - timedelta(days=1), NOW + timedelta(days=14)
    tx.put_people([Person(f"p{chat}", Kind.CITIZEN) for chat in chats])
    for chat in chats:
        tx.put_chat(Chat(Address("telegram", str(chat)), f"p{chat}", "en"))
    for wave in waves:
        tx.put_wave(Wave(wave, "c", "2026Q1", opens, closes, b"key", WaveState.OPEN))
        asked = (Assignment(wave, f"p{chat}", "s", RaterGroup.RECIPIENT) for chat in chats)
        tx.put_assignments(asked)
        tx.draw_deliveries(wave, ("invite", NOW))
