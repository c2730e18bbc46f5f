"""What asked for answers asks no more, once they are given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rehearsal.faults import Fault
from rehearsal.telegram import Stage
from storage.store import SqlStore
from surveys.campaigns import Outcome
from surveys.people import Address
from surveys.reply import Heard, Reply, Thanks
from tests.bot.stage import NOW, Clock, Counting, buttoned, owe, people, polling, seen, until
from tests.bot.test_sending import sending

Live = tuple[Stage, str]


class Done(Counting):
    """Has heard all that it asked with the first words."""

    async def receive(
        self, address: Address, heard: Heard, now: Any, *, hint: str = "zh"
    ) -> tuple[Reply, ...]:
        await super().receive(address, heard, now, hint=hint)
        return (Reply("Sealed.", thanks=Thanks("w", "C: all answered. Thank you!")),)


async def asked(stage: Stage, url: str, store: SqlStore, clock: Clock) -> None:
    """An invitation, and a reminder the day after, sent to two people."""
    people(stage, 1, 2)
    await store.write(lambda tx: owe(tx, [1, 2]))
    async with sending(url, store, clock) as sender:
        assert (await sender.run_once(clock.now())).sent == 2
        clock.at += timedelta(days=1)
        await store.write(lambda tx: tx.draw_deliveries("w", ("remind1", clock.now())))
        assert (await sender.run_once(clock.now())).sent == 2


async def everything(store: SqlStore) -> str:
    return str(await store.read(lambda tx: tx.delivery_counts("w")))


async def test_invitation_and_reminder_become_thanks_after_the_reply(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    await asked(stage, url, store, clock)
    before = await everything(store)
    async with polling(url, Done(store), store, clock):
        stage.say(1, "done")
        await until(lambda: seen(stage, 1)[:2] == ["C: all answered. Thank you!"] * 2)
        assert seen(stage, 1)[2] == "Sealed."
        assert seen(stage, 2) == ["invite of w_*[", "remind1 of w_*["], "nobody else's"
    said = [call.method for call in stage.calls.kept if call.method.startswith(("send", "edit"))]
    assert said[4] == "sendMessage", "the reply comes first"
    assert len(buttoned(stage, 2)) == 2
    assert not buttoned(stage, 1)
    assert await everything(store) == before, "the ledger does not know that they answered"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("editMessageText", 400, times=0, description="Bad Request: message can't be edited"),
        Fault("editMessageText", 429, times=0, retry_after=60),
        Fault("editMessageText", 502, times=0),
        Fault("editMessageText", drop_response=True, times=0),
    ],
    ids=["too old", "429", "502", "line cut"],
)
async def test_thanks_that_cannot_be_put_there_harm_nobody(
    live: Live, store: SqlStore, clock: Clock, fault: Fault
) -> None:
    stage, url = live
    await asked(stage, url, store, clock)
    stage.faults.add(fault)
    async with polling(url, Done(store), store, clock):
        stage.say(1, "done")
        await until(lambda: "Sealed." in seen(stage, 1))
        stage.say(2, "done")
        await until(lambda: "Sealed." in seen(stage, 2))
    assert seen(stage, 1).count("Sealed.") == 1
    assert await store.read(lambda tx: tx.dead_letters()) == []
    counts = await store.read(lambda tx: tx.delivery_counts("w"))
    assert {outcome for _, outcome, _ in counts} == {Outcome.SENT}
    assert clock.now() >= NOW
