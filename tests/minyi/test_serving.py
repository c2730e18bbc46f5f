"""The doors open: a whole conversation through ``serve``, by polling and by webhook."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from concerns import desk
from minyi import steps
from minyi.house import House, Pace, open_house
from minyi.listening import listen
from minyi.opening import NotReadyError
from minyi.serving import Open
from minyi.staging import staged
from rehearsal.backstage import TOKEN
from rehearsal.limits import Limits
from rehearsal.messages import User
from rehearsal.server import serving
from rehearsal.telegram import Stage
from storage import migrate

CITIZEN = 1001
FREE = Limits(overall=0, per_chat=0)


@dataclass(frozen=True)
class Theatre:
    house: House
    stage: Stage

    @property
    def last(self) -> dict[str, Any]:
        """The newest message that the citizen sees."""
        return self.stage.chats[CITIZEN].transcript()[-1]

    def say(self, text: str) -> None:
        self.stage.say(CITIZEN, text)

    def press(self, label: str) -> None:
        self.stage.press(CITIZEN, label=label)

    async def sees(self, words: str) -> dict[str, Any]:
        """Wait until the newest message holds ``words``."""
        await until(lambda: words in str(self.last["text"]))
        return self.last


async def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it did not happen within 20 s"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def theatre(folder: Path, mode: str) -> AsyncIterator[Theatre]:
    stage = Stage(TOKEN, time.time, FREE)
    async with serving(stage) as served:
        sock = listen("127.0.0.1", 0)
        settings = staged(folder, served.url, sock.getsockname()[1])
        settings = settings.model_copy(update={"telegram_mode": mode})
        migrate(settings.database)
        pace = Pace(rate=None)
        async with open_house(settings, pace) as house, Open(house, sock, every=0.2):
            stage.add_user(User(CITIZEN, "王芳", "zh"))
            yield Theatre(house, stage)


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_a_concern_is_raised_answered_and_read_in_the_same_chat(
    tmp_path: Path, mode: str
) -> None:
    async with theatre(tmp_path, mode) as play:
        play.say("/start")
        await play.sees("青山区")
        play.say("/concern")
        await play.sees("哪方面")
        play.press("工作上的困难")
        await play.sees("让谁来看")
        play.press("受理专员")
        await play.sees("发生了什么")
        play.say("连续三个月没有休息😥")
        await play.sees("没有就跳过")
        play.press("跳过")
        receipt = await play.sees("回执号")
        assert "没有休息" not in receipt["text"]
        (concern,) = await play.house.store.read(lambda tx: tx.concerns())
        statements = await play.house.store.read(
            lambda tx: desk.read(tx, play.house.keyring, concern)
        )
        assert [s.text for s in statements] == ["连续三个月没有休息😥"]
        await play.house.store.write(
            lambda tx: desk.answer(tx, play.house.keyring, concern, "下周起安排轮休。")
        )
        notice = await play.sees("新消息")
        assert "轮休" not in notice["text"], "the notice carries no content"
        play.press("查看")
        await play.sees("下周起安排轮休。")
        counted = play.stage.calls.counters()["calls"]
        assert counted, "everything went over HTTP"
        assert (await steps.deliver(play.house, play.house.clock())).notices == 0, "told once"


def test_a_port_that_is_taken_is_named_with_the_setting_that_mends_it() -> None:
    taken = listen("127.0.0.1", 0)
    taken.listen()
    with pytest.raises(NotReadyError, match="MINYI_PORT"):
        listen("127.0.0.1", taken.getsockname()[1])
    taken.close()
