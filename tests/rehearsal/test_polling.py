"""Long polling and the queue behind it."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramConflictError
from telegram.error import Conflict
from telegram.ext import ExtBot

from rehearsal.limits import Limits
from rehearsal.refusals import StageMistake
from rehearsal.telegram import Stage
from rehearsal.updates import UpdateQueue
from tests.rehearsal.conftest import Clock, until


async def test_an_offset_confirms_everything_below_it(
    aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    for word in ("one", "two", "three"):
        stage.say(1, word)
    first = await aio.get_updates(limit=2, timeout=0)
    assert [u.message.text for u in first if u.message] == ["one", "two"]
    again = await aio.get_updates(limit=2, timeout=0)
    assert [u.update_id for u in again] == [u.update_id for u in first]
    rest = await ptb.get_updates(offset=first[-1].update_id + 1, timeout=0)
    assert [u.message.text for u in rest if u.message] == ["three"]
    assert len(stage.updates) == 1
    latest = await aio.get_updates(offset=-1, timeout=0)
    assert [u.message.text for u in latest if u.message] == ["three"]


async def test_a_waiting_poll_is_answered_when_something_happens(aio: Bot, stage: Stage) -> None:
    poll = asyncio.create_task(aio.get_updates(timeout=50))
    await until(lambda: stage.updates.on_arrival is not None)
    stage.say(1, "hello")
    updates = await poll
    assert [u.message.text for u in updates if u.message] == ["hello"]


async def test_a_poll_that_hears_nothing_ends_empty(ptb: ExtBot[None]) -> None:
    assert await ptb.get_updates(timeout=1) == ()


async def test_a_second_poller_ends_the_first_with_409(
    aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    first = asyncio.create_task(aio.get_updates(timeout=50))
    await until(lambda: stage.updates.on_arrival is not None)
    second = asyncio.create_task(ptb.get_updates(timeout=50))
    with pytest.raises(TelegramConflictError, match="only one bot instance"):
        await first
    third = asyncio.create_task(aio.get_updates(timeout=50))
    with pytest.raises(Conflict, match="only one bot instance"):
        await second
    await until(lambda: stage.updates.on_arrival is not None)
    stage.say(1, "who hears?")
    assert len(await third) == 1


async def test_polling_is_refused_while_a_webhook_is_set(
    aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    waiting = asyncio.create_task(aio.get_updates(timeout=50))
    await until(lambda: stage.updates.on_arrival is not None)
    await aio.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook"):
        await waiting
    with pytest.raises(Conflict, match="webhook is active"):
        await ptb.get_updates(timeout=0)
    await aio.delete_webhook()
    assert await ptb.get_updates(timeout=0) == ()


async def test_allowed_updates_stick_and_hold_for_what_comes_later(aio: Bot, stage: Stage) -> None:
    stage.say(1, "before")
    await aio.get_updates(timeout=0, allowed_updates=["callback_query"])
    stage.say(1, "unwanted")
    updates = await aio.get_updates(timeout=0)
    assert [u.message.text for u in updates if u.message] == ["before"]
    await aio.get_updates(timeout=0, allowed_updates=[])
    stage.say(1, "after")
    assert len(await aio.get_updates(timeout=0)) == 2


async def test_a_poll_repeating_itself_is_slowed(stage: Stage, aio: Bot) -> None:
    stage.limits = Limits(poll_repeat=30)
    await aio.get_updates(offset=5, timeout=1)
    again = asyncio.create_task(aio.get_updates(offset=5, timeout=0))
    await until(lambda: stage.updates.on_arrival is not None)  # it waits though it asked not to
    stage.say(1, "worth waiting for")
    assert len(await again) == 1


async def test_a_poison_update_reaches_the_bot_as_it_is_and_can_be_passed_over(
    aio: Bot, stage: Stage
) -> None:
    poison = stage.updates.put_raw({"message": {"message_id": "not a number"}})
    stage.say(1, "after the poison")
    with pytest.raises(ClientDecodeError):
        await aio.get_updates(timeout=0)
    updates = await aio.get_updates(offset=poison + 1, timeout=0)
    assert [u.message.text for u in updates if u.message] == ["after the poison"]


def test_taps_live_150_seconds_and_messages_a_day(clock: Clock) -> None:
    queue = UpdateQueue(clock)
    queue.put("callback_query", "{}", "c1", 150)
    queue.put("message", "{}", "m1", 86_400)
    clock.advance(149)
    assert len(queue.take(0, 100)) == 2
    clock.advance(1)
    assert [update.kind for update in queue.take(0, 100)] == ["message"]
    clock.advance(86_400)
    assert queue.take(0, 100) == []


def test_an_offset_far_in_the_future_confirms_nothing(clock: Clock) -> None:
    queue = UpdateQueue(clock)
    number = queue.put("message", "{}", "m1", 86_400)
    assert number is not None
    assert len(queue.take(number + 1000, 100)) == 1
    assert queue.take(number + 1, 100) == []


def test_poison_must_be_an_object_with_an_id_still_to_come(clock: Clock) -> None:
    queue = UpdateQueue(clock)
    with pytest.raises(StageMistake, match="JSON object"):
        queue.put_raw("text")
    with pytest.raises(StageMistake, match="at least"):
        queue.put_raw({"update_id": 3})
