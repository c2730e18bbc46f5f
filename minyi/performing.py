"""A campaign rehearsed in a process of its own: the real opening, sender, conversation and tally,
under a clock that stands still between two events, over a store in memory.

``python -m minyi.performing FOLDER`` takes a pickled (script, manner) and prints lines of JSON:
``{"day": n, "days": m}`` while it goes on, and at last ``{"report": …}`` or ``{"failed": where}``.
It is given no database, no key and no token of the office's.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from desk.campaigns.rehearsing import LASTS, Script
from evaluation.method_file import shipped
from minyi import counting, loop, steps
from minyi.conversing import settle
from minyi.house import House, Pace, setting_of
from minyi.invitations import Invitations
from minyi.logs import where
from minyi.rehearsing import Manner
from minyi.reviewing import Seen, reviewed
from minyi.staging import staged
from rehearsal.backstage import TOKEN
from rehearsal.clock import HeldClock
from rehearsal.limits import Limits
from rehearsal.messages import User
from rehearsal.raters import Habit, Rater, habits
from rehearsal.server import serving
from rehearsal.telegram import Stage
from storage import FileKeyring, FileVault, SqlStore
from surveys.campaigns import Campaign, Wave, period_of, reminders
from surveys.files.bounds import bound
from surveys.hours import decent, until
from surveys.people import Address, Chat, Kind, Person, Relation
from surveys.reply import Heard, Reply

NICE = 10  # whoever answers for real goes first
MEMORY, FILE = 4_000_000_000, 50_000_000  # bytes
Tell = Callable[[object], None]


@dataclass
class Play:
    """One wave, from its opening to its tally. ``cast`` by chat, which is number and person."""

    script: Script
    house: House
    stage: Stage
    clock: HeldClock
    wave: Wave
    cast: dict[int, Rater]
    seen: Seen
    acts: list[tuple[datetime, int]] = field(default_factory=list)

    async def through(self, tell: Tell) -> dict[str, object]:
        """Play it; what there is to report."""
        script, wave = self.script, self.wave
        for chat in self.cast:
            if chat in self.stage.chats:
                self.stage.watch(chat, partial(self._arrived, chat))
        await steps.plan(self.house, self.clock.now())
        days = (wave.closes_at - script.begins).days + 1
        for at in moments(script, wave):
            tell({"day": (at - script.begins).days + 1, "days": days})
            await self._let(at)
            await steps.deliver(self.house, self.clock.now())
        await self._let(wave.closes_at)
        self.seen.ledger = await self.house.store.read(lambda tx: tx.delivery_counts(wave.id))
        self.clock.set_on(wave.closes_at + script.campaign.grace)
        keys = self.house.keyring.wave_keys(wave.id)
        assert keys is not None
        opened = await self.house.store.read(lambda tx: tx.wave(wave.id))
        assert opened is not None
        self.seen.left = await self.house.store.write(
            lambda tx: counting.stopped(tx, opened, script.campaign, keys.rid_key)
        )
        self.seen.counts = self.house.conversation.paradata.counted().get(wave.id, self.seen.counts)
        self.seen.stuck = {person(chat) for chat, one in self.cast.items() if one.stuck}
        await steps.tally(self.house, self.clock.now())
        return await self.house.store.read(lambda tx: reviewed(tx, script, wave, self.seen))

    def _arrived(self, chat: int) -> None:
        """A message came: somebody may do something about it, then or later."""
        now, one = self.clock.now(), self.cast[chat]
        one.told.append(now)
        self.seen.arrived.append((now, self.script.raters[one.number].zone))
        planned = reminders(self.wave.opens_at, self.script.campaign)
        coming = sum(now < each < self.wave.closes_at for _, each in planned)
        at = one.acts_at(now, self.wave.closes_at, coming)
        if at is not None:
            heappush(self.acts, (at, chat))

    async def _let(self, at: datetime) -> None:
        """Let time pass until ``at``; whoever wants to do something before does it."""
        while self.acts and self.acts[0][0] < at:
            moment, chat = heappop(self.acts)
            self.clock.set_on(moment)
            keyboard = self.stage.chats[chat].recent[-1].keyboard
            button = None if keyboard is None else keyboard.rows[0][0].data
            await self.cast[chat].act(self._hear(chat), button or "")
        self.clock.set_on(at)

    def _hear(self, chat: int) -> Callable[[Heard], Any]:
        async def hear(heard: Heard) -> Sequence[Reply]:
            return await self.house.conversation.receive(address(chat), heard, self.clock.now())

        return hear


def person(chat: int) -> str:
    """Who has ``chat``: a number and nothing else."""
    return f"p{chat}"


def address(chat: int) -> Address:
    """Where ``chat`` is."""
    return Address("telegram", str(chat))


def moments(script: Script, wave: Wave) -> list[datetime]:
    """When something may have to be sent: the opening, the reminders, the ends of quiet hours."""
    campaign, begins = script.campaign, script.begins
    found = {begins}
    found |= {at for _, at in reminders(wave.opens_at, campaign)}
    for zone in {ZoneInfo(each.zone) for each in script.raters}:
        at: datetime | None = decent(begins, zone, campaign.quiet)
        while at is not None and at < wave.closes_at:
            found.add(at)
            quiet = until(at, zone, campaign.quiet)
            at = None if quiet is None else decent(quiet, zone, campaign.quiet)
    return sorted(at for at in found if begins <= at < wave.closes_at)


@asynccontextmanager
async def performed(script: Script, manner: Manner, folder: Path) -> AsyncIterator[Play]:
    """Everything that a play needs, in ``folder`` and in memory."""
    clock = HeldClock(script.begins)
    stage = Stage(TOKEN, lambda: clock.now().timestamp(), Limits(overall=0, per_chat=0),
                  keep_messages=3)  # fmt: skip
    async with serving(stage) as served, _house(script, manner, folder, served.url, clock) as house:
        keyring = house.keyring
        wave = _wave(script.campaign, script.opens_at, keyring.new_wave("rehearsal"))
        await house.store.write(lambda tx: _copied(tx, script, wave))
        wish, told = script.wish, [n for n, each in enumerate(script.raters) if each.told]
        cast: dict[int, Rater] = {}
        for number, habit in zip(told, habits(len(told), wish.response, wish.seed), strict=True):
            language = script.raters[number].language
            cast[number + 1] = Rater(number, habit, language, wish.seed)
            stage.add_user(User(number + 1, person(number + 1), language, started=True,
                                blocked=habit is Habit.BLOCKED))  # fmt: skip
        rate = manner.paid_rate if script.campaign.paid else manner.rate
        yield Play(script, house, stage, clock, wave, cast, Seen(rate=rate))


@asynccontextmanager
async def _house(
    script: Script, manner: Manner, folder: Path, url: str, clock: HeldClock
) -> AsyncIterator[House]:
    settings = staged(folder, url, 1)
    organisation = manner.organisation
    settings = settings.model_copy(
        update={
            "organisation_zh": organisation.get("zh", ""),
            "organisation_en": organisation.get("en", ""),
            "zone": script.campaign.zone,
        }
    )
    store, keyring = SqlStore("sqlite://"), FileKeyring(settings.keys_dir)
    pace = Pace(clock.now, manner.rate, manner.paid_rate, clock.sleep, lanes=1)
    vault = FileVault(folder / "attachments")
    talk = await settle(store, keyring, setting_of(settings), vault)
    invitations = Invitations(settings.organisation, store, clock.now)
    house = House(settings, store, keyring, talk, invitations, shipped("quarterly"), pace,
                  vault=vault)  # fmt: skip
    try:
        yield house
    finally:
        await house.close()
        await store.close()


def _wave(campaign: Campaign, opens_at: datetime, tally_key: bytes) -> Wave:
    return Wave("rehearsal", campaign.id, period_of(opens_at.date()), opens_at,
                opens_at + campaign.window, tally_key)  # fmt: skip


def _copied(tx: Any, script: Script, wave: Wave) -> None:
    tx.put_subjects(script.subjects)
    tx.put_form(script.campaign.form, script.campaign.id, script.form)
    tx.put_campaign(script.campaign)
    tx.put_wave(wave)
    cast = [(chat, each) for chat, each in enumerate(script.raters, 1)]
    tx.put_people(
        Person(person(chat), Kind.CITIZEN, language=each.language, zone=each.zone)
        for chat, each in cast
    )
    for chat, each in cast:
        if each.told:
            tx.put_chat(Chat(address(chat), person(chat), each.language))
    tx.put_relations(
        Relation(person(chat), subject, group) for chat, each in cast
        for subject, group in each.sides
    )  # fmt: skip


async def perform(script: Script, manner: Manner, folder: Path, tell: Tell) -> dict[str, object]:
    """Rehearse ``script``; what there is to report."""
    async with performed(script, manner, folder) as play:
        return await play.through(tell)


def _tell(found: object) -> None:
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main(folder: Path) -> int:
    """Play what stands on standard input."""
    os.nice(NICE)
    bound(MEMORY, int(LASTS.total_seconds()), FILE)
    logging.disable(logging.CRITICAL)
    try:
        script, manner = pickle.load(sys.stdin.buffer)  # noqa: S301 - from who began us
        _tell({"report": loop.run(perform(script, manner, folder, _tell))})
    except Exception as error:
        _tell({"failed": where(error)})
        return 1
    finally:  # whoever began us may be gone
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
