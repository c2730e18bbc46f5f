"""Administrators hear in their own chat what needs them: once, by day, and never about anybody."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from desk.accounts import Account
from desk.roles import Grant, Role
from minyi import alarming
from minyi.house import House, Pace, open_house
from minyi.staging import staged
from rehearsal.backstage import TOKEN
from rehearsal.limits import Limits
from rehearsal.messages import User
from rehearsal.server import serving
from rehearsal.telegram import Stage
from storage import migrate
from surveys.people import Address
from tests.storage.rows import NOW, found_world

OFFICER, AUDITOR = 4001, 4002
MINUTE = timedelta(minutes=1)


@dataclass
class Watch:
    """A house with a wave that asks nobody, an officer and an auditor with their chats."""

    house: House
    stage: Stage
    at: list[datetime] = field(default_factory=lambda: [NOW])

    async def look(self, **later: float) -> list[str]:
        """Look again after a while; everything that the officer has been told by then."""
        self.at[0] += timedelta(**later)
        await alarming.tell(self.house)
        return self.heard(OFFICER)

    def heard(self, who: int) -> list[str]:
        chat = self.stage.chats.get(who)
        return [] if chat is None else [str(each["text"]) for each in chat.transcript()]


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Watch]:
    stage = Stage(TOKEN, time.time, Limits(overall=0, per_chat=0))
    for who, name in ((OFFICER, "王芳"), (AUDITOR, "Li")):
        stage.add_user(User(who, name, "zh"))
        stage.say(who, "/start")
    async with serving(stage) as served:
        settings = staged(folder, served.url, 1)
        migrate(settings.database)
        at = [NOW]
        async with open_house(settings, Pace(clock=lambda: at[0], rate=None)) as house:
            await house.store.write(begin)
            yield Watch(house, stage, at)


def begin(tx: Any) -> None:
    found_world(tx)
    for who, role in ((OFFICER, Role.OFFICER), (AUDITOR, Role.AUDITOR)):
        chat = Address("telegram", str(who))
        tx.put_account(Account(role, role, role.title(), NOW, (Grant(role),), "en", chat=chat))


async def test_an_officer_is_told_once_and_an_auditor_is_not(tmp_path: Path) -> None:
    async with watching(tmp_path) as watch:
        first = await watch.look()
        said = [text for text in first if "asks nobody" in text]
        assert len(said) == 1
        assert "This needs you: “Satisfaction” is open and asks nobody" in said[0]
        assert said[0].endswith("/desk/fieldwork/q-2026Q4")
        assert await watch.look(minutes=5) == first
        assert not [text for text in watch.heard(AUDITOR) if "asks nobody" in text]


async def test_nobody_is_woken_and_the_morning_tells_it(tmp_path: Path) -> None:
    async with watching(tmp_path) as watch:
        before = watch.heard(OFFICER)
        assert await watch.look(hours=10) == before, "ten at night in Shanghai"
        assert len(await watch.look(hours=10)) == len(before) + 1


async def test_it_looks_once_a_minute(tmp_path: Path) -> None:
    async with watching(tmp_path) as watch:
        await watch.look()
        looked = watch.house.looked_at
        await watch.look(seconds=59)
        assert watch.house.looked_at == looked
        await watch.look(seconds=1)
        assert watch.house.looked_at == NOW + MINUTE


async def test_only_one_process_tells(tmp_path: Path) -> None:
    async with watching(tmp_path) as watch:
        until = NOW + timedelta(hours=1)
        await watch.house.store.write(
            lambda tx: tx.take_lease(alarming.LEASE, "another", NOW, until)
        )
        before = watch.heard(OFFICER)
        assert await watch.look() == before
        assert len(await watch.look(hours=1)) == len(before) + 1


async def test_while_telegram_takes_nothing_it_waits_to_be_told(tmp_path: Path) -> None:
    async with watching(tmp_path) as watch:
        pause = (NOW + 30 * MINUTE).isoformat()
        await watch.house.store.write(
            lambda tx: tx.put_note("telegram-sending-paused-until", pause)
        )
        before = watch.heard(OFFICER)
        assert await watch.look(minutes=1) == before
        assert len(await watch.look(minutes=30)) == len(before) + 1
