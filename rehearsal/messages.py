"""Messages of a private chat, and their JSON."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.keyboards import Button, Keyboard
from rehearsal.refusals import StageMistake
from rehearsal.stored import Place, StoredFile

FORMER_KEYBOARDS = 3


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class User:
    """A person with a Telegram account. ``started`` is whether the bot may write to them."""

    id: int
    name: str
    language: str = "en"
    started: bool = False
    blocked: bool = False
    deactivated: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.id < 2**52:
            raise StageMistake(f"user id {self.id}: 1 to 2**52 - 1")
        if not self.name:
            raise StageMistake(f"user {self.id} needs a name")

    def json(self) -> str:
        return dump(
            {
                "id": self.id,
                "is_bot": False,
                "first_name": self.name,
                "language_code": self.language,
            }
        )


@dataclass(slots=True, eq=False)
class Message:
    """One message. ``shown`` grows each time its content comes to the person's eye anew."""

    message_id: int
    from_bot: bool
    date: int
    text: str
    entities: list[dict[str, Any]] | None = None
    keyboard: Keyboard | None = None
    file: StoredFile | None = None
    place: Place | None = None
    edited: int = 0
    shown: int = 0
    former: tuple[Keyboard, ...] = ()
    """Inline keyboards it carried before: a slow client may still show, and press, one of them."""

    def replace_keyboard(self, keyboard: Keyboard | None) -> None:
        if self.keyboard is not None and self.keyboard.kind == "inline":
            self.former = (self.keyboard, *self.former)[:FORMER_KEYBOARDS]
        self.keyboard = keyboard

    def json(self, sender: str, chat: str) -> str:
        """As the Bot API shows it; ``sender`` and ``chat`` are JSON already."""
        parts = [
            f'{{"message_id":{self.message_id},"from":{sender},"chat":{chat},"date":{self.date}'
        ]
        if self.edited:
            parts.append(f'"edit_date":{self.edited}')
        prefix = "caption_" if self.file is not None else ""
        for found in (self.file, self.place):
            if found is not None:
                parts.append(dump(found.fields())[1:-1])
        if self.text:
            parts.append(f'"{"caption" if prefix else "text"}":{dump(self.text)}')
        if self.entities:
            parts.append(f'"{prefix}entities":{dump(self.entities)}')
        if self.keyboard is not None and self.keyboard.kind == "inline":
            parts.append(f'"reply_markup":{self.keyboard.markup}')
        return ",".join(parts) + "}"


@dataclass(slots=True)
class Chat:
    """A private chat. Deleted messages are gone; ``recent`` are the bot's latest shown ones."""

    user: User
    user_json: str
    chat_json: str
    messages: dict[int, Message] = field(default_factory=dict)
    recent: deque[Message] = field(default_factory=lambda: deque(maxlen=6))
    notices: list[tuple[int, str]] = field(default_factory=list)
    """Toasts and alerts, each after the message with that id."""
    actions: int = 0
    watcher: Callable[[], None] | None = None

    def show(self, message: Message, order: int) -> None:
        message.shown = order
        if message in self.recent:
            self.recent.remove(message)
        self.recent.append(message)

    def find(
        self, label: str | None, data: str | None, message_id: int | None, stale: bool
    ) -> tuple[Message, Button]:
        """The lowest such button; ``stale``: one that the message no longer carries will do."""
        wanted = [self.messages.get(message_id)] if message_id else reversed(self.messages.values())
        for message in wanted:
            if message is None or not message.from_bot:
                continue
            shown = (message.keyboard,) if not stale else (message.keyboard, *message.former)
            for keyboard in shown:
                if keyboard is not None and keyboard.kind == "inline":
                    button = keyboard.find(label=label, data=data)
                    if button is not None:
                        return message, button
        raise StageMistake(f"user {self.user.id} sees no button {label or data!r} to press")

    def transcript(self) -> list[dict[str, Any]]:
        """The chat as the person sees it, top to bottom."""
        lines: list[dict[str, Any]] = []
        notices = sorted(self.notices, key=lambda notice: notice[0])
        for message in self.messages.values():
            while notices and notices[0][0] < message.message_id:
                lines.append({"from": "notice", "text": notices.pop(0)[1]})
            line: dict[str, Any] = {
                "message_id": message.message_id,
                "from": "bot" if message.from_bot else "person",
                "text": message.text,
                "buttons": message.keyboard.labels() if message.keyboard else [],
                "edited": bool(message.edited),
                "date": message.date,
            }
            if message.file is not None:
                file = message.file
                line["file"] = {"kind": file.kind, "name": file.name, "bytes": len(file.content)}
            if message.place is not None:
                line["place"] = [message.place.latitude, message.place.longitude]
            lines.append(line)
        lines.extend({"from": "notice", "text": text} for _, text in notices)
        return lines
