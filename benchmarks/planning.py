"""Planning a wave: its roll and its messages, as statements over sets, and the first one sent.

``python -m benchmarks.planning SIDE URL API`` does one side in a process of its own, so that the
most memory it ever took can be told, and prints a ``Run`` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import aiohttp
import psycopg

from benchmarks.databases import Fresh, databases
from benchmarks.scale import Scale
from benchmarks.table import Line
from bot.sending import Sender
from desk.audit import Act
from desk.campaigns import opening
from rehearsal.backstage import TOKEN, Backstage
from storage import FileKeyring, SqlStore
from storage.transaction import SqlTransaction
from surveys import drawing
from surveys.audience import Audience
from surveys.campaigns import Campaign, Delivery, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.reply import Button, Reply

NOW = datetime(2026, 12, 10, 1, tzinfo=UTC)
WAVE = Wave("w", "c", "2026Q4", NOW, NOW + timedelta(days=14), b"k" * 32, WaveState.OPEN, seed="s")
RECIPIENT = RaterGroup.RECIPIENT
CAMPAIGN = Campaign("c", {"en": "C"}, "f", (RECIPIENT,), date(2026, 12, 1))
STAGE = ("--overall", "0", "--per-chat", "0", "--keep-messages", "1")
SAMPLE = 10_000
RAW = (
    "INSERT INTO assignments (wave, person, subject, rater_group) "
    "SELECT 'w', rater, subject, rater_group FROM relations",
    "INSERT INTO deliveries (wave, person, stage, handle, language, due_at, attempts, state, "
    "detail) SELECT 'w', person, 'invite', handle, language, 0, 0, 'due', '' FROM chats",
)
FIRST = "SELECT handle FROM deliveries ORDER BY due_at, id LIMIT 1"
UNDO = ("DELETE FROM deliveries", "DELETE FROM assignments", "DELETE FROM waves")


@dataclass(frozen=True, slots=True)
class Run:
    """What one process did. ``ready``: seconds until planned; ``first``: until one arrived."""

    rows: int
    ready: float
    first: float = 0.0
    megabytes: float = 0.0


async def fill(url: str, people: int) -> None:
    """``people`` on Telegram, each to rate one subject."""
    store = SqlStore(url)

    def work(tx: SqlTransaction) -> None:
        tx.put_form("f", "Form", b"<form/>")
        tx.put_subjects([Subject("s", {"en": "Office"})])
        tx.put_campaign(CAMPAIGN)
        tx.put_people(Person(f"p{at:07}", Kind.CITIZEN) for at in range(people))
        tx.put_relations(Relation(f"p{at:07}", "s", RECIPIENT) for at in range(people))
        for at in range(people):
            tx.put_chat(Chat(Address("telegram", f"{at + 1}"), f"p{at:07}", "zh"))

    await store.write(work)
    await store.close()


async def _drawn(url: str, campaign: Campaign) -> Run:
    """Roll and invitations; opted out, unreachable and old left out."""

    def work(tx: SqlTransaction) -> int:
        tx.put_wave(WAVE)
        return drawing.fill(tx, WAVE, campaign, NOW) + tx.draw_deliveries("w", "invite", NOW)

    store = SqlStore(url)
    start = time.perf_counter()
    rows = await store.write(work)
    ready = time.perf_counter() - start
    await store.close()
    return Run(rows, ready)


async def drawn(url: str, _: str) -> Run:
    """Everybody is asked."""
    return await _drawn(url, CAMPAIGN)


async def sampled(url: str, _: str) -> Run:
    """Some are asked, drawn by chance of all."""
    return await _drawn(url, replace(CAMPAIGN, audience=Audience(sample=SAMPLE)))


async def first(url: str, api: str) -> Run:
    """The clock's own way: wave made and opened, its reminders too; then the first message."""
    store = SqlStore(url)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        means = opening.Means(FileKeyring(Path(folder)), lambda: token_hex(16), 10**9)
        act = Act("minyi", "minyi", "clock", NOW, b"k" * 32)
        report = await store.write(lambda tx: opening.plan(tx, act, NOW, means))
    ready = time.perf_counter() - start
    await _welcome(url, api)
    again = time.perf_counter()
    sender = Sender(TOKEN, api, store, _worded, lambda: NOW, rate=None, batch=1)
    done = await sender.run_once(NOW)
    arrived = ready + time.perf_counter() - again
    assert done.sent == 1, done
    await sender.close()
    await store.close()
    return Run(report.assignments + report.deliveries, ready, arrived)


async def _welcome(url: str, api: str) -> None:
    """Let the stage know whom the ledger names first: it cannot hold a million people."""
    with closing(_connected(url)) as connection:
        [(handle,)] = connection.execute(FIRST).fetchall()
    user = {"id": int(handle), "name": "P", "language": "zh", "started": True}
    async with (
        aiohttp.ClientSession(api) as session,
        session.post("/stage/users", json=[user]) as answer,
    ):
        assert answer.ok or "already on stage" in await answer.text()


async def _worded(_: Delivery) -> Reply:
    return Reply("您好！请您花一分钟评一评这次的服务。", ((Button("开始", "g:w:0:0"),),))


async def raw(url: str, _: str) -> Run:
    """The two barest statements there can be, on the driver itself; every row unconditionally."""
    start = time.perf_counter()
    rows = _executed(url, RAW)
    return Run(rows, time.perf_counter() - start)


SIDES: dict[str, Callable[[str, str], Coroutine[Any, Any, Run]]] = {
    "drawn": drawn, "sampled": sampled, "first": first, "raw": raw,
}  # fmt: skip


def _executed(url: str, statements: tuple[str, ...]) -> int:
    """Rows changed, in one transaction that is forced to the disk."""
    with closing(_connected(url)) as connection:
        rows: int = sum(connection.execute(each).rowcount for each in statements)
        connection.commit()
    return rows


def _connected(url: str) -> Any:
    if not url.startswith("sqlite"):
        return psycopg.connect(url)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def memory() -> float:
    """Megabytes that this process ever held at once."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


async def _child(side: str, url: str, api: str) -> Run:
    """One side, which is undone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.planning", side, url, api, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    run = Run(**json.loads(output))
    assert _executed(url, UNDO[:2]) == run.rows > 0
    _executed(url, UNDO[2:])
    return run


async def measure(scale: Scale) -> list[Line]:
    """A wave of a million recipients, beside one of a tenth of them."""
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as kinds:
        async with Backstage(*STAGE) as stage:
            for name, fresh in kinds.items():
                lines += await _on(name, fresh, stage.url, scale)
    return lines


async def _on(name: str, fresh: Fresh, api: str, scale: Scale) -> list[Line]:
    sizes = scale.of(1_000_000, 20), scale.of(100_000, 10)
    large, small = fresh(), fresh()
    for url, people in zip((large, small), sizes, strict=True):
        await fill(url, people)
        if not url.startswith("sqlite"):
            _executed(url, ("ANALYZE",))  # as its vacuum does within minutes of an import
    runs: dict[tuple[str, str], list[Run]] = {}
    for _ in range(min(3, scale.repetitions)):
        for side in SIDES:
            for url in (large, small):
                runs.setdefault((side, url), []).append(await _child(side, url, api))

    def speeds(side: str, rows: int = 0) -> list[float]:
        return [(rows or run.rows) / run.ready for run in runs[side, large]]

    def peaks(side: str, url: str) -> list[float]:
        return [run.megabytes for run in runs[side, url]]

    what = f"{name}, {sizes[0]:,} recipients"
    plain, smaller = "the same of everybody", f"of {sizes[1]:,} recipients"
    begun = runs["first", large]
    return [
        Line(f"{what}: roll and invitations", "rows/s", speeds("drawn"),
             "raw INSERT..SELECT without conditions", speeds("raw"), 0.5),
        Line("the same: most memory", "MB", peaks("drawn", large), smaller,
             peaks("drawn", small), most=100),
        Line(f"{what}: a sample of {SAMPLE:,}", "people/s", speeds("sampled", sizes[0]), plain,
             speeds("drawn", sizes[0])),
        Line("the same: most memory", "MB", peaks("sampled", large), smaller,
             peaks("sampled", small), most=100),
        Line(f"{what}: from nothing to the first message at Telegram, two reminders planned too",
             "s", [run.first for run in begun], "until all is planned",
             [run.ready for run in begun]),
        Line("the same: most memory", "MB", peaks("first", large), smaller,
             peaks("first", small), most=100),
    ]  # fmt: skip


def main() -> None:
    """Do one side in this process."""
    side, url, api = sys.argv[1:]
    run = asyncio.run(SIDES[side](url, api))
    sys.stdout.write(json.dumps(asdict(replace(run, megabytes=memory()))))


if __name__ == "__main__":
    main()
