"""One open wave with a conversation about it, and people who talk from chats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from concerns.intake import Intake
from storage import FileKeyring, FileVault, SqlStore
from surveys.ballots import Ballot, open_ballot, tally_opener
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup, Tally
from surveys.consenting import version
from surveys.conversation import Conversation
from surveys.errands import Errand
from surveys.forms.form import Form
from surveys.forms.form import Kind as FileKind
from surveys.people import Address, Invite, Kind, Person, Relation, Subject
from surveys.phrasing import WORDS
from surveys.rating import Rating
from surveys.reply import Handed, Heard, Looked, Opened, Reply, Tapped, Typed
from surveys.store import Assignment
from surveys.tally import Rules, tally
from surveys.visit import Setting
from surveys.visiting import Visiting
from surveys.words import LANGUAGES
from tests.surveys.forms import shipped

NOW = datetime(2026, 12, 12, 4, 0, tzinfo=UTC)
ORGANISATION = {"zh": "示范区", "en": "Model District"}
DESK = Subject("desk", {"zh": "户籍窗口", "en": "Registration"}, parent="bureau")
OFFICE = Subject("office", {"zh": "办公室", "en": "Office"}, parent="bureau")
HEAD = Person("head", Kind.STAFF, "王芳", language="zh")


@dataclass
class World:
    """A store, its keyring, the conversation, and the moment it is."""

    store: SqlStore
    keyring: FileKeyring
    conversation: Conversation
    form: Form
    vault: FileVault
    now: datetime = NOW
    drawn: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    noticed: Counter[str] = field(default_factory=Counter)

    async def hear(self, who: str, heard: Heard, hint: str = "zh") -> tuple[Reply, ...]:
        replies = await self.conversation.receive(Address("test", who), heard, self.now, hint=hint)
        notices = [
            WORDS.say("consent", each, version=version(), organisation=ORGANISATION[each])
            for each in LANGUAGES
        ]
        for notice in notices:  # told before the first reply; tests of that look at `noticed`
            if replies and replies[0].text.startswith(f"{notice}\n\n"):
                self.noticed[who] += 1
                first = replace(replies[0], text=replies[0].text[len(notice) + 2 :])
                replies = (first, *replies[1:])
        rows = [row for reply in replies for row in reply.rows]
        if rows:
            self.drawn[who] = [(button.label, button.data) for row in rows for button in row]
        self.heard += [reply.text for reply in replies]
        return replies

    async def open(self, who: str, payload: str = "", hint: str = "zh") -> Reply:
        reply = (await self.hear(who, Opened(payload), hint))[-1]
        starts = [b.data for row in reply.rows for b in row if b.data.startswith("u:")]
        return await self.press(who, starts[0]) if starts else reply  # a visit's link asks first

    async def type(self, who: str, text: str) -> Reply:
        return (await self.hear(who, Typed(text)))[-1]

    async def hand(self, who: str, kind: FileKind, content: bytes) -> Reply:
        async def fetch(limit: int) -> bytes:
            if len(content) > limit:
                raise ValueError("too large")
            return content

        return (await self.hear(who, Handed(kind, fetch, size=len(content))))[-1]

    async def look(self, who: str) -> Reply:
        return (await self.hear(who, Looked()))[-1]

    async def press(self, who: str, data: str) -> Reply:
        return (await self.hear(who, Tapped(data)))[-1]

    async def tap(self, who: str, label: str) -> Reply:
        return await self.press(who, self.button(who, label))

    def button(self, who: str, label: str) -> str:
        """The data of the newest button so labelled, tick box and number of a grade aside."""
        for drawn, data in self.drawn[who]:
            if bare(drawn) == label:
                return data
        raise AssertionError(f"{who} has no button {label}: {self.drawn[who]}")

    async def rate(self, who: str, *taps: str, payload: str = "poster") -> Reply:
        """Come by a link and press these buttons, or type what is not on one."""
        reply = await self.open(who, payload)
        for tap in taps:
            labels = [bare(label) for label, _ in self.drawn[who]]
            reply = await (self.tap(who, tap) if tap in labels else self.type(who, tap))
        return reply

    async def read(self, work: Callable[[Any], Any]) -> Any:
        return await self.store.read(work)

    async def boxes(self, wave: str = "w") -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = await self.read(lambda tx: list(tx.ballots(wave)))
        return found

    async def ballots(self, wave: str = "w") -> list[Ballot]:
        keys = self.keyring.wave_keys(wave)
        assert keys is not None
        opener = tally_opener(keys.tally_secret)
        return [open_ballot(box, opener) for _, box in await self.boxes(wave)]

    async def close_wave(self, k: int = 5) -> Tally:
        """Count, record, scrub, destroy the keys: as the tally step does."""
        ballots = await self.ballots()
        roll, subjects = await self.read(lambda tx: (tx.roll("w"), tx.subjects()))
        indicators = sorted({name for ballot in ballots for name in ballot.ratings})
        by_id = {subject.id: subject for subject in subjects}
        sides = Counter((asked.subject, asked.group) for asked in roll)
        counted = [(*side, people) for side, people in sides.items()]
        found = tally(ballots, counted, by_id, indicators, Rules(k), Random(1))
        await self.store.write(lambda tx: tx.record_tally("w", "2026Q4", found))
        await self.store.scrub()
        self.keyring.destroy_wave("w")
        return found


def converse(store: SqlStore, keyring: FileKeyring, vault: FileVault | None = None) -> Conversation:
    """A conversation as one process has it."""
    errands: dict[str, Errand] = {
        "rating": Rating(keyring),
        "visit": Visiting(keyring),
        "concern": Intake(keyring),
    }
    setting = Setting(ORGANISATION, web="https://minyi.test/c")
    return Conversation(store, errands, setting, shipped("concern").hash, vault)


async def found_world(
    url: str,
    folder: Path,
    form: Form | None = None,
    groups: tuple[RaterGroup, ...] = (RaterGroup.RECIPIENT, RaterGroup.PEER),
    roll: Sequence[Relation] = (),
    campaign: str = "q",
    wave: str = "w",
) -> World:
    """A world whose wave is open from an hour ago for two weeks; posters and personal links."""
    form = form or shipped("service")
    store, keyring = SqlStore(url), FileKeyring(folder / "keys")
    title = {"zh": "满意度", "en": "Satisfaction"}
    plan = Campaign(campaign, title, form.hash, groups, NOW.date())
    opens, closes = NOW - timedelta(hours=1), NOW + timedelta(days=14)
    key = keyring.new_wave(wave)
    staff = [Person(r.rater, Kind.STAFF, r.rater) for r in roll] + [HEAD]

    def work(tx: Any) -> None:
        for kept in (form, shipped("concern")):
            tx.put_form(kept.hash, kept.title, kept.source)
        tx.put_subjects([DESK, OFFICE])
        tx.put_people(list({person.id: person for person in staff}.values()))
        tx.put_relations(roll)
        tx.put_campaign(plan)
        tx.put_wave(Wave(wave, campaign, "2026Q4", opens, closes, key, WaveState.OPEN))
        tx.put_assignments([Assignment(wave, r.rater, r.subject, r.group) for r in roll])
        invites = [Invite("poster", "unit", "desk"), Invite("office", "unit", "office")]
        links = {person.id: Invite(f"link-{person.id}", "staff", person.id) for person in staff}
        tx.put_invites([*invites, *links.values()])

    await store.write(work)
    vault = FileVault(folder / "attachments")
    return World(store, keyring, converse(store, keyring, vault), form, vault)


def bare(label: str) -> str:
    """A button's label without its tick box, or the number of its grade."""
    return re.sub(r"^([☐☑] |[1-5] )", "", label)
