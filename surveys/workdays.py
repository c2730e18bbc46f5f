"""Which days are worked: weekends, public holidays, and the weekends worked to make up for them.

China announces each year's holidays, and the weekends worked instead, in the autumn before; until
then only the lunar and solar feasts are known. What an office knows better stands in overrides;
that they are a year's whole notice is said apart, for no count of them could tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import holidays

from surveys.campaigns import Shift

COUNTRY = "CN"
FAR = 40  # days: no country rests longer


@dataclass(frozen=True, slots=True)
class Override:
    """A day that is worked, or not, whatever the public calendar says. ``name`` says why."""

    day: date
    works: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Workdays:
    """The calendar that an office works by. ``overrides`` by day; an ISO ``country``.

    ``whole`` are years of which the office says that it entered all of the notice.
    """

    overrides: Mapping[date, Override] = field(default_factory=dict)
    country: str = COUNTRY
    whole: frozenset[int] = frozenset()

    def works(self, day: date) -> bool:
        """Whether people work on ``day``."""
        own = self.overrides.get(day)
        return _works(self.country, day) if own is None else own.works

    def named(self, day: date, language: str) -> str:
        """Why ``day`` is as it is, where it is not an ordinary one; '' where it is."""
        own = self.overrides.get(day)
        if own is not None:
            return own.name
        off = _year(self.country, day.year)[0].get(day)
        return "" if off is None else off[language == "zh"]

    def announced(self, year: int) -> bool:
        """Whether the make-up working days of ``year`` are known: published, or entered whole."""
        return year in self.whole or bool(_year(self.country, year)[1])

    def shifted(self, day: date, shift: Shift) -> date:
        """``day``, or the nearest working day in the direction of ``shift``."""
        if shift is Shift.NONE:
            return day
        step = timedelta(days=-1 if shift is Shift.BEFORE else 1)
        at = day
        for _ in range(FAR):
            if self.works(at):
                return at
            at += step
        return day  # overrides that leave no working day: better on the day than never


@lru_cache(maxsize=64)
def _year(country: str, year: int) -> tuple[Mapping[date, tuple[str, str]], frozenset[date]]:
    """(day off -> its name in English and Chinese, weekends worked) of one year."""
    found = holidays.country_holidays(country, years=year, language="en_US")
    local = holidays.country_holidays(country, years=year, language="zh_CN")
    worked = frozenset(day for day in found.weekend_workdays if day.year == year)
    named = {day: (name, local[day]) for day, name in found.items() if day.year == year}
    return named, worked


def _works(country: str, day: date) -> bool:
    off, worked = _year(country, day.year)
    return day in worked or (day.weekday() < 5 and day not in off)
