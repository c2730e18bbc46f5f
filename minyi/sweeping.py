"""Once a day: what nobody kept, or needs any more, is deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from minyi.house import House
from surveys.files import attachments
from surveys.forgetting import OWED

_SWEPT = "swept"
KEPT = timedelta(
    days=2
)  # sessions that ended, failed attempts, uploads, long work, idempotency keys


async def sweep(house: House, now: datetime) -> int:
    """Delete what is due, the first time on each day (UTC); how many files went.

    Where somebody was forgotten, no journal or free page holds them afterwards.
    """
    today, gone = now.date(), 0
    if await house.store.read(lambda tx: tx.note(_SWEPT)) == str(today):
        return 0
    if house.vault is not None:
        gone = await attachments.sweep(house.vault, house.store, today)
    await house.store.write(lambda tx: tx.drop_stale(now, now - KEPT))
    if await house.store.read(lambda tx: tx.note(OWED)):
        await house.store.write(lambda tx: tx.put_note(OWED, ""))  # first: more may be owed since
        try:
            await house.store.scrub(people=True)
        except TimeoutError:  # somebody reads for very long: tomorrow again
            await house.store.write(lambda tx: tx.put_note(OWED, "yes"))
    await house.store.write(lambda tx: tx.put_note(_SWEPT, str(today)))
    return gone
