"""Typed words to an answer, in one place for all channels.

An answer is never a guess: words that may mean two things are asked back, and what is not
understood is said to be so, with an example of what would work.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

from surveys.forms.form import SELECTED, Choice, Kind, Label, Question
from surveys.typed.amounts import number_among
from surveys.typed.assent import MORE, NO, NO_MORE, SEEN, YES
from surveys.typed.listing import ranked, several
from surveys.typed.moments import read_date, read_datetime, read_time
from surveys.typed.numbers import shown, tidy, whole_number
from surveys.typed.picking import Offer, bare, fold, number_of
from surveys.typed.places import read_place
from surveys.typed.trouble import Trouble

__all__ = ["TEXT_LIMIT", "Trouble", "fold", "understand", "whole_number"]

LONGEST = 200  # characters of a number, a date or the like
TEXT_LIMIT = 1000  # code points of free text; ballots are padded to hold this many
_LONGEST = 2000  # code points that are looked at where no text is asked
_INT_MAX = 2**31 - 1
# XML can hold neither, nor can a database's text: control characters, lone surrogates, U+FFFE
_UNSPEAKABLE = ("Cc", "Cs")


def understand(
    question: Question, words: str, choices: Sequence[Choice], now: datetime
) -> str | Trouble:
    """The value that ``words`` give ``question``, or what to say where they give none.

    ``choices`` are those offered now, with their labels in all languages; ``now`` is local and
    says what day today is.
    """
    if question.kind is not Kind.TEXT and len(words) > _LONGEST:
        words = ""  # nothing that long is anything but a text
    match question.kind:
        case Kind.TEXT:
            return _text(words)
        case kind if kind not in SELECTED and len(words) > LONGEST:
            return understand(question, "", choices, now)
        case Kind.INTEGER | Kind.DECIMAL | Kind.RANGE:
            return _number(question, words, choices)
        case Kind.SELECT_ONE:
            return _one(words, choices, graded=question.indicator is not None)
        case Kind.SELECT_MULTIPLE:
            return several(words, choices)
        case Kind.RANK:
            return ranked(words, choices)
        case Kind.DATE | Kind.TIME | Kind.DATETIME:
            return _moment(question, words, now)
        case Kind.GEOPOINT:
            return read_place(words)
        case Kind.ACKNOWLEDGE:
            seen = Offer(choices).certain(words) or bare(words) in SEEN
            return "OK" if seen else Trouble("not_acknowledged")
        case Kind.MORE:
            return _more(words, choices)
        case _:
            return _elsewhere(question.kind)


def _text(words: str) -> str | Trouble:
    text = speakable(words).strip()
    if not text:
        return Trouble("not_text")
    if len(text) > TEXT_LIMIT:
        return Trouble("too_long", {"limit": TEXT_LIMIT, "length": len(text)})
    return text


def speakable(words: str) -> str:
    """``words`` without what neither XML nor a database's text can hold."""
    return "".join(filter(_speakable, words))


def _speakable(char: str) -> bool:
    if char == "\n":
        return True
    return unicodedata.category(char) not in _UNSPEAKABLE and char not in "\ufffe\uffff"


def _elsewhere(kind: Kind) -> Trouble:
    """What is answered otherwise than with words."""
    match kind:
        case Kind.IMAGE:
            return Trouble("not_an_image", {"kind": kind})
        case Kind.AUDIO:
            return Trouble("not_a_recording", {"kind": kind})
        case Kind.VIDEO:
            return Trouble("not_a_video", {"kind": kind})
        case Kind.FILE:
            return Trouble("not_a_file", {"kind": kind})
    return Trouble("not_understood")


# ---- numbers


def _number(question: Question, words: str, choices: Sequence[Choice]) -> str | Trouble:
    refusal = _refusal(question)
    if len(words) > 200:
        return refusal
    if question.kind is Kind.RANGE:
        labelled = Offer(choices, numbered=False).certain(words)
        if len(labelled) == 1:
            return choices[labelled[0]].name
    found = number_among(words, _asked(question))
    grade = number_of(words, graded=True) if question.kind is Kind.RANGE else None  # 7分
    if not found and grade is not None:
        found = (Decimal(grade),)
    if not found:
        comma = question.kind is not Kind.INTEGER and _comma(words)
        return Trouble("decimal_comma", {"example": comma}) if comma else refusal
    if len(found) > 1:
        one, other = map(shown, found)
        return Trouble("either", {"one": one, "other": other})
    number = found[0]
    if question.kind is Kind.RANGE:
        return _on_a_step(question, number, choices) or refusal
    if question.kind is Kind.DECIMAL:
        return shown(number)
    if number != int(number):
        return refusal
    if abs(number) > _INT_MAX:
        return Trouble("number_too_large", {"limit": _INT_MAX})
    return str(int(number))


def _refusal(question: Question) -> Trouble:
    match question.kind:
        case Kind.INTEGER:
            return Trouble("not_a_number")
        case Kind.RANGE if question.steps is not None:
            ends = question.steps.start, question.steps.end, question.steps.step
            start, end, step = (shown(Decimal(str(value))) for value in ends)
            return Trouble("off_range", {"start": start, "end": end, "step": step})
    return Trouble("not_a_decimal")


def _asked(question: Question) -> str:
    """All that the question says, in all its languages."""
    labels: tuple[Label, ...] = (question.label, question.hint, question.guidance)
    return " ".join(
        piece
        for label in labels
        for pieces in label.values()
        for piece in pieces
        if isinstance(piece, str)
    )


def _comma(words: str) -> str:
    """``1,5`` written with a point, where it is so written; else nothing."""
    text = tidy(words)
    whole, _, part = text.partition(",")
    plain = whole.lstrip("-").isdecimal() and part.isdecimal() and len(text) < 12
    return f"{int(whole)}.{part}" if plain else ""


def _on_a_step(question: Question, number: Decimal, choices: Sequence[Choice]) -> str | None:
    steps = question.steps
    if steps is None:
        return shown(number)
    start, end, step = (Decimal(str(value)) for value in (steps.start, steps.end, steps.step))
    if not min(start, end) <= number <= max(start, end) or (step and (number - start) % step):
        return None
    named = (choice.name for choice in choices if whole_or_part(choice.name) == number)
    return next(named, shown(number))


def whole_or_part(name: str) -> Decimal | None:
    """The number that a range's choice is named by."""
    try:
        return Decimal(name)
    except ArithmeticError:
        return None


# ---- choices


def _one(words: str, choices: Sequence[Choice], graded: bool) -> str | Trouble:
    offer = Offer(choices, graded)
    found = offer.find(words) or offer.partly(words)
    if len(found) == 1:
        return choices[found[0]].name
    if found:
        key = "which_grade" if number_of(words, graded) is not None else "several"
        if key == "several":
            return Trouble("several", {"indices": found})
        return Trouble("which_grade", {"indices": found})
    return Trouble("not_a_choice")


def _more(words: str, choices: Sequence[Choice]) -> str | Trouble:
    """Another one: yes, no, 还有, 没了. A number is no answer, for "2" may mean two more."""
    found = Offer(choices, numbered=False).find(words)
    if len(found) == 1:
        return choices[found[0]].name
    said = bare(words)
    if said in MORE | YES:
        return "1"
    if said in NO_MORE | NO:
        return "0"
    return Trouble("not_more")


# ---- dates and times


def _moment(question: Question, words: str, now: datetime) -> str | Trouble:
    found: date | time | Trouble
    match question.kind:
        case Kind.DATE:
            found = read_date(words, now.date(), question.appearance)
        case Kind.TIME:
            found = read_time(words, now)
        case _:
            found = read_datetime(words, now)
    return found if isinstance(found, Trouble) else found.isoformat()
