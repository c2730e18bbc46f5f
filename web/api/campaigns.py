"""Campaigns: made, paused, resumed, closed; a second person asked where one is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from desk.approvals import ApprovalError
from desk.campaigns.campaigning import known, set_paused
from desk.campaigns.extending import MOST
from desk.campaigns.rewording import reword
from desk.campaigns.seconding import close_or_ask, create_or_ask, extend_or_ask
from desk.campaigns.standing import Brief, briefs, standing
from desk.campaigns.wishing import Wish
from desk.campaigns.wrongs import CampaignError, Wrong
from desk.roles import May
from desk.store import Approval, DeskTransaction
from surveys.campaigns import QUARTERLY, Campaign
from surveys.words import LANGUAGES
from web.api import audiences
from web.api.audiences import Manners, MessagesModel, manners_of
from web.api.call import Call, Caller
from web.api.operations import Operation
from web.api.oversight import ApprovalModel, approval_model, problem_of
from web.api.paging import Page, Paged
from web.api.problems import Fault, ProblemError
from web.api.texts import LINE, NUMBERS, Bilingual, CampaignId, Group

T = TypeVar("T")
POINTERS = {
    "title_zh": "#/title/zh",
    "title_en": "#/title/en",
    "more": "#/days",
} | audiences.POINTERS


class CampaignModel(Manners):
    """A questionnaire asked of people again and again."""

    model_config = ConfigDict(title="Campaign")

    id: str = Field(description="Its id.")
    title: Bilingual = Field(description="What it is called.")
    form: str = Field(description="The version of the questionnaire that its next wave asks.")
    groups: list[str] = Field(description="Who is asked: of SUP, PEER, SUB, SVC, SELF.")
    starts: date = Field(description="The first day that it may open.")
    recurrence: str = Field(description="When it opens: an RFC 5545 rule, in its zone's time.")
    zone: str = Field(description="Its time zone.")
    hour: int = Field(description="The hour at which it opens.")
    days: int = Field(description="How many days a wave stays open.")
    reminders: list[int] = Field(description="After how many days it reminds.")
    k: int = Field(description="Fewest ratings that a figure may stand for.")
    state: str = Field(
        description="How it stands: open (a wave is), held (one is due, and waits for a second "
        "person or a smaller audience), running (one will be), paused, over.",
        json_schema_extra={"enum": ["open", "held", "running", "paused", "over"]},
    )
    next_opening: datetime | None = Field(description="When its next wave opens.")


class CampaignWish(Manners):
    """A campaign to be made. What it promises people cannot be changed later."""

    model_config = ConfigDict(title="CampaignWish", extra="forbid")

    id: str = Field(
        description="Its id, yours to choose; `new` and `coming` are taken.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$",
        examples=["window-2027"],
    )
    title: Bilingual = Field(description="What people see, in one language at least.")
    form: str = Field(
        description="The version of the questionnaire; its first letters do.",
        pattern=r"^[0-9a-f]{1,64}$",
    )
    groups: list[Group] = Field(description="Who is asked.", min_length=1, max_length=4)
    starts: str = Field(
        description="The first day that it may open.",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        examples=["2027-03-01"],
    )
    recurrence: str = Field(
        QUARTERLY, description="When it opens: an RFC 5545 rule.", max_length=200, pattern=LINE
    )
    zone: str | None = Field(
        None, description="An IANA time zone; else the desk's.", max_length=80, pattern=LINE
    )
    hour: Annotated[int, Field(ge=0, le=23), NUMBERS] = Field(
        9, description="The hour at which it opens."
    )
    days: Annotated[int, Field(ge=1, le=90), NUMBERS] = Field(
        14, description="How many days a wave stays open."
    )
    reminders: list[Annotated[int, Field(ge=1, le=89), NUMBERS]] = Field(
        [3, 7], description="After how many days to remind; fewer than `days`.", max_length=5
    )
    k: Annotated[int, Field(ge=3, le=50), NUMBERS] | None = Field(
        None, description="Fewest ratings a figure may stand for; else the desk's."
    )

    def wish(self, call: Call) -> Wish:
        """The same as typed at the desk."""
        return Wish(
            self.id,
            self.form,
            self.title.zh,
            self.title.en,
            ",".join(self.groups),
            self.starts,
            self.recurrence,
            self.zone or call.console.zone.key,
            str(self.hour),
            str(self.days),
            ",".join(map(str, self.reminders)),
            str(self.k or call.console.k),
            **self.manners(),
        )


class ExtensionWish(BaseModel):
    """How much longer an open wave is to stay open."""

    model_config = ConfigDict(title="ExtensionWish", extra="forbid")

    days: Annotated[int, Field(ge=1, le=MOST), NUMBERS] = Field(
        description="How many days later it is to close.", examples=[7]
    )


async def campaigns(call: Caller, page: Paged) -> Page[CampaignModel]:
    """All campaigns."""
    found = await call.read(lambda tx: briefs(tx, call.now))
    shown, onward = page.cut(found, lambda brief: (brief.campaign.id,))
    return Page(items=[_campaign(brief) for brief in shown], next=onward)


async def campaign(call: Caller, campaign: CampaignId) -> CampaignModel:
    """One campaign."""
    return await call.read(lambda tx: _standing(tx, call, campaign))


async def make_campaign(call: Caller, wish: CampaignWish) -> Response:
    """Make a campaign; 202 and a request where it asks so many that a second person must agree."""

    def work(tx: DeskTransaction) -> tuple[BaseModel, int]:
        limit = call.console.approval_above
        made = _judged(lambda: create_or_ask(tx, call.act(), call.account, wish.wish(call), limit))
        if isinstance(made, Approval):
            return approval_model(made), 202
        return _standing(tx, call, made.id), 201

    return await call.change(work, 201)


async def pause_campaign(call: Caller, campaign: CampaignId) -> Response:
    """Open no further wave; one that is open goes on. Doing it again changes nothing.

    Refused where no further wave would come anyway.
    """
    return await _paused(call, campaign, True)


async def resume_campaign(call: Caller, campaign: CampaignId) -> Response:
    """Let a paused campaign open waves again. Doing it again changes nothing.

    Refused where no further wave will come.
    """
    return await _paused(call, campaign, False)


async def reword_campaign(call: Caller, campaign: CampaignId, wish: MessagesModel) -> Response:
    """Give its messages these words, from the next one that leaves. What is left out is as usual.

    Who may read the answers is always added below.
    """

    def work(tx: DeskTransaction) -> CampaignModel:
        try:
            reword(tx, call.act(), campaign, wish.typed())
        except CampaignError as error:
            raise _refusal(error, "#/") from None
        return _standing(tx, call, campaign)

    return await call.change(work)


async def close_campaign(call: Caller, campaign: CampaignId) -> Response:
    """Pause it and close its open waves now; 202 and a request where a second person must agree."""

    def work(tx: DeskTransaction) -> tuple[BaseModel, int]:
        limit = call.console.approval_above
        done = _judged(lambda: close_or_ask(tx, call.act(), call.account, campaign, limit))
        if isinstance(done, Approval):
            return approval_model(done), 202
        return _standing(tx, call, campaign), 200

    return await call.change(work)


async def extend_campaign(call: Caller, campaign: CampaignId, wish: ExtensionWish) -> Response:
    """Keep its open wave open longer; 202 and a request where a second person must agree."""

    def work(tx: DeskTransaction) -> tuple[BaseModel, int]:
        limit = call.console.approval_above
        done = _judged(
            lambda: extend_or_ask(tx, call.act(), call.account, campaign, wish.days, limit)
        )
        if isinstance(done, Approval):
            return approval_model(done), 202
        return _standing(tx, call, campaign), 200

    return await call.change(work)


async def _paused(call: Call, campaign: str, paused: bool) -> Response:
    def work(tx: DeskTransaction) -> CampaignModel:
        _judged(lambda: set_paused(tx, call.act(), campaign, paused))
        return _standing(tx, call, campaign)

    return await call.change(work)


def _judged(work: Callable[[], T]) -> T:
    try:
        return work()
    except CampaignError as error:
        raise _refusal(error) from None
    except ApprovalError as error:
        raise problem_of(error) from None


def _refusal(error: CampaignError, messages: str = "#/messages/") -> ProblemError:
    """``messages`` is where a request says the words of messages."""
    codes = {wrong.code for wrong in error.wrongs}
    if "unknown" in codes:
        return ProblemError("missing")
    faults = [
        Fault(_said(wrong), _pointer(wrong.field).replace("#/messages/", messages))
        for wrong in error.wrongs
    ]
    return ProblemError("exists" if "taken" in codes else "refused", faults=faults)


def _pointer(field: str) -> str:
    return POINTERS.get(field, f"#/{field}")


def _said(wrong: Wrong) -> dict[str, str]:
    return {language: wrong.said(language) for language in LANGUAGES}


def _standing(tx: DeskTransaction, call: Call, campaign: str) -> CampaignModel:
    return _campaign(standing(tx, _judged(lambda: known(tx, campaign)), call.now).brief)


def _campaign(brief: Brief) -> CampaignModel:
    made: Campaign = brief.campaign
    return CampaignModel(
        id=made.id,
        title=Bilingual.of(made.title),
        form=made.form,
        groups=[str(group) for group in made.groups],
        starts=made.starts,
        recurrence=made.recurrence,
        zone=made.zone,
        hour=made.opens_hour,
        days=made.window.days,
        reminders=[delay.days for delay in made.reminders],
        k=made.k,
        **manners_of(made),
        state=brief.state,
        next_opening=brief.next_opening,
    )


OPERATIONS = (
    Operation("GET", "/campaigns", campaigns, May.CAMPAIGNS_READ, Page[CampaignModel]),
    Operation("POST", "/campaigns", make_campaign, May.CAMPAIGNS_WRITE, CampaignModel, 201,
              refuses=(409,), also={202: ApprovalModel}),
    Operation("GET", "/campaigns/{campaign}", campaign, May.CAMPAIGNS_READ, CampaignModel),
    Operation("POST", "/campaigns/{campaign}/pause", pause_campaign, May.CAMPAIGNS_WRITE,
              CampaignModel),
    Operation("POST", "/campaigns/{campaign}/resume", resume_campaign, May.CAMPAIGNS_WRITE,
              CampaignModel),
    Operation("PUT", "/campaigns/{campaign}/messages", reword_campaign, May.CAMPAIGNS_WRITE,
              CampaignModel),
    Operation("POST", "/campaigns/{campaign}/extend", extend_campaign, May.CAMPAIGNS_WRITE,
              CampaignModel, refuses=(409,), also={202: ApprovalModel}),
    Operation("POST", "/campaigns/{campaign}/close", close_campaign, May.CAMPAIGNS_WRITE,
              CampaignModel, refuses=(409,), also={202: ApprovalModel}),
)  # fmt: skip
