"""What every play on the stage shares: its dates, its settings, and somebody who watches."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from minyi import loop
from minyi.house import House
from minyi.logs import set_log_level
from minyi.opening import NotReadyError
from minyi.playbill import Playbill
from minyi.settings import Settings
from minyi.steps import StepError
from rehearsal.backstage import TOKEN, Backstage
from rehearsal.clock import RehearsalClock

ZONE = ZoneInfo("Asia/Shanghai")
PERIOD = "2026Q4"
OPENS = datetime(2026, 12, 10, 9, tzinfo=ZONE)
CLOSES = OPENS + timedelta(days=14)
ORGANISATION = ("青山区", "Green Hill District")
BEAT = 0.25  # real seconds between two looks at what is due
UNLIMITED = ("--speed", "40000", "--overall", "0", "--per-chat", "0", "--keep-messages", "3")


@dataclass(frozen=True, slots=True)
class Options:
    """As typed. ``data`` is '' for the made-up district, else a file of ratings to replay."""

    once: bool = False
    data: str = ""
    sample: int = 0
    port: int = 8080
    seed: int = 20261210


def run(play: Coroutine[Any, Any, None]) -> int:
    """The exit status: 0 after the play, 1 with a plain sentence where it cannot be played."""
    set_log_level("warning")
    try:
        loop.run(play)
    except (NotReadyError, StepError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def staged(folder: Path, api_url: str, port: int) -> Settings:
    """Settings of a house on a stage: everything in ``folder``, Telegram at ``api_url``."""
    return Settings.model_validate(
        {
            "telegram_token": TOKEN,
            "telegram_api_url": api_url,
            "data_dir": folder,
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            "organisation_zh": ORGANISATION[0],
            "organisation_en": ORGANISATION[1],
        }
    )


async def published(house: House) -> bool:
    """Whether the quarter's scorecards are out."""
    return await house.store.read(lambda tx: tx.publication(PERIOD)) is not None


class Watch:
    """Looks at stage and ledger while time passes, and tells the playbill."""

    def __init__(self, house: House, stage: Backstage, bill: Playbill, every: float = 0.2) -> None:
        self._house = house
        self._stage = stage
        self._bill = bill
        self._every = every  # real seconds; a look counts every interview
        self._waves: tuple[str, ...] = ()
        self._most = (0, 0)

    async def follow(self, clock: RehearsalClock, house: House) -> None:
        """From the opening to the close, stopping where messages fall due until all is quiet."""
        days = [("the invitations go out", 0), ("a reminder, after three days", 3)]
        days += [("a last reminder, after seven days", 7)]
        for scene, day in days:
            due = OPENS + timedelta(days=day, minutes=1)
            await self.beside(clock.flow(due, real=1))
            self._bill.scene(scene)
            await self.learn()
            await self.settle()
        await self.beside(clock.flow(CLOSES + timedelta(minutes=1), real=2))

    async def learn(self) -> None:
        """Take note of the waves that there are now."""
        self._waves = await self._house.store.read(lambda tx: tuple(w.id for w in tx.waves()))

    async def look(self) -> tuple[int, ...]:
        """One look; the figures that stand still when nothing happens any more."""
        progress = await self._stage.ask("progress")
        counters = await self._stage.ask("counters")
        counts = await self._house.store.read(self._counts)
        self._bill.figures(progress, *counts)
        return (progress["deeds"]["answers"], counters["pending_updates"], *counts)

    async def settle(self, still: float = 1.2) -> None:
        """Wait until nothing has moved for ``still`` real seconds."""
        before, since = await self.look(), time.monotonic()
        while time.monotonic() - since < still:
            await asyncio.sleep(self._every)
            now = await self.look()
            if now != before:
                before, since = now, time.monotonic()

    async def beside(self, passing: Awaitable[None]) -> None:
        """Keep looking while ``passing`` runs."""
        task = asyncio.ensure_future(passing)
        while not task.done():
            await self.look()
            await asyncio.wait({task}, timeout=self._every)
        task.result()

    async def until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Keep looking until ``done``."""
        while not await done():
            await asyncio.sleep(self._every)
            await self.look()

    def _counts(self, tx: Any) -> tuple[int, int, int]:
        """Messages sent, interviews begun, interviews complete, over the waves of the play.

        The tally forgets the interviews; what was seen before it stays on the bill.
        """
        sent = begun = complete = 0
        for wave in self._waves:
            sent += sum(n for _, outcome, n in tx.delivery_counts(wave) if outcome == "sent")
            one, other = tx.interview_counts(wave)
            begun, complete = begun + one, complete + other
        self._most = max(self._most, (begun, complete))
        return (sent, *self._most)
