"""minyi days: which days are worked, as campaigns reckon them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minyi.commands.campaigns import change
from minyi.commands.desk import CommandError, act, fill, run, say, settings, show, table

if TYPE_CHECKING:
    from desk.campaigns.days import Special
    from minyi.settings import Settings

days = typer.Typer(
    help="Which days are worked, as campaigns reckon them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Day = Annotated[str, typer.Argument(help="A day, 2027-02-14.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(days, name="days")


@days.command(name="show")
def show_year(
    ctx: typer.Context,
    year: Annotated[
        int, typer.Argument(min=2000, max=2200, help="Else this year.", show_default=False)
    ] = 0,
) -> None:
    """A year's holidays, the weekends worked to make up for them, and what the office says."""
    used = settings(ctx)
    wanted = year or datetime.now(used.timezone).year
    found, announced = run(_year(used, wanted))
    listing = table("", "day", "", "name", "said by")
    for each in found:
        fill(listing, f"{each.day:%Y-%m-%d %a}", "worked" if each.works else "off", each.name,
             "the office" if each.own else "the public calendar")  # fmt: skip
    show(listing)
    if not announced:
        say(f"The holidays of {wanted} have not been announced yet: days are reckoned from the "
            "feasts alone. Once they are, `minyi days set` each day of the notice, then "
            f"`minyi days whole {wanted}`.")  # fmt: skip


async def _year(settings: Settings, year: int) -> tuple[Sequence[Special], bool]:
    from desk.campaigns.days import calendar, special_days

    def looked(tx: Any) -> tuple[Sequence[Special], bool]:
        known = calendar(tx)
        return special_days(known, year, "en"), known.announced(year)

    return await change(settings, looked)


@days.command(name="set")
def set_one(
    ctx: typer.Context,
    day: Day,
    what: Annotated[str, typer.Argument(help="off or work.", show_default=False)],
    name: Annotated[str, typer.Argument(help="Why, such as 春节.", show_default=False)] = "",
) -> None:
    """Say that a day is off, or worked, whatever the public calendar says."""
    from desk.campaigns.days import set_day

    if what not in ("off", "work"):
        raise CommandError(f"Write off or work, not {what!r}.")
    used = settings(ctx)
    made = run(change(used, lambda tx: set_day(tx, act(used), day, what == "work", name)))
    say(f"{made.day} is {'worked' if made.works else 'off'}.")


@days.command(name="drop")
def drop_one(ctx: typer.Context, day: Day) -> None:
    """Go by the public calendar on this day again."""
    from desk.campaigns.days import drop_day

    used = settings(ctx)
    dropped = run(change(used, lambda tx: drop_day(tx, act(used), day)))
    say(f"{day} is as the public calendar says." if dropped else
        f"Nothing of its own was said of {day}.")  # fmt: skip


@days.command(name="whole")
def whole(
    ctx: typer.Context,
    year: Annotated[int, typer.Argument(min=2000, max=2200, show_default=False)],
    undo: Annotated[bool, typer.Option("--undo", help="It is not, after all.")] = False,
) -> None:
    """Say that the notice of a year's holidays is entered whole: the year counts as announced."""
    from desk.campaigns.days import set_whole

    used = settings(ctx)
    new = run(change(used, lambda tx: set_whole(tx, act(used), year, not undo)))
    said = f"The notice for {year} is {'not ' if undo else ''}entered whole"
    say(f"{said}." if new else f"{said}; that was known.")
