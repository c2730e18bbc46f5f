"""What needs attention, in words: on the first page, and in an administrator's chat."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from desk.attention import Item
from surveys.words import pick
from web.console.context import WORDS


def sentence(item: Item, language: str, zone: ZoneInfo) -> str:
    """``item`` in ``language``, its days reckoned in ``zone``."""
    filled = {name: _said(value, language, zone) for name, value in item.facts.items()}
    return WORDS.say(f"attention.{item.key}", language, **filled)


def _said(value: Any, language: str, zone: ZoneInfo) -> object:
    match value:
        case datetime():
            return format_date(value.astimezone(zone), "long", locale=language)
        case dict():
            return pick(value, language)
    return value
