"""Audiences as typed, and what a wave would do: the same that it does when it opens."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from desk.audit import Act
from desk.campaigns.campaigning import create, facts
from desk.campaigns.drafting import FIELDS, Defaults, blank, wish_of
from desk.campaigns.foreseeing import (
    Fate,
    excerpt,
    forecast,
    foresee,
    listed,
    occasion,
    reach,
    shared,
)
from desk.campaigns.outlook import look, notes
from desk.campaigns.sizes import advise, precision_of
from desk.campaigns.wishing import Wish
from desk.campaigns.wrongs import CampaignError
from storage import SqlStore
from surveys.audience import Audience, Quota
from surveys.campaigns import Campaign, Shift, Wave
from surveys.cells import RaterGroup
from surveys.drawing import fill
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.words import LANGUAGES
from tests.desk.asking import SERVICE, furnish, wish

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # Monday, half past nine in Shanghai
ACT = Act("operator:test", "operator:test", "terminal", NOW, bytes(32))
DAY = timedelta(days=1)
PEER, SVC = RaterGroup.PEER, RaterGroup.RECIPIENT


def office(tx: Any) -> None:
    """Besides two windows, 60 staff in two halves of an office, every one a peer of six units."""
    furnish(tx)
    halves = [Subject("zf", {"zh": "政府"}), Subject("zf-1", {"zh": "一科"}, parent="zf"),
              Subject("zf-2", {"zh": "二科"}, parent="zf")]  # fmt: skip
    rated = [Subject(f"u{n}", {"zh": f"{n}号"}) for n in range(6)]
    head = Subject("head", {"zh": "主任"}, "official", parent="zf")
    tx.put_subjects([*halves, *rated, head])
    staff = [
        Person(f"e{n:02}", Kind.STAFF, f"员工{n}", f"zf-{1 + n % 2}",
               tags=("党员",) if n % 3 == 0 else (), opted_out=n == 1, left=n == 2,
               zone="Europe/Berlin" if n == 4 else None)
        for n in range(60)
    ]  # fmt: skip
    tx.put_people(staff)
    for person in staff[:50]:
        tx.put_chat(Chat(Address("telegram", person.id), person.id, "zh"))
    tx.put_relations(Relation(person.id, f"u{n}", PEER) for person in staff for n in range(6))


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    kept = SqlStore("sqlite://")
    await kept.write(office)
    yield kept
    await kept.close()


async def made(store: SqlStore, **changed: str) -> Campaign:
    typed = wish(**{"groups": "PEER", "units": "zf", **changed})
    return await store.write(lambda tx: create(tx, ACT, typed))


# ---- as typed


async def test_an_audience_and_manners_are_kept_as_they_were_typed(store: SqlStore) -> None:
    found = await made(
        store, units="zf-1， zf-2", tags="党员", rest_days="30", sample="20", strata="unit",
        quotas="zf-1; 党员; 5\r\n；；9", per_rater="4", per_subject="8", at_most="25",
        shift="before", quiet_from="22", quiet_until="7", grace="24", paid="yes",
        messages_invite_zh="请看 {title}\r\n{closes}", messages_remind_en="{title}?",
    )  # fmt: skip
    assert found.audience == Audience(
        ("zf-1", "zf-2"), ("党员",), 30, 20, "unit", (Quota("zf-1", "党员", 5), Quota("", "", 9)),
        4, 8, 25,
    )  # fmt: skip
    assert (found.shift, found.quiet, found.grace) == (Shift.BEFORE, (22, 7), DAY)
    assert found.paid
    words = {"invite": {"zh": "请看 {title}\n{closes}"}, "remind": {"en": "{title}?"}}
    assert found.messages == words
    assert await store.read(lambda tx: tx.campaign(found.id)) == found
    told = facts(found)
    assert told["quotas"] == [["zf-1", "党员", 5], ["", "", 9]]
    assert (told["sample"], told["grace"], told["shift"]) == (20, 24, "before")
    assert told["messages_remind_en"] == "{title}?"
    entries = await store.read(lambda tx: list(tx.audit_chain()))
    assert '"sample":20' in entries[-1].after.replace(" ", "")


async def test_what_is_not_typed_asks_all_in_the_usual_manner(store: SqlStore) -> None:
    found = await made(store, units="", quiet_from="", quiet_until="", shift="", grace="")
    assert found.audience == Audience()
    assert (found.quiet, found.shift, found.grace) == ((21, 8), Shift.NONE, timedelta())
    assert not found.paid
    assert found.messages == {}
    assert "sample" not in facts(found)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"units": "zf-1, zf-9"}, "no_unit"),
        ({"tags": "党"}, "no_tag"),
        ({"rest_days": "367"}, "count"),
        ({"sample": "many"}, "count"),
        ({"sample": "-1"}, "count"),
        ({"sample": "0"}, "count"),
        ({"per_rater": "0"}, "count"),
        ({"per_subject": "0"}, "count"),
        ({"at_most": " 00 "}, "count"),
        ({"units": "head"}, "official"),
        ({"quotas": "head;;5"}, "official"),
        ({"quotas": "zf;;5\nzf-1;;6"}, "quota_swallowed"),
        ({"quotas": ";;5\nzf-1;党员;6"}, "quota_swallowed"),
        ({"strata": "age"}, "strata"),
        ({"quotas": "zf-1; 5"}, "quota"),
        ({"quotas": "zf-1;; 5\nzf-1; ;6"}, "quota_twice"),
        ({"quotas": "zf-9;; 5"}, "no_unit"),
        ({"quotas": ";vip; 5"}, "no_tag"),
        ({"per_rater": "1001"}, "count"),
        ({"per_subject": "4"}, "per_subject_k"),
        ({"at_most": "1.5"}, "count"),
        ({"shift": "later"}, "shift"),
        ({"quiet_from": "24"}, "quiet"),
        ({"quiet_until": "eight"}, "quiet"),
        ({"grace": "169"}, "grace"),
        ({"paid": "maybe"}, "paid"),
        ({"messages_invite_zh": "x" * 1001}, "message_long"),
        ({"messages_invite_en": "{"}, "message_braces"),
        ({"messages_remind_zh": "{name}"}, "message_blank"),
        ({"messages_remind_en": "{title!r}"}, "message_blank"),
        ({"messages_remind_en": "{title:>9}"}, "message_blank"),
        ({"messages_remind_en": "{}"}, "message_blank"),
    ],
)
async def test_what_cannot_be_is_refused_where_it_stands_in_both_languages(
    store: SqlStore, changed: dict[str, str], code: str
) -> None:
    with pytest.raises(CampaignError) as refused:
        await made(store, **changed)
    (wrong,) = refused.value.wrongs
    assert (wrong.field, wrong.code) == (next(iter(changed)), code)
    said = [wrong.said(language) for language in LANGUAGES]
    assert len(set(said)) == 2
    if code.startswith("no_"):
        assert all("zf-2" in text or "党员" in text for text in said), "names those there are"


async def test_a_refusal_of_units_lists_units_alone_and_names_the_line_that_is_in_the_way(
    store: SqlStore,
) -> None:
    with pytest.raises(CampaignError) as refused:
        await made(store, units="zf-9, head", quotas="zf;;5\nzf-1;党员;6")
    official, unknown, quota = refused.value.wrongs
    assert "Officials, not units: head." in official.said("en")
    assert "head" not in unknown.said("en")
    assert "zf-1" in unknown.said("en")
    assert "'zf-1; 党员; 6': 'zf; ; 5' stands before it" in quota.said("en")
    assert "“zf-1; 党员; 6”永远轮不到" in quota.said("zh")
    assert (await made(store, rest_days="0", quotas="zf-1;;5\nzf;;6")).audience.rest_days == 0


async def test_where_nobody_bears_a_tag_yet_it_is_said_so_in_words(store: SqlStore) -> None:
    def untag(tx: Any) -> None:
        tx.put_people([replace(each, tags=()) for each in tx.people()])

    await store.write(untag)
    with pytest.raises(CampaignError) as refused:
        await made(store, tags="党")
    (wrong,) = refused.value.wrongs
    assert "–" not in wrong.said("zh")
    assert "还没有标签" in wrong.said("zh")


def test_a_wish_is_packed_without_what_is_as_usual_and_comes_back_whole() -> None:
    typed = wish(sample="5", quotas="a; b; 3\nc; ; 4")
    assert Wish.unpacked(typed.packed()) == typed
    assert "grace" not in typed.packed()
    assert Wish.unpacked(wish().packed()) == wish()


def test_every_field_of_a_wish_can_be_typed_on_some_page() -> None:
    typed = blank("0" * 20, Defaults(ZoneInfo("Asia/Shanghai"), 5), NOW)
    fields = {"form", "title_zh", "sample", "quotas", "shift", "grace", "paid", "at_most"}
    assert fields <= {name for names in FIELDS.values() for name in names}
    found, wrongs = wish_of(typed | {"sample": "12", "PEER": "yes", "messages_remind_zh": "嗨"})
    assert wrongs == []
    assert (found.sample, found.groups, found.messages_remind_zh) == ("12", "PEER", "嗨")


# ---- what would happen


def planned(campaign: Campaign, opens: datetime, seed: str) -> Wave:
    return Wave(f"{campaign.id}.1", campaign.id, "2026Q4", opens, opens + campaign.window,
                b"k" * 32, seed=seed)  # fmt: skip


DRAWN = {"sample": "30", "strata": "unit", "quotas": "zf-1; 党员; 4", "per_rater": "2",
         "per_subject": "9"}  # fmt: skip


@pytest.mark.parametrize("changed", [{}, {"sample": "7"}, {"per_rater": "1"}, DRAWN])
async def test_what_is_foreseen_of_a_planned_wave_is_what_its_opening_draws(
    store: SqlStore, changed: dict[str, str]
) -> None:
    campaign = await made(store, **changed)
    wave = planned(campaign, NOW + DAY, secrets.token_hex(16))
    await store.write(lambda tx: tx.put_wave(wave))
    coming = await store.read(lambda tx: occasion(tx, campaign, NOW))
    assert coming is not None
    assert (coming.settled, coming.seed, coming.opens_at) == (True, wave.seed, wave.opens_at)
    foreseen = await store.read(
        lambda tx: list(foresee(tx, campaign, coming.opens_at, coming.seed, NOW))
    )
    told = await store.read(lambda tx: forecast(tx, campaign, NOW))
    assert told.sides == Counter(side for each in foreseen for side in each.sides)
    rows = await store.write(lambda tx: fill(tx, wave, campaign, NOW + DAY))
    roll = await store.read(lambda tx: tx.roll(wave.id))
    asked = {(asked.person, asked.subject, asked.group) for asked in roll}
    assert rows == len(asked) > 0
    assert {(each.person, *side) for each in foreseen for side in each.sides} == asked
    assert len(foreseen) == 60, "everybody whom it is about, each once"
    again = await store.write(lambda tx: fill(tx, wave, campaign, NOW + DAY))
    assert len(await store.read(lambda tx: tx.roll(wave.id))) == len(asked)
    assert again in (0, rows)


async def test_everybody_is_told_with_what_becomes_of_them(store: SqlStore) -> None:
    campaign = await made(store, sample="40", quotas="zf-1; ; 9")
    opens = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)  # seven in Shanghai, midnight in Berlin
    found = await store.read(lambda tx: list(foresee(tx, campaign, opens, "s", NOW)))
    by_id = {each.person: each for each in found}
    assert (by_id["e01"].fate, by_id["e02"].fate) == (Fate.OPTED_OUT, Fate.LEFT)
    told = excerpt(found, None, 0, 1000).counts
    assert set(told) == {Fate.ASKED, Fate.NO_ADDRESS, Fate.LEFT, Fate.OPTED_OUT, Fate.QUOTA_FULL}
    assert sum(told.values()) == 60
    assert sum(each.unit == "zf-1" and bool(each.sides) for each in found) == 9
    # 29 of zf-2 can be asked and 9 of zf-1: fewer than 40, so nobody is left undrawn
    assert told[Fate.ASKED] + told[Fate.NO_ADDRESS] == 38
    assert all(each.first is None for each in found if each.fate is not Fate.ASKED)
    first = {each.first for each in found if each.person != "e04"} - {None}
    assert {f"{at:%H:%M %Z}" for at in first if at} == {"08:00 CST"}


async def test_the_first_message_is_told_in_the_persons_own_zone(store: SqlStore) -> None:
    campaign = await made(store)
    opens = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    found = await store.read(lambda tx: list(foresee(tx, campaign, opens, "s", NOW)))
    abroad = next(each for each in found if each.person == "e04")
    assert abroad.first is not None
    assert abroad.first.isoformat() == "2026-11-25T08:00:00+01:00"


async def test_an_excerpt_counts_all_and_shows_some(store: SqlStore) -> None:
    campaign = await made(store)
    found = await store.read(lambda tx: list(foresee(tx, campaign, NOW, "", NOW)))
    page = excerpt(found, Fate.NO_ADDRESS, 4, 3)
    assert [each.person for each in page.people] == ["e54", "e55", "e56"]
    assert page.counts[Fate.NO_ADDRESS] == 10
    rows = list(listed(found).rows)
    assert len(rows) == 60
    assert rows[1][:5] == ("e01", "员工1", "zf-2", "opted_out", "")


async def test_a_forecast_is_what_a_draw_comes_to(store: SqlStore) -> None:
    campaign = await made(store, sample="20", per_rater="3")
    found = await store.read(lambda tx: forecast(tx, campaign, NOW))
    assert (found.reach.people, found.reach.assignments) == (20, 60)
    assert 0 < found.reach.reachable <= 20
    assert sum(found.sides.values()) == 60
    everybody = replace(campaign, audience=replace(campaign.audience, sample=0, per_rater=0))
    assert await store.read(lambda tx: reach(tx, everybody, NOW)) == await store.read(
        lambda tx: forecast(tx, everybody, NOW).reach
    )


async def test_a_campaign_that_is_over_has_no_wave_to_foresee(store: SqlStore) -> None:
    campaign = await made(store, recurrence="FREQ=DAILY;COUNT=1", starts="2026-11-24")
    assert await store.read(lambda tx: occasion(tx, campaign, NOW + 30 * DAY)) is None
    coming = await store.read(lambda tx: occasion(tx, campaign, NOW))
    assert coming is not None
    assert not coming.settled


# ---- what to look out for, and how many to ask


async def noted(store: SqlStore, **changed: str) -> list[str]:
    campaign = await made(store, **changed)
    seen = look(SERVICE.hash, SERVICE.source)
    found = await store.read(lambda tx: notes(tx, campaign, NOW, seen))
    for note in found:
        assert len({note.said(language) for language in LANGUAGES}) == 2
    return [note.code for note in found]


async def test_an_audience_that_asks_too_few_or_too_many_is_told_beforehand(
    store: SqlStore,
) -> None:
    assert (await noted(store, id="a", units="zf", tags="党员", quotas=";;0"))[0] == "nobody_fits"
    assert (await noted(store, id="b", at_most="57"))[0] == "above_cap"
    assert (await noted(store, id="c", at_most="58"))[0] == "unreachable"
    assert (await noted(store, id="d", sample="4"))[0] == "none_shown_drawn"
    # 11 people with two each have 22 ratings: enough for four sides of five, not for six
    assert (await noted(store, id="e", sample="11", per_rater="2"))[0] == "few_shown_drawn"
    assert (await noted(store, id="f", sample="15", per_rater="2"))[0] == "unreachable"


async def test_advice_is_for_those_who_may_be_asked(store: SqlStore) -> None:
    campaign = await made(store, strata="unit", sample="30")
    fields = {"measure": "score", "points": "5", "confidence": "95", "response": "50"}
    wanted, wrongs = precision_of(fields)
    assert wrongs == []
    assert wanted is not None
    found = await store.read(lambda tx: advise(tx, campaign, wanted, NOW))
    assert (found.whole.population, found.whole.answers, found.whole.people) == (58, 31, 62)
    assert found.each is not None
    assert found.each.people > found.whole.people
    assert found.margin is not None
    assert found.margin > 5


async def test_whoever_assesses_themselves_is_nobody_to_draw_from(store: SqlStore) -> None:
    fields = {"measure": "score", "points": "5", "confidence": "95", "response": "50"}
    wanted, _ = precision_of(fields)
    assert wanted is not None
    self_group = RaterGroup.SELF

    def heads(tx: Any) -> None:
        tx.put_people([Person(f"h{n}", Kind.STAFF, f"主任{n}", "zf") for n in range(9)])
        tx.put_subjects([Subject(f"o{n}", {"zh": "主任"}, "official", "zf") for n in range(9)])
        tx.put_relations(Relation(f"h{n}", f"o{n}", self_group) for n in range(9))

    await store.write(heads)
    both = await made(store, groups="PEER,SELF", strata="unit", sample="30")
    peers = replace(both, groups=(PEER,))
    alone = replace(both, groups=(self_group,))
    found = await store.read(
        lambda tx: [advise(tx, each, wanted, NOW) for each in (both, peers, alone)]
    )
    assert found[0] == found[1]
    assert found[0].whole.population == 58
    assert found[2].whole.population == 0
    assert (await store.read(lambda tx: reach(tx, alone, NOW))).people == 9, "they are asked"


# ---- another campaign meanwhile


async def overlap(store: SqlStore, **changed: str) -> tuple[str, object] | None:
    campaign = await made(store, **changed)
    seen = look(SERVICE.hash, SERVICE.source)
    found = await store.read(lambda tx: notes(tx, campaign, NOW, seen))
    said = [note for note in found if note.code.startswith("overlap")]
    for note in said:
        assert str(note.arguments["people"]) in note.said("zh")
        assert ("up to about" in note.said("en")) == (note.code == "overlap_most")
    return (said[0].code, said[0].arguments["people"]) if said else None


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({}, {}, ("overlap", 58)),
        ({"sample": "20"}, {}, ("overlap_most", 20)),
        ({}, {"sample": "7"}, ("overlap_most", 7)),
        ({"sample": "20"}, {"quotas": ";;9"}, ("overlap_most", 9)),
        ({"sample": "50"}, {"units": "zf-1"}, ("overlap_most", 29)),
        ({"per_rater": "2"}, {}, ("overlap_most", 58)),
        ({"rest_days": "5"}, {}, ("overlap_most", 58)),
        ({"units": "zf-2", "sample": "5"}, {"units": "zf-1"}, None),
        ({}, {"quotas": ";;0"}, None),
    ],
)
async def test_how_many_two_campaigns_ask_at_once_is_told_as_what_it_is(
    store: SqlStore, first: dict[str, str], second: dict[str, str], told: tuple[str, object] | None
) -> None:
    await made(store, id="first", **first)
    assert await overlap(store, id="second", **second) == told


async def test_no_more_are_asked_twice_than_was_told(store: SqlStore) -> None:
    one = await made(store, id="one", sample="20", strata="unit")
    two = await made(store, id="two", sample="12")
    most = await store.read(lambda tx: shared(tx, one, two, NOW))
    assert most == 12

    def both(tx: Any, seed: str) -> int:
        found = [
            {each.person for each in foresee(tx, campaign, NOW, f"{campaign.id}{seed}", NOW)
             if each.sides}
            for campaign in (one, two)
        ]  # fmt: skip
        return len(found[0] & found[1])

    counts = [await store.read(partial(both, seed=f"{n}")) for n in range(10)]
    assert 0 < max(counts) <= most


def test_numbers_of_a_precision_that_cannot_be_are_each_named() -> None:
    fields = {"measure": "mood", "points": "0", "confidence": "100", "response": "x"}
    wanted, wrongs = precision_of(fields)
    assert wanted is None
    assert {wrong.field for wrong in wrongs} == {"measure", "points", "confidence", "response"}
    for wrong in wrongs:
        assert wrong.said("zh") != wrong.said("en")
