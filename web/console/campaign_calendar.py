"""A campaign's waves drawn month by month; the tables beside it say the same in words."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

LEFT, WIDE, ROW = 72.0, 248.0, 22  # user units: labels, a month's line, a line's height
MONTHS = 18  # drawn at most


@dataclass(frozen=True, slots=True)
class Span:
    """A wave in local time. ``kind``: past | open | coming."""

    opens: datetime
    closes: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a wave in one month's line."""

    x: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """One month: its first day, its place from the top, and what lies in it."""

    month: date
    y: int
    bars: Sequence[Bar]
    now: float | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """All lines; ``height`` in user units."""

    lines: Sequence[Line]

    @property
    def height(self) -> int:
        """Of the whole drawing."""
        return len(self.lines) * ROW


def drawn(spans: Iterable[Span], now: datetime) -> Calendar:
    """The months in which the waves lie and the present one, the newest ``MONTHS`` of them."""
    all_spans = list(spans)
    ends = [at for span in all_spans for at in (span.opens, span.closes)] + [now]
    months = _months(min(ends).date(), max(ends).date())[-MONTHS:]
    return Calendar([_line(month, n * ROW, all_spans, now) for n, month in enumerate(months)])


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    start = first.year * 12 + first.month - 1
    return [date((start + n) // 12, (start + n) % 12 + 1, 1) for n in range(count)]


def _line(month: date, y: int, spans: Sequence[Span], now: datetime) -> Line:
    bars = []
    for span in spans:
        left, right = _place(span.opens, month), _place(span.closes, month)
        if left < 1 and right > 0:
            left, right = max(left, 0.0), min(right, 1.0)
            width = max(WIDE * (right - left), 2)
            bars.append(Bar(round(LEFT + WIDE * left, 1), round(width, 1), span.kind))
    here = _place(now, month)
    return Line(month, y, bars, round(LEFT + WIDE * here, 1) if 0 <= here < 1 else None)


def _place(at: datetime, month: date) -> float:
    """Where ``at`` stands in the month: 0 its beginning, 1 its end; below and above outside."""
    days = calendar.monthrange(month.year, month.month)[1]
    day = (at.date() - month).days + (at.hour + at.minute / 60) / 24
    return day / days
