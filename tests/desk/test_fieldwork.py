"""A wave in figures: exact where nobody's answer shows, in tens where it would."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from desk.fieldwork import fieldwork, in_order
from desk.outcomes import tens
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import INVITE, Outcome, Wave, WaveState
from surveys.cells import RaterGroup, Tally, Turnout
from surveys.people import Relation
from surveys.store import Assignment
from tests.storage.rows import CAMPAIGN, NOW, WAVE, found_roll, interview, person


def in_the_field(tx: SqlTransaction) -> None:
    """30 on the roll by Telegram, 2 more without; 4 blocked; 17 have begun, 12 are complete."""
    found_roll(tx, 30)
    tx.put_people(person(number) for number in (30, 31))
    tx.put_relations(Relation(f"p{number}", "s2", RaterGroup.PEER) for number in (30, 31))
    tx.draw_assignments(WAVE, CAMPAIGN, NOW)
    tx.draw_deliveries(WAVE.id, (INVITE, NOW))
    tx.draw_deliveries(WAVE.id, ("remind1", NOW + timedelta(days=3)))
    for number, row in enumerate(tx.claim_deliveries(NOW, NOW + timedelta(hours=1), 100)):
        tx.begin_delivery(row.id, NOW)
        tx.note_delivery(row.id, Outcome.GONE if number < 4 else Outcome.SENT)
    for number in range(17):
        tx.open_interview(interview(number, complete=number < 12))


async def test_who_was_asked_and_reached_is_exact_and_who_answered_is_not(store: SqlStore) -> None:
    await store.write(in_the_field)
    found = await store.read(lambda tx: fieldwork(tx, WAVE.id))
    assert found is not None
    assert (found.people, found.asked, found.addressed) == (30, 32, 30)  # recipients may walk in
    assert (found.begun, found.complete) == (10, 10)
    # whether any recipient has come yet is not told
    assert found.by_group == [(RaterGroup.PEER, 32), (RaterGroup.RECIPIENT, 0)]
    invited, reminded = found.messages
    assert (invited.sent, invited.gone, invited.due, invited.moot) == (26, 4, 0, None)
    assert (reminded.sent, reminded.due) == (None, 30)


async def test_nothing_tells_that_somebody_just_scanned_a_windows_code(store: SqlStore) -> None:
    await store.write(in_the_field)
    before = await store.read(lambda tx: fieldwork(tx, WAVE.id))
    assert before is not None
    after = before
    for number in range(900, 909):
        await store.write(partial(walk_in, number=number))
        found = await store.read(lambda tx: fieldwork(tx, WAVE.id))
        assert found is not None
        after = found
        told = [(s.subject, s.group, s.asked) for s in after.sides if s.asked]
        assert told == [(s.subject, s.group, s.asked) for s in before.sides]
        assert after.asked == before.asked
    assert after.people == 40  # 41 are on the roll by now


def walk_in(tx: SqlTransaction, number: int) -> None:
    tx.put_people([person(number)])
    tx.put_assignments([Assignment(WAVE.id, f"p{number}", "s1", RaterGroup.RECIPIENT)])


async def test_whoever_sees_one_unit_sees_no_figure_of_another(store: SqlStore) -> None:
    await store.write(in_the_field)
    found = await store.read(lambda tx: fieldwork(tx, WAVE.id, frozenset(["s2"])))
    assert found is not None
    assert [(side.subject, side.asked) for side in found.sides] == [("s2", 2)]
    assert (found.people, found.asked, found.addressed) == (0, 2, 0)
    assert (found.begun, found.complete, found.messages) == (None, None, ())
    assert await store.read(lambda tx: fieldwork(tx, WAVE.id, frozenset(["s9"]))) is None
    assert await store.read(lambda tx: fieldwork(tx, "no wave")) is None


async def test_after_the_tally_only_the_turnouts_that_may_be_told_are_added_up(
    store: SqlStore,
) -> None:
    await store.write(in_the_field)
    told = (
        Turnout("s1", RaterGroup.PEER, 30, 12),
        Turnout("s2", RaterGroup.PEER, 2, None),
    )
    tally = Tally(turnout=told, ballots=12)
    await store.write(lambda tx: tx.record_tally(WAVE.id, WAVE.period, tally))
    found = await store.read(lambda tx: fieldwork(tx, WAVE.id))
    assert found is not None
    assert (found.asked, found.complete, found.begun, found.people) == (32, 12, None, 0)
    assert [side.answered for side in found.sides] == [12, None]


@given(st.integers(0, 10**7))
def test_two_counts_a_moment_apart_seldom_differ(count: int) -> None:
    told = tens(count)
    assert told is None if count < 10 else told is not None and 0 <= count - told < 10
    assert told is None or told % 10 == 0


def test_what_runs_comes_first_then_what_comes_then_what_is_over() -> None:
    def wave(name: str, state: WaveState, opens: int, closes: int) -> Wave:
        return replace(
            WAVE,
            id=name,
            state=state,
            opens_at=NOW + timedelta(days=opens),
            closes_at=NOW + timedelta(days=closes),
        )

    given_order = [
        wave("old", WaveState.TALLIED, -90, -80),
        wave("next", WaveState.PLANNED, 5, 15),
        wave("long", WaveState.OPEN, -2, 9),
        wave("older", WaveState.TALLIED, -190, -180),
        wave("ending", WaveState.OPEN, -8, 1),
    ]
    found = [each.id for each in in_order(given_order, NOW)]
    assert found == ["ending", "long", "next", "old", "older"]
