"""Dates, times and both in one as people write them, seen from now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from surveys.typed.dates import Day, day_of, first_of, plain
from surveys.typed.hours import MIDNIGHT, Clock, clocked, time_of
from surveys.typed.trouble import Trouble

_NOW = {"now", "right now", "just now", "现在", "此刻", "刚才", "刚刚", "目前"}


def read_date(words: str, today: date, appearance: str = "") -> Day:
    """The day that ``words`` name, seen from ``today``.

    ``appearance`` is the question's: with ``year`` or ``month-year`` in it a year or a month will
    do, and the day is the first of it.
    """
    parts, text = appearance.split(), plain(words)
    if len(text) > 60:
        return Trouble("not_a_date")
    coarse = "year" if "year" in parts else "month" if "month-year" in parts else ""
    found = (first_of(text, today, coarse) if coarse else None) or day_of(text, today)
    if found == Trouble("not_a_date"):
        at = read_datetime(words, datetime.combine(today, time()))
        found = at.date() if isinstance(at, datetime) else found
    if isinstance(found, date) and coarse:
        return found.replace(day=1) if coarse == "month" else found.replace(month=1, day=1)
    return found


def read_time(words: str, now: datetime) -> Clock:
    """The time of day that ``words`` name.

    ``14:30`` and ``08:15`` are read by the 24-hour clock, 7:00 and later without 0 in front too;
    1:00 to 6:59 and spoken hours (两点半, half past two) need 上午 or 下午, am or pm.
    """
    text = clocked(words)
    if text in _NOW:
        return now.time().replace(second=0, microsecond=0, tzinfo=None)
    return time_of(text)


_JOINED = {
    "今早": "今天早上", "今晚": "今天晚上", "昨晚": "昨天晚上", "明早": "明天早上",
    "明晚": "明天晚上", "昨夜": "昨天夜里", "今天早": "今天早上",
    "this morning": "today in the morning",
    "this afternoon": "today in the afternoon", "this evening": "today in the evening",
}  # fmt: skip
_AGO = re.compile(
    r"(?:(?P<n>\d{1,4}) ?(?P<unit>分钟|分|个?小时|个?钟头)(?:以|之)?前)"
    r"|(?P<en>\d{1,4}|an?) (?P<eunit>minutes?|mins?|hours?) ago"
)


def read_datetime(words: str, now: datetime) -> datetime | Trouble:
    """The moment that ``words`` name, as local wall time without an offset.

    A date alone or a time alone is asked for the other half. Midnight "of" a day (晚上12点) may
    be its first or its last moment, and is asked.
    """
    text, here = clocked(words), now.replace(second=0, microsecond=0, tzinfo=None)
    if text in _NOW:
        return here
    if match := _AGO.fullmatch(text):
        number = 1 if match["en"] in {"a", "an"} else int(match["n"] or match["en"])
        unit = match["unit"] or match["eunit"]
        minutes = number * (1 if unit[0] in "分m" else 60)
        return here - timedelta(minutes=minutes)
    for name, meant in _JOINED.items():
        if text.startswith(name) and not text.startswith(meant):
            text = meant + text.removeprefix(name)
    text = re.sub(r"^today (in the \w+) (?:at )?(.*\d.*)$", r"today \2 \1", text)
    if len(text) > 60:
        return Trouble("not_a_datetime")
    found = list(_halves(text, now))
    settled = {moment for moment in found if isinstance(moment, datetime)}
    if len(settled) == 1:
        return settled.pop()
    if found and not settled:
        return next(trouble for trouble in found if isinstance(trouble, Trouble))
    return _half(text, now)


def _halves(text: str, now: datetime) -> Iterator[datetime | Trouble]:
    """What ``text`` means cut in two, for each cut that leaves a date and a time."""
    for cut in range(1, len(text)):
        if re.fullmatch(r"[0-9a-su-z]{2}", text[cut - 1 : cut + 1]):
            continue  # within a number or a word; before the T of 2026-11-22T14:30 is none
        first, second = text[:cut].strip(" ,"), text[cut:].strip(" ,")
        second = re.sub(r"^(?:t(?=\d)|at |的|on )", "", second).strip()
        for day, clock in ((first, second), (second, first)):
            at = time_of(re.sub(r"^(?:at |on )", "", clock))
            if at == Trouble("not_a_time"):
                continue
            on = day_of(day, now.date())
            if on != Trouble("not_a_date"):
                yield _joined(on, at, clock)


def _joined(on: Day, at: Clock, clock: str) -> datetime | Trouble:
    if isinstance(on, Trouble):
        return on
    if isinstance(at, Trouble):
        if at.key != "either":
            return at
        return Trouble("either", {k: f"{on.isoformat()} {v}" for k, v in at.arguments.items()})
    twelve = re.match(r"\D*12(?!\d)", clock) and not re.search(r"凌晨|\bam\b", clock)
    if at.hour == 0 and (twelve or clock in MIDNIGHT):
        one, other = (f"{day} {at:%H:%M}" for day in (on, on + timedelta(days=1)))
        return Trouble("either", {"one": one, "other": other})
    return datetime.combine(on, at)


def _half(text: str, now: datetime) -> Trouble:
    """Which half is missing, where the other one is there."""
    on = day_of(text, now.date())
    if isinstance(on, date):
        return Trouble("needs_time", {"date": on.isoformat()})
    if isinstance(time_of(text), time):
        return Trouble("needs_date")
    return Trouble("not_a_datetime") if on == Trouble("not_a_date") else on
