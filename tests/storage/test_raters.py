"""Whom a campaign may ask: counted, drawn and foreseen alike by every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.audience import Audience, Candidate
from surveys.campaigns import INVITE, Campaign, Outcome, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.store import Assignment
from tests.desk.asking import furnish
from tests.storage.rows import NOW, WAVE

SVC, PEER = RaterGroup.RECIPIENT, RaterGroup.PEER
ASKING = Campaign("mine", {"en": "Mine"}, "f1", (SVC, PEER), date(2026, 12, 1))
DAY = timedelta(days=1)


def asking(**audience: Any) -> Campaign:
    return replace(ASKING, audience=Audience(**audience))


async def people(store: SqlStore, campaign: Campaign) -> list[str]:
    found = await store.read(lambda tx: list(tx.candidates(campaign, NOW)))
    return sorted({one.person for one in found})


async def test_raters_are_counted_once_each_and_without_the_opted_out(store: SqlStore) -> None:
    await store.write(furnish)
    several = [replace(ASKING, groups=groups) for groups in ((SVC, PEER), (SVC,), ())]
    counted = await store.read(lambda tx: [tx.count_raters(each, NOW) for each in several])
    assert counted == [(15, 27, 6), (12, 24, 6), (0, 0, 0)]


async def test_sides_tell_how_many_rate_each_subject(store: SqlStore) -> None:
    await store.write(furnish)
    sides = await store.read(lambda tx: tx.rater_sides(ASKING, NOW))
    assert sorted(sides) == [("w1", PEER, 3), ("w1", SVC, 12), ("w2", SVC, 12)]


def office(tx: SqlTransaction) -> None:
    """A tree of three levels with somebody on each; two tags that look alike, one in capitals."""
    tx.put_form("f1", "服务满意度", b"<h:html/>")
    tx.put_subjects([
        Subject("top", {"zh": "局"}), Subject("mid", {"zh": "处"}, parent="top"),
        Subject("low", {"zh": "科"}, parent="mid"), Subject("else", {"zh": "别的"}),
    ])  # fmt: skip
    staff, tags = Kind.STAFF, ("党员", 'a "b"')
    tx.put_people([
        Person("p1", staff, "甲", "top", tags=("VIP",)),
        Person("p2", staff, "乙", "mid", tags=("vip", "党员")),
        Person("p3", staff, "丙", "low", tags=tags, zone="Europe/Berlin"),
        Person("p4", staff, "丁", "else", tags=("预备党员",)),
        Person("p5", staff, "戊", opted_out=True, unit="low", tags=tags),
        Person("p6", Kind.CITIZEN, left=True, unit="low"),
    ])  # fmt: skip
    tx.put_relations(Relation(f"p{n}", "low", PEER) for n in range(1, 7))
    tx.put_chat(Chat(Address("telegram", "3"), "p3", "zh"))
    tx.put_campaign(ASKING)


@pytest.mark.parametrize(
    ("audience", "fits"),
    [
        ({}, ["p1", "p2", "p3", "p4"]),
        ({"units": ("top",)}, ["p1", "p2", "p3"]),
        ({"units": ("mid",)}, ["p2", "p3"]),
        ({"units": ("low", "else")}, ["p3", "p4"]),
        ({"tags": ("党员",)}, ["p2", "p3"]),
        ({"tags": ("vip",)}, ["p2"]),
        ({"tags": ("VIP", "预备党员")}, ["p1", "p4"]),
        ({"tags": ('a "b"',)}, ["p3"]),
        ({"tags": ("b",)}, []),
        ({"tags": ("党%",)}, []),
        ({"units": ("mid",), "tags": ("vip",)}, ["p2"]),
    ],
)
async def test_units_reach_down_the_tree_and_tags_are_matched_whole(
    store: SqlStore, audience: dict[str, Any], fits: list[str]
) -> None:
    await store.write(office)
    made = asking(**audience)
    assert await people(store, made) == fits
    counts = await store.read(lambda tx: tx.count_raters(made, NOW))
    assert counts[:2] == (len(fits), len(fits))
    wave = replace(WAVE, id="w", campaign="mine")

    def drawn(tx: SqlTransaction) -> tuple[int, list[str]]:
        tx.put_wave(wave)
        rows = tx.draw_assignments(wave, made, NOW)
        return rows, sorted(asked.person for asked in tx.roll("w"))

    assert await store.write(drawn) == (len(fits), fits)


async def test_a_candidate_is_told_with_what_chance_is_to_know(store: SqlStore) -> None:
    await store.write(office)
    found = await store.read(lambda tx: list(tx.candidates(asking(tags=("党员",)), NOW)))
    assert found == [
        Candidate("p2", "low", PEER, "mid", ("vip", "党员"), Kind.STAFF),
        Candidate("p3", "low", PEER, "low", ("党员", 'a "b"'), Kind.STAFF),
    ]


async def test_whoever_may_not_be_asked_is_foreseen_with_the_reason(store: SqlStore) -> None:
    await store.write(office)
    found = await store.read(lambda tx: list(tx.prospects(asking(units=("low",)), NOW)))
    told = [(one.candidate.person, one.opted_out, one.left, one.zone, one.telegram)
            for one in found]  # fmt: skip
    assert told == [
        ("p3", False, False, "Europe/Berlin", True),
        ("p5", True, False, None, False),
        ("p6", False, True, None, False),
    ]


async def test_the_tags_in_use_are_counted_by_person(store: SqlStore) -> None:
    await store.write(office)
    found = await store.read(lambda tx: tx.people_by_tag())
    assert found == {"VIP": 1, "vip": 1, "党员": 3, 'a "b"': 2, "预备党员": 1}


# ---- the days of rest


def other(days_ago: int, state: WaveState, campaign: str = "other") -> Wave:
    opened = NOW - days_ago * DAY
    return replace(WAVE, id=f"{campaign}.{days_ago}", campaign=campaign, opens_at=opened,
                   closes_at=opened + 14 * DAY, state=state)  # fmt: skip


def asked_by_another(tx: SqlTransaction) -> None:
    """p1 was sent a message 5 days ago, p2's was blocked; p3 is on the roll of an open wave;
    p4 was asked 40 days ago, and by the campaign itself.
    """
    office(tx)
    tx.put_people([Person("p5", Kind.STAFF), Person("p6", Kind.STAFF)])
    tx.put_campaign(replace(ASKING, id="other"))
    past, lately = other(40, WaveState.TALLIED), other(5, WaveState.TALLIED)
    mine = other(3, WaveState.TALLIED, "mine")
    for wave in (past, lately, mine):
        tx.put_wave(replace(wave, state=WaveState.OPEN))
    for person in ("p1", "p2", "p4"):
        tx.put_chat(Chat(Address("telegram", f"9{person}"), person, "zh"))
    for wave, names in ((past, ("p4",)), (lately, ("p1", "p2")), (mine, ("p4",))):
        tx.put_assignments(Assignment(wave.id, name, "low", PEER) for name in names)
        tx.draw_deliveries(wave.id, (INVITE, wave.opens_at))
    tx.put_wave(other(4, WaveState.OPEN))
    tx.put_assignments([Assignment("other.4", "p3", "low", PEER)])
    for row in tx.claim_deliveries(NOW, NOW + DAY, 100):
        tx.begin_delivery(row.id, NOW)
        tx.note_delivery(row.id, Outcome.GONE if row.person == "p2" else Outcome.SENT)


async def test_whom_another_campaign_asked_lately_is_left_in_peace(store: SqlStore) -> None:
    await store.write(asked_by_another)
    everybody = ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert await people(store, asking()) == everybody
    # on the roll of an open wave counts even where no message arrived: p2
    assert await people(store, asking(rest_days=30)) == ["p4", "p5", "p6"]
    assert await people(store, asking(rest_days=60)) == ["p5", "p6"]
    assert await people(store, asking(rest_days=5)) == ["p1", "p2", "p4", "p5", "p6"]
    found = await store.read(lambda tx: list(tx.prospects(asking(rest_days=30), NOW)))
    assert [one.candidate.person for one in found if one.lately] == ["p1", "p2", "p3"]
    assert {one.lately for one in found} == {True, False}


async def test_a_counted_wave_is_remembered_by_the_messages_that_arrived(store: SqlStore) -> None:
    await store.write(asked_by_another)

    def counted(tx: SqlTransaction) -> None:
        tx.drop_roll("other.5")
        tx.drop_roll("other.4")

    await store.write(counted)
    assert await people(store, asking(rest_days=30)) == ["p2", "p3", "p4", "p5", "p6"]


async def test_shared_people_are_those_whom_both_may_ask(store: SqlStore) -> None:
    await store.write(office)
    one, two = asking(units=("mid",)), replace(asking(tags=("党员", "VIP")), id="two")
    assert await store.read(lambda tx: tx.count_shared(one, two, NOW)) == 2
    assert await store.read(lambda tx: tx.count_shared(one, asking(tags=("VIP",)), NOW)) == 0


async def test_nobody_rests_from_assessing_themselves(store: SqlStore) -> None:
    def selves(tx: SqlTransaction) -> None:
        asked_by_another(tx)
        tx.put_campaign(replace(ASKING, id="selves", groups=(RaterGroup.SELF,)))
        tx.put_wave(other(2, WaveState.OPEN, "selves"))
        tx.put_assignments([Assignment("selves.2", "p6", "low", RaterGroup.SELF)])

    await store.write(selves)
    assert await people(store, asking(rest_days=30)) == ["p4", "p5", "p6"]
