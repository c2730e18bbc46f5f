"""Simulated people whom a campaign asks: who answers, when, and how far they come.

They read and answer like the people of a play, but speak to the conversation itself: what a message
looks like in Telegram is rehearsed elsewhere. So thousands of them need no time, and the same seed
makes the same people do the same again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from rehearsal.attempts import Answer, Attempts, Here, Item
from rehearsal.opinions import SeededOpinion
from rehearsal.reader import PlainReader
from rehearsal.samples import SAMPLES
from surveys.forms.form import Kind
from surveys.reply import Handed, Heard, Located, Reply, Tapped, Typed

AT_ONCE = 60  # percent of those who answer, who do so before they are reminded
ASIDE: Mapping[str, int] = {"half": 8, "stops": 3, "blocked": 5}
"""Percent of those who do not answer: begin and stop, ask to be left alone, had blocked the bot."""
SOON, LATER = timedelta(hours=3), timedelta(hours=6)  # means, after a message
TURNS, SHOWN = 3000, 80
"""Answers of one person, and times that one question is shown; more is a way without an end."""
KINDS: Mapping[str, Kind] = {
    "photo": Kind.IMAGE,
    "voice": Kind.AUDIO,
    "video": Kind.VIDEO,
    "document": Kind.FILE,
}

Hear = Callable[[Heard], Awaitable[Sequence[Reply]]]
"""The conversation, as one person has it at one moment."""


class Habit(StrEnum):
    """What somebody does about a message."""

    PROMPT = "prompt"  # answers before any reminder
    REMINDED = "reminded"  # answers once they are reminded
    HALF = "half"  # begins, and stops after a question or two
    STOPS = "stops"  # asks to be left alone
    BLOCKED = "blocked"  # had blocked the bot before, and nobody knew
    SILENT = "silent"


def habits(people: int, response: int, seed: int) -> list[Habit]:
    """The habits of ``people``, ``response`` percent of whom answer; in an order of the seed's."""
    answer = round(people * response / 100)
    prompt = round(answer * AT_ONCE / 100)
    found = [Habit.PROMPT] * prompt + [Habit.REMINDED] * (answer - prompt)
    for name, percent in ASIDE.items():
        found += [Habit(name)] * round((people - answer) * percent / 100)
    found = (found + [Habit.SILENT] * people)[:people]
    Random(f"{seed}|habits").shuffle(found)
    return found


class StuckError(Exception):
    """Nothing that they tried was accepted, or there was no end to the questions."""


@dataclass
class Rater:
    """One person. ``told`` are the moments at which a message arrived."""

    number: int
    habit: Habit
    language: str
    seed: int
    told: list[datetime] = field(default_factory=list)
    begun: bool = False
    stuck: bool = False

    def __post_init__(self) -> None:
        self._chance = Random(f"{self.seed}|{self.number}")
        self._opinion = SeededOpinion({}, self._chance.randrange(2**31), language=self.language)
        self._attempts = Attempts(self.language)
        self._reader = PlainReader()

    def acts_at(self, now: datetime, closes: datetime, reminders: int) -> datetime | None:
        """When they do something about the message that arrived ``now``; None: they do not.

        ``reminders`` are how many are still to come.
        """
        first = len(self.told) == 1
        match self.habit:
            case Habit.PROMPT | Habit.HALF | Habit.STOPS if first:
                mean = SOON
            case Habit.REMINDED if len(self.told) == 2:
                mean = LATER
            case Habit.REMINDED if first and not reminders:
                mean = (closes - now) / 3
            case _:
                return None
        patience = (closes - now) * 0.95  # nobody of them means to answer and comes too late
        return now + min(mean * self._chance.expovariate(1.0), patience)

    async def act(self, hear: Hear, button: str) -> None:
        """Do what they do: press the ``button`` of their message, or ask to be left alone."""
        if self.habit is Habit.STOPS:
            await hear(Typed("/stop"))
            return
        self.begun = True
        most = self._chance.randrange(1, 3) if self.habit is Habit.HALF else None
        try:
            await self._interview(hear, button, most)
        except StuckError:
            self.stuck = True

    async def _interview(self, hear: Hear, button: str, most: int | None) -> None:
        """Answer whatever is asked, ``most`` times; one subject follows the other by itself."""
        reply = (await hear(Tapped(button)))[-1]
        shown, answered = Counter[str](), 0
        while reply.question and answered != most:
            shown[reply.place] += 1
            heard = self._heard(reply)
            if heard is None or shown[reply.place] > SHOWN or answered > TURNS:
                raise StuckError
            reply = (await hear(heard))[-1]
            answered += 1

    def _heard(self, reply: Reply) -> Heard | None:
        """What they do about a question; None where nothing is left to try."""
        rows = [[button.label for button in row] for row in reply.rows]
        screen = self._reader.read(reply.text, rows)
        said: Answer | None = self._opinion(reply.text, rows)
        if screen.asks_for_words and not any(said in row for row in rows):
            said = self._attempts.next(screen, said if isinstance(said, str) else None)
        match said:
            case Here(latitude, longitude, accuracy):
                return Located(latitude, longitude, accuracy)
            case Item(kind):
                return _handed(kind)
            case None:
                return None
        found = (button.data for row in reply.rows for button in row if button.label == said)
        data = next(found, None)
        return Typed(said) if data is None else Tapped(data)


def _handed(kind: str) -> Handed:
    sample = SAMPLES[kind]

    async def fetch(_most: int) -> bytes:
        return sample.content

    return Handed(KINDS[kind], fetch, sample.name, len(sample.content))
