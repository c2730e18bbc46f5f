"""The parts that simulated people play: who they are, and their habits."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from rehearsal.opinions import Opinion, read_opinion
from rehearsal.refusals import StageMistake


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
