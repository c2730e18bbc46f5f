"""Real HTTP on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def serving(made: Callable[[str], ASGIApp]) -> AsyncIterator[str]:
    """Serve the application that ``made`` makes for its own root URL; the root URL."""
    with socket.socket(proto=socket.IPPROTO_TCP) as sock:  # asyncio spares those Nagle
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        config = uvicorn.Config(made(url), lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started:
            assert not running.done(), "the server did not start"
            await asyncio.sleep(0.005)
        try:
            yield url
        finally:
            server.should_exit = True
            await running
