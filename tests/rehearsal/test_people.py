"""Simulated people against a tiny bot that polls over real HTTP with aiogram's own client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from aiogram import Bot
from aiogram.types import Update

from rehearsal.opinions import RecordedOpinion, SeededOpinion
from rehearsal.personas import Persona, Traits
from rehearsal.refusals import StageMistake
from rehearsal.server import Served, serving
from rehearsal.telegram import Stage
from tests.rehearsal.conftest import aiogram_bot, until
from tests.rehearsal.test_bot_api import aio_keys

GRADES = ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
OPINION = RecordedOpinion({("甲窗口", ""): 5, ("乙窗口", ""): 2})


@dataclass
class TwoQuestions:
    """Asks about two windows; a grade by tap or word, a way back, one message for each question."""

    bot: Bot
    subjects: tuple[str, ...] = ("甲窗口", "乙窗口")
    answers: dict[int, dict[str, str]] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    deaf_to: int = 0
    """How many updates are read and forgotten, as by a bot that crashed."""

    async def run(self) -> None:
        offset = 0
        while True:
            for update in await self.bot.get_updates(offset=offset, timeout=50):
                offset = update.update_id + 1
                if self.deaf_to:
                    self.deaf_to -= 1
                else:
                    await self.hear(update)

    async def hear(self, update: Update) -> None:
        if update.message and update.message.from_user:
            person, said = update.message.from_user.id, update.message.text or ""
        elif update.callback_query and update.callback_query.data:
            person, data = update.callback_query.from_user.id, update.callback_query.data
            await self.bot.answer_callback_query(update.callback_query.id)
            turn, said = data.split(":")
            if int(turn) != self.turns.get(person, 0):
                return  # a tap repeated: the reply to the first one is on its way
        else:
            return
        known = self.answers.setdefault(person, {})
        left = [name for name in self.subjects if name not in known]
        if said == "返回" and known:
            known.popitem()
        elif said in GRADES and left:
            known[left[0]] = said
        self.turns[person] = self.turns.get(person, 0) + 1
        await self.ask(person, known)

    async def ask(self, person: int, known: dict[str, str]) -> None:
        left = [name for name in self.subjects if name not in known]
        turn = self.turns[person]
        rows = [[(label, f"{turn}:{label}")] for label in GRADES] if left else []
        text = f"请评价{left[0]}" if left else "谢谢！如有误可返回。"
        await self.bot.send_message(
            person, text, reply_markup=aio_keys(*rows, [("⬅️ 返回", f"{turn}:返回")])
        )


@asynccontextmanager
async def asking(bot: TwoQuestions) -> AsyncIterator[TwoQuestions]:
    task = asyncio.create_task(bot.run())
    yield bot
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def persona(number: int, **traits: float | bool | None) -> Persona:
    return Persona(100 + number, f"P{number}", OPINION, traits=Traits(**traits), seed=number)  # type: ignore[arg-type]


RIGHT = {"甲窗口": "非常满意", "乙窗口": "不满意"}


async def test_people_answer_mistap_go_back_and_type(served: Served, aio: Bot) -> None:
    habits: list[dict[str, float]] = [{}, {"mistaps": 1}, {"types": 1}, {"hesitates": 0.01}]
    served.cast.add(persona(n, **habit) for n, habit in enumerate(habits))
    assert served.cast.begin() == 4
    async with asking(TwoQuestions(aio)) as bot:
        people = served.cast.people
        await until(lambda: all(bot.answers.get(100 + n) == RIGHT for n in range(4)))
        await until(lambda: served.cast.progress()["states"]["waiting"] == 4)
    progress = served.cast.progress()
    assert progress["failures"] == []
    assert people[1].deeds.mistaps == people[1].deeds.corrected == 2
    assert people[2].deeds.typed == 2
    assert progress["deeds"]["graded"] == 8


async def test_people_are_silent_stop_half_way_or_block(
    served: Served, aio: Bot, stage: Stage
) -> None:
    served.cast.add(
        [persona(0, ignores=True), persona(1, stops_after=1), persona(2, blocks_after=1)]
    )
    served.cast.begin()
    async with asking(TwoQuestions(aio)) as bot:
        await until(
            lambda: all(
                served.cast.progress()["states"][s] == 1 for s in ("silent", "stopped", "blocked")
            )
        )
        await until(lambda: 100 in bot.answers)
    assert bot.answers == {100: {}, 101: {"甲窗口": "非常满意"}, 102: {"甲窗口": "非常满意"}}
    assert stage.chats[102].user.blocked


async def test_an_impatient_person_taps_again_when_the_tap_was_lost(
    served: Served, aio: Bot
) -> None:
    served.cast.add([persona(0, patience=0.1)])
    async with asking(TwoQuestions(aio, deaf_to=2)) as bot:
        served.cast.begin()
        await until(lambda: bot.answers.get(100) == RIGHT)
    assert served.cast.people[0].deeds.repeats >= 1
    assert served.cast.people[0].deeds.answers == 2


async def test_hundreds_of_people_at_once_give_the_recorded_answers(
    served: Served, aio: Bot, stage: Stage
) -> None:
    served.cast.add(persona(n, mistaps=0.2, types=0.1) for n in range(200))
    served.cast.begin()
    async with asking(TwoQuestions(aio)) as bot:
        await until(lambda: sum(known == RIGHT for known in bot.answers.values()) == 200)
    assert stage.calls.counters()["messages"] >= 600
    assert served.cast.progress()["failures"] == []


async def test_an_invited_person_waits_for_the_bot_and_opens_late(stage: Stage, aio: Bot) -> None:
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    async with serving(stage, sleep=sleep) as second:
        bot = aiogram_bot(second.url)
        traits = Traits(opens_after=7200)
        second.cast.add([Persona(9, "Li", OPINION, traits=traits, first=None)])
        second.cast.begin()
        await bot.send_message(9, "请您评价", reply_markup=aio_keys([("开始", "go")]))
        await bot.send_message(9, "提醒：问卷仍开放")
        await until(lambda: len(stage.updates) == 1)
        assert naps == [7200]
        await bot.session.close()


def test_ordinary_people_differ_by_seed_and_repeat_by_seed() -> None:
    drawn = [Traits.drawn(Random(n)) for n in range(300)]
    assert drawn == [Traits.drawn(Random(n)) for n in range(300)]
    assert 20 <= sum(traits.ignores for traits in drawn) <= 75
    assert any(traits.mistaps for traits in drawn)
    assert any(traits.blocks_after is not None for traits in drawn)


def test_a_persona_is_read_from_json_or_refused() -> None:
    mood = {"kind": "seeded", "mood": {}, "seed": 2}
    read = Persona.read({"id": 5, "opinion": mood, "traits": {"types": 0.5}, "first": "/start u_a"})
    assert (read.id, read.first, read.traits.types) == (5, "/start u_a", 0.5)
    assert isinstance(read.opinion, SeededOpinion)
    assert Persona.read({"id": 5, "opinion": mood, "traits": "ordinary"}).traits.patience > 0
    wrongs: list[Any] = [{"id": 5}, {"id": 5, "opinion": mood, "traits": {"tipes": 1}}, []]
    for wrong in wrongs:
        with pytest.raises(StageMistake):
            Persona.read(wrong)
