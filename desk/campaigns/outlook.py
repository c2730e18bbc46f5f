"""What will happen if a campaign goes on as it is: its next waves, and what to look out for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from desk.campaigns.campaigning import next_wave
from desk.campaigns.days import calendar
from desk.campaigns.foreseeing import fitting, fitting_sides, forecast, narrowed, shared
from desk.campaigns.rhythm import WORDS
from desk.store import DeskTransaction
from surveys.audience import Audience
from surveys.campaigns import Campaign, Shift, Wave, WaveState, reminders
from surveys.cells import RaterGroup
from surveys.forms.form import Form
from surveys.forms.xform import read_xform
from surveys.lint.estimate import estimate
from surveys.lint.rules import asked, lint
from surveys.recurrence import next_opening
from surveys.tally import Rules, Side
from surveys.words import LANGUAGES, pick
from surveys.workdays import Workdays

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
    """A questionnaire as whoever chooses one sees it. ``mend``: what stops it from rating.

    ``tongues`` are the names of its ``languages``.
    """

    title: Mapping[str, str]
    languages: tuple[str, ...]
    questions: int
    minutes: tuple[int, int]
    indicators: int
    mend: int
    tongues: tuple[str, ...]

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
                len(form.indicators), len(stops),
                tuple(form.tongues.get(code, code) for code in form.languages))  # fmt: skip


def coming(
    campaign: Campaign, days: Workdays, waves: Sequence[Wave], now: datetime, count: int
) -> list[Coming]:
    """The next ``count`` waves that will open if it is not paused; ``waves`` are its own."""
    zone = ZoneInfo(campaign.zone)
    planned = {wave.opens_at: wave for wave in waves if wave.state is WaveState.PLANNED}
    found: list[Coming] = []
    at = next_wave(campaign, days, list(waves), now)
    while at is not None and len(found) < count:
        wave = planned.get(at)
        closes = wave.closes_at.astimezone(zone) if wave else at + campaign.window
        told = tuple(each for _, each in reminders(at, campaign) if now < each < closes)
        found.append(Coming(at, closes, told))
        at = next_opening(campaign, days, at)
    return found


def notes(tx: DeskTransaction, campaign: Campaign, now: datetime, look: Look) -> list[Note]:
    """What to look out for before ``campaign`` is made or goes on, the gravest first."""
    mine = [wave for wave in tx.waves() if wave.campaign == campaign.id]
    days = calendar(tx)
    ahead = coming(campaign, days, mine, now, AHEAD)
    found = [*_whom(tx, campaign, now), *_questionnaire(look), *_holidays(campaign, days, ahead)]
    if ahead and ahead[0].opens_at <= now:
        found.append(Note("at_once", {"time": f"{ahead[0].opens_at:%H:%M}"}))
    if any(one.closes_at > two.opens_at for one, two in pairwise(ahead)):
        found.append(Note("own_overlap"))
    return found + _overlaps(tx, campaign, ahead, now)


def _whom(tx: DeskTransaction, campaign: Campaign, now: datetime) -> list[Note]:
    audience, seen = campaign.audience, forecast(tx, campaign, now)
    whom = seen.reach
    if not whom.people:
        everybody = replace(campaign, audience=Audience())
        fits = fitting(tx, everybody, now).people
        return [Note("nobody_fits", {"people": fits}) if fits else Note("nobody")]
    found: list[Note] = []
    if set(campaign.groups) == {RaterGroup.SELF}:
        found.append(Note("self_alone"))
    if 0 < audience.at_most < whom.people:
        told = {"people": f"{whom.people:,}", "most": f"{audience.at_most:,}"}
        found.append(Note("above_cap", told))
    few, every = _few(seen.sides, campaign.k)
    if few:
        code = "none_shown" if few == every else "few_shown"
        if audience.drawn and few > _few(fitting_sides(tx, campaign, now), campaign.k)[0]:
            code = f"{code}_drawn"
        found.append(Note(code, {"few": few, "all": every, "k": campaign.k}))
    if whom.reachable < whom.people:
        found.append(Note("unreachable", {"count": whom.people - whom.reachable}))
    return found


def _few(sides: Mapping[Side, int], k: int) -> tuple[int, int]:
    """(sides with fewer than ``k`` raters, all), without those who need no others to hide among."""
    least = Rules(k).least
    hidden = [n for (_, group), n in sides.items() if least(group) > 1]
    return sum(n < k for n in hidden), len(hidden)


def _holidays(campaign: Campaign, days: Workdays, ahead: Sequence[Coming]) -> list[Note]:
    """Openings that go by working days in a year whose days are not announced."""
    years = {each.opens_at.year for each in ahead if campaign.shift is not Shift.NONE}
    unknown = sorted(year for year in years if not days.announced(year))
    return [Note("not_announced", {"years": ", ".join(map(str, unknown))})] if unknown else []


def _questionnaire(look: Look) -> list[Note]:
    found: list[Note] = []
    if look.mend:
        found.append(Note("must_mend", {"count": look.mend}))
    if not look.indicators:
        found.append(Note("no_indicator"))
    if not set(LANGUAGES) <= set(look.languages):
        found.append(Note("languages", {"languages": ", ".join(look.tongues)}))
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
        rested = campaign.audience.rest_days and other.audience.rest_days
        people = shared(tx, campaign, other, now) if met and not rested else 0
        if people:
            zone = ZoneInfo(campaign.zone)
            opens, closes = (f"{at.astimezone(zone):%Y-%m-%d}" for at in met[0])
            told = {"title": other.title, "opens": opens, "closes": closes, "people": people}
            most = narrowed(campaign) or narrowed(other)
            found.append(Note("overlap_most" if most else "overlap", told))
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
        far = coming(other, calendar(tx), mine, now, FAR)
        spans += [(each.opens_at, each.closes_at) for each in far if each.opens_at < until]
    return spans
