from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from operator import methodcaller
from zoneinfo import ZoneInfo

import pytest

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import WaveState
from surveys.cells import RaterGroup
from surveys.people import Relation
from tests.storage.rows import (
    CAMPAIGN,
    NOW,
    WAVE,
    assignment,
    found_roll,
    found_world,
    interview,
    person,
)


async def test_forms_are_kept_in_order_and_never_change(store: SqlStore) -> None:
    def put(tx: SqlTransaction) -> None:
        tx.put_form("z", "first", b"<a/>")
        tx.put_form("a", "second", b"<b/>")
        tx.put_form("z", "later", b"<c/>")

    await store.write(put)
    assert await store.read(lambda tx: tx.forms()) == [("z", "first"), ("a", "second")]
    assert await store.read(lambda tx: tx.form("z")) == b"<a/>"
    assert await store.read(lambda tx: tx.form("b")) is None


async def test_campaigns_and_waves_come_back_as_they_were_put(store: SqlStore) -> None:
    await store.write(found_world)
    assert await store.read(lambda tx: tx.campaign("q")) == CAMPAIGN
    assert await store.read(lambda tx: tx.campaigns()) == [CAMPAIGN]
    assert await store.read(lambda tx: tx.wave(WAVE.id)) == WAVE
    paused = replace(CAMPAIGN, paused=True, k=8, window=timedelta(days=3))
    await store.write(lambda tx: tx.put_campaign(paused))
    assert await store.read(lambda tx: tx.campaign("q")) == paused


async def test_a_wave_is_pinned_to_the_form_its_campaign_has_when_it_opens(store: SqlStore) -> None:
    planned = replace(WAVE, id="next", state=WaveState.PLANNED, form="")

    def settle(tx: SqlTransaction) -> None:
        found_world(tx)
        tx.put_form("f2", "later", b"<x/>")
        tx.put_form("f3", "later still", b"<x/>")
        tx.put_wave(planned)

    def form(tx: SqlTransaction) -> str:
        wave = tx.wave("next")
        assert wave is not None
        return wave.form

    await store.write(settle)
    assert await store.read(form) == "f1"
    await store.write(lambda tx: tx.put_campaign(replace(CAMPAIGN, form="f2")))
    assert await store.write(lambda tx: tx.open_wave("next"))
    assert await store.read(form) == "f2", "planned ahead, it asks what the campaign asks now"
    await store.write(lambda tx: tx.put_campaign(replace(CAMPAIGN, form="f3")))
    assert not await store.write(lambda tx: tx.open_wave("next"))
    for other in ("", "f3"):
        await store.write(methodcaller("put_wave", replace(planned, form=other)))
        assert await store.read(form) == "f2", "open, it keeps what it has"
    assert await store.read(lambda tx: tx.wave(WAVE.id)) == WAVE


async def test_a_moment_is_the_same_moment_in_any_zone(store: SqlStore) -> None:
    await store.write(found_world)
    local = datetime(2026, 12, 10, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    await store.write(lambda tx: tx.put_wave(replace(WAVE, opens_at=local)))
    [wave] = await store.read(lambda tx: tx.waves())
    assert wave.opens_at == local


async def test_a_moment_without_a_zone_is_refused(store: SqlStore) -> None:
    await store.write(found_world)
    naive = replace(WAVE, opens_at=datetime(2026, 12, 10, 9))  # noqa: DTZ001
    with pytest.raises(Exception, match="needs a time zone"):
        await store.write(lambda tx: tx.put_wave(naive))


async def test_drawing_the_roll_twice_adds_only_what_is_new(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> list[int]:
        found_world(tx)
        tx.put_people([person(1), person(2), person(3, opted_out=True)])
        tx.put_relations(
            [
                Relation("p1", "s1", RaterGroup.PEER),
                Relation("p1", "s2", RaterGroup.SUPERIOR),
                Relation("p2", "s1", RaterGroup.RECIPIENT),
                Relation("p3", "s1", RaterGroup.PEER),
            ]
        )
        drawn = [tx.draw_assignments(WAVE, CAMPAIGN, NOW) for _ in range(2)]
        tx.put_relations([Relation("p2", "s2", RaterGroup.PEER)])
        return [*drawn, tx.draw_assignments(WAVE, CAMPAIGN, NOW)]

    assert await store.write(settle) == [2, 0, 1]
    roll = await store.read(lambda tx: tx.roll(WAVE.id))
    assert [(asked.subject, asked.group) for asked in roll] == [
        ("s1", RaterGroup.PEER),
        ("s1", RaterGroup.RECIPIENT),
        ("s2", RaterGroup.PEER),
    ]


async def test_only_unfinished_ratings_of_open_waves_are_still_to_answer(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 2)
        closed = replace(WAVE, id="old", state=WaveState.TALLIED)
        tx.put_wave(closed)
        tx.put_assignments([assignment(1, "s2"), replace(assignment(1), wave="old")])
        tx.open_interview(interview(1, "s1", complete=True))
        tx.open_interview(interview(1, "s2"))

    await store.write(settle)
    assert await store.read(lambda tx: tx.open_assignments("p1", NOW)) == [assignment(1, "s2")]
    assert await store.read(lambda tx: tx.open_assignments("p1", WAVE.closes_at)) == []
    assert await store.read(lambda tx: tx.assignments_left(WAVE.id, "p1")) == 1
    assert await store.read(lambda tx: tx.assignments_left(WAVE.id, "p0")) == 1
    assert await store.read(lambda tx: tx.assignment(WAVE.id, "p1", "s2")) == assignment(1, "s2")
    assert await store.read(lambda tx: tx.assignment(WAVE.id, "p0", "s2")) is None


async def test_who_assesses_themselves_is_known_before_and_after_they_did(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> None:
        found_roll(tx, 3)
        own = replace(assignment(1, "s2"), group=RaterGroup.SELF)
        tx.put_wave(replace(WAVE, id="old", state=WaveState.TALLIED))
        tx.put_assignments([own, replace(own, person="p2", wave="old")])

    await store.write(settle)

    async def asked() -> list[bool]:
        people = ("p0", "p1", "p2", "nobody")
        return [
            await store.read(lambda tx, who=who: tx.assesses_oneself(WAVE.id, who))  # type: ignore[misc]
            for who in people
        ]

    assert await asked() == [False, True, False, False]
    await store.write(lambda tx: tx.open_interview(interview(1, "s2", complete=True)))
    assert await asked() == [False, True, False, False]
