"""Campaigns, their waves and the deliveries that invite people. The future is rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from surveys.audience import Audience
from surveys.cells import RaterGroup
from surveys.people import Text

INVITE = "invite"  # the first stage of a wave's deliveries; the others are reminders
REMIND = "remind"  # how the names of the others begin
ANSWERING = timedelta(hours=3)
"""Whoever touched an interview within that time is in the middle of it, and not reminded of it."""
REST = timedelta(hours=12)
"""Between two messages of one wave to one person, at least."""
QUARTERLY = "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=10"


class Shift(StrEnum):
    """Where an occurrence goes that falls on a day on which nobody works."""

    NONE = "none"
    BEFORE = "before"  # the last working day before it
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A questionnaire asked of the raters in ``groups``, again and again.

    ``recurrence`` is an RFC 5545 RRULE in local wall time of ``zone``; a wave opens at
    ``opens_hour`` o'clock on each occurrence and stays open for ``window``. ``k`` is the smallest
    number of ratings that a histogram may show (superiors rate in the organisation's name, and
    are told so: their k is 1). ``reminders`` are delays after the opening.

    Nothing is sent from ``quiet[0]`` o'clock until ``quiet[1]`` (which may be the next morning) in
    the person's zone, or else the campaign's; two equal hours mean that there is no such time.
    Whoever has begun when the wave closes may finish within ``grace``. ``messages`` are own words
    for a stage (invite | remind) by language. ``paid``: above Telegram's free pace, for money.
    ``agreed`` is the largest number of people that a second person said a wave may ask.
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
    shift: Shift = Shift.NONE
    quiet: tuple[int, int] = (21, 8)
    grace: timedelta = timedelta()
    audience: Audience = field(default_factory=Audience)
    messages: Mapping[str, Text] = field(default_factory=dict)
    paid: bool = False
    agreed: int = 0


class WaveState(StrEnum):
    """planned -> open -> tallied. Nothing goes back."""

    PLANNED = "planned"
    OPEN = "open"
    TALLIED = "tallied"


@dataclass(frozen=True, slots=True)
class Wave:
    """One occurrence of a campaign. ``tally_key`` is public; the secret half is in the keyring.

    ``form`` is the questionnaire's content hash: what the campaign asks when the wave opens, and
    from then on for this wave whatever becomes of the campaign. ``seed`` is what its chance is
    drawn from: with it the draw can be repeated.
    """

    id: str
    campaign: str
    period: str  # 2026Q4
    opens_at: datetime
    closes_at: datetime
    tally_key: bytes
    state: WaveState = WaveState.PLANNED
    form: str = ""
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one person for one stage of a wave; unique, so never owed twice.

    Its sending may begin before ``until``, when quiet hours begin or the wave closes.
    """

    id: int
    wave: str
    person: str
    stage: str  # invite | remind1 | remind2
    handle: str  # the Telegram chat to send to
    language: str
    attempts: int = 0
    until: datetime | None = None
    paid: bool = False


class Outcome(StrEnum):
    """What became of a delivery. ``unknown``: it may have arrived; it is never blindly repeated."""

    DUE = "due"
    SENT = "sent"
    UNKNOWN = "unknown"
    GONE = "gone"  # blocked, deactivated or never reachable: permanent
    MOOT = "moot"  # answered, opted out or closed before it was sent
    LATE = "late"  # its moment had passed: a reminder days too late annoys, and helps nobody


@dataclass(frozen=True, slots=True)
class Overdue:
    """Messages of a wave that are due and have not left: how many, since when the first; and, where
    there are such, when one last left or was tried in vain. None: there is none.
    """

    count: int
    since: datetime | None
    last: datetime | None


FRESH = timedelta(days=1)


def reminders(opens_at: datetime, campaign: Campaign) -> list[tuple[str, datetime]]:
    """(stage, when it is due) of each reminder of a wave that opens then.

    At the same time of day as the opening where the campaign is, whatever its clocks do meanwhile.
    """
    local = opens_at.astimezone(ZoneInfo(campaign.zone))
    planned = enumerate(campaign.reminders, 1)
    return [(f"{REMIND}{number}", local + delay) for number, delay in planned]


def too_late(wave: Wave, campaign: Campaign, now: datetime) -> tuple[str, ...]:
    """The stages of ``wave`` that are not to be sent any more at ``now``.

    A reminder goes out within a day of the moment planned for it, which holds a decent hour in
    every zone; the invitation while a day of the wave is left, or a quarter of a short one.
    """
    planned = reminders(wave.opens_at, campaign)
    stages = [stage for stage, at in planned if now > at + FRESH]
    if wave.closes_at - now < min(FRESH, (wave.closes_at - wave.opens_at) / 4):
        stages.append(INVITE)
    return tuple(stages)


def ends_at(wave: Wave, campaign: Campaign) -> datetime:
    """When the wave is counted: until then whoever had begun as it closed may finish."""
    return wave.closes_at + campaign.grace


def last_moment(closes_at: datetime) -> datetime:
    """The last second in which people may begin. Its day is what people call the last day: what
    closes at 00:00 closes with the day before.
    """
    return closes_at - timedelta(seconds=1)


def period_of(day: date) -> str:
    """The calendar quarter that ``day`` lies in, as 2026Q4."""
    return f"{day.year}Q{(day.month + 2) // 3}"
