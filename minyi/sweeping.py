"""Once a day: the files that nobody kept are deleted."""

from __future__ import annotations

from datetime import datetime

from minyi.house import House
from surveys.files import attachments

_SWEPT = "swept"


async def sweep(house: House, now: datetime) -> int:
    """Delete what is due, the first time on each day (UTC); how many files went."""
    today = now.date()
    if house.vault is None or await house.store.read(lambda tx: tx.note(_SWEPT)) == str(today):
        return 0
    gone = await attachments.sweep(house.vault, house.store, today)
    await house.store.write(lambda tx: tx.put_note(_SWEPT, str(today)))
    return gone
