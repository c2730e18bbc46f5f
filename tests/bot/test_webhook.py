from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.routing import Route

from bot.assembly import Inbound
from bot.webhook import SECRET_HEADER, Webhook
from rehearsal.faults import Fault
from rehearsal.telegram import Stage
from storage.store import SqlStore
from surveys.people import Address
from surveys.reply import Heard, Tapped, Typed
from tests.bot.stage import (
    TOKEN,
    Clock,
    Counting,
    Flaky,
    buttoned,
    people,
    seal,
    seen,
    serving,
    until,
)

Live = tuple[Stage, str]
SECRET = "a-long_Secret"


@dataclass
class Hook:
    """The endpoint, and a way to play Telegram's part by hand."""

    webhook: Webhook
    url: str
    session: aiohttp.ClientSession
    calls: int = 0

    async def post(self, update: Any, secret: str | None = SECRET) -> tuple[int, Any]:
        headers = {} if secret is None else {SECRET_HEADER: secret}
        async with self.session.post(self.url, json=update, headers=headers) as response:
            body = await response.read()
            return response.status, await response.json() if body else None


@asynccontextmanager
async def hooked(url: str, core: Counting, store: Any, clock: Clock) -> AsyncIterator[Hook]:
    inbound = Inbound(TOKEN, url, core, store, seal, clock.now)
    webhook = inbound.webhook(SECRET)
    app = Starlette(routes=[Route("/telegram", webhook.receive, methods=["POST"])])
    async with serving(app) as root, aiohttp.ClientSession() as session:
        yield Hook(webhook, f"{root}/telegram", session)
    await inbound.close()


def typed(update_id: int, text: str, person: int = 7) -> dict[str, Any]:
    sender = {"id": person, "is_bot": False, "first_name": "P", "language_code": "zh-hans"}
    chat = {"id": person, "type": "private", "first_name": "P"}
    message = {"message_id": update_id, "date": 1, "from": sender, "chat": chat, "text": text}
    return {"update_id": update_id, "message": message}


def tapped(update_id: int, data: str, message_id: int, person: int = 7) -> dict[str, Any]:
    words = typed(update_id, "?", person)["message"]
    return {
        "update_id": update_id,
        "callback_query": {
            "id": str(update_id),
            "from": words["from"],
            "message": {**words, "message_id": message_id},
            "chat_instance": "1",
            "data": data,
        },
    }


async def test_telegram_itself_delivers_to_it_and_executes_its_answer(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with hooked(url, core, store, clock) as hook:
        await hook.webhook.open(hook.url)
        stage.say(7, "hello")
        await until(lambda: seen(stage, 7) == ["question 1"])
        stage.press(7, label="Next")
        await until(lambda: seen(stage, 7) == ["question 2"])
        await until(lambda: not stage.updates.all())
        await hook.webhook.close()
    assert stage.webhook.url == ""
    assert [heard for _, heard, _ in core.heard] == [Typed("hello"), Tapped("1")]
    # the spinner's stop travelled back inside the 200
    assert stage.queries == {}


async def test_without_the_secret_nothing_is_read(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    core = Counting(store)
    async with hooked(live[1], core, store, clock) as hook:
        for wrong in (None, "", "wrong", SECRET + "x"):
            assert (await hook.post(typed(1, "hello"), wrong))[0] == 401
        assert (await hook.post(["no update"]))[0] == 400
    assert not core.heard


async def test_a_repeated_delivery_is_neither_handled_nor_answered_again(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with hooked(url, core, store, clock) as hook:
        assert [await hook.post(typed(1, "hello")) for _ in range(2)] == [(200, None)] * 2
        press = tapped(2, "1", message_id=1)
        assert await hook.post(press) == await hook.post(press)
    assert len(core.heard) == 2
    assert seen(stage, 7) == ["question 2"]


async def test_typed_answers_leave_one_keyboard_and_a_hasty_one_is_known(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with hooked(url, core, store, clock) as hook:
        await hook.webhook.open(hook.url)
        gate = asyncio.Event()

        async def hold(address: Address, heard: Heard) -> None:
            await gate.wait()

        core.before = hold
        stage.say(7, "one")
        stage.say(7, "two")
        gate.set()
        await until(lambda: seen(stage, 7) == ["question 1", "question 2"])
        await until(lambda: not stage.updates.all())
        await hook.webhook.close()
    assert [heard for _, heard, _ in core.heard] == [Typed("one"), Typed("two", hasty=True)]
    assert len(buttoned(stage, 7)) == 1


async def test_after_a_tap_the_spinner_is_stopped_in_the_body(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    async with hooked(url, Counting(store), store, clock) as hook:
        await hook.post(typed(1, "hello"))
        status, body = await hook.post(tapped(2, "old", message_id=99))
    assert (status, body) == (
        200,
        {"method": "answerCallbackQuery", "callback_query_id": "2"},
    )
    assert seen(stage, 7) == ["question 1"] * 2  # message 99 is not there: sent instead


async def test_a_handlers_exception_asks_for_it_again_and_the_third_buries_it(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    core = Counting(store)

    async def fail(address: Address, heard: Heard) -> None:
        raise KeyError("words")

    core.before = fail
    async with hooked(live[1], core, store, clock) as hook:
        answers = [(await hook.post(typed(1, "x")))[0] for _ in range(4)]
    assert answers == [503, 503, 200, 200]
    ((update_id, reason, _),) = await store.read(lambda tx: tx.dead_letters())
    assert update_id == 1
    assert "words" not in reason


async def test_an_undecodable_update_is_buried_at_once(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    async with hooked(live[1], Counting(store), store, clock) as hook:
        assert (await hook.post({"update_id": 5, "message": {"text": 3}}))[0] == 200
    assert len(await store.read(lambda tx: tx.dead_letters())) == 1


async def test_while_the_store_is_gone_every_delivery_is_refused_and_none_buried(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    flaky = Flaky(store)
    core = Counting(flaky)
    async with hooked(live[1], core, flaky, clock) as hook:
        flaky.gone = True
        assert [(await hook.post(typed(1, "x")))[0] for _ in range(6)] == [503] * 6
        flaky.gone = False
        assert (await hook.post(typed(1, "x")))[0] == 200
        assert len(core.heard) == 1
    assert not await store.read(lambda tx: tx.dead_letters())


async def test_where_telegram_is_away_the_reply_comes_with_the_next_delivery_and_counts_once(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with hooked(url, core, store, clock) as hook:
        await hook.post(typed(1, "hello"))
        stage.faults.add(Fault("sendMessage", 502))
        assert (await hook.post(tapped(2, "1", 99)))[0] == 503
        status, body = await hook.post(tapped(2, "1", 99))
    assert (status, body["method"]) == (200, "answerCallbackQuery")
    assert len(core.heard) == 2
    assert seen(stage, 7) == ["question 1", "question 2"]


async def test_a_press_on_a_message_out_of_reach_keeps_its_two_answers_over_a_failure(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    press = tapped(1, "0", 5)
    press["callback_query"]["message"] = {
        "chat": {"id": 7, "type": "private", "first_name": "P"},
        "message_id": 5,
        "date": 0,  # how Telegram marks a message that a bot can no longer see
    }
    stage.faults.add(Fault("sendMessage", 502))
    async with hooked(url, Counting(store), store, clock) as hook:
        assert (await hook.post(press))[0] == 503
        status, body = await hook.post(press)
    assert (status, body["method"]) == (200, "answerCallbackQuery")
    assert seen(stage, 7) == ["question 1"]


async def test_one_persons_updates_are_handled_one_at_a_time_and_others_beside(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    core = Counting(store)
    gate, inside = asyncio.Event(), []

    async def hold(address: Address, heard: Heard) -> None:
        inside.append(heard)
        if address.handle == "7":
            await gate.wait()

    core.before = hold
    async with hooked(live[1], core, store, clock) as hook:
        first = asyncio.create_task(hook.post(typed(1, "a")))
        await until(lambda: len(inside) == 1)
        second = asyncio.create_task(hook.post(typed(2, "b")))
        await hook.post(typed(3, "c", person=8))
        assert inside == [Typed("a"), Typed("c")]
        gate.set()
        await asyncio.gather(first, second)
    assert inside == [Typed("a"), Typed("c"), Typed("b")]
