"""Typed words to an answer, in one place for all channels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from surveys.form import Kind, Question

TEXT_LIMIT = 1000  # code points of free text; ballots are padded to hold this many


@dataclass(frozen=True, slots=True)
class Trouble:
    """An expected mistake: a message key under ``trouble.`` and its arguments."""

    key: str
    arguments: Mapping[str, object] = field(default_factory=dict)


_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_COUNTED = re.compile(  # thousands, hundreds, tens, ones; 零 before ones where tens are left out
    r"([一二两三四五六七八九]?千)?(零?[一二两三四五六七八九]?百)?(零?[一二三四五六七八九]?十)?"
    r"(((?<![千百])|零)[一二两三四五六七八九])?"
)
_INT_MAX = 2**31 - 1
# XML can hold neither, nor can a database's text: control characters, lone surrogates, U+FFFE
_UNSPEAKABLE = ("Cc", "Cs")


def fold(words: str) -> str:
    """Words as compared: full-width to half, ① to 1, lower case, no punctuation around."""
    folded = unicodedata.normalize("NFKC", words).casefold().strip()
    return re.sub(r"^[\s\W_]+|[\s\W_]+$", "", folded) or folded  # a button may be all emoji


def whole_number(words: str) -> int | None:
    """A whole number in Arabic, full-width or Chinese digits (up to 9,999 in the latter)."""
    folded = unicodedata.normalize("NFKC", words).strip()
    if re.fullmatch(r"[+-]?(\d{1,10}|\d{1,3}(,\d{3}){1,3})", folded):  # 1,2 is a list of two
        return int(folded.replace(",", ""))
    return _chinese(folded)


def _chinese(words: str) -> int | None:
    if not words or any(char not in _DIGITS and char not in _UNITS for char in words):
        return None
    if not any(char in _UNITS for char in words):
        return int("".join(str(_DIGITS[char]) for char in words)) if len(words) < 10 else None
    if not _COUNTED.fullmatch(words):  # 三百五 may be 305 or 350: not guessed
        return None
    total, digit = 0, 0
    for char in words:
        if char in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[char], 0
        else:
            digit = _DIGITS[char]
    return total + digit


def understand(question: Question, words: str) -> str | Trouble:
    """The value that ``words`` give ``question``, or what to say where they give none."""
    match question.kind:
        case Kind.TEXT:
            text = "".join(filter(_speakable, words)).strip()
            if not text:
                return Trouble("not_text")
            if len(text) > TEXT_LIMIT:
                return Trouble("too_long", {"limit": TEXT_LIMIT, "length": len(text)})
            return text
        case Kind.INTEGER:
            number = whole_number(words)
            if number is None or abs(number) > _INT_MAX:
                return Trouble("not_a_number")
            return str(number)
        case Kind.SELECT_ONE:
            if question.indicator and whole_number(fold(words)) is not None:
                # is 5 the best grade or the fifth button? a guess could turn praise into blame
                return Trouble("which_grade")
            return _choice(question, words) or Trouble("not_a_choice")
        case Kind.SELECT_MULTIPLE:
            return _choices(question, words)
    return Trouble("not_understood")


def _speakable(char: str) -> bool:
    if char == "\n":
        return True
    return unicodedata.category(char) not in _UNSPEAKABLE and char not in "\ufffe\uffff"


def _choice(question: Question, words: str) -> str | None:
    """A choice by its label in any language, its position from 1, or its name."""
    said = fold(words)
    if not said:
        return None
    for choice in question.choices:
        if any(fold(label) == said for label in choice.label.values()):
            return choice.name
    number = whole_number(said)
    if number is not None:
        return question.choices[number - 1].name if 1 <= number <= len(question.choices) else None
    return next((c.name for c in question.choices if fold(c.name) == said), None)


def _choices(question: Question, words: str) -> str | Trouble:
    whole = _choice(question, words)
    if whole:
        return whole
    for mark in (r"[,，、;；\n]+", r"[,，、;；\s]+"):  # first as asked: English labels hold spaces
        names = {_choice(question, part) for part in re.split(mark, words) if part.strip()}
        if names and None not in names:
            return " ".join(choice.name for choice in question.choices if choice.name in names)
    return Trouble("not_choices")
