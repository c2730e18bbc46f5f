"""The stage behind a real socket: uvicorn on loopback, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import uvicorn

from rehearsal.bot_api import BotApi
from rehearsal.cast import Cast
from rehearsal.control import pages
from rehearsal.people import Sleep
from rehearsal.telegram import Stage
from rehearsal.webhooks import loopback


@dataclass(frozen=True, slots=True)
class Served:
    """A stage being served: ``url`` is the Bot API server's base, as both libraries want it."""

    url: str
    port: int
    stage: Stage
    cast: Cast


class _Server(uvicorn.Server):
    """Says when it is up, and leaves signals to whoever runs the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(
    stage: Stage, *, host: str = "127.0.0.1", port: int = 0, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[Served]:
    """Serve ``stage`` until the block ends; ``port`` 0 takes a free one.

    ``sleep`` is the rehearsal's clock for people. Raises ``ValueError`` for a host that is not
    this machine, ``OSError`` where the port is taken.
    """
    if not loopback(host):
        raise ValueError(
            f"the rehearsal stage listens on loopback only, not on {host!r}: use 127.0.0.1 or ::1"
        )
    listening = _listen("127.0.0.1" if host == "localhost" else host, port)
    port = listening.getsockname()[1]
    cast = Cast(stage, sleep)
    api = BotApi(stage, pages(stage, cast))
    config = uvicorn.Config(
        api,
        log_config=None,
        log_level="critical",  # a connection cut on purpose is no error
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,  # as Telegram's: a client's idle connection is not cut under it
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await server.up.wait()
        shown = f"[{host}]" if ":" in host else host
        yield Served(f"http://{shown}:{port}", port, stage, cast)
    finally:
        await cast.close()
        await api.close()
        server.should_exit = True
        await running
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    # The protocol is named: asyncio turns Nagle's algorithm off only where it sees TCP, and with it
    # on each answer waits 40 ms for the client's delayed acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening
