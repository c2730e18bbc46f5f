"""One update's way: understood, committed, answered; or buried. For polling and webhook alike."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiogram import Bot, Dispatcher

from bot.hearing import LISTENED, Blocking, Contact, is_command
from bot.saying import Owed, lay_out
from bot.screens import Screen, Screens
from bot.speaking import Speaker
from bot.trouble import Trouble, reason, trouble
from surveys.conversation import Conversation
from surveys.people import Address
from surveys.reply import Heard, Reply, Typed
from surveys.store import Store

Raw = Mapping[str, Any]
"""An update as Telegram sent it, not yet looked at."""

_log = logging.getLogger("minyi.bot")


@dataclass(frozen=True, slots=True)
class Handling:
    """What both ways of receiving do with an update.

    ``seal`` closes what is buried, so that a dead letter can be read with a key only.
    ``blocked`` is told when a person blocks (True) or unblocks (False) the bot.
    """

    bot: Bot
    dispatcher: Dispatcher
    conversation: Conversation
    store: Store
    seal: Callable[[bytes], bytes]
    clock: Callable[[], datetime]
    screens: Screens
    speaker: Speaker
    blocked: Callable[[Address, bool], Awaitable[None]] | None = None

    async def commit(self, raw: Raw) -> Owed:
        """Understand ``raw`` and let the core answer; when this returns, it is on disk."""
        if not any(kind in raw for kind in LISTENED):
            return Owed()
        match await self.dispatcher.feed_raw_update(self.bot, dict(raw)):
            case Contact() as contact:
                screen = self.screens.of(contact.chat)
                return lay_out(contact, await self._heard(contact, screen), screen)
            case Blocking(address, blocked) if self.blocked is not None:
                await self.blocked(address, blocked)
        return Owed()

    async def say(self, owed: Owed) -> None:
        """Say what is owed. What was said leaves ``owed``, so a second try repeats nothing.

        Raises what the table calls LATER; what Telegram refuses for good is logged and let go.
        """
        await self.speaker.say(owed)

    async def is_outage(self, error: Exception) -> bool:
        """Whether ``error`` is the store's absence rather than the update's own fault.

        The store is asked to write, for a full disk still reads. While it cannot, no update is to
        blame for anything.
        """
        if trouble(error) is not Trouble.UNSURE:
            return trouble(error) is Trouble.LATER
        now = self.clock().isoformat(timespec="seconds")
        try:
            await self.store.write(lambda tx: tx.put_note("telegram-trouble", now))
        except Exception as absence:
            _log.warning("the store cannot write: %s", reason(absence))
            return True
        return False

    async def bury(self, update_id: int, raw: Raw, why: str) -> None:
        """Keep ``raw`` as a sealed dead letter. Raises where the store cannot take it."""
        box = self.seal(json.dumps(raw).encode())
        await self.store.write(lambda tx: tx.bury(update_id, why, box))
        _log.error("update %d is buried: %s", update_id, why)

    async def _heard(self, contact: Contact, screen: Screen) -> tuple[Reply, ...]:
        if contact.heard is None:
            return ()
        heard = _timed(contact.heard, screen)
        return await self.conversation.receive(
            contact.address, heard, self.clock(), hint=contact.hint
        )


def _timed(heard: Heard, screen: Screen) -> Heard:
    """Mark words that were written before the open question could be read."""
    match heard:
        case Typed(text, event, amended=False) if text and not is_command(text):
            return replace(heard, hasty=screen.is_hasty(event))
    return heard


def person_of(raw: Raw) -> int:
    """Whose update it is, as far as an unchecked update tells; else a number of its own.

    Everything of one person is handled in the order it came.
    """
    for kind in LISTENED:
        event = raw.get(kind)
        sender = event.get("from") if isinstance(event, Mapping) else None
        person = sender.get("id") if isinstance(sender, Mapping) else None
        if isinstance(person, int):
            return person
    update_id = raw.get("update_id")
    return -update_id if isinstance(update_id, int) else 0
