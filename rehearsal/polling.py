"""getUpdates: at most one poll waits; a second one ends it with 409, as in the official server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rehearsal.parameters import Parameters
from rehearsal.refusals import OTHER_POLLER, WEBHOOK_ACTIVE, Refusal, conflict
from rehearsal.telegram import Stage
from rehearsal.updates import Update


class LongPoll:
    """Waiting is in real seconds: it concerns the network, not the rehearsal's clock."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._waiting: asyncio.Future[None] | None = None
        self._offset: int | None = None
        self._started = 0.0
        self._next_conflict = 0.0

    async def get_updates(self, p: Parameters) -> str:
        """JSON list of updates; raises 409. Parameters: offset, limit 1-100, timeout 0-50 s."""
        if self._stage.webhook.url:
            await self._conflict_pause()
            raise conflict(WEBHOOK_ACTIVE)
        updates, limits = self._stage.updates, self._stage.limits
        offset = p.integer("offset")
        limit = min(max(p.integer("limit", 100), 1), 100)
        wait: float = min(max(p.integer("timeout"), 0), limits.poll_longest)
        updates.allow(p.structure("allowed_updates", "can't parse allowed_updates JSON object"))
        wait = self._slowed(offset, wait)
        found = updates.take(offset, limit)
        if found or not wait:
            return _joined(found)
        try:
            await self._wait(wait)
        except Refusal:
            await self._conflict_pause()
            raise
        return _joined(updates.take(max(offset, 0), limit))

    def end(self, reason: str) -> None:
        """Answer the waiting poll with 409."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(conflict(reason))
        self._waiting = None

    def close(self) -> None:
        """Let the waiting poll go with nothing, so that a server can stop."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _slowed(self, offset: int, wait: float) -> float:
        """A bot asking the same again and again is made to wait where there is nothing."""
        now = asyncio.get_running_loop().time()
        repeat = self._stage.limits.poll_repeat
        if offset == self._offset and now < self._started + repeat:
            wait = max(wait, repeat)
        self._offset, self._started = offset, now
        return wait

    async def _wait(self, seconds: float) -> None:
        self.end(OTHER_POLLER)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self._stage.updates.on_arrival = self._arrived
        try:
            async with asyncio.timeout(seconds):
                await waiting
        except TimeoutError:
            pass
        finally:
            if self._waiting is waiting:
                self._waiting = None
                if self._stage.updates.on_arrival == self._arrived:
                    self._stage.updates.on_arrival = None

    def _arrived(self, _: Update) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _conflict_pause(self) -> None:
        """Conflicts in quick succession are answered late, so that two bots cannot spin."""
        loop = asyncio.get_running_loop()
        repeat = self._stage.limits.poll_repeat
        if loop.time() < self._next_conflict:
            await asyncio.sleep(repeat)
        else:
            self._next_conflict = loop.time() + repeat


def _joined(updates: Sequence[Update]) -> str:
    return f"[{','.join(update.body for update in updates)}]"
