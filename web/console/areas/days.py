"""The calendar of working days: public holidays, make-up days, and what the office knows better."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desk.campaigns.days import FIRST, LAST, calendar, drop_day, set_day, set_whole, special_days
from desk.campaigns.wrongs import CampaignError
from desk.roles import May
from surveys.workdays import Workdays
from web.console.context import Context
from web.console.doors import Door


async def days(at: Context) -> Response:
    """One year's days off, and the weekends that are worked."""
    return await _shown(at, {})


async def _shown(at: Context, values: dict[str, Any]) -> Response:
    year = _year(at)
    known = await at.read(calendar)
    usual = Workdays()
    typed = {"day": "", "works": "", "name": ""} | {
        name: at.fields[name] for name in ("day", "works", "name") if name in at.fields
    }
    return at.page(
        "days/days.html", status=422 if values else 200, year=year,
        lines=special_days(known, year, at.language),
        announced=known.announced(year), published=usual.announced(year),
        ticked=year in known.whole, typed=typed,
        earlier=year > FIRST, later=year < LAST, wrong=values.get("wrong", {}),
    )  # fmt: skip


def _year(at: Context) -> int:
    """The year that was asked for, else this one."""
    found = _known(at.request.query_params.get("year", ""))
    return at.now.astimezone(at.console.zone).year if found is None else found


def _known(typed: str) -> int | None:
    plain = typed.isascii() and typed.isdigit() and FIRST <= int(typed[:5]) <= LAST
    return int(typed) if plain else None


async def put(at: Context) -> Response:
    """Say that a day is worked, or not."""
    works = at.fields.get("works", "") == "yes"
    day, name = at.fields.get("day", ""), at.fields.get("name", "")
    try:
        made = await at.write(lambda tx: set_day(tx, at.act(), day, works, name))
    except CampaignError as error:
        return await _shown(at, {"wrong": {w.field: w.said(at.language) for w in error.wrongs}})
    return at.go(f"/desk/settings/days?year={made.day.year}", "days.said.set", day=str(made.day))


async def drop(at: Context) -> Response:
    """Go by the public calendar again."""
    day = at.fields.get("day", "")
    try:
        await at.write(lambda tx: drop_day(tx, at.act(), day))
    except CampaignError as error:
        return await _shown(at, {"wrong": {w.field: w.said(at.language) for w in error.wrongs}})
    return at.go(f"/desk/settings/days?year={day.strip()[:4]}", "days.said.dropped", day=day)


async def whole(at: Context) -> Response:
    """Say that a year's notice is entered whole, or no longer."""
    year, tick = _known(at.fields.get("year", "")), at.fields.get("whole", "") == "yes"
    if year is None:
        raise HTTPException(404)
    await at.write(lambda tx: set_whole(tx, at.act(), year, tick))
    said = "days.said.whole" if tick else "days.said.not_whole"
    return at.go(f"/desk/settings/days?year={year}", said, year=str(year))


DOORS = (
    Door("/settings/days", days, May.CAMPAIGNS_READ),
    Door("/settings/days", put, May.CAMPAIGNS_WRITE, "POST"),
    Door("/settings/days/whole", whole, May.CAMPAIGNS_WRITE, "POST"),
    Door("/settings/days/drop", drop, May.CAMPAIGNS_WRITE, "POST"),
)
