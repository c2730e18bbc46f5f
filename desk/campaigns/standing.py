"""Campaigns and where they stand: which wave is open, what comes next, what has been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from desk.campaigns.campaigning import is_open, next_wave
from desk.campaigns.days import calendar
from desk.campaigns.holding import Hold, held
from desk.outcomes import tens
from desk.store import DeskTransaction
from surveys.campaigns import Campaign, Outcome, Wave, WaveState


@dataclass(frozen=True, slots=True)
class Brief:
    """A campaign in one line of a list. ``next_opening`` is None where it is paused or over.

    ``last`` is its newest wave that was counted; ``held`` why a wave that is due does not open;
    ``ended``: by its rule no further wave comes, paused or not.
    """

    campaign: Campaign
    next_opening: datetime | None
    waves: int
    open: Wave | None
    last: Wave | None = None
    held: Hold | None = None
    ended: bool = False

    @property
    def state(self) -> str:
        """open | paused | held | running | over."""
        if self.open is not None:
            return "open"
        if self.campaign.paused:
            return "over" if self.ended else "paused"
        if self.held is not None:
            return "held"
        return "running" if self.next_opening is not None else "over"


@dataclass(frozen=True, slots=True)
class WaveStanding:
    """A wave and (stage, outcome, messages).

    ``answered`` is how many interviews of an open wave are complete, rounded down to tens: two
    exact numbers would tell who came between. None where that is fewer than ten or than k, or
    where the wave is not open.
    """

    wave: Wave
    answered: int | None
    deliveries: Sequence[tuple[str, Outcome, int]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign with its waves, oldest first."""

    brief: Brief
    waves: tuple[WaveStanding, ...]

    @property
    def campaign(self) -> Campaign:
        """What it is about."""
        return self.brief.campaign


def briefs(tx: DeskTransaction, now: datetime) -> list[Brief]:
    """Every campaign, those with an open wave first, then by their next opening."""
    waves = tx.waves()
    found = [_brief(tx, campaign, waves, now) for campaign in tx.campaigns()]
    order = ("held", "open", "running", "paused", "over")

    def place(brief: Brief) -> tuple[int, float, str]:
        at = brief.open.closes_at if brief.open else brief.next_opening
        return order.index(brief.state), at.timestamp() if at else 0.0, brief.campaign.id

    return sorted(found, key=place)


def standing(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Standing:
    """Where ``campaign`` stands."""
    waves = sorted(tx.waves(), key=lambda wave: wave.opens_at)
    mine = [wave for wave in waves if wave.campaign == campaign.id]
    told = (_standing(tx, wave, campaign) for wave in mine)
    return Standing(_brief(tx, campaign, mine, now), tuple(told))


def _brief(tx: DeskTransaction, campaign: Campaign, waves: Sequence[Wave], now: datetime) -> Brief:
    mine = [wave for wave in waves if wave.campaign == campaign.id]
    ahead = next_wave(campaign, calendar(tx), mine, now)
    coming = None if campaign.paused else ahead
    going_on = next((wave for wave in mine if is_open(wave, now)), None)
    last = next((wave for wave in reversed(mine) if wave.state is WaveState.TALLIED), None)
    due = [wave for wave in mine if wave.state is WaveState.PLANNED and wave.opens_at <= now]
    waits = next((hold for wave in due if (hold := held(tx, wave.id))), None)
    return Brief(campaign, coming, len(mine), going_on, last, waits, ahead is None)


def _standing(tx: DeskTransaction, wave: Wave, campaign: Campaign) -> WaveStanding:
    answered = None
    if wave.state is WaveState.OPEN:
        asked = sum(people for _, _, people in tx.sides(wave.id))
        answered = tens(tx.interview_counts(wave.id)[1], asked, campaign.k)
    return WaveStanding(wave, answered, tx.delivery_counts(wave.id))
