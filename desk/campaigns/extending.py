"""An open wave stays open longer. People were told a day; they may always be given more."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from desk.audit import Act, record
from desk.campaigns.campaigning import is_open
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.store import DeskTransaction
from surveys.campaigns import Wave, WaveState

MOST = 30  # days more at once
LONGEST = timedelta(days=90)  # from its opening to its close, as where it is made


def days_of(text: str) -> int:
    """How many days more were typed. CampaignError where that is no number from 1 to MOST."""
    typed = text.strip()
    if re.fullmatch(r"[0-9]{1,3}", typed) and 1 <= int(typed) <= MOST:
        return int(typed)
    raise CampaignError([Wrong("more", "more", {"text": text[:40], "most": MOST})])


def longer(tx: DeskTransaction, name: str, days: int, now: datetime) -> Wave:
    """The open wave that ``name`` means as it would be, closing ``days`` later.

    ``name`` is a wave, or a campaign with one open wave. CampaignError where there is none, where
    it would be open for more than LONGEST, or as long as the campaign's next wave.
    """
    wave = _meant(tx, name, now)
    closes_at = wave.closes_at + timedelta(days=days)
    if closes_at - wave.opens_at > LONGEST:
        raise CampaignError([Wrong("more", "too_long", {"most": LONGEST.days})])
    mine = [each for each in tx.waves() if each.campaign == wave.campaign]
    coming = [each.opens_at for each in mine if each.state is WaveState.PLANNED]
    if any(opens_at < closes_at for opens_at in coming):
        day = f"{min(coming):%Y-%m-%d}"
        raise CampaignError([Wrong("more", "meets_next", {"day": day})])
    return replace(wave, closes_at=closes_at)


def extend(tx: DeskTransaction, act: Act, name: str, days: int) -> Wave:
    """Let it close ``days`` later; CampaignError as :func:`longer`."""
    tx.audit_head()
    after = longer(tx, name, days, act.at)
    before = _meant(tx, name, act.at)
    tx.put_wave(after)
    record(tx, act, "wave.extended", f"wave:{after.id}",
           {"closes": _moment(before.closes_at)}, {"closes": _moment(after.closes_at)})  # fmt: skip
    return after


def _meant(tx: DeskTransaction, name: str, now: datetime) -> Wave:
    found = [each for each in tx.waves() if name in (each.id, each.campaign)]
    if not found and tx.campaign(name) is None:
        raise CampaignError([Wrong("campaign", "unknown", {"id": name[:80]})])
    going = [each for each in found if is_open(each, now)]
    if len(going) != 1:
        names = ", ".join(each.id for each in going)
        code = "several_open" if going else "none_open"
        raise CampaignError([Wrong("wave", code, {"waves": names})])
    return going[0]


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="minutes")
