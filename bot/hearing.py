"""Telegram's events, understood: the first of the two things that a channel may do.

The handlers decode and nothing else; the conversation runs outside aiogram, so that an exception
carrying somebody's words never reaches aiogram's log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from aiogram import Router
from aiogram.enums import ChatMemberStatus, ChatType, ContentType
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, User

from bot.files import Files, Parcel, parcel
from surveys.people import Address
from surveys.reply import Handed, Heard, Located, Opened, Tapped, Typed

CHANNEL = "telegram"
LISTENED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The update types asked for; every other one is let pass."""

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WORDLESS = frozenset(
    {
        ContentType.CONTACT,
        ContentType.DICE,
        ContentType.PAID_MEDIA,
        ContentType.POLL,
        ContentType.STICKER,
        ContentType.STORY,
    }
)
"""What a person sends as an answer, though nothing is answered by it; the rest are service
messages."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person did something in a chat.

    ``heard`` is None where nothing is to be understood but a press wants its spinner stopped.
    ``callback`` is the press's id; ``message`` the message it was made on, where editable.
    """

    chat: int
    heard: Heard | None
    hint: str
    callback: str | None = None
    message: int | None = None

    @property
    def address(self) -> Address:
        """Where the core knows this chat."""
        return Address(CHANNEL, str(self.chat))


@dataclass(frozen=True, slots=True)
class Blocking:
    """The person stopped the bot (``blocked``) or took it back."""

    address: Address
    blocked: bool


@dataclass(frozen=True, slots=True)
class Hearing:
    """The handlers. ``files`` fetches what people hand over."""

    files: Files

    def register(self, router: Router) -> None:
        """Four handlers without filters: a filter costs more than the handler (measured)."""
        router.message.register(self.on_message)
        router.edited_message.register(self.on_edit)
        router.callback_query.register(self.on_callback)
        router.my_chat_member.register(self.on_membership)

    async def on_message(self, message: Message) -> Contact | None:
        """Words, a place, a file, or a sticker where words were asked for; groups are left
        alone."""
        if message.chat.type != ChatType.PRIVATE:
            return None
        heard = self._heard(message)
        if heard is None:
            return None
        return Contact(message.chat.id, heard, _hint(message.from_user))

    async def on_edit(self, message: Message) -> Contact | None:
        """Words changed after they were sent. A live location that moves is no new answer."""
        if message.chat.type != ChatType.PRIVATE or message.text is None:
            return None
        heard = Typed(_bare(message.text), message.message_id, amended=True)
        return Contact(message.chat.id, heard, _hint(message.from_user))

    async def on_callback(self, query: CallbackQuery) -> Contact:
        """A press. Without a private message under it there is only the spinner to stop."""
        message = query.message
        person = query.from_user
        hint = _hint(person)
        if query.inline_message_id or (message and message.chat.type != ChatType.PRIVATE):
            return Contact(person.id, None, hint, query.id)
        editable = message.message_id if isinstance(message, Message) else None
        return Contact(person.id, Tapped(query.data or ""), hint, query.id, editable)

    async def on_membership(self, event: ChatMemberUpdated) -> Blocking | None:
        """Blocked or unblocked; being put into a group is nobody's business here."""
        if event.chat.type != ChatType.PRIVATE:
            return None
        address = Address(CHANNEL, str(event.chat.id))
        return Blocking(address, event.new_chat_member.status == ChatMemberStatus.KICKED)

    def _heard(self, message: Message) -> Heard | None:
        event = message.message_id
        if message.text is not None:
            return _understood(message.text, event)
        if message.location is not None:  # a venue has one too
            place = message.location
            accuracy = place.horizontal_accuracy or 0.0
            return Located(place.latitude, place.longitude, accuracy, event)
        if (handed := parcel(message)) is not None:
            return self._handed(message.chat.id, handed, event)
        return Typed("", event) if message.content_type in _WORDLESS else None

    def _handed(self, chat: int, handed: Parcel, event: int) -> Handed:
        fetch = partial(self.files.fetch, chat, handed)
        return Handed(handed.kind, fetch, handed.name, handed.size, event)


def is_command(text: str) -> bool:
    """Whether typed words are a command, which answers no question."""
    return text.startswith("/")


def _understood(text: str, event: int) -> Heard:
    """``/start PAYLOAD`` opens; every other command stays typed, without the bot's name."""
    said = _bare(text)
    command, _, rest = said.partition(" ")
    if command != "/start":
        return Typed(said, event)
    payload = rest.strip()
    return Opened(payload if _PAYLOAD.fullmatch(payload) else "")


def _bare(text: str) -> str:
    """``/help@our_bot me`` -> ``/help me``."""
    if not is_command(text):
        return text
    command, space, rest = text.partition(" ")
    return command.partition("@")[0] + space + rest


def _hint(user: User | None) -> str:
    return (user.language_code if user else None) or ""
