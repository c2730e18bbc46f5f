"""A step of an interview in words and buttons. The only place that lays a question out."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from surveys.forms.form import GATHERED, HANDED, Choice, Kind
from surveys.interview import Interview
from surveys.reply import Button
from surveys.saying import Ask, Line, Review
from surveys.typed.trouble import Trouble
from surveys.words import Words, pick

WORDS = Words.of("surveys")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{0,40}")
_PRESS = re.compile(r"([a-z]):([A-Za-z0-9_.-]{0,40}):([0-9]{1,15}):([0-9]{1,4})")
WIDE = 20  # columns; two buttons of at most this width share a row
NARROW = 6  # columns; five buttons of at most this width share a row
SCREEN = 12  # choices drawn at a time
LONG = 40  # columns of an answer shown on a button
KEPT = ("stale", "hasty", "amended_late", "amended_not_understood")  # no answer was looked for
LEAST = 3  # questions from which on it is said how far the interview is


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
    if label.isascii():
        return len(label)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in label)


def question_text(ask: Ask, interview: Interview) -> str:
    """Trouble first, then what leads to the question, the question, and how to answer it."""
    language = interview.language
    parts = [*_trouble(ask.trouble, language, ask.choices)]
    if ask.trouble and ask.guidance:
        parts.append(ask.guidance)
    parts += ask.heading
    if not ask.trouble:  # read once is enough
        parts += ask.notes
    if ask.answered:
        parts.append("\n".join(_line(line, language) for line in ask.answered))
    parts += [_asked(ask, language), ask.hint, _how(ask, language)]
    if ask.trouble and ask.can_skip and not ask.choices and ask.trouble.key not in KEPT:
        parts.append(WORDS.say("ask.or_skip", language))
    return "\n\n".join(part for part in parts if part)


def question_rows(
    ask: Ask, interview: Interview, name: str, page: int = 0, *, pause: bool = False
) -> tuple[tuple[Button, ...], ...]:
    """Choices first, side by side where they are short; then the other ways to go on."""
    language, turn = interview.language, interview.turn
    drawn = _drawn(ask, language)
    if ask.shown:
        drawn = [drawn[index] for index in ask.shown]
    pages = -(-len(drawn) // SCREEN)
    some = drawn[page % pages * SCREEN :][:SCREEN] if pages > 1 else drawn
    buttons = [Button(label, Press("a", name, turn, index).data()) for index, label in some]
    rows = _laid(buttons)
    if pages > 1 or ask.shown:
        following = 0 if ask.shown else (page + 1) % pages
        label = WORDS.say("button.more", language)
        rows = (*rows, (Button(label, Press("p", name, turn, following).data()),))
    if ask.preset and not interview.draft:
        label = WORDS.say("button.keep", language, value=_cut(ask.preset))
        rows = (*rows, (Button(label, Press("k", name, turn).data()),))
    ways = _ways(ask, interview, name)
    if pause:
        ways += (Button(WORDS.say("button.pause", language), Press("m", "pause").data()),)
    return (*rows, ways) if ways else rows


def review_text(review: Review, interview: Interview) -> str:
    """Every answer, numbered, so that one can be named in words."""
    language = interview.language
    lines = [
        WORDS.say("review.line", language, number=number, label=line.label, words=line.words)
        for number, line in enumerate(review.lines, 1)
    ]
    parts = (
        *_trouble(review.trouble, language),
        *review.notes,
        WORDS.say("review", language),
        "\n\n".join(lines),
        WORDS.say("review.how", language),
    )
    return "\n\n".join(part for part in parts if part)


def review_rows(review: Review, interview: Interview, name: str) -> tuple[tuple[Button, ...], ...]:
    """A number to change each answer, and one big button to send them all."""
    language, turn = interview.language, interview.turn
    changes = [
        Button(
            WORDS.say("button.revise", language, number=number),
            Press("v", name, turn, number - 1).data(),
        )
        for number in range(1, len(review.lines) + 1)
    ]
    rows = tuple(tuple(changes[at : at + 4]) for at in range(0, len(changes), 4))
    send = Button(WORDS.say("button.send", language), Press("y", name, turn).data())
    return ((send,), *rows)


def _trouble(
    trouble: Trouble | None, language: str, choices: Sequence[Choice] = ()
) -> tuple[str, ...]:
    if trouble is None:
        return ()
    arguments = dict(trouble.arguments)
    if "missing" in arguments:  # typed words do not tell in which language to name them
        named = (pick(choices[at].label, language) for at in trouble.indices)
        arguments["missing"] = WORDS.say("answer.and", language).join(named)
    return (WORDS.say(f"trouble.{trouble.key}", language, **arguments),)


def _asked(ask: Ask, language: str) -> str:
    """The question itself, under how far the interview is."""
    label = ask.label
    if ask.question.kind is Kind.MORE:
        first = ask.path.endswith("[1]")
        label = WORDS.say("ask.first" if first else "ask.another", language, label=label)
    elif ask.total >= LEAST or not ask.total:
        key = "ask.progress" if ask.total else "ask.number"
        so_far = WORDS.say(key, language, number=ask.number, total=ask.total)
        label = f"{so_far}\n{label}"
    return label


def _how(ask: Ask, language: str) -> str:
    """How to answer, where buttons do not show it."""
    kind, steps = ask.question.kind, ask.question.steps
    if kind is Kind.RANGE and steps is not None and not ask.choices:
        return WORDS.say(
            "ask.range", language, start=f"{steps.start:g}", end=f"{steps.end:g}",
            step=f"{steps.step:g}",
        )  # fmt: skip
    if kind is Kind.RANK:
        return WORDS.say("ask.rank", language)
    if kind in GATHERED:
        return WORDS.say("ask.several", language)
    if kind in HANDED or kind in (Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.GEOPOINT):
        return WORDS.say(f"ask.{kind}", language)
    return ""


def _line(line: Line, language: str) -> str:
    return WORDS.say("answer.line", language, label=line.label, words=line.words)


def _drawn(ask: Ask, language: str) -> list[tuple[int, str]]:
    """(index, label) of every choice, with its tick, its rank, or the number of its grade."""
    return [
        (index, _marked(ask, choice, pick(choice.label, language)))
        for index, choice in enumerate(ask.choices)
    ]


def _marked(ask: Ask, choice: Choice, label: str) -> str:
    match ask.question.kind:
        case Kind.SELECT_MULTIPLE:
            return ("☑ " if choice.name in ask.draft else "☐ ") + label
        case Kind.RANK if choice.name in ask.draft:
            return f"{ask.draft.index(choice.name) + 1}. {label}"
        case Kind.RANK:
            return f"◦ {label}"
    rates = ask.question.indicator and choice.name.isdecimal()
    return f"{choice.name} {label}" if rates and choice.name not in label else label


def _laid(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    """As many a row as their width allows, and rows as even as can be."""
    widest, count = max((width(button.label) for button in buttons), default=0), len(buttons)
    most = 1
    if widest <= NARROW and count > 3:
        most = 6
    elif widest <= NARROW * 2 and count <= 3:
        most = max(1, count)
    elif widest <= WIDE and count > 6:
        most = 2
    step = -(-count // -(-count // most)) if count else 1
    return tuple(tuple(buttons[at : at + step]) for at in range(0, count, step))


def _ways(ask: Ask, interview: Interview, name: str) -> tuple[Button, ...]:
    """Done, back, skip and later: whatever is open."""
    ways = (
        ("d", "button.done", bool(ask.draft) and ask.question.kind is Kind.SELECT_MULTIPLE),
        ("b", "button.back", ask.can_go_back),
        ("s", "button.clear" if ask.can_clear else "button.skip", ask.can_skip and not ask.draft),
    )
    language, turn = interview.language, interview.turn
    return tuple(
        Button(WORDS.say(key, language), Press(action, name, turn).data())
        for action, key, there in ways
        if there
    )


def _cut(words: str) -> str:
    """``words`` short enough for a button."""
    short_enough = words
    while width(short_enough) > LONG:
        short_enough = short_enough[:-1]
    return words if short_enough == words else f"{short_enough}…"
