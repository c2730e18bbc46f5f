"""Simulated people and the real core, over real HTTP: whatever is asked, all come through."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from minyi.house import wall_clock
from rehearsal.cast import Cast
from rehearsal.opinions import SeededOpinion
from rehearsal.people import State
from rehearsal.personas import Persona, Traits
from rehearsal.telegram import Stage
from tests.bot.stage import Clock, buttoned, polling, seen, until
from tests.transcripts.house import talking

Live = tuple[Stage, str]
ENDS = ("密封投入票箱", "sealed in the ballot box")
ASKED = Path(__file__).parents[1] / "transcripts" / "questionnaires"


def personas() -> list[Persona]:
    """Some type everything, some skip what they may, one mistaps."""
    parts = [("zh", 1.0, 0.0, 0.0), ("en", 1.0, 0.5, 0.0), ("en", 0.0, 0.0, 0.3)]
    return [
        Persona(
            100 + number,
            f"Person {number}",
            SeededOpinion({}, number, wordy=wordy, language=language),
            language=language,
            traits=Traits(types=types, mistaps=mistaps),
            first="/start demo",
            seed=number,
        )
        for number, (language, wordy, types, mistaps) in enumerate(parts)
    ]


@pytest.mark.parametrize("name", sorted(path.stem for path in ASKED.glob("*.md")))
async def test_everybody_comes_through_and_one_keyboard_is_left(live: Live, name: str) -> None:
    stage, url = live
    cast = Cast(stage, asyncio.sleep)
    async with (
        talking(f"tests/transcripts/questionnaires/{name}.md") as here,
        polling(url, here.conversation, here.store, Clock(wall_clock())),
    ):
        cast.add(personas())
        cast.begin()
        await until(lambda: all(seen(stage, p.persona.id) for p in cast.people))
        await until(
            lambda: all(
                any(end in seen(stage, p.persona.id)[-1] for end in ENDS) for p in cast.people
            )
        )
        await until(lambda: not stage.updates.all())
        dead = await here.store.read(lambda tx: tx.dead_letters())
    await cast.close()
    assert not dead
    assert {person.state for person in cast.people} == {State.WAITING}
    assert [len(buttoned(stage, person.persona.id)) for person in cast.people] == [1, 1, 1]
