"""Slow work with passwords: in two threads of its own, so that neither the loop nor memory suffers.

One hash takes 64 MiB and a tenth of a second. Two at a time are all there are in this process;
whoever finds a long queue is told to come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.exceptions import HTTPException

T = TypeVar("T")
HANDS, QUEUE = 2, 40


class Hashing:
    """A queue before ``HANDS`` threads. Used from one event loop at a time."""

    def __init__(self) -> None:
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="minyi-password")
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns; HTTPException 503 where too many wait already."""
        if self._waiting >= QUEUE:
            raise HTTPException(503, "busy")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hands, work)
        finally:
            self._waiting -= 1


HASHING = Hashing()
