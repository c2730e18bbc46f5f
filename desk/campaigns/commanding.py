"""What administrators do to campaigns from their own chat, by the desk's own functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from desk.accounts import Account
from desk.approvals import ApprovalError
from desk.audit import Act
from desk.campaigns.campaigning import known, open_waves, set_paused
from desk.campaigns.extending import days_of
from desk.campaigns.seconding import close_or_ask, extend_or_ask
from desk.campaigns.standing import Brief, briefs
from desk.campaigns.wrongs import CampaignError
from desk.outcomes import LARGE, in_a_line, outcomes, roll
from desk.store import Approval, DeskTransaction
from surveys.campaigns import Wave, last_moment
from surveys.words import Words, pick

WORDS = Words.of("desk", "chatting")
SHOWN = 20  # campaigns in one message
SURE = ("yes", "是")


@dataclass(frozen=True, slots=True)
class Said:
    """One command of somebody who is linked. ``rest`` is what stands behind it.

    What asks or changes more than ``limit`` people takes two.
    """

    tx: DeskTransaction
    act: Act
    account: Account
    rest: str
    language: str
    zone: ZoneInfo
    limit: int

    def say(self, key: str, **arguments: object) -> str:
        return WORDS.say(key, self.language, **arguments)

    def day(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).date().isoformat()

    def last_day(self, wave: Wave) -> str:
        """The last day of ``wave``, which may close at the midnight after it."""
        return self.day(last_moment(wave.closes_at))


def campaigns(said: Said) -> str:
    found = briefs(said.tx, said.act.at)
    if not found:
        return said.say("campaigns.none")
    lines = [line for brief in found[:SHOWN] for line in _stands(said, brief)]
    if len(found) > SHOWN:
        lines.append(said.say("campaigns.more", count=len(found) - SHOWN))
    return "\n".join(lines)


def _stands(said: Said, brief: Brief) -> list[str]:
    """A campaign in a line, and below it what became of everybody in its open or last wave."""
    made = brief.campaign
    title, state = pick(made.title, said.language), _state(said, brief)
    lines = [said.say("campaigns.line", id=made.id, title=title, state=state)]
    wave, key = brief.open or brief.last, "campaigns.now" if brief.open else "campaigns.last"
    if wave is None:
        return lines
    people = roll(said.tx.people_asked(wave.id), made)  # nobody any more once it is counted
    if people > LARGE:  # answers wait while this is counted
        return [*lines, said.say("campaigns.large", people=people)]
    came = outcomes(said.tx, wave, made)
    if came is not None:
        lines.append(said.say(key, listed=in_a_line(came, said.language)))
    return lines


def _state(said: Said, brief: Brief) -> str:
    if brief.open is not None:
        key = "state.open_paused" if brief.campaign.paused else "state.open"
        return said.say(key, day=said.last_day(brief.open))
    if brief.state == "held":
        return said.say("state.held", people=brief.held.people if brief.held else 0)
    if brief.next_opening is not None:
        return said.say("state.running", day=said.day(brief.next_opening))
    return said.say("state.paused" if brief.state == "paused" else "state.over")


def pause(said: Said) -> str:
    return _turn(said, True)


def resume(said: Said) -> str:
    return _turn(said, False)


def _turn(said: Said, paused: bool) -> str:
    try:
        campaign = known(said.tx, said.rest)
    except CampaignError:
        return said.say("unknown", id=said.rest[:80])
    title, word = pick(campaign.title, said.language), "paused" if paused else "resumed"
    if campaign.paused == paused:
        return said.say(f"{word}.already", title=title)
    try:
        set_paused(said.tx, said.act, campaign.id, paused)
    except CampaignError as error:
        return error.said(said.language)
    still = open_waves(said.tx, campaign.id, said.act.at) if paused else []
    if still:
        return said.say("paused.open", title=title, day=said.last_day(still[0]))
    return said.say(word, title=title)


def extend(said: Said) -> str:
    """``/extend ID DAYS``: the open wave stays open longer."""
    name, _, typed = said.rest.rpartition(" ")
    tx, act, limit = said.tx, said.act, said.limit
    if not name.strip():
        return said.say("extend.how")
    try:
        days = days_of(typed)
        done = extend_or_ask(tx, act, said.account, name.strip(), days, limit)
    except (CampaignError, ApprovalError) as error:
        return error.said(said.language)
    if isinstance(done, Approval):
        return said.say("asked", limit=limit)
    return said.say("extended", id=done.id, day=said.last_day(done))


def close(said: Said) -> str:
    """``/close ID yes``: it cannot be undone, so once is not enough."""
    name, _, sure = said.rest.rpartition(" ")
    tx, act, limit = said.tx, said.act, said.limit
    if not name or sure.lower() not in SURE:
        return said.say("close.sure", id=said.rest[:80])
    try:
        done = close_or_ask(tx, act, said.account, name.strip(), limit)
    except (CampaignError, ApprovalError) as error:
        return error.said(said.language)
    if isinstance(done, Approval):
        return said.say("asked", limit=limit)
    return said.say("closed", id=name, count=done)
