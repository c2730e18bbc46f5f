from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
    TimedOut,
)

from bot.sending import LEASE, Sender
from bot.verdict import judge
from bot.wire import NotSentError
from rehearsal.faults import Fault
from rehearsal.limits import Limits
from rehearsal.telegram import Stage
from storage.store import SqlStore
from surveys.campaigns import Delivery, Outcome
from surveys.reply import Button, Reply
from tests.bot.stage import NOW, TOKEN, Clock, Flaky, owe, people, seen, telegram, until

Live = tuple[Stage, str]
FREE = {"rate": None, "per_chat": timedelta(0)}


async def compose(delivery: Delivery) -> Reply:
    return Reply(f"{delivery.stage} of {delivery.wave}_*[", ((Button("Start", "0"),),))


@asynccontextmanager
async def sending(url: str | None, store: Any, clock: Clock, **more: Any) -> AsyncIterator[Sender]:
    settings = {"compose": compose, "clock": clock.now, "sleep": clock.sleep, **FREE, **more}
    sender = Sender(TOKEN, url, store, **settings)
    try:
        yield sender
    finally:
        await sender.close()


async def counts(store: SqlStore) -> dict[Outcome, int]:
    rows = await store.read(lambda tx: tx.delivery_counts("w"))
    return {outcome: number for _, outcome, number in rows}


def sends(stage: Stage) -> list[int]:
    return [call.code for call in stage.calls.kept if call.method == "sendMessage"]


async def test_everybody_gets_the_invitation_once_however_often_it_runs(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 31))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    async with sending(url, store, clock, batch=20) as sender:
        rounds = [await sender.run_once(clock.now()) for _ in range(3)]
    assert [found.sent for found in rounds] == [20, 10, 0]
    assert all(seen(stage, chat) == ["invite of w_*["] for chat in chats)
    assert await counts(store) == {Outcome.SENT: 30}


async def test_who_blocked_or_never_existed_is_gone_and_the_others_are_not_kept_waiting(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1, 2, 3)
    stage.block(2)
    stage.deactivate(3)
    await store.write(lambda tx: owe(tx, [1, 2, 3, 4]))
    async with sending(url, store, clock) as sender:
        found = await sender.run_once(clock.now())
    assert (found.sent, found.gone) == (1, 3)
    assert await counts(store) == {Outcome.SENT: 1, Outcome.GONE: 3}


async def test_429_pauses_everything_until_its_time_and_a_restart_honours_it(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 21))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    stage.faults.add(Fault("sendMessage", 429, retry_after=3))
    async with sending(url, store, clock, lanes=1) as sender:
        found = await sender.run_once(clock.now())
    assert (found.sent, found.later) == (0, 20)
    assert sends(stage) == [429]
    async with sending(url, store, clock) as sender:
        clock.at = NOW + timedelta(seconds=2.9)
        found = await sender.run_once(clock.now())
        assert (found.handled, found.resume_at) == (0, NOW + timedelta(seconds=3))
        clock.at = NOW + timedelta(seconds=3)
        assert (await sender.run_once(clock.now())).sent == 20
    assert all(len(seen(stage, chat)) == 1 for chat in chats)


async def test_what_stood_in_line_when_429_came_is_not_sent_either(
    store: SqlStore, clock: Clock
) -> None:
    async with telegram(clock, Limits(overall=5, per_chat=0)) as (stage, url):
        chats = list(range(1, 31))
        people(stage, *chats)
        await store.write(lambda tx: owe(tx, chats))
        async with sending(url, store, clock, lanes=4) as sender:
            while (found := await sender.run_once(clock.now())).handled or found.resume_at:
                clock.at += timedelta(seconds=1)
        assert all(len(seen(stage, chat)) == 1 for chat in chats)
        # at most the lanes can be refused before the first refusal is heard
        assert sends(stage).count(429) <= 4 * 6
        assert await counts(store) == {Outcome.SENT: 30}


async def test_what_waits_for_the_pace_when_429_comes_is_held_back(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1, 2)
    await store.write(lambda tx: owe(tx, [1, 2]))
    stage.faults.add(Fault("sendMessage", 429, retry_after=30))
    senders: list[Sender] = []

    async def sleep(seconds: float) -> None:
        await until(senders[0]._is_paused)

    async with sending(url, store, clock, lanes=2, rate=1.0, sleep=sleep) as sender:
        senders.append(sender)
        assert (await sender.run_once(clock.now())).later == 2
    assert sends(stage) == [429]


async def test_a_claim_that_ran_out_while_waiting_is_not_sent_on_it(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1)
    await store.write(lambda tx: owe(tx, [1], ("w", "x")))
    second = timedelta(seconds=1)
    async with sending(url, store, clock, lanes=1, term=second, per_chat=2 * second) as sender:
        found = await sender.run_once(clock.now())
        assert (found.sent, found.lost) == (1, 1)
        assert len(seen(stage, 1)) == 1
        clock.at += 5 * second
        assert (await sender.run_once(clock.now())).sent == 1


async def test_a_very_long_pause_is_believed(live: Live, store: SqlStore, clock: Clock) -> None:
    stage, url = live
    people(stage, 1)
    await store.write(lambda tx: owe(tx, [1]))
    stage.faults.add(Fault("sendMessage", 429, retry_after=10_000))
    async with sending(url, store, clock) as sender:
        found = await sender.run_once(clock.now())
        assert found.resume_at == NOW + timedelta(seconds=10_000)
        clock.at += timedelta(seconds=9_999)
        assert (await sender.run_once(clock.now())).sent == 0
        clock.at += timedelta(seconds=1)
        assert (await sender.run_once(clock.now())).sent == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("sendMessage", drop_response=True),
        Fault("sendMessage", 502, drop_response=True),
        Fault("sendMessage", 500),
    ],
    ids=["line cut after it arrived", "502 after it arrived", "500"],
)
async def test_an_ambiguous_sending_is_unknown_and_never_repeated(
    live: Live, store: SqlStore, clock: Clock, fault: Fault
) -> None:
    stage, url = live
    people(stage, 1)
    await store.write(lambda tx: owe(tx, [1]))
    stage.faults.add(fault)
    async with sending(url, store, clock) as sender:
        assert (await sender.run_once(clock.now())).unknown == 1
        for _ in range(5):
            clock.at += timedelta(hours=1)
            assert (await sender.run_once(clock.now())).handled == 0
    assert len(sends(stage)) <= 1  # where it was performed
    assert await counts(store) == {Outcome.UNKNOWN: 1}


async def test_an_outage_of_hours_leaves_a_handful_unknown_and_the_others_due(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 101))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    async with sending(url, store, clock, lanes=4) as sender:
        await sender.run_once(NOW - timedelta(days=1))  # opens; nothing is due yet
        stage.faults.add(Fault("*", 502, times=0))
        for _ in range(1440):  # two hours of looks, five seconds apart
            await sender.run_once(clock.now())
            clock.at += timedelta(seconds=5)
        found = await counts(store)
        assert found[Outcome.UNKNOWN] <= 4, "the lanes that were under way"
        asked = sum(call.method == "getMe" for call in stage.calls.kept)
        assert asked < 20, "it waits longer each time"
        stage.faults.clear()
        stage.faults.add(Fault("sendMessage", 502, times=3))  # it answers, but takes no message
        for _ in range(1440):
            await sender.run_once(clock.now())
            clock.at += timedelta(seconds=5)
    ended = await counts(store)
    assert ended[Outcome.UNKNOWN] <= found[Outcome.UNKNOWN] + 3, "one at a time is tried"
    assert ended[Outcome.SENT] == 100 - ended[Outcome.UNKNOWN]
    assert all(len(seen(stage, chat)) <= 1 for chat in chats)


async def test_what_was_claimed_before_quiet_hours_does_not_begin_in_them(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1, 2)
    await store.write(lambda tx: owe(tx, [1, 2]))
    clock.at = NOW + timedelta(hours=4, seconds=-1)  # a second to nine at night in Shanghai

    async def slow(delivery: Delivery) -> Reply:
        if delivery.handle == "2":
            clock.at += timedelta(seconds=2)
        return await compose(delivery)

    async with sending(url, store, clock, compose=slow, lanes=1) as sender:
        found = await sender.run_once(clock.now())
        assert (found.sent, found.later) == (1, 1)
        assert (await sender.run_once(clock.now())).handled == 0
        clock.at = NOW + timedelta(hours=15) - timedelta(seconds=1)
        assert (await sender.run_once(clock.now())).handled == 0
        clock.at = NOW + timedelta(hours=15)  # eight in the morning
        assert (await sender.run_once(clock.now())).sent == 1
    assert len(seen(stage, 1)) == len(seen(stage, 2)) == 1


async def test_only_a_campaign_that_pays_is_broadcast_for_money_and_faster(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 11))
    people(stage, *chats)

    def paying(tx: Any) -> None:
        owe(tx, chats)
        tx.put_campaign(replace(tx.campaign("c"), paid=True))

    await store.write(lambda tx: owe(tx, [99]))
    people(stage, 99)
    async with sending(url, store, clock, paid_rate=2.0, lanes=1) as sender:
        assert (await sender.run_once(clock.now())).sent == 1
        await store.write(paying)
        before = clock.now()
        assert (await sender.run_once(clock.now())).sent == 10
    assert clock.now() - before == timedelta(seconds=4.5)
    flags = [
        call.parameters.get("allow_paid_broadcast")
        for call in stage.calls.kept
        if call.method == "sendMessage"
    ]
    assert [bool(flag) for flag in flags] == [False, *[True] * 10]


async def test_a_long_batch_renews_the_lease_and_a_lost_one_ends_the_sending(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1)
    await store.write(lambda tx: owe(tx, [1], ("w", "x", "y")))
    minute = timedelta(minutes=1)

    async def taken(delivery: Delivery) -> Reply:
        clock.at += 4 * minute
        at = clock.now()
        free = await store.write(lambda tx: tx.take_lease(LEASE, "other", at, at + minute))
        assert not free, "it was renewed"
        return await compose(delivery)

    async with sending(url, store, clock, compose=taken, lanes=1) as sender:
        found = await sender.run_once(clock.now())
    assert (found.sent, found.lost) == (2, 1), "the claim's own term was ten minutes"


async def test_a_timeout_is_unknown_though_the_message_arrived(
    live: Live, store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, url = live
    people(stage, 1)
    await store.write(lambda tx: owe(tx, [1]))
    async with sending(url, store, clock) as sender:
        await sender.run_once(NOW - timedelta(days=1))  # opens; nothing is due yet
        monkeypatch.setattr(sender._bot.request, "_total", 0.2)
        stage.faults.add(Fault("sendMessage", delay=1.0))
        assert (await sender.run_once(clock.now())).unknown == 1
        clock.at += timedelta(hours=1)
        assert (await sender.run_once(clock.now())).handled == 0
    assert len(seen(stage, 1)) == 1
    assert await counts(store) == {Outcome.UNKNOWN: 1}


async def test_where_telegram_was_never_reached_it_waits_and_all_is_sent_later(
    store: SqlStore, clock: Clock
) -> None:
    await store.write(lambda tx: owe(tx, [1]))
    async with sending("http://127.0.0.1:9", store, clock) as sender:
        found = await sender.run_once(clock.now())
        assert (found.handled, found.resume_at) == (0, NOW + timedelta(seconds=10))
    assert await counts(store) == {Outcome.DUE: 1}


async def test_of_two_senders_one_sends(live: Live, store: SqlStore, clock: Clock) -> None:
    stage, url = live
    chats = list(range(1, 21))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    async with sending(url, store, clock) as one, sending(url, store, clock) as two:
        rounds = await asyncio.gather(one.run_once(clock.now()), two.run_once(clock.now()))
    assert sorted((found.sent, found.busy) for found in rounds) == [(0, True), (20, False)]
    assert all(len(seen(stage, chat)) == 1 for chat in chats)


async def test_a_sender_that_died_between_sending_and_noting_leaves_an_unknown(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1, 2)
    await store.write(lambda tx: owe(tx, [1, 2]))

    def die(tx: Any) -> None:
        first, _ = tx.claim_deliveries(NOW, NOW + timedelta(minutes=10), 10)
        assert tx.begin_delivery(first.id, NOW)

    await store.write(die)
    async with sending(url, store, clock) as sender:
        assert (await sender.run_once(clock.now())).handled == 0
        clock.at += timedelta(minutes=11)
        assert (await sender.run_once(clock.now())).sent == 1
    assert await counts(store) == {Outcome.SENT: 1, Outcome.UNKNOWN: 1}


async def test_an_outcome_is_written_although_the_store_was_gone_after_the_sending(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1)
    await store.write(lambda tx: owe(tx, [1]))
    flaky = Flaky(store)

    async def sleep(seconds: float) -> None:
        if seconds >= 3:
            flaky.gone = False

    stage.watch(1, lambda: setattr(flaky, "gone", True))
    async with sending(url, flaky, clock, sleep=sleep) as sender:
        assert (await sender.run_once(clock.now())).sent == 1
    assert flaky.refused >= 3
    assert await counts(store) == {Outcome.SENT: 1}


async def test_two_messages_to_one_chat_are_a_second_apart(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1)
    await store.write(lambda tx: owe(tx, [1], ("w", "x", "y")))
    times: list[float] = []
    stage.watch(1, lambda: times.append((clock.now() - NOW).total_seconds()))
    async with sending(url, store, clock, lanes=1, per_chat=timedelta(seconds=1)) as sender:
        assert (await sender.run_once(clock.now())).sent == 3
    assert times == [0, 1, 2]


async def test_a_wording_that_fails_stops_only_its_own_delivery(
    live: Live, store: SqlStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    stage, url = live
    people(stage, 1, 2)
    await store.write(lambda tx: owe(tx, [1, 2]))

    async def faulty(delivery: Delivery) -> Reply:
        if delivery.handle == "1":
            raise KeyError("title")
        return await compose(delivery)

    with caplog.at_level(logging.CRITICAL):
        async with sending(url, store, clock, compose=faulty) as sender:
            found = await sender.run_once(clock.now())
    assert (found.sent, found.later) == (1, 1)
    assert seen(stage, 2)


async def test_a_notice_tells_its_outcome_and_respects_the_pause(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 1, 2)
    stage.block(2)
    notice = Reply("There is an answer.")
    async with sending(url, store, clock) as sender:
        assert (await sender.notify("1", notice)).outcome is Outcome.SENT
        assert (await sender.notify("2", notice)).outcome is Outcome.GONE
        stage.faults.add(Fault("sendMessage", 429, retry_after=7))
        first = await sender.notify("1", notice)
        second = await sender.notify("1", notice)
        assert (first.outcome, first.wait, first.everyone) == (Outcome.DUE, 7, True)
        assert (second.outcome, second.detail) == (Outcome.DUE, "paused")
        clock.at += timedelta(seconds=7)
        assert (await sender.notify("1", notice)).outcome is Outcome.SENT
    assert seen(stage, 1) == ["There is an answer."] * 2


async def test_a_stopped_sender_gives_its_batch_back(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 31))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    async with sending(url, store, clock, lanes=2) as first:
        stage.watch(1, first.stop)
        found = await first.run_once(clock.now())
        assert found.sent + found.later == 30
        assert found.later > 20
    async with sending(url, store, clock) as second:
        assert (await second.run_once(clock.now())).sent == found.later
    assert all(len(seen(stage, chat)) == 1 for chat in chats)


async def test_a_cancelled_run_still_writes_down_what_was_under_way(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 31))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    async with sending(url, store, clock, lanes=2) as sender:
        run = asyncio.create_task(sender.run_once(clock.now()))

        def cancel() -> None:
            run.cancel()

        stage.watch(1, cancel)
        with pytest.raises(asyncio.CancelledError):
            await run
    found = await counts(store)
    assert set(found) == {Outcome.SENT, Outcome.DUE}
    assert found[Outcome.SENT] == sum(len(seen(stage, chat)) for chat in chats) < 10


async def test_the_pace_is_one_at_a_time_so_that_no_second_holds_a_burst(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 41))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    times: list[float] = []
    for chat in chats:
        stage.watch(chat, lambda: times.append((clock.now() - NOW).total_seconds()))
    async with sending(url, store, clock, rate=20.0, lanes=1) as sender:
        assert (await sender.run_once(clock.now())).sent == 40
    assert times == pytest.approx([n / 20 for n in range(40)])


async def test_whoever_is_killed_while_waiting_for_the_pace_has_begun_nothing(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    chats = list(range(1, 9))
    people(stage, *chats)
    await store.write(lambda tx: owe(tx, chats))
    waiting = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.sleep(3600)

    async with sending(url, store, clock, rate=1.0, lanes=8, sleep=sleep) as sender:
        run = asyncio.ensure_future(sender.run_once(clock.now()))
        await waiting.wait()
        await until(lambda: sends(stage))
        lost = clock.at + timedelta(minutes=11)
        claimed = await store.write(
            lambda tx: tx.claim_deliveries(lost, lost + timedelta(minutes=10), 9)
        )
        assert len(claimed) >= 7, "all but the one under way are offered again"
        for lane in asyncio.all_tasks() - {asyncio.current_task()}:
            if "_lane" in repr(lane) or "_all" in repr(lane):
                lane.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotSentError("ClientConnectorError"), Outcome.DUE),
        (TimedOut(), Outcome.UNKNOWN),
        (NetworkError("ServerDisconnectedError"), Outcome.UNKNOWN),
        (NetworkError("Bad Gateway"), Outcome.UNKNOWN),
        (Forbidden("Forbidden: bot was blocked by the user"), Outcome.GONE),
        (Forbidden("Forbidden: user is deactivated"), Outcome.GONE),
        (BadRequest("Bad Request: chat not found"), Outcome.GONE),
        (BadRequest("Bad Request: message text is empty"), Outcome.DUE),
        (ChatMigrated(5), Outcome.GONE),
        (InvalidToken("Unauthorized"), Outcome.DUE),
        (Conflict("Conflict"), Outcome.DUE),
        (TelegramError("Invalid server response"), Outcome.UNKNOWN),
    ],
)
def test_every_error_has_one_outcome(error: TelegramError, outcome: Outcome) -> None:
    assert judge(error).outcome is outcome
