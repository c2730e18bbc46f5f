"""Time on a stage: as fast as the play wants, never backwards."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta


class RehearsalClock:
    """Starts at ``start`` and runs ``speed`` rehearsal seconds in each real one."""

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        self._base = start
        self._since = time.monotonic()
        self._speed = speed
        self._until: datetime | None = None

    def now(self) -> datetime:
        """The present on stage (aware)."""
        moment = self._base + timedelta(seconds=(time.monotonic() - self._since) * self._speed)
        return moment if self._until is None else min(moment, self._until)

    def run_at(self, speed: float) -> None:
        """Change the speed from here on; 0 holds time still."""
        self._base, self._since, self._speed = self.now(), time.monotonic(), speed
        self._until = None

    async def sleep(self, seconds: float) -> None:
        """Sleep ``seconds`` of rehearsal time, at the speed of this moment."""
        await asyncio.sleep(seconds / self._speed if self._speed else 0)

    async def flow(self, until: datetime, real: float) -> None:
        """Let time pass until ``until`` in about ``real`` seconds, then hold it nearly still.

        A busy machine sleeps too long: a tenth of a second more would be days on stage.
        """
        ahead = (until - self.now()).total_seconds()
        if ahead > 0:
            self.run_at(ahead / real)
            self._until = until
            await asyncio.sleep(real)
        self._base = max(self.now(), until)
        self._since, self._speed, self._until = time.monotonic(), 1.0, None


class HeldClock:
    """Stands still until somebody sleeps on it or sets it on: what it times takes no real time, and
    is the same each time it is played.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The present on stage (aware)."""
        return self._at

    def set_on(self, at: datetime) -> None:
        """Let it be ``at``; an earlier moment changes nothing."""
        self._at = max(self._at, at)

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._at += timedelta(seconds=seconds)
        await asyncio.sleep(0)
