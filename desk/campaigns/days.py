"""The office's calendar: the public one, and the days that somebody at the desk knows better."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta

from desk.audit import Act, Facts, record
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.store import DeskTransaction
from surveys.workdays import Override, Workdays

FIRST, LAST = 2000, 2200  # years
NAME = 60  # characters
_WHOLE = "calendar.whole"  # the note that keeps the years entered whole


@dataclass(frozen=True, slots=True)
class Special:
    """A day that is not what its place in the week says, or that the office spoke of (``own``)."""

    day: date
    works: bool
    name: str
    own: bool


def special_days(days: Workdays, year: int, language: str) -> list[Special]:
    """Holidays, weekends that are worked and the office's own days of ``year``, in order."""
    first = date(year, 1, 1)
    found: list[Special] = []
    for at in (first + timedelta(n) for n in range((date(year + 1, 1, 1) - first).days)):
        own, works, name = at in days.overrides, days.works(at), days.named(at, language)
        if own or name or works != (at.weekday() < 5):
            found.append(Special(at, works, name, own))
    return found


def calendar(tx: DeskTransaction) -> Workdays:
    """The days that campaigns reckon with."""
    return Workdays(tx.day_overrides(), whole=_whole(tx))


def set_day(tx: DeskTransaction, act: Act, day: str, works: bool, name: str) -> Override:
    """Say that ``day`` (2027-02-14) is worked or not. CampaignError where it is no day."""
    at, name = _day(day), name.strip()
    if len(name) > NAME or not name.isprintable():
        raise CampaignError([Wrong("name", "day_name", {"most": NAME})])
    before, after = tx.day_overrides().get(at), Override(at, works, name)
    if before != after:
        tx.put_day_override(after)
        record(tx, act, "day.set", f"day:{at}", _told(before), _told(after))
    return after


def drop_day(tx: DeskTransaction, act: Act, day: str) -> bool:
    """Go by the public calendar again; False where nothing else was said of ``day``."""
    at = _day(day)
    before = tx.day_overrides().get(at)
    if before is None:
        return False
    tx.drop_day_override(at)
    record(tx, act, "day.dropped", f"day:{at}", _told(before), None)
    return True


def set_whole(tx: DeskTransaction, act: Act, year: int, whole: bool) -> bool:
    """Say that the notice for ``year`` (FIRST to LAST) is entered whole, or not; whether it is new.

    Nothing is concluded from the days themselves: one of them may be the first of ten.
    """
    years = _whole(tx)
    if (year in years) == whole:
        return False
    tx.put_note(_WHOLE, json.dumps(sorted(years | {year} if whole else years - {year})))
    record(tx, act, "calendar.whole", f"calendar:{year}", {"whole": not whole}, {"whole": whole})
    return True


def _whole(tx: DeskTransaction) -> frozenset[int]:
    return frozenset(json.loads(tx.note(_WHOLE) or "[]"))


def _told(override: Override | None) -> Facts | None:
    return None if override is None else {"works": override.works, "name": override.name}


def _day(text: str) -> date:
    typed = text.strip()
    try:
        at = date.fromisoformat(typed) if re.fullmatch(r"\d{4}-\d\d-\d\d", typed) else None
    except ValueError:
        at = None
    if at is None or not FIRST <= at.year <= LAST:
        raise CampaignError([Wrong("day", "day", {"text": text[:40]})])
    return at
