"""When waves open: the next one planned, those due drawn and opened, large ones held.

A wave asks no more people than its campaign's own cap lets it, and no more than one person may
decide upon alone, unless a second one agreed to so many. Who would be asked is drawn first and
counted then, in the unit of work that opens the wave, so nothing can grow in between: a campaign
that was made while it was small does not open large.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desk import approvals
from desk.audit import Act, Facts, record
from desk.campaigns.campaigning import set_paused
from desk.campaigns.days import calendar
from desk.campaigns.holding import Hold, held, let_go, put_hold
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.connections.hooks import announce
from desk.roles import May
from desk.store import Approval, Decision, DeskTransaction, Sought
from surveys.campaigns import INVITE, Campaign, Wave, WaveState, period_of, reminders
from surveys.drawing import fill
from surveys.keys import Keyring
from surveys.recurrence import following
from surveys.workdays import Workdays

OPEN = "wave.open"
LATE = timedelta(minutes=10)  # from which on a late opening is said to be one
AGAIN = timedelta(minutes=10)  # after which a wave above its cap is counted anew


@dataclass(frozen=True, slots=True)
class Means:
    """What opening takes. ``seed`` makes a new random hex; above ``limit`` people two decide."""

    keyring: Keyring
    seed: Callable[[], str]
    limit: int


@dataclass(frozen=True, slots=True)
class PlanReport:
    """Waves planned ahead and opened, and what the opened ones owe; ``late`` of the opened.

    ``held`` are due and wait, for a second person or for a smaller audience; ``expired`` are those
    whose whole window has gone by.
    """

    planned: int = 0
    opened: int = 0
    assignments: int = 0
    deliveries: int = 0
    late: int = 0
    held: int = 0
    expired: int = 0


def plan(tx: DeskTransaction, act: Act, now: datetime, means: Means) -> PlanReport:
    """Make each campaign's next wave, and open the waves whose time has come."""
    waves, days = list(tx.waves()), calendar(tx)
    running = {campaign.id: campaign for campaign in tx.campaigns() if not campaign.paused}
    report = PlanReport()
    for campaign in running.values():
        wave = _next_wave(means, campaign, days, waves, now)
        if wave is not None:
            tx.put_wave(wave)
            waves.append(wave)
            report = replace(report, planned=report.planned + 1)
    coming = [w for w in waves if w.state is WaveState.PLANNED and w.campaign in running]
    for wave in coming:
        if wave.opens_at <= now:
            report = _added(report, _due(tx, act, running[wave.campaign], wave, now, means.limit))
    return report


def _added(one: PlanReport, other: PlanReport) -> PlanReport:
    return PlanReport(*(getattr(one, n) + getattr(other, n) for n in PlanReport.__slots__))


def _next_wave(
    means: Means, campaign: Campaign, days: Workdays, waves: list[Wave], now: datetime
) -> Wave | None:
    """The wave after the campaign's latest, unless that one has not even opened yet."""
    mine = [wave for wave in waves if wave.campaign == campaign.id]
    planned = any(wave.state is WaveState.PLANNED for wave in mine)
    opens_at = None if planned else following(campaign, days, mine, now)
    if opens_at is None:
        return None
    name = f"{campaign.id}.{opens_at:%Y%m%d}"
    return Wave(
        id=name,
        campaign=campaign.id,
        period=period_of(opens_at.date()),
        opens_at=opens_at,
        closes_at=opens_at + campaign.window,
        tally_key=means.keyring.new_wave(name),
        seed=means.seed(),
    )


# ---- a wave whose time has come


def _due(
    tx: DeskTransaction, act: Act, campaign: Campaign, wave: Wave, now: datetime, limit: int
) -> PlanReport:
    if wave.closes_at <= now:
        return _expire(tx, act, wave)
    hold = held(tx, wave.id)
    if hold is not None and _waits(tx, campaign, hold, now):
        return PlanReport(held=1)
    tx.audit_head()  # from here on nobody else writes: of two clocks one opens the wave
    standing = tx.wave(wave.id)
    if standing is None or standing.state is not WaveState.PLANNED:
        return PlanReport()
    assignments = fill(tx, wave, campaign, now)
    people = tx.people_asked(wave.id)
    why = why_held(campaign, people, limit)
    if why:
        tx.drop_roll(wave.id)
        _hold(tx, act, campaign, wave, hold, Hold(why, people, now))
        return PlanReport(held=1)
    return _open(tx, act, campaign, wave, now, assignments)


def _waits(tx: DeskTransaction, campaign: Campaign, hold: Hold, now: datetime) -> bool:
    """Whether nothing can have changed that would open it; drawing anew may take long."""
    if not hold.request:
        return abs(now - hold.seen_at) < AGAIN
    if campaign.agreed >= hold.people:
        return False
    asked = tx.approval(hold.request)
    return asked is not None and asked.decision is Decision.OPEN and now < asked.expires_at


def why_held(campaign: Campaign, people: int, limit: int) -> str:
    """What holds a wave that asks so many: cap, second; '' for nothing."""
    most = campaign.audience.at_most
    if most and people > most:
        return "cap"
    return "second" if people > max(limit, campaign.agreed) else ""


def _hold(
    tx: DeskTransaction, act: Act, campaign: Campaign, wave: Wave, before: Hold | None, hold: Hold
) -> None:
    """Note why it waits, once aloud; a second person is asked once."""
    approvals.lapse(tx, act, OPEN, _what(wave), hold.seen_at)
    if hold.why == "second":
        told = {"wave": wave.id, "campaign": campaign.id, "people": str(hold.people)}
        asked = approvals.ask(tx, act, None, OPEN, _what(wave), told, hold.seen_at)
        hold = replace(hold, request=asked.id)
    put_hold(tx, wave.id, hold)
    if before is None or before.why != hold.why:
        facts: Facts = {"campaign": campaign.id, "why": hold.why, "people": hold.people}
        record(tx, act, "wave.held", _what(wave), None, facts)


def _open(
    tx: DeskTransaction, act: Act, campaign: Campaign, wave: Wave, now: datetime, assignments: int
) -> PlanReport:
    """Open ``wave``: every message it will ever owe becomes a row.

    A wave that opens late owes no reminder whose time has passed: the invitation is news enough.
    """
    tx.open_wave(wave.id)
    _settled(tx, act, wave)
    deliveries = tx.draw_deliveries(wave.id, *_stages(campaign, wave, now))
    after: dict[str, str | int] = {
        "campaign": campaign.id, "form": campaign.form, "assignments": assignments,
        "closes": wave.closes_at.isoformat(timespec="minutes"),
    }  # fmt: skip
    late = now - wave.opens_at >= LATE
    if late:
        after["late"] = int((now - wave.opens_at).total_seconds() // 60)
    record(tx, act, "wave.opened", _what(wave), None, after)
    announce(tx, "wave.opened", {"wave": wave.id, "campaign": campaign.id}, act.at)
    return PlanReport(0, 1, assignments, deliveries, int(late))


def _stages(campaign: Campaign, wave: Wave, now: datetime) -> list[tuple[str, datetime]]:
    """(stage, when it is due): the invitation, and the reminders that are still to come."""
    times = reminders(wave.opens_at, campaign)
    return [(INVITE, wave.opens_at), *((stage, at) for stage, at in times if at > now)]


def _expire(tx: DeskTransaction, act: Act, wave: Wave) -> PlanReport:
    """Its whole window went by: it asks nobody, says so, and its keys go with the next tally."""
    if not tx.open_wave(wave.id):
        return PlanReport()  # somebody was faster
    hold = held(tx, wave.id)
    _settled(tx, act, wave)
    after: Facts = {"campaign": wave.campaign, "why": hold.why if hold else "late",
                    "closes": wave.closes_at.isoformat(timespec="minutes")}  # fmt: skip
    record(tx, act, "wave.expired", _what(wave), None, after)
    return PlanReport(expired=1)


def _settled(tx: DeskTransaction, act: Act, wave: Wave) -> None:
    """It waits no longer, and nobody has to decide anything."""
    if held(tx, wave.id) is not None:
        let_go(tx, wave.id)
        approvals.lapse(tx, act, OPEN, _what(wave), act.at)


def lateness(tx: DeskTransaction, wave: Wave) -> tuple[datetime, int] | None:
    """(when it really opened, how many minutes late) as the audit tells; None: no such entry."""
    found = tx.audit(Sought(action="wave.opened", what=_what(wave)), limit=1)
    if not found:
        return None
    late = json.loads(found[0].after).get("late", 0)
    return datetime.fromisoformat(found[0].at), int(late)


def _what(wave: Wave) -> str:
    return f"wave:{wave.id}"


# ---- what a second person decides


def agree(tx: DeskTransaction, act: Act, campaign: str, people: int) -> None:
    """Let a wave of ``campaign`` ask ``people``; never fewer than was agreed to before."""
    made = tx.campaign(campaign)
    if made is None:
        raise CampaignError([Wrong("campaign", "unknown", {"id": campaign})])
    if people > made.agreed:
        tx.put_campaign(replace(made, agreed=people))
        record(tx, act, "campaign.agreed", f"campaign:{campaign}",
               {"agreed": made.agreed}, {"agreed": people})  # fmt: skip


def _agreed(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    wave = tx.wave(arguments["wave"])
    if wave is None or wave.state is not WaveState.PLANNED or wave.closes_at <= act.at:
        raise CampaignError([Wrong("wave", "wave_over", {"id": arguments["wave"]})])
    agree(tx, act, wave.campaign, int(arguments["people"]))


def _refused(tx: DeskTransaction, act: Act, arguments: Mapping[str, str]) -> None:
    """The wave does not open: its campaign is paused until somebody resumes it."""
    with suppress(CampaignError):  # its time is over meanwhile: there is nothing left to pause
        set_paused(tx, act, arguments["campaign"], True)


def _made_by(tx: DeskTransaction, arguments: Mapping[str, str]) -> Sequence[str]:
    """Who wanted the campaign: who asked for it where two made it, else who made it."""
    what = f"campaign:{arguments['campaign']}"
    asked = [each for each in tx.approvals() if _made(each, what)]
    if asked:
        return [asked[0].asked_by]
    return [entry.who for entry in tx.audit(Sought(action="campaign.created", what=what), limit=1)]


def _made(asked: Approval, what: str) -> bool:
    made = ("campaign.create", what, Decision.APPROVED)
    return (asked.action, asked.what, asked.decision) == made


approvals.register(OPEN, May.CAMPAIGNS_WRITE, _agreed, refuse=_refused, behind=_made_by)
