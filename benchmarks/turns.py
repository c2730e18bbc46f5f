"""A durable turn inside one process: the conversation core on its store, no HTTP anywhere."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from aiogram import Dispatcher
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.conventional import answers, conventional, prepare
from benchmarks.databases import Fresh, databases
from benchmarks.echo import bot, echo
from benchmarks.scale import Scale, Side, by_turns
from benchmarks.table import Line
from benchmarks.telegram import typed
from benchmarks.world import HEARD, TURNS, WORDS, ballots, found
from minyi.talk import PAYLOAD
from storage import SqlStore
from surveys.people import Address

WAITING = (1, 8, 40)
WHY = {
    "SQLite": "logic, sealing and statements run in the same interpreter as the loop",
    "PostgreSQL": "one connection writes, and each statement of a turn is a journey to it",
}
"""What keeps a durable turn from its goal, by database."""
Person = Callable[[int], Awaitable[None]]
"""Plays one whole interview as person number so and so."""


async def _rate(people: int, waiting: int, play: Person) -> float:
    """Turns a second of ``people`` interviews, ``waiting`` of them under way at once."""
    numbers: Iterator[int] = iter(range(people))

    async def lane() -> None:
        for number in numbers:
            await play(number)

    start = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(waiting)))
    return people * TURNS / (time.perf_counter() - start)


async def core(fresh: Fresh, people: int, waiting: int) -> float:
    """``Conversation.receive``: each turn is on the disk when it returns."""
    with tempfile.TemporaryDirectory() as keys:
        store = SqlStore(fresh())
        conversation = await found(store, Path(keys))

        async def play(number: int) -> None:
            address = Address("telegram", str(number))
            for heard in HEARD:
                await conversation.receive(address, heard, datetime.now(UTC))

        rate = await _rate(people, waiting, play)
        assert await ballots(store) == people
        await store.close()
        return rate


async def fed(dispatcher: Dispatcher, people: int, waiting: int) -> float:
    """The same words fed to an aiogram dispatcher as updates."""
    ours, numbers = bot(None), count(1)

    async def play(number: int) -> None:
        for text in (f"/start {PAYLOAD}", *WORDS):
            await dispatcher.feed_webhook_update(ours, typed(next(numbers), number, text))

    return await _rate(people, waiting, play)


async def orm(fresh: Fresh, people: int, waiting: int) -> float:
    """The conventional bot."""
    url = fresh().replace("postgresql://", "postgresql+psycopg://")
    engine = create_async_engine(url, pool_size=20, max_overflow=20)
    await prepare(engine)
    rate = await fed(conventional(engine), people, waiting)
    assert await answers(engine) == people * len(WORDS)
    await engine.dispose()
    return rate


async def measure(scale: Scale) -> list[Line]:
    """Each number of conversations waiting, on each database."""
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as kinds:
        for waiting in WAITING:
            lines += await _waiting(scale, kinds, waiting)
    return lines


async def _waiting(scale: Scale, kinds: dict[str, Fresh], waiting: int) -> list[Line]:
    people = scale.of({1: 60, 8: 200, 40: 400}[waiting])

    def on(fresh: Fresh) -> Side:
        return lambda: core(fresh, people, waiting)

    sides: dict[str, Side] = {name: on(fresh) for name, fresh in kinds.items()}
    sides["echo"] = lambda: fed(echo(), people, waiting)
    if "PostgreSQL" in kinds:
        sides["orm"] = lambda: orm(kinds["PostgreSQL"], max(1, people // 4), waiting)
    figures = dict(zip(sides, await by_turns(scale.repetitions, list(sides.values())), strict=True))
    lines = []
    for name in kinds:
        what = f"durable turn, {name}, {waiting} waiting"
        lines.append(
            Line(what, "/s", figures[name], "echo handler fed the same updates", figures["echo"])
        )
        if "orm" in figures:
            least = 8.0 if waiting == 40 else None
            baseline = "conventional bot (PostgreSQL), fed likewise"
            lines.append(Line(what, "/s", figures[name], baseline, figures["orm"], least,
                              why=WHY[name]))  # fmt: skip
    return lines
