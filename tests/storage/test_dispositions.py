"""What became of everybody, counted by the database: each person once, at every moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import INVITE, REST, Campaign, Outcome
from surveys.cells import RaterGroup, Tally
from surveys.dispositions import Counts, Disposition, final
from surveys.people import Relation
from tests.storage.rows import NOW, WAVE, found_roll, found_world, interview, person, telegram

D = Disposition
Doing = Callable[[SqlTransaction], None]


def counted(tx: SqlTransaction) -> dict[Disposition, int]:
    return dict(tx.dispositions(WAVE.id))


def one(tx: SqlTransaction, subjects: int = 2) -> None:
    """One person by Telegram who is asked about two subjects; the invitation is owed."""
    found_world(tx)
    tx.put_people([person(0)])
    tx.put_chat(telegram(0))
    tx.put_relations(Relation("p0", f"s{n + 1}", RaterGroup.PEER) for n in range(subjects))
    tx.draw_assignments(WAVE, replace(campaign(tx), groups=(RaterGroup.PEER,)), NOW)
    tx.draw_deliveries(WAVE.id, (INVITE, NOW))


def campaign(tx: SqlTransaction) -> Campaign:
    found = tx.campaign(WAVE.campaign)
    assert found is not None
    return found


def noted(outcome: Outcome, at: datetime = NOW) -> Doing:
    def work(tx: SqlTransaction) -> None:
        [row] = tx.claim_deliveries(at, at + timedelta(minutes=5), 10)
        tx.begin_delivery(row.id, at)
        tx.note_delivery(row.id, outcome, at=at)

    return work


def rated(*finished: bool) -> Doing:
    """Interviews about s1, s2 ...; True: complete."""

    def work(tx: SqlTransaction) -> None:
        for number, complete in enumerate(finished, 1):
            tx.open_interview(interview(0, f"s{number}", complete=complete))

    return work


def opted_out(tx: SqlTransaction) -> None:
    tx.put_people([person(0, opted_out=True)])


def left(tx: SqlTransaction) -> None:
    tx.put_people([replace(person(0), left=True)])


def gone(tx: SqlTransaction) -> None:
    """Forgotten: nothing is known of them any more."""
    tx._connection.exec_driver_sql("DELETE FROM chats")
    tx._connection.exec_driver_sql("DELETE FROM relations")
    tx._connection.exec_driver_sql("DELETE FROM people")


@pytest.mark.parametrize(
    ("done", "became"),
    [
        ([], D.WAITING),
        ([noted(Outcome.SENT)], D.NO_ANSWER),
        ([noted(Outcome.UNKNOWN)], D.UNKNOWN),
        ([noted(Outcome.GONE)], D.NON_CONTACT),
        ([noted(Outcome.MOOT)], D.NON_CONTACT),
        ([noted(Outcome.SENT), rated(False)], D.BREAK_OFF),
        ([rated(False)], D.BREAK_OFF),
        ([rated(True)], D.PARTIAL),
        ([rated(True, False)], D.PARTIAL),
        ([rated(True, True)], D.COMPLETE),
        ([noted(Outcome.GONE), rated(True, True)], D.COMPLETE),
        ([opted_out], D.REFUSED),
        ([noted(Outcome.SENT), rated(False), opted_out], D.REFUSED),
        ([rated(True, False), opted_out], D.PARTIAL),
        ([left], D.NON_CONTACT),
        ([noted(Outcome.SENT), left], D.NO_ANSWER),
        ([rated(True, True), left], D.COMPLETE),
        ([gone], D.WAITING),
    ],
)
async def test_a_person_comes_to_the_first_end_that_fits(
    store: SqlStore, done: list[Doing], became: Disposition
) -> None:
    await store.write(one)
    for doing in done:
        await store.write(doing)
    assert await store.read(counted) == {became: 1}


async def test_whoever_has_no_address_is_not_reached(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> dict[Disposition, int]:
        found_world(tx)
        tx.put_people([person(0)])
        tx.put_relations([Relation("p0", "s1", RaterGroup.PEER)])
        tx.draw_assignments(WAVE, campaign(tx), NOW)
        tx.draw_deliveries(WAVE.id, (INVITE, NOW))
        return counted(tx)

    assert await store.write(work) == {D.NON_CONTACT: 1}


async def test_a_reminder_that_reached_nobody_does_not_undo_an_invitation_that_did(
    store: SqlStore,
) -> None:
    await store.write(one)
    await store.write(noted(Outcome.SENT))
    await store.write(lambda tx: tx.draw_deliveries(WAVE.id, ("remind1", NOW)))
    await store.write(noted(Outcome.GONE, NOW + 2 * REST))  # by day again
    assert await store.read(counted) == {D.NO_ANSWER: 1}


PEOPLE = 60


@pytest.mark.parametrize("seed", range(3))
async def test_the_counts_add_up_to_everybody_at_every_moment(store: SqlStore, seed: int) -> None:
    chance = Random(seed)

    def begin(tx: SqlTransaction) -> None:
        found_roll(tx, PEOPLE)
        tx.draw_deliveries(WAVE.id, (INVITE, NOW))

    await store.write(begin)
    seen: Counter[Disposition] = Counter()
    for _ in range(80):
        await store.write(partial(_something, chance))
        counts = await store.read(counted)
        assert sum(counts.values()) == PEOPLE
        seen.update(counts)
    assert set(seen) == set(Disposition) - {D.PARTIAL}, "with one subject nothing is partial"
    assert await store.read(lambda tx: tx.people_asked(WAVE.id)) == PEOPLE


def _something(chance: Random, tx: SqlTransaction) -> None:
    number = chance.randrange(PEOPLE)
    match chance.randrange(5):
        case 0:
            for row in tx.claim_deliveries(NOW, NOW + timedelta(seconds=1), 3):
                tx.begin_delivery(row.id, NOW)
                ends = (Outcome.SENT, Outcome.SENT, Outcome.GONE, Outcome.UNKNOWN, Outcome.DUE)
                tx.note_delivery(row.id, chance.choice(ends))
        case 1:
            tx.open_interview(interview(number, complete=chance.random() < 0.5))
        case 2:
            tx.put_people([person(number, opted_out=chance.random() < 0.7)])
        case 3:
            tx.put_people([replace(person(number), left=True)])
        case 4:
            begun = tx.interview_for(WAVE.id, f"p{number}", "s1")
            if begun is not None and not begun.complete:
                tx.keep(replace(begun, complete=True, turn=begun.turn + 1), begun.turn)


async def test_what_was_recorded_outlives_the_roll(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> Counts:
        one(tx)
        tx.put_dispositions(WAVE.id, final(tx.dispositions(WAVE.id)))
        tx.record_tally(WAVE.id, WAVE.period, Tally())
        return tx.dispositions(WAVE.id)

    assert await store.write(work) == {}
    kept = await store.read(lambda tx: tx.recorded_dispositions(WAVE.id))
    assert kept == {each: int(each is D.NON_CONTACT) for each in Disposition}
    await store.write(lambda tx: tx.put_dispositions(WAVE.id, {D.COMPLETE: 3}))
    assert await store.read(lambda tx: tx.recorded_dispositions(WAVE.id)) == {D.COMPLETE: 3}


async def test_a_roll_that_is_dropped_asks_nobody(store: SqlStore) -> None:
    await store.write(one)
    await store.write(lambda tx: tx.drop_roll(WAVE.id))
    assert await store.read(lambda tx: tx.people_asked(WAVE.id)) == 0
    assert await store.read(counted) == {}
