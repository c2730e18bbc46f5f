"""Keyboards under a message, checked as Telegram checks them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from rehearsal.limits import Limits
from rehearsal.refusals import bad_request

_OTHER_ACTIONS = (
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


@dataclass(frozen=True, slots=True)
class Button:
    """``data`` is what a press sends back; None where a press sends nothing to the bot."""

    text: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Rows of buttons; ``markup`` is the JSON text it came from, echoed for inline ones."""

    kind: Literal["inline", "reply", "remove", "force"]
    rows: tuple[tuple[Button, ...], ...]
    markup: str

    def labels(self) -> list[list[str]]:
        return [[button.text for button in row] for row in self.rows]

    def find(self, *, label: str | None = None, data: str | None = None) -> Button | None:
        for row in self.rows:
            for button in row:
                if (label is None or button.text == label) and (
                    data is None or button.data == data
                ):
                    return button
        return None


def read_keyboard(raw: Any, limits: Limits) -> Keyboard | None:
    """A keyboard from decoded ``reply_markup``; None for none or an empty one. Raises 400s."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise bad_request("object expected as reply markup")
    if raw.get("keyboard"):
        rows = tuple(_rows(raw["keyboard"], 'Field "keyboard"', _reply_button))
        return _within(Keyboard("reply", rows, _text(raw)), limits)
    if raw.get("inline_keyboard"):
        name = 'Field "inline_keyboard" of the InlineKeyboardMarkup'
        given = raw["inline_keyboard"]
        rows = tuple(_rows(given, name, lambda button: _inline_button(button, limits)))
        return _within(Keyboard("inline", rows, _text({"inline_keyboard": given})), limits)
    if raw.get("remove_keyboard"):
        return Keyboard("remove", (), "")
    return Keyboard("force", (), "") if raw.get("force_reply") else None


def _text(raw: Any) -> str:
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))


def _rows(raw: Any, name: str, read: Any) -> Any:
    if not isinstance(raw, list) or not all(isinstance(row, list) for row in raw):
        raise bad_request(f"{name[0].lower()}{name[1:]} must be an Array of Arrays")
    for row in raw:
        if row:
            yield tuple(read(button) for button in row)


def _within(keyboard: Keyboard, limits: Limits) -> Keyboard | None:
    count = 0
    for row in keyboard.rows:
        count += len(row)
        if len(row) > limits.row_buttons:
            raise bad_request("reply markup is too long")
    if count > limits.buttons or len(keyboard.markup.encode()) > limits.markup_bytes:
        raise bad_request("reply markup is too long")
    return keyboard if count else None


def _reply_button(raw: Any) -> Button:
    if isinstance(raw, str):
        return Button(raw)
    if not isinstance(raw, dict) or not isinstance(raw.get("text"), str):
        raise bad_request(
            "can't parse keyboard button: KeyboardButton must be a String or an Object"
        )
    return Button(raw["text"])


def _inline_button(raw: Any, limits: Limits) -> Button:
    start = "can't parse inline keyboard button: "
    if not isinstance(raw, dict):
        raise bad_request(start + "InlineKeyboardButton must be an Object")
    text = raw.get("text")
    if not isinstance(text, str):
        raise bad_request(start + 'Can\'t find field "text"')
    if not text.strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    data = raw.get("callback_data")
    if data is not None:
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= limits.callback_bytes:
            raise bad_request("BUTTON_DATA_INVALID")
        return Button(text, data)
    if "url" in raw:
        return Button(text, None, _checked_url(raw["url"]))
    if any(name in raw for name in _OTHER_ACTIONS):
        return Button(text)
    raise bad_request(start + "Text buttons are unallowed in the inline keyboard")


def _checked_url(url: Any) -> str:
    """Telegram refuses addresses without a dot in the host, ``localhost`` among them."""
    parts = urlsplit(url if isinstance(url, str) else "")
    if parts.scheme not in {"http", "https", "tg"}:
        raise bad_request(
            f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol"
        )
    host = parts.hostname or ""
    if parts.scheme != "tg" and "." not in host and ":" not in host:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    return str(url)
