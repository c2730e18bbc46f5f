"""When waves open: in time, late and saying so, held for a second person, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from desk.accounts import Account
from desk.approvals import ApprovalError, able, ask, decide, expire
from desk.audit import Act, Entry, record, seal_key
from desk.campaigns.campaigning import create, set_paused
from desk.campaigns.days import calendar
from desk.campaigns.holding import held
from desk.campaigns.opening import AGAIN, LATE, OPEN, Means, PlanReport, agree, lateness, plan
from desk.campaigns.outlook import coming
from desk.campaigns.seconding import create_or_ask
from desk.campaigns.standing import briefs
from desk.roles import Grant, Role
from desk.store import Approval, Decision, Sought
from storage import FileKeyring, SqlStore
from storage.tables import deliveries
from surveys.audience import Audience
from surveys.campaigns import INVITE, Campaign, Wave, WaveState, last_moment
from surveys.cells import RaterGroup
from surveys.people import Kind, Person, Relation
from tests.desk.asking import furnish, wish

KEY = seal_key(b"k" * 32)
MADE = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
OPENS = datetime(2026, 12, 10, 1, tzinfo=UTC)  # nine o'clock in Shanghai
WAVE = "window.20261210"
CLOCK = Act("minyi", "minyi", "clock", OPENS, KEY)


@dataclass
class Here:
    """Twelve people rate two windows; above ``limit`` a second person is asked."""

    store: SqlStore
    keys: FileKeyring
    limit: int = 1000
    seeds: list[str] = field(default_factory=list)

    def _seed(self) -> str:
        self.seeds.append(f"{len(self.seeds):032x}")
        return self.seeds[-1]

    async def tick(self, now: datetime = OPENS) -> PlanReport:
        act = replace(CLOCK, at=now)
        means = Means(self.keys, self._seed, self.limit)
        return await self.store.write(lambda tx: plan(tx, act, now, means))

    async def account(self, name: str, role: Role = Role.OFFICER) -> Account:
        made = Account(name, name, name.title(), MADE, (Grant(role),))
        await self.store.write(lambda tx: tx.put_account(made))
        return made

    async def make(self, who: str = "anna", **changed: str) -> None:
        act = Act(who, who.title(), "203.0.113.7", MADE, KEY)
        await self.store.write(lambda tx: create(tx, act, wish(**changed)))

    async def change(self, **changed: Any) -> None:
        def work(tx: Any) -> None:
            tx.put_campaign(replace(tx.campaign("window"), **changed))

        await self.store.write(work)

    async def more(self, people: int) -> None:
        """So many more stand in relation to the first window."""

        def work(tx: Any) -> None:
            made = [Person(f"m{n}", Kind.CITIZEN) for n in range(people)]
            tx.put_people(made)
            tx.put_relations(Relation(each.id, "w1", RaterGroup.RECIPIENT) for each in made)

        await self.store.write(work)

    async def wave(self, name: str = WAVE) -> Wave:
        found = await self.store.read(lambda tx: tx.wave(name))
        assert found is not None
        return found

    async def campaign(self) -> Campaign:
        found = await self.store.read(lambda tx: tx.campaign("window"))
        assert found is not None
        return found

    async def requests(self) -> list[Approval]:
        return list(await self.store.read(lambda tx: tx.approvals()))

    async def decides(
        self, who: Account, asked: Approval, *, yes: bool = True, at: datetime = OPENS
    ) -> None:
        act = Act(who.id, who.name, "203.0.113.8", at, KEY)
        await self.store.write(lambda tx: decide(tx, act, who, asked.id, yes, "", at))

    async def audited(self, action: str) -> list[Entry]:
        return list(await self.store.read(lambda tx: tx.audit(Sought(action=action))))


@pytest.fixture
async def here(store: SqlStore, tmp_path: Path) -> Here:
    await store.write(furnish)
    made = Here(store, FileKeyring(tmp_path))
    await made.account("anna")
    return made


async def test_a_wave_is_planned_with_a_seed_and_opens_at_its_hour(here: Here) -> None:
    await here.make()
    assert await here.tick(MADE) == PlanReport(planned=1)
    assert (await here.wave()).seed == here.seeds[0]
    assert await here.tick(OPENS - timedelta(seconds=1)) == PlanReport()
    report = await here.tick()
    assert (report.opened, report.assignments, report.late, report.held) == (1, 24, 0, 0)
    assert report.deliveries == 6 * 3
    [entry] = await here.audited("wave.opened")
    assert "late" not in json.loads(entry.after)
    wave = await here.wave()
    assert (wave.state, wave.seed) == (WaveState.OPEN, here.seeds[0])
    assert await here.tick() == PlanReport(planned=1), "the next one; this one is open"
    assert (await here.audited("wave.")) == [entry]


@pytest.mark.parametrize(("late", "said"), [(LATE - timedelta(seconds=1), 0), (LATE, 10)])
async def test_a_wave_that_opens_late_says_by_how_much(
    here: Here, late: timedelta, said: int
) -> None:
    await here.make()
    report = await here.tick(OPENS + late)
    assert (report.opened, report.late) == (1, int(bool(said)))
    [entry] = await here.audited("wave.opened")
    assert json.loads(entry.after).get("late", 0) == said
    wave = await here.wave()
    assert await here.store.read(lambda tx: lateness(tx, wave)) == (OPENS + late, said)


async def test_above_the_limit_it_waits_for_a_second_person_who_is_asked_once(here: Here) -> None:
    here.limit = 11
    bo = await here.account("bo")
    await here.make()
    for minutes in range(3):
        report = await here.tick(OPENS + timedelta(minutes=minutes))
        assert (report.opened, report.held) == (0, 1)
    [asked] = await here.requests()
    assert (asked.action, asked.what, asked.asked_by) == (OPEN, f"wave:{WAVE}", "minyi")
    assert dict(asked.arguments) == {"wave": WAVE, "campaign": "window", "people": "12"}
    assert (await here.wave()).state is WaveState.PLANNED
    assert await here.store.read(lambda tx: tx.people_asked(WAVE)) == 0, "nobody is on the roll"
    [said] = await here.audited("wave.held")
    assert json.loads(said.after) == {"campaign": "window", "people": 12, "why": "second"}
    [brief] = await here.store.read(lambda tx: briefs(tx, OPENS))
    assert brief.state == "held"
    await here.decides(bo, asked)
    assert (await here.campaign()).agreed == 12
    report = await here.tick(OPENS + timedelta(minutes=5))
    assert (report.opened, report.assignments) == (1, 24)
    assert await here.store.read(lambda tx: held(tx, WAVE)) is None
    actions = [entry.action for entry in await here.audited("")]
    assert actions[:4] == ["wave.opened", "campaign.agreed", "approval.approved", "wave.held"]


async def test_the_one_who_made_it_is_no_second_person(here: Here) -> None:
    here.limit = 11
    await here.make()
    await here.tick()
    [asked] = await here.requests()
    anna = await here.account("anna")
    assert await here.store.read(lambda tx: able(tx, asked, OPENS)) == []
    with pytest.raises(ApprovalError, match="You set this campaign up"):
        await here.decides(anna, asked)
    bo = await here.account("bo")

    def invited(tx: Any) -> None:
        act = Act("anna", "Anna", "203.0.113.7", OPENS - timedelta(days=1), KEY)
        record(tx, act, "account.invited", f"account:{bo.id}")

    await here.store.write(invited)
    with pytest.raises(ApprovalError, match="Anna invited your account"):
        await here.decides(bo, asked)
    chen = await here.account("chen")
    assert await here.store.read(lambda tx: [each.id for each in able(tx, asked, OPENS)]) == [
        "chen"
    ]
    await here.decides(chen, asked)
    assert (await here.tick()).opened == 1


async def test_of_two_who_made_it_the_one_who_agreed_may_agree_again(here: Here) -> None:
    here.limit = 11
    anna, bo = await here.account("anna"), await here.account("bo")
    act = Act("anna", "Anna", "203.0.113.7", MADE, KEY)
    asked = await here.store.write(lambda tx: create_or_ask(tx, act, anna, wish(), 11))
    assert isinstance(asked, Approval)
    await here.decides(bo, asked, at=MADE)
    assert (await here.campaign()).agreed == 12
    await here.more(5)
    assert (await here.tick()).held == 1, "small when it was agreed to, large when it opens"
    grown = (await here.requests())[0]
    assert (grown.action, grown.arguments["people"]) == (OPEN, "17")
    with pytest.raises(ApprovalError, match="You set this campaign up"):
        await here.decides(anna, grown)
    await here.decides(bo, grown)
    assert (await here.tick()).opened == 1


async def test_what_was_agreed_to_when_it_was_made_opens_without_another_question(
    here: Here,
) -> None:
    here.limit = 11
    anna, bo = await here.account("anna"), await here.account("bo")
    act = Act("anna", "Anna", "203.0.113.7", MADE, KEY)
    asked = await here.store.write(lambda tx: create_or_ask(tx, act, anna, wish(), 11))
    assert isinstance(asked, Approval)
    await here.more(3)  # between the asking and the agreeing
    await here.decides(bo, asked, at=MADE)
    assert (await here.campaign()).agreed == 12, "as many as were named, not as there are by now"
    await here.change(agreed=15)
    assert (await here.tick()).opened == 1


async def test_refused_the_campaign_is_paused_and_resumed_it_asks_again(here: Here) -> None:
    here.limit = 11
    bo = await here.account("bo")
    await here.make()
    await here.tick()
    [asked] = await here.requests()
    await here.decides(bo, asked, yes=False)
    assert (await here.campaign()).paused
    assert [entry.who for entry in await here.audited("campaign.paused")] == ["bo"]
    assert await here.tick(OPENS + timedelta(hours=1)) == PlanReport()
    assert (await here.wave()).state is WaveState.PLANNED
    act = Act("anna", "Anna", "203.0.113.7", OPENS, KEY)
    await here.store.write(lambda tx: set_paused(tx, act, "window", False))
    assert (await here.tick(OPENS + timedelta(hours=2))).held == 1
    found = await here.requests()
    assert [each.decision for each in found] == [Decision.OPEN, Decision.REFUSED]


async def test_a_request_that_nobody_decided_is_made_again(here: Here) -> None:
    here.limit = 11
    await here.make()
    await here.tick()
    later = OPENS + timedelta(days=8)
    await here.store.write(lambda tx: expire(tx, replace(CLOCK, at=later), later))
    assert (await here.tick(later)).held == 1
    found = await here.requests()
    assert [each.decision for each in found] == [Decision.OPEN, Decision.EXPIRED]
    assert len(await here.audited("wave.held")) == 1


async def test_a_held_wave_whose_window_passes_expires_aloud(here: Here) -> None:
    here.limit = 11
    bo = await here.account("bo")
    await here.make()
    await here.tick()
    over = OPENS + timedelta(days=14)
    report = await here.tick(over)
    assert (report.expired, report.opened, report.held) == (1, 0, 0)
    [entry] = await here.audited("wave.expired")
    assert json.loads(entry.after)["why"] == "second"
    [asked] = await here.requests()
    assert asked.decision is Decision.EXPIRED
    with pytest.raises(ApprovalError):
        await here.decides(bo, asked, at=over)
    assert await here.store.read(lambda tx: tx.people_asked(WAVE)) == 0
    assert (await here.wave()).state is WaveState.OPEN, "so that its keys go with the tally"
    assert await here.audited("wave.opened") == []


async def test_agreeing_too_late_is_refused_and_changes_nothing(here: Here) -> None:
    here.limit = 11
    bo = await here.account("bo")
    await here.make(days="3", reminders="1")
    await here.tick()
    [asked] = await here.requests()
    with pytest.raises(ApprovalError, match="its time has passed"):
        await here.decides(bo, asked, at=OPENS + timedelta(days=3))
    assert (await here.campaign()).agreed == 0


async def test_what_can_only_be_refused_any_more_can_be_refused(here: Here) -> None:
    """Its time has passed and no other wave comes: there is nothing left to pause."""
    here.limit = 11
    bo = await here.account("bo")
    await here.make(recurrence="FREQ=DAILY;COUNT=1", days="3", reminders="1")
    await here.tick(MADE)
    [only] = await here.store.read(lambda tx: tx.waves())
    assert (await here.tick(only.opens_at)).held == 1
    [asked] = await here.requests()
    await here.decides(bo, asked, yes=False, at=only.closes_at)
    [asked] = await here.requests()
    assert asked.decision is Decision.REFUSED
    assert not (await here.campaign()).paused


async def test_above_its_own_cap_a_wave_does_not_open_whoever_agrees(here: Here) -> None:
    await here.make()
    await here.change(audience=Audience(at_most=11), agreed=100)
    report = await here.tick()
    assert (report.held, report.opened) == (1, 0)
    assert await here.requests() == []
    hold = await here.store.read(lambda tx: held(tx, WAVE))
    assert hold is not None
    assert (hold.why, hold.people) == ("cap", 12)
    await here.change(audience=Audience(at_most=12))
    assert (await here.tick(OPENS + AGAIN / 2)).held == 1, "it is not drawn anew at every tick"
    assert (await here.tick(OPENS + AGAIN)).opened == 1


async def test_a_wave_held_for_its_cap_takes_back_what_it_asked_for(here: Here) -> None:
    here.limit = 11
    await here.make()
    await here.tick()
    await here.change(audience=Audience(at_most=5))
    later = OPENS + timedelta(days=8)  # the request has run out by itself, and nobody noted it
    assert (await here.tick(later)).held == 1
    [asked] = await here.requests()
    assert asked.decision is Decision.EXPIRED


async def test_two_clocks_open_a_wave_once(here: Here) -> None:
    import asyncio

    await here.make()
    await here.tick(MADE)
    reports = await asyncio.gather(*(here.tick() for _ in range(4)))
    assert sorted(report.opened for report in reports) == [0, 0, 0, 1]
    assert len(await here.audited("wave.opened")) == 1


async def test_at_the_terminal_the_owner_agrees_alone(here: Here) -> None:
    here.limit = 11
    await here.make()
    await here.tick()
    act = Act("operator:root", "root", "terminal", OPENS, KEY)
    await here.store.write(lambda tx: agree(tx, act, "window", 12))
    assert (await here.tick()).opened == 1
    [asked] = await here.requests()
    assert asked.decision is Decision.EXPIRED, "there is nothing left to decide"


async def test_asking_the_same_twice_is_refused_in_words(here: Here) -> None:
    here.limit = 11
    await here.make()
    await here.tick()

    def again(tx: Any) -> None:
        ask(tx, CLOCK, None, OPEN, f"wave:{WAVE}", {"wave": WAVE, "campaign": "window"}, OPENS)

    with pytest.raises(ApprovalError, match="asked for the same"):
        await here.store.write(again)


# zone, hour, day, days open -> closes, minutes open, first reminder (after 1 day), the last day:
# reckoned by hand from when clocks change there
WINDOWS = [
    ("Asia/Shanghai", 9, "2026-12-31", 14, "2027-01-14T09:00+08:00", 14 * 1440,
     "2027-01-01T09:00+08:00", "2027-01-14"),
    ("Asia/Shanghai", 0, "2028-02-28", 2, "2028-03-01T00:00+08:00", 2 * 1440,
     "2028-02-29T00:00+08:00", "2028-02-29"),  # a leap day, and 24:00 of it
    ("Europe/Berlin", 9, "2027-03-27", 4, "2027-03-31T09:00+02:00", 4 * 1440 - 60,
     "2027-03-28T09:00+02:00", "2027-03-31"),
    ("Europe/Berlin", 23, "2027-10-30", 4, "2027-11-03T23:00+01:00", 4 * 1440 + 60,
     "2027-10-31T23:00+01:00", "2027-11-03"),
    ("Asia/Kathmandu", 18, "2026-12-30", 3, "2027-01-02T18:00+05:45", 3 * 1440,
     "2026-12-31T18:00+05:45", "2027-01-02"),
    ("Australia/Lord_Howe", 7, "2027-04-03", 2, "2027-04-05T07:00+10:30", 2 * 1440 + 30,
     "2027-04-04T07:00+10:30", "2027-04-05"),  # half an hour
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "hour", "day", "days", "closes", "minutes", "reminds", "last"), WINDOWS
)
async def test_a_wave_closes_and_reminds_at_the_hour_it_opened_whatever_clocks_do(
    here: Here, zone: str, hour: int, day: str, days: int, closes: str, minutes: int,
    reminds: str, last: str,
) -> None:  # fmt: skip
    await here.make(zone=zone, hour=str(hour), starts=day, days=str(days), reminders="1",
                    recurrence="FREQ=DAILY;COUNT=1")  # fmt: skip
    await here.tick(MADE)
    campaign = await here.campaign()
    [wave] = await here.store.read(lambda tx: tx.waves())
    [told] = await here.store.read(lambda tx: coming(campaign, calendar(tx), [wave], MADE, 1))
    local = ZoneInfo(zone)
    assert wave.closes_at.astimezone(local).isoformat(timespec="minutes") == closes
    assert wave.closes_at - wave.opens_at == timedelta(minutes=minutes)
    assert f"{last_moment(wave.closes_at).astimezone(local):%Y-%m-%d}" == last
    assert [each.isoformat(timespec="minutes") for each in told.reminders] == [reminds]
    assert told.closes_at == wave.closes_at
    await here.tick(wave.opens_at)
    due = select(deliveries.c.stage, deliveries.c.due_at).distinct()
    rows = await here.store.read(lambda tx: dict(map(tuple, tx._connection.execute(due).all())))
    assert rows == {INVITE: wave.opens_at, "remind1": datetime.fromisoformat(reminds)}
