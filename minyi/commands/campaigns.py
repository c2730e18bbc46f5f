"""minyi campaign: what is asked of whom, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from minyi.commands.desk import (
    CommandError,
    fill,
    open_store,
    run,
    say,
    settings,
    show,
    sure,
    table,
)

if TYPE_CHECKING:
    from desk.campaigning import Reach, Standing, Wish
    from desk.dropoff import Dropoff
    from minyi.settings import Settings
    from surveys.campaigns import Campaign

MANY = 10_000  # invitations a wave above which creating asks once more
Id = Annotated[str, typer.Argument(help="The campaign's id.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

campaigns = typer.Typer(
    help="What is asked of whom, and when.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(campaigns, name="campaign")


@campaigns.command()
def create(
    ctx: typer.Context,
    campaign: Id,
    form: Annotated[str, typer.Option(help="A questionnaire's version; its first letters do.")],
    title_zh: Annotated[str, typer.Option(help="Its name in Chinese.")],
    groups: Annotated[
        str, typer.Option(help="Who is asked: of SUP, PEER, SUB, SVC, with commas.")
    ] = "SVC",
    title_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    starts: Annotated[
        str, typer.Option(help="First day it may open, 2026-12-01; else today.")
    ] = "",
    recurrence: Annotated[
        str, typer.Option(help="RFC 5545 rule; else the 10th of each quarter's last month.")
    ] = "",
    zone: Annotated[str, typer.Option(help="Time zone; else MINYI_ZONE.")] = "",
    hour: Annotated[int, typer.Option(min=0, max=23, help="Opens at this hour.")] = 9,
    days: Annotated[int, typer.Option(min=1, max=90, help="Stays open so long.")] = 14,
    reminders: Annotated[str, typer.Option(help="Days after opening, with commas.")] = "3,7",
    k: Annotated[int, typer.Option(help="Fewest ratings shown; else MINYI_K.")] = 0,
    yes: Yes = False,
) -> None:
    """Make a campaign. What it promises people cannot be changed later."""
    from desk.campaigning import CampaignError, Wish, preview

    used = settings(ctx)
    wish = Wish(campaign, form, title_zh, title_en, groups, starts or _today(used), recurrence,
                zone or used.zone, hour, days, reminders, k or used.k)  # fmt: skip
    try:
        made, reach = run(_draft(used, wish))
    except CampaignError as error:
        raise CommandError(str(error)) from None
    openings = preview(made, datetime.now(UTC), 3)
    say(f"Opens {', '.join(f'{at:%Y-%m-%d %H:%M}' for at in openings) or 'never: the rule ends'}.")
    say(f"Each wave asks {reach.people:,} people {reach.assignments:,} times "
        f"({reach.reachable:,} of them by Telegram).")  # fmt: skip
    if not reach.people:
        say("Nobody yet: import relations of these groups (`minyi import relations`).")
    if reach.assignments > MANY:
        sure(f"That is more than {MANY:,}. Create it?", yes)
    run(_keep(used, made))
    say(f"Created {made.id}. `minyi serve` opens its waves; `minyi links` prints its link.")


def _today(settings: Settings) -> str:
    return datetime.now(settings.timezone).date().isoformat()


async def _draft(settings: Settings, wish: Wish) -> tuple[Campaign, Reach]:
    from desk.campaigning import draft, reach

    async with open_store(settings) as store:
        made = await store.read(lambda tx: draft(tx, wish))
        return made, await store.read(lambda tx: reach(tx, made))


async def _keep(settings: Settings, campaign: Campaign) -> None:
    async with open_store(settings) as store:
        await store.write(lambda tx: tx.put_campaign(campaign))


@campaigns.command(name="list")
def show_all(ctx: typer.Context) -> None:
    """All campaigns and where they stand."""
    standings = run(_standings(settings(ctx)))
    listing = table("", "id", "title", "groups", "next opening", "waves", "state")
    for each in standings:
        made = each.campaign
        title = made.title.get("zh") or made.title.get("en", "")
        opening = f"{each.next_opening:%Y-%m-%d %H:%M}" if each.next_opening else "-"
        fill(listing, made.id, title, " ".join(made.groups), opening, len(each.waves),
             "paused" if made.paused else "running")  # fmt: skip
    show(listing) if standings else say("None yet. Make one with `minyi campaign create`.")


@campaigns.command(name="show")
def show_one(ctx: typer.Context, campaign: Id) -> None:
    """A campaign, its waves, and how far each has come."""
    found = [each for each in run(_standings(settings(ctx))) if each.campaign.id == campaign]
    if not found:
        raise CommandError(f"There is no campaign {campaign!r}. See `minyi campaign list`.")
    made = found[0].campaign
    say(f"{made.id}: {' / '.join(made.title.values())}{' (paused)' if made.paused else ''}")
    say(f"Questionnaire {made.form[:12]}, asked of {', '.join(made.groups)}, k = {made.k}")
    say(f"{made.recurrence} from {made.starts}, {made.opens_hour}:00 {made.zone}, "
        f"open {made.window.days} days, reminders after "
        f"{', '.join(str(each.days) for each in made.reminders) or 'no'} days")  # fmt: skip
    listing = table("", "wave", "period", "state", "opens", "closes", "answers", "messages")
    for wave in found[0].waves:
        said = ", ".join(f"{stage} {outcome}: {n:,}" for stage, outcome, n in wave.deliveries)
        times = (wave.wave.opens_at, wave.wave.closes_at)
        local = (f"{at.astimezone(ZoneInfo(made.zone)):%Y-%m-%d %H:%M}" for at in times)
        fill(listing, wave.wave.id, wave.wave.period, str(wave.wave.state), *local,
             wave.answers, said or "-")  # fmt: skip
    show(listing)


async def _standings(settings: Settings) -> Sequence[Standing]:
    from desk.campaigning import standings

    async with open_store(settings) as store:
        return await store.read(lambda tx: standings(tx, datetime.now(UTC)))


@campaigns.command(name="dropoff")
def tell_dropoff(
    ctx: typer.Context,
    wave: Annotated[str, typer.Argument(help="A wave that was tallied.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="As data, in both languages.")] = False,
    lang: Annotated[str, typer.Option("--lang", help="zh or en.")] = "en",
) -> None:
    """Where people stopped and what they left out, question by question; never who."""
    from desk.dropoff import as_json, cells, heads, notes
    from surveys.words import LANGUAGES

    if lang not in LANGUAGES:
        raise CommandError(f"--lang is one of {', '.join(LANGUAGES)}, not {lang!r}.")
    found = run(_dropoff(settings(ctx), wave))
    if json:
        from json import dumps

        typer.echo(dumps(as_json(found), ensure_ascii=False, indent=2))
        return
    listing = table("", *heads(lang))
    for row in found.rows:
        fill(listing, *cells(found, row, lang))
    show(listing)
    for note in notes(found, lang):
        say(note)


async def _dropoff(settings: Settings, wave: str) -> Dropoff:
    from desk.dropoff import DropoffError, dropoff

    async with open_store(settings) as store:
        try:
            return await store.read(lambda tx: dropoff(tx, wave))
        except DropoffError as error:
            raise CommandError(str(error)) from None


@campaigns.command()
def revise(
    ctx: typer.Context,
    campaign: Id,
    form: Annotated[str, typer.Option(help="The version to ask; its beginning does.")],
) -> None:
    """Ask another questionnaire from the next wave on. An open wave keeps its own."""
    version = run(_revise(settings(ctx), campaign, form))
    say(f"{campaign} asks version {version[:12]} from its next wave on.")


async def _revise(settings: Settings, campaign: str, form: str) -> str:
    from desk.campaigning import CampaignError, set_form

    async with open_store(settings) as store:
        try:
            return (await store.write(lambda tx: set_form(tx, campaign, form))).form
        except CampaignError as error:
            raise CommandError(str(error)) from None


@campaigns.command()
def pause(ctx: typer.Context, campaign: Id) -> None:
    """Open no further wave. A wave that is open goes on: people were told how long it lasts."""
    run(_set_paused(settings(ctx), campaign, True))
    say(f"{campaign} is paused.")


@campaigns.command()
def resume(ctx: typer.Context, campaign: Id) -> None:
    """Let a paused campaign open waves again."""
    run(_set_paused(settings(ctx), campaign, False))
    say(f"{campaign} runs.")


async def _set_paused(settings: Settings, campaign: str, paused: bool) -> None:
    from desk.campaigning import CampaignError, set_paused

    async with open_store(settings) as store:
        try:
            await store.write(lambda tx: set_paused(tx, campaign, paused))
        except CampaignError as error:
            raise CommandError(str(error)) from None


@campaigns.command()
def close(ctx: typer.Context, campaign: Id, yes: Yes = False) -> None:
    """Pause it and close its open wave now; the next tally counts what there is."""
    sure(f"Close {campaign} now? Whoever has not answered cannot answer any more.", yes)
    closed = run(_close(settings(ctx), campaign))
    say(f"{campaign} is paused; {closed} open wave(s) closed. Next: `minyi tally`.")


async def _close(settings: Settings, campaign: str) -> int:
    from desk.campaigning import CampaignError, close_now

    async with open_store(settings) as store:
        try:
            return await store.write(lambda tx: close_now(tx, campaign, datetime.now(UTC)))
        except CampaignError as error:
            raise CommandError(str(error)) from None
