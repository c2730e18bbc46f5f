"""minyi campaign: what is asked of whom, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer

from minyi.commands.desk import (
    CommandError,
    act,
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
    from desk.campaigns.campaigning import Reach
    from desk.campaigns.outlook import Coming, Note
    from desk.campaigns.standing import Brief, Standing, WaveStanding
    from desk.campaigns.wishing import CampaignError, Wish
    from desk.dropoff import Dropoff
    from minyi.settings import Settings
    from surveys.campaigns import Campaign

T = TypeVar("T")
SEE = {
    "form": " See `minyi form list`.",
    "form_many": " See `minyi form list`.",
    "no_form": " See `minyi form list`.",
    "unknown": " See `minyi campaign list`.",
}
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
    from desk.campaigns.wishing import Wish

    used = settings(ctx)
    wish = Wish(campaign, form, title_zh, title_en, groups, starts or _today(used), recurrence,
                zone or used.zone, str(hour), str(days), reminders, str(k or used.k))  # fmt: skip
    ahead, reach, notes = run(_draft(used, wish))
    say(_opens(ahead))
    say(f"Each wave asks {reach.people:,} people {reach.assignments:,} times "
        f"({reach.reachable:,} of them by Telegram).")  # fmt: skip
    for note in notes:
        say(note.said("en"))
    if reach.people > used.approval_above:
        sure(f"That is more than {used.approval_above:,} people; the console would ask a second "
             "person first. Create it?", yes)  # fmt: skip
    made = run(_change(used, lambda tx: _create(tx, used, wish)))
    say(f"Created {made.id}. `minyi serve` opens its waves; `minyi links` prints its link.")


def _today(settings: Settings) -> str:
    return datetime.now(settings.timezone).date().isoformat()


def _opens(ahead: Sequence[Coming]) -> str:
    """The next openings; what should have opened already opens at once."""
    if not ahead:
        return "Opens never: the rule ends."
    times = [f"{each.opens_at:%Y-%m-%d %H:%M}" for each in ahead]
    if ahead[0].opens_at <= datetime.now(UTC):
        return f"Opens at once ({times[0]} has passed), then {', '.join(times[1:]) or 'no more'}."
    return f"Opens {', '.join(times)}."


async def _draft(settings: Settings, wish: Wish) -> tuple[Sequence[Coming], Reach, Sequence[Note]]:
    from desk.campaigns.campaigning import draft, reach
    from desk.campaigns.outlook import coming, look, notes

    now = datetime.now(UTC)

    def drafted(tx: Any) -> tuple[Sequence[Coming], Reach, Sequence[Note]]:
        made = draft(tx, wish, now)
        seen = look(made.form, tx.form(made.form))
        return coming(made, (), now, 3), reach(tx, made), notes(tx, made, now, seen)

    return await _change(settings, drafted)


def _create(tx: Any, settings: Settings, wish: Wish) -> Campaign:
    from desk.campaigns.campaigning import create

    return create(tx, act(settings), wish)


async def _change(settings: Settings, work: Callable[[Any], T]) -> T:
    """Do ``work`` in a transaction; a refusal is told as the command line names its options."""
    from desk.campaigns.wishing import CampaignError

    async with open_store(settings) as store:
        try:
            return await store.write(work)
        except CampaignError as error:
            raise CommandError(_refusal(error)) from None


def _refusal(error: CampaignError) -> str:
    lines: list[str] = []
    for wrong in error.wrongs:
        option = wrong.field.replace("_", "-")
        said = wrong.said("en") + SEE.get(wrong.code, "")
        lines.append(said if wrong.field in {"id", "campaign"} else f"--{option}: {said}")
    return "\n".join(lines)


@campaigns.command(name="list")
def show_all(ctx: typer.Context) -> None:
    """All campaigns and where they stand."""
    found = run(_briefs(settings(ctx)))
    listing = table("", "id", "title", "groups", "next opening", "waves", "state")
    for each in found:
        made = each.campaign
        title = made.title.get("zh") or made.title.get("en", "")
        opening = f"{each.next_opening:%Y-%m-%d %H:%M}" if each.next_opening else "-"
        fill(listing, made.id, title, " ".join(made.groups), opening, each.waves, each.state)
    show(listing) if found else say("None yet. Make one with `minyi campaign create`.")


async def _briefs(settings: Settings) -> Sequence[Brief]:
    from desk.campaigns.standing import briefs

    async with open_store(settings) as store:
        return await store.read(lambda tx: briefs(tx, datetime.now(UTC)))


@campaigns.command(name="show")
def show_one(ctx: typer.Context, campaign: Id) -> None:
    """A campaign, its waves, and how far each has come."""
    from desk.campaigns.rhythm import in_words, rhythm_of

    found = run(_standing(settings(ctx), campaign))
    made = found.campaign
    say(f"{made.id}: {' / '.join(made.title.values())}{' (paused)' if made.paused else ''}")
    say(f"Questionnaire {made.form[:12]}, asked of {', '.join(made.groups)}, k = {made.k}")
    say(f"Asks {in_words(rhythm_of(made.recurrence), 'en')} ({made.recurrence}) "
        f"from {made.starts}, {made.opens_hour}:00 {made.zone}, "
        f"open {made.window.days} days, reminders after "
        f"{', '.join(str(each.days) for each in made.reminders) or 'no'} days")  # fmt: skip
    listing = table("", "wave", "period", "state", "opens", "closes", "answers", "messages")
    for wave in found.waves:
        said = ", ".join(f"{stage} {outcome}: {n:,}" for stage, outcome, n in wave.deliveries)
        times = (wave.wave.opens_at, wave.wave.closes_at)
        local = (f"{at.astimezone(ZoneInfo(made.zone)):%Y-%m-%d %H:%M}" for at in times)
        fill(listing, wave.wave.id, wave.wave.period, str(wave.wave.state), *local,
             _answers(wave), said or "-")  # fmt: skip
    show(listing)


def _answers(standing: WaveStanding) -> str:
    if standing.answered is not None:
        return f"{standing.answered}+"
    return {"open": "few", "tallied": "counted"}.get(standing.wave.state, "-")


async def _standing(settings: Settings, campaign: str) -> Standing:
    from desk.campaigns.campaigning import known
    from desk.campaigns.standing import standing

    return await _change(settings, lambda tx: standing(tx, known(tx, campaign), datetime.now(UTC)))


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
    from desk.campaigns.campaigning import set_form

    used = settings(ctx)
    made = run(_change(used, lambda tx: set_form(tx, act(used), campaign, form)))
    say(f"{campaign} asks version {made.form[:12]} from its next wave on.")


@campaigns.command()
def pause(ctx: typer.Context, campaign: Id) -> None:
    """Open no further wave. A wave that is open goes on: people were told how long it lasts."""
    from desk.campaigns.campaigning import set_paused

    used = settings(ctx)
    run(_change(used, lambda tx: set_paused(tx, act(used), campaign, True)))
    say(f"{campaign} is paused.")


@campaigns.command()
def resume(ctx: typer.Context, campaign: Id) -> None:
    """Let a paused campaign open waves again."""
    from desk.campaigns.campaigning import set_paused

    used = settings(ctx)
    run(_change(used, lambda tx: set_paused(tx, act(used), campaign, False)))
    say(f"{campaign} runs.")


@campaigns.command()
def close(ctx: typer.Context, campaign: Id, yes: Yes = False) -> None:
    """Pause it and close its open wave now; the next tally counts what there is."""
    from desk.campaigns.campaigning import close_now

    sure(f"Close {campaign} now? Whoever has not answered cannot answer any more.", yes)
    used = settings(ctx)
    closed = run(_change(used, lambda tx: close_now(tx, act(used), campaign)))
    say(f"{campaign} is paused; {closed} open wave(s) closed. Next: `minyi tally`.")
