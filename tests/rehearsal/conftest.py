from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from rehearsal.limits import Limits
from rehearsal.messages import User
from rehearsal.server import Served, serving
from rehearsal.telegram import Stage

TOKEN = "123456:rehearsal-token"
UNHURRIED = Limits(overall=0, per_chat=0, poll_repeat=0)
"""No pace, and polls answered at once: for tests that are not about either."""


@dataclass
class Clock:
    """Unix seconds that pass only when told."""

    seconds: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


async def until(done: Callable[[], bool]) -> None:
    """Watch state that has no event of its own; gives up after half a minute."""
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stage(clock: Clock) -> Stage:
    """Person 1 has started the bot, 2 never has, 3 blocked it, 4 deleted the account."""
    stage = Stage(TOKEN, clock, UNHURRIED, keep_calls=10_000)
    stage.add_user(User(1, "Wang Fang", "zh", started=True))
    stage.add_user(User(2, "Stranger"))
    stage.add_user(User(3, "Blocker", started=True, blocked=True))
    stage.add_user(User(4, "Gone", started=True, deactivated=True))
    return stage


@pytest.fixture
async def served(stage: Stage) -> AsyncIterator[Served]:
    async with serving(stage) as served:
        yield served


def aiogram_bot(url: str, token: str = TOKEN) -> Bot:
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))


def ptb_bot(url: str, token: str = TOKEN) -> ExtBot[None]:
    request = HTTPXRequest(connection_pool_size=8)
    return ExtBot(
        token,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=request,
        get_updates_request=HTTPXRequest(connection_pool_size=8),
    )


@pytest.fixture
async def aio(served: Served) -> AsyncIterator[Bot]:
    bot = aiogram_bot(served.url)
    yield bot
    await bot.session.close()


@pytest.fixture
async def ptb(served: Served, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ExtBot[None]]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    bot = ptb_bot(served.url)
    await bot.initialize()
    yield bot
    await bot.shutdown()
