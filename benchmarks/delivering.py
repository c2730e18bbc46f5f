"""Everybody asked exactly once: our sender and a small bot's loop, killed on the same bad day.

Ten thousand people on the rehearsal's Bot API server, which now and then asks for silence (429),
fails (5xx), cuts the line after the message arrived, or takes its time; some people have blocked
the bot. Two senders are started on purpose, and whichever sends is killed outright (kill -9) ten
times. Everything that is told comes from the server's own log and from the database.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import Forbidden, RetryAfter, TelegramError

from benchmarks.scale import Scale
from benchmarks.sending import DATA, LABEL, WORDS, compose, owe
from benchmarks.table import Line
from bot.sending import Sender
from rehearsal.backstage import TOKEN, Backstage
from storage import SqlStore, migrate
from storage.tables import deliveries
from storage.transaction import SqlTransaction
from surveys.campaigns import Outcome, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.store import Assignment

TERM = timedelta(seconds=3)  # of the lease and of a claim: how long a dead sender is waited for
LANES = 8
REPORT = Path(__file__).with_name("asked-once.md")
UNENDING = 600.0  # seconds after which a run has failed


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a run is. ``rate`` is messages a second; each fault meets so many people."""

    people: int = 10_000
    kills: int = 10
    rate: float = 100.0
    blocked: int = 150
    silences: int = 8  # 429, retry after a second
    failures: int = 6  # 500: not performed, which nobody can know
    lost: int = 6  # performed, and then 502 or nothing
    slow: int = 100  # performed, and answered 0.3 seconds late
    seed: int = 5


@dataclass(frozen=True, slots=True)
class Came:
    """What the server saw, and what the database says: numbers of people, but for ``seconds``."""

    once: int
    twice: int  # more than once
    never: int  # of those who had not blocked the bot
    blocked_again: int  # calls to people who had said no with a 403, beyond the first
    unknown: int
    gone: int
    unspoken: int  # never asked, and the ledger does not know that it may be so
    kills: int
    worst_second: int
    seconds: float
    moved: float = 0.0  # seconds, from a kill to the other sender's next message, at most


# ---- the two senders, each a process of its own


async def keep_sending(url: str, api: str, rate: float) -> None:
    """Our sender, as ``minyi serve`` runs it, until it is told to stop; looks often."""
    store = SqlStore(url)
    sender = Sender(
        TOKEN, api, store, compose, lambda: datetime.now(UTC),
        rate=rate, lanes=LANES, batch=50, term=TERM,
    )  # fmt: skip
    while True:
        done = await sender.run_once(datetime.now(UTC))
        if not done.handled:
            await asyncio.sleep(0.1)


async def loop_naively(path: str, api: str, rate: float) -> None:
    """As small bots do: the next one, marked, sent, a nap; once more where it did not work."""
    database = sqlite3.connect(path, timeout=30)
    markup = InlineKeyboardMarkup([[InlineKeyboardButton(LABEL, callback_data=DATA)]])
    async with Bot(TOKEN, base_url=f"{api}/bot") as bot:
        while True:
            row = database.execute("SELECT chat FROM people WHERE sent = 0 LIMIT 1").fetchone()
            if row is None:
                return
            with database:
                database.execute("UPDATE people SET sent = 1 WHERE chat = ?", row)
            await _try(bot, int(row[0]), markup)
            await asyncio.sleep(1 / rate)


async def _try(bot: Bot, chat: int, markup: InlineKeyboardMarkup) -> None:
    for _ in range(3):
        try:
            await bot.send_message(chat, WORDS, reply_markup=markup)
        except Forbidden:
            return
        except RetryAfter as error:
            seconds = error.retry_after
            await asyncio.sleep(
                seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
            )
        except TelegramError:  # a time-out, a 502: surely it did not arrive
            await asyncio.sleep(0.1)
        else:
            return


class Pair:
    """Two senders at work. The older one is killed, and a new one started in its place."""

    def __init__(self, kind: str, where: str, api: str, rate: float) -> None:
        self._command = [sys.executable, "-m", "benchmarks.delivering", kind, where, api, str(rate)]
        self._running: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Pair:
        for _ in range(2):
            await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _start(self) -> None:
        self._running.append(await asyncio.create_subprocess_exec(*self._command))

    async def kill(self) -> None:
        """kill -9 of the older one: of ours the one that holds the lease."""
        oldest = self._running.pop(0)
        if oldest.returncode is None:
            oldest.kill()
        await oldest.wait()
        await self._start()

    @property
    def ended(self) -> bool:
        """Whether neither has anything left to do."""
        return all(process.returncode is not None for process in self._running)


# ---- the same bad day for both


@dataclass(frozen=True, slots=True)
class Day:
    """Who blocked the bot, and what goes wrong with whom."""

    blocked: frozenset[int]
    faults: tuple[dict[str, Any], ...]


def bad_day(plan: Plan) -> Day:
    """The same for the same plan."""
    chance = Random(plan.seed)
    chats = chance.sample(range(1, plan.people + 1), plan.blocked + plan.silences
                          + plan.failures + 2 * plan.lost + plan.slow)  # fmt: skip
    faults: list[dict[str, Any]] = []

    def taken(count: int, **fault: Any) -> None:
        faults.extend(
            {"method": "sendMessage", "chat_id": chats.pop(), **fault} for _ in range(count)
        )

    blocked = frozenset(chats.pop() for _ in range(plan.blocked))
    taken(plan.silences, code=429, retry_after=1)
    taken(plan.failures, code=500)
    taken(plan.lost, code=502, drop_response=True)
    taken(plan.lost, drop_response=True)
    taken(plan.slow, delay=0.3)
    chance.shuffle(faults)
    return Day(blocked, tuple(faults))


async def stage_for(stage: Backstage, plan: Plan, day: Day) -> None:
    """People, who blocked the bot, and the faults."""
    people = range(1, plan.people + 1)
    await stage.tell(
        "users",
        [{"id": n, "name": f"P{n}", "language": "zh", "started": True} for n in people],
    )
    for chat in sorted(day.blocked):
        await stage.tell("block", {"user": chat})
    await stage.tell("faults", list(day.faults))


async def log_of(stage: Backstage) -> list[dict[str, Any]]:
    """Every sendMessage that came whole; of a sender killed while it wrote, half a call may."""
    calls = await stage.ask("calls?last=1000000")
    return [
        call
        for call in calls
        if call["method"] == "sendMessage" and "chat_id" in call["parameters"]
    ]


def arrivals(calls: list[dict[str, Any]]) -> Counter[int]:
    """Messages that arrived, by chat."""
    return Counter(int(c["parameters"]["chat_id"]) for c in calls if c["code"] == 200)


def knocks(calls: list[dict[str, Any]], blocked: Collection[int]) -> int:
    """Calls to these people, who had blocked the bot, beyond the first to each."""
    tried = Counter(int(c["parameters"]["chat_id"]) for c in calls)
    return sum(tried[chat] - 1 for chat in blocked if tried[chat] > 1)


def backstage() -> Backstage:
    """A server without limits of its own, so that it sees the sender's pace and not its own."""
    return Backstage("--overall", "0", "--per-chat", "0", "--keep-messages", "2",
                     "--keep-calls", "1000000")  # fmt: skip


# ---- ours


async def ours(plan: Plan, url: str) -> Came:
    """The ledger and its sender, on the migrated, empty database ``url``."""
    store = SqlStore(url)
    try:
        await store.write(lambda tx: owe(tx, plan.people))
        await store.write(by_day)
        return await _ours(plan, url, store)
    finally:
        await store.close()


async def _ours(plan: Plan, url: str, store: SqlStore) -> Came:
    day = bad_day(plan)
    async with backstage() as stage:
        await stage_for(stage, plan, day)
        start = time.perf_counter()
        async with Pair("ours", url, stage.url, plan.rate) as pair:
            kills, moved = await _through(plan, pair, lambda: _handled(store))
            await _until(lambda: _done(store), plan)
            seconds = time.perf_counter() - start
            await _ask_again(store, plan, day)
            await _until(lambda: _done(store), plan)
        calls = await log_of(stage)
        worst = int((await stage.ask("counters"))["worst_second"])
    return await _came(store, plan, day, calls, (kills, moved), (worst, seconds))


def by_day(tx: SqlTransaction) -> None:
    """No quiet hours: the run is to be the same at any time of day."""
    campaign = tx.campaign("c")
    assert campaign is not None
    tx.put_campaign(replace(campaign, quiet=(0, 0)))


async def _came(
    store: SqlStore,
    plan: Plan,
    day: Day,
    calls: list[dict[str, Any]],
    killed: tuple[int, float],
    pace: tuple[int, float],
) -> Came:
    arrived = arrivals(calls)
    both = Counter(arrived)
    asked_again = {chat for chat in _second(plan, day) if chat not in day.blocked}
    for chat in asked_again:
        both[chat] -= 1  # the second wave's own message
    states = await store.read(lambda tx: tx.delivery_counts("w"))
    counts = Counter({outcome: number for _, outcome, number in states})
    never = [n for n in range(1, plan.people + 1) if both[n] == 0 and n not in day.blocked]
    unknown = await store.read(lambda tx: _who(tx, Outcome.UNKNOWN))
    known = await store.read(lambda tx: _who(tx, Outcome.GONE))
    return Came(
        once=sum(1 for n in both.values() if n == 1),
        twice=sum(1 for n in both.values() if n > 1),
        never=len(never),
        blocked_again=knocks(calls, known),
        unknown=counts[Outcome.UNKNOWN],
        gone=counts[Outcome.GONE],
        unspoken=sum(1 for n in never if n not in unknown),
        kills=killed[0],
        worst_second=pace[0],
        seconds=pace[1],
        moved=killed[1],
    )


def _who(tx: Any, outcome: Outcome) -> set[int]:
    rows = tx._connection.execute(
        select(deliveries.c.handle).where(deliveries.c.state == outcome, deliveries.c.wave == "w")
    )
    return {int(row.handle) for row in rows}


def _second(plan: Plan, day: Day) -> set[int]:
    """Whom the second wave is about: all who blocked the bot, and a few who did not."""
    others = [n for n in range(1, plan.people + 1) if n not in day.blocked]
    return set(day.blocked) | set(others[:20])


async def _ask_again(store: SqlStore, plan: Plan, day: Day) -> None:
    """Another wave: nobody who blocked the bot may hear of it."""
    now = datetime.now(UTC)

    def work(tx: Any) -> None:
        opens, closes = now - timedelta(hours=1), now + timedelta(days=14)
        tx.put_wave(Wave("w2", "c", "2027Q1", opens, closes, b"k" * 32, WaveState.OPEN))
        tx.put_assignments(
            Assignment("w2", f"p{n}", "s", RaterGroup.RECIPIENT) for n in _second(plan, day)
        )
        tx.draw_deliveries("w2", ("invite", opens))

    await store.write(work)


async def _handled(store: SqlStore) -> int:
    counts = await store.read(lambda tx: tx.delivery_counts("w"))
    return sum(number for _, outcome, number in counts if outcome is not Outcome.DUE)


async def _done(store: SqlStore) -> bool:
    def due(tx: Any) -> int:
        return sum(
            number
            for wave in tx.waves()
            for _, outcome, number in tx.delivery_counts(wave.id)
            if outcome is Outcome.DUE
        )

    return not await store.read(due)


async def _through(
    plan: Plan, pair: Pair, handled: Callable[[], Awaitable[int]]
) -> tuple[int, float]:
    """Kill as often as planned, evenly over the work; how often, and the longest silence after."""
    kills, longest = 0, 0.0
    end = time.monotonic() + UNENDING
    while kills < plan.kills:
        if time.monotonic() > end:
            raise TimeoutError(f"after {kills} kills nothing moves any more")
        before = await handled()
        if before >= plan.people * (kills + 1) // (plan.kills + 1):
            await pair.kill()
            kills += 1
            at, left = time.perf_counter(), await handled()
            while await handled() <= left + LANES and not pair.ended:  # those were begun before
                if time.monotonic() > end:
                    raise TimeoutError(f"after {kills} kills nothing moves any more")
                await asyncio.sleep(0.1)
            longest = max(longest, time.perf_counter() - at)
        await asyncio.sleep(0.1)
    return kills, longest


async def _until(done: Callable[[], Awaitable[bool]], plan: Plan) -> None:
    end = time.monotonic() + UNENDING
    while not await done():
        if time.monotonic() > end:
            raise TimeoutError(f"{plan.people} people are not asked in {UNENDING:.0f} s")
        await asyncio.sleep(0.2)


# ---- theirs


async def theirs(plan: Plan, path: Path) -> Came:
    """The loop, on a table of its own, on the same day."""
    day = bad_day(plan)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE people (chat INTEGER PRIMARY KEY, sent INTEGER)")
        rows = ((n,) for n in range(1, plan.people + 1))
        database.executemany("INSERT INTO people VALUES (?, 0)", rows)
        database.commit()

    async def handled() -> int:
        with closing(sqlite3.connect(path, timeout=30)) as reading:
            return int(reading.execute("SELECT sum(sent) FROM people").fetchone()[0])

    async with backstage() as stage:
        await stage_for(stage, plan, day)
        start = time.perf_counter()
        async with Pair("theirs", str(path), stage.url, plan.rate) as pair:
            kills, _ = await _through(plan, pair, handled)

            async def ended() -> bool:
                return pair.ended

            await _until(ended, plan)
        seconds = time.perf_counter() - start
        calls = await log_of(stage)
        worst = int((await stage.ask("counters"))["worst_second"])
    arrived = arrivals(calls)
    never = [n for n in range(1, plan.people + 1) if n not in arrived and n not in day.blocked]
    return Came(
        once=sum(1 for n in arrived.values() if n == 1),
        twice=sum(1 for n in arrived.values() if n > 1),
        never=len(never),
        blocked_again=knocks(calls, day.blocked),
        unknown=0,
        gone=0,
        unspoken=len(never),
        kills=kills,
        worst_second=worst,
        seconds=seconds,
    )


# ---- side by side


async def side_by_side(plan: Plan) -> tuple[Came, Came]:
    """Both, one after the other, on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ours.db"
        migrate(url)
        return await ours(plan, url), await theirs(plan, Path(folder) / "theirs.db")


def report(plan: Plan, one: Came, other: Came) -> str:
    """The table, as Markdown."""
    rows = [
        ("people, of whom had blocked the bot", f"{plan.people:,}, {plan.blocked}",
         f"{plan.people:,}, {plan.blocked}"),
        ("kill -9", one.kills, other.kills),
        ("asked exactly once", f"{one.once:,}", f"{other.once:,}"),
        ("asked twice or more", one.twice, other.twice),
        ("never asked, nor had blocked the bot", one.never, other.never),
        ("of these known to the sender as “may not have arrived”", one.never - one.unspoken, 0),
        ("ambiguous, and counted as such", one.unknown, "not known"),
        ("knew that the bot is blocked", one.gone, "not known"),
        ("calls again to people who had blocked the bot (in another wave too)",
         one.blocked_again, other.blocked_again),
        ("most messages within one second", one.worst_second, other.worst_second),
        ("longest silence after a kill", f"{one.moved:.1f} s", "–"),
        ("whole run", f"{one.seconds:.0f} s", f"{other.seconds:.0f} s"),
    ]  # fmt: skip
    lines = [f"| {what} | {mine} | {its} |" for what, mine, its in rows]
    made = (
        f"{plan.silences} answers of 429, {plan.failures} of 500, {plan.lost} of 502 after the "
        f"message had arrived, {plan.lost} lines cut after it had, {plan.slow} answers 0.3 s late. "
        f"Two senders at once; the lease lasts {TERM.total_seconds():.0f} s here (10 minutes "
        f"otherwise). Pace set: {plan.rate:.0f} a second, {LANES} under way at most."
    )
    return "\n".join((
        "# Everybody asked exactly once", "", f"{datetime.now(UTC):%Y-%m-%d}. {made}", "",
        "| | ours | commit, send, sleep |", "|---|---|---|", *lines, "",
        "`python -m benchmarks delivery` writes this file.", "",
    ))  # fmt: skip


async def measure(scale: Scale) -> list[Line]:
    """The whole comparison; at full size it is written down beside this file."""
    plan = Plan()
    if scale.divisor > 1:
        plan = Plan(scale.of(10_000, least=100), kills=1, blocked=5, silences=1, failures=1,
                    lost=1, slow=5)  # fmt: skip
    one, other = await side_by_side(plan)
    told = report(plan, one, other)
    if scale.divisor == 1:
        REPORT.write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    asked = [float(one.once)], [float(other.once)]
    return [Line("people asked exactly once", "people", asked[0], "commit, send, sleep", asked[1],
                 notes=(f"all of it: {REPORT.name}",))]  # fmt: skip


def main() -> None:
    """One sender, ``ours`` or ``theirs``."""
    logging.getLogger("telegram").setLevel(logging.CRITICAL)  # it tells of each 429 at length
    logging.getLogger("minyi").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivering")
    parser.add_argument("kind", choices=["ours", "theirs"])
    parser.add_argument("where")
    parser.add_argument("api")
    parser.add_argument("rate", type=float)
    given = parser.parse_args()
    work = keep_sending if given.kind == "ours" else loop_naively
    asyncio.run(work(given.where, given.api, given.rate))


if __name__ == "__main__":
    main()
