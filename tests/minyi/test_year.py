"""A year passes by the clock: an organisation of three hundred, four waves, people come and go.

What everybody is sent is read from the stage, not from the ledger; what became of everybody is
foretold by a model of its own, which knows nothing but the habits of the people in it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from desk import roster
from desk.campaigns.opening import lateness
from minyi import steps
from minyi.house import House, Pace, open_house
from minyi.replay import questionnaire
from minyi.staging import staged
from rehearsal.backstage import TOKEN
from rehearsal.limits import Limits
from rehearsal.messages import User
from rehearsal.server import serving
from rehearsal.telegram import Stage
from storage import migrate
from surveys.campaigns import Campaign, Outcome, Shift, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.dispositions import Disposition, final
from surveys.forms.label_media import put_questionnaire
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.reply import Reply, Tapped
from tests.bot.stage import Clock

ZONE = ZoneInfo("Asia/Shanghai")
UNITS, PEOPLE = 10, 300
WINDOW, GRACE = timedelta(days=14), timedelta(days=1)
REMINDERS = (3, 7)  # days
# the last working days of 2024's quarters: two of them are not the last day, a Sunday
OPENINGS = [date(2024, 3, 29), date(2024, 6, 28), date(2024, 9, 30), date(2024, 12, 31)]
SIDE = RaterGroup.SUBORDINATE
PROMPT, LATER, LAST, HALF = "prompt", "later", "last", "half"
HABITS = (PROMPT, PROMPT, PROMPT, PROMPT, LATER, LATER, LAST, HALF, "", "")
Roll = dict[str, list[str]]  # person -> whom they are asked about
DAY_OF = {PROMPT: 0, HALF: 1, LATER: 4, LAST: 8}  # when each habit acts; '' never does


@dataclass
class Somebody:
    """One person of the model: what they do, and what that makes of them in the open wave."""

    number: int
    unit: int
    blocked: bool = False
    known_blocked: bool = False
    out: bool = False  # asked to be left alone
    left: bool = False
    asked: bool = False
    told: bool = False  # a message of this wave has arrived
    tried: bool = False
    done: bool = False
    begun: int | None = None  # the day on which they began

    @property
    def id(self) -> str:
        return f"p{self.number:03}"

    @property
    def habit(self) -> str:
        return HABITS[self.number % len(HABITS)]

    def fate(self) -> Disposition:
        if self.done:
            return Disposition.COMPLETE
        if self.out:
            return Disposition.REFUSED
        if self.begun is not None:
            return Disposition.BREAK_OFF
        return Disposition.NO_ANSWER if self.told else Disposition.NON_CONTACT


@dataclass
class Town:
    """House, stage, clock and model, side by side."""

    house: House
    stage: Stage
    clock: Clock
    everybody: dict[str, Somebody] = field(default_factory=dict)

    def there(self) -> list[Somebody]:
        return [one for one in self.everybody.values() if not one.left]

    async def join(self, numbers: Iterable[int]) -> None:
        """New people: on the roster, below an official, with a chat."""
        new = [Somebody(number, number % UNITS) for number in numbers]

        def work(tx: Any) -> None:
            tx.put_people(Person(n.id, Kind.STAFF, unit=f"u{n.unit}", language="zh") for n in new)
            tx.put_relations(Relation(n.id, f"o{n.unit}", SIDE) for n in new)
            for one in new:
                tx.put_chat(Chat(address_of(one), one.id, "zh"))

        await self.house.store.write(work)
        for one in new:
            self.stage.add_user(User(chat_of(one), one.id, "zh", started=True))
            self.everybody[one.id] = one

    async def leave(self, who: Iterable[str]) -> None:
        def work(tx: Any) -> None:
            for name in who:
                person = tx.person(name)
                assert person is not None
                tx.put_people([replace(person, left=True)])

        await self.house.store.write(work)
        for name in who:
            self.everybody[name].left = True

    async def move(self, who: Iterable[str]) -> None:
        """To the next unit: from now on under its official, and no more under the old one."""

        def work(tx: Any) -> None:
            for name in who:
                one = self.everybody[name]
                old, new = f"o{one.unit}", (one.unit + 1) % UNITS
                tx.drop_relations([Relation(name, old, SIDE)])
                tx.put_relations([Relation(name, f"o{new}", SIDE)])
                roster.edit_person(
                    tx, self.house.act(), name, name="", unit=f"u{new}", language="zh"
                )

        await self.house.store.write(work)
        for name in who:
            self.everybody[name].unit = (self.everybody[name].unit + 1) % UNITS

    async def opt_out(self, name: str) -> None:
        act = self.house.act()
        await self.house.store.write(lambda tx: roster.opt_out(tx, act, name))
        self.everybody[name].out = True

    def block(self, who: Iterable[str]) -> None:
        for name in who:
            self.stage.block(chat_of(self.everybody[name]))
            self.everybody[name].blocked = True

    async def tick(self) -> dict[str, int]:
        """What the clock does at this moment; how many messages each person got from it."""
        before = Counter(self.stage.calls.per_chat)
        await steps.plan(self.house, self.clock.at)
        report = await steps.deliver(self.house, self.clock.at)
        assert report.unknown == 0
        await steps.tally(self.house, self.clock.at)
        new = self.stage.calls.per_chat - before
        return {f"p{chat - 1000:03}": count for chat, count in new.items()}

    async def tap(self, one: Somebody, data: str) -> Reply:
        hear = self.house.conversation.receive
        return (await hear(address_of(one), Tapped(data), self.clock.at))[0]

    async def begin(self, one: Somebody, wave: str) -> Reply:
        return await self.tap(one, f"g:{wave}:0:0")

    async def answer(self, one: Somebody, wave: str) -> None:
        reply = await self.begin(one, wave)
        assert reply.question
        while reply.question:
            buttons = [button for row in reply.rows for button in row]
            grade = next(b for b in buttons if b.data.startswith("a:"))
            reply = await self.tap(one, grade.data)


def chat_of(one: Somebody) -> int:
    return 1000 + one.number


def address_of(one: Somebody) -> Address:
    return Address("telegram", str(chat_of(one)))


@asynccontextmanager
async def town(folder: Path, url: str, people: int = PEOPLE) -> AsyncIterator[Town]:
    """An organisation of ten units, each below an official, on the first day of 2024."""
    clock = Clock(datetime(2024, 1, 2, 9, tzinfo=ZONE))
    stage = Stage(TOKEN, time.time, Limits(overall=0, per_chat=0), keep_calls=20_000)
    async with serving(stage) as served:
        settings = staged(folder, served.url, 1).model_copy(update={"database_url": url})
        migrate(settings.database)
        pace = Pace(clock.now, rate=None, sleep=clock.sleep)
        async with open_house(settings, pace) as house:
            await furnish(house)
            made = Town(house, stage, clock)
            await made.join(range(people))
            yield made


async def furnish(house: House) -> None:
    form = questionnaire(("speed", "manner"))
    campaign = Campaign(
        "quarter", {"zh": "季度评议"}, form.hash, (SIDE,), date(2024, 1, 1),
        recurrence="FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1", shift=Shift.BEFORE,
        window=WINDOW, grace=GRACE, reminders=tuple(timedelta(days=n) for n in REMINDERS),
    )  # fmt: skip

    def work(tx: Any) -> None:
        tx.put_subjects([Subject("org", {"zh": "局"})])
        tx.put_subjects(Subject(f"u{n}", {"zh": f"{n}科"}, parent="org") for n in range(UNITS))
        tx.put_subjects(
            Subject(f"o{n}", {"zh": f"{n}科长"}, "official", f"u{n}", "official")
            for n in range(UNITS)
        )
        put_questionnaire(tx, form, {})
        tx.put_campaign(campaign)

    await house.store.write(work)


async def quarter(town: Town, day: date) -> Roll:
    """One wave from the eve of its opening to its tally, checked at each moment; its roll."""
    name = f"quarter.{day:%Y%m%d}"
    opens = datetime.combine(day, datetime.min.time(), ZONE) + timedelta(hours=9)
    town.clock.at = opens - timedelta(minutes=1)
    assert await town.tick() == {}, "a minute early"
    planned = await wave_of(town, name)
    assert (planned.opens_at, planned.state) == (opens, WaveState.PLANNED)
    assert await dispositions(town, name) == {}, "nobody is asked before it opens"
    roll = town.there()
    for one in roll:
        one.asked, one.told, one.done, one.begun = not one.out, False, False, None
    for since in range(WINDOW.days):
        await one_day(town, name, opens + timedelta(days=since), since)
    town.clock.at = opens + WINDOW + timedelta(minutes=1)
    assert await town.tick() == {}, "in the grace nobody is asked"
    await adds_up(town, name)
    town.clock.at = opens + WINDOW + GRACE
    asked = await on_the_roll(town, name)
    assert await town.tick() == {}
    assert (await wave_of(town, name)).state is WaveState.TALLIED
    kept = await town.house.store.read(lambda tx: tx.recorded_dispositions(name))
    assert {fate: count for fate, count in kept.items() if count} == expected(town)
    assert sum(kept.values()) == len(asked)
    assert await town.house.store.read(lambda tx: lateness(tx, planned)) == (opens, 0)
    for one in town.everybody.values():
        one.asked = False
    return asked


async def one_day(town: Town, wave: str, at: datetime, since: int) -> None:
    """A morning: what is due leaves, then people do what they do; twice, for nothing doubles."""
    town.clock.at = at
    due = {one.id for one in town.everybody.values() if one.asked and owed(one, since)}
    got = await town.tick()
    arrived = {name for name in due if not town.everybody[name].blocked}
    assert got == dict.fromkeys(arrived, 1), f"day {since} of {wave}"
    for name in due:
        one = town.everybody[name]
        one.told = one.told or not one.blocked
        one.known_blocked = one.blocked
    await adds_up(town, wave)
    for one in town.everybody.values():
        if one.asked and not one.out and not one.left and DAY_OF.get(one.habit) == since:
            await act(town, one, wave, since)
    if since == 2:
        await in_the_middle(town, wave)
    await adds_up(town, wave)
    assert await town.tick() == {}, "the same moment again asks nobody again"


def owed(one: Somebody, since: int) -> bool:
    """Whether the model owes them a message on this day of the wave."""
    if one.out or one.left or one.known_blocked:
        return False
    return since == 0 or (since in REMINDERS and not one.done)


async def act(town: Town, one: Somebody, wave: str, since: int) -> None:
    if one.known_blocked:
        return  # who has blocked the bot does not see it
    one.begun = since
    if one.habit == HALF:
        assert (await town.begin(one, wave)).question
    else:
        await town.answer(one, wave)
        one.done = True


async def in_the_middle(town: Town, wave: str) -> None:
    """While the wave is open: one wants to be left alone, one leaves, one joins."""
    silent = [one for one in town.there() if one.asked and not one.habit and not one.out]
    silent = [one for one in silent if not one.blocked]
    await town.opt_out(silent[0].id)
    await town.leave([silent[1].id])
    newest = max(one.number for one in town.everybody.values()) + 1
    await town.join([newest])
    late = town.everybody[f"p{newest:03}"]
    assert not (await town.begin(late, wave)).question, "asked from the next wave on"


def expected(town: Town) -> dict[Disposition, int]:
    return dict(Counter(one.fate() for one in town.everybody.values() if one.asked))


async def adds_up(town: Town, wave: str) -> None:
    """What the house knows is what the model says, and together it is the roll."""
    counts = await dispositions(town, wave)
    roll = await town.house.store.read(lambda tx: tx.people_asked(wave))
    assert sum(counts.values()) == roll == sum(one.asked for one in town.everybody.values())
    assert counts == expected(town)
    assert final(counts)[Disposition.WAITING] == 0


async def dispositions(town: Town, wave: str) -> dict[Disposition, int]:
    found = await town.house.store.read(lambda tx: tx.dispositions(wave))
    return {fate: count for fate, count in found.items() if count}


async def wave_of(town: Town, name: str) -> Wave:
    wave = await town.house.store.read(lambda tx: tx.wave(name))
    assert wave is not None
    return wave


async def on_the_roll(town: Town, wave: str) -> Roll:
    found: Roll = {}
    for row in await town.house.store.read(lambda tx: tx.roll(wave)):
        found.setdefault(row.person, []).append(row.subject)
    return found


async def between(town: Town, season: int) -> None:
    """Between two waves: ten leave, ten join, six move, two block the bot."""
    town.clock.at += timedelta(days=20)
    first = season * 30  # others each time
    there = [one for one in town.there() if not one.out and not one.blocked]
    chosen = [one.id for one in there[first : first + 18]]
    await town.leave(chosen[:10])
    await town.move(chosen[10:16])
    town.block(chosen[16:])
    newest = max(one.number for one in town.everybody.values()) + 1
    await town.join(range(newest, newest + 10))


def who_stayed_rates_their_own_official(town: Town, roll: Roll) -> None:
    for one in town.everybody.values():
        if one.id in roll and not one.left:
            assert roll[one.id] == [f"o{one.unit}"]


async def test_a_year_of_four_waves_adds_up_at_each_moment(tmp_path: Path, sqlite_url: str) -> None:
    async with town(tmp_path, sqlite_url) as made:
        for season, day in enumerate(OPENINGS):
            before = {one.id for one in made.everybody.values() if one.left or one.out}
            joined = {one.id for one in made.there() if not one.out}
            roll = await quarter(made, day)
            assert not before & roll.keys(), "whoever has left is not asked"
            assert joined == roll.keys(), "whoever has joined since is"
            who_stayed_rates_their_own_official(made, roll)
            await between(made, season)
        waves = await made.house.store.read(lambda tx: tx.waves())
        tallied = [wave.id for wave in waves if wave.state is WaveState.TALLIED]
        assert tallied == [f"quarter.{day:%Y%m%d}" for day in OPENINGS]
        refused = Counter(
            call.parameters["chat_id"]
            for call in made.stage.calls.kept
            if call.method == "sendMessage" and call.code == 403
        )
        assert len(refused) == 6, "those who blocked the bot before the last wave"
        assert set(refused.values()) == {1}, "and are not tried again"


async def test_a_quarter_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    async with town(tmp_path, postgres_url) as made:
        assert len(await quarter(made, OPENINGS[0])) == PEOPLE
        wave = f"quarter.{OPENINGS[0]:%Y%m%d}"
        counts = await made.house.store.read(lambda tx: tx.delivery_counts(wave))
        sent = sum(number for _, outcome, number in counts if outcome is Outcome.SENT)
        assert sent == sum(made.stage.calls.per_chat.values())
