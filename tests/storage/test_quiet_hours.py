from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import Delivery, Outcome
from surveys.hours import is_quiet
from tests.storage.rows import CAMPAIGN, HOUR, NOW, WAVE, found_roll, person

NIGHT = NOW + 10 * HOUR  # ten at night in Shanghai
TERM = timedelta(minutes=10)
ZONES = [None, "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"]


def settled(tx: SqlTransaction, quiet: tuple[int, int], zones: list[str | None]) -> None:
    """One person in each of ``zones``, all with an invitation and a reminder due."""
    found_roll(tx, len(zones))
    tx.put_campaign(replace(CAMPAIGN, quiet=quiet))
    tx.put_people(replace(person(n), zone=zone) for n, zone in enumerate(zones))
    for stage in ("invite", "remind1"):
        tx.draw_deliveries(WAVE.id, (stage, NOW))


def claimed(tx: SqlTransaction, at: datetime, limit: int) -> Sequence[Delivery]:
    return tx.claim_deliveries(at, at + TERM, limit)


def begun(tx: SqlTransaction, row: int, at: datetime) -> bool:
    return tx.begin_delivery(row, at)


def noted(tx: SqlTransaction, row: int, outcome: Outcome, later: datetime | None) -> None:
    tx.note_delivery(row, outcome, "x", later)


async def test_what_is_due_at_night_leaves_in_the_morning(store: SqlStore) -> None:
    await store.write(lambda tx: settled(tx, (21, 8), [None, None, "Europe/Berlin"]))
    night = await store.write(lambda tx: tx.claim_deliveries(NIGHT, NIGHT + TERM, 9))
    assert {row.person for row in night} == {"p2"}  # three in the afternoon in Berlin
    assert night[0].until == NIGHT + 6 * HOUR
    assert await store.write(lambda tx: tx.claim_deliveries(NIGHT, NIGHT + TERM, 9)) == []
    morning = NIGHT + 10 * HOUR
    early = morning - timedelta(seconds=1)
    assert await store.write(lambda tx: tx.claim_deliveries(early, early + TERM, 9)) == []
    rest = await store.write(lambda tx: tx.claim_deliveries(morning, morning + TERM, 9))
    assert {row.person for row in rest} == {"p0", "p1"}


async def test_a_reminder_a_day_late_is_not_sent_and_an_invitation_is(store: SqlStore) -> None:
    await store.write(lambda tx: settled(tx, (21, 8), [None]))
    late = WAVE.opens_at + CAMPAIGN.reminders[0] + timedelta(days=1, seconds=1)
    rows = await store.write(lambda tx: tx.claim_deliveries(late, late + TERM, 9))
    assert [row.stage for row in rows] == ["invite"]
    counts = await store.read(lambda tx: tx.delivery_counts(WAVE.id))
    assert ("remind1", Outcome.LATE, 1) in counts


def put_back(tx: SqlTransaction, at: datetime) -> None:
    """What a claim at ``at`` hands out is due again half an hour later."""
    for row in tx.claim_deliveries(at, at + TERM, 9):
        tx.note_delivery(row.id, Outcome.DUE, "", at + timedelta(minutes=30))


async def test_moving_it_past_the_night_makes_a_late_reminder_no_fresher(store: SqlStore) -> None:
    await store.write(lambda tx: settled(tx, (21, 8), [None]))
    planned = WAVE.opens_at + CAMPAIGN.reminders[0]
    for hours in (0, 10, 11, 12, 20):  # an outage: each time it is put back
        at = planned + timedelta(hours=hours)
        await store.write(partial(put_back, at=at))
    late = planned + timedelta(days=1, seconds=1)
    rows = await store.write(lambda tx: tx.claim_deliveries(late, late + TERM, 9))
    assert [row.stage for row in rows] == ["invite"]


async def test_an_invitation_goes_out_while_a_day_of_the_wave_is_left(store: SqlStore) -> None:
    await store.write(lambda tx: settled(tx, (0, 0), [None]))
    at = WAVE.closes_at - timedelta(days=1)
    rows = await store.write(lambda tx: tx.claim_deliveries(at, at + TERM, 9))
    assert [row.stage for row in rows] == ["invite"]
    assert rows[0].until == WAVE.closes_at
    await store.write(lambda tx: tx.note_delivery(rows[0].id, Outcome.DUE, "", at))
    late = at + timedelta(seconds=1)
    assert await store.write(lambda tx: tx.claim_deliveries(late, late + TERM, 9)) == []
    counts = await store.read(lambda tx: tx.delivery_counts(WAVE.id))
    assert ("invite", Outcome.LATE, 1) in counts


async def test_everybody_who_sleeps_is_put_off_at_once_and_the_others_are_found(
    store: SqlStore,
) -> None:
    zones: list[str | None] = [*["Asia/Shanghai"] * 300, *[None] * 300, "Europe/Berlin"]
    await store.write(lambda tx: settled(tx, (21, 8), zones))
    rows = await store.write(lambda tx: tx.claim_deliveries(NIGHT, NIGHT + TERM, 2))
    assert {row.person for row in rows} == {"p600"}


async def test_who_has_left_is_sent_nothing(store: SqlStore) -> None:
    await store.write(lambda tx: settled(tx, (21, 8), [None]))
    await store.write(lambda tx: tx.put_people([replace(person(0), left=True)]))
    assert await store.write(lambda tx: tx.claim_deliveries(NOW, NOW + TERM, 9)) == []


steps = st.lists(st.tuples(st.integers(1, 900), st.sampled_from(Outcome)), min_size=1, max_size=25)


@settings(deadline=None, max_examples=50)
@given(
    st.tuples(st.integers(0, 23), st.integers(0, 23)),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=5),
    steps,
    st.integers(1, 5),
)
async def test_nothing_leaves_in_quiet_hours_and_nothing_twice(
    quiet: tuple[int, int], zones: list[str | None], passing: list[tuple[int, Outcome]], limit: int
) -> None:
    """Minutes pass, claims are made, and each ends in some way, now and then too late."""
    store = SqlStore("sqlite://")
    await store.write(lambda tx: settled(tx, quiet, zones))
    now: datetime = NOW
    sent: list[tuple[str, str]] = []
    for minutes, outcome in passing:
        now += timedelta(minutes=minutes)
        at = now
        rows = await store.write(partial(claimed, at=at, limit=limit))
        for row in rows:
            zone = ZoneInfo(zones[int(row.person[1:])] or CAMPAIGN.zone)
            assert not is_quiet(at, zone, quiet)
            assert row.until is not None
            last = row.until - timedelta(seconds=1)
            assert not is_quiet(last, zone, quiet)
            assert await store.write(partial(begun, row=row.id, at=at))
            if outcome is Outcome.SENT:
                sent.append((row.person, row.stage))
            later = at + timedelta(minutes=minutes) if outcome is Outcome.DUE else None
            await store.write(partial(noted, row=row.id, outcome=outcome, later=later))
    assert len(sent) == len(set(sent))
    await store.close()
