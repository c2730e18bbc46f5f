"""Telegram's events and the core's words: the only two things a channel may do.

The handlers decode and nothing else; the conversation runs outside aiogram, so that an exception
carrying somebody's words never reaches aiogram's log.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from aiogram import Router
from aiogram.enums import ChatMemberStatus, ChatType, ContentType
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import (
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    User,
)

from bot.pages import Page, pages
from surveys.people import Address
from surveys.reply import Heard, Opened, Reply, Tapped, Typed

CHANNEL = "telegram"
LISTENED = ("message", "callback_query", "my_chat_member")
"""The update types asked for; every other one is let pass."""

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SAID = frozenset(
    {
        ContentType.ANIMATION,
        ContentType.AUDIO,
        ContentType.CONTACT,
        ContentType.DICE,
        ContentType.DOCUMENT,
        ContentType.LOCATION,
        ContentType.PAID_MEDIA,
        ContentType.PHOTO,
        ContentType.POLL,
        ContentType.STICKER,
        ContentType.STORY,
        ContentType.VENUE,
        ContentType.VIDEO,
        ContentType.VIDEO_NOTE,
        ContentType.VOICE,
    }
)
"""What a person sends as an answer, though it is not text; the rest are service messages."""


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


@dataclass(slots=True)
class Owed:
    """What is still to be said about one committed update; shrinks as it is said."""

    acknowledgement: AnswerCallbackQuery | None = None
    messages: deque[SendMessage | EditMessageText] = field(default_factory=deque)


def register(router: Router) -> None:
    """Three handlers without filters: a filter costs more than the handler (measured)."""
    router.message.register(on_message)
    router.callback_query.register(on_callback)
    router.my_chat_member.register(on_membership)


async def on_message(message: Message) -> Contact | None:
    """Words, or a photo or sticker where words were asked for; groups are left alone."""
    if message.chat.type != ChatType.PRIVATE:
        return None
    if message.text is not None:
        heard = _understood(message.text, message.message_id)
    elif message.content_type in _SAID:
        heard = Typed("", message.message_id)
    else:
        return None
    return Contact(message.chat.id, heard, _hint(message.from_user))


async def on_callback(query: CallbackQuery) -> Contact:
    """A press. Without a private message under it there is only the spinner to stop."""
    message = query.message
    person = query.from_user
    hint = _hint(person)
    if query.inline_message_id or (message and message.chat.type != ChatType.PRIVATE):
        return Contact(person.id, None, hint, query.id)
    editable = message.message_id if isinstance(message, Message) else None
    return Contact(person.id, Tapped(query.data or ""), hint, query.id, editable)


async def on_membership(event: ChatMemberUpdated) -> Blocking | None:
    """Blocked or unblocked; being put into a group is nobody's business here."""
    if event.chat.type != ChatType.PRIVATE:
        return None
    address = Address(CHANNEL, str(event.chat.id))
    return Blocking(address, event.new_chat_member.status == ChatMemberStatus.KICKED)


def lay_out(contact: Contact, replies: tuple[Reply, ...]) -> Owed:
    """Say ``replies`` where ``contact`` was made.

    On a press the tapped message becomes the first page, which also takes the question and its
    answer off the screen; everything else is sent below.
    """
    laid = deque(page for reply in replies for page in pages(reply))
    owed = Owed()
    if contact.callback is not None:
        owed.acknowledgement = AnswerCallbackQuery(callback_query_id=contact.callback)
        if contact.message is not None and laid:
            owed.messages.append(_edited(contact.chat, contact.message, laid.popleft()))
    owed.messages.extend(_sent(contact.chat, page) for page in laid)
    return owed


def sent_instead(edit: EditMessageText) -> SendMessage:
    """The same words as a new message, for when the tapped one can no longer be edited."""
    return SendMessage(
        chat_id=edit.chat_id or 0, text=edit.text or "", reply_markup=edit.reply_markup
    )


def _understood(text: str, event: int) -> Heard:
    """``/start PAYLOAD`` opens; every other command stays typed, without the bot's name."""
    if not text.startswith("/"):
        return Typed(text, event)
    command, _, rest = text.partition(" ")
    command = command.partition("@")[0]
    if command != "/start":
        return Typed(f"{command} {rest}" if rest else command, event)
    payload = rest.strip()
    return Opened(payload if _PAYLOAD.fullmatch(payload) else "")


def _hint(user: User | None) -> str:
    return (user.language_code if user else None) or ""


def _sent(chat: int, page: Page) -> SendMessage:
    return SendMessage(chat_id=chat, text=page.text, reply_markup=_keyboard(page))


def _edited(chat: int, message: int, page: Page) -> EditMessageText:
    return EditMessageText(
        chat_id=chat, message_id=message, text=page.text, reply_markup=_keyboard(page)
    )


def _keyboard(page: Page) -> InlineKeyboardMarkup | None:
    if not page.rows:  # an edit without markup takes the old buttons away
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=button.label, callback_data=button.data) for button in row]
            for row in page.rows
        ]
    )
