"""Which RFC 5545 rules a campaign may follow, and why another one may not."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

from dateutil.rrule import rrule, rrulestr

from desk.campaigns.rhythm import LONGEST

PARTS = frozenset(
    ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "BYWEEKNO",
     "BYYEARDAY", "WKST")
)  # fmt: skip
OFTENER = ("FREQ=HOURLY", "FREQ=MINUTELY", "FREQ=SECONDLY", "BYHOUR=", "BYMINUTE=", "BYSECOND=")
SOON = timedelta(
    days=9 * 366
)  # 29 February may be eight years away; a rule later than that is a slip
NUMBER = re.compile(r"[1-9]\d{0,2}")


@lru_cache(maxsize=256)  # a rule that never happens takes a second to find out
def trouble_with(rule: str, starts: date) -> tuple[str, str] | None:
    """What is wrong with ``rule`` from ``starts`` on, as (code, detail); None where it will do.

    ``often``: more than once a day. ``rule``: no such rule, and the detail names the part that is
    wrong. ``never``: it never happens.
    """
    text = rule.upper()
    if any(part in text for part in OFTENER):
        return "often", ""
    pairs = [part.partition("=") for part in text.split(";")]
    parts = {name: value for name, _, value in pairs}
    if len(rule) > LONGEST or len(parts) < len(pairs) or "FREQ" not in parts:
        return "rule", "FREQ"
    for name, value in parts.items():
        counts = name in ("INTERVAL", "COUNT")
        whole = NUMBER if counts else re.compile(r"[A-Z0-9,+-]+")
        if name not in PARTS or not whole.fullmatch(value):
            return "rule", name[:20]
    if {"COUNT", "UNTIL"} <= parts.keys():
        return "rule", "COUNT + UNTIL"
    try:
        first = _first(text, datetime.combine(starts, datetime.min.time()))
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        return "rule", str(error)[:80]
    return ("never", "") if first is None else None


def _first(text: str, start: datetime) -> datetime | None:
    """The first occurrence, looked for within bounds: some rules are searched for ever."""
    found = rrulestr(text, dtstart=start)
    assert isinstance(found, rrule)  # one line, and a rule: never a set of them
    until, ends = getattr(found, "_until", None), start + SOON
    bounded = found.replace(count=None, until=min(until, ends) if until else ends)
    first: datetime | None = next(iter(bounded), None)
    return first
