"""The whole bot, killed again and again while two hundred people answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from minyi import steps
from minyi.house import House, Pace, open_house
from minyi.replay import compare, personas, questionnaire, title
from minyi.settings import Settings
from minyi.staging import staged
from rehearsal.backstage import TOKEN, Backstage
from rehearsal.district import FIRST_CHAT
from rehearsal.ratings import Rating
from storage import migrate
from surveys.campaigns import Campaign, Outcome, period_of
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from tests.postgres import Cluster

PEOPLE = 200
KILLS = 5
OUTAGE = 10.0  # seconds without a database
INDICATORS = ("speed", "manner", "result")


@dataclass
class Bot:
    """``minyi serve`` as a process of its own."""

    settings: Settings
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environment = {key: value for key, value in os.environ.items() if "MINYI" not in key}
        environment |= {
            "MINYI_TELEGRAM_TOKEN": TOKEN,
            "MINYI_TELEGRAM_API_URL": self.settings.telegram_api_url,
            "MINYI_DATA_DIR": str(self.settings.data_dir),
            "MINYI_DATABASE_URL": self.settings.database,
            "MINYI_PORT": str(self.settings.port),
            "MINYI_TELEGRAM_RATE": "30",
            "MINYI_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-c", "from minyi.cli import main; main()", "serve"]
        self.process = await asyncio.create_subprocess_exec(*command, env=environment)

    async def serves(self) -> None:
        """Wait until it does: without a database it would not start at all."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.settings.port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
        pytest.fail("the bot did not start within a minute")

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return await self.process.wait()


def everyones_ratings() -> list[Rating]:
    """Three grades by each of two hundred people for one of ten subjects."""
    chance = Random(7)
    return [
        Rating(f"r{n}", f"s{n % 10}", indicator, chance.randint(1, 5), unit="u")
        for n in range(PEOPLE)
        for indicator in INDICATORS
    ]


async def prepare(house: House, ratings: list[Rating]) -> None:
    """A wave that opened today, for people who have talked to the bot before."""
    form = questionnaire(INDICATORS)
    today = datetime.now(UTC).date()
    campaign = Campaign(
        id="crash",
        title={"": "Crash"},
        form=form.hash,
        groups=(RaterGroup.RECIPIENT,),
        starts=today,
        recurrence="FREQ=DAILY;COUNT=1",
        zone="UTC",
        quiet=(0, 0),  # real time, at whatever hour this runs
        opens_hour=0,
        window=timedelta(days=2),
        reminders=(),
    )
    pairs = dict.fromkeys((rating.rater, rating.subject) for rating in ratings)

    def work(tx: Any) -> None:
        tx.put_subjects(Subject(s, {"": title(s)}) for s in {s for _, s in pairs})
        tx.put_people(Person(rater, Kind.CITIZEN, language="en") for rater, _ in pairs)
        for number, (rater, _) in enumerate(pairs):
            tx.put_chat(Chat(Address("telegram", str(FIRST_CHAT + number)), rater, "en"))
        tx.put_relations(Relation(r, s, RaterGroup.RECIPIENT) for r, s in pairs)
        tx.put_form(form.hash, form.title, form.source)
        tx.put_campaign(campaign)

    await house.store.write(work)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def hold_the_database(path: Path, seconds: float) -> None:
    """Another process's exclusive lock: nobody reads or writes meanwhile."""
    with sqlite3.connect(path, timeout=20) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        other.rollback()


async def complete(house: House) -> int:
    return await house.store.read(
        lambda tx: sum(tx.interview_counts(wave.id)[1] for wave in tx.waves())
    )


async def invitations(stage: Backstage) -> Counter[int]:
    """How many invitations each chat was sent, from the stage's own record of every call."""
    calls = await stage.ask("calls?last=1000000")
    return Counter(
        int(call["parameters"]["chat_id"])
        for call in calls
        if call["method"] == "sendMessage"
        and call["code"] == 200
        and '"g:' in json.dumps(call["parameters"].get("reply_markup", "")).replace("\\", "")
    )


async def test_two_hundred_people_lose_nothing_when_the_bot_is_killed_five_times(
    tmp_path: Path,
) -> None:
    async def away() -> None:
        await asyncio.to_thread(hold_the_database, tmp_path / "minyi.db", OUTAGE)

    await survive(tmp_path, "", KILLS, away)


async def test_on_postgresql_too_with_the_server_gone_for_ten_seconds(
    tmp_path: Path, own_postgres: Cluster
) -> None:
    async def away() -> None:
        own_postgres.stop()
        await asyncio.sleep(OUTAGE)
        own_postgres.start()

    await survive(tmp_path, own_postgres.fresh_database(), 2, away)


async def survive(
    folder: Path, database: str, kills: int, away: Callable[[], Awaitable[None]]
) -> None:
    """The rehearsal: kills, a poison update, an outage; then everything is counted."""
    ratings = everyones_ratings()
    cast = personas(ratings)
    for persona in cast:
        persona["traits"] = {"hesitates": 1.5, "patience": 3.0, "repeats": 40}
    async with Backstage("--keep-calls", "1000000") as stage:
        settings = staged(folder, stage.url, free_port())
        settings = settings.model_copy(update={"database_url": database})
        migrate(settings.database)
        async with open_house(settings, Pace()) as house:
            await prepare(house, ratings)
            await stage.enter(cast)
            await stage.tell("poison", {"message": {"nonsense": True}})
            bot = Bot(settings)
            for _ in range(kills):
                await bot.start()
                await asyncio.sleep(4)
                await bot.kill()
            await bot.start()
            await bot.serves()
            await asyncio.sleep(2)
            await away()
            unknown = await settled(house)
            assert await bot.kill(signal.SIGTERM) == 0
            await tell(house, stage, ratings, unknown)


async def settled(house: House) -> int:
    """Wait until everybody has answered, but for those whose invitation may not have arrived."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        counts = await house.store.read(
            lambda tx: [row for wave in tx.waves() for row in tx.delivery_counts(wave.id)]
        )
        unknown = sum(n for _, outcome, n in counts if outcome is Outcome.UNKNOWN)
        sent = sum(n for _, outcome, n in counts if outcome is Outcome.SENT)
        if sent + unknown == PEOPLE and await complete(house) >= sent:
            await asyncio.sleep(4)  # whoever got an ambiguous invitation answers it too
            return unknown
        await asyncio.sleep(0.3)
    pytest.fail(f"not settled: {counts}, {await complete(house)} complete")


async def tell(house: House, stage: Backstage, ratings: list[Rating], unknown: int) -> None:
    done = await complete(house)
    asked = await invitations(stage)
    assert max(asked.values()) == 1, "somebody was asked twice"
    assert sum(asked.values()) == done, "whoever was asked has answered, once"
    assert PEOPLE - done <= unknown, "only an ambiguous invitation may be missing"

    def close(tx: Any) -> None:
        for wave in tx.waves():
            tx.put_wave(replace(wave, closes_at=datetime.now(UTC)))

    await house.store.write(close)
    report = await steps.tally(house, datetime.now(UTC))
    assert (report.ballots, report.spoiled) == (done // 10 * 10, 0)
    answered = {f"r{chat - FIRST_CHAT}" for chat in asked}
    period = period_of(datetime.now(UTC).date())
    cells = await house.store.read(lambda tx: tx.cells(period))
    withheld = await house.store.read(lambda tx: tx.withheld(period))
    given = [rating for rating in ratings if rating.rater in answered]
    assert compare(given, cells, withheld, k=5).wrong == ()
    assert len(await house.store.read(lambda tx: tx.dead_letters())) == 1
