"""Dates and times as ODK computes with them: days since 1970-01-01, of which a time is a fraction.

Local wall time throughout, as answers keep it: an offset behind a time is read and left aside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from babel import Locale, UnknownLocaleError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # UTC stands for the one zone that all values share
_DAY = 86_400
_WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})?"
    r"(?:(?:^|T)([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def days_of(text: str) -> float | None:
    """Days since 1970-01-01 of a date, a date with a time, or (from 0 to 1) a time; else None."""
    if len(text) == 10 and text[4] == text[7] == "-":
        return _date(text)
    match = _WRITTEN.fullmatch(text) if text else None
    if match is None:
        return None
    day, hour, minute, second = match.groups()
    days = _date(day) if day else 0.0
    if days is None:
        return None
    if hour:
        seconds = int(hour) * 3600 + int(minute) * 60 + float(second or 0)
        if int(hour) > 23 or int(minute) > 59 or float(second or 0) >= 60:
            return None
        days += seconds / _DAY
    return days


def _date(text: str) -> float | None:
    try:
        return float(date.fromisoformat(text).toordinal() - _EPOCH.toordinal())
    except ValueError:
        return None  # 31 September


def moment(days: float, step: int = 1) -> datetime | None:
    """The moment ``days`` after 1970-01-01, or None outside the years 1 to 9999.

    To the nearest ``step`` milliseconds: a day's part has been through a float.

    Its zone says UTC and means the local time of the interview.
    """
    if not math.isfinite(days):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=round(days * _DAY * 1000 / step) * step)
    except OverflowError:
        return None


_FORMATS: dict[str, Callable[[datetime, Locale], str]] = {
    "%": lambda _, __: "%",
    "Y": lambda t, _: f"{t.year:04}",
    "y": lambda t, _: f"{t.year % 100:02}",
    "m": lambda t, _: f"{t.month:02}",
    "n": lambda t, _: str(t.month),
    "b": lambda t, locale: str(locale.months["format"]["abbreviated"][t.month]),
    "W": lambda t, _: str(t.isocalendar().week),
    "d": lambda t, _: f"{t.day:02}",
    "e": lambda t, _: str(t.day),
    "a": lambda t, locale: str(locale.days["format"]["abbreviated"][t.weekday()]),
    "H": lambda t, _: f"{t.hour:02}",
    "h": lambda t, _: str(t.hour),
    "M": lambda t, _: f"{t.minute:02}",
    "S": lambda t, _: f"{t.second:02}",
    "3": lambda t, _: f"{t.microsecond // 1000:03}",
}
_PLACE = re.compile(r"%(.)", re.DOTALL)


def unknown_format(pattern: str) -> str:
    """The first ``%`` place of ``pattern`` that ODK does not know, '' where it knows all."""
    unknown = (match[0] for match in _PLACE.finditer(pattern) if match[1] not in _FORMATS)
    return next(unknown, "")


def formatted(days: float, pattern: str, language: str) -> str:
    """A moment in ODK's ``%`` places, names in ``language`` (English where it is not known).

    '' where there is no such moment; a place that is not known stays as it is.
    """
    time = moment(days)
    if time is None:
        return ""
    locale = _locale(language)
    return _PLACE.sub(
        lambda match: _FORMATS[match[1]](time, locale) if match[1] in _FORMATS else match[0],
        pattern,
    )


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language or "en", sep="-" if "-" in language else "_")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
