"""A reply cut to what one Telegram message may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from surveys.reply import Button, Reply

LONGEST = 4096
"""UTF-16 code units in one message (Bot API, sendMessage)."""
WIDEST = 8
"""Buttons in one keyboard row; Telegram drops what stands beyond."""

_BREAKS = tuple(
    re.compile(p) for p in (r".*\n", r".*[。！？；.!?;]+[”’\"')）]*\s*", r".*[\s，、,]")
)
"""Where to cut, best first: a line's end, a sentence's end, between words."""


@dataclass(frozen=True, slots=True)
class Page:
    """One message: its text, at most :data:`LONGEST` units, and its button rows."""

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()


def pages(reply: Reply) -> tuple[Page, ...]:
    """Lay ``reply`` out as messages, in order; the buttons stand under the last one.

    A reply without words has no page: Telegram refuses an empty message.
    """
    texts = list(_cut(reply.text.strip()))
    rows = tuple(row[i : i + WIDEST] for row in reply.rows for i in range(0, len(row), WIDEST))
    return (
        tuple(
            Page(text, rows if last else ())
            for text, last in zip(texts, [False] * (len(texts) - 1) + [True], strict=True)
        )
        if texts
        else ()
    )


def units(text: str) -> int:
    """The length of ``text`` as Telegram counts it: UTF-16 code units."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def _cut(text: str) -> Iterator[str]:
    while units(text) > LONGEST:
        head = _fitting(text)
        cut = next((m.end() for rule in _BREAKS if (m := _last(rule, head))), len(head))
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text


def _fitting(text: str) -> str:
    """The longest start of ``text`` that fits one message."""
    size = 0
    for index, character in enumerate(text):
        size += 2 if ord(character) > 0xFFFF else 1
        if size > LONGEST:
            return text[:index]
    return text


def _last(rule: re.Pattern[str], head: str) -> re.Match[str] | None:
    """The last break that leaves the message at least half full."""
    found = re.compile(rule.pattern, re.DOTALL).match(head)
    return found if found and found.end() > len(head) // 2 else None
