"""Faults set on purpose reach the libraries as real ones do."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot
from aiogram import exceptions as ax
from telegram import error as px
from telegram.ext import ExtBot

from rehearsal.faults import Fault, Faults
from rehearsal.refusals import StageMistake
from rehearsal.telegram import Stage
from tests.rehearsal.test_bot_api import AIOGRAM, PTB


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 429, 500, 502])
async def test_every_code_becomes_each_librarys_own_exception(
    aio: Bot, ptb: ExtBot[None], stage: Stage, code: int
) -> None:
    wait = 4 if code == 429 else 0
    stage.faults.add(Fault("sendMessage", code, times=2, retry_after=wait))
    with pytest.raises(AIOGRAM[code]):
        await aio.send_message(1, "x")
    with pytest.raises(PTB[code]):
        await ptb.send_message(1, "x")
    assert stage.chats[1].messages == {}
    await aio.send_message(1, "the fault is used up")


async def test_a_dropped_response_is_ambiguous_the_person_has_the_message(
    aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    stage.faults.add(Fault("sendMessage", times=2, drop_response=True))
    with pytest.raises(ax.TelegramNetworkError):
        await aio.send_message(1, "from aiogram")
    with pytest.raises(px.NetworkError):
        await ptb.send_message(1, "from ptb")
    texts = [m.text for m in stage.chats[1].messages.values()]
    assert texts == ["from aiogram", "from ptb"]
    await ptb.send_message(1, "the connection works again")


async def test_a_gateway_error_after_delivery_is_ambiguous_too(
    ptb: ExtBot[None], stage: Stage
) -> None:
    stage.faults.add(Fault("sendMessage", 504, drop_response=True))
    with pytest.raises(px.NetworkError):
        await ptb.send_message(1, "delivered all the same")
    assert len(stage.chats[1].messages) == 1


async def test_a_late_answer_times_out_though_the_message_is_there(
    ptb: ExtBot[None], stage: Stage
) -> None:
    stage.faults.add(Fault("sendMessage", delay=0.6))
    with pytest.raises(px.TimedOut):
        await ptb.send_message(1, "late", read_timeout=0.1)
    assert len(stage.chats[1].messages) == 1
    await asyncio.sleep(0.6)


async def test_a_fault_can_be_for_one_person_only(aio: Bot, stage: Stage) -> None:
    stage.chats[2].user.started = True
    stage.faults.add(Fault("*", 403, times=0, chat_id=2))
    await aio.send_message(1, "x")
    for _ in range(2):
        with pytest.raises(ax.TelegramForbiddenError, match="blocked"):
            await aio.send_message(2, "x")
    stage.faults.clear()
    await aio.send_message(2, "x")


def test_faults_are_used_in_order_and_counted_down() -> None:
    faults = Faults([Fault("sendMessage", 500, times=2), Fault("*", 502)])
    taken = [faults.take("sendmessage", None) for _ in range(4)]
    assert [fault.code if fault else 0 for fault in taken] == [500, 500, 502, 0]
    assert faults.used == 3


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"code": 200}, "400..599"),
        ({"code": 429}, "retry_after"),
        ({}, "needs a code"),
        ({"cod": 500}, "no field cod"),
        ({"code": 500, "times": -1}, "negative"),
        ([], "JSON object"),
    ],
)
def test_a_wrong_fault_is_refused_by_name(raw: object, why: str) -> None:
    with pytest.raises(StageMistake, match=why):
        Fault.read(raw)
