"""What /readyz looks at: whether this process could do its work if somebody came now."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping

from minyi.house import House
from storage import newest_revision, revision
from web.health import Look

LEAST = 64 * 2**20  # bytes free: below this, answers may not be written
LATE = 6  # rounds of the clock that may be missed


class Ticks:
    """When the clock last came round, and whether it is being stopped."""

    def __init__(self, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = LATE * every + 30  # a busy machine is not a dead one
        self._clock = clock
        self._last = clock()
        self.stopping = False

    def note(self) -> None:
        """It came round."""
        self._last = self._clock()

    async def lately(self) -> bool:
        """Whether it did so within the last rounds."""
        return self._clock() - self._last < self._patience

    async def staying(self) -> bool:
        """Whether nobody has told the process to end."""
        return not self.stopping


def looks(house: House, ticks: Ticks) -> Mapping[str, Look]:
    """Each thing that must be well, by the name that strangers see."""
    newest = newest_revision()

    async def database() -> bool:
        url = house.settings.database
        return await asyncio.to_thread(revision, url) == newest

    async def writer() -> bool:
        await house.store.write(lambda tx: tx.note("ready"))  # looks, by the way that writes go
        return True

    async def disk() -> bool:
        return shutil.disk_usage(house.settings.data_dir).free > LEAST

    return {
        "database": database,
        "writer": writer,
        "disk": disk,
        "clock": ticks.lately,
        "process": ticks.staying,
    }
