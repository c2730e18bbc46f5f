"""Campaigns, their waves and the deliveries that invite people. The future is rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from surveys.cells import RaterGroup
from surveys.people import Text

INVITE = "invite"  # the first stage of a wave's deliveries; the others are reminders
QUARTERLY = "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=10"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A questionnaire asked of the raters in ``groups``, again and again.

    ``recurrence`` is an RFC 5545 RRULE in local wall time of ``zone``; a wave opens at
    ``opens_hour`` o'clock on each occurrence and stays open for ``window``. ``k`` is the smallest
    number of ratings that a histogram may show (superiors rate in the organisation's name, and
    are told so: their k is 1). ``reminders`` are delays after the opening.
    """

    id: str
    title: Text
    form: str  # content hash of the questionnaire
    groups: tuple[RaterGroup, ...]
    starts: date
    recurrence: str = QUARTERLY
    zone: str = "Asia/Shanghai"
    opens_hour: int = 9
    window: timedelta = timedelta(days=14)
    reminders: tuple[timedelta, ...] = (timedelta(days=3), timedelta(days=7))
    k: int = 5
    paused: bool = False


class WaveState(StrEnum):
    """planned -> open -> tallied. Nothing goes back."""

    PLANNED = "planned"
    OPEN = "open"
    TALLIED = "tallied"


@dataclass(frozen=True, slots=True)
class Wave:
    """One occurrence of a campaign. ``tally_key`` is public; the secret half is in the keyring.

    ``form`` is the questionnaire's content hash: what the campaign asks when the wave opens, and
    from then on for this wave whatever becomes of the campaign.
    """

    id: str
    campaign: str
    period: str  # 2026Q4
    opens_at: datetime
    closes_at: datetime
    tally_key: bytes
    state: WaveState = WaveState.PLANNED
    form: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one person for one stage of a wave; unique, so never owed twice."""

    id: int
    wave: str
    person: str
    stage: str  # invite | remind1 | remind2
    handle: str  # the Telegram chat to send to
    language: str
    attempts: int = 0


class Outcome(StrEnum):
    """What became of a delivery. ``unknown``: it may have arrived; it is never blindly repeated."""

    DUE = "due"
    SENT = "sent"
    UNKNOWN = "unknown"
    GONE = "gone"  # blocked, deactivated or never reachable: permanent
    MOOT = "moot"  # answered, opted out or closed before it was sent


def period_of(day: date) -> str:
    """The calendar quarter that ``day`` lies in, as 2026Q4."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def next_opening(campaign: Campaign, after: datetime) -> datetime | None:
    """The first opening strictly later than ``after`` (aware), or None where the rule has ended.

    The rule is expanded in wall time and only then given its zone, so nine o'clock stays nine
    o'clock on both sides of a daylight-saving change.
    """
    zone = ZoneInfo(campaign.zone)
    start = datetime.combine(campaign.starts, time(campaign.opens_hour))
    rule = rrulestr(campaign.recurrence, dtstart=start)
    local = rule.after(after.astimezone(zone).replace(tzinfo=None))
    return None if local is None else local.replace(tzinfo=zone)


def first_opening(campaign: Campaign) -> datetime | None:
    """The first occurrence on or after the campaign's first day, or None where there is none."""
    start = datetime.combine(campaign.starts, time(), ZoneInfo(campaign.zone))
    return next_opening(campaign, start - timedelta(seconds=1))


def following(campaign: Campaign, waves: Iterable[Wave], now: datetime) -> datetime | None:
    """When the wave after the campaign's own ``waves`` opens; None where the rule has ended.

    It may lie before ``now``: a wave whose hour has passed opens at once, as long as its window
    still runs. One whose whole window went by is left out.
    """
    zone = ZoneInfo(campaign.zone)
    start = datetime.combine(campaign.starts, time(), zone) - timedelta(seconds=1)
    after = max((wave.opens_at for wave in waves), default=start)
    return next_opening(campaign, max(after, now.astimezone(zone) - campaign.window))
