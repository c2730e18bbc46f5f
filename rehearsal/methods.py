"""The Bot API's methods, bot side. Each takes the stage and a call and returns JSON text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rehearsal.delivery import (
    chat_of,
    deliver,
    edited_keyboard,
    finish_edit,
    marked_text,
    markup_of,
    message_id_of,
    own_message,
    reachable,
)
from rehearsal.files import get_file, send_audio, send_document, send_photo, send_video
from rehearsal.limits import units
from rehearsal.messages import dump
from rehearsal.parameters import Parameters
from rehearsal.refusals import NOT_MODIFIED, bad_request
from rehearsal.telegram import Stage
from rehearsal.webhooks import delete_webhook, get_webhook_info, set_webhook

Method = Callable[[Stage, Parameters], str]

_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
_COMMAND = re.compile(r"/?[a-z0-9_]{1,32}")


def get_me(stage: Stage, _: Parameters) -> str:
    can = {
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }
    return dump({**stage.bot, **can})


def get_chat(stage: Stage, p: Parameters) -> str:
    chat = chat_of(stage, p)
    gifts = ("unlimited", "limited", "unique")
    accepted = dict.fromkeys([*(f"{kind}_gifts" for kind in gifts), "premium_subscription"], False)
    accepted["gifts_from_channels"] = False
    full = {
        "id": chat.user.id,
        "type": "private",
        "first_name": chat.user.name,
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": accepted,
    }
    return dump(full)


def send_message(stage: Stage, p: Parameters) -> str:
    chat = chat_of(stage, p)
    words = marked_text(p, "text", "entities")
    if not words[0]:
        raise bad_request("message text is empty")
    if units(words[0]) > stage.limits.text_units:
        raise bad_request("message is too long")
    return deliver(stage, chat, p, words)


def send_chat_action(stage: Stage, p: Parameters) -> str:
    chat = chat_of(stage, p)
    if p.text("action") not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    reachable(chat)
    chat.actions += 1
    return "true"


def edit_message_text(stage: Stage, p: Parameters) -> str:
    chat, message = own_message(stage, p)
    text, found = marked_text(p, "text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if units(text) > stage.limits.text_units:
        raise bad_request("MESSAGE_TOO_LONG")
    if message.file is not None:
        raise bad_request("there is no text in the message to edit")
    keyboard = edited_keyboard(stage, p)
    same_words = text == message.text and (found or None) == message.entities
    if same_words and markup_of(keyboard) == markup_of(message.keyboard):
        raise bad_request(NOT_MODIFIED)
    message.text, message.entities = text, found or None
    message.replace_keyboard(keyboard)
    return finish_edit(stage, chat, message, again=True)


def edit_message_reply_markup(stage: Stage, p: Parameters) -> str:
    chat, message = own_message(stage, p)
    keyboard = edited_keyboard(stage, p)
    if markup_of(keyboard) == markup_of(message.keyboard):
        raise bad_request(NOT_MODIFIED)
    message.replace_keyboard(keyboard)
    # Taking a keyboard away draws nobody's eye to that message; changing its marks does.
    return finish_edit(stage, chat, message, again=keyboard is not None)


def delete_message(stage: Stage, p: Parameters) -> str:
    chat = chat_of(stage, p)
    message = chat.messages.get(message_id_of(p))
    if message is None:
        raise bad_request("message to delete not found")
    if stage.now() - message.date > stage.limits.deletable:
        raise bad_request("message can't be deleted for everyone")
    del chat.messages[message.message_id]
    if message in chat.recent:
        chat.recent.remove(message)
    stage.notify(chat)
    return "true"


def answer_callback_query(stage: Stage, p: Parameters) -> str:
    text = p.text("text")
    if units(text) > stage.limits.toast_units:
        raise bad_request("MESSAGE_TOO_LONG")
    query = stage.answer(p.text("callback_query_id"))
    chat = stage.chats[query.chat_id]
    if text:
        chat.notices.append((max(chat.messages, default=query.message_id), text))
        stage.notify(chat)
    return "true"


def set_my_commands(stage: Stage, p: Parameters) -> str:
    given = p.structure("commands", "can't parse commands JSON object") or []
    if not isinstance(given, list):
        raise bad_request("expected an Array of BotCommand")
    if len(given) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = [_command(raw) for raw in given]
    stage.commands[_scope(p)] = commands
    return "true"


def get_my_commands(stage: Stage, p: Parameters) -> str:
    return dump(stage.commands.get(_scope(p), []))


METHODS: dict[str, Method] = {
    "getme": get_me,
    "getchat": get_chat,
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "sendaudio": send_audio,
    "sendvideo": send_video,
    "senddocument": send_document,
    "sendchataction": send_chat_action,
    "editmessagetext": edit_message_text,
    "editmessagereplymarkup": edit_message_reply_markup,
    "deletemessage": delete_message,
    "answercallbackquery": answer_callback_query,
    "setmycommands": set_my_commands,
    "getmycommands": get_my_commands,
    "getfile": get_file,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
}


def _command(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    for name in ("command", "description"):
        if not isinstance(raw.get(name), str):
            raise bad_request(f"can't parse BotCommand: Can't find field \"{name}\"")
    if not _COMMAND.fullmatch(raw["command"]):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= units(raw["description"]) <= 256:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": raw["command"].removeprefix("/"), "description": raw["description"]}


def _scope(p: Parameters) -> tuple[str, str]:
    scope = p.structure("scope", "can't parse BotCommandScope JSON object") or {"type": "default"}
    if not isinstance(scope, dict):
        raise bad_request("can't parse BotCommandScope: BotCommandScope must be an Object")
    return dump(dict(sorted(scope.items()))), p.text("language_code")
