"""The stage as a process of its own, steered over HTTP."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from minyi.settings import TOKEN_SHAPE
from rehearsal.server import Served
from tests.rehearsal.conftest import TOKEN, aiogram_bot
from tests.rehearsal.test_bot_api import aio_keys


class Director:
    """Speaks to ``/stage``; ``status`` is that of the latest answer."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session, self.status = url, session, 0

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.url}/stage/{path}") as answer:
            self.status = answer.status
            return await answer.json()

    async def post(self, path: str, body: Any) -> Any:
        async with self.session.post(f"{self.url}/stage/{path}", json=body) as answer:
            self.status = answer.status
            return await answer.json()


@asynccontextmanager
async def process(*more: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    words = ["-m", "rehearsal.stage", "--port", "0", "--token", TOKEN, *more]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe)
    assert child.stdout
    ready = json.loads(await child.stdout.readline())
    assert ready["ready"]
    assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
    yield child, ready["url"]
    if child.returncode is None:
        child.kill()
        await child.wait()


async def test_people_play_in_another_process_and_it_ends_on_sigterm() -> None:
    async with process("--overall", "0") as (child, url), aiohttp.ClientSession() as session:
        director = Director(url, session)
        opinion = {"kind": "recorded", "grades": [["甲窗口", "", 4]]}
        people = [{"id": n, "opinion": opinion, "first": f"/start u_{n}"} for n in (11, 12)]
        assert await director.post("people", people) == {"added": 2}
        assert await director.post("begin", {}) == {"begun": 2}
        bot = aiogram_bot(url)
        updates = await bot.get_updates(timeout=20)
        assert {u.message.text for u in updates if u.message} == {"/start u_11", "/start u_12"}
        keys = aio_keys(*[[(x, x)] for x in ("非常满意", "满意", "基本满意", "不满意")])
        await bot.send_message(11, "请评价甲窗口", reply_markup=keys)
        tap = (await bot.get_updates(offset=updates[-1].update_id + 1, timeout=20))[0]
        assert tap.callback_query
        assert tap.callback_query.data == "满意"
        progress = await director.get("progress")
        assert progress["deeds"]["graded"] == 1
        child.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(child.wait(), 20) == 0
        await bot.session.close()


async def test_the_process_ends_when_its_parent_closes_the_pipe() -> None:
    async with process() as (child, _):
        assert child.stdin
        child.stdin.close()
        assert await asyncio.wait_for(child.wait(), 20) == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--token", TOKEN, "--host", "0.0.0.0"], b"loopback only"),
        (["--token", "nonsense"], b"a bot's token is"),
        (["--token", TOKEN, "--speed", "0"], b"more than 0"),
    ],
)
async def test_a_stage_that_cannot_begin_says_why(words: list[str], why: bytes) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rehearsal.stage", *words, stderr=asyncio.subprocess.PIPE
    )
    _, said = await child.communicate()
    assert child.returncode == 2
    assert why in said


async def test_a_director_in_another_process_steers_everything(served: Served) -> None:
    bot = aiogram_bot(served.url)
    async with aiohttp.ClientSession() as session:
        director = Director(served.url, session)
        await director.post("users", [{"id": 21, "name": "Zhao", "language": "zh"}])
        await director.post("say", {"user": 21, "text": "/start"})
        sent = await bot.send_message(21, "好吗？", reply_markup=aio_keys([("好", "1:好")]))
        await director.post("press", {"user": 21, "label": "好"})
        await bot.edit_message_text("换了", chat_id=21, message_id=sent.message_id)
        refused = await director.post("press", {"user": 21, "data": "1:好"})
        assert (director.status, refused) == (
            400,
            {"error": "user 21 sees no button '1:好' to press"},
        )
        await director.post("press", {"user": 21, "data": "1:好", "stale": True})
        updates = await bot.get_updates(timeout=0)
        taps = [u.callback_query for u in updates if u.callback_query]
        assert [tap.data for tap in taps] == ["1:好", "1:好"]
        await bot.answer_callback_query(taps[0].id, "这个按钮已过期")
        seen = (await director.get("transcript?user=21"))["messages"]
        assert [(line["from"], line["text"]) for line in seen] == [
            ("person", "/start"),
            ("bot", "换了"),
            ("notice", "这个按钮已过期"),
        ]
        assert seen[1]["edited"]
        await director.post("block", {"user": 21})
        assert (await director.get("transcript?user=21"))["blocked"]
        await director.post("unblock", {"user": 21})
        await director.post("faults", {"method": "sendMessage", "code": 500})
        assert len(await director.get("faults")) == 1
        async with session.delete(f"{served.url}/stage/faults") as cleared:
            assert await cleared.json() == []
        poison = await director.post("poison", {"message": 1})
        assert poison["update_id"] == updates[-1].update_id + 3
        limits = await director.post("limits", {"overall": 7})
        assert limits["overall"] == served.stage.limits.overall == 7
        counters = await director.get("counters")
        assert {"method": "sendMessage", "code": 200, "count": 1} in counters["calls"]
        assert (counters["worst_second"], counters["per_chat"]) == (1, {"21": 1})
        assert (await director.get("calls?last=1"))[0]["method"] == "answerCallbackQuery"
    await bot.session.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("say", {"user": 999, "text": "x"}),
        ("say", {"text": "x"}),
        ("say", {"user": 4, "text": "deactivated"}),
        ("press", {"user": 1}),
        ("users", [{"id": 1, "name": "again"}]),
        ("users", {}),
        ("limits", {"speed": 3}),
        ("limits", {"overall": "many"}),
        ("people", [{"id": 1}]),
        ("faults", {"code": 7}),
        ("poison", [1]),
    ],
)
async def test_a_mistake_of_the_director_is_told_not_done(
    served: Served, path: str, body: Any
) -> None:
    async with aiohttp.ClientSession() as session:
        director = Director(served.url, session)
        answer = await director.post(path, body)
        assert director.status == 400
        assert answer["error"]
    assert len(served.stage.chats) == 4


def _typed(where: str) -> list[str]:
    """The commands of CONTRIBUTING.md that hold ``where``, without their comments."""
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
    return [line for line in text.splitlines() if where in line and line.startswith((".", "curl"))]


async def test_what_a_developer_is_told_to_type_works() -> None:
    (start,) = _typed("-m rehearsal.stage")
    words = shlex.split(start)
    token = words[words.index("--token") + 1]
    assert TOKEN_SHAPE.fullmatch(token), "Minyi takes it"
    async with process("--token", token) as (_, url), aiohttp.ClientSession() as session:
        director = Director(url, session)
        for line in _typed("/stage/users") + _typed("/stage/say"):
            _, address, _, body = shlex.split(line, comments=True)
            assert "error" not in await director.post(address.split("/stage/")[1], json.loads(body))
            assert director.status == 200
        (line,) = _typed("/stage/transcript")
        told = await director.get(shlex.split(line)[1].split("/stage/")[1])
        assert [each["text"] for each in told["messages"]] == ["/start"]
        async with aiogram_bot(url, token) as bot:
            await bot.send_message(11, "Hello", reply_markup=aio_keys([("Help", "h")]))
        (line,) = _typed("/stage/press")
        body = json.loads(shlex.split(line, comments=True)[3])
        assert "callback_query_id" in await director.post("press", body)
