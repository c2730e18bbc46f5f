"""Long work: begun once, shown while it goes on, and known to have stopped when its process died.

While it runs here, how far it has come is kept in memory. The store knows that it began and, in the
transaction that did the work, what came of it. So where two processes are at the same work, because
one was silent for so long that the other took it for dead, only one of them can finish it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from desk.store import DeskStore, DeskTransaction, Work, WorkState

T = TypeVar("T")
_log = logging.getLogger("minyi.desk")
SILENT = timedelta(minutes=1)  # after that the process is taken for dead
BEAT = 15.0  # seconds between two signs of life
PLACES = 3  # tables that programs may bring at once: one is at work, the others wait


class FullError(Exception):
    """Every place is taken: somebody has to come again later."""


class SupersededError(Exception):
    """The work has ended, or somebody else has begun it anew, while this one was silent."""


@dataclass(frozen=True, slots=True)
class Far:
    """How far it has come: ``stage`` is a word of its kind's own; ``total`` 0: not known."""

    stage: str
    done: int = 0
    total: int = 0


Moved = Callable[[str, int, int], None]
"""Told (stage, done, total)."""


def interrupted(work: Work, now: datetime) -> bool:
    """Whether ``work`` began and nothing has been heard of it for too long."""
    return work.state is WorkState.RUNNING and now - work.seen_at > SILENT


def finish(
    tx: DeskTransaction, work: Work, now: datetime, state: WorkState, result: Mapping[str, object]
) -> None:
    """Write what came of it, beside what it was begun with; ``work`` is as it was begun.

    SupersededError where it is no longer this one's to finish; then nothing may stay of what the
    unit of work did.
    """
    ended = replace(work, seen_at=now, state=state, result={**work.result, **result})
    if not tx.move_work(ended):
        raise SupersededError


def _move(tx: DeskTransaction, lives: Work) -> None:
    tx.move_work(lives)


class Works:
    """The long work of this process."""

    def __init__(self) -> None:
        self._far: dict[str, Far] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="minyi-works")
        self._turn = asyncio.Lock()
        self._places = 0

    async def begin(
        self,
        store: DeskStore,
        clock: Callable[[], datetime],
        work: Work,
        do: Callable[[Moved], Awaitable[None]],
    ) -> Work:
        """Begin ``work``, unless that very one is under way or done; what there is of it now.

        ``do`` calls :func:`finish` itself, in the transaction that does the work. Where it raises,
        the work has failed.
        """

        def claim(tx: DeskTransaction) -> Work | None:
            tx.audit_head()  # nobody else claims meanwhile
            there = tx.work(work.id)
            if there is not None and not self._over(there, clock()):
                return there
            tx.put_work(work)
            return None

        there = await store.write(claim)
        if there is not None:
            return there
        self._far[work.id] = Far("")
        task = asyncio.create_task(self._run(store, clock, work, do))
        self._tasks[work.id] = task
        task.add_done_callback(lambda _: self._forget(work.id, task))
        return work

    def far(self, work: str) -> Far | None:
        """How far it has come, where it runs in this process."""
        return self._far.get(work)

    async def settled(self, work: str, seconds: float) -> None:
        """Wait until it has ended, but no longer than ``seconds``."""
        task = self._tasks.get(work)
        if task is not None:
            await asyncio.wait([task], timeout=seconds)

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the PLACES, before anything large is taken in; FullError where there is none."""
        if self._places >= PLACES:
            raise FullError
        self._places += 1
        try:
            yield
        finally:
            self._places -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Alone among all that is as large: a table of a million rows fills memory by itself."""
        async with self._turn:
            yield

    async def off_loop(self, do: Callable[[], T]) -> T:
        """What takes long and waits for nothing, beside the event loop and after its like."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, do)

    async def close(self, seconds: float | None = None) -> int:
        """Wait for what is under way, ``seconds`` at most; how many had to be cut off.

        Those wrote nothing of their result, fall silent, and are shown as interrupted.
        """
        late: set[asyncio.Task[None]] = set()
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks.values()), timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self._thread.shutdown(wait=not late, cancel_futures=True)
        return len(late)

    def _over(self, work: Work, now: datetime) -> bool:
        """Whether it came to nothing, so that it may begin anew."""
        dead = interrupted(work, now) and work.id not in self._tasks
        return dead or work.state is WorkState.FAILED

    def _forget(self, work: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(work) is task:
            del self._tasks[work]
            self._far.pop(work, None)

    async def _run(
        self,
        store: DeskStore,
        clock: Callable[[], datetime],
        work: Work,
        do: Callable[[Moved], Awaitable[None]],
    ) -> None:
        def moved(stage: str, done: int, total: int) -> None:
            self._far[work.id] = Far(stage, done, total)

        beating = asyncio.create_task(self._beat(store, clock, work))
        try:
            try:
                await do(moved)
            except SupersededError:
                raise
            except Exception as error:
                _log.exception("long work failed")
                name = type(error).__name__  # never its text: it may hold what somebody wrote
                await store.write(
                    lambda tx: finish(tx, work, clock(), WorkState.FAILED, {"error": name})
                )
        except SupersededError:
            _log.warning("long work left to whoever began it anew")
        finally:
            beating.cancel()

    async def _beat(self, store: DeskStore, clock: Callable[[], datetime], work: Work) -> None:
        """Say now and then that this process lives."""
        while True:
            await asyncio.sleep(BEAT)
            far = self._far.get(work.id, Far(""))
            lives = replace(work, seen_at=clock(), done=far.done, total=far.total)
            await store.write(partial(_move, lives=lives))
