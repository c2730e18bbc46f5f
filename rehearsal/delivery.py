"""What the Bot API's methods share: finding a chat or message, checking, delivering."""

from __future__ import annotations

from typing import Any

from rehearsal import entities
from rehearsal.keyboards import Keyboard, read_keyboard
from rehearsal.limits import whole_seconds
from rehearsal.messages import Chat, Message
from rehearsal.parameters import Parameters
from rehearsal.refusals import bad_request, forbidden, too_many
from rehearsal.stored import StoredFile
from rehearsal.telegram import Stage

Marked = tuple[str, list[dict[str, Any]]]
"""Plain text and its entities."""


def chat_of(stage: Stage, p: Parameters) -> Chat:
    if not p.has("chat_id"):
        raise bad_request("chat_id is empty")
    chat = stage.chats.get(p.integer("chat_id"))
    if chat is None:
        raise bad_request("chat not found")
    return chat


def reachable(chat: Chat) -> None:
    if chat.user.deactivated:
        raise forbidden("user is deactivated")
    if chat.user.blocked:
        raise forbidden("bot was blocked by the user")
    if not chat.user.started:
        raise forbidden("bot can't initiate conversation with a user")


def message_id_of(p: Parameters) -> int:
    if not p.has("message_id"):
        raise bad_request("message identifier is not specified")
    return p.integer("message_id")


def own_message(stage: Stage, p: Parameters) -> tuple[Chat, Message]:
    if p.has("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    chat = chat_of(stage, p)
    message = chat.messages.get(message_id_of(p))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    reachable(chat)
    return chat, message


def marked_text(p: Parameters, name: str, marks: str) -> Marked:
    text, mode = p.text(name), p.text("parse_mode")
    if mode:
        text, found = entities.parse(text, mode)
    else:
        found = p.structure(marks, f"can't parse {marks} JSON object") or []
    # Telegram trims; offsets of entities hold only while the start stays.
    return (text.rstrip() if found else text.strip()), found


def keyboard_of(stage: Stage, p: Parameters) -> Keyboard | None:
    raw = p.structure("reply_markup", "can't parse reply keyboard markup JSON object")
    return read_keyboard(raw, stage.limits)


def edited_keyboard(stage: Stage, p: Parameters) -> Keyboard | None:
    keyboard = keyboard_of(stage, p)
    if keyboard is not None and keyboard.kind != "inline":
        raise bad_request("inline keyboard expected")
    return keyboard


def markup_of(keyboard: Keyboard | None) -> str:
    return keyboard.markup if keyboard is not None else ""


def finish_edit(stage: Stage, chat: Chat, message: Message, *, again: bool) -> str:
    message.edited = int(stage.now())
    if again:
        stage.show(chat, message)
    else:
        stage.notify(chat)
    return message.json(stage.bot_json, chat.chat_json)


def deliver(
    stage: Stage, chat: Chat, p: Parameters, words: Marked, file: StoredFile | None = None
) -> str:
    """Put the bot's message into the chat, or refuse as Telegram does; returns its JSON."""
    keyboard = keyboard_of(stage, p)
    reply = p.structure("reply_parameters", "can't parse reply parameters JSON object")
    if isinstance(reply, dict) and not (
        reply.get("allow_sending_without_reply") or reply.get("message_id") in chat.messages
    ):
        raise bad_request("message to be replied not found")
    reachable(chat)
    now = stage.now()
    wait = stage.pace.take(chat.user.id, now, stage.limits)
    if wait:
        raise too_many(whole_seconds(wait))
    text, found = words
    message = stage.new_message(chat, from_bot=True, text=text, entities=found or None)
    message.keyboard, message.file = keyboard, file
    stage.calls.note_message(chat.user.id, now)
    stage.show(chat, message)
    return message.json(stage.bot_json, chat.chat_json)
