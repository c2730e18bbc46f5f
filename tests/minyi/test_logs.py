"""What is logged has its time and says what happened; what anybody wrote is never in it."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from minyi.logs import Discreet, set_log_level
from storage import SqlStore
from surveys.conversation import Conversation
from surveys.people import Invite, Kind, Person
from tests.minyi.test_listening import opened
from tests.minyi.visitors import Served, furnished, press, settings_in

MARK = "暗号42secret"  # nobody's, so wherever it stands it came from a person
ASCII = "s3cr3t-mark-42"


def record(name: str, message: str, *args: object, error: Exception | None = None) -> str:
    info = None if error is None else (type(error), error, None)
    made = logging.LogRecord(name, logging.ERROR, "x.py", 1, message, args, info)
    return Discreet(plain=False).format(made)


def test_our_own_sentences_are_logged_as_they_were_meant() -> None:
    told = json.loads(record("minyi.bot", "delivery %d cannot be worded", 7))
    assert told["event"] == "delivery 7 cannot be worded"
    assert told["level"] == "error"
    assert datetime.fromisoformat(told["time"]).tzinfo is not None


def test_of_a_library_only_the_sentence_without_what_was_put_into_it() -> None:
    told = record("aiogram.event", "Cause exception while processing %s: %s", 1, MARK)
    assert MARK not in told
    assert "Cause exception while processing %s" in told
    assert MARK not in record("asyncio", f"Task exception was never retrieved\nfuture: {MARK}")


def test_an_exception_is_its_kind_and_its_place() -> None:
    try:
        raise ValueError(MARK)
    except ValueError as error:
        made = logging.LogRecord(
            "uvicorn.error", logging.ERROR, "x.py", 1, "Exception in ASGI application\n", (),
            (ValueError, error, error.__traceback__),
        )  # fmt: skip
    told = Discreet(plain=False).format(made)
    assert MARK not in told
    assert "ValueError at test_logs.py:" in json.loads(told)["reason"]
    assert MARK not in Discreet(plain=True).format(made)


def test_without_a_terminal_each_line_is_json_with_its_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_log_level("info")
    structlog.get_logger("minyi").info("delivered", sent=3)
    logging.getLogger("minyi.bot").warning("Telegram cannot be reached: %s", "flood")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == [
        "delivered",
        "Telegram cannot be reached: flood",
    ]
    assert all({"time", "level"} <= set(line) for line in lines)


async def test_an_error_page_and_its_log_line_say_nothing_of_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(self: Conversation, *words: Any, **more: Any) -> Any:
        raise RuntimeError(f"cannot take {MARK}")

    monkeypatch.setattr(Conversation, "receive", broken)
    set_log_level("debug")
    async with opened(tmp_path) as (url, _), httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/c", headers={"Cookie": f"minyi={ASCII}"})
    said = capsys.readouterr()
    assert answer.status_code == 500
    assert "RuntimeError at" in said.err, "the mistake itself is logged"
    for text in (answer.text, said.out, said.err):
        assert MARK not in text
        assert ASCII not in text


async def test_a_day_of_marked_words_leaves_none_of_them_in_the_log(tmp_path: Path) -> None:
    """Names, answers, passwords, tokens, links, cookies, addresses: at the lowest log level."""
    settings = settings_in(tmp_path / "house")
    await furnished(settings)
    store = SqlStore(settings.database)

    def people(tx: Any) -> None:
        tx.put_people([Person("P1", Kind.STAFF, f"王{MARK}")])
        tx.put_invites([Invite(f"link-{ASCII}", "staff", "P1")])

    await store.write(people)
    await store.close()
    served = Served(
        settings,
        {"MINYI_LOG_LEVEL": "debug", "MINYI_METRICS_TOKEN": ASCII, "PYTHONWARNINGS": "default"},
    )
    await served.start()
    async with httpx.AsyncClient(base_url=served.url, follow_redirects=True) as client:
        await everything(client)
    status, said = await served.end(signal.SIGTERM)
    assert status == 0
    assert "stopped" in said, "there is a log at all"
    for mark in (MARK, ASCII, MARK.encode("unicode_escape").decode(), "%E6%9A%97", "window-s0"):
        assert mark not in said
    assert "127.0.0.1 " not in said, "nor who came"


async def everything(client: httpx.AsyncClient) -> None:
    """One visitor tries everything, in order and out of it."""
    await client.get(f"/c/link-{ASCII}")
    shown = await client.get("/c/window-s0")
    await press(client, shown, "Satisfied")
    for text in (f"因为{MARK}", f"/concern {MARK}", "/privacy"):
        await client.post("/c/say", data={"text": text, "proof": ASCII, "once": ASCII})
    await client.post(
        "/c/say", files={"file": (f"{MARK}.png", MARK.encode())}, data={"kind": "image"}
    )
    marked = {"Authorization": f"Bearer {ASCII}", "User-Agent": ASCII, "Cookie": f"minyi={ASCII}"}
    sign_in = {"login": ASCII, "password": MARK, "code": ASCII, "proof": ASCII}
    for path in ("/metrics", f"/{ASCII}", f"/desk/{MARK}", f"/language/zh?to={ASCII}", "/readyz"):
        await client.get(path, headers=marked)
    for path in ("/desk/sign-in", f"/desk/welcome/{ASCII}", "/api/v1/campaigns", "/telegram"):
        await client.post(path, data=sign_in, headers=marked)
        await client.post(path, json=sign_in, headers=marked)
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(f"GET /{ASCII} HTTP/1.1\r\n{MARK}\r\n\r\n".encode())
    await reader.read()
    writer.close()
