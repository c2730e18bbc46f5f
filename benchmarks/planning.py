"""Planning a wave: its roll and its invitations, as two statements over sets.

``python -m benchmarks.planning SIDE URL`` draws in a process of its own, so that the most memory
it ever took can be told; it prints ``[rows, seconds, megabytes]`` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.scale import Scale, by_turns
from benchmarks.table import Line
from storage import SqlStore, migrate
from storage.transaction import SqlTransaction
from surveys import drawing
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject

NOW = datetime(2026, 12, 10, 1, tzinfo=UTC)
WAVE = Wave("w", "c", "2026Q4", NOW, NOW + timedelta(days=14), b"k" * 32, WaveState.OPEN)
RECIPIENT = RaterGroup.RECIPIENT
CAMPAIGN = Campaign("c", {"en": "C"}, "f", (RECIPIENT,), date(2026, 12, 1))
RAW = (
    "INSERT INTO assignments (wave, person, subject, rater_group) "
    "SELECT 'w', rater, subject, rater_group FROM relations",
    "INSERT INTO deliveries (wave, person, stage, handle, language, due_at, attempts, state, "
    "detail) SELECT 'w', person, 'invite', handle, language, 0, 0, 'due', '' FROM chats",
)


async def fill(url: str, people: int) -> None:
    """``people`` on Telegram, each to rate one subject."""
    store = SqlStore(url)

    def work(tx: SqlTransaction) -> None:
        tx.put_form("f", "Form", b"<form/>")
        tx.put_subjects([Subject("s", {"en": "Office"})])
        tx.put_campaign(CAMPAIGN)
        tx.put_wave(WAVE)
        tx.put_people(Person(f"p{at:07}", Kind.CITIZEN) for at in range(people))
        tx.put_relations(Relation(f"p{at:07}", "s", RECIPIENT) for at in range(people))
        for at in range(people):
            tx.put_chat(Chat(Address("telegram", f"{at:07}"), f"p{at:07}", "zh"))

    await store.write(work)
    await store.close()


async def drawn(url: str) -> int:
    """The store's way, as ``minyi plan`` takes it: opted out, unreachable and old left out."""
    store = SqlStore(url)
    rows = await store.write(
        lambda tx: drawing.fill(tx, WAVE, CAMPAIGN, NOW) + tx.draw_deliveries("w", "invite", NOW)
    )
    await store.close()
    return rows


async def raw(url: str) -> int:
    """The two barest statements there can be, on the driver itself; every row unconditionally."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA synchronous=FULL")
    with connection:
        rows = sum(connection.execute(statement).rowcount for statement in RAW)
    connection.close()
    return rows


SIDES = {"drawn": drawn, "raw": raw}


def memory() -> float:
    """Megabytes that this process ever held at once."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


async def _child(side: str, url: str) -> tuple[float, float]:
    """(rows a second, megabytes) of one side, which is undone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.planning", side, url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    rows, seconds, megabytes = json.loads(output)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        counted = connection.execute("SELECT count(*) FROM deliveries").fetchone()[0]
        assert rows == 2 * counted > 0
        connection.execute("DELETE FROM deliveries")
        connection.execute("DELETE FROM assignments")
    return rows / seconds, megabytes


async def measure(scale: Scale) -> list[Line]:
    """A wave of a million recipients."""
    people, peaks = scale.of(1_000_000), []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/minyi.db"
        migrate(url)
        await fill(url, people)

        async def ours() -> float:
            rate, megabytes = await _child("drawn", url)
            peaks.append(megabytes)
            return rate

        async def theirs() -> float:
            return (await _child("raw", url))[0]

        figures, bare = await by_turns(min(3, scale.repetitions), (ours, theirs))
    what = f"{people:,} recipients: roll and invitations, SQLite"
    return [
        Line(what, "rows/s", figures, "raw INSERT..SELECT without conditions", bare, 0.5),
        Line("the same: most memory of the process", "MB", peaks, "the goal", [100.0] * len(peaks),
             most=100),
    ]  # fmt: skip


def main() -> None:
    """Draw in this process."""
    side, url = sys.argv[1:]
    start = time.perf_counter()
    rows = asyncio.run(SIDES[side](url))
    sys.stdout.write(json.dumps([rows, time.perf_counter() - start, memory()]))


if __name__ == "__main__":
    main()
