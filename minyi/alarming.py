"""Administrators told in their own chat, once, when something needs them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from desk.campaigns.alarms import Alarm, alarms, forget_ended, note_told, quiet, untold, watch
from desk.campaigns.days import calendar
from minyi.attending import chat_desk
from surveys.campaigns import Outcome

if TYPE_CHECKING:
    from minyi.house import House

LEASE, TERM = "alarms", timedelta(minutes=5)
EVERY = timedelta(minutes=1)  # a look counts rows of every open wave
log = structlog.get_logger("minyi")


async def tell(house: House) -> None:
    """Look at what needs somebody, and tell whoever has not heard of it."""
    now = house.clock()
    if house.looked_at is not None and abs(now - house.looked_at) < EVERY:
        return
    house.looked_at = now
    found = await house.store.read(lambda tx: list(alarms(tx, calendar(tx), now)))
    if await house.store.write(lambda tx: _noted(house, tx, found, now)):
        told = await _tell(house, found, now)
        if told:
            log.warning("administrators told", messages=told)


def _noted(house: House, tx: Any, found: list[Alarm], now: datetime) -> bool:
    """Note how things stand; False where it is another process's turn to look."""
    if not tx.take_lease(LEASE, house.name, now, now + TERM):
        return False
    watch(tx, now)
    forget_ended(tx, found, now)
    return True


async def _tell(house: House, found: list[Alarm], now: datetime) -> int:
    """One message for each alarm and chat; nobody is woken by one."""
    waiting = await house.store.read(lambda tx: untold(tx, found))
    if not waiting or quiet(now, house.settings.timezone):
        return 0
    sender, desk, told = house.sender(), chat_desk(house.settings, house.keyring), 0
    for alarm, account in waiting:
        chat, language = account.chat, account.language or house.settings.language
        if sender is None or chat is None:
            break
        verdict = await sender.notify(chat.handle, desk.alarmed(alarm, language))
        if verdict.outcome is Outcome.DUE:
            break  # Telegram takes nothing now; the next look tries again
        note = partial(note_told, alarm=alarm.name, account=account.id, now=now)
        await house.store.write(note)
        told += 1
    return told
