"""Time on a stage."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from rehearsal.clock import RehearsalClock

START = datetime(2026, 10, 9, tzinfo=UTC)
MONTH = timedelta(days=30)


async def test_time_flows_to_the_moment_and_not_beyond_however_busy_the_machine_is() -> None:
    clock = RehearsalClock(START)

    async def busy() -> datetime:
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 - the whole loop stands still
        return clock.now()

    seen = asyncio.create_task(busy())
    await clock.flow(START + MONTH, real=0.01)
    assert await seen == START + MONTH
    assert START + MONTH <= clock.now() < START + MONTH + timedelta(hours=1)
    before = clock.now()
    clock.run_at(3600)
    await asyncio.sleep(0.01)
    assert clock.now() - before >= timedelta(seconds=36)
