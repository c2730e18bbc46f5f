"""The audit's end noted outside the database, requests that nobody decided upon, keys there are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from desk import approvals
from desk.auditing import holds, standing
from minyi.founding import READERS
from storage import FileHead

if TYPE_CHECKING:
    from minyi.house import House
    from minyi.settings import Settings
    from storage import SqlStore
    from web.console.console import KeyFact

AGAIN = timedelta(hours=1)  # between two alarms about the same
log = structlog.get_logger("minyi")


def head_file(settings: Settings) -> FileHead:
    """Where the head is kept: in the data directory, in no backup."""
    return FileHead(settings.data_dir / "audit.head")


async def keep(store: SqlStore, settings: Settings) -> bool:
    """Note the audit's head outside the database.

    False where the chain no longer holds what was noted before: the note is left as it is, for it
    proves that something was cut off. ValueError where the note is damaged.
    """
    file = head_file(settings)
    kept = await asyncio.to_thread(file.kept)
    head, sound = await store.read(lambda tx: (standing(tx, kept), _sound(tx, kept)))
    if head is not None:
        await asyncio.to_thread(file.keep, *head)
    return sound


def _sound(tx: Any, kept: tuple[int, str] | None) -> bool:
    return kept is None or holds(tx, kept)


async def keep_head(house: House) -> None:
    """The clock's part: note the head, and raise the alarm once an hour where it does not fit."""
    if await keep(house.store, house.settings):
        return
    now = house.clock()
    if house.alarmed_at is None or now - house.alarmed_at >= AGAIN:
        house.alarmed_at = now
        log.error("the end of the audit is gone; see `minyi audit verify`")


async def keep_at_last(house: House) -> None:
    """Note the head once more when the house closes; nothing else fails because of it."""
    try:
        await keep_head(house)
    except Exception as error:
        log.error("audit failed", reason=type(error).__name__)


async def expire(house: House) -> None:
    """End the requests for approval whose time is over."""
    act = house.act()
    if await house.store.read(lambda tx: approvals.overdue(tx, act.at)):
        ended = await house.store.write(lambda tx: approvals.expire(tx, act, act.at))
        log.info("requests for approval ended", requests=ended)


async def keys(house: House) -> Sequence[KeyFact]:
    """Which keys there are; never a key, and none is made."""
    from web.console.console import KeyFact

    waves = await house.store.read(lambda tx: tx.waves())
    ring = house.keyring
    return [
        KeyFact("application", "", ring.has_app()),
        *(KeyFact("reader", name, ring.has_reader(name)) for name in READERS),
        *(
            KeyFact("wave", wave.id, ring.has_wave(wave.id), str(wave.state))
            for wave in sorted(waves, key=lambda wave: wave.opens_at, reverse=True)
        ),
    ]
