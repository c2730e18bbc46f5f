"""What a wave would do were it opened as things stand: who is asked what and when, or why not.

Whoever scans a window's code while another wave is open will be asked by this one, from that moment
on. So people whom no table lists are not named here, and counted in tens: two looks a minute apart
would tell that somebody came between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

from desk.campaigns.campaigning import next_wave
from desk.campaigns.days import calendar
from desk.exporting import Table
from desk.outcomes import STEP
from desk.store import DeskTransaction
from surveys import drawing
from surveys.audience import Prospect
from surveys.campaigns import Campaign, WaveState
from surveys.drawing import Draw
from surveys.hours import decent
from surveys.tally import Side

T = TypeVar("T")


class Fate(StrEnum):
    """What becomes of one person. The first that fits, in this order, but for ASKED."""

    ASKED = "asked"  # and told so by a message
    NO_ADDRESS = "no_address"  # asked, should they come: no message can reach them
    LEFT = "left"
    OPTED_OUT = "opted_out"
    ASKED_LATELY = "asked_lately"
    QUOTA_FULL = "quota_full"
    NOT_DRAWN = "not_drawn"
    ENOUGH_RATERS = "enough_raters"  # whomever they could rate has as many as the caps allow


ON_THE_ROLL = frozenset((Fate.ASKED, Fate.NO_ADDRESS))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One person. ``sides`` are whom they would rate and as what; ``first`` is when the first
    message leaves, in their own zone; None where none does. ``listed`` by a table: others came by
    themselves.
    """

    person: str
    name: str
    unit: str | None
    fate: Fate
    listed: bool
    sides: tuple[Side, ...] = ()
    first: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How many a wave would ask. ``reachable``: people whom a Telegram message can reach."""

    people: int
    assignments: int
    reachable: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """A wave in figures: how many it asks, and the raters of each side."""

    reach: Reach
    sides: Mapping[Side, int]


def foresee(
    tx: DeskTransaction, campaign: Campaign, opens_at: datetime, seed: str, now: datetime
) -> Iterator[Foreseen]:
    """Everybody whom ``campaign`` is about, by id; read as they are asked for, in this work only.

    With a planned wave's seed and opening it is what will happen, as far as nothing changes.
    """
    at = max(now, opens_at)
    drawn = Draw.of(lambda: tx.candidates(campaign, at), campaign, seed, tx.subjects())
    for _, rows in groupby(tx.prospects(campaign, at), attrgetter("candidate.person")):
        yield _foreseen(campaign, drawn, tuple(rows), at)


def reach(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Reach:
    """Whom a wave of ``campaign`` would ask, were it drawn now."""
    if campaign.audience.drawn:
        return forecast(tx, campaign, now).reach
    return fitting(tx, campaign, now)


def fitting(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Reach:
    """Whom ``campaign`` may ask, however few of them will be drawn."""
    every = tx.count_raters(campaign, now)
    theirs = tx.count_raters(campaign, now, unlisted=True)
    return Reach(*(count - some % STEP for count, some in zip(every, theirs, strict=True)))


def shared(tx: DeskTransaction, one: Campaign, two: Campaign, now: datetime) -> int:
    """How many people both ask, were they drawn now; where :func:`narrowed`, no more than that.

    Who fits both, and no more than the smaller of them asks: whether chance draws the same people
    twice is not known before it does.
    """
    theirs = tx.count_shared(one, two, now, unlisted=True)
    fits = tx.count_shared(one, two, now) - theirs % STEP
    drawn = [each for each in (one, two) if fits and each.audience.drawn]
    return min([fits, *(reach(tx, each, now).people for each in drawn)])


def narrowed(campaign: Campaign) -> bool:
    """Whether some of those who fit may be left out: by chance, or because they rest."""
    return campaign.audience.drawn or bool(campaign.audience.rest_days)


def exactly(tx: DeskTransaction, campaign: Campaign, now: datetime) -> int:
    """How many people it would ask: to decide by, not to be told again and again."""
    if not campaign.audience.drawn:
        return tx.count_raters(campaign, now)[0]
    return sum(each.fate in ON_THE_ROLL for each in foresee(tx, campaign, now, "", now))


def forecast(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Forecast:
    """What a wave of ``campaign`` would ask, were it drawn now.

    Where chance has a say it is the planned wave's; before that is planned one draw stands for all:
    who is drawn differs, how many hardly.
    """
    if not campaign.audience.drawn:
        return Forecast(fitting(tx, campaign, now), fitting_sides(tx, campaign, now))
    coming = occasion(tx, campaign, now)
    seed = "" if coming is None else coming.seed
    asked = {listed: Counter[str]() for listed in (True, False)}
    sides = {listed: Counter[Side]() for listed in (True, False)}
    for each in foresee(tx, campaign, now, seed, now):
        if each.fate in ON_THE_ROLL:
            here = asked[each.listed]
            here.update(people=1, times=len(each.sides), reachable=each.fate is Fate.ASKED)
            sides[each.listed].update(each.sides)
    told = asked[True] + _in_tens(asked[False])
    whom = Reach(told["people"], told["times"], told["reachable"])
    return Forecast(whom, sides[True] + _in_tens(sides[False]))


def fitting_sides(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Mapping[Side, int]:
    """The raters of each side, however few of them will be drawn."""
    every = Counter({(subject, group): n for subject, group, n in tx.rater_sides(campaign, now)})
    for subject, group, count in tx.rater_sides(campaign, now, unlisted=True):
        every[subject, group] -= count % STEP
    return +every


def _in_tens(counts: Counter[T]) -> Counter[T]:
    return Counter({key: count // STEP * STEP for key, count in counts.items()})


@dataclass(frozen=True, slots=True)
class Occasion:
    """A wave to come. ``settled``: it is planned, and what chance will say stands already."""

    opens_at: datetime
    seed: str
    settled: bool


def occasion(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Occasion | None:
    """The campaign's next wave, as if it were not paused; None where there is none any more."""
    mine = [wave for wave in tx.waves() if wave.campaign == campaign.id]
    opens_at = next_wave(campaign, calendar(tx), mine, now)
    if opens_at is None:
        return None
    planned = (wave for wave in mine if wave.state is WaveState.PLANNED and wave.closes_at > now)
    wave = min(planned, key=attrgetter("opens_at"), default=None)
    return Occasion(opens_at, "" if wave is None else wave.seed, wave is not None)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """How many come to which end, and some of the ``whole`` who are listed; ``came`` by themselves,
    in tens.
    """

    counts: Mapping[Fate, int]
    people: Sequence[Foreseen]
    whole: int = 0
    came: int = 0


def excerpt(foreseen: Iterable[Foreseen], fate: Fate | None, offset: int, limit: int) -> Excerpt:
    """``limit`` people of ``fate`` (None: whichever) from the ``offset``-th on; all counted."""
    counts, came, people, at = Counter[Fate](), Counter[Fate](), list[Foreseen](), 0
    for each in foreseen:
        (counts if each.listed else came)[each.fate] += 1
        if each.listed and fate in (None, each.fate):
            if offset <= at < offset + limit:
                people.append(each)
            at += 1
    came = _in_tens(came)
    counts += came
    return Excerpt({fate: counts[fate] for fate in Fate if counts[fate]}, people, at,
                   came.total() if fate is None else came[fate])  # fmt: skip


HEADER = ("person", "name", "unit", "what", "rates", "first_message")


def listed(foreseen: Iterable[Foreseen]) -> Table:
    """All who are listed as a table for a file; made while it is written."""
    rows = (
        (each.person, each.name, each.unit, each.fate.value,
         " ".join(f"{subject}:{group}" for subject, group in each.sides),
         "" if each.first is None else each.first.isoformat(timespec="minutes"))
        for each in foreseen if each.listed
    )  # fmt: skip
    return Table("dry-run", HEADER, rows)


def _foreseen(
    campaign: Campaign, drawn: Draw, rows: tuple[Prospect, ...], at: datetime
) -> Foreseen:
    one = rows[0]
    about = one.candidate.person, one.name, one.candidate.unit
    barred = _barred(one)
    if barred is not None:
        return Foreseen(*about, barred, one.listed)
    fate, asking = drawn.fate([row.candidate for row in rows])
    if fate is not drawing.Fate.ASKED:
        return Foreseen(*about, Fate(fate.value), one.listed)
    sides = tuple((each.subject, each.group) for each in asking)
    if not one.telegram:
        return Foreseen(*about, Fate.NO_ADDRESS, one.listed, sides)
    zone = ZoneInfo(one.zone or campaign.zone)
    return Foreseen(*about, Fate.ASKED, one.listed, sides, decent(at, zone, campaign.quiet))


def _barred(one: Prospect) -> Fate | None:
    """Why they may not be asked at all; None where they may."""
    if one.left:
        return Fate.LEFT
    if one.opted_out:
        return Fate.OPTED_OUT
    return Fate.ASKED_LATELY if one.lately else None
