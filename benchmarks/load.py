"""The load: people who talk over HTTP, so many connections at once, each waiting for its reply."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.served import PATH, SECRET
from benchmarks.telegram import BotApi, read_body, tapped, typed
from benchmarks.world import TURNS, WORDS
from minyi.talk import PAYLOAD

Visit = Generator[bytes, bytes, None]
"""One person: yields HTTP requests and is sent the body of each response."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server's process id and port."""

    pid: int
    port: int

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def served(kind: str, *options: str) -> AsyncIterator[Served]:
    """``benchmarks.served`` as a child process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.served", kind, *options, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server {kind} did not start")
        yield Served(process.pid, json.loads(line)["port"])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@dataclass(frozen=True, slots=True)
class Load:
    """Turns a second, and milliseconds of the server's processor time a turn."""

    rate: float
    cpu: float


async def drive(server: Served, people: Iterable[Visit], connections: int) -> Load:
    """Let all ``people`` visit; RuntimeError for any answer but 2xx and 3xx."""
    visits, turns = iter(people), count()
    start, before = time.perf_counter(), server.cpu()
    lanes = [_lane(server.port, visits, turns) for _ in range(connections)]
    await asyncio.gather(*lanes)
    took, spent = time.perf_counter() - start, server.cpu() - before
    done = next(turns)
    return Load(done / took, 1000 * spent / done)


async def _lane(port: int, visits: Iterator[Visit], turns: Iterator[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for visit in visits:
            request = next(visit)
            while True:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                body = await read_body(reader, head)
                if head[9:10] not in {b"2", b"3"}:
                    raise RuntimeError(f"{head[:40]!r} to {request[-300:]!r}")
                next(turns)
                try:
                    request = visit.send(body)
                except StopIteration:
                    break
    finally:
        writer.close()


def request(line: str, headers: str, body: bytes) -> bytes:
    head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _brought(update: dict[str, Any]) -> bytes:
    headers = f"Content-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n"
    return request(f"POST {PATH}", headers, json.dumps(update).encode())


def typing(people: int, first: int = 1) -> Iterator[Visit]:
    """People on Telegram, the ``first`` by number and following, who type every answer."""
    numbers = count(first * 100)

    def visit(chat: int) -> Visit:
        for text in (f"/start {PAYLOAD}", *WORDS):
            yield _brought(typed(next(numbers), chat, text))

    return (visit(chat) for chat in range(first, first + people))


def tapping(api: BotApi, people: int, first: int = 1) -> Iterator[Visit]:
    """People on Telegram who press a button of whatever keyboard they see."""
    numbers = count(first * 100)

    def visit(chat: int) -> Visit:
        body = yield _brought(typed(next(numbers), chat, f"/start {PAYLOAD}"))
        keyboard = _keyboard(body)
        for _ in range(TURNS):
            yield _brought(tapped(next(numbers), chat, _choice(keyboard)))
            keyboard = api.keyboards.pop(chat)

    return (visit(chat) for chat in range(first, first + people))


def _keyboard(body: bytes) -> str:
    """The keyboard in the response to a webhook: JSON of ours, or aiogram's multipart."""
    if body.startswith(b"{"):
        markup = json.loads(body)["reply_markup"]
        return markup if isinstance(markup, str) else json.dumps(markup)
    return next(line for line in body.decode().splitlines() if line.startswith('{"inline_'))


def _choice(keyboard: str) -> str:
    """The data of 'done' where there is one, else of the first button."""
    buttons = [button for row in json.loads(keyboard)["inline_keyboard"] for button in row]
    done = (b["callback_data"] for b in buttons if b["callback_data"].startswith("d:"))
    return str(next(done, buttons[0]["callback_data"]))


def browsing(people: int, _first: int = 1) -> Iterator[Visit]:
    """People in a browser with JavaScript: one request for each answer."""

    def visit() -> Visit:
        cookie = f"Cookie: minyi={secrets.token_urlsafe(32)}\r\n"
        yield request(f"GET /c/{PAYLOAD}", cookie, b"")
        form = "Content-Type: application/x-www-form-urlencoded\r\nHX-Request: true\r\n"
        for word in WORDS:
            fields = {"text": word, "once": secrets.token_urlsafe(12), "shown": "zh"}
            yield request("POST /c/say", cookie + form, urlencode(fields).encode())

    return (visit() for _ in range(people))
