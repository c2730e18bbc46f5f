"""The calendar's years: whether their notice of holidays is known, and that it is entered whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from desk.campaigns.days import FIRST, LAST, calendar, set_whole
from desk.roles import May
from desk.store import DeskTransaction
from web.api.call import Caller
from web.api.operations import Operation
from web.api.texts import Truth

Year = Annotated[int, Path(description="A year.", ge=FIRST, le=LAST)]


class YearModel(BaseModel):
    """What is known of a year's working days."""

    model_config = ConfigDict(title="Year")

    year: int = Field(description="The year.")
    announced: bool = Field(description="Whether its make-up working days are known.")
    whole: bool = Field(description="Whether the office says that it entered the notice whole.")


class YearWish(BaseModel):
    """What the office says of a year."""

    model_config = ConfigDict(title="YearWish", extra="forbid")

    whole: Truth = Field(description="Whether every day of the year's notice is entered.")


async def year(call: Caller, year: Year) -> YearModel:
    """Whether a year's make-up working days are known."""
    return await call.read(lambda tx: _year(tx, year))


async def set_year(call: Caller, year: Year, wish: YearWish) -> Response:
    """Say that a year's notice is entered whole, or not: then the year counts as announced."""

    def work(tx: DeskTransaction) -> YearModel:
        set_whole(tx, call.act(), year, wish.whole)
        return _year(tx, year)

    return await call.change(work)


def _year(tx: DeskTransaction, year: int) -> YearModel:
    days = calendar(tx)
    return YearModel(year=year, announced=days.announced(year), whole=year in days.whole)


OPERATIONS = (
    Operation("GET", "/calendar/{year}", year, May.CAMPAIGNS_READ, YearModel),
    Operation("PUT", "/calendar/{year}", set_year, May.CAMPAIGNS_WRITE, YearModel),
)
