"""Campaigns and where they stand: which wave is open, what comes next, what has been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from desk.campaigns.campaigning import is_open, next_wave
from desk.store import DeskTransaction
from surveys.campaigns import Campaign, Outcome, Wave, WaveState


@dataclass(frozen=True, slots=True)
class Brief:
    """A campaign in one line of a list. ``next_opening`` is None where it is paused or over."""

    campaign: Campaign
    next_opening: datetime | None
    waves: int
    open: Wave | None

    @property
    def state(self) -> str:
        """open | paused | running | over."""
        if self.open is not None:
            return "open"
        if self.campaign.paused:
            return "paused"
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
    found = [_brief(campaign, waves, now) for campaign in tx.campaigns()]
    order = ("open", "running", "paused", "over")

    def place(brief: Brief) -> tuple[int, float, str]:
        at = brief.open.closes_at if brief.open else brief.next_opening
        return order.index(brief.state), at.timestamp() if at else 0.0, brief.campaign.id

    return sorted(found, key=place)


def standing(tx: DeskTransaction, campaign: Campaign, now: datetime) -> Standing:
    """Where ``campaign`` stands."""
    waves = sorted(tx.waves(), key=lambda wave: wave.opens_at)
    mine = [wave for wave in waves if wave.campaign == campaign.id]
    told = (_standing(tx, wave, campaign.k, now) for wave in mine)
    return Standing(_brief(campaign, mine, now), tuple(told))


def _brief(campaign: Campaign, waves: Sequence[Wave], now: datetime) -> Brief:
    mine = [wave for wave in waves if wave.campaign == campaign.id]
    coming = None if campaign.paused else next_wave(campaign, mine, now)
    going_on = next((wave for wave in mine if is_open(wave, now)), None)
    return Brief(campaign, coming, len(mine), going_on)


def _standing(tx: DeskTransaction, wave: Wave, k: int, now: datetime) -> WaveStanding:
    answered = None
    if wave.state is WaveState.OPEN:
        complete = tx.interview_counts(wave.id)[1]
        answered = complete // 10 * 10 if complete >= max(k, 10) else None
    return WaveStanding(wave, answered, tx.delivery_counts(wave.id))
