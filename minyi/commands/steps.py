"""minyi plan, deliver, tally, score, publish: one wave's life, a step at a time.

``minyi serve`` takes all of them by itself; these are for doing it by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minyi.commands.desk import CommandError, run, settings, told

if TYPE_CHECKING:
    from minyi.house import House
    from minyi.settings import Settings

Period = Annotated[str, typer.Argument(help="A quarter, such as 2026Q4.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    for command in (plan, deliver, tally, score, publish):
        app.command()(command)


def plan(ctx: typer.Context) -> None:
    """Make the waves and invitations that are due."""
    from minyi import steps

    told(run(_step(settings(ctx), lambda house: steps.plan(house, house.clock()))))


def deliver(ctx: typer.Context) -> None:
    """Send the invitations and reminders that are due."""
    from minyi import steps

    told(run(_step(settings(ctx), lambda house: steps.deliver(house, house.clock()))))


def tally(ctx: typer.Context) -> None:
    """Count the waves that have closed, and destroy their ballots and keys."""
    from minyi import steps

    told(run(_step(settings(ctx), lambda house: steps.tally(house, house.clock()))))


def score(ctx: typer.Context, period: Period) -> None:
    """Make the scorecards of a quarter from its counts and its task list."""
    from minyi import scoring

    quarter = period_of(period)
    told(run(_step(settings(ctx), lambda house: scoring.score(house, quarter))))


def publish(ctx: typer.Context, period: Period) -> None:
    """Publish what may be shown of a quarter's scorecards."""
    from minyi import scoring

    quarter = period_of(period)
    told(run(_step(settings(ctx), lambda house: scoring.publish(house, quarter))))


def period_of(text: str) -> str:
    """A quarter as typed on the command line."""
    from desk.importing.columns import CellError, a_period

    try:
        return a_period(text)
    except CellError as error:
        raise CommandError(f"{error.what}. {error.mend}") from None


async def _step(settings: Settings, step: Callable[[House], Awaitable[Any]]) -> Any:
    from minyi.house import open_house
    from minyi.steps import StepError

    try:
        async with open_house(settings) as house:
            return await step(house)
    except StepError as error:
        raise CommandError(str(error)) from None
