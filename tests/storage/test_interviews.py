from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.people import Subject
from tests.storage.rows import NOW, WAVE, found_roll, interview, telegram

LAST_TAPS = 20


async def test_an_interview_comes_back_as_it_was_kept(store: SqlStore) -> None:
    begun = interview()
    moved = replace(begun, turn=71, state=b"more", complete=True, touched_at=NOW)
    await store.write(lambda tx: tx.open_interview(begun))
    assert await store.read(lambda tx: tx.interview(begun.id)) == begun
    assert await store.write(lambda tx: tx.keep(moved, after=70))
    assert await store.read(lambda tx: tx.interview_for(WAVE.id, "p1", "s1")) == moved
    assert await store.read(lambda tx: tx.interview_counts(WAVE.id)) == (1, 1)
    assert await store.read(lambda tx: tx.interview_counts("another")) == (0, 0)


async def test_opening_the_same_rating_again_keeps_the_first(store: SqlStore) -> None:
    await store.write(lambda tx: tx.open_interview(interview()))
    await store.write(lambda tx: tx.open_interview(replace(interview(), id="again", turn=5)))
    assert await store.read(lambda tx: tx.interview("again")) is None
    assert await store.read(lambda tx: tx.interview_for(WAVE.id, "p1", "s1")) == interview()


async def test_a_person_may_have_many_interviews_outside_any_wave(store: SqlStore) -> None:
    for name in ("c1", "c2"):
        concern = replace(
            interview(), id=name, purpose="concern", wave=None, subject=None, group=None
        )
        await store.write(partial(SqlTransaction.open_interview, interview=concern))
        assert await store.read(partial(SqlTransaction.interview, interview=name)) == concern


async def test_a_stale_turn_saves_nothing(store: SqlStore) -> None:
    await store.write(lambda tx: tx.open_interview(interview()))
    stale = replace(interview(), turn=72, state=b"stale")
    assert not await store.write(lambda tx: tx.keep(stale, after=71))
    assert await store.read(lambda tx: tx.interview(stale.id)) == interview()


def last_tap(tap: int) -> Callable[[SqlTransaction], bool]:
    done = replace(interview(), turn=71, complete=True, state=b"")

    def work(tx: SqlTransaction) -> bool:
        found = tx.interview(done.id)
        if found is None or found.turn != 70 or not tx.keep(done, after=70):
            return False
        # a row id of its own for every tap, so that a second ballot would show
        tx.put_ballot(WAVE.id, tap.to_bytes(16), b"box")
        return True

    return work


async def test_twenty_simultaneous_last_taps_give_one_ballot(store: SqlStore) -> None:
    await store.write(lambda tx: tx.open_interview(interview()))
    won = await asyncio.gather(*(store.write(last_tap(tap)) for tap in range(LAST_TAPS)))
    assert sum(won) == 1
    assert await store.read(lambda tx: tx.ballot_count(WAVE.id)) == 1


async def test_last_taps_through_four_stores_give_one_ballot(database_url: str) -> None:
    stores = [SqlStore(database_url) for _ in range(4)]
    try:
        await stores[0].write(lambda tx: tx.open_interview(interview()))
        taps = (stores[tap % 4].write(last_tap(tap)) for tap in range(LAST_TAPS))
        won = await asyncio.gather(*taps)
        assert sum(won) == 1
        assert await stores[3].read(lambda tx: tx.ballot_count(WAVE.id)) == 1
    finally:
        await asyncio.gather(*(store.close() for store in stores))


async def test_what_was_fetched_with_a_chat_is_what_would_be_fetched_alone(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 2)
        tx.open_interview(interview(1))
        tx.put_chat(telegram(1, interview(1).id))

    def opened(tx: SqlTransaction) -> tuple[object, ...]:
        tx.chat(telegram(1).address)
        return tx.interview(interview(1).id), tx.wave(WAVE.id), tx.subject("s1"), tx.subject("s2")

    def alone(tx: SqlTransaction) -> tuple[object, ...]:
        return tx.interview(interview(1).id), tx.wave(WAVE.id), tx.subject("s1"), tx.subject("s2")

    await store.write(settle)
    assert None not in await store.read(alone)
    assert await store.read(opened) == await store.read(alone)


async def test_what_was_fetched_with_a_chat_is_forgotten_at_a_write(store: SqlStore) -> None:
    moved = replace(interview(1), turn=71, state=b"moved")

    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 2)
        tx.open_interview(interview(1))
        tx.put_chat(telegram(1, interview(1).id))

    def work(tx: SqlTransaction) -> tuple[object, ...]:
        tx.chat(telegram(1).address)
        assert tx.keep(moved, after=70)
        first = tx.interview(moved.id)
        tx.chat(telegram(1).address)
        tx.put_wave(replace(WAVE, closes_at=WAVE.opens_at))
        tx.put_subjects([Subject("s1", {"zh": "二科"})])
        return first, tx.wave(WAVE.id).closes_at, tx.subject("s1").name  # type: ignore[union-attr]

    await store.write(settle)
    assert await store.write(work) == (moved, WAVE.opens_at, {"zh": "二科"})
