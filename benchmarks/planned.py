"""One side of planning a wave, in a process of its own that imports no more than it needs.

``python -m benchmarks.planned SIDE URL`` prints a ``Run`` as JSON.
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

import psycopg

from desk.audit import Act
from desk.campaigns import opening
from storage import FileKeyring, SqlStore
from storage.transaction import SqlTransaction
from surveys import drawing
from surveys.audience import Audience
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup

NOW = datetime(2026, 12, 10, 1, tzinfo=UTC)
WAVE = Wave("w", "c", "2026Q4", NOW, NOW + timedelta(days=14), b"k" * 32, WaveState.OPEN, seed="s")
RECIPIENT = RaterGroup.RECIPIENT
CAMPAIGN = Campaign("c", {"en": "C"}, "f", (RECIPIENT,), date(2026, 12, 1))
SAMPLE = 10_000
RAW = (
    "INSERT INTO assignments (wave, person, subject, rater_group) "
    "SELECT 'w', rater, subject, rater_group FROM relations",
    "INSERT INTO deliveries (wave, person, stage, handle, language, due_at, attempts, state, "
    "detail) SELECT 'w', person, 'invite', handle, language, 0, 0, 'due', '' FROM chats",
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one process did: rows written, seconds until planned, the most memory it ever took."""

    rows: int
    ready: float
    megabytes: float


async def _drawn(url: str, campaign: Campaign) -> Run:
    """Roll and invitations; opted out, unreachable and old left out."""

    def work(tx: SqlTransaction) -> int:
        tx.put_wave(WAVE)
        return drawing.fill(tx, WAVE, campaign, NOW) + tx.draw_deliveries("w", ("invite", NOW))

    store = SqlStore(url)
    start = time.perf_counter()
    rows = await store.write(work)
    ready = time.perf_counter() - start
    await store.close()
    return Run(rows, ready, memory())


async def drawn(url: str) -> Run:
    """Everybody is asked."""
    return await _drawn(url, CAMPAIGN)


async def sampled(url: str) -> Run:
    """Some are asked, drawn by chance of all."""
    return await _drawn(url, replace(CAMPAIGN, audience=Audience(sample=SAMPLE)))


async def opened(url: str) -> Run:
    """The clock's own way: wave made and opened, its reminders too."""
    store = SqlStore(url)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        means = opening.Means(FileKeyring(Path(folder)), lambda: token_hex(16), 10**9)
        act = Act("minyi", "minyi", "clock", NOW, b"k" * 32)
        report = await store.write(lambda tx: opening.plan(tx, act, NOW, means))
    ready = time.perf_counter() - start
    await store.close()
    return Run(report.assignments + report.deliveries, ready, memory())


async def raw(url: str) -> Run:
    """The two barest statements there can be, on the driver itself; every row unconditionally."""
    start = time.perf_counter()
    rows = executed(url, RAW)
    return Run(rows, time.perf_counter() - start, memory())


SIDES: dict[str, Callable[[str], Coroutine[Any, Any, Run]]] = {
    "drawn": drawn, "sampled": sampled, "opened": opened, "raw": raw,
}  # fmt: skip


def executed(url: str, statements: tuple[str, ...]) -> int:
    """Rows changed, in one transaction that is forced to the disk."""
    with closing(connected(url)) as connection:
        rows: int = sum(connection.execute(each).rowcount for each in statements)
        connection.commit()
    return rows


def connected(url: str) -> Any:
    """The driver's own connection, which forces commits to the disk."""
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


def main() -> None:
    """Do one side in this process."""
    side, url = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(asyncio.run(SIDES[side](url)))))


if __name__ == "__main__":
    main()
