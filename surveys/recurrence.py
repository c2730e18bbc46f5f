"""When a campaign's waves open: an RFC 5545 rule in local wall time, and the days people work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from surveys.campaigns import Campaign, Wave
from surveys.workdays import FAR, Workdays


def next_opening(campaign: Campaign, days: Workdays, after: datetime) -> datetime | None:
    """The first opening strictly later than ``after`` (aware), or None where the rule has ended.

    The rule is expanded in wall time and only then given its zone, so nine o'clock stays nine
    o'clock on both sides of a daylight-saving change; an hour that such a change leaves out is
    the one after it. An occurrence on a day off is shifted as the campaign says.
    """
    return next((at for at in _openings(campaign, days, after) if at > after), None)


def _openings(campaign: Campaign, days: Workdays, after: datetime) -> Iterator[datetime]:
    """Openings in order, from somewhat before ``after`` on: a shift moves at most FAR days."""
    zone = ZoneInfo(campaign.zone)
    start = datetime.combine(campaign.starts, time(campaign.opens_hour))
    rule = rrulestr(campaign.recurrence, dtstart=start)
    since = after.astimezone(zone).replace(tzinfo=None) - timedelta(days=FAR)
    for local in rule.xafter(since, inc=True):
        day = days.shifted(local.date(), campaign.shift)
        moment = datetime.combine(day, local.time(), zone).timestamp()
        yield datetime.fromtimestamp(moment, zone)  # through UTC: never in a gap of the clock


def first_opening(campaign: Campaign, days: Workdays) -> datetime | None:
    """The first occurrence on or after the campaign's first day, or None where there is none."""
    start = datetime.combine(campaign.starts, time(), ZoneInfo(campaign.zone))
    return next_opening(campaign, days, start - timedelta(seconds=1))


def following(
    campaign: Campaign, days: Workdays, waves: Iterable[Wave], now: datetime
) -> datetime | None:
    """When the wave after the campaign's own ``waves`` opens; None where the rule has ended.

    It may lie before ``now``: a wave whose hour has passed opens at once, as long as its window
    still runs. One whose whole window went by is left out.
    """
    zone = ZoneInfo(campaign.zone)
    start = datetime.combine(campaign.starts, time(), zone) - timedelta(seconds=1)
    after = max((wave.opens_at for wave in waves), default=start)
    return next_opening(campaign, days, max(after, now.astimezone(zone) - campaign.window))
