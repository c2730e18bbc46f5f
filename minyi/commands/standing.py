"""minyi campaign list, show, dropoff: where campaigns and their waves stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from minyi.commands.campaigns import Id, campaigns, change
from minyi.commands.desk import CommandError, fill, open_store, run, say, settings, show, table

if TYPE_CHECKING:
    from desk.campaigns.standing import Brief, Standing, WaveStanding
    from desk.dropoff import Dropoff
    from desk.outcomes import Outcomes
    from minyi.settings import Settings
    from surveys.campaigns import Wave


STATES = {"running": "waiting", "held": "due, waiting", "open": "open now"}
"""States that are told by another word, the console's: nothing runs between two waves."""


def register(_app: typer.Typer) -> None:
    """Add these commands to those of ``minyi campaign``."""
    campaigns.command(name="list")(show_all)
    campaigns.command(name="show")(show_one)
    campaigns.command(name="dropoff")(tell_dropoff)


def show_all(ctx: typer.Context) -> None:
    """All campaigns and where they stand."""
    found = run(_briefs(settings(ctx)))
    listing = table("", "id", "title", "groups", "next opening", "waves", "state")
    for each in found:
        made = each.campaign
        title = made.title.get("zh") or made.title.get("en", "")
        opening = f"{each.next_opening:%Y-%m-%d %H:%M}" if each.next_opening else "-"
        fill(listing, made.id, title, " ".join(made.groups), opening, each.waves,
             STATES.get(each.state, each.state))  # fmt: skip
    show(listing) if found else say("None yet. Make one with `minyi campaign create`.")


async def _briefs(settings: Settings) -> Sequence[Brief]:
    from desk.campaigns.standing import briefs

    async with open_store(settings) as store:
        return await store.read(lambda tx: briefs(tx, datetime.now(UTC)))


def show_one(ctx: typer.Context, campaign: Id) -> None:
    """A campaign, its waves, and how far each has come."""
    from desk.campaigns.rhythm import in_words, rhythm_of

    found = run(_standing(settings(ctx), campaign))
    made = found.campaign
    say(f"{made.id}: {' / '.join(made.title.values())}{' (paused)' if made.paused else ''}")
    say(f"Questionnaire {made.form[:12]}, asked of {', '.join(made.groups)}, k = {made.k}")
    say(f"Asks {in_words(rhythm_of(made.recurrence, made.shift), 'en')} ({made.recurrence}) "
        f"from {made.starts}, {made.opens_hour}:00 {made.zone}, "
        f"open {made.window.days} days, reminders after "
        f"{', '.join(str(each.days) for each in made.reminders) or 'no'} days")  # fmt: skip
    listing = table("", "wave", "period", "state", "opens", "closes", "answers", "messages")
    for wave in found.waves:
        said = ", ".join(f"{stage} {outcome}: {n:,}" for stage, outcome, n in wave.deliveries)
        times = (wave.wave.opens_at, wave.wave.closes_at)
        local = (f"{at.astimezone(ZoneInfo(made.zone)):%Y-%m-%d %H:%M}" for at in times)
        fill(listing, wave.wave.id, wave.wave.period, _state(wave.wave), *local,
             _answers(wave), said or "-")  # fmt: skip
    show(listing) if found.waves else say("It has no wave yet; `minyi serve` makes them.")
    for name, came in run(_outcomes(settings(ctx), campaign)).items():
        _tell(name, came)


def _state(wave: Wave) -> str:
    """A wave's state in the console's words: one that has closed is open to nobody any more."""
    from desk.campaigns.campaigning import is_open
    from surveys.campaigns import WaveState

    if wave.state is WaveState.OPEN and not is_open(wave, datetime.now(UTC)):
        return "closed, to be counted"
    return "counted" if wave.state is WaveState.TALLIED else str(wave.state)


def _tell(wave: str, came: Outcomes) -> None:
    """What became of everybody on a wave's roll, and the rates that follow."""
    from desk.outcomes import FORMULAS, label, number

    say(f"{wave}: {came.people:,} people asked")
    listing = table("", "what became of them", "people")
    for each in came.numbers:
        fill(listing, label(each, "en"), number(came, each, "en"))
    show(listing)
    for name, field, percent in came.shares:
        told = "not told" if percent is None or not (percent or came.exact) else f"{percent} %"
        least = "" if came.exact or told == "not told" else "at least "
        say(f"{name} = {FORMULAS[field][1]}: {least}{told}")


async def _outcomes(settings: Settings, campaign: str) -> Mapping[str, Outcomes]:
    """By wave, in the order of their opening."""
    from desk.campaigns.campaigning import known
    from desk.outcomes import outcomes

    def work(tx: Any) -> Mapping[str, Outcomes]:
        made = known(tx, campaign)
        mine = [wave for wave in tx.waves() if wave.campaign == campaign]
        found = {wave.id: outcomes(tx, wave, made) for wave in mine}
        return {wave: came for wave, came in found.items() if came is not None}

    return await change(settings, work)


def _answers(standing: WaveStanding) -> str:
    if standing.answered is not None:
        return f"{standing.answered}+"
    return {"open": "few", "tallied": "counted"}.get(standing.wave.state, "-")


async def _standing(settings: Settings, campaign: str) -> Standing:
    from desk.campaigns.campaigning import known
    from desk.campaigns.standing import standing

    return await change(settings, lambda tx: standing(tx, known(tx, campaign), datetime.now(UTC)))


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
