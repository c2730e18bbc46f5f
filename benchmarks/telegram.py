"""Updates as Telegram words them, and a Bot API on loopback that says yes to everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

TOKEN = "4242:AAmeasured-token-that-opens-nothing-at-all"
BOT = {"id": 4242, "is_bot": True, "first_name": "Minyi", "username": "minyi_bot"}
DATE = 1_796_000_000


def _person(chat: int) -> dict[str, Any]:
    return {"id": chat, "is_bot": False, "first_name": f"Person {chat}", "language_code": "zh"}


def _chat(chat: int) -> dict[str, Any]:
    return {"id": chat, "type": "private", "first_name": f"Person {chat}"}


def typed(number: int, chat: int, text: str) -> dict[str, Any]:
    """Update ``number``: words typed in a private chat."""
    message = {"message_id": number, "date": DATE, "chat": _chat(chat), "from": _person(chat)}
    message["text"] = text
    if text.startswith("/"):
        length = len(text.split(maxsplit=1)[0])
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    return {"update_id": number, "message": message}


def tapped(number: int, chat: int, data: str) -> dict[str, Any]:
    """Update ``number``: a press on the bot's last message."""
    below = {"message_id": 1, "date": DATE, "chat": _chat(chat), "from": BOT, "text": "?"}
    query = {"id": str(number), "from": _person(chat), "message": below, "data": data}
    return {"update_id": number, "callback_query": {**query, "chat_instance": "1"}}


@dataclass
class BotApi:
    """What was asked of it: calls, and the newest keyboard of each chat."""

    url: str = ""
    calls: int = 0
    keyboards: dict[int, str] = field(default_factory=dict)
    replied: dict[int, asyncio.Event] = field(default_factory=dict)

    def answer(self, method: str, fields: dict[str, str]) -> bytes:
        """The result of one call, as JSON."""
        self.calls += 1
        if method == "getMe":
            return json.dumps({"ok": True, "result": BOT}).encode()
        if "text" not in fields or "chat_id" not in fields:
            return b'{"ok":true,"result":true}'
        chat = int(fields["chat_id"])
        self.keyboards[chat] = fields.get("reply_markup", "")
        if chat in self.replied:
            self.replied[chat].set()
        message = {"message_id": 1, "date": DATE, "chat": _chat(chat), "from": BOT}
        return json.dumps({"ok": True, "result": {**message, "text": fields["text"]}}).encode()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method = head.split(b" ", 2)[1].rsplit(b"/", 1)[-1].decode()
                body = await read_body(reader, head)
                result = self.answer(method, dict(parse_qsl(body.decode())))
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(result), result)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def read_body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    """The body that belongs to the HTTP headers ``head``."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line[15:]))
        if line.startswith(b"transfer-encoding:") and b"chunked" in line:
            return await _chunks(reader)
    return b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body


@asynccontextmanager
async def bot_api() -> AsyncIterator[BotApi]:
    """A Bot API server without any memory or limit; light, so that it does not slow the bots."""
    api = BotApi()
    server = await asyncio.start_server(api.converse, "127.0.0.1", 0)
    api.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield api
    finally:
        server.close()
