"""Administrators' pages: how many a second, and how long they take while interviews go on."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmarks.databases import databases
from benchmarks.load import Served, Visit, browsing, drive, request, served
from benchmarks.scale import Scale
from benchmarks.table import Line
from benchmarks.telegram import read_body
from benchmarks.world import found
from desk.accounts import Account, Stage
from desk.entry import sessions
from desk.roles import Grant, Role
from storage import SqlStore
from storage.transaction import SqlTransaction

PAGES = ("/desk", "/desk/fieldwork", "/desk/fieldwork/talk", "/desk/results")
CONNECTIONS = 32
OFFERED = 200  # pages a second
INTERVIEWS = (10, 50)  # whole interviews a second, ten requests each
SECONDS = 20


async def measure(scale: Scale) -> list[Line]:
    """On each database: as fast as it goes, then at a given pace beside interviews."""
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as kinds:
        for name, fresh in kinds.items():
            runs = [await _run(fresh(), scale) for _ in range(scale.repetitions)]
            lines += _lines(name, runs)
    return lines


@dataclass
class Run:
    """One repetition. Rates a second; ``alone`` and ``beside`` are milliseconds of each page."""

    pages: float = 0.0
    home: float = 0.0
    alone: list[float] = field(default_factory=list)
    beside: dict[int, list[float]] = field(default_factory=dict)  # by interviews offered
    interviews: dict[int, float] = field(default_factory=dict)  # finished
    bytes: int = 0


async def _run(url: str, scale: Scale) -> Run:
    run, seconds = Run(), max(SECONDS / scale.divisor, 0.2)
    with tempfile.TemporaryDirectory() as keys:
        store = SqlStore(url)
        await found(store, Path(keys))
        cookie = await store.write(_administrator)
        async with served("desk", "--database", url, "--keys", keys) as server:
            count = scale.of(1000, least=len(PAGES))
            await drive(server, _visits(cookie, PAGES, CONNECTIONS), CONNECTIONS)
            run.pages = (await drive(server, _visits(cookie, PAGES, count), CONNECTIONS)).rate
            run.home = (await drive(server, _visits(cookie, ("/",), count), CONNECTIONS)).rate
            pages = partial(_page, server, cookie, run)
            run.alone = await _offered(OFFERED, seconds, pages)
            for rate in INTERVIEWS:
                talking = asyncio.create_task(_interviews(server, rate, seconds))
                run.beside[rate] = await _offered(OFFERED, seconds, pages)
                run.interviews[rate] = await talking
        await store.close()
    return run


def _administrator(tx: SqlTransaction) -> str:
    now = datetime.now(UTC)
    grants = (Grant(Role.ADMINISTRATOR),)
    account = Account("a-1", "lin", "林", now, grants, totp=b"sealed", recovery=("x",) * 8)
    tx.put_account(account)
    return sessions.begin(tx, account, Stage.FULL, now, "127.0.0.1", "benchmark")


def _visits(cookie: str, paths: tuple[str, ...], count: int) -> Iterator[Visit]:
    def visit(path: str) -> Visit:
        yield request(f"GET {path}", f"Cookie: minyi-desk={cookie}\r\n", b"")

    return (visit(path) for path in itertools.islice(itertools.cycle(paths), count))


async def _offered(
    rate: float, seconds: float, once: Callable[[int], Awaitable[None]]
) -> list[float]:
    """Begin ``once`` so often whatever becomes of it; milliseconds from when each was due.

    Counted from the moment a request was due, not sent, so that a stalled server cannot hide the
    requests that it kept from being made (coordinated omission).
    """
    start, took = time.perf_counter() + 0.05, []

    async def one(number: int) -> None:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await once(number)
        took.append(1000 * (time.perf_counter() - due))

    await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))
    return took


async def _page(server: Served, cookie: str, run: Run, number: int) -> None:
    path = PAGES[number % len(PAGES)]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request(f"GET {path}", f"Cookie: minyi-desk={cookie}\r\n", b""))
    head = await reader.readuntil(b"\r\n\r\n")
    if head[9:12] != b"200":
        raise RuntimeError(f"{head[:40]!r} to {path}")
    run.bytes = max(run.bytes, len(await read_body(reader, head)))
    writer.close()


async def _interviews(server: Served, rate: int, seconds: float) -> float:
    """Whole interviews finished a second, while ``rate`` are begun."""
    visits = browsing(int(rate * seconds))

    async def whole(_: int) -> None:
        await drive(server, iter([next(visits)]), 1)

    start = time.perf_counter()
    done = await _offered(rate, seconds, whole)
    return len(done) / (time.perf_counter() - start)


def _lines(name: str, runs: list[Run]) -> list[Line]:
    front = "the public front page: no session, no database"
    homes = [run.home for run in runs]
    lines = [Line(f"pages of the desk, {name}", "/s", [run.pages for run in runs], front, homes)]
    for rate in INTERVIEWS:
        lines += _beside(name, rate, runs)
    return lines


def _beside(name: str, rate: int, runs: list[Run]) -> list[Line]:
    alone = f"the same, {OFFERED}/s without interviews"
    finished = median(run.interviews[rate] for run in runs)
    largest = max(run.bytes for run in runs) / 1000
    note = (
        f"{OFFERED} pages/s and {rate} interviews/s offered, {finished:.3g} interviews/s finished; "
        f"largest page {largest:.3g} kB, uncompressed.",
    )
    what = f"page beside {rate} interviews/s, {name}"
    return [
        Line(f"{word} {what}", "ms", [figure(run.beside[rate]) for run in runs], alone,
             [figure(run.alone) for run in runs], notes=note if word == "median" else ())
        for word, figure in (("median", median), ("99th percentile", _worst))
    ]  # fmt: skip


def _worst(took: list[float]) -> float:
    return quantiles(took, n=100)[98] if len(took) > 1 else took[0]
