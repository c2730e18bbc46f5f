"""``python -m rehearsal.stage``: the stage as a process of its own.

Prints one line of JSON when ready: ``{"ready": true, "port": ..., "url": ...}``. Ends on SIGTERM or
SIGINT with status 0, and when its standard input is a pipe that its parent closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Sequence

from rehearsal.limits import Limits
from rehearsal.people import Sleep
from rehearsal.refusals import StageMistake
from rehearsal.server import serving
from rehearsal.telegram import Stage


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal.stage",
        description="A pretend Telegram on this machine, with simulated people.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", required=True, help="a made-up one, as in MINYI_TELEGRAM_TOKEN")
    parser.add_argument("--speed", type=float, default=1.0, help="people's seconds in a second")
    parser.add_argument("--overall", type=int, default=30, help="messages a second; 0: unlimited")
    parser.add_argument("--per-chat", type=float, default=1.0, help="the same for each chat")
    parser.add_argument("--chat-burst", type=int, default=3, help="messages at once in a chat")
    parser.add_argument("--keep-calls", type=int, default=0, help="whole calls to keep")
    parser.add_argument("--keep-messages", type=int, default=0, help="messages a chat; 0: all")
    return parser


def accelerated(speed: float) -> Sleep:
    """A sleep in which ``speed`` of the people's seconds pass in each real one (above 0)."""
    if speed <= 0:
        raise StageMistake(f"speed {speed}: more than 0")
    return lambda seconds: asyncio.sleep(seconds / speed)


async def run(given: argparse.Namespace) -> None:
    limits = Limits(overall=given.overall, per_chat=given.per_chat, chat_burst=given.chat_burst)
    stage = Stage(
        given.token,
        time.time,
        limits,
        keep_messages=given.keep_messages,
        keep_calls=given.keep_calls,
    )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    _end_with_parent(loop, ended)
    sleep = accelerated(given.speed)
    async with serving(stage, host=given.host, port=given.port, sleep=sleep) as served:
        ready = {"ready": True, "port": served.port, "url": served.url}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await ended.wait()


def _end_with_parent(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Only a pipe says that a parent has gone; a terminal or /dev/null does not."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            ended.set()

    loop.add_reader(0, read)


def main(words: Sequence[str] | None = None) -> int:
    """Run until told to stop; 2 with one line on standard error where it cannot begin."""
    try:
        asyncio.run(run(arguments().parse_args(words)))
    except (ValueError, OSError) as trouble:
        sys.stderr.write(f"rehearsal: {trouble}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
