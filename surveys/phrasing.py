"""A step of an interview in words and buttons. The only place that lays a question out."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from surveys.form import Kind, Question
from surveys.interview import Ask, Interview
from surveys.reply import Button
from surveys.words import Words, pick

WORDS = Words.of("surveys")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{0,40}")
_PRESS = re.compile(r"([a-z]):([A-Za-z0-9_.-]{0,40}):([0-9]{1,15}):([0-9]{1,4})")
WIDE = 20  # columns; two buttons of at most this width share a row


@dataclass(frozen=True, slots=True)
class Press:
    """What a button means: an action on an interview as drawn at ``turn``."""

    action: str  # one letter, see conversation.py
    interview: str
    turn: int = 0
    index: int = 0

    def data(self) -> str:
        """As a button's data: ASCII, at most Telegram's 64 bytes."""
        return f"{self.action}:{short(self.interview)}:{self.turn}:{self.index}"

    @classmethod
    def read(cls, data: str) -> Press | None:
        """The inverse of :meth:`data`; None for anything else."""
        found = _PRESS.fullmatch(data)
        return None if found is None else cls(found[1], found[2], int(found[3]), int(found[4]))


def short(name: str) -> str:
    """``name`` where it fits a button's data, else a digest: a campaign's id may be in Chinese."""
    if _PLAIN.fullmatch(name):
        return name
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def width(label: str) -> int:
    """Columns a label takes: a Chinese character or an emoji takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in label)


def question_text(ask: Ask, interview: Interview) -> str:
    """Trouble first, then notes, the question, its hint, and how to answer where needed."""
    language = interview.language
    parts: list[str] = []
    if ask.trouble:
        parts.append(WORDS.say(f"trouble.{ask.trouble.key}", language, **ask.trouble.arguments))
    parts += ask.notes
    parts.append(ask.label)
    parts.append(ask.hint)
    if ask.question.kind is Kind.SELECT_MULTIPLE:
        parts.append(WORDS.say("ask.several", language))
    return "\n\n".join(part for part in parts if part)


def question_rows(ask: Ask, interview: Interview, name: str) -> tuple[tuple[Button, ...], ...]:
    """Choices first, one or two a row by their length; then done, back and skip."""
    language, turn = interview.language, interview.turn
    rows = _choice_rows(ask.question, interview, name)
    last: list[Button] = []
    if ask.can_go_back:
        last.append(Button(WORDS.say("button.back", language), Press("b", name, turn).data()))
    if ask.can_skip and not interview.draft:
        last.append(Button(WORDS.say("button.skip", language), Press("s", name, turn).data()))
    if interview.draft:
        last.append(Button(WORDS.say("button.done", language), Press("d", name, turn).data()))
    return (*rows, tuple(last)) if last else rows


def _choice_rows(
    question: Question, interview: Interview, name: str
) -> tuple[tuple[Button, ...], ...]:
    ticks = question.kind is Kind.SELECT_MULTIPLE
    buttons = []
    for index, choice in enumerate(question.choices):
        label = pick(choice.label, interview.language)
        if ticks:
            label = ("☑ " if choice.name in interview.draft else "☐ ") + label
        buttons.append(Button(label, Press("a", name, interview.turn, index).data()))
    pairs = len(buttons) > 6 and max(width(button.label) for button in buttons) <= WIDE
    step = 2 if pairs else 1
    return tuple(tuple(buttons[at : at + step]) for at in range(0, len(buttons), step))
