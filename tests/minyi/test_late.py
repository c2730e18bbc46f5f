"""The clock stood still, ran back, or ran twice: what was due happens once, late, and says so."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from desk.store import Sought
from minyi import steps
from minyi.house import House, open_house
from rehearsal.faults import Fault
from storage.outage import DatabaseGoneError
from surveys.campaigns import Outcome
from tests.minyi.test_year import OPENINGS, ZONE, Town, adds_up, dispositions, town
from tests.postgres import Cluster

PEOPLE = 30
WAVE = f"quarter.{OPENINGS[0]:%Y%m%d}"
OPENS = datetime.combine(OPENINGS[0], time(9), ZONE)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@asynccontextmanager
async def small(folder: Path, url: str) -> AsyncIterator[Town]:
    """Thirty people; it is a minute before their wave opens."""
    async with town(folder, url, PEOPLE) as made:
        made.clock.at = OPENS - timedelta(minutes=1)
        assert await made.tick() == {}
        yield made


async def counts(made: Town) -> dict[tuple[str, Outcome], int]:
    rows = await made.house.store.read(lambda tx: tx.delivery_counts(WAVE))
    return {(stage, outcome): number for stage, outcome, number in rows}


async def late_minutes(made: Town) -> list[int]:
    """How late each opening of the wave was, as the audit tells."""

    def work(tx: Any) -> list[int]:
        openings = tx.audit(Sought(action="wave.opened", what=f"wave:{WAVE}"), limit=9)
        return [int(json.loads(entry.after).get("late", 0)) for entry in openings]

    return await made.house.store.read(work)


def each_got(made: Town, number: int) -> None:
    assert Counter(made.stage.calls.per_chat.values()) == {number: PEOPLE}


async def test_a_day_without_the_clock_across_the_opening(tmp_path: Path, sqlite_url: str) -> None:
    async with small(tmp_path, sqlite_url) as made:
        made.clock.at = OPENS + DAY + HOUR
        await made.tick()
        each_got(made, 1)
        assert await late_minutes(made) == [25 * 60]
        made.clock.at = OPENS + 3 * DAY
        await made.tick()
        each_got(made, 2)
        wave = await made.house.store.read(lambda tx: tx.wave(WAVE))
        assert wave is not None
        assert wave.closes_at == OPENS + timedelta(days=14), "people are told no other day"


async def test_some_hours_without_the_clock_across_a_reminder(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with small(tmp_path, sqlite_url) as made:
        made.clock.at = OPENS
        await made.tick()
        made.clock.at = OPENS + 3 * DAY + 6 * HOUR
        await made.tick()
        each_got(made, 2)


async def test_a_reminder_too_late_is_not_sent_and_the_next_one_is(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with small(tmp_path, sqlite_url) as made:
        made.clock.at = OPENS
        await made.tick()
        made.clock.at = OPENS + 4 * DAY + HOUR
        assert await made.tick() == {}
        found = await counts(made)
        assert found["remind1", Outcome.LATE] == PEOPLE, "it says why it was not sent"
        made.clock.at = OPENS + 7 * DAY
        await made.tick()
        each_got(made, 2)
        assert (await counts(made))["remind2", Outcome.SENT] == PEOPLE


async def test_when_only_the_sender_was_away_nobody_is_invited_and_reminded_at_once(
    tmp_path: Path, sqlite_url: str
) -> None:
    """The wave opened in time; a refused token, say, kept every message back for three days."""
    async with small(tmp_path, sqlite_url) as made:
        made.clock.at = OPENS
        await steps.plan(made.house, made.clock.at)
        made.clock.at = OPENS + 3 * DAY + 2 * HOUR
        await made.tick()
        each_got(made, 1)
        assert (await counts(made))["remind1", Outcome.LATE] == PEOPLE
        made.clock.at = OPENS + 7 * DAY
        await made.tick()
        each_got(made, 2)
        assert (await counts(made))["remind2", Outcome.SENT] == PEOPLE


async def test_a_wave_whose_whole_window_went_by_asks_nobody_and_says_so(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with small(tmp_path, sqlite_url) as made:
        made.clock.at = OPENS + 20 * DAY
        assert await made.tick() == {}
        assert await dispositions(made, WAVE) == {}
        told = await made.house.store.read(
            lambda tx: tx.audit(Sought(action="wave.expired", what=f"wave:{WAVE}"), limit=9)
        )
        assert len(told) == 1
        made.clock.at += DAY
        assert await made.tick() == {}


async def test_night_falls_while_the_clock_stands_and_nobody_is_woken(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with small(tmp_path, sqlite_url) as made:
        made.clock.at = OPENS + 13 * HOUR  # ten at night
        assert await made.tick() == {}
        made.clock.at = OPENS + 22 * HOUR  # seven in the morning
        assert await made.tick() == {}
        made.clock.at = OPENS + 23 * HOUR
        await made.tick()
        each_got(made, 1)


async def test_the_clock_is_set_back_an_hour_while_messages_leave(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with small(tmp_path, sqlite_url) as made:
        made.clock.at = OPENS + HOUR / 2
        made.stage.faults.add(Fault("sendMessage", 429, retry_after=60, chat_id=1010))
        some = await made.tick()
        assert 0 < len(some) < PEOPLE, "Telegram wanted a pause in the middle"
        made.clock.at -= HOUR
        again = await made.tick()
        for minutes in range(30, 181, 30):
            made.clock.at = OPENS - HOUR / 2 + timedelta(minutes=minutes)
            again = {**again, **await made.tick()}
        assert not some.keys() & again.keys(), "nobody is asked twice"
        each_got(made, 1)
        assert await late_minutes(made) == [30], "it opened once"
        waves = await made.house.store.read(lambda tx: tx.waves())
        assert waves[0].id == WAVE
        assert len({wave.opens_at for wave in waves}) == len(waves)


async def test_two_clocks_at_once_do_everything_once(tmp_path: Path, database_url: str) -> None:
    async with (
        small(tmp_path, database_url) as made,
        open_house(made.house.settings, made.house.pace) as other,
    ):
        for since in (0, 3, 7):
            made.clock.at = OPENS + since * DAY
            await asyncio.gather(*(all_steps(house) for house in (made.house, other)))
            await all_steps(other)  # the one that did not hold the lease looks again
        each_got(made, 3)
        assert await late_minutes(made) == [0]
        made.clock.at = OPENS + 15 * DAY
        await asyncio.gather(*(all_steps(house) for house in (made.house, other)))
        tallied = await made.house.store.read(
            lambda tx: tx.audit(Sought(action="wave.tallied", what=f"wave:{WAVE}"), limit=9)
        )
        assert len(tallied) == 1


async def all_steps(house: House) -> None:
    await steps.plan(house, house.clock())
    await steps.deliver(house, house.clock())
    await steps.tally(house, house.clock())


async def test_the_database_restarts_while_messages_leave(
    tmp_path: Path, own_postgres: Cluster
) -> None:
    async with small(tmp_path, own_postgres.fresh_database()) as made:
        made.clock.at = OPENS
        await steps.plan(made.house, OPENS)
        made.stage.faults.add(Fault("sendMessage", delay=0.4, times=PEOPLE))
        sending = asyncio.ensure_future(steps.deliver(made.house, OPENS))
        await asyncio.sleep(0.2)  # half the time that the first answers take
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(own_postgres.start)
        with suppress(DatabaseGoneError):  # the clock looks again a minute later
            await sending
        for minutes in (20, 40, 60):
            made.clock.at = max(made.clock.at, OPENS + timedelta(minutes=minutes))
            await made.tick()
        found = await counts(made)
        sent, unknown = (
            found.get(("invite", Outcome.SENT), 0),
            found.get(("invite", Outcome.UNKNOWN), 0),
        )
        assert sent + unknown == PEOPLE, "nothing is lost"
        got = made.stage.calls.per_chat
        assert set(got.values()) == {1}, "nobody is asked twice"
        assert PEOPLE - len(got) <= unknown
        for one in made.there():
            one.asked, one.told = True, True
        if not unknown:
            await adds_up(made, WAVE)
