"""minyi campaign size, dry-run: how many to ask, and who would be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minyi.commands.campaigns import Id, campaigns, change, refusal
from minyi.commands.desk import CommandError, act, fill, run, say, settings, show, table

if TYPE_CHECKING:
    from desk.campaigns.foreseeing import Excerpt, Fate, Occasion
    from minyi.settings import Settings

FEW = 20  # people shown of each kind


def register(_app: typer.Typer) -> None:
    """Add these commands to those of ``minyi campaign``."""
    campaigns.command()(size)
    campaigns.command(name="dry-run")(foretell)


def size(
    people: Annotated[
        str, typer.Option(help="How many there are; with commas where every part counts.")
    ],
    points: Annotated[float, typer.Option(help="Within so many points of 100 either way.")] = 5.0,
    confidence: Annotated[float, typer.Option(help="In so many of 100 cases.")] = 95.0,
    response: Annotated[float, typer.Option(help="Per cent of those asked who answer.")] = 100.0,
    sd: Annotated[float, typer.Option(help="Points by which people's scores differ.")] = 20.0,
    share: Annotated[
        bool, typer.Option("--share", help="For a share of people, not a mean score.")
    ] = False,
) -> None:
    """How many people to ask, for a figure as precise as you want it."""
    from desk.campaigns.sizes import precision_of
    from desk.campaigns.wrongs import CampaignError
    from surveys.sizing import Measure, size, size_in_each

    counts = [int(word) if word.isdecimal() else 0 for word in people.replace(" ", "").split(",")]
    if not all(counts):
        raise CommandError(f"--people takes whole numbers, such as 1000 or 120,300; not {people}.")
    if not 0 < sd <= 100:
        raise CommandError(f"--sd takes points above 0 and up to 100, not {sd:g}.")
    wanted, wrongs = precision_of({
        "measure": Measure.SHARE if share else Measure.SCORE, "points": f"{points:g}",
        "confidence": f"{confidence:g}", "response": f"{response:g}",
    })  # fmt: skip
    if wanted is None:
        raise CommandError(refusal(CampaignError(wrongs)))
    wanted = wanted if share else replace(wanted, sd=sd)
    whole = size(sum(counts), wanted)
    say(f"Of {whole.population:,} people: {whole.answers:,} answers, so ask {whole.people:,}.")
    best = whole
    if len(counts) > 1:
        best = size_in_each({str(at): count for at, count in enumerate(counts)}, wanted)
        say(f"For each of the {len(counts)} parts to be as precise, drawn in proportion: "
            f"ask {best.people:,}.")  # fmt: skip
    if not best.enough:
        say("There are too few: even if all are asked, it will not be that precise.")


def foretell(
    ctx: typer.Context,
    campaign: Id,
    to: Annotated[Path | None, typer.Option("--csv", help="Write all of it to a file.")] = None,
    only: Annotated[
        str, typer.Option(help="Show these alone: asked, no_address, left, opted_out, "
                               "asked_lately, quota_full, not_drawn or enough_raters.")
    ] = "",
) -> None:  # fmt: skip
    """Who exactly would be asked what and when by the next wave, or why not."""
    from desk.campaigns.foreseeing import HEADER, Fate

    if only and only not in tuple(Fate):
        raise CommandError(f"--only is one of {', '.join(Fate)}, not {only}.")
    wave, found = run(_foretold(settings(ctx), campaign, Fate(only) if only else None, to))
    if wave is None:
        say(f"{campaign} has no further wave, so it would ask nobody: its rule has ended.")
        return
    settled = "planned" if wave.settled else "not planned yet: chance will draw others, but as many"
    say(f"The next wave opens {wave.opens_at:%Y-%m-%d %H:%M} ({settled}).")
    for fate, count in found.counts.items():
        say(f"{fate}: {count:,}")
    listing = table("", *HEADER)
    for each in found.people:
        rates = " ".join(f"{subject}:{group}" for subject, group in each.sides)
        fill(listing, each.person, each.name, each.unit, each.fate, rates,
             f"{each.first:%Y-%m-%d %H:%M %Z}" if each.first else "")  # fmt: skip
    show(listing)
    say(f"{len(found.people):,} of {found.whole:,} people are shown. "
        + (f"All of it stands in {to}." if to else "All of it: --csv FILE."))  # fmt: skip
    if found.came:
        say(f"At least {found.came:,} more have no name, unit or tag, and are not listed.")


async def _foretold(
    settings: Settings, campaign: str, only: Fate | None, to: Path | None
) -> tuple[Occasion | None, Excerpt]:
    from desk.campaigns.campaigning import known
    from desk.campaigns.foreseeing import Excerpt, excerpt, foresee, listed, occasion
    from desk.exporting import WRITERS
    from desk.leaving import dry_run_taken

    now = datetime.now(UTC)

    def looked(tx: Any) -> tuple[Occasion | None, Excerpt]:
        made = known(tx, campaign)
        wave = occasion(tx, made, now)
        if wave is None:
            return None, Excerpt({}, ())
        if to is not None:
            dry_run_taken(tx, act(settings), campaign, "csv")
            with to.open("wb") as file:
                WRITERS["csv"](file, [listed(foresee(tx, made, wave.opens_at, wave.seed, now))])
        people = foresee(tx, made, wave.opens_at, wave.seed, now)
        return wave, excerpt(people, only, 0, FEW)

    try:
        return await change(settings, looked)
    except OSError as error:
        raise CommandError(
            f"{to} cannot be written: {(error.strerror or '').lower()}. Name a file in a folder "
            "that exists and that you may write to."
        ) from None
