"""Long polling: Telegram's own queue is the inbox, and it forgets only what has been committed."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from aiogram.methods import DeleteWebhook, TelegramMethod

from bot.handling import Handling, Raw, person_of
from bot.hearing import LISTENED
from bot.ledger import Ledger
from bot.saying import Owed
from bot.trouble import Trouble, pause, reason, trouble

LEASE = "telegram-polling"
STRIKES = 4
"""How often a handler may fail on one update before it is buried."""
PATIENCE = 60.0
"""Seconds a committed answer's reply is tried for; the person can ask again by any message."""
_BREATH = 0.1
_LONGEST_BREATH = 1.0

Sleep = Callable[[float], Awaitable[None]]
_log = logging.getLogger("minyi.bot")


class RawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """``getUpdates`` whose answer is not decoded: one unreadable update must not block the rest."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int = 100
    timeout: int = 0
    allowed_updates: tuple[str, ...] = LISTENED


class Polling:
    """Fetches, hands each person's updates over in order, and confirms what is committed.

    People are served side by side, at most a hundred updates at once: Telegram shows no more
    beyond the oldest one that is unfinished.

    ``wait`` is the long poll in whole seconds, ``grace`` the seconds that what is running may
    still take at the end. ``term`` is how long another process waits for this one to be dead.
    """

    def __init__(
        self,
        handling: Handling,
        *,
        wait: int = 20,
        grace: float = 10.0,
        term: timedelta = timedelta(seconds=60),
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._handling = handling
        self._wait = wait
        self._grace = grace
        self._term = term
        self._sleep = sleep
        self._holder = uuid4().hex
        self._renew_at: datetime | None = None
        self._ledger = Ledger()
        self._queues: dict[int, deque[tuple[int, Raw]]] = {}
        self._chains: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Event()
        self._breath = _BREATH
        self._asked: int | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Receive until ``stop`` is set; then finish what runs, confirm it, and let go."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await _first(self._round(), stopping)
        finally:
            stopping.cancel()
            await self._finish()

    async def _round(self) -> None:
        """Keep the lease and fetch, step by step; after a failure wait, longer each time."""
        failures = 0
        while True:
            try:
                if await self._hold():
                    await self._step()
                    failures = 0
                    continue
                seconds = self._term.total_seconds() / 6  # somebody else polls: look again soon
            except Exception as error:
                failures += 1
                self._renew_at = None  # the first thing back is to make sure that we still may
                seconds = pause(error, failures)
                _log.warning("receiving failed: %s; again in %.1f s", reason(error), seconds)
            await self._sleep(seconds)

    async def _hold(self) -> bool:
        """Hold the lease, renewing it when a third of its term has passed."""
        now, holder = self._handling.clock(), self._holder
        if self._renew_at is not None and now < self._renew_at:
            return True
        first = self._renew_at is None
        until = now + self._term
        held = await self._handling.store.write(lambda tx: tx.take_lease(LEASE, holder, now, until))
        self._renew_at = now + self._term / 3 if held else None
        if held and first:  # a webhook left behind would answer every poll with 409
            await self._handling.bot(DeleteWebhook(drop_pending_updates=False))
        return held

    async def _step(self) -> None:
        """One fetch. While something runs, breathe first: asked at once, Telegram repeats it."""
        if await self._settled(self._breath):
            self._breath = _BREATH
            self._take(await self._fetch(self._wait))
        elif self._take(await self._fetch(0)):
            self._breath = _BREATH
        else:
            self._breath = min(self._breath * 2, _LONGEST_BREATH)

    async def _fetch(self, wait: int) -> Sequence[Raw]:
        # The HTTP request must outlive the long poll, but not by much.
        asked, self._asked = self._ledger.offset, None
        call = RawUpdates(offset=asked, timeout=wait)
        try:
            updates = await self._handling.bot(call, request_timeout=wait + 15)
        except asyncio.CancelledError:
            self._asked = asked  # the question is under way, and asking it confirms
            raise
        self._ledger.confirmed(updates)
        return updates

    def _take(self, updates: Sequence[Raw]) -> int:
        """Queue the updates not seen before by person; how many there were."""
        fresh = 0
        for raw in updates:
            update_id = raw.get("update_id")
            if not isinstance(update_id, int) or not self._ledger.begin(update_id):
                continue
            fresh += 1
            person = person_of(raw)
            if person in self._queues:
                self._queues[person].append((update_id, raw))
                continue
            self._queues[person] = deque([(update_id, raw)])
            chain = asyncio.create_task(self._chain(person))
            self._chains.add(chain)
            chain.add_done_callback(self._chains.discard)
        return fresh

    async def _settled(self, seconds: float) -> bool:
        """Wait until nothing runs, at most ``seconds``; whether it came so far."""
        try:
            async with asyncio.timeout(seconds):
                while self._ledger.running:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def _chain(self, person: int) -> None:
        """One person's updates, strictly one after the other."""
        queue = self._queues[person]
        try:
            while queue:
                update_id, raw = queue[0]
                owed = await self._committed(update_id, raw)
                await self._say(update_id, owed)
                self._done(update_id)
                queue.popleft()
        finally:
            del self._queues[person]

    async def _committed(self, update_id: int, raw: Raw) -> Owed:
        """Commit; bury after :data:`STRIKES` failures of our own; wait for as long as it takes
        where the store is gone."""
        strikes = attempt = 0
        while True:
            attempt += 1
            try:
                return await self._handling.commit(raw)
            except Exception as error:
                if trouble(error) is Trouble.HOPELESS:
                    strikes = STRIKES
                elif not await self._handling.is_outage(error):
                    strikes += 1
                why, seconds = reason(error), pause(error, attempt)
            if strikes >= STRIKES:
                await self._buried(update_id, raw, why)
                return Owed()
            await self._sleep(seconds)

    async def _buried(self, update_id: int, raw: Raw, why: str) -> None:
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._handling.bury(update_id, raw, why)
                return
            except Exception as error:
                _log.warning("update %d cannot be buried yet: %s", update_id, reason(error))
                await self._sleep(pause(error, attempt))

    async def _say(self, update_id: int, owed: Owed) -> None:
        """Reply; where Telegram is away, let the committed update go and keep trying a while."""
        attempt, waited = 0, 0.0
        while True:
            attempt += 1
            try:
                await self._handling.say(owed)
                return
            except Exception as error:
                self._done(update_id)
                seconds = pause(error, attempt)
                waited += seconds
                if waited > PATIENCE:
                    _log.warning("a reply was given up: %s", reason(error))
                    return
            await self._sleep(seconds)

    def _done(self, update_id: int) -> None:
        self._ledger.finish(update_id)
        self._moved.set()

    async def _finish(self) -> None:
        """What runs may end; what waits for better times stays in Telegram's queue."""
        if self._chains:
            await asyncio.wait(self._chains, timeout=self._grace)
        for chain in tuple(self._chains):
            chain.cancel()
        await asyncio.gather(*self._chains, return_exceptions=True)
        try:
            if self._ledger.offset not in (None, self._asked):
                await self._handling.bot(
                    RawUpdates(offset=self._ledger.offset, limit=1), request_timeout=5
                )
            await self._handling.store.write(lambda tx: tx.drop_lease(LEASE, self._holder))
        except Exception as error:  # harmless: it is delivered again, and the lease runs out
            _log.warning("not everything was confirmed at the end: %s", reason(error))


async def _first(work: Awaitable[None], stopping: asyncio.Task[bool]) -> None:
    """Run ``work`` until it ends or ``stopping`` does."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
