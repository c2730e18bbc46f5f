"""minyi campaign rehearse: a wave played through with simulated people before it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from minyi.commands.campaigns import Id, campaigns, change, refusal
from minyi.commands.desk import (
    CommandError,
    act,
    fill,
    open_store,
    progress,
    run,
    say,
    settings,
    show,
    table,
)

if TYPE_CHECKING:
    from desk.campaigns.rehearsed import Told
    from desk.campaigns.rehearsing import Report, Wish
    from minyi.settings import Settings


def register(_app: typer.Typer) -> None:
    """Add this command to those of ``minyi campaign``."""
    campaigns.command()(rehearse)


def rehearse(
    ctx: typer.Context,
    campaign: Id,
    response: Annotated[
        str, typer.Option(help="Per cent of those told who are assumed to answer.")
    ] = "40",
    people: Annotated[
        str, typer.Option(help="Simulated people at most, up to 2000; else a part is rehearsed.")
    ] = "500",
    seed: Annotated[str, typer.Option(help="The same number plays the same again.")] = "1",
) -> None:
    """Play the next wave through with simulated people. Nobody real is sent anything."""
    from desk.campaigns.rehearsed import Told
    from desk.campaigns.rehearsing import wished
    from desk.campaigns.wrongs import CampaignError

    used = settings(ctx)
    try:
        wish = wished({"response": response, "people": people, "seed": seed})
    except CampaignError as error:
        raise CommandError(refusal(error)) from None
    _print(Told.of(run(_rehearsed(used, campaign, wish)), "en"))


async def _rehearsed(used: Settings, campaign: str, wish: Wish) -> Report:
    from desk.campaigns.rehearsing import TooLongError, rehearse, take_turn
    from minyi.rehearsing import RehearsalError, rehearser

    doer, holder = act(used), uuid4().hex
    await change(used, lambda tx: take_turn(tx, doer, campaign, wish, holder))
    async with open_store(used) as store:
        with progress("rehearsing, day by day") as moved:
            try:
                return await rehearse(
                    store, campaign, wish, used.approval_above, doer, holder, rehearser(used),
                    lambda _, done, total: moved(done, total),
                )  # fmt: skip
            except TooLongError:
                raise CommandError(
                    "It took too long and was broken off. Rehearse with fewer --people."
                ) from None
            except RehearsalError as error:
                raise CommandError(f"{error} Nothing was changed.") from None


def _print(told: Told) -> None:
    for sentence in told.lead:
        say(sentence)
    say(f"\n{told.look}")
    for problem in told.problems:
        say(f"- {problem}")
    listing = table("", "", "")
    for name, value in told.facts:
        fill(listing, name, value)
    show(listing)
    for each in told.tables:
        listing = table(each.title, *each.heads)
        for row in each.rows:
            fill(listing, *row)
        show(listing)
