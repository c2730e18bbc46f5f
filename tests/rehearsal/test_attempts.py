"""On an open question people give what it asks for, and after a refusal something else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiogram import Bot
from aiogram.types import Message

from rehearsal.attempts import Answer, Attempts, Here, Item
from rehearsal.opinions import RecordedOpinion
from rehearsal.personas import Persona
from rehearsal.reader import PlainReader, Screen
from rehearsal.server import Served
from tests.rehearsal.conftest import until
from tests.rehearsal.test_bot_api import aio_keys


def screen(text: str, *rows: list[str]) -> Screen:
    return PlainReader().read(text, rows)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("第 1 题，共 5 题\n您家里有几口人？", "3"),
        ("How many people live with you?", "3"),
        ("Your birthday\n\nFor example: 2026-11-22, 22 November, yesterday.", "2026-11-22"),
        ("哪天办的？\n\n例如：2026-11-22、11月22日、昨天。", "2026-11-22"),
        ("几点到的？\n\n例如：14:30、下午两点半。", "14:30"),
        ("When?\n\nFor example: 2026-11-22 14:30, yesterday 3 pm.", "2026-11-22 14:30"),
        ("抱歉，这里需要一个整数，例如 12。\n\n您的年龄", "12"),
        ("Sorry, this needs just a number, for example 12 or 1.5.\n\nYour height", "12"),
        ("满意度\n\n请打一个数：2 到 100，每 2 一档。", "2"),
        ("Your share\n\nPlease type a number from 5 to 95, in steps of 5.", "5"),
        ("哪里坏了？\n\n请发送位置，或者打出经纬度，例如：39.9042, 116.4074。", Here()),
        ("Which spot\n\nPlease share a location (press 📎, then Location).", Here()),
        ("Please send a photo. Where and when it was taken is removed first.", Item("photo")),
        ("Please send a file: a photo, a PDF or a document.", Item("document")),
        ("请发一张照片。照片里的拍摄地点等信息会先删去。", Item("photo")),
        ("Please send a voice message.", Item("voice")),
        ("这里需要一段视频，请直接发过来。", Item("video")),
        ("Please send a file.", Item("document")),
        ("Anything to add?", "I waited long, but was treated kindly."),
    ],
)
def test_the_first_attempt_fits_the_words(text: str, first: Answer) -> None:
    assert Attempts("en").next(screen(text), None) == first


def test_after_a_refusal_another_way_is_tried_until_the_question_is_skipped() -> None:
    attempts, question = Attempts("zh"), "第 2 题，共 5 题\n代号"
    first = attempts.next(screen(question), "我的话")
    assert first == "我的话"
    given: list[Answer | None] = [first]
    for _ in range(60):
        given.append(attempts.next(screen(f"抱歉，我没看懂。\n\n{question}", ["跳过"]), "我的话"))
        if given[-1] == "跳过":
            break
    assert given[-1] == "跳过"
    assert len(set(given)) == len(given)
    assert {Here(), Item("photo"), "12", "14:30", "2026-01-05"} <= set(given)
    assert attempts.next(screen("第 3 题，共 5 题\n代号"), "我的话") == "我的话"
    assert attempts.next(screen(question), "我的话") is None  # nothing helps, and no way to skip


async def test_people_find_their_way_through_every_kind_of_open_question(
    served: Served, aio: Bot
) -> None:
    asked: list[tuple[str, Callable[[Message], bool]]] = [
        ("1 of 4\nPeople in your house", lambda m: bool(m.text and m.text.isdecimal())),
        ("2 of 4\nThe spot", lambda m: m.location is not None),
        ("3 of 4\nThe damage", lambda m: bool(m.photo and m.photo[-1].file_size)),
        ("4 of 4\nThe day", lambda m: bool(m.text and m.text.startswith("2026-"))),
    ]
    persona = Persona(100, "Li", RecordedOpinion({}), language="en")
    served.cast.add([persona])
    served.cast.begin()
    offset, at = 0, -1

    async def hear(message: Message) -> int:
        done = at < 0 or asked[at][1](message)
        now = at + done
        if now < len(asked):
            trouble = "" if done else "Sorry, I didn't get that.\n\n"
            keys = aio_keys([("Back", "b")])
            await aio.send_message(100, trouble + asked[now][0], reply_markup=keys)
        return now

    while at < len(asked):
        for update in await aio.get_updates(offset=offset, timeout=20):
            offset = update.update_id + 1
            assert update.message
            at = await hear(update.message)
    deeds = served.cast.people[0].deeds
    assert deeds.handed >= 2
    await until(lambda: served.cast.progress()["failures"] == [])
