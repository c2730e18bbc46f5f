"""How often a campaign asks, as people say it, and the RFC 5545 rule that means the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from surveys.campaigns import Shift
from surveys.words import Words

WORDS = Words.of("desk", "campaigns")
LAST_OF_QUARTER, MONTHS = (3, 6, 9, 12), tuple(range(1, 13))
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST = 200  # characters of a rule


class Every(StrEnum):
    """How often. ``OWN`` is a rule that somebody wrote, and that nobody can say in few words."""

    QUARTER = "quarter"
    MONTH = "month"
    YEAR = "year"
    ONCE = "once"
    WEEK = "week"
    DAY = "day"
    OWN = "own"


class On(StrEnum):
    """On which day of the month."""

    DAY = "day"
    FIRST_WORKING = "first_working"
    LAST_WORKING = "last_working"
    LAST = "last"


WORKING = {On.FIRST_WORKING: Shift.AFTER, On.LAST_WORKING: Shift.BEFORE}
MONTHLY = (Every.QUARTER, Every.MONTH, Every.YEAR)
OFFERED = (Every.QUARTER, Every.MONTH, Every.WEEK, Every.YEAR, Every.ONCE, Every.OWN)
"""What a form offers; the others are only recognised."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """``month`` is of the quarter (1..3) or of the year (1..12); ``day`` of the month (1..31), or
    of the week (0 Monday .. 6) for ``Every.WEEK``. ``rule`` is the text of ``Every.OWN``.

    ``shift`` says where it goes when nobody works on that day. For the first and the last working
    day it follows from ``on``.
    """

    every: Every
    on: On = On.DAY
    month: int = 3
    day: int = 10
    rule: str = ""
    shift: Shift = Shift.NONE

    @property
    def months(self) -> tuple[int, ...]:
        """The months of the year in which something opens."""
        if self.every is Every.QUARTER:
            return tuple(month - 3 + self.month for month in LAST_OF_QUARTER)
        return (self.month,) if self.every is Every.YEAR else MONTHS


def rule_of(rhythm: Rhythm) -> str:
    """The RRULE that means ``rhythm``."""
    match rhythm.every:
        case Every.OWN:
            return rhythm.rule
        case Every.ONCE:
            return "FREQ=DAILY;COUNT=1"
        case Every.DAY:
            return "FREQ=DAILY"
        case Every.WEEK:
            return f"FREQ=WEEKLY;BYDAY={WEEKDAYS[rhythm.day]}"
        case Every.YEAR:
            months = f"FREQ=YEARLY;BYMONTH={rhythm.month};"
        case Every.QUARTER:
            months = f"FREQ=MONTHLY;BYMONTH={','.join(map(str, rhythm.months))};"
        case _:
            months = "FREQ=MONTHLY;"
    days = {
        On.DAY: f"BYMONTHDAY={rhythm.day}",
        On.LAST: "BYMONTHDAY=-1",
        On.FIRST_WORKING: "BYMONTHDAY=1",
        On.LAST_WORKING: "BYMONTHDAY=-1",
    }
    return months + days[rhythm.on]


def shift_of(rhythm: Rhythm) -> Shift:
    """Where an occurrence goes when nobody works on that day."""
    if rhythm.every in MONTHLY and rhythm.on in WORKING:
        return WORKING[rhythm.on]
    return rhythm.shift


def rhythm_of(rule: str, shift: Shift) -> Rhythm:
    """What ``rule`` and ``shift`` mean in people's words.

    ``Every.OWN`` for a rule that is not one of ours.
    """
    given = _parts(rule)
    for candidate in _candidates(given):
        if _parts(rule_of(candidate)) == given and shift_of(candidate) in (shift, Shift.NONE):
            return replace(candidate, shift=shift)
    return Rhythm(Every.OWN, rule=rule, shift=shift)


def _parts(rule: str) -> dict[str, object]:
    """A rule's parts, comparable: what is in a list in whatever order is the same."""
    pairs = (part.partition("=") for part in rule.strip().upper().split(";") if part)
    found: dict[str, object] = {name: frozenset(value.split(",")) for name, _, value in pairs}
    if found.get("INTERVAL") == {"1"}:
        del found["INTERVAL"]
    return found


def _candidates(given: dict[str, object]) -> list[Rhythm]:
    days = [
        int(day) for day in _values(given, "BYMONTHDAY") if re.fullmatch("[1-9]|[12]\\d|3[01]", day)
    ]
    # the working days first: they are the more exact words for the same rule
    ons = [Rhythm(Every.MONTH, on) for on in (*WORKING, On.LAST)]
    ons += [Rhythm(Every.MONTH, day=day) for day in days]
    months = [
        int(month) for month in _values(given, "BYMONTH") if re.fullmatch("[1-9]|1[0-2]", month)
    ]
    found = [Rhythm(Every.ONCE), Rhythm(Every.DAY)]
    found += [Rhythm(Every.WEEK, day=number) for number in range(7)]
    for on in ons:
        found.append(on)
        found += [replace(on, every=Every.QUARTER, month=month) for month in (1, 2, 3)]
        found += [replace(on, every=Every.YEAR, month=month) for month in months]
    return found


def _values(given: dict[str, object], name: str) -> frozenset[str]:
    value = given.get(name, frozenset())
    return value if isinstance(value, frozenset) else frozenset()


def told(rule: str, language: str) -> str:
    """A rule as it was written down, in plain words; as it stands where there are none for it."""
    rhythm = rhythm_of(rule, Shift.NONE)
    return rule if rhythm.every is Every.OWN else in_words(rhythm, language)


def in_words(rhythm: Rhythm, language: str) -> str:
    """When it asks, in plain words, without hour and zone: 每季度第3个月的10日."""
    told = _when(rhythm, language)
    named = rhythm.every in MONTHLY and rhythm.on in WORKING
    if rhythm.shift is Shift.NONE or named:
        return told
    return WORDS.say(f"rhythm.shift.{rhythm.shift}", language, when=told)


def _when(rhythm: Rhythm, language: str) -> str:
    say = WORDS.say
    every = rhythm.every
    if every in (Every.ONCE, Every.DAY, Every.OWN):
        return say(f"rhythm.{every}", language)
    if every is Every.WEEK:
        return say("rhythm.week", language, day=say(f"weekday.{rhythm.day}", language))
    on = say(f"on.{rhythm.on}", language, day=_nth(rhythm.day, language))
    if rhythm.on is On.DAY and rhythm.day > 28:
        short = every is Every.MONTH or rhythm.day > 29 or 2 in rhythm.months
        on = say("on.where_there_is", language, on=on) if short else on
    month = ""
    if every is Every.QUARTER:
        month = say(f"of_quarter.{rhythm.month}", language)
    elif every is Every.YEAR:
        month = say(f"month.{rhythm.month}", language)
    return say(f"rhythm.{every}", language, on=on, month=month)


def _nth(day: int, language: str) -> str:
    if language == "zh":
        return str(day)
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"
