"""Simulated people: they open late, hesitate, mistap, type, block, ignore, and stop half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from rehearsal.attempts import Answer, Attempts, Here, Item
from rehearsal.messages import Message, User
from rehearsal.personas import Persona
from rehearsal.reader import PlainReader, Reader, Screen
from rehearsal.refusals import StageMistake
from rehearsal.samples import SAMPLES
from rehearsal.stored import Place
from rehearsal.telegram import Stage

Sleep = Callable[[float], Awaitable[object]]


class State(StrEnum):
    """Where a person is. ``waiting``: nothing on the screen asks anything of them."""

    COMING = "coming"
    TALKING = "talking"
    WAITING = "waiting"
    SILENT = "silent"
    STOPPED = "stopped"
    BLOCKED = "blocked"


@dataclass(slots=True)
class Deeds:
    """Counts of what a person did; ``answers`` leaves out mistaps, ways back and repeats.

    ``handed`` counts files and places.
    """

    answers: int = 0
    graded: int = 0
    typed: int = 0
    handed: int = 0
    mistaps: int = 0
    corrected: int = 0
    repeats: int = 0


class Person:
    """One persona at work. Woken by the stage; sleeps otherwise; costs a task and an event."""

    def __init__(
        self,
        persona: Persona,
        stage: Stage,
        sleep: Sleep,
        *,
        reader: Reader | None = None,
        real_sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.persona = persona
        self.state = State.COMING
        self.deeds = Deeds()
        self._stage = stage
        self._sleep = sleep
        self._real_sleep = real_sleep
        self._reader = reader or PlainReader()
        self._chance = Random(f"{persona.seed}|{persona.id}")
        self._attempts = Attempts(persona.language)
        self._woken = asyncio.Event()
        self._seen = 0
        self._regrets = False
        self._careful = False
        self._last: Callable[[], object] | None = None
        user = User(persona.id, persona.name, persona.language, started=persona.first is None)
        self._chat = stage.chats.get(persona.id) or stage.add_user(user)
        stage.watch(persona.id, self._woken.set)

    async def play(self) -> None:
        """Until they stop or block; the rest wait for the bot for ever (cancel to end)."""
        traits = self.persona.traits
        first = self.persona.first
        if first is not None:
            await self._pause(traits.opens_after)
            self._do(lambda: self._stage.say(self.persona.id, first))
        if traits.ignores:
            self.state = State.SILENT
            return
        self.state = State.WAITING
        while self.state in {State.WAITING, State.TALKING}:
            self._woken.clear()
            found = self._look()
            if found is not None:
                await self._respond(*found)
            elif not self._woken.is_set():
                await self._wait()

    def _look(self) -> tuple[Message, Screen, Answer] | None:
        """The newest message not dealt with that asks for something, and the answer to it.

        What asks for nothing is dealt with by being seen; a question above a mere notice is not
        lost.
        """
        opinion, newest = self.persona.opinion, self._seen
        for message in reversed(self._chat.recent):
            if message.shown <= self._seen:
                break
            newest = max(newest, message.shown)
            rows = message.keyboard.labels() if message.keyboard is not None else []
            screen = self._reader.read(message.text, rows)
            said = opinion(message.text, rows)
            answer: Answer | None = said
            if screen.asks_for_words and not any(said in row for row in rows):
                answer = self._attempts.next(screen, said)
            if answer is None and self._regrets:
                answer = screen.back  # even a farewell may offer the way back
            if answer is not None:
                return message, screen, answer
        if newest > self._seen:
            self._seen = newest
            self.state = State.WAITING
            self._last = None
        return None

    async def _respond(self, message: Message, screen: Screen, answer: Answer) -> None:
        traits, shown = self.persona.traits, message.shown
        await self._pause(traits.opens_after if screen.start else 0.0)
        if traits.hesitates:
            await self._pause(self._chance.expovariate(1 / traits.hesitates))
        if message.shown != shown or message.message_id not in self._chat.messages:
            return  # it changed while they thought; look again
        if traits.blocks_after is not None and self.deeds.answers >= traits.blocks_after:
            self._stage.block(self.persona.id)
            self.state = State.BLOCKED
            return
        if traits.stops_after is not None and self.deeds.answers >= traits.stops_after:
            self.state = State.STOPPED
            return
        self.state = State.TALKING
        self._seen = max(self._seen, *(recent.shown for recent in self._chat.recent))
        self._act(message, screen, answer)

    def _act(self, message: Message, screen: Screen, answer: Answer) -> None:
        if self._regrets:
            self._regrets = False
            if screen.back is not None:
                self.deeds.corrected += 1
                self._careful = True
                self._press(message, screen.back)
                return
        elif not self._careful and (wrong := self._slip(screen, answer)):
            self.deeds.mistaps += 1
            self._regrets = True
            self._press(message, wrong)
            return
        self._careful = False
        self.deeds.answers += 1
        self.deeds.graded += answer in screen.grades.values()
        labels = () if message.keyboard is None else message.keyboard.labels()
        if not isinstance(answer, str):
            self.deeds.handed += 1
            self._do(lambda: self._give(answer))
        elif any(answer in row for row in labels) and not self._prone(self.persona.traits.types):
            self._press(message, answer)
        else:
            self.deeds.typed += 1
            self._do(lambda: self._stage.say(self.persona.id, answer))

    def _give(self, answer: Here | Item) -> None:
        match answer:
            case Here(latitude, longitude, accuracy):
                self._stage.locate(self.persona.id, Place(latitude, longitude, accuracy))
            case Item(kind):
                sample = SAMPLES[kind]
                self._stage.hand(self.persona.id, kind, sample.content, name=sample.name)

    def _slip(self, screen: Screen, answer: Answer) -> str | None:
        """Another answer of the same keyboard, where one is pressed by mistake."""
        others = [x for x in (*screen.grades.values(), *screen.choices) if x != answer]
        if answer not in {*screen.grades.values(), *screen.choices} or not others:
            return None
        return self._chance.choice(others) if self._prone(self.persona.traits.mistaps) else None

    def _press(self, message: Message, label: str) -> None:
        if message.keyboard is not None and message.keyboard.kind == "reply":
            self._do(lambda: self._stage.say(self.persona.id, label))
            return
        number = message.message_id
        self._do(
            lambda: self._stage.press(
                self.persona.id, label=label, message_id=number, stale=self.deeds.repeats > 0
            )
        )

    def _do(self, act: Callable[[], object]) -> None:
        self._last = act
        act()

    async def _wait(self) -> None:
        """Until the bot changes the screen; an impatient person does the last thing again."""
        traits = self.persona.traits
        if self._last is None or not traits.patience:
            await self._woken.wait()
            return
        for _ in range(traits.repeats):
            timer = asyncio.ensure_future(self._real_sleep(traits.patience))
            timer.add_done_callback(self._patience_over)
            try:
                await self._woken.wait()
                if not timer.done():
                    return
            finally:
                timer.cancel()
            self._woken.clear()
            if any(message.shown > self._seen for message in self._chat.recent):
                return  # it came just now: the last act would answer what it asks
            self.deeds.repeats += 1
            self._again(self._last)
        self._last = None

    def _patience_over(self, timer: asyncio.Future[object]) -> None:
        if not timer.cancelled():
            self._woken.set()

    @staticmethod
    def _again(act: Callable[[], object]) -> None:
        try:
            act()
        except StageMistake:
            return  # the button has gone in the meantime: the reply is on its way

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    def _prone(self, chance: float) -> bool:
        return chance > 0 and self._chance.random() < chance
