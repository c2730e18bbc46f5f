from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from storage import SqlStore
from storage.tables import chats
from storage.transaction import SqlTransaction
from surveys.campaigns import ANSWERING, INVITE, REST, Delivery, Outcome
from surveys.cells import Tally
from surveys.people import Address, Chat
from tests.storage.rows import (
    CAMPAIGN,
    HOUR,
    NOW,
    WAVE,
    assignment,
    found_roll,
    interview,
    person,
    telegram,
)

TERM = NOW + timedelta(minutes=1)


@pytest.fixture
async def due(store: SqlStore) -> SqlStore:
    """Three people with an invitation due."""

    def settle(tx: SqlTransaction) -> int:
        found_roll(tx, 3)
        return tx.draw_deliveries(WAVE.id, ("invite", NOW - HOUR))

    assert await store.write(settle) == 3
    return store


async def counts(store: SqlStore) -> dict[tuple[str, Outcome], int]:
    rows = await store.read(lambda tx: tx.delivery_counts(WAVE.id))
    return {(stage, outcome): number for stage, outcome, number in rows}


async def test_nobody_is_owed_the_same_stage_twice(due: SqlStore) -> None:
    assert await due.write(lambda tx: tx.draw_deliveries(WAVE.id, ("invite", NOW))) == 0
    assert await due.write(lambda tx: tx.draw_deliveries(WAVE.id, ("remind1", NOW))) == 3
    assert await counts(due) == {("invite", Outcome.DUE): 3, ("remind1", Outcome.DUE): 3}


async def test_one_delivery_for_each_person_however_many_subjects(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> int:
        found_roll(tx, 2)
        tx.put_assignments([assignment(0, "s2"), assignment(1, "s2")])
        tx.put_people([person(1, opted_out=True)])
        return tx.draw_deliveries(WAVE.id, ("invite", NOW))

    assert await store.write(settle) == 1


async def test_a_person_with_two_chats_is_written_to_in_one_of_them(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> int:
        found_roll(tx, 2)
        tx.put_chat(Chat(Address("telegram", "another"), "p1", "zh"))
        return tx.draw_deliveries(WAVE.id, ("invite", NOW))

    assert await store.write(settle) == 2


async def test_what_is_claimed_is_not_claimed_again_before_its_term(due: SqlStore) -> None:
    first = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 2))
    assert [(row.wave, row.stage, row.language, row.attempts) for row in first] == [
        (WAVE.id, "invite", "zh", 0)
    ] * 2
    rest = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9))
    assert {row.handle for row in [*first, *rest]} == {"1000", "1001", "1002"}
    assert await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9)) == []


async def test_an_unbegun_claim_goes_back_and_a_begun_one_becomes_unknown(due: SqlStore) -> None:
    one, two, three = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 3))
    assert await due.write(lambda tx: tx.begin_delivery(one.id, NOW))
    again = await due.write(lambda tx: tx.claim_deliveries(TERM, TERM + HOUR, 9))
    assert {row.id for row in again} == {two.id, three.id}
    assert await counts(due) == {("invite", Outcome.DUE): 2, ("invite", Outcome.UNKNOWN): 1}
    assert not await due.write(lambda tx: tx.begin_delivery(one.id, TERM))


async def test_a_claim_whose_term_ran_out_cannot_begin(due: SqlStore) -> None:
    [row] = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 1))
    assert not await due.write(lambda tx: tx.begin_delivery(row.id, TERM))
    assert await due.write(lambda tx: tx.begin_delivery(row.id, NOW))
    assert not await due.write(lambda tx: tx.begin_delivery(row.id, NOW))


async def test_a_delivery_put_back_is_due_later_and_counts_its_attempt(due: SqlStore) -> None:
    [row, *_] = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 3))

    def fail(tx: SqlTransaction) -> None:
        assert tx.begin_delivery(row.id, NOW)
        tx.note_delivery(row.id, Outcome.DUE, "429", at=NOW + HOUR)

    await due.write(fail)
    assert await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 3)) == []
    late = await due.write(lambda tx: tx.claim_deliveries(NOW + HOUR, NOW + 2 * HOUR, 9))
    assert replace(row, attempts=1) in late


async def test_who_blocked_us_is_not_asked_again_until_they_write(due: SqlStore) -> None:
    rows = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 3))
    gone = rows[0]

    def settle(tx: SqlTransaction) -> None:
        assert tx.draw_deliveries(WAVE.id, ("remind1", NOW)) == 3
        for row in rows[1:]:
            tx.note_delivery(row.id, Outcome.SENT)
        tx.note_delivery(gone.id, Outcome.GONE, "bot was blocked by the user")

    await due.write(settle)
    reminded = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9))
    assert gone.person not in {row.person for row in reminded}
    assert (await counts(due))["remind1", Outcome.MOOT] == 1
    assert await due.write(lambda tx: tx.draw_deliveries(WAVE.id, ("remind2", NOW))) == 2
    await due.write(lambda tx: tx.put_chat(telegram(int(gone.person[1:]))))
    assert await due.write(lambda tx: tx.draw_deliveries(WAVE.id, ("remind2", NOW))) == 1


async def test_who_opted_out_meanwhile_is_passed_over(due: SqlStore) -> None:
    await due.write(lambda tx: tx.put_people([person(1, opted_out=True)]))
    claimed = await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 3))
    assert {row.person for row in claimed} == {"p0", "p2"}
    assert (await counts(due))["invite", Outcome.MOOT] == 1


async def test_who_changed_their_mind_after_the_claim_is_not_written_to(store: SqlStore) -> None:
    """A batch of a hundred is claimed at once, and a slow Telegram makes it last for minutes."""

    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 6)
        tx.draw_deliveries(WAVE.id, ("remind1", NOW))

    def meanwhile(tx: SqlTransaction) -> None:
        tx.put_people([person(0, opted_out=True), replace(person(1), left=True)])
        tx.open_interview(interview(2, complete=True))
        tx.open_interview(replace(interview(3), touched_at=NOW))
        tx._connection.execute(update(chats).where(chats.c.person == "p4").values(reachable=False))

    await store.write(settle)
    rows = await store.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9))
    assert len(rows) == 6
    await store.write(meanwhile)
    begun = await store.write(
        lambda tx: [row.person for row in rows if tx.begin_delivery(row.id, NOW)]
    )
    assert begun == ["p5"]
    assert await counts(store) == {("remind1", Outcome.DUE): 2, ("remind1", Outcome.MOOT): 4}
    later = NOW + ANSWERING
    again = await store.write(lambda tx: tx.claim_deliveries(later, later + HOUR, 9))
    assert {row.person for row in again} == {"p3"}, "who was answering then is reminded later"
    assert (await counts(store))["remind1", Outcome.UNKNOWN] == 1, "p5's outcome was never noted"


async def test_a_reminder_never_follows_another_message_at_once(store: SqlStore) -> None:
    """The sender was away while the wave opened: what it owes since then is due all at once."""

    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 3)
        tx.put_campaign(replace(CAMPAIGN, quiet=(0, 0)))
        tx.draw_deliveries(WAVE.id, (INVITE, NOW), ("remind1", NOW), ("remind2", NOW + REST))

    await store.write(settle)
    rows = await store.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9))
    assert {row.stage for row in rows} == {INVITE}
    assert (await counts(store))["remind1", Outcome.LATE] == 3
    moments = [NOW, NOW + timedelta(seconds=1)]  # the third is still under way

    def noted(tx: SqlTransaction) -> None:
        for row, at in zip(rows, moments, strict=False):
            assert tx.begin_delivery(row.id, at)
            tx.note_delivery(row.id, Outcome.SENT, "1", at)

    await store.write(noted)
    now = NOW + REST
    again = await store.write(lambda tx: tx.claim_deliveries(now, now + HOUR, 9))
    assert {(row.stage, row.person) for row in again} == {
        ("remind2", rows[0].person), (INVITE, rows[2].person),
    }  # fmt: skip
    assert (await counts(store))["remind2", Outcome.LATE] == 2


async def test_reminders_pass_over_the_finished_and_wait_for_the_busy(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 4)
        tx.put_assignments([assignment(3, "s2")])
        tx.draw_deliveries(WAVE.id, ("remind1", NOW))
        tx.open_interview(interview(0, complete=True))  # nothing left
        just_now = NOW - ANSWERING + timedelta(seconds=1)
        tx.open_interview(replace(interview(1), touched_at=just_now))
        tx.open_interview(replace(interview(2), touched_at=NOW - ANSWERING))
        tx.open_interview(interview(3, complete=True))  # but s2 is left

    await store.write(settle)
    claimed = await store.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9))
    assert {row.person for row in claimed} == {"p2", "p3"}
    assert await counts(store) == {("remind1", Outcome.DUE): 3, ("remind1", Outcome.MOOT): 1}
    assert await store.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9)) == []
    later = NOW + ANSWERING
    again = await store.write(lambda tx: tx.claim_deliveries(later, later + HOUR, 9))
    assert "p1" in {row.person for row in again}


async def test_a_wave_that_is_not_open_invites_nobody(due: SqlStore) -> None:
    assert await due.write(lambda tx: tx.claim_deliveries(WAVE.closes_at, TERM, 9)) == []
    await due.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, Tally()))
    assert await due.write(lambda tx: tx.claim_deliveries(NOW, TERM, 9)) == []


async def test_two_processes_claim_five_hundred_and_double_none(database_url: str) -> None:
    stores = [SqlStore(database_url) for _ in range(2)]

    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 500)
        tx.draw_deliveries(WAVE.id, ("invite", NOW - HOUR))

    async def sender(store: SqlStore) -> list[Delivery]:
        mine: list[Delivery] = []
        while batch := await store.write(lambda tx: tx.claim_deliveries(NOW, TERM, 7)):
            mine += batch
        return mine

    try:
        await stores[0].write(settle)
        shares = await asyncio.gather(*(sender(store) for store in [*stores, *stores]))
        handles = [row.handle for share in shares for row in share]
        assert len(handles) == len(set(handles)) == 500
    finally:
        await asyncio.gather(*(store.close() for store in stores))
