"""Random answers, plausible enough to get through constraints and odd enough to test them."""

from __future__ import annotations

from random import Random

from surveys.forms.form import HANDED, Kind
from surveys.moves import Answered, Chose, Done, Gave, Move, Skipped, WentBack
from surveys.saying import Ask

_TEXTS = (
    *("a", "b", "ab", "a b", "Bob", "bob smith", "yes", "no", "true", "false", "TRUE", "x", "xy"),
    *("0", "1", "7", "007", "3", "3.0", "12", "-4", "1e3", "+5", "1.5", "0.0", "NaN", "Infinity"),
    *("13800138000", "23800138000", "AB123", "xAB1234", "a@b.com", "O'Neil", 'say "hi"', "a  b"),
    *("好", "一二三", "很好 的", "é", "1 2 3", "a-b_c", "2026-02-28", "12:30", "0x10", "1,000"),
    *("Hangzhou", "set", "hz", "apple", "1 1", "<b>", "a&b", "long enough to be long", "-", "."),
)
_DATES = (
    *("2026-02-28", "2024-02-29", "2024-03-01", "2025-12-31", "2026-01-01", "1970-01-01"),
    *("1969-12-31", "1990-06-15", "2010-11-22", "2012-10-25", "2016-05-05", "2030-07-04"),
    *("2026-07-31", "2026-08-01", "2026-07-30", "2000-01-31", "2008-07-31"),
)
_TIMES = ("00:00:00", "06:30:00", "09:00:00", "12:00:00", "12:01:00", "18:00:00", "23:59:00")
_INTEGERS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 20, 42, 100, -1, -2, -7)
_DECIMALS = (
    *("0", "1", "2.5", "0.5", "-0.5", "1.5", "-1.5", "3.14159", "-2.25", "0.1", "0.3", "100"),
    *("0.25", "0.75", "1.005", "2.675", "12.34", "99.995", "-3.7", "1234567.891", "0.001", "5"),
)
_PLACES = ("30.25 120.17 10 5", "23.13 113.26 21.5 0", "-33.9 151.2 0 12.5", "0.5 -0.5 0 0")


def move(ask: Ask, turn: int, chance: Random) -> Move:
    """What a person may do when asked: mostly answer, sometimes skip or go back."""
    dice = chance.random()
    if ask.draft:
        return Done(turn) if dice < 0.5 and ask.question.kind is not Kind.RANK else _press(
            ask, turn, chance
        )  # fmt: skip
    if dice < 0.06 and ask.can_go_back:
        return WentBack(turn)
    if dice < 0.18 and ask.can_skip:
        return Skipped(turn)
    if ask.question.kind is Kind.MORE:
        return Chose(0 if chance.random() < _again(ask.path) else 1, turn)
    if ask.choices:
        return _press(ask, turn, chance)
    return _say(ask.question.kind, ask, turn, chance)


def _again(path: str) -> float:
    """How likely another occurrence is: at most four, so that a walk ends."""
    number = int(path.rpartition("[")[2][:-1])
    return 0.75 if number <= 4 else 0.0


def _press(ask: Ask, turn: int, chance: Random) -> Move:
    """A choice that is not gathered yet."""
    left = [at for at, choice in enumerate(ask.choices) if choice.name not in ask.draft]
    return Chose(chance.choice(left), turn) if left else Done(turn)


def _say(kind: Kind, ask: Ask, turn: int, chance: Random) -> Move:
    match kind:
        case Kind.INTEGER:
            return Answered(str(chance.choice(_INTEGERS)))
        case Kind.DECIMAL:
            return Answered(chance.choice(_DECIMALS))
        case Kind.RANGE if ask.question.steps is not None:
            steps = ask.question.steps
            count = round((steps.end - steps.start) / steps.step)
            return Answered(f"{steps.start + steps.step * chance.randint(0, count):g}")
        case Kind.DATE:
            return Answered(chance.choice(_DATES))
        case Kind.TIME:
            return Answered(chance.choice(_TIMES)[:5])
        case Kind.DATETIME:
            return Answered(f"{chance.choice(_DATES)} {chance.choice(_TIMES)[:5]}")
        case Kind.GEOPOINT:
            return Gave(kind, chance.choice(_PLACES))
        case _ if kind in HANDED:
            return Gave(kind, "file")
        case Kind.TEXT:
            return Answered(chance.choice(_TEXTS))
    return Skipped(turn)  # a select that offers nothing, which is required
