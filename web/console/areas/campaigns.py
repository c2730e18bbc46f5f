"""Campaigns: what is asked of whom, and when; pausing, resuming, closing, asking something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.approvals import ApprovalError, deciders
from desk.campaigns.campaigning import known, set_form, set_paused
from desk.campaigns.days import calendar
from desk.campaigns.extending import MOST, days_of
from desk.campaigns.foreseeing import reach
from desk.campaigns.outlook import Coming, Look, coming, look, notes
from desk.campaigns.rhythm import Every, rhythm_of
from desk.campaigns.seconding import (
    CLOSE,
    EXTEND,
    asked_now,
    close_or_ask,
    extend_or_ask,
)
from desk.campaigns.standing import Brief, Standing, briefs, standing
from desk.campaigns.wrongs import CampaignError
from desk.outcomes import roll
from desk.questionnaires import brought
from desk.roles import May
from desk.store import Approval, DeskTransaction
from surveys.campaigns import Campaign, WaveState
from surveys.cells import RaterGroup
from web.console.areas import campaigns_dry, campaigns_new, messages, rehearsal
from web.console.campaign_calendar import Span, drawn
from web.console.campaign_telling import closing, moment, month, promises, rule
from web.console.context import Context
from web.console.doors import Door

STATES = ("open", "held", "running", "paused", "over")
T = TypeVar("T")
SECONDED = {"close": CLOSE, "extend": EXTEND}
AHEAD = 3
PAST = 8  # waves drawn; the table has them all


@dataclass(frozen=True, slots=True)
class Seen:
    """A campaign with all that its pages tell of it."""

    standing: Standing
    ahead: Sequence[Coming]
    look: Look

    @property
    def campaign(self) -> Campaign:
        """What it is about."""
        return self.standing.campaign


async def listing(at: Context) -> Response:
    """Every campaign, by what was filtered for."""
    query = at.request.query_params
    state, group = query.get("state", ""), query.get("group", "")
    text = query.get("text", "").strip()[:100]
    every = await at.read(lambda tx: briefs(tx, at.now))
    found = [brief for brief in every if _fits(brief, state, group, text)]
    return at.page(
        "campaigns/list.html", every=every, found=found, states=STATES, groups=tuple(RaterGroup),
        chosen={"state": state, "group": group, "text": text}, when=moment(at.language),
        until=closing(at.language),
    )  # fmt: skip


def _fits(brief: Brief, state: str, group: str, text: str) -> bool:
    made = brief.campaign
    words = " ".join((made.id, *made.title.values())).casefold()
    return (
        (state not in STATES or brief.state == state)
        and (group not in tuple(RaterGroup) or group in made.groups)
        and text.casefold() in words
    )


async def page(at: Context) -> Response:
    """One campaign: what it asks, of whom, when, what it promised, and its waves."""
    seen = await at.read(lambda tx: _seen(tx, _id(at), at.now))
    made, now = seen.campaign, at.now
    zone = ZoneInfo(made.zone)
    spans = [
        Span(each.wave.opens_at.astimezone(zone), each.wave.closes_at.astimezone(zone),
             "past" if each.wave.closes_at <= now else "open")
        for each in seen.standing.waves[-PAST:]
        if each.wave.state is not WaveState.PLANNED
    ]  # fmt: skip
    if not made.paused:
        spans += [Span(each.opens_at, each.closes_at, "coming") for each in seen.ahead]
    return at.page(
        "campaigns/campaign.html", seen=seen, made=made, now=now, planned=WaveState.PLANNED,
        when=moment(at.language), until=closing(at.language), month=month(at.language),
        rule=rule(made), once=rhythm_of(made.recurrence, made.shift).every is Every.ONCE,
        promises=promises(made), address=address(made.id),
        calendar=drawn(spans, now.astimezone(zone)),
    )  # fmt: skip


def _seen(tx: DeskTransaction, campaign: str, now: datetime) -> Seen:
    try:
        made = known(tx, campaign)
    except CampaignError:
        raise HTTPException(404) from None
    stands = standing(tx, made, now)
    ahead = coming(made, calendar(tx), [each.wave for each in stands.waves], now, AHEAD)
    return Seen(stands, ahead, look(made.form, tx.form(made.form) or b""))


def address(campaign: str) -> str:
    """Where a campaign's page is; ids may hold anything."""
    return f"/desk/campaigns/{quote(campaign, safe='/')}"


def _id(at: Context) -> str:
    return str(at.request.path_params["campaign"])


# ---- what changes a campaign: a page that says what will happen, then a POST


async def asking(at: Context, doing: str, *, status: int = 200, wrong: str = "") -> Response:
    """The page that says what will happen."""
    limit = at.console.approval_above

    def looked(tx: DeskTransaction) -> dict[str, Any]:
        seen = _seen(tx, _id(at), at.now)
        made = seen.campaign
        people = asked_now(tx, at.act(), made) if doing in SECONDED else 0
        action = SECONDED.get(doing, CLOSE)
        able = deciders(tx, action, at.account.id, at.now) if people > limit else []
        return {
            "seen": seen,
            "made": made,
            "people": people,
            "told": roll(people, made),  # whoever comes by a window's code makes it grow
            "able": [account.name for account in able],
            "reach": reach(tx, made, at.now),
            "notes": notes(tx, made, at.now, seen.look) if doing == "resume" else [],
            "forms": campaigns_new.shelf(tx) if doing == "revise" else [],
            "brought": brought(tx) if doing == "revise" else {},
        }

    values = await at.read(looked)
    made = values["made"]
    assert isinstance(made, Campaign)
    return at.page(
        "campaigns/confirm.html", status=status, doing=doing, wrong=wrong, limit=limit,
        when=moment(at.language), until=closing(at.language), address=address(made.id),
        now=at.now, most=MOST,
        more=at.fields.get("more", ""), **values,
    )  # fmt: skip


async def ask_pause(at: Context) -> Response:
    """What pausing means."""
    return await asking(at, "pause")


async def ask_resume(at: Context) -> Response:
    """What resuming means."""
    return await asking(at, "resume")


async def ask_close(at: Context) -> Response:
    """What closing means."""
    return await asking(at, "close")


async def ask_extend(at: Context) -> Response:
    """By how many days the open wave is to stay open longer."""
    return await asking(at, "extend")


async def ask_revise(at: Context) -> Response:
    """Which questionnaire the next wave is to ask."""
    return await asking(at, "revise")


async def pause(at: Context) -> Response:
    """Open no further wave."""
    return await _paused(at, True)


async def resume(at: Context) -> Response:
    """Open waves again."""
    return await _paused(at, False)


async def _paused(at: Context, paused: bool) -> Response:
    name = _id(at)
    try:
        await at.write(lambda tx: set_paused(tx, at.act(), name, paused))
    except CampaignError as error:
        if error.wrongs[0].field == "campaign":
            raise HTTPException(404) from None
        doing = "pause" if paused else "resume"
        return await asking(at, doing, status=409, wrong=error.said(at.language))
    return at.go(address(name), "campaigns.said.paused" if paused else "campaigns.said.resumed")


async def close(at: Context) -> Response:
    """End the open wave now, or ask a second person to agree."""
    name, limit = _id(at), at.console.approval_above
    try:
        done = await _change(at, lambda tx: close_or_ask(tx, at.act(), at.account, name, limit))
    except ApprovalError as error:
        return await asking(at, "close", status=409, wrong=error.said(at.language))
    if isinstance(done, Approval):
        return at.go(f"/desk/approvals/{done.id}", "campaigns.said.asked")
    return at.go(address(name), "campaigns.said.closed", count=done)


async def extend(at: Context) -> Response:
    """Keep the open wave open longer, or ask a second person to agree."""
    name, limit = _id(at), at.console.approval_above
    try:
        days = days_of(at.fields.get("more", ""))
        done = await at.write(lambda tx: extend_or_ask(tx, at.act(), at.account, name, days, limit))
    except CampaignError as error:
        if error.wrongs[0].field == "campaign":
            raise HTTPException(404) from None
        return await asking(at, "extend", status=422, wrong=error.said(at.language))
    except ApprovalError as error:
        return await asking(at, "extend", status=409, wrong=error.said(at.language))
    if isinstance(done, Approval):
        return at.go(f"/desk/approvals/{done.id}", "campaigns.said.asked")
    made = await at.read(lambda tx: known(tx, name))
    closes = closing(at.language)(done.closes_at, made.zone)
    return at.go(address(name), "campaigns.said.extended", day=closes)


async def revise(at: Context) -> Response:
    """Ask another questionnaire from the next wave on."""
    name, form = _id(at), at.fields.get("form", "")
    try:
        await at.write(lambda tx: set_form(tx, at.act(), name, form))
    except CampaignError as error:
        if error.wrongs[0].field == "campaign":
            raise HTTPException(404) from None
        return await asking(at, "revise", status=422, wrong=error.said(at.language))
    return at.go(address(name), "campaigns.said.revised")


async def _change(at: Context, work: Callable[[DeskTransaction], T]) -> T:
    try:
        return await at.write(work)
    except CampaignError:
        raise HTTPException(404) from None


_ONE = "/campaigns/{campaign:path}"
DOORS = (
    Door("/campaigns", listing, May.CAMPAIGNS_READ),
    *campaigns_new.DOORS,
    *campaigns_dry.DOORS,
    *messages.DOORS,
    *rehearsal.DOORS,
    Door(f"{_ONE}/pause", ask_pause, May.CAMPAIGNS_WRITE),
    Door(f"{_ONE}/pause", pause, May.CAMPAIGNS_WRITE, "POST"),
    Door(f"{_ONE}/resume", ask_resume, May.CAMPAIGNS_WRITE),
    Door(f"{_ONE}/resume", resume, May.CAMPAIGNS_WRITE, "POST"),
    Door(f"{_ONE}/close", ask_close, May.CAMPAIGNS_WRITE),
    Door(f"{_ONE}/close", close, May.CAMPAIGNS_WRITE, "POST"),
    Door(f"{_ONE}/extend", ask_extend, May.CAMPAIGNS_WRITE),
    Door(f"{_ONE}/extend", extend, May.CAMPAIGNS_WRITE, "POST"),
    Door(f"{_ONE}/revise", ask_revise, May.CAMPAIGNS_WRITE),
    Door(f"{_ONE}/revise", revise, May.CAMPAIGNS_WRITE, "POST"),
    Door(_ONE, page, May.CAMPAIGNS_READ),
)
