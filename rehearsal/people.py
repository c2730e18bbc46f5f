"""Simulated people: they open late, hesitate, mistap, type, block, ignore, and stop half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from rehearsal.messages import Message, User
from rehearsal.opinions import Opinion, read_opinion
from rehearsal.reader import PlainReader, Reader, Screen
from rehearsal.refusals import StageMistake
from rehearsal.telegram import Stage

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Traits:
    """Habits. Times are rehearsal seconds, chances 0..1, ``..._after`` a number of answers.

    ``opens_after``: before the first word and before an invitation is opened. ``hesitates``: mean
    of an exponential wait before each answer. ``mistaps``: the chance to press a wrong answer and,
    where there is a way back, to take it. ``types``: to type the label instead of pressing.
    ``ignores``: reads and never answers. ``patience``: after so many real seconds without any reply
    (a bot that crashed, a lost tap) the last act is repeated, at most ``repeats`` times in a row;
    0 waits for ever.
    """

    opens_after: float = 0.0
    hesitates: float = 0.0
    mistaps: float = 0.0
    types: float = 0.0
    ignores: bool = False
    blocks_after: int | None = None
    stops_after: int | None = None
    patience: float = 0.0
    repeats: int = 5

    def __post_init__(self) -> None:
        if not (0 <= self.mistaps <= 1 and 0 <= self.types <= 1):
            raise StageMistake("traits: mistaps and types are chances, 0..1")
        if min(self.opens_after, self.hesitates, self.patience, self.repeats) < 0:
            raise StageMistake("traits: times and counts cannot be negative")

    @classmethod
    def drawn(cls, chance: Random, *, silent: float = 0.15) -> Traits:
        """An ordinary person: most answer well, ``silent`` of them never do."""
        return cls(
            opens_after=chance.expovariate(1 / 3600),
            hesitates=chance.uniform(2, 8),
            mistaps=0.03 if chance.random() < 0.5 else 0.0,
            types=0.2 if chance.random() < 0.1 else 0.0,
            ignores=chance.random() < silent,
            blocks_after=chance.randrange(3) if chance.random() < 0.02 else None,
            stops_after=chance.randrange(1, 3) if chance.random() < 0.05 else None,
            patience=45.0,
        )


@dataclass(frozen=True, slots=True)
class Persona:
    """A part to play. ``first`` is what they type to begin; None waits for the bot to write.

    With ``first`` None the account has already started the bot.
    """

    id: int
    name: str
    opinion: Opinion
    language: str = "zh"
    traits: Traits = field(default_factory=Traits)
    first: str | None = "/start"
    seed: int = 0

    @classmethod
    def read(cls, raw: Any) -> Persona:
        """From decoded JSON; ``traits`` is an object of habits, ``"ordinary"`` or absent."""
        fields = {"id", "name", "opinion", "language", "traits", "first", "seed"}
        if not isinstance(raw, dict) or not {"id", "opinion"} <= set(raw) <= fields:
            raise StageMistake(f"a persona has {', '.join(sorted(fields))}; id and opinion always")
        language, seed = raw.get("language", "zh"), raw.get("seed", 0)
        traits = raw.get("traits", {})
        try:
            read = (
                Traits.drawn(Random(f"{seed}|{raw['id']}"))
                if traits == "ordinary"
                else Traits(**traits)
            )
        except TypeError as wrong:
            raise StageMistake(f"traits of persona {raw['id']}: {wrong}") from None
        return cls(
            id=raw["id"],
            name=raw.get("name", f"Person {raw['id']}"),
            opinion=read_opinion(raw["opinion"], language),
            language=language,
            traits=read,
            first=raw.get("first", "/start"),
            seed=seed,
        )


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
    """Counts of what a person did; ``answers`` leaves out mistaps, ways back and repeats."""

    answers: int = 0
    graded: int = 0
    typed: int = 0
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

    def _look(self) -> tuple[Message, Screen, str] | None:
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
            answer = opinion(message.text, rows)
            if answer is None and self._regrets:
                answer = screen.back  # even a farewell may offer the way back
            if answer is not None:
                return message, screen, answer
        if newest > self._seen:
            self._seen = newest
            self.state = State.WAITING
            self._last = None
        return None

    async def _respond(self, message: Message, screen: Screen, answer: str) -> None:
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

    def _act(self, message: Message, screen: Screen, answer: str) -> None:
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
        pressable = any(answer in row for row in labels)
        if pressable and not self._prone(self.persona.traits.types):
            self._press(message, answer)
        else:
            self.deeds.typed += 1
            self._do(lambda: self._stage.say(self.persona.id, answer))

    def _slip(self, screen: Screen, answer: str) -> str | None:
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
