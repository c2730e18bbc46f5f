"""What administrators do to campaigns, as functions of a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from dateutil.rrule import rrulestr

from desk.importing.columns import CellError, an_id
from surveys.campaigns import (
    QUARTERLY,
    Campaign,
    Outcome,
    Wave,
    WaveState,
    next_opening,
)
from surveys.cells import RaterGroup
from surveys.store import Transaction

SHORTEST = timedelta(days=1)  # between two openings; a rule that fires oftener is a slip


class CampaignError(ValueError):
    """The campaign cannot be made or changed so; the text says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A campaign as typed: everything is still text or a plain number."""

    id: str
    form: str  # the first letters of a version
    title_zh: str
    title_en: str
    groups: str  # SUP,PEER
    starts: str  # 2026-12-01
    recurrence: str
    zone: str
    hour: int
    days: int
    reminders: str  # 3,7
    k: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How many a wave would ask, were it drawn now."""

    people: int
    assignments: int
    reachable: int  # people with a Telegram address


@dataclass(frozen=True, slots=True)
class WaveStanding:
    """A wave, its complete interviews (a number only), and (stage, outcome, messages)."""

    wave: Wave
    answers: str
    deliveries: Sequence[tuple[str, Outcome, int]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign and where it stands."""

    campaign: Campaign
    next_opening: datetime | None
    waves: tuple[WaveStanding, ...]


def draft(tx: Transaction, wish: Wish) -> Campaign:
    """The campaign that ``wish`` means, or CampaignError with everything that is wrong with it."""
    wrongs: list[str] = []
    if tx.campaign(wish.id) is not None:
        wrongs.append(
            f"There is a campaign {wish.id!r} already; what it promised stands. Choose another id."
        )
    try:
        an_id(wish.id)
    except CellError as error:
        wrongs.append(f"The id: {error.what}. {error.mend}")
    form = _version(tx, wish.form, wrongs)
    groups = _groups(wish.groups, wrongs)
    starts = _day(wish.starts, wrongs)
    reminders = _reminders(wish, wrongs)
    if wish.zone not in available_timezones():
        wrongs.append(f"--zone: {wish.zone!r} is no time zone. Names look like Asia/Shanghai.")
    if wish.k < 3:
        wrongs.append(f"--k: {wish.k} is too few to hide anybody among. Take at least 3.")
    rule = wish.recurrence or QUARTERLY
    _check_rule(rule, starts or date(2026, 1, 1), wrongs)
    if wrongs or starts is None:
        raise CampaignError("\n".join(wrongs))
    titles = {"zh": wish.title_zh, "en": wish.title_en}
    title = {language: words for language, words in titles.items() if words}
    window = timedelta(days=wish.days)
    return Campaign(wish.id, title, form, groups, starts, rule, wish.zone, wish.hour, window,
                    reminders, wish.k)  # fmt: skip


def _version(tx: Transaction, form: str, wrongs: list[str]) -> str:
    forms = [version for version, _ in tx.forms() if form and version.startswith(form)]
    if len(forms) != 1:
        many = "fits several questionnaires" if forms else "is no questionnaire's version"
        wrongs.append(f"--form: {form!r} {many}. See `minyi form list`.")
        return ""
    return forms[0]


def _groups(text: str, wrongs: list[str]) -> tuple[RaterGroup, ...]:
    found: list[RaterGroup] = []
    for word in text.replace("，", ",").split(","):
        try:
            found.append(RaterGroup(word.strip().upper()))
        except ValueError:
            wrongs.append(f"--groups: {word.strip()!r} is not one of SUP, PEER, SUB, SVC.")
    return tuple(dict.fromkeys(found))


def _day(text: str, wrongs: list[str]) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        wrongs.append(f"--starts: {text!r} is not a day. Write it like 2026-12-01.")
        return None


def _reminders(wish: Wish, wrongs: list[str]) -> tuple[timedelta, ...]:
    words = [word.strip() for word in wish.reminders.replace("，", ",").split(",") if word.strip()]
    if not all(
        word.isascii() and word.isdigit() and 0 < int(word[:9]) < wish.days for word in words
    ):
        wrongs.append(
            f"--reminders: {wish.reminders!r} must be days before the wave closes, such as 3,7."
        )
        return ()
    return tuple(timedelta(days=day) for day in sorted({int(word) for word in words}))


def _check_rule(rule: str, starts: date, wrongs: list[str]) -> None:
    try:
        found = rrulestr(rule, dtstart=datetime.combine(starts, datetime.min.time()))
        first = found.after(datetime.combine(starts, datetime.min.time()), inc=True)
        second = found.after(first) if first is not None else None
    except (ValueError, TypeError, AttributeError) as error:
        wrongs.append(f"--recurrence: {rule!r} is not an RFC 5545 rule ({error}).")
        return
    if first is None:
        wrongs.append(f"--recurrence: {rule!r} never happens after {starts}.")
    elif second is not None and second - first < SHORTEST:
        wrongs.append(
            f"--recurrence: {rule!r} happens more than once a day. Ask people more rarely."
        )


def preview(campaign: Campaign, now: datetime, count: int) -> list[datetime]:
    """The next ``count`` openings after ``now`` (aware), in the campaign's own zone."""
    found: list[datetime] = []
    at = next_opening(campaign, now)
    while at is not None and len(found) < count:
        found.append(at)
        at = next_opening(campaign, at)
    return found


def reach(tx: Transaction, campaign: Campaign) -> Reach:
    """Whom a wave of ``campaign`` would ask now."""
    out = {person.id for person in tx.people() if person.opted_out}
    raters = [r.rater for r in tx.relations() if r.group in campaign.groups and r.rater not in out]
    people = set(raters)
    by_telegram = sum(
        any(address.channel == "telegram" for address in tx.addresses(person)) for person in people
    )
    return Reach(len(people), len(raters), by_telegram)


def standings(tx: Transaction, now: datetime) -> list[Standing]:
    """Every campaign with its waves, oldest wave first."""
    waves = sorted(tx.waves(), key=lambda wave: wave.opens_at)
    return [
        Standing(
            campaign,
            None if campaign.paused else next_opening(campaign, now),
            tuple(
                _standing(tx, wave, campaign.k) for wave in waves if wave.campaign == campaign.id
            ),
        )
        for campaign in tx.campaigns()
    ]


def _standing(tx: Transaction, wave: Wave, k: int) -> WaveStanding:
    """Answers to an open wave are rounded: two exact numbers would tell who came between."""
    if wave.state is WaveState.OPEN:
        complete = tx.interview_counts(wave.id)[1]
        answers = f"{complete // 10 * 10}+" if complete >= max(k, 10) else "fewer than 10"
    else:
        answers = "counted" if wave.state is WaveState.TALLIED else "-"
    return WaveStanding(wave, answers, tx.delivery_counts(wave.id))


def set_form(tx: Transaction, campaign: str, form: str) -> Campaign:
    """Ask another questionnaire from the next wave on; a wave that has opened keeps its own.

    ``form`` is the first letters of a version.
    """
    wrongs: list[str] = []
    made = _known(tx, campaign)
    version = _version(tx, form, wrongs)
    if wrongs:
        raise CampaignError("\n".join(wrongs))
    changed = replace(made, form=version)
    tx.put_campaign(changed)
    return changed


def set_paused(tx: Transaction, campaign: str, paused: bool) -> None:
    """Pause or resume; doing it again changes nothing."""
    tx.put_campaign(replace(_known(tx, campaign), paused=paused))


def close_now(tx: Transaction, campaign: str, now: datetime) -> int:
    """Pause ``campaign`` and let its open waves end at ``now``; the number of waves closed."""
    set_paused(tx, campaign, True)
    mine = [w for w in tx.waves() if w.campaign == campaign and w.state is not WaveState.TALLIED]
    closing = [wave for wave in mine if wave.opens_at <= now < wave.closes_at]
    for wave in closing:
        tx.put_wave(replace(wave, closes_at=now))
    return len(closing)


def _known(tx: Transaction, campaign: str) -> Campaign:
    found = tx.campaign(campaign)
    if found is None:
        raise CampaignError(f"There is no campaign {campaign!r}. See `minyi campaign list`.")
    return found
