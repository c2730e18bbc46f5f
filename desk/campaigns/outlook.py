"""What will happen if a campaign goes on as it is: its next waves, and what to look out for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from desk.campaigns.campaigning import next_wave, reach
from desk.campaigns.rhythm import WORDS
from desk.store import DeskTransaction
from surveys.campaigns import Campaign, Wave, WaveState, next_opening
from surveys.cells import RaterGroup
from surveys.forms.form import Form
from surveys.forms.xform import read_xform
from surveys.lint.estimate import estimate
from surveys.lint.rules import asked, lint
from surveys.words import LANGUAGES, pick

AHEAD = 3  # waves of ours that are looked at
FAR = 40  # waves of another campaign that are looked at, at most


@dataclass(frozen=True, slots=True)
class Coming:
    """A wave to come, in the campaign's own zone. ``opens_at`` before now: it opens at once."""

    opens_at: datetime
    closes_at: datetime
    reminders: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to look out for. ``code`` is a key of campaigns.toml under note.

    A title among ``arguments`` is in both languages.
    """

    code: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def said(self, language: str) -> str:
        """In words."""
        told = {
            name: pick(value, language) if isinstance(value, Mapping) else value
            for name, value in self.arguments.items()
        }
        return WORDS.say(f"note.{self.code}", language, **told)


@dataclass(frozen=True, slots=True)
class Look:
    """A questionnaire as whoever chooses one sees it. ``mend``: what stops it from rating."""

    title: Mapping[str, str]
    languages: tuple[str, ...]
    questions: int
    minutes: tuple[int, int]
    indicators: int
    mend: int

    @property
    def rates(self) -> bool:
        """Whether it can be used to rate somebody."""
        return bool(self.indicators) and not self.mend


@lru_cache(maxsize=256)
def look(version: str, source: bytes) -> Look:
    """What there is to say of a questionnaire. Remembered: a version never changes."""
    form: Form = read_xform(source, version)
    minutes = [minute for code in form.languages for minute in estimate(form, code).minutes()]
    stops = [problem for problem in lint(form) if problem.stop]
    return Look(form.titles, form.languages, len(asked(form)), (min(minutes), max(minutes)),
                len(form.indicators), len(stops))  # fmt: skip


def coming(campaign: Campaign, waves: Sequence[Wave], now: datetime, count: int) -> list[Coming]:
    """The next ``count`` waves that will open if it is not paused; ``waves`` are its own."""
    zone = ZoneInfo(campaign.zone)
    planned = {wave.opens_at: wave for wave in waves if wave.state is WaveState.PLANNED}
    found: list[Coming] = []
    at = next_wave(campaign, list(waves), now)
    while at is not None and len(found) < count:
        wave = planned.get(at)
        closes = wave.closes_at.astimezone(zone) if wave else at + campaign.window
        told = tuple(at + delay for delay in campaign.reminders if now < at + delay < closes)
        found.append(Coming(at, closes, told))
        at = next_opening(campaign, at)
    return found


def notes(tx: DeskTransaction, campaign: Campaign, now: datetime, look: Look) -> list[Note]:
    """What to look out for before ``campaign`` is made or goes on, the gravest first."""
    mine = [wave for wave in tx.waves() if wave.campaign == campaign.id]
    ahead = coming(campaign, mine, now, AHEAD)
    found = [*_whom(tx, campaign), *_questionnaire(look)]
    if ahead and ahead[0].opens_at <= now:
        found.append(Note("at_once", {"time": f"{ahead[0].opens_at:%H:%M}"}))
    if any(one.closes_at > two.opens_at for one, two in pairwise(ahead)):
        found.append(Note("own_overlap"))
    return found + _overlaps(tx, campaign, ahead, now)


def _whom(tx: DeskTransaction, campaign: Campaign) -> list[Note]:
    whom = reach(tx, campaign)
    if not whom.people:
        return [Note("nobody")]
    found: list[Note] = []
    sides = [n for _, group, n in tx.rater_sides(campaign.groups)
             if group is not RaterGroup.SUPERIOR]  # fmt: skip
    few = sum(n < campaign.k for n in sides)
    if few:
        code = "none_shown" if few == len(sides) else "few_shown"
        found.append(Note(code, {"few": few, "all": len(sides), "k": campaign.k}))
    if whom.reachable < whom.people:
        found.append(Note("unreachable", {"count": whom.people - whom.reachable}))
    return found


def _questionnaire(look: Look) -> list[Note]:
    found: list[Note] = []
    if look.mend:
        found.append(Note("must_mend", {"count": look.mend}))
    if not look.indicators:
        found.append(Note("no_indicator"))
    if not set(LANGUAGES) <= set(look.languages):
        found.append(Note("languages", {"languages": ", ".join(look.languages)}))
    return found


def _overlaps(
    tx: DeskTransaction, campaign: Campaign, ahead: Sequence[Coming], now: datetime
) -> list[Note]:
    """The first wave of each other campaign that asks some of the same people meanwhile."""
    found: list[Note] = []
    for other in tx.campaigns() if ahead else ():
        if other.id == campaign.id:
            continue
        spans = _spans(tx, other, now, ahead[-1].closes_at)
        met = [(opens, closes) for opens, closes in spans if _meets(ahead, opens, closes)]
        people = _shared(tx, campaign, other) if met else 0
        if people:
            zone = ZoneInfo(campaign.zone)
            opens, closes = (f"{at.astimezone(zone):%Y-%m-%d}" for at in met[0])
            told = {"title": other.title, "opens": opens, "closes": closes, "people": people}
            found.append(Note("overlap", told))
    return found


def _meets(ahead: Sequence[Coming], opens: datetime, closes: datetime) -> bool:
    return any(opens < each.closes_at and each.opens_at < closes for each in ahead)


def _spans(
    tx: DeskTransaction, other: Campaign, now: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """When ``other`` asks from now on until ``until``; a paused one only ends what it began."""
    mine = [wave for wave in tx.waves() if wave.campaign == other.id]
    spans = [(wave.opens_at, wave.closes_at) for wave in mine
             if wave.state is WaveState.OPEN and wave.closes_at > now]  # fmt: skip
    if not other.paused:
        far = coming(other, mine, now, FAR)
        spans += [(each.opens_at, each.closes_at) for each in far if each.opens_at < until]
    return spans


def _shared(tx: DeskTransaction, one: Campaign, two: Campaign) -> int:
    """How many people both ask: |A| + |B| - |A or B|."""
    both = tuple(dict.fromkeys((*one.groups, *two.groups)))
    first, second, either = (tx.count_raters(g)[0] for g in (one.groups, two.groups, both))
    return first + second - either
