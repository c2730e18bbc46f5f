"""Campaigns as administrators make and change them: rules in words, refusals, the audit."""

from __future__ import annotations

import random
from calendar import monthrange
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.audit import Act, verify
from desk.campaigns.campaigning import (
    close_now,
    create,
    draft,
    next_wave,
    set_form,
    set_paused,
)
from desk.campaigns.drafting import FIELDS, Defaults, blank, keep, typed, wish_of
from desk.campaigns.foreseeing import reach
from desk.campaigns.outlook import coming, look, notes
from desk.campaigns.rhythm import Every, On, Rhythm, in_words, rhythm_of, rule_of, shift_of
from desk.campaigns.rules import trouble_with
from desk.campaigns.standing import briefs, standing
from desk.campaigns.wishing import Wish
from desk.campaigns.wrongs import CampaignError
from desk.store import Sought
from storage import SqlStore
from surveys.campaigns import Campaign, Shift, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.recurrence import first_opening, following, next_opening
from surveys.words import LANGUAGES
from surveys.workdays import Workdays
from tests.desk.asking import CONCERN, LEADERSHIP, SERVICE, furnish, wish

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # Monday, half past nine in Shanghai
KEY = bytes(32)
ACT = Act("operator:test", "operator:test", "terminal", NOW, KEY)
MADE = Campaign("q", {"zh": "满意度"}, "f", (RaterGroup.PEER,), date(2026, 11, 23))


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    kept = SqlStore("sqlite://")
    await kept.write(furnish)
    yield kept
    await kept.close()


async def audited(store: SqlStore) -> list[str]:
    entries = await store.read(lambda tx: list(tx.audit_chain()))
    assert verify(entries, KEY) == []
    return [entry.action for entry in entries]


def wave(opens: datetime, **changed: Any) -> Wave:
    made = Wave("q.1", "q", "2026Q4", opens, opens + timedelta(days=14), b"k" * 32)
    return replace(made, **changed)


# ---- rules and words

months = st.sampled_from(On)
rhythms = st.one_of(
    st.builds(Rhythm, st.just(Every.QUARTER), months, st.integers(1, 3), st.integers(1, 31)),
    st.builds(Rhythm, st.just(Every.MONTH), months, st.just(3), st.integers(1, 31)),
    st.builds(Rhythm, st.just(Every.YEAR), months, st.integers(1, 12), st.integers(1, 31)),
    st.builds(Rhythm, st.just(Every.WEEK), st.just(On.DAY), st.just(3), st.integers(0, 6)),
    st.sampled_from([Rhythm(Every.ONCE), Rhythm(Every.DAY)]),
)
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))


CALENDAR = Workdays()


def occurs(rhythm: Rhythm, day: date, first: date) -> bool:
    """Whether something falls on ``day`` before anybody looks whether it is worked."""
    match rhythm.every:
        case Every.ONCE:
            return day == first
        case Every.DAY:
            return day >= first
        case Every.WEEK:
            return day >= first and day.weekday() == rhythm.day
    last = monthrange(day.year, day.month)[1]
    wanted = {On.DAY: rhythm.day, On.FIRST_WORKING: 1}.get(rhythm.on, last)
    return day >= first and day.month in rhythm.months and day.day == wanted


def openings(rhythm: Rhythm, starts: date, until: date) -> list[date]:
    """Day by day: where each occurrence goes, without those moved before the first day."""
    span = [starts + timedelta(days=n) for n in range((until - starts).days + 50)]
    moved = {CALENDAR.shifted(d, shift_of(rhythm)) for d in span if occurs(rhythm, d, starts)}
    return sorted(day for day in moved if starts <= day <= until)


def opened(campaign: Campaign, until: date) -> list[date]:
    """On which days the clock opens it."""
    found: list[date] = []
    at = first_opening(campaign, CALENDAR)
    while at is not None and at.date() <= until:
        found.append(at.date())
        at = next_opening(campaign, CALENDAR, at)
    return found


@settings(deadline=None, max_examples=60)
@given(rhythms, days, st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]))
def test_the_words_of_a_rule_name_just_the_days_on_which_waves_open(
    rhythm: Rhythm, starts: date, zone: str
) -> None:
    rule, shift = rule_of(rhythm), shift_of(rhythm)
    understood = rhythm_of(rule, shift)
    campaign = replace(MADE, starts=starts, recurrence=rule, zone=zone, shift=shift)
    until = starts + timedelta(days=400)
    found = opened(campaign, until)
    assert found == openings(understood, starts, until)
    assert found == openings(rhythm, starts, until)
    assert all(in_words(understood, language) for language in LANGUAGES)


@settings(deadline=None)
@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.lists(
        st.sampled_from(["INTERVAL=2", "BYDAY=MO", "BYDAY=2TU", "BYMONTH=1,7", "BYMONTHDAY=10,20",
                         "BYMONTHDAY=-1", "BYMONTHDAY=1", "BYSETPOS=1", "COUNT=2",
                         "BYMONTH=3,6,9,12", "UNTIL=20280101", "WKST=SU", "INTERVAL=1"]),
        max_size=3, unique_by=lambda part: part.partition("=")[0],
    ),
    st.sampled_from(Shift),
)  # fmt: skip
def test_a_rule_is_put_into_words_only_where_they_say_all_of_it(
    freq: str, parts: list[str], shift: Shift
) -> None:
    rule = ";".join([f"FREQ={freq}", *parts])
    starts = date(2026, 11, 23)
    if trouble_with(rule, starts) is not None:
        return
    understood = rhythm_of(rule, shift)
    assert shift_of(understood) is shift
    if understood.every is Every.OWN:
        assert understood.rule == rule
        return
    until = starts + timedelta(days=800)
    campaign = replace(MADE, recurrence=rule, shift=shift)
    assert opened(campaign, until) == openings(understood, starts, until)


def test_rules_are_said_as_people_say_them() -> None:
    last = "FREQ=MONTHLY;BYMONTH=12,9,6,3;BYMONTHDAY=-1"
    assert in_words(rhythm_of(last, Shift.BEFORE), "zh") == "每季度，最后一个月的最后一个工作日"
    assert in_words(rhythm_of(last, Shift.NONE), "zh") == "每季度，最后一个月的最后一天"
    after = in_words(rhythm_of(last, Shift.AFTER), "en")
    assert after.endswith("of its last month (or the working day after, where nobody works)")
    yearly = rhythm_of("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=22", Shift.NONE)
    assert in_words(yearly, "zh") == "每年2月的22日"
    assert in_words(yearly, "en") == "every year, on the 22nd of February"
    assert "（没有这一天的月份不问）" in in_words(
        rhythm_of("FREQ=MONTHLY;BYMONTHDAY=30", Shift.NONE), "zh"
    )
    assert (
        in_words(rhythm_of("FREQ=MONTHLY;BYDAY=2TU", Shift.NONE), "en") == "by a rule of your own"
    )


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("FREQ=HOURLY", "often"),
        ("FREQ=DAILY;BYHOUR=9,10", "often"),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "often"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never"),
        ("FREQ=DAILY;INTERVAL=0", "rule"),
        ("FREQ=DAILY;COUNT=0", "rule"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "rule"),
        ("FREQ=DAILY\nEXDATE:20261201T090000", "rule"),
        ("DTSTART:19700101T000000\nRRULE:FREQ=DAILY", "rule"),
        ("FREQ=DAILY;FREQ=DAILY", "rule"),
        ("FREQ=SOMETIMES", "rule"),
        ("FREQ=YEARLY;BYMONTH=13", "never"),
        ("FREQ=DAILY;UNTIL=20200101", "never"),
        ("-", "rule"),
        ("FREQ=DAILY;BYDAY=" + "MO," * 100, "rule"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(rule: str, code: str) -> None:
    trouble = trouble_with(rule, date(2026, 11, 23))
    assert trouble is not None
    assert trouble[0] == code


def test_a_leap_day_is_found_though_it_is_years_away() -> None:
    assert trouble_with("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", date(2026, 11, 23)) is None


# ---- what comes next


@settings(deadline=None, max_examples=60)
@given(rhythms, days, st.integers(0, 600), st.integers(1, 90), st.integers(0, 23))
def test_what_is_told_to_come_is_what_the_clock_will_open(
    rhythm: Rhythm, starts: date, passed: int, window: int, hour: int
) -> None:
    campaign = replace(MADE, starts=starts, recurrence=rule_of(rhythm), opens_hour=hour,
                       shift=shift_of(rhythm),
                       window=timedelta(days=window))  # fmt: skip
    now = datetime(starts.year, starts.month, starts.day, 4, tzinfo=UTC) + timedelta(days=passed)
    told = [each.opens_at for each in coming(campaign, CALENDAR, (), now, 3)]
    opened: list[Wave] = []
    for _ in told:  # the clock plans one wave, opens it, then plans the next
        at = following(campaign, CALENDAR, opened, now)
        assert at is not None
        assert at + campaign.window > now
        planned = wave(at, closes_at=at + campaign.window)
        assert next_wave(campaign, CALENDAR, [*opened, planned], now) == at
        opened.append(wave(at, state=WaveState.OPEN))
    assert [each.opens_at for each in opened] == told
    assert told == sorted(told)


def test_reminders_that_have_passed_are_not_promised() -> None:
    campaign = replace(MADE, starts=date(2026, 11, 18), recurrence="FREQ=DAILY;COUNT=1")
    (only,) = coming(campaign, CALENDAR, (), NOW, 3)
    assert only.opens_at < NOW
    assert [at.date().isoformat() for at in only.reminders] == ["2026-11-25"]


def test_a_planned_wave_keeps_its_own_times() -> None:
    planned = wave(NOW + timedelta(days=1), state=WaveState.PLANNED)
    first, second, _ = coming(replace(MADE, recurrence="FREQ=DAILY"), CALENDAR, [planned], NOW, 3)
    assert first.opens_at == planned.opens_at
    assert second.opens_at > planned.opens_at


# ---- making one


async def test_everything_wrong_is_told_at_once_in_both_languages(store: SqlStore) -> None:
    bad = wish(id="no good", form="zz", title_zh="", title_en="x" * 201, groups="ALL, SVC",
               starts="soon", recurrence="FREQ=HOURLY", zone="Mars", hour="25", days="0",
               reminders="99", k="2")  # fmt: skip
    with pytest.raises(CampaignError) as refused:
        await store.write(lambda tx: create(tx, ACT, bad))
    fields = {wrong.field for wrong in refused.value.wrongs}
    assert fields == {"id", "form", "title_en", "groups", "starts", "recurrence", "zone", "hour",
                      "days", "reminders", "k"}  # fmt: skip
    for wrong in refused.value.wrongs:
        assert wrong.said("zh") != wrong.said("en")
    assert await audited(store) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"form": ""}, "no_form"),
        ({"form": CONCERN.hash}, "form_keeps_nothing"),
        ({"groups": " , "}, "no_group"),
        ({"title_zh": "", "title_en": " "}, "no_title"),
        ({"id": "new"}, "id"),
        ({"id": "../x"}, "id"),
        ({"starts": "2026-11-22", "recurrence": "FREQ=DAILY"}, "past"),
        ({"reminders": "1,2,3,4,5,6"}, "reminders"),
        ({"reminders": "14"}, "reminders"),
        ({"k": "五"}, "k"),
        ({"starts": "9999-12-31"}, "day"),
    ],
)
async def test_each_refusal_has_its_reason(
    store: SqlStore, changed: dict[str, str], code: str
) -> None:
    with pytest.raises(CampaignError) as refused:
        await store.read(lambda tx: draft(tx, wish(**changed), NOW))
    assert [wrong.code for wrong in refused.value.wrongs] == [code]


async def test_the_same_campaign_made_again_changes_nothing_another_is_refused(
    store: SqlStore,
) -> None:
    first = await store.write(lambda tx: create(tx, ACT, wish()))
    assert await store.write(lambda tx: create(tx, ACT, wish())) == first
    assert await audited(store) == ["campaign.created"]
    with pytest.raises(CampaignError, match="already"):
        await store.write(lambda tx: create(tx, ACT, wish(k="6")))
    assert Wish.unpacked(wish().packed()) == wish()


async def test_reach_counts_people_assignments_and_telegram_without_the_opted_out(
    store: SqlStore,
) -> None:
    def counted(tx: Any) -> list[tuple[int, int, int]]:
        made = draft(tx, wish(groups="SVC,PEER"), NOW)
        alone = replace(made, groups=(RaterGroup.RECIPIENT,))
        nobody = replace(made, groups=(RaterGroup.SUPERIOR,))
        return [(r.people, r.assignments, r.reachable)
                for r in (reach(tx, each, NOW) for each in (made, alone, nobody))]  # fmt: skip

    assert await store.read(counted) == [(15, 27, 6), (12, 24, 6), (0, 0, 0)]


async def noted(store: SqlStore, **changed: str) -> list[str]:
    def told(tx: Any) -> list[str]:
        made = draft(tx, wish(**changed), NOW)
        found = notes(tx, made, NOW, look(made.form, tx.form(made.form)))
        assert all(note.said("zh") and note.said("en") for note in found)
        return [note.code for note in found]

    return await store.read(told)


async def test_what_to_look_out_for_is_said_before_a_campaign_is_made(store: SqlStore) -> None:
    assert await noted(store, groups="SUP") == ["nobody"]
    assert await noted(store, groups="PEER") == ["none_shown", "unreachable"]
    assert await noted(store, groups="PEER,SVC") == ["few_shown", "unreachable"]
    assert await noted(store, k="3") == ["unreachable"]
    daily = await noted(store, recurrence="FREQ=DAILY", hour="8")
    assert daily == ["unreachable", "at_once", "own_overlap"]


async def test_another_campaign_that_asks_the_same_people_meanwhile_is_named(
    store: SqlStore,
) -> None:
    await store.write(lambda tx: create(tx, ACT, wish(id="first")))
    assert await noted(store, recurrence="FREQ=MONTHLY;BYMONTHDAY=20") == ["unreachable", "overlap"]
    assert "overlap" not in await noted(store, groups="PEER"), "nobody is asked by both"
    assert "overlap" not in await noted(store, recurrence="FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1")
    await store.write(lambda tx: set_paused(tx, ACT, "first", True))
    assert "overlap" not in await noted(store)


# ---- changing one


async def test_each_change_is_audited_once_and_repeating_it_is_not(store: SqlStore) -> None:
    await store.write(lambda tx: create(tx, ACT, wish()))
    for _ in range(2):
        await store.write(lambda tx: set_paused(tx, ACT, "window", True))
    for _ in range(2):
        await store.write(lambda tx: set_form(tx, ACT, "window", LEADERSHIP.hash[:9]))
    for _ in range(2):
        await store.write(lambda tx: set_paused(tx, ACT, "window", False))
    for _ in range(2):
        assert await store.write(lambda tx: close_now(tx, ACT, "window")) == 0
    assert await audited(store) == [
        "campaign.created", "campaign.paused", "campaign.revised", "campaign.resumed",
        "campaign.closed",
    ]  # fmt: skip
    revised = await store.read(lambda tx: tx.audit(Sought(action="campaign.revised")))
    assert (SERVICE.hash in revised[0].before, LEADERSHIP.hash in revised[0].after) == (True, True)


async def test_nothing_is_changed_of_a_campaign_that_is_not_there(store: SqlStore) -> None:
    for work in (
        lambda tx: set_paused(tx, ACT, "none", True),
        lambda tx: close_now(tx, ACT, "none"),
        lambda tx: set_form(tx, ACT, "none", SERVICE.hash),
    ):
        with pytest.raises(CampaignError, match="no campaign 'none'"):
            await store.write(work)
    assert await audited(store) == []


async def test_only_the_open_wave_is_closed_and_its_count_is_rounded(store: SqlStore) -> None:
    def fill(tx: Any) -> None:
        create(tx, ACT, wish())
        for name, opens in (("a", NOW - timedelta(days=1)), ("b", NOW + timedelta(days=1))):
            tx.put_wave(wave(opens, id=name, campaign="window"))
        tx.open_wave("a")

    await store.write(fill)
    (brief,) = await store.read(lambda tx: briefs(tx, NOW))
    assert (brief.state, brief.open and brief.open.id) == ("open", "a")
    stands = await store.read(lambda tx: standing(tx, brief.campaign, NOW))
    assert [(each.wave.id, each.answered) for each in stands.waves] == [("a", None), ("b", None)]
    assert await store.write(lambda tx: close_now(tx, ACT, "window")) == 1
    closes = await store.read(lambda tx: {each.id: each.closes_at for each in tx.waves()})
    assert closes["a"] == NOW
    assert closes["b"] > NOW
    (brief,) = await store.read(lambda tx: briefs(tx, NOW))
    assert (brief.state, brief.next_opening) == ("paused", None)


async def test_a_campaign_whose_last_wave_is_over_is_finished_paused_or_not(
    store: SqlStore,
) -> None:
    once = wish(recurrence="FREQ=DAILY;COUNT=1", days="3", reminders="1")
    await store.write(lambda tx: create(tx, ACT, once))
    after = NOW + timedelta(days=20)
    states = []
    for paused in (False, True):
        await store.write(partial(set_paused, act=ACT, campaign="window", paused=paused))
        for now in (NOW, after):
            (brief,) = await store.read(partial(briefs, now=now))
            states.append((paused, brief.state))
    assert states == [(False, "running"), (False, "over"), (True, "paused"), (True, "over")]


async def test_nothing_is_changed_of_a_campaign_that_has_no_further_wave(store: SqlStore) -> None:
    once = wish(recurrence="FREQ=DAILY;COUNT=1", days="3", reminders="1")
    await store.write(lambda tx: create(tx, ACT, once))
    later = replace(ACT, at=NOW + timedelta(days=20))
    for work in (
        lambda tx: set_paused(tx, later, "window", True),
        lambda tx: set_form(tx, later, "window", LEADERSHIP.hash),
    ):
        with pytest.raises(CampaignError, match="no further wave"):
            await store.write(work)
    await store.write(lambda tx: set_paused(tx, later, "window", False))  # as it is already
    assert await audited(store) == ["campaign.created"]
    await store.write(lambda tx: set_paused(tx, ACT, "window", True))
    with pytest.raises(CampaignError, match="no further wave"):
        await store.write(lambda tx: set_paused(tx, later, "window", False))
    assert await audited(store) == ["campaign.created", "campaign.paused"]


# ---- what was typed

words = st.text(st.characters(codec="utf-8"), max_size=30)
DEFAULTS = Defaults(ZoneInfo("Asia/Shanghai"), 5)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(sorted(FIELDS)), st.integers()), max_size=8), st.data())
async def test_pages_saved_in_any_order_keep_what_was_typed_last_on_each(
    visits: list[tuple[int, int]], data: st.DataObject
) -> None:
    store = SqlStore("sqlite://")
    try:
        expected = blank("ab" * 10, DEFAULTS, NOW)
        for page, seed in visits:
            names = FIELDS[page]
            chance = random.Random(seed)
            sent = {name: data.draw(words) for name in chance.sample(names, len(names))}
            expected |= sent

            def save(tx: Any, sent: dict[str, str] = sent) -> None:
                fields = typed(tx, "me", "ab" * 10, DEFAULTS, NOW)
                keep(tx, "me", "ab" * 10, fields | sent, NOW)

            await store.write(save)
        kept = await store.read(lambda tx: typed(tx, "me", "ab" * 10, DEFAULTS, NOW))
        assert kept == expected
        assert await store.read(lambda tx: typed(tx, "you", "ab" * 10, DEFAULTS, NOW)) == blank(
            "ab" * 10, DEFAULTS, NOW
        )
    finally:
        await store.close()


@settings(deadline=None)
@given(st.fixed_dictionaries({name: words for names in FIELDS.values() for name in names}))
def test_whatever_is_typed_can_be_looked_at(fields: dict[str, str]) -> None:
    found, _ = wish_of(fields)
    trouble = trouble_with(found.recurrence, date(2026, 11, 23))
    assert trouble is None or trouble[0] in {"rule", "often", "never"}
