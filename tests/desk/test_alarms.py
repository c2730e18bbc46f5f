"""What needs an administrator: each case, what is no case, and that each is told once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.sending import PAUSE_NOTE
from desk.accounts import Account
from desk.attention import Item, attention
from desk.audit import Act, record, seal_key
from desk.campaigns.alarms import (
    PAUSED_UNTIL,
    Alarm,
    alarms,
    decent_time,
    forget_ended,
    no_keys,
    note_told,
    quiet,
    untold,
    watch,
)
from desk.campaigns.days import calendar, set_day, set_whole
from desk.campaigns.holding import Hold, put_hold
from desk.roles import Grant, Role
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.audience import Audience
from surveys.campaigns import INVITE, Outcome, Shift, Wave, WaveState
from surveys.people import Address
from surveys.workdays import Workdays
from tests.storage.rows import CAMPAIGN, NOW, WAVE, found_roll, found_world
from web.console.telling import sentence

ZONE = ZoneInfo("Asia/Shanghai")
KEY = seal_key(b"k" * 32)
TITLE = dict(CAMPAIGN.title)
OPENED = datetime(2026, 12, 12, 1, tzinfo=UTC)  # nine in Shanghai
MINUTE = timedelta(minutes=1)


def opened(tx: SqlTransaction, late: int = 0, people: int = 30) -> None:
    """The wave opened at nine; everybody's invitation is owed."""
    found_roll(tx, people)
    tx.put_wave(replace(WAVE, opens_at=OPENED - late * MINUTE))
    facts = {"late": late} if late else {}
    act = Act("minyi", "minyi", "clock", OPENED, KEY)
    record(tx, act, "wave.opened", f"wave:{WAVE.id}", None, facts)
    tx.draw_deliveries(WAVE.id, (INVITE, OPENED))


async def keys(store: SqlStore, now: datetime, days: Workdays | None = None) -> list[str]:
    found = await store.read(lambda tx: alarms(tx, days or Workdays(), now))
    return [alarm.key for alarm in found]


async def test_a_wave_that_sends_is_no_alarm(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> None:
        opened(tx)
        [row] = tx.claim_deliveries(NOW, NOW + MINUTE, 1)
        tx.begin_delivery(row.id, NOW)
        tx.note_delivery(row.id, Outcome.SENT, "1", NOW)

    await store.write(work)
    assert await keys(store, NOW) == []
    assert await keys(store, NOW + 30 * MINUTE) == []


@pytest.mark.parametrize("stage", [INVITE, "remind1"])
async def test_one_that_has_stopped_sending_is_one(store: SqlStore, stage: str) -> None:
    def work(tx: SqlTransaction) -> None:
        opened(tx)
        rows = tx.claim_deliveries(NOW, NOW + MINUTE, 1 if stage == INVITE else 30)
        for row in rows:
            tx.begin_delivery(row.id, NOW)
            tx.note_delivery(row.id, Outcome.SENT, "1", NOW)
        if stage != INVITE:
            tx.draw_deliveries(WAVE.id, (stage, NOW))

    await store.write(work)
    assert await keys(store, NOW + 30 * MINUTE) == []
    assert await keys(store, NOW + 31 * MINUTE) == ["sending_stalled"]
    rest = (NOW + 50 * MINUTE).isoformat()
    await store.write(lambda tx: tx.put_note(PAUSED_UNTIL, rest))
    assert await keys(store, NOW + 31 * MINUTE) == [], "Telegram asked for it"
    assert await keys(store, NOW + 51 * MINUTE) == ["sending_stalled"]


async def test_none_sent_after_half_an_hour_is_one(store: SqlStore) -> None:
    await store.write(opened)
    assert await keys(store, OPENED + 30 * MINUTE) == []
    assert await keys(store, OPENED + 31 * MINUTE) == ["nothing_sent"]


def test_half_an_hour_is_of_hours_in_which_one_may_write() -> None:
    evening = datetime(2026, 12, 12, 20, 50, tzinfo=ZONE)
    night, enough = (21, 8), 30 * MINUTE
    assert not decent_time(evening, evening + timedelta(hours=11), ZONE, night, enough)
    morning = datetime(2026, 12, 13, 8, tzinfo=ZONE)
    assert not decent_time(evening, morning + 20 * MINUTE, ZONE, night, enough)
    assert decent_time(evening, morning + 21 * MINUTE, ZONE, night, enough)
    assert decent_time(evening, evening + 31 * MINUTE, ZONE, (0, 0), enough), "no quiet hours"


async def test_half_an_hour_counts_from_when_it_really_opened(store: SqlStore) -> None:
    await store.write(lambda tx: opened(tx, late=200))
    assert await keys(store, OPENED + 5 * MINUTE) == ["opened_late"]
    assert await keys(store, OPENED + 31 * MINUTE) == ["nothing_sent", "opened_late"]


@pytest.mark.parametrize(("minutes", "told"), [(201, ["opened_late"]), (1, [])])
async def test_a_wave_that_somebody_let_open_at_once_is_not_called_late(
    store: SqlStore, minutes: int, told: list[str]
) -> None:
    def work(tx: SqlTransaction) -> None:
        act = Act("a-1", "Wei", "203.0.113.7", OPENED - minutes * MINUTE, KEY)
        record(tx, act, "campaign.created", f"campaign:{WAVE.campaign}", None, {})
        opened(tx, late=200)

    await store.write(work)
    assert await keys(store, OPENED + 5 * MINUTE) == told
    assert await keys(store, OPENED + timedelta(days=2)) == ["nothing_sent"]


@pytest.mark.parametrize(("gone", "told"), [(4, []), (5, ["many_gone"])])
async def test_many_who_cannot_be_reached_are_one(
    store: SqlStore, gone: int, told: list[str]
) -> None:
    def work(tx: SqlTransaction) -> None:
        opened(tx, people=20)
        for number, row in enumerate(tx.claim_deliveries(NOW, NOW + MINUTE, 50)):
            tx.begin_delivery(row.id, NOW)
            tx.note_delivery(row.id, Outcome.GONE if number < gone else Outcome.SENT)

    await store.write(work)
    assert await keys(store, NOW) == told


async def test_a_wave_that_asks_nobody_is_one(store: SqlStore) -> None:
    await store.write(found_world)
    assert await keys(store, NOW) == ["nobody_asked"]


async def test_a_wave_that_is_not_counted_after_its_grace_is_one(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> None:
        found_world(tx)
        tx.put_campaign(replace(CAMPAIGN, grace=timedelta(hours=6)))

    await store.write(work)
    assert await keys(store, WAVE.closes_at + timedelta(hours=7)) == []
    late = WAVE.closes_at + timedelta(hours=7, minutes=1)
    assert await keys(store, late) == ["not_counted"]
    await store.write(lambda tx: tx.put_note(no_keys(WAVE.id), "yes"))
    assert await keys(store, late) == ["no_keys"]
    assert await keys(store, WAVE.closes_at + timedelta(hours=5)) == []


@pytest.mark.parametrize("why", ["second", "cap"])
async def test_a_wave_that_is_held_is_one_unless_its_campaign_is_paused(
    store: SqlStore, why: str
) -> None:
    def hold(tx: SqlTransaction) -> None:
        found_world(tx)
        tx.put_campaign(replace(CAMPAIGN, audience=Audience(at_most=5)))
        tx.put_wave(Wave("due", CAMPAIGN.id, "2026Q4", NOW, NOW + timedelta(days=2), b"t" * 32))
        put_hold(tx, "due", Hold(why, 12, NOW, "abc" if why == "second" else ""))

    await store.write(hold)
    found = await store.read(lambda tx: alarms(tx, Workdays(), NOW))
    [alarm] = [each for each in found if each.key.startswith("held")]
    assert (alarm.key, alarm.facts["people"], alarm.facts["most"]) == (f"held_{why}", 12, 5)
    assert alarm.path == ("/desk/approvals/abc" if why == "second" else "/desk/campaigns/q")
    await store.write(lambda tx: tx.put_campaign(replace(CAMPAIGN, paused=True)))
    assert not [key for key in await keys(store, NOW) if key.startswith("held")]


def test_the_sender_writes_the_note_that_is_read_here() -> None:
    assert PAUSED_UNTIL == PAUSE_NOTE


async def test_a_rest_of_more_than_an_hour_is_one_while_something_is_owed(store: SqlStore) -> None:
    def rests(until: datetime) -> Any:
        return lambda tx: tx.put_note(PAUSE_NOTE, until.isoformat())

    async def looks(now: datetime) -> list[str]:
        await store.write(lambda tx: watch(tx, now))
        return [key for key in await keys(store, now) if key == "sending_rests"]

    await store.write(opened)
    await store.write(rests(NOW + 30 * MINUTE))
    assert await looks(NOW) == []
    await store.write(rests(NOW + 65 * MINUTE))  # once more, a little longer: one outage
    assert await looks(NOW + 32 * MINUTE) == ["sending_rests"]
    assert await looks(NOW + 71 * MINUTE) == [], "it has been over for more than five minutes"
    later = NOW + timedelta(hours=5)
    await store.write(rests(later + 59 * MINUTE))
    assert await looks(later) == [], "another one begins anew"
    await store.write(rests(later + timedelta(hours=9)))
    assert await looks(later) == ["sending_rests"], "Telegram said how long: no need to wait"


async def test_a_calendar_that_is_not_announced_is_one_where_it_matters(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> None:
        found_world(tx)
        tx.put_wave(replace(WAVE, id="q-old", state=WaveState.TALLIED))
        monthly = "FREQ=MONTHLY;BYMONTHDAY=5"
        tx.put_campaign(
            replace(CAMPAIGN, recurrence=monthly, shift=Shift.BEFORE, starts=date(2099, 1, 1))
        )

    await store.write(work)
    soon = datetime(2098, 12, 1, tzinfo=UTC)
    assert "not_announced" in await keys(store, soon)
    assert "not_announced" not in await keys(store, soon - timedelta(days=40))
    act = Act("maker", "Maker", "tests", soon, KEY)
    await store.write(lambda tx: set_day(tx, act, "2099-02-01", True, ""))
    assert "not_announced" in await keys(store, soon, await store.read(calendar))
    assert await store.write(lambda tx: set_whole(tx, act, 2099, True))
    assert not await store.write(lambda tx: set_whole(tx, act, 2099, True)), "it was known"
    assert "not_announced" not in await keys(store, soon, await store.read(calendar))
    assert await store.write(lambda tx: set_whole(tx, act, 2099, False))
    assert "not_announced" in await keys(store, soon, await store.read(calendar))

    def unshifted(tx: SqlTransaction) -> None:
        found = tx.campaign(CAMPAIGN.id)
        assert found is not None
        tx.put_campaign(replace(found, shift=Shift.NONE))

    await store.write(unshifted)
    assert "not_announced" not in await keys(store, soon)


# telling


def linked(name: str, role: Role = Role.OFFICER, channel: str = "telegram") -> Account:
    return Account(
        name, name, name.title(), NOW, (Grant(role),), chat=Address(channel, f"chat {name}")
    )


ONE, TWO = Alarm("nobody_asked", "one", "/desk"), Alarm("no_keys", "two", "/desk")


async def test_each_is_told_once_to_whoever_may_change_something_and_has_a_chat(
    store: SqlStore,
) -> None:
    def begin(tx: SqlTransaction) -> None:
        for account in (
            linked("officer"),
            linked("admin", Role.ADMINISTRATOR),
            linked("auditor", Role.AUDITOR),
            linked("terminal", channel="terminal"),
            replace(linked("disabled"), disabled=True),
            replace(linked("unlinked"), chat=None),
        ):
            tx.put_account(account)

    def waiting(tx: SqlTransaction) -> list[tuple[str, str]]:
        return [(alarm.name, account.id) for alarm, account in untold(tx, [ONE, TWO])]

    await store.write(begin)
    assert await store.read(waiting) == [
        ("one", "admin"), ("one", "officer"), ("two", "admin"), ("two", "officer"),
    ]  # fmt: skip
    await store.write(lambda tx: note_told(tx, "one", "admin", NOW))
    await store.write(lambda tx: note_told(tx, "one", "officer", NOW))
    await store.write(lambda tx: note_told(tx, "two", "officer", NOW))
    assert await store.read(waiting) == [("two", "admin")]


async def test_what_ended_a_day_ago_is_news_when_it_comes_back(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_account(linked("officer")))
    await store.write(lambda tx: note_told(tx, "one", "officer", NOW))

    async def after(hours: float, *standing: Alarm) -> int:
        now = NOW + timedelta(hours=hours)
        await store.write(lambda tx: forget_ended(tx, standing, now))
        return len(await store.read(lambda tx: untold(tx, [ONE])))

    assert await after(20, ONE) == 0
    assert await after(43) == 0, "it came and went: it stood 23 hours ago"
    assert await after(45) == 1
    assert json.loads(await store.read(lambda tx: tx.note("alarms") or "")) == {}


def test_nobody_is_woken() -> None:
    assert quiet(datetime(2026, 12, 12, 21, tzinfo=ZONE), ZONE)
    assert not quiet(datetime(2026, 12, 12, 8, tzinfo=ZONE), ZONE)


FACTS = {"title": TITLE, "day": NOW, "count": 3, "percent": 25, "late": 40, "people": 12, "most": 5,
         "wave": "w", "since": NOW, "until": NOW, "year": 2099}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_alarm_stands_on_the_first_page_in_words(
    store: SqlStore, language: str
) -> None:
    await store.write(lambda tx: opened(tx, late=200))
    late = OPENED + 31 * MINUTE
    items = await store.read(lambda tx: attention(tx, linked("officer"), late, ()))
    urgent = [item for item in items if item.urgent]
    assert {item.key for item in urgent} >= {"nothing_sent", "opened_late"}
    for item in items:
        assert "{" not in sentence(item, language, ZONE)
    for key in (
        "many_gone",
        "held_second",
        "held_cap",
        "no_keys",
        "sending_rests",
        "not_announced",
    ):
        assert "{" not in sentence(Item(key, "/desk", True, FACTS), language, ZONE)
