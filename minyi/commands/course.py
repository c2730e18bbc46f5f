"""minyi campaign words, pause, resume, extend, agree, close: a wave's course, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minyi.commands.campaigns import Id, Yes, campaigns, change, exists
from minyi.commands.desk import act, run, say, settings, sure

if TYPE_CHECKING:
    from desk.campaigns.rewording import Preview
    from minyi.settings import Settings

Words = Annotated[str | None, typer.Option(help='Own words; "" for the usual ones.')]


def register(_app: typer.Typer) -> None:
    """Add these commands to those of ``minyi campaign``."""
    for command in (words, pause, resume, extend, agree, close):
        campaigns.command()(command)


def words(
    ctx: typer.Context,
    campaign: Id,
    messages_invite_zh: Words = None,
    messages_invite_en: Words = None,
    messages_remind_zh: Words = None,
    messages_remind_en: Words = None,
) -> None:
    """Show what its messages say, or give them own words; "" brings back the usual ones."""
    given = {
        "messages_invite_zh": messages_invite_zh,
        "messages_invite_en": messages_invite_en,
        "messages_remind_zh": messages_remind_zh,
        "messages_remind_en": messages_remind_en,
    }
    own = {name: text for name, text in given.items() if text is not None}
    used = settings(ctx)
    for each in run(_worded(used, campaign, own)):
        say(f"--{each.field.replace('_', '-')}:\n{each.text}\n")


async def _worded(settings: Settings, campaign: str, own: Mapping[str, str]) -> Sequence[Preview]:
    from desk.campaigns.campaigning import known
    from desk.campaigns.rewording import example, previews, reword, typed

    def work(tx: Any) -> Sequence[Preview]:
        made = known(tx, campaign)
        if own:
            made = reword(tx, act(settings), campaign, {**typed(made), **own})
        wave = example(tx, made, datetime.now(UTC))
        return previews(made, wave, typed(made), settings.organisation)[0]

    return await change(settings, work)


def pause(ctx: typer.Context, campaign: Id) -> None:
    """Open no further wave. A wave that is open goes on: people were told how long it lasts."""
    from desk.campaigns.campaigning import set_paused

    used = settings(ctx)
    run(change(used, lambda tx: set_paused(tx, act(used), campaign, True)))
    say(f"{campaign} is paused.")


def resume(ctx: typer.Context, campaign: Id) -> None:
    """Let a paused campaign open waves again."""
    from desk.campaigns.campaigning import set_paused

    used = settings(ctx)
    run(change(used, lambda tx: set_paused(tx, act(used), campaign, False)))
    say(f"{campaign} is not paused any more. When it opens next: `minyi campaign list`.")


def extend(
    ctx: typer.Context,
    campaign: Annotated[
        str, typer.Argument(help="The campaign's id, or its open wave's.", show_default=False)
    ],
    days: Annotated[str, typer.Argument(help="How many days longer.", show_default=False)],
) -> None:
    """Keep its open wave open longer. People were told a day; they may be given more."""
    from desk.campaigns.extending import days_of, extend

    used = settings(ctx)
    wave = run(change(used, lambda tx: extend(tx, act(used), campaign, days_of(days))))
    say(f"{wave.id} is open until {wave.closes_at.astimezone(used.timezone):%Y-%m-%d %H:%M}.")


def agree(
    ctx: typer.Context,
    campaign: Id,
    people: Annotated[int, typer.Argument(min=1, help="So many.", show_default=False)],
    yes: Yes = False,
) -> None:
    """Let its waves ask so many people, above what one person may decide upon at the console."""
    from desk.campaigns.opening import agree

    used = settings(ctx)
    exists(used, campaign)
    sure(f"Let each wave of {campaign} ask up to {people:,} people?", yes)
    run(change(used, lambda tx: agree(tx, act(used), campaign, people)))
    say(f"{campaign} may ask up to {people:,} people. A wave that was held for asking more than "
        "was agreed, and asks no more than that, opens within the minute.")  # fmt: skip


def close(ctx: typer.Context, campaign: Id, yes: Yes = False) -> None:
    """Pause it and close its open wave now; the next tally counts what there is."""
    from desk.campaigns.campaigning import close_now

    used = settings(ctx)
    exists(used, campaign)
    sure(f"Close {campaign} now? Whoever has not answered cannot answer any more.", yes)
    closed = run(change(used, lambda tx: close_now(tx, act(used), campaign)))
    if closed:
        say(f"Closed {closed} open wave{'s' if closed > 1 else ''} and paused {campaign}. Next: "
            "`minyi tally`, once the hours of grace are over.")  # fmt: skip
    else:
        say(f"No wave of {campaign} was open, so none was closed. It is paused: no further wave "
            f"opens until `minyi campaign resume {campaign}`.")  # fmt: skip
