from __future__ import annotations

import asyncio
import logging

import pytest

from bot.assembly import Inbound
from rehearsal.faults import Fault
from rehearsal.messages import User
from rehearsal.telegram import Stage
from storage.store import SqlStore
from surveys.conversation import Conversation
from surveys.people import Address
from surveys.reply import Heard, Opened, Tapped, Typed
from surveys.visit import Setting
from tests.bot.stage import (
    TOKEN,
    Clock,
    Counting,
    Flaky,
    people,
    polling,
    seal,
    seen,
    unseal,
    until,
)

Live = tuple[Stage, str]
WORDS = "我的秘密意见"


async def test_a_person_types_taps_and_opens_a_link(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with polling(url, core, store, clock):
        stage.say(7, "/start unit-A_1")
        await until(lambda: seen(stage, 7) == ["question 1"])
        stage.press(7, label="Next")
        await until(lambda: seen(stage, 7) == ["question 2"])
        stage.say(7, "/help@rehearsal_bot me")
        stage.say(7, "/start not a payload!")
        await until(lambda: len(seen(stage, 7)) == 3)
    assert [heard for _, heard, _ in core.heard] == [
        Opened("unit-A_1"),
        Tapped("1"),
        Typed("/help me"),
        Opened(""),
    ]
    assert {hint for *_, hint in core.heard} == {"en"}
    assert not stage.updates.all()  # everything is confirmed at the end


async def test_a_tap_edits_the_tapped_message_and_a_stale_one_is_harmless(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    async with polling(url, Counting(store), store, clock):
        stage.say(7, "/start")
        await until(lambda: seen(stage, 7))
        stage.press(7, label="Next")
        await until(lambda: seen(stage, 7) == ["question 2"])
        stage.press(7, data="1", stale=True)
        await until(lambda: not len(stage.updates))
    assert seen(stage, 7) == ["question 2"]  # unmodified is as good as edited


async def test_where_the_message_is_gone_the_words_are_sent_below(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    async with polling(url, Counting(store), store, clock):
        stage.say(7, "/start")
        await until(lambda: seen(stage, 7))
        stage.faults.add(
            Fault("editMessageText", 400, description="Bad Request: message can't be edited")
        )
        stage.press(7, label="Next")
        await until(lambda: seen(stage, 7) == ["question 1", "question 2"])


async def test_a_reply_that_is_too_long_comes_in_two_messages(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    core.words = "很长的一句话。" * 700
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: len(seen(stage, 7)) == 2)
    assert "".join(seen(stage, 7)) == core.words


async def test_blocking_and_unblocking_is_told(live: Live, store: SqlStore, clock: Clock) -> None:
    stage, url = live
    people(stage, 7)
    told: list[tuple[Address, bool]] = []

    async def blocked(address: Address, is_blocked: bool) -> None:
        told.append((address, is_blocked))

    async with polling(url, Counting(store), store, clock, blocked=blocked):
        stage.block(7)
        stage.unblock(7)
        await until(lambda: len(told) == 2)
    assert told == [(Address("telegram", "7"), True), (Address("telegram", "7"), False)]


async def test_one_persons_messages_stay_in_order_while_others_overtake(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1, 2)
    core = Counting(store)
    released = asyncio.Event()

    async def hold(address: Address, heard: Heard) -> None:
        if heard == Typed("1.0"):
            await released.wait()

    core.before = hold
    for index in range(10):
        for person in (1, 2):
            stage.say(person, f"{person}.{index}")
    async with polling(url, core, store, clock):
        await until(lambda: len(core.heard) == 10)
        assert {handle for handle, *_ in core.heard} == {"2"}
        stage.say(2, "2.10")  # and what comes later is fetched although the first still runs
        await until(lambda: len(core.heard) == 11)
        assert stage.updates.all()[0].update_id == 700_000_001  # nothing overtaken is confirmed
        released.set()
        await until(lambda: len(core.heard) == 21)
    for handle in ("1", "2"):
        texts = [said.text for who, said, _ in core.heard if who == handle]  # type: ignore[union-attr]
        assert texts == [f"{handle}.{index}" for index in range(len(texts))]


async def test_an_undecodable_update_is_buried_sealed_and_the_next_one_is_answered(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    poison = stage.updates.put_raw({"message": {"text": WORDS, "chat": 12}})
    stage.say(7, "hello")
    async with polling(url, Counting(store), store, clock):
        await until(lambda: seen(stage, 7))
    ((update_id, reason, box),) = await store.read(lambda tx: tx.dead_letters())
    assert update_id == poison
    assert reason.startswith("ValidationError: message.")
    assert WORDS not in reason
    assert WORDS.encode() not in box
    assert unseal(box)["message"]["text"] == WORDS


async def test_a_handlers_exception_is_tried_again_then_buried_without_the_words(
    live: Live, store: SqlStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    stage, url = live
    people(stage, 7, 8)
    core = Counting(store)
    tries = 0

    async def fail(address: Address, heard: Heard) -> None:
        nonlocal tries
        if heard == Typed(WORDS):
            tries += 1
            raise KeyError(WORDS)

    core.before = fail
    with caplog.at_level(logging.DEBUG):
        async with polling(url, core, store, clock):
            stage.say(7, WORDS)
            stage.say(8, "hello")
            await until(lambda: seen(stage, 8))
            stage.say(7, "hello again")
            await until(lambda: seen(stage, 7))
    assert tries == 4
    ((_, reason, _),) = await store.read(lambda tx: tx.dead_letters())
    assert reason.startswith("KeyError at bot/test_polling.py:")
    assert not stage.updates.all()
    assert WORDS not in caplog.text


async def test_a_handler_that_fails_twice_loses_nothing(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    failures = [RuntimeError(), RuntimeError()]

    async def fail(address: Address, heard: Heard) -> None:
        if failures:
            raise failures.pop()

    core.before = fail
    async with polling(url, core, store, clock):
        stage.say(7, "hello")
        await until(lambda: seen(stage, 7) == ["question 1"])
    assert not await store.read(lambda tx: tx.dead_letters())


async def test_while_the_store_is_gone_nothing_is_confirmed_or_buried(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    flaky = Flaky(store)
    core = Counting(flaky)
    async with polling(url, core, flaky, clock):
        stage.say(7, "/start")
        await until(lambda: seen(stage, 7))
        flaky.gone = True
        stage.press(7, label="Next")
        await until(lambda: flaky.refused > 20)  # far more often than a handler may fail
        assert len(stage.updates.all()) == 1
        flaky.gone = False
        await until(lambda: seen(stage, 7) == ["question 2"])
    assert not await store.read(lambda tx: tx.dead_letters())


async def test_a_poison_update_waits_for_the_store_to_be_buried(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    flaky = Flaky(store)
    async with polling(url, Counting(flaky), flaky, clock):
        await until(lambda: stage.calls.kept)
        flaky.gone = True
        stage.updates.put_raw({"message": "?"})
        await until(lambda: flaky.refused > 5)
        assert len(stage.updates.all()) == 1
        flaky.gone = False
        await until(lambda: not stage.updates.all())
    assert len(await store.read(lambda tx: tx.dead_letters())) == 1


async def test_a_reply_that_telegram_cannot_take_now_comes_later_and_its_answer_counts_once(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    stage.faults.add(Fault("sendMessage", 502, times=2))
    stage.faults.add(Fault("sendMessage", 429, times=1, retry_after=1))
    stage.say(7, "hello")
    async with polling(url, core, store, clock):
        await until(lambda: seen(stage, 7) == ["question 1"])
    assert len(core.heard) == 1


async def test_a_person_who_blocked_the_bot_stops_nobody(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7, 8)
    core = Counting(store)
    stage.say(7, "hello")
    stage.block(7)
    stage.say(8, "hello")
    async with polling(url, core, store, clock):
        await until(lambda: seen(stage, 8))
        await until(lambda: not stage.updates.all() or len(core.heard) == 2)
    assert not stage.updates.all()
    assert not seen(stage, 7)


async def test_fetching_survives_errors_conflicts_and_cut_lines(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    stage.faults.add(Fault("getUpdates", 500))
    stage.faults.add(Fault("getUpdates", 409))
    stage.faults.add(Fault("getUpdates", 429, retry_after=1))
    stage.faults.add(Fault("getUpdates", drop_response=True))
    async with polling(url, Counting(store), store, clock):
        stage.say(7, "hello")
        await until(lambda: seen(stage, 7) == ["question 1"])
    assert stage.faults.used == 4


async def test_a_forgotten_webhook_does_not_keep_polling_out(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    inbound = Inbound(TOKEN, url, Counting(store), store, seal, clock.now)
    await inbound.webhook("s3cret").open("http://127.0.0.1:9/nobody")
    assert stage.webhook.secret == "s3cret"
    stage.say(7, "hello")
    async with polling(url, Counting(store), store, clock):
        await until(lambda: seen(stage, 7) == ["question 1"])
    await inbound.close()


async def test_of_two_processes_one_polls_and_the_other_takes_over(
    live: Live, store: SqlStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    stage, url = live
    people(stage, 7)
    first, second = Counting(store), Counting(store)
    async with polling(url, first, store, clock) as stop:
        await until(lambda: stage.calls.kept)
        async with polling(url, second, store, clock):
            stage.say(7, "one")
            await until(lambda: len(first.heard) == 1)
            stop.set()  # a graceful end gives the lease back at once
            stage.say(7, "two")
            await until(lambda: len(first.heard) + len(second.heard) == 2)
    assert "Conflict" not in caplog.text
    assert second.heard


async def test_a_dead_processes_lease_runs_out(live: Live, store: SqlStore, clock: Clock) -> None:
    stage, url = live
    people(stage, 7)
    until_then = clock.now().replace(minute=1)
    assert await store.write(
        lambda tx: tx.take_lease("telegram-polling", "dead", clock.now(), until_then)
    )
    core = Counting(store)
    stage.say(7, "hello")
    async with polling(url, core, store, clock, sleep=clock.sleep):
        await until(lambda: core.heard)
    assert clock.now() >= until_then


async def test_a_killed_process_leaves_what_it_had_not_committed_to_the_next(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    stuck = asyncio.Event()

    async def hang(address: Address, heard: Heard) -> None:
        stuck.set()
        await asyncio.Event().wait()

    core.before = hang
    inbound = Inbound(TOKEN, url, core, store, seal, clock.now)
    stage.say(7, "hello")
    polls = asyncio.create_task(inbound.polling(wait=2, grace=0.01).run(asyncio.Event()))
    await stuck.wait()
    polls.cancel()
    await asyncio.gather(polls, return_exceptions=True)
    await inbound.close()
    assert not core.heard
    core.before = None
    async with polling(url, core, store, clock):
        await until(lambda: seen(stage, 7) == ["question 1"])


async def test_at_the_end_what_runs_is_finished_and_confirmed(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    begun, released = asyncio.Event(), asyncio.Event()

    async def hold(address: Address, heard: Heard) -> None:
        begun.set()
        await released.wait()

    core.before = hold
    async with polling(url, core, store, clock) as stop:
        stage.say(7, "hello")
        await begun.wait()
        stop.set()
        await asyncio.sleep(0)
        released.set()
    assert seen(stage, 7) == ["question 1"]
    assert not stage.updates.all()
    assert await store.write(
        lambda tx: tx.take_lease("telegram-polling", "next", clock.now(), clock.now())
    )


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "我替区政府征求意见"), ("en", "on behalf of The district")]
)
async def test_the_real_core_speaks_through_it(
    live: Live, store: SqlStore, clock: Clock, language: str, words: str
) -> None:
    stage, url = live
    stage.add_user(User(9, "Person", language))
    core = Conversation(store, {}, Setting({"zh": "区政府", "en": "The district"}))
    async with polling(url, core, store, clock):
        stage.say(9, "/start")
        await until(lambda: seen(stage, 9))
        stage.say(9, "/help")
        await until(lambda: any(words in text for text in seen(stage, 9)))
    assert not await store.read(lambda tx: tx.dead_letters())


async def test_a_tap_delivered_again_after_its_commit_counts_once(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: seen(stage, 7))
        stage.press(7, label="Next")
        await until(lambda: seen(stage, 7) == ["question 2"])
        stage.press(7, data="1", stale=True)
        await until(lambda: len(core.heard) == 3)
    assert seen(stage, 7) == ["question 2"]


async def test_the_bot_introduces_itself_in_both_languages(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    inbound = Inbound(TOKEN, url, Counting(store), store, seal, clock.now, sleep=clock.sleep)
    stage.faults.add(Fault("setMyCommands", 502, times=2))
    assert await inbound.introduce() == "rehearsal_bot"
    await inbound.close()
    menus = {key: [c["command"] for c in menu] for key, menu in stage.commands.items()}
    names = ["start", "help", "language", "concern", "privacy", "stop", "move", "forget"]
    assert sorted(language for _, language in menus) == ["", "en", "zh"]
    assert all(menu == names for menu in menus.values())
