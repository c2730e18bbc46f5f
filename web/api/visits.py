"""Visits: the service system tells that somebody was served, and gets a link for that person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from desk.linking import LinkError
from desk.roles import May
from desk.store import DeskTransaction
from desk.visiting import MOST, USUAL, make_visit_link
from web.api.call import Caller
from web.api.operations import Operation
from web.api.problems import Fault, ProblemError
from web.api.texts import ID, NUMBERS
from web.doors import drawn


class VisitWish(BaseModel):
    """Somebody was served, and may say how it went."""

    model_config = ConfigDict(title="VisitWish", extra="forbid")

    subject: str = Field(description="The id of the unit that served.", pattern=ID)
    hours: Annotated[int, NUMBERS] = Field(
        USUAL, description="So long the link can be opened, up to the full hour.", ge=1, le=MOST
    )


class VisitModel(BaseModel):
    """A link that is good for one rating, once. It is shown in this answer and never again."""

    model_config = ConfigDict(title="Visit")

    subject: str = Field(description="The unit that served.")
    expires_at: datetime = Field(description="From then on the link opens nothing.")
    browser_url: str = Field(description="The link for a browser.")
    browser_qr: str = Field(description="The QR code of `browser_url`, as SVG.")
    telegram_url: str | None = Field(description="The same link for Telegram; null: no bot here.")
    telegram_qr: str | None = Field(description="The QR code of `telegram_url`, as SVG.")


async def make_visit(call: Caller, request: Request, wish: VisitWish) -> Response:
    """Tell of a visit; the answer has a link with which one person may rate the unit, once.

    Nothing is told of the person, and it is told nowhere whether the link was opened or answered.
    Opened while no campaign asks about the unit's service, it says so and stays good.
    """
    public, bot = request.app.state.public_url, request.app.state.bot_username

    def work(tx: DeskTransaction) -> VisitModel:
        try:
            link = make_visit_link(tx, call.act(), call.console.app_key, wish.subject, wish.hours)
        except LinkError as error:
            fault = Fault(error.saying.everywhere(), "#/subject")
            raise ProblemError("refused", faults=[fault]) from None
        assert link.invite.expires_at is not None
        browser = link.browser(public)
        telegram = link.telegram(bot) if bot else None
        return VisitModel(
            subject=wish.subject,
            expires_at=link.invite.expires_at,
            browser_url=browser,
            browser_qr=drawn(browser),
            telegram_url=telegram,
            telegram_qr=telegram and drawn(telegram),
        )

    return await call.change(work, 201)


OPERATIONS = (Operation("POST", "/visits", make_visit, May.VISITS_WRITE, VisitModel, 201),)
