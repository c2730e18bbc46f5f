"""Decent hours: when nothing may be sent, in the clock on a person's wall."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

Quiet = tuple[int, int]
"""From this hour until that one, 0..23, which may be the next morning; equal: no such time."""


def is_quiet(at: datetime, zone: ZoneInfo, quiet: Quiet) -> bool:
    """Whether ``at`` (aware) lies in the quiet hours of ``zone``."""
    hour, (begins, ends) = at.astimezone(zone).hour, quiet
    if begins <= ends:
        return begins <= hour < ends
    return hour >= begins or hour < ends


def decent(at: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """``at``, or the end of the quiet hours that it lies in; never earlier than ``at``."""
    return at if not is_quiet(at, zone, quiet) else _next(at, zone, quiet[1])


def until(at: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime | None:
    """When the next quiet hours begin after the decent moment ``at``; None where there are none."""
    return None if quiet[0] == quiet[1] else _next(at, zone, quiet[0])


def _next(at: datetime, zone: ZoneInfo, hour: int) -> datetime:
    """The first time after ``at`` that the wall clock of ``zone`` strikes ``hour``.

    Where a change of the clock leaves the hour out, it is the moment right after the gap.
    """
    local = at.astimezone(zone)
    for days in range(3):
        day = local.date() + timedelta(days=days)
        # through UTC and back: a wall time that a change of the clock left out does not exist
        for fold in (0, 1):
            struck = datetime.combine(day, time(hour, fold=fold), zone)
            moment = struck.timestamp()
            if moment > at.timestamp():
                return datetime.fromtimestamp(moment, zone)
    raise ValueError(f"no {hour} o'clock within two days of {at}")
