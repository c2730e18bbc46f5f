"""Slow work with passwords: in threads of its own, so that neither the loop nor memory suffers.

One hash takes 64 MiB and a tenth of a second. There are two queues with one thread each: whoever
we know stands in the one, strangers in the other, so that however many strangers come, nobody
waits behind them who has been here before. In either a party has a few places and no more, and
whoever finds none is told to come back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from starlette.exceptions import HTTPException

from desk.entry.entering import Visit, tidy
from desk.entry.throttle import network

T = TypeVar("T")
PLACES, EACH = 40, 4  # in a queue, at work included; of them for one party


class Queue:
    """Places before one thread. Used from one event loop at a time."""

    def __init__(self, name: str) -> None:
        self._hand = ThreadPoolExecutor(1, thread_name_prefix=f"minyi-password-{name}")
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, party: str) -> Iterator[None]:
        """A place for ``party``; HTTPException 503 where none is left.

        Taken before an attempt is counted, so that whoever is turned away has tried nothing.
        """
        if self._taken.total() >= PLACES or self._taken[party] >= EACH:
            raise HTTPException(503, "busy")
        self._taken[party] += 1
        try:
            yield
        finally:
            self._taken[party] -= 1
            self._taken += Counter()  # forgets who has none

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, for whoever holds a place."""
        return await asyncio.get_running_loop().run_in_executor(self._hand, work)


KNOWN, STRANGERS = Queue("known"), Queue("stranger")


def queue_of(visit: Visit, login: str) -> tuple[Queue, str]:
    """Where somebody who gives their name as ``login`` stands, and as which party.

    A browser that signed in as ``login`` before is that login's. A stranger is whatever network
    they come from.
    """
    if visit.known(login):
        return KNOWN, tidy(login)
    return STRANGERS, network(visit.origin, wide=True)
