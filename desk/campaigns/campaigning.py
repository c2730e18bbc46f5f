"""What administrators do to campaigns, as functions of a transaction.

Whatever changes something takes the act it is done by and writes it into the audit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from desk.audit import Act, Value, record
from desk.campaigns.days import calendar
from desk.campaigns.wishing import Wish, askable, planned
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.connections.hooks import announce
from desk.store import DeskTransaction
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.recurrence import following
from surveys.workdays import Workdays

HOUR = timedelta(hours=1)


def draft(tx: DeskTransaction, wish: Wish, now: datetime) -> Campaign:
    """The campaign that ``wish`` means, or CampaignError with everything that is wrong with it."""
    made, wrongs = planned(tx, wish, now)
    if tx.campaign(wish.id) is not None:
        wrongs.append(Wrong("id", "taken", {"id": wish.id}))
    if wrongs or made is None:
        raise CampaignError(wrongs)
    return made


def create(tx: DeskTransaction, act: Act, wish: Wish) -> Campaign:
    """Make the campaign; everything is checked here. Making the very same one again does nothing.

    CampaignError with everything that is wrong.
    """
    tx.audit_head()  # from here on nobody else writes: of two clicks the second sees the first
    made, wrongs = planned(tx, wish, act.at)
    there = tx.campaign(wish.id)
    if made is not None and there is not None and replace(there, agreed=0) == made:
        return there  # a second click
    if there is not None:
        wrongs.append(Wrong("id", "taken", {"id": wish.id}))
    if wrongs or made is None:
        raise CampaignError(wrongs)
    tx.put_campaign(made)
    record(tx, act, "campaign.created", _what(made.id), None, facts(made))
    return made


def facts(campaign: Campaign) -> dict[str, Value]:
    """A campaign as the audit tells it; of its audience and own words only what there is."""
    told: dict[str, Any] = {
        "title": " / ".join(campaign.title.values()),
        "form": campaign.form,
        "groups": [str(group) for group in campaign.groups],
        "starts": campaign.starts.isoformat(),
        "recurrence": campaign.recurrence,
        "zone": campaign.zone,
        "hour": campaign.opens_hour,
        "days": campaign.window.days,
        "reminders": [delay.days for delay in campaign.reminders],
        "k": campaign.k,
        "shift": campaign.shift.value,
        "quiet": list(campaign.quiet),
        "grace": int(campaign.grace / HOUR),
        "paid": campaign.paid,
    }
    own = {
        f"messages_{stage}_{language}": text
        for stage, words in campaign.messages.items() for language, text in words.items()
    }  # fmt: skip
    return told | dict(campaign.audience.packed()) | own


def set_form(tx: DeskTransaction, act: Act, campaign: str, form: str) -> Campaign:
    """Ask another questionnaire from the next wave on; a wave that has opened keeps its own.

    ``form`` is the first letters of a version. CampaignError where no wave can come any more.
    """
    tx.audit_head()
    made = known(tx, campaign)
    version, wrong = askable(tx, form)
    if wrong is not None:
        raise CampaignError([wrong])
    if version != made.form:
        _further(tx, made, act.at)
        tx.put_campaign(replace(made, form=version))
        record(tx, act, "campaign.revised", _what(campaign), {"form": made.form}, {"form": version})
    return replace(made, form=version)


def set_paused(tx: DeskTransaction, act: Act, campaign: str, paused: bool) -> None:
    """Pause or resume; doing it again changes nothing.

    CampaignError where no wave can come any more.
    """
    tx.audit_head()
    made = known(tx, campaign)
    if made.paused == paused:
        return
    _further(tx, made, act.at)
    tx.put_campaign(replace(made, paused=paused))
    action = "campaign.paused" if paused else "campaign.resumed"
    record(tx, act, action, _what(campaign), {"paused": made.paused}, {"paused": paused})
    if paused:
        announce(tx, "campaign.paused", {"campaign": campaign}, act.at)


def _further(tx: DeskTransaction, campaign: Campaign, now: datetime) -> None:
    """CampaignError where no further wave comes, paused or not: nothing would change."""
    mine = [wave for wave in tx.waves() if wave.campaign == campaign.id]
    if next_wave(campaign, calendar(tx), mine, now) is None:
        raise CampaignError([Wrong("wave", "over")])


def close_now(tx: DeskTransaction, act: Act, campaign: str) -> int:
    """Pause ``campaign`` and let its open waves end now; the number of waves closed."""
    tx.audit_head()
    made = known(tx, campaign)
    closing = open_waves(tx, campaign, act.at)
    if made.paused and not closing:
        return 0
    tx.put_campaign(replace(made, paused=True))
    for wave in closing:
        tx.put_wave(replace(wave, closes_at=act.at))
    before: dict[str, Any] = {"paused": made.paused}
    before |= {wave.id: _moment(wave.closes_at) for wave in closing}
    after: dict[str, Any] = {"paused": True} | {wave.id: _moment(act.at) for wave in closing}
    record(tx, act, "campaign.closed", _what(campaign), before, after)
    announce(tx, "campaign.paused", {"campaign": campaign}, act.at)
    return len(closing)


def open_waves(tx: DeskTransaction, campaign: str, now: datetime) -> list[Wave]:
    """The campaign's waves that take answers at ``now``."""
    return [wave for wave in tx.waves() if wave.campaign == campaign and is_open(wave, now)]


def is_open(wave: Wave, now: datetime) -> bool:
    """Whether the wave takes answers at ``now``."""
    return wave.state is WaveState.OPEN and wave.opens_at <= now < wave.closes_at


def next_wave(
    campaign: Campaign, days: Workdays, waves: list[Wave], now: datetime
) -> datetime | None:
    """When the campaign's next wave opens, as if it were not paused, in the campaign's zone.

    ``waves`` are its own. Not later than ``now``: it opens at once.
    """
    zone = ZoneInfo(campaign.zone)
    coming = [wave.opens_at for wave in waves if wave.state is WaveState.PLANNED
              and wave.closes_at > now]  # fmt: skip
    at = min(coming, default=None) or following(campaign, days, waves, now)
    return None if at is None else at.astimezone(zone)


def known(tx: DeskTransaction, campaign: str) -> Campaign:
    """The campaign; CampaignError where there is none."""
    found = tx.campaign(campaign)
    if found is None:
        raise CampaignError([Wrong("campaign", "unknown", {"id": campaign})])
    return found


def today(campaign: Campaign, now: datetime) -> date:
    """The day that it is where the campaign is."""
    return now.astimezone(ZoneInfo(campaign.zone)).date()


def _what(campaign: str) -> str:
    return f"campaign:{campaign}"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="minutes")
