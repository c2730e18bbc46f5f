"""``python -m benchmarks.served KIND``: one of the servers that are measured, as a process.

It prints its port as one line of JSON when it is ready, and ends on SIGTERM. It exists so that the
load comes from another process, over loopback HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn
from aiogram import Dispatcher
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.routing import Route

from benchmarks.conventional import conventional, prepare
from benchmarks.echo import bot, echo
from benchmarks.telegram import TOKEN
from benchmarks.world import converse
from bot.assembly import Inbound
from minyi import loop
from minyi.talk import ORGANISATION
from storage import FileKeyring, SqlStore
from surveys.conversation import Conversation
from surveys.people import Address
from surveys.reply import Button, Heard, Reply
from web.app import create_app
from web.console.console import Console
from web.site import Talker

SECRET = "measured"
PATH = "/telegram"
OURS = ("minyi", "scripted", "desk")
KINDS = (*OURS, "echo", "echo-by-call", "conventional")


class Scripted:
    """A conversation with nothing behind it: no questionnaire, no state, no database."""

    async def receive(
        self, address: Address, heard: Heard, now: datetime, *, hint: str = "zh"
    ) -> tuple[Reply, ...]:
        """The same question every time."""
        words = ("非常好", "好", "基本可以", "不好", "非常不好", "上一题", "跳过")
        rows = tuple(
            (Button(word, f"a:abcdefghijkl:123456:{at}"),) for at, word in enumerate(words)
        )
        return (Reply("急难险重的任务，应对得怎么样？", rows, question=True),)

    async def medium(self, form: str, name: str) -> bytes:
        """It has no pictures."""
        raise LookupError(name)


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.served")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--database", default="sqlite://")
    parser.add_argument("--keys", type=Path, default=Path())
    parser.add_argument("--api", default="")
    return parser


async def run(given: argparse.Namespace) -> None:
    """Serve until SIGTERM."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    match given.kind:
        case "minyi":
            store = SqlStore(given.database)
            await _site(sock, ended, await converse(store, given.keys), store, given.api)
            await store.close()
        case "desk":
            store = SqlStore(given.database)
            console = Console(store, now, FileKeyring(given.keys).app_key(), ZoneInfo("UTC"))
            talker = await converse(store, given.keys)
            await _site(sock, ended, talker, store, "", console)
            await store.close()
        case "scripted":
            await _site(sock, ended, Scripted(), SqlStore("sqlite://"), "")
        case "conventional":
            engine = create_async_engine(given.database, pool_size=20, max_overflow=20)
            await prepare(engine)
            await _aiogram(sock, ended, conventional(engine), given.api)
            await engine.dispose()
        case kind:
            by_call = kind == "echo-by-call"
            await _aiogram(sock, ended, echo(by_call=by_call), given.api)


async def _site(
    sock: socket.socket,
    ended: asyncio.Event,
    talker: Talker,
    store: SqlStore,
    api: str,
    console: Console | None = None,
) -> None:
    """The site with the webhook in it, put together and tuned as ``minyi serve`` does."""
    routes, inbound = [], None
    if isinstance(talker, Conversation) and api:
        inbound = Inbound(TOKEN, api, talker, store, lambda raw: raw, now)
        routes = [Route(PATH, inbound.webhook(SECRET).receive, methods=["POST"])]
    app = create_app(
        talker,
        store,
        clock=now,
        public_url="http://127.0.0.1",
        organisation=ORGANISATION,
        extra_routes=routes,
        console=console,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=60
        )
    )
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    running = asyncio.create_task(server.serve(sockets=[sock]))
    _ready(sock)
    await ended.wait()
    server.should_exit = True
    await running
    if inbound is not None:
        await inbound.close()


async def _aiogram(
    sock: socket.socket, ended: asyncio.Event, dispatcher: Dispatcher, api: str
) -> None:
    """aiogram's own way to serve a webhook, with the collector as Python sets it."""
    app = web.Application()
    handler = SimpleRequestHandler(
        dispatcher, bot(api), handle_in_background=False, secret_token=SECRET
    )
    handler.register(app, PATH)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    _ready(sock)
    await ended.wait()
    await runner.cleanup()


def _ready(sock: socket.socket) -> None:
    sock.listen(128)
    sys.stdout.write(json.dumps({"port": sock.getsockname()[1]}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = arguments().parse_args()
    start = loop.run if given.kind in OURS else asyncio.run  # aiogram's guide stays with the latter
    start(run(given))
