"""Sending what the ledger owes, without a limit: our sender beside python-telegram-bot alone."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from benchmarks.databases import Fresh, databases
from benchmarks.planned import RECIPIENT
from benchmarks.scale import Scale, Side, by_turns
from benchmarks.table import Line
from bot.sending import Sender
from rehearsal.backstage import TOKEN, Backstage
from storage import SqlStore
from storage.tables import deliveries
from storage.transaction import SqlTransaction
from surveys.campaigns import Campaign, Delivery, Wave, WaveState
from surveys.people import Address, Chat, Kind, Person, Subject
from surveys.reply import Button, Reply
from surveys.store import Assignment

STAGE = ("--overall", "0", "--per-chat", "0", "--keep-messages", "1")
WORDS = "您好！请您花一分钟评一评这次的服务。"
LABEL, DATA = "开始", "g:w:0:0"


async def compose(_: Delivery) -> Reply:
    """The same short invitation for everybody."""
    return Reply(WORDS, ((Button(LABEL, DATA),),))


def owe(tx: SqlTransaction, people: int) -> None:
    """An open wave that owes one message to each of ``people``, at whatever hour it is measured."""
    now = datetime.now(UTC)
    tx.put_form("f", "Form", b"<form/>")
    tx.put_subjects([Subject("s", {"en": "Office"})])
    awake = Campaign("c", {"en": "C"}, "f", (RECIPIENT,), date(2026, 1, 1), quiet=(0, 0))
    tx.put_campaign(awake)
    opens, closes = now - timedelta(days=1), now + timedelta(days=14)
    tx.put_wave(Wave("w", "c", "2026Q4", opens, closes, b"k" * 32, WaveState.OPEN))
    tx.put_people(Person(f"p{at}", Kind.CITIZEN) for at in range(1, people + 1))
    for at in range(1, people + 1):
        tx.put_chat(Chat(Address("telegram", f"{at}"), f"p{at}", "zh"))
    tx.put_assignments(Assignment("w", f"p{at}", "s", RECIPIENT) for at in range(1, people + 1))
    tx.draw_deliveries("w", ("invite", opens))


async def ours(url: str, api: str, people: int) -> float:
    """The sender with its ledger: each row says begun before, and what became of it after."""
    store = SqlStore(url)
    await store.write(lambda tx: owe(tx, people))
    sender = Sender(TOKEN, api, store, compose, lambda: datetime.now(UTC), rate=None)
    opener = Delivery(0, "", "", "", str(people + 1), "zh")  # a chat of its own: none waits for it
    await sender.notify(opener.handle, await compose(opener))
    start, sent = time.perf_counter(), 0
    while done := await sender.run_once(datetime.now(UTC)):
        sent += done.sent
        if not done.handled:
            break
    rate = people / (time.perf_counter() - start)
    assert sent == people
    await sender.close()
    await store.close()
    return rate


async def theirs(url: str, api: str, people: int) -> float:
    """python-telegram-bot as it comes: the next row, the message, the row marked; each committed.

    The row is marked after the message only, so a crash between the two sends it twice.
    """
    store = SqlStore(url)
    await store.write(lambda tx: owe(tx, people))
    await store.close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    markup = InlineKeyboardMarkup([[InlineKeyboardButton(LABEL, callback_data=DATA)]])
    due = select(deliveries.c.id, deliveries.c.handle).where(deliveries.c.state == "due").limit(1)
    async with Bot(TOKEN, base_url=f"{api}/bot") as bot:
        start, sent = time.perf_counter(), 0
        while True:
            with Session(engine) as session:
                row = session.execute(due).first()
                if row is None:
                    break
                await bot.send_message(int(row.handle), WORDS, reply_markup=markup)
                marked = update(deliveries).where(deliveries.c.id == row.id).values(state="sent")
                session.execute(marked)
                session.commit()
                sent += 1
        rate = sent / (time.perf_counter() - start)
    assert sent == people
    engine.dispose()
    return rate


async def measure(scale: Scale) -> list[Line]:
    """Both senders against the rehearsal's Bot API server, in a process of its own."""
    lines = []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as kinds:
        async with Backstage(*STAGE) as stage:
            people = scale.of(2000, least=3)
            await stage.tell("users", [_user(at) for at in range(1, people + 2)])
            for name, fresh in kinds.items():
                sides = _sides(fresh, stage.url, people)
                figures, bare = await by_turns(min(3, scale.repetitions), sides)
                lines.append(
                    Line(f"messages with their ledger, {name}", "/s", figures,
                         "python-telegram-bot, a row at a time", bare, 8.0)
                )  # fmt: skip
    return lines


def _user(chat: int) -> dict[str, object]:
    return {"id": chat, "name": f"Person {chat}", "language": "zh", "started": True}


def _sides(fresh: Fresh, api: str, people: int) -> tuple[Side, Side]:
    async def one() -> float:
        return await ours(fresh(), api, people)

    async def other() -> float:
        return await theirs(fresh(), api, max(1, people // 4))

    return one, other
