"""One event of one chat, on its way to a reply: commands, links, buttons, typed words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from operator import itemgetter
from typing import Any

from surveys import arriving, commands, consenting, forgetting, moving
from surveys.attendant import OWN, Attendant
from surveys.campaigns import Wave, WaveState
from surveys.conduct import Sitting
from surveys.forms.form import Kind
from surveys.moves import (
    Added,
    Amended,
    Answered,
    Chose,
    Done,
    Gave,
    Kept,
    Move,
    Refused,
    Revised,
    Sent,
    Skipped,
    WentBack,
)
from surveys.people import Chat, Text
from surveys.phrasing import WORDS, Press, short
from surveys.rating import finished
from surveys.reply import Button, Handed, Heard, Located, Looked, Opened, Reply, Tapped, Typed
from surveys.store import SealedInterview
from surveys.typed.trouble import Trouble
from surveys.typed.understand import speakable
from surveys.words import pick


@dataclass(frozen=True, slots=True)
class Setting:
    """What the conversation says of the house it works for. ``web`` is the chat's address."""

    organisation: Text
    web: str = ""
    k: int = 5
    language: str = "zh"  # spoken where neither person nor client says
    zone: tzinfo = UTC  # in which days are reckoned


@dataclass
class Visit:
    """One event of one chat, on its way to a reply. ``taken`` is what became of a file."""

    sitting: Sitting
    setting: Setting
    concern_form: str | None
    taken: Gave | Trouble | None = None
    attendant: Attendant | None = None

    @property
    def tx(self) -> Any:
        return self.sitting.tx

    @property
    def chat(self) -> Chat:
        return self.sitting.chat

    def say(self, key: str, *rows: tuple[Button, ...], **arguments: object) -> Reply:
        """One of our sentences in the chat's language."""
        language = self.chat.language
        organisation = pick(self.setting.organisation, language)
        text = WORDS.say(key, language, organisation=organisation, **arguments)
        return Reply(text, rows, language=language)

    def button(self, key: str, press: Press) -> Button:
        return Button(WORDS.say(key, self.chat.language), press.data())

    # ---- what was heard

    def hear(self, heard: Heard) -> tuple[Reply, ...]:
        attended = self.attended(heard)
        if attended is not None:
            row = self.current()
            return attended if row is None else (*attended, self.sitting.show(row))
        return consenting.told(self, self.answered(heard))

    def answered(self, heard: Heard) -> tuple[Reply, ...]:
        """What anybody is answered, and in mid-interview the question that it interrupted."""
        match heard:
            case Opened(payload):
                reply = self.opened(payload)
            case Tapped(data):
                press = Press.read(data)
                reply = self.stands() if press is None else self.pressed(press)
            case Looked():
                reply = self.stands()
            case Typed():
                reply = self.typed(heard)
            case Located():
                reply = self.gave(_place(heard))
            case Handed(kind):
                reply = self.gave(self.taken or Gave(kind, ""))
        if reply.question or reply.rows:
            return (reply,)
        row = self.waiting()
        if row is None:  # nothing is left to answer here: say what can be pressed
            return (replace(reply, rows=self.onward()),)
        # information in mid-interview: the question it interrupted is asked again below it
        return reply, self.sitting.show(row)

    def attended(self, heard: Heard) -> tuple[Reply, ...] | None:
        """What somebody who works here is answered; None for anybody else, and for other words."""
        if self.attendant is None:
            return None
        chat, now = self.chat, self.sitting.now
        if isinstance(heard, Tapped):
            press = Press.read(heard.data)
            if press is None or press.action != OWN:
                return None
            name = press.interview
            return self.attendant.pressed(self.tx, chat.address, name, chat.language, now)
        if not isinstance(heard, Typed) or heard.amended:
            return None
        text = speakable(heard.text).strip()
        if not text.startswith("/"):
            return None
        return self.attendant.heard(self.tx, chat.address, text, chat.language, now)

    def typed(self, heard: Typed) -> Reply:
        text, row = speakable(heard.text), self.current()
        if heard.amended:
            return self.stands() if row is None else self.sitting.move(row, Amended(text))
        name = commands.command(text)
        if name == "start":
            return self.opened(text.partition(" ")[2].strip())
        if row is not None and name is not None and name in _MOVES:
            return self.sitting.move(row, _MOVES[name])
        if row is not None and name == "stop" and not text.lstrip().startswith("/"):
            return commands.leaving(self)
        if name is not None and (reply := commands.commanded(self, name)):
            return reply
        # a receipt is never an answer: as a remark it would join a concern to a rating
        recalled = self.recalled(text.strip())
        if recalled is not None or row is None:
            return recalled or self.stands()
        return self.sitting.move(row, Added(text) if heard.hasty else Answered(text))

    def gave(self, given: Gave | Trouble) -> Reply:
        """A place or a file: an answer where one is wanted, else told that it is not."""
        row = self.current()
        if row is None:
            return self.stands()
        return self.sitting.move(row, Refused(given) if isinstance(given, Trouble) else given)

    def wants(self, given: Kind) -> tuple[Kind, bool] | None:
        """The kind of the open question, where a file of kind ``given`` answers it.

        And whether anybody keeps it: a file that is only there where a question was asked would
        tell who was asked it.
        """
        row = self.current()
        kind = None if row is None else self.sitting.wants(row, given)
        if row is None or kind is None:
            return None
        return kind, self.sitting.errands[row.purpose].keeps_files

    def pressed(self, press: Press) -> Reply:
        match press.action:
            case "g":
                return self.go(press.interview)
            case "l" if press.interview in commands.tongues(self):
                return commands.speak(self, press.interview)
            case "m":
                return commands.commanded(self, press.interview) or self.stands()
            case "j":
                return self.opened("")
            case "u":
                return arriving.after_visit(self, press.interview, begin=True) or self.stands()
            case "w":
                return moving.decided(self, press.interview)
            case "f":
                return forgetting.decided(self, press.interview)
            case "n":
                return self.recalled(press.interview) or self.stands()
        row = self.tx.interview(press.interview)
        if row is None or not self.owns(row):
            return self.stands()
        if press.action == "r":
            return self.sitting.restart(row)
        if row.complete:
            return self.after(row)
        move = _move(press)
        if move is None:
            return self.sitting.show(row, page=press.index if press.action == "p" else 0)
        return self.sitting.move(row, move)

    def owns(self, row: SealedInterview) -> bool:
        return row.person == self.sitting.errands[row.purpose].owner(self.chat.person, row)

    # ---- coming in

    def opened(self, payload: str) -> Reply:
        greeting = "rejoined" if self.rejoin() else "welcome"
        if not payload:
            return self.stands(greeting)
        invite = self.tx.invite(payload) if payload.isprintable() else None
        if invite is None:
            known = payload.isprintable()
            met = (
                (moving.opened(self, payload) or arriving.after_visit(self, payload))
                if known
                else None
            )
            return met or self.say("link.unknown", *self.menu())
        match invite.kind:
            case "unit":
                return arriving.at_unit(self, invite)
            case "staff":
                return arriving.by_staff_link(self, invite)
            case "campaign":
                return arriving.for_campaign(self, invite) or self.stands(greeting)
        return self.stands(greeting)

    def rejoin(self) -> bool:
        """Whoever opens the conversation may be asked again; True where they had opted out."""
        person = self.tx.person(self.chat.person)
        if person.opted_out:
            commands.amend(self.tx, person, lambda known: replace(known, opted_out=False))
        return bool(person.opted_out)

    # ---- where things stand

    def current(self) -> SealedInterview | None:
        """The interview that typed words answer."""
        row = self.tx.interview(self.chat.interview) if self.chat.interview else None
        return None if row is None or row.complete else row

    def waiting(self) -> SealedInterview | None:
        """The same after what this event has done."""
        chat = self.tx.chat(self.chat.address)
        return self.current() if chat.interview == self.chat.interview else None

    def stands(self, greeting: str = "") -> Reply:
        """The open question, else what may be answered, else what can be done here."""
        row = self.current()
        if row is not None:
            return self.sitting.show(row)
        offer = self.left_for_good() or self.offer() or self.given()
        if offer is None:
            offer = self.say("idle", *self.menu())
        if not greeting:
            return offer
        return replace(offer, text=f"{self.say(greeting).text}\n\n{offer.text}")

    def left_for_good(self) -> Reply | None:
        """Whoever has opted out is offered nothing but the way back."""
        if not self.tx.person(self.chat.person).opted_out:
            return None
        return self.say("stop.standing", (self.button("button.rejoin", Press("j", "0")),))

    def given(self) -> Reply | None:
        """What was given and can be changed while its wave is open."""
        waves = [wave.id for wave in self.open_waves()]
        rows = self.tx.finished_interviews(self.chat.person, waves) if waves else ()
        if len(rows) < 2:
            return self.after(rows[0]) if rows else None
        names = [pick(self.tx.subject(row.subject).name, self.chat.language) for row in rows]
        by_name = sorted(zip(names, rows, strict=True), key=itemgetter(0))
        each = [(Button(name, Press("r", row.id).data()),) for name, row in by_name]
        return self.say("given", *each, count=len(rows))

    def offer(self) -> Reply | None:
        left = self.sitting.left()
        if not left:
            return None
        wave = left[0].wave
        count = sum(1 for assignment in left if assignment.wave == wave)
        title = pick(self.tx.campaign(self.tx.wave(wave).campaign).title, self.chat.language)
        begun = self.tx.interview_for(wave, self.chat.person, left[0].subject)
        if begun is not None:
            go_on = self.button("button.continue", Press("g", wave))
            return self.say("offer.begun", (go_on,), title=title)
        start = self.button("button.start", Press("g", wave))
        key = "offer" if count > 1 else "offer.one"
        return self.say(key, (start,), count=count, title=title)

    def go(self, wave_id: str) -> Reply:
        """Begin, or go on with, what is left in a wave."""
        left = self.sitting.left()
        mine = [assignment for assignment in left if short(assignment.wave) == short(wave_id)]
        if not mine:
            return self.stands()
        wave = self.tx.wave(mine[0].wave)
        return self.sitting.begin(mine[0], wave.form)

    def after(self, row: SealedInterview) -> Reply:
        """A button of an interview that is finished."""
        if self.sitting.errands[row.purpose].state_key(self.tx, row, self.sitting.now) is None:
            return self.say("finished.closed")
        if row.wave is None:
            return self.stands()
        offer = self.offer()
        if offer is not None and row.person == self.chat.person:
            return offer
        key = finished(row.group)
        return self.say(key, (self.button("button.change", Press("r", row.id)),))

    def least(self) -> int:
        """The smallest k that anything asked here now is held to."""
        asked = [self.tx.campaign(wave.campaign).k for wave in self.open_waves()]
        return min(asked, default=self.setting.k)

    def open_waves(self) -> list[Wave]:
        now = self.sitting.now
        return [
            wave
            for wave in self.tx.waves()
            if wave.state is WaveState.OPEN and wave.opens_at <= now < wave.closes_at
        ]

    def uncounted(self) -> bool:
        """Whether what somebody has begun may still be gone on with, also in a wave's grace."""
        return any(wave.state is WaveState.OPEN for wave in self.tx.waves())

    def recalled(self, token: str) -> Reply | None:
        if not token.isprintable():  # no token of ours; a database may choke on it
            return None
        for errand in self.sitting.errands.values():
            reply = errand.recall(self.tx, self.chat.address, token, self.chat.language)
            if reply is not None:
                return reply
        return None

    def onward(self) -> tuple[tuple[Button, ...], ...]:
        """Go on with what is still open, and the menu."""
        left = self.sitting.left()
        if not left:
            return self.menu()
        return ((self.button("button.continue", Press("g", left[0].wave)),), *self.menu())

    def menu(self) -> tuple[tuple[Button, ...], ...]:
        return (
            (
                self.button("menu.concern", Press("m", "concern")),
                self.button("menu.help", Press("m", "help")),
            ),
        )


_MOVES: Mapping[str, Move] = {"back": WentBack(), "skip": Skipped(), "done": Done()}


def _place(shared: Located) -> Gave | Trouble:
    latitude, longitude, accuracy = shared.latitude, shared.longitude, shared.accuracy
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and 0 <= accuracy < 1e7):
        return Trouble("not_a_place")  # NaN is none either
    return Gave(Kind.GEOPOINT, f"{latitude:.6f} {longitude:.6f} 0 {accuracy:.1f}")


def _move(press: Press) -> Move | None:
    match press.action:
        case "a":
            return Chose(press.index, press.turn)
        case "k":
            return Kept(press.turn)
        case "d":
            return Done(press.turn)
        case "s":
            return Skipped(press.turn)
        case "b":
            return WentBack(press.turn)
        case "v":
            return Revised(press.index, press.turn)
        case "y":
            return Sent(press.turn)
    return None
