"""Delivery by webhook: secret, order, retries with growing delay, a method in the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiogram import Bot
from aiohttp import web

from rehearsal.bot_api import BotApi
from rehearsal.parameters import Parameters
from rehearsal.server import Served
from rehearsal.telegram import Stage
from rehearsal.webhooks import loopback
from tests.rehearsal.conftest import Clock, until


@dataclass
class Bots:
    """A bot's webhook end: hands out the prepared answers, then plain 200s."""

    answers: list[web.Response] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    url: str = ""

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append(await request.json())
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return self.answers.pop(0) if self.answers else web.Response()


@asynccontextmanager
async def a_bot(*answers: web.Response) -> AsyncIterator[Bots]:
    bots = Bots(list(answers))
    app = web.Application()
    app.router.add_post("/hook", bots.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    bots.url = f"http://{host}:{port}/hook"
    yield bots
    await runner.cleanup()


async def test_updates_are_posted_with_the_secret_and_confirmed_by_2xx(
    aio: Bot, stage: Stage
) -> None:
    async with a_bot() as bots:
        stage.say(1, "before the webhook")
        await aio.set_webhook(bots.url, secret_token="s3cret_-")
        stage.say(1, "after")
        await until(lambda: not len(stage.updates))
        assert [u["message"]["text"] for u in bots.heard] == ["before the webhook", "after"]
        assert bots.secrets == ["s3cret_-", "s3cret_-"]
        await aio.delete_webhook()


async def test_a_method_in_the_answer_is_executed(aio: Bot, stage: Stage) -> None:
    reply = web.json_response({"method": "sendMessage", "chat_id": 1, "text": "heard you"})
    async with a_bot(reply) as bots:
        await aio.set_webhook(bots.url)
        stage.say(1, "hello")
        await until(lambda: stage.calls.by["sendMessage", 200] == 1)
        assert [m["text"] for m in stage.chats[1].transcript()] == ["hello", "heard you"]
        await aio.delete_webhook()


async def test_a_failed_delivery_is_seen_in_the_info_and_tried_again(
    aio: Bot, stage: Stage
) -> None:
    async with a_bot(web.Response(status=500)) as bots:
        await aio.set_webhook(bots.url)
        stage.say(1, "again please")
        await until(lambda: not len(stage.updates))
        assert [u["message"]["text"] for u in bots.heard] == ["again please"] * 2
        info = await aio.get_webhook_info()
        assert (
            info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
        )
        await aio.delete_webhook()


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no page is asked for")


def sleeper(naps: list[float], clock: Clock) -> Callable[[float], Awaitable[None]]:
    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        clock.advance(seconds)
        await asyncio.sleep(0)

    return sleep


async def test_retries_grow_to_a_minute_honour_retry_after_and_end_at_expiry(
    stage: Stage, clock: Clock
) -> None:
    naps: list[float] = []
    api = BotApi(stage, nowhere, sleeper(naps, clock))
    refusals = [web.Response(status=503) for _ in range(8)]
    slow = web.Response(status=429, headers={"Retry-After": "7"})
    async with a_bot(*refusals, slow) as bots:
        await api.call("setWebhook", Parameters({"url": bots.url}))
        stage.say(1, "patience")
        await until(lambda: not len(stage.updates))
        assert naps == [0, 2, 4, 8, 16, 32, 60, 60, 7]
        naps.clear()
        bots.answers += [web.Response(status=500) for _ in range(50)]
        await api.call("sendMessage", Parameters({"chat_id": 1, "text": "?", "reply_markup": KEY}))
        stage.press(1, data="x")
        await until(lambda: not len(stage.updates))
        assert sum(naps) <= 150  # a tap is dropped when it would be too late
        await api.close()


KEY = '{"inline_keyboard": [[{"text": "x", "callback_data": "x"}]]}'


async def test_a_webhook_nobody_answers_keeps_updates_for_polling(
    served: Served, aio: Bot, stage: Stage
) -> None:
    await aio.set_webhook("http://127.0.0.1:9/hook")
    stage.say(1, "kept")
    await until(lambda: bool(stage.trouble.what))
    assert stage.trouble.what.startswith("Connection failed")
    await aio.delete_webhook()
    updates = await aio.get_updates(timeout=0)
    assert [u.message.text for u in updates if u.message] == ["kept"]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.8.9.1", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("a.b", False),
    ],
)
def test_only_this_machine_counts_as_loopback(host: str, local: bool) -> None:
    assert loopback(host) is local
