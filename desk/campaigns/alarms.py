"""What needs an administrator: something that goes wrong by itself, and that people can mend.

Told on the first page, and once in the chat of whoever may change campaigns. Figures only, and
never about anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from desk.accounts import Account
from desk.campaigns.campaigning import next_wave
from desk.campaigns.holding import held
from desk.campaigns.opening import lateness
from desk.roles import May, allows
from desk.store import DeskTransaction, Sought
from surveys.campaigns import (
    INVITE,
    Campaign,
    Outcome,
    Shift,
    Wave,
    WaveState,
    ends_at,
    last_moment,
)
from surveys.hours import Quiet, decent, is_quiet, until
from surveys.workdays import Workdays

SILENCE = timedelta(minutes=30)  # of decent hours, by which something must have been sent
OVERDUE = timedelta(hours=1)  # after its end, by which a wave must have been counted
PATIENCE = timedelta(hours=1)  # for which sending may rest
RECENT = timedelta(days=2)  # for which a late opening is news
AHEAD = timedelta(days=60)  # in which the calendar should be known
NIGHT: Quiet = (21, 8)
MANY, FEWEST = 0.2, 20  # share of messages that nobody took, of so many at least
PAUSED_UNTIL = "telegram-sending-paused-until"  # the sender's own note
AT_ONCE = ("campaign.created", "campaign.resumed")
_SINCE, _TOLD = "sending-rests-since", "alarms"
_FORGET = timedelta(days=1)  # after which what ended and begins again is told again


@dataclass(frozen=True, slots=True)
class Alarm:
    """``key`` names its sentence (attention.KEY), which ``facts`` fill; ``path`` is its page.

    ``name`` is this one and no other: it is told once.
    """

    key: str
    name: str
    path: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def alarms(tx: DeskTransaction, days: Workdays, now: datetime) -> Sequence[Alarm]:
    """Everything that needs somebody at ``now``, wave by wave."""
    campaigns = {campaign.id: campaign for campaign in tx.campaigns()}
    waves = tx.waves()
    found = [*_sending(tx, waves, now)]
    for wave in waves:
        campaign = campaigns.get(wave.campaign)
        if campaign is None or wave.opens_at > now or wave.state is WaveState.TALLIED:
            continue
        if wave.state is WaveState.OPEN:
            found += _open(tx, wave, campaign, now)
        elif not campaign.paused:
            found += _due(tx, wave, campaign)
    for campaign in campaigns.values():
        found += _calendar(campaign, waves, days, now)
    return found


# ---- a wave


def _due(tx: DeskTransaction, wave: Wave, campaign: Campaign) -> Iterator[Alarm]:
    hold = held(tx, wave.id)
    if hold is not None:
        path = f"/desk/approvals/{hold.request}" if hold.request else _page(campaign)
        facts = {"title": campaign.title, "people": hold.people, "day": last_moment(wave.closes_at),
                 "most": campaign.audience.at_most}  # fmt: skip
        name = f"held:{wave.id}:{hold.request or hold.why}"
        yield Alarm(f"held_{hold.why}", name, path, facts)


def _open(tx: DeskTransaction, wave: Wave, campaign: Campaign, now: datetime) -> Iterator[Alarm]:
    path = f"/desk/fieldwork/{wave.id}"
    facts = {"title": campaign.title, "day": last_moment(wave.closes_at)}
    end = ends_at(wave, campaign)
    if end <= now and tx.note(no_keys(wave.id)):
        yield Alarm("no_keys", f"no_keys:{wave.id}", path, facts | {"wave": wave.id})
    elif end + OVERDUE < now:
        yield Alarm("not_counted", f"not_counted:{wave.id}", path, facts)
    if wave.closes_at <= now:
        return
    counts = {outcome: n for stage, outcome, n in tx.delivery_counts(wave.id) if stage == INVITE}
    if not counts and not tx.people_asked(wave.id):
        yield Alarm("nobody_asked", f"nobody_asked:{wave.id}", path, facts)
        return
    opening = lateness(tx, wave) or (wave.opens_at, 0)
    about = Alarm("", wave.id, path, facts)
    yield from _silent(tx, wave, opening[0], about, campaign, now)
    yield from _reaching(counts, about)
    if opening[1] and now - opening[0] < RECENT and not _chosen(tx, wave):
        yield Alarm("opened_late", f"late:{wave.id}", path, facts | {"late": opening[1]})


def _chosen(tx: DeskTransaction, wave: Wave) -> bool:
    """Whether somebody made its campaign, or let it go on, after it should have opened: they were
    told that it opens at once, and it was nobody's clock that was late.
    """
    since = wave.opens_at.astimezone(UTC).isoformat(timespec="seconds")
    what = f"campaign:{wave.campaign}"
    sought = (Sought(action=action, what=what, since=since) for action in AT_ONCE)
    return any(tx.audit(each, limit=1) for each in sought)


def _silent(
    tx: DeskTransaction, wave: Wave, opened: datetime, about: Alarm, campaign: Campaign,
    now: datetime,
) -> Iterator[Alarm]:  # fmt: skip
    """Messages are due and nothing leaves: from the first on, or any more."""
    found, paused = tx.overdue(wave.id, now), tx.note(PAUSED_UNTIL)
    if found.since is None:
        return
    if found.last and paused and now < datetime.fromisoformat(paused):
        return  # Telegram asked for silence: told as such, once it lasts
    since = max(opened, found.since, found.last or opened)
    if decent_time(since, now, ZoneInfo(campaign.zone), campaign.quiet, SILENCE):
        key = "sending_stalled" if found.last else "nothing_sent"
        yield replace(about, key=key, name=f"{key}:{about.name}",
                      facts={**about.facts, "count": found.count})  # fmt: skip


def _reaching(counts: Mapping[Outcome, int], about: Alarm) -> Iterator[Alarm]:
    """Much of what went out reached nobody."""
    gone = counts.get(Outcome.GONE, 0)
    tried = gone + sum(counts.get(each, 0) for each in (Outcome.SENT, Outcome.UNKNOWN))
    if tried >= FEWEST and gone > MANY * tried:
        facts = {**about.facts, "percent": round(100 * gone / tried)}
        yield replace(about, key="many_gone", name=f"many_gone:{about.name}", facts=facts)


def decent_time(
    start: datetime, end: datetime, zone: ZoneInfo, quiet: Quiet, enough: timedelta
) -> bool:
    """Whether more than ``enough`` of decent hours lies between ``start`` and ``end``."""
    passed, at = timedelta(), decent(start, zone, quiet)
    while at < end:
        stop = min(until(at, zone, quiet) or end, end)
        passed += stop - at
        if passed > enough:
            return True
        at = decent(stop, zone, quiet)
    return False


def no_keys(wave: str) -> str:
    """The note that a wave could not be counted because its keys are missing."""
    return f"no-keys:{wave}"


# ---- sending as a whole


def watch(tx: DeskTransaction, now: datetime) -> None:
    """Note since when sending rests: the sender itself only notes until when."""
    since, paused = tx.note(_SINCE), tx.note(PAUSED_UNTIL)
    rests_until = datetime.fromisoformat(paused) if paused else None
    if rests_until is None or rests_until + timedelta(minutes=5) <= now:  # rests in a row are one
        if since:
            tx.put_note(_SINCE, "")
    elif not since:
        tx.put_note(_SINCE, now.isoformat())


def _sending(tx: DeskTransaction, waves: Iterable[Wave], now: datetime) -> Iterator[Alarm]:
    since, paused = tx.note(_SINCE), tx.note(PAUSED_UNTIL)
    if not paused or not since:
        return
    began, ends = datetime.fromisoformat(since), datetime.fromisoformat(paused)
    if max(now, ends) - began <= PATIENCE:
        return
    open_now = [w for w in waves if w.state is WaveState.OPEN and w.opens_at <= now < w.closes_at]
    rows = (row for wave in open_now for row in tx.delivery_counts(wave.id))
    owed = sum(number for _, outcome, number in rows if outcome is Outcome.DUE)
    if owed:
        facts = {"since": began, "until": max(now, ends), "count": owed}
        yield Alarm("sending_rests", f"sending:{since}", "/desk/fieldwork", facts)


# ---- the calendar


def _calendar(
    campaign: Campaign, waves: Iterable[Wave], days: Workdays, now: datetime
) -> Iterator[Alarm]:
    """A campaign that goes by working days, and opens soon in a year whose days are not known."""
    if campaign.paused or campaign.shift is Shift.NONE:
        return
    mine = [wave for wave in waves if wave.campaign == campaign.id]
    opens_at = next_wave(campaign, days, mine, now)
    if opens_at is not None and opens_at - now <= AHEAD and not days.announced(opens_at.year):
        facts = {"title": campaign.title, "day": opens_at, "year": opens_at.year}
        yield Alarm("not_announced", f"calendar:{opens_at.year}", _page(campaign), facts)


def _page(campaign: Campaign) -> str:
    return f"/desk/campaigns/{campaign.id}"


# ---- telling each once


def quiet(now: datetime, zone: ZoneInfo) -> bool:
    """Whether it is too late, or too early, to tell anybody."""
    return is_quiet(now, zone, NIGHT)


def untold(tx: DeskTransaction, found: Sequence[Alarm]) -> Sequence[tuple[Alarm, Account]]:
    """What is still to be told, and to whom: whoever may change campaigns and has a chat."""
    told = _told(tx)
    able = [
        each
        for each in tx.accounts()
        if each.chat is not None
        and each.chat.channel == "telegram"
        and not each.disabled
        and allows(each.grants, May.CAMPAIGNS_WRITE)
    ]
    return [
        (alarm, account)
        for alarm in found
        for account in able
        if account.id not in told.get(alarm.name, ("", []))[1]
    ]


def note_told(tx: DeskTransaction, alarm: str, account: str, now: datetime) -> None:
    """It has been told, and will not be again."""
    told = _told(tx)
    told[alarm] = (now.isoformat(), [*told.get(alarm, ("", []))[1], account])
    tx.put_note(_TOLD, json.dumps(told))


def forget_ended(tx: DeskTransaction, found: Sequence[Alarm], now: datetime) -> None:
    """Remember what stands; forget what ended a day ago: should it come back, it is news."""
    told, standing = _told(tx), {alarm.name for alarm in found}
    kept: dict[str, tuple[str, list[str]]] = {}
    for name, (seen, accounts) in told.items():
        age = now - datetime.fromisoformat(seen)
        if name in standing:
            kept[name] = (now.isoformat() if age > _FORGET / 4 else seen, accounts)
        elif age <= _FORGET:
            kept[name] = (seen, accounts)
    if kept != told:
        tx.put_note(_TOLD, json.dumps(kept))


def _told(tx: DeskTransaction) -> dict[str, tuple[str, list[str]]]:
    """By alarm: when it last stood, and which accounts were told."""
    kept = json.loads(tx.note(_TOLD) or "{}")
    return {name: (seen, list(accounts)) for name, (seen, accounts) in kept.items()}
