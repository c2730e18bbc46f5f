"""Planning a wave: its roll and its messages, as statements over sets, and the first one sent.

Each side is done in a process of its own, so that the most memory it ever took can be told.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import aiohttp

from benchmarks.databases import Fresh, databases
from benchmarks.planned import CAMPAIGN, NOW, RECIPIENT, SAMPLE, SIDES, Run, connected, executed
from benchmarks.scale import Scale
from benchmarks.table import Line
from bot.sending import Sender
from rehearsal.backstage import TOKEN, Backstage
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import Delivery
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.reply import Button, Reply

STAGE = ("--overall", "0", "--per-chat", "0", "--keep-messages", "1")
FIRST = "SELECT handle FROM deliveries ORDER BY due_at, id LIMIT 1"
UNDO = ("DELETE FROM deliveries", "DELETE FROM assignments", "DELETE FROM waves")


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


async def _done(side: str, url: str) -> Run:
    """One side, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.planned", side, url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return Run(**json.loads(output))


async def _sent(url: str, api: str) -> float:
    """Seconds until the first message that is owed is at Telegram."""
    await _welcome(url, api)
    start = time.perf_counter()
    store = SqlStore(url)
    sender = Sender(TOKEN, api, store, _worded, lambda: NOW, rate=None, batch=1)
    done = await sender.run_once(NOW)
    seconds = time.perf_counter() - start
    assert done.sent == 1, done
    await sender.close()
    await store.close()
    return seconds


async def _welcome(url: str, api: str) -> None:
    """Let the stage know whom the ledger names first: it cannot hold a million people."""
    with closing(connected(url)) as connection:
        [(handle,)] = connection.execute(FIRST).fetchall()
    user = {"id": int(handle), "name": "P", "language": "zh", "started": True}
    async with (
        aiohttp.ClientSession(api) as session,
        session.post("/stage/users", json=[user]) as answer,
    ):
        assert answer.ok or "already on stage" in await answer.text()


async def _worded(_: Delivery) -> Reply:
    return Reply("您好！请您花一分钟评一评这次的服务。", ((Button("开始", "g:w:0:0"),),))


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
            executed(url, ("ANALYZE",))  # as its vacuum does within minutes of an import
    runs: dict[tuple[str, str], list[Run]] = {}
    sent: list[float] = []
    for _ in range(min(3, scale.repetitions)):
        for side in SIDES:
            for url in (large, small):
                run = await _done(side, url)
                runs.setdefault((side, url), []).append(run)
                if (side, url) == ("opened", large):
                    sent.append(run.ready + await _sent(url, api))
                assert executed(url, UNDO[:2]) == run.rows > 0
                executed(url, UNDO[2:])

    def speeds(side: str, rows: int = 0) -> list[float]:
        return [(rows or run.rows) / run.ready for run in runs[side, large]]

    def peaks(side: str, url: str) -> list[float]:
        return [run.megabytes for run in runs[side, url]]

    what = f"{name}, {sizes[0]:,} recipients"
    plain, smaller = "the same of everybody", f"of {sizes[1]:,} recipients"
    begun = runs["opened", large]
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
             "s", sent, "until all is planned",
             [run.ready for run in begun]),
        Line("the same: most memory", "MB", peaks("opened", large), smaller,
             peaks("opened", small), most=100),
    ]  # fmt: skip
