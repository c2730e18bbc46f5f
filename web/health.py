"""Whether this process lives, and whether it can do its work: for load balancers and watchdogs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

ALIVE, READY = "/healthz", "/readyz"
Look = Callable[[], Awaitable[bool]]


@dataclass
class Health:
    """What must be well for work to be done. ``looks`` are asked by name, all at once.

    Whoever asks often is told what was found ``kept`` seconds ago: the address is open to all. A
    look that takes longer than ``patience`` seconds, or fails, is not well.
    """

    looks: Mapping[str, Look]
    kept: float = 2.0
    patience: float = 3.0
    _found: tuple[float, tuple[str, ...]] | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def failing(self) -> tuple[str, ...]:
        """The names of what is not well, in the order of ``looks``."""
        async with self._one:
            if self._found is None or time.monotonic() - self._found[0] >= self.kept:
                well = await asyncio.gather(*(self._well(look) for look in self.looks.values()))
                names = tuple(n for n, good in zip(self.looks, well, strict=True) if not good)
                self._found = (time.monotonic(), names)
            return self._found[1]

    async def _well(self, look: Look) -> bool:
        try:
            async with asyncio.timeout(self.patience):
                return await look()
        except Exception:  # of whatever kind: it is not well, and says nothing to strangers
            return False


def alive() -> Route:
    """The process answers; nothing else is touched."""
    return Route(ALIVE, _alive)


async def _alive(request: Request) -> Response:
    return PlainTextResponse("ok")


def ready(health: Health) -> Route:
    """200, or 503 with the names of what is not ready. Why is in the log, not here."""

    async def answer(request: Request) -> Response:
        failing = await health.failing()
        told = {"ready": not failing, "not_ready": list(failing)}
        return JSONResponse(told, 503 if failing else 200)

    return Route(READY, answer)
