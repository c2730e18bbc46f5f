"""The audit's end noted outside the database, requests that nobody decided upon, keys there are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from desk import approvals
from desk.audit import Flaw, seal_key
from desk.auditing import astray, blank, standing
from minyi.founding import READERS
from minyi.opening import keyring
from storage import FileHead

if TYPE_CHECKING:
    from desk.audit import Mark
    from minyi.house import House
    from minyi.settings import Settings
    from storage import SqlStore
    from web.console.console import KeyFact

AGAIN = timedelta(hours=1)  # between two alarms about the same
log = structlog.get_logger("minyi")


def audit_key(settings: Settings) -> bytes | None:
    """What seals the audit; None where there is no key, and none is made."""
    if not (settings.keys_dir / "app.key").is_file():
        return None
    return seal_key(keyring(settings).app_key())


def head_file(settings: Settings) -> FileHead:
    """Where the head is kept: in the data directory, in no backup."""
    return FileHead(settings.data_dir / "audit.head", audit_key(settings))


async def begin(store: SqlStore, settings: Settings) -> None:
    """Where nothing has happened yet, note that: from now on a missing note is a flaw."""
    file = head_file(settings)
    noted = await asyncio.to_thread(file.noted)
    if file.sealing and noted.flaw == "missing" and await store.read(blank):
        await asyncio.to_thread(file.begin)


async def keep(store: SqlStore, settings: Settings) -> Flaw | None:
    """Note the audit's head outside the database; whoever has no key notes nothing.

    Where something is wrong with the note, or the chain no longer holds what was noted, that is
    returned and the note left as it is, for it is the evidence.
    """
    file = head_file(settings)
    if not file.sealing:
        return None
    noted = await asyncio.to_thread(file.noted)

    def look(tx: Any) -> tuple[Flaw | None, Mark | None]:
        flaw, mark = astray(tx, noted), noted.mark
        return flaw, None if flaw is not None or mark is None else standing(tx, mark)

    flaw, head = await store.read(look)
    if head is not None:
        await asyncio.to_thread(file.keep, head)
    return flaw


async def keep_head(house: House) -> None:
    """The clock's part: note the head, and raise the alarm once an hour where it does not fit."""
    flaw = await keep(house.store, house.settings)
    if flaw is None:
        return
    now = house.clock()
    if house.alarmed_at is None or now - house.alarmed_at >= AGAIN:
        house.alarmed_at = now
        log.error("the audit's end is not as noted; see `minyi audit verify`", flaw=flaw.kind)


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
