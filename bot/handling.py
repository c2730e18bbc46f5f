"""One update's way: understood, committed, answered; or buried. For polling and webhook alike."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.methods import EditMessageText, SendMessage

from bot.channel import LISTENED, Blocking, Contact, Owed, lay_out, sent_instead
from bot.trouble import Trouble, reason, trouble
from surveys.conversation import Conversation
from surveys.people import Address
from surveys.reply import Reply
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
    blocked: Callable[[Address, bool], Awaitable[None]] | None = None

    async def commit(self, raw: Raw) -> Owed:
        """Understand ``raw`` and let the core answer; when this returns, it is on disk."""
        if not any(kind in raw for kind in LISTENED):
            return Owed()
        match await self.dispatcher.feed_raw_update(self.bot, dict(raw)):
            case Contact() as contact:
                return lay_out(contact, await self._heard(contact))
            case Blocking(address, blocked) if self.blocked is not None:
                await self.blocked(address, blocked)
        return Owed()

    async def say(self, owed: Owed) -> None:
        """Say what is owed. What was said leaves ``owed``, so a second try repeats nothing.

        Raises what the table calls LATER; what Telegram refuses for good is logged and let go.
        """
        await asyncio.gather(self._acknowledge(owed), self._speak(owed))

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

    async def _heard(self, contact: Contact) -> tuple[Reply, ...]:
        if contact.heard is None:
            return ()
        return await self.conversation.receive(
            contact.address, contact.heard, self.clock(), hint=contact.hint
        )

    async def _acknowledge(self, owed: Owed) -> None:
        """Stop the spinner. Cosmetic: too late, or not at all, harms nobody."""
        acknowledgement, owed.acknowledgement = owed.acknowledgement, None
        if acknowledgement is None:
            return
        try:
            await self.bot(acknowledgement)
        except AiogramError as error:
            _log.info("a press was not acknowledged: %s", type(error).__name__)

    async def _speak(self, owed: Owed) -> None:
        while owed.messages:
            message = owed.messages[0]
            try:
                await self._one(message)
            except AiogramError as error:
                if trouble(error) is Trouble.LATER:
                    raise
                _log.warning("%s refused: %s", message.__api_method__, type(error).__name__)
            owed.messages.popleft()

    async def _one(self, message: SendMessage | EditMessageText) -> None:
        if isinstance(message, SendMessage):
            await self.bot(message)
            return
        try:
            await self.bot(message)
        except TelegramBadRequest as error:
            if "message is not modified" not in error.message:
                await self.bot(sent_instead(message))


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
