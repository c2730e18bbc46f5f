"""minyi campaign: what is asked of whom, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
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
    from desk.campaigns.foreseeing import Excerpt, Fate, Occasion, Reach
    from desk.campaigns.outlook import Coming, Note
    from desk.campaigns.standing import Brief, Standing, WaveStanding
    from desk.campaigns.wishing import Wish
    from desk.campaigns.wrongs import CampaignError
    from desk.dropoff import Dropoff
    from desk.outcomes import Outcomes
    from minyi.settings import Settings
    from surveys.campaigns import Campaign

T = TypeVar("T")
SEE = {
    "form": " See `minyi form list`.",
    "form_many": " See `minyi form list`.",
    "no_form": " See `minyi form list`.",
    "unknown": " See `minyi campaign list`.",
}
OPTIONS = {"quotas": "quota"}
"""Fields whose option is called otherwise."""
FEW = 20  # people shown of each kind
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
    units: Annotated[
        str, typer.Option(help="Only people of these units or below, with commas.")
    ] = "",
    tags: Annotated[str, typer.Option(help="Only with one of these tags, with commas.")] = "",
    rest_days: Annotated[
        str, typer.Option(help="Only whom no other campaign asked within so many days.")
    ] = "",
    sample: Annotated[str, typer.Option(help="Draw so many people at random; else all.")] = "",
    strata: Annotated[str, typer.Option(help="In proportion to: unit, tag or kind.")] = "",
    quota: Annotated[
        list[str] | None,
        typer.Option(help="'unit; tag; people': at most so many of them. May be repeated."),
    ] = None,
    per_rater: Annotated[str, typer.Option(help="Most subjects for each person.")] = "",
    per_subject: Annotated[str, typer.Option(help="Most raters for each side; k at least.")] = "",
    at_most: Annotated[str, typer.Option(help="A wave above so many people is held.")] = "",
    shift: Annotated[
        str, typer.Option(help="On a day off: none (stays), before or after.")
    ] = "none",
    quiet_from: Annotated[str, typer.Option(help="Nothing is sent from this hour.")] = "21",
    quiet_until: Annotated[str, typer.Option(help="Nothing is sent until this hour.")] = "8",
    grace: Annotated[str, typer.Option(help="Hours after closing to finish what was begun.")] = "0",
    messages_invite_zh: Annotated[str, typer.Option(help="Own invitation in Chinese.")] = "",
    messages_invite_en: Annotated[str, typer.Option(help="Own invitation in English.")] = "",
    messages_remind_zh: Annotated[str, typer.Option(help="Own reminder in Chinese.")] = "",
    messages_remind_en: Annotated[str, typer.Option(help="Own reminder in English.")] = "",
    paid: Annotated[bool, typer.Option("--paid", help="Above the free pace, for money.")] = False,
    yes: Yes = False,
) -> None:
    """Make a campaign. What it promises people cannot be changed later."""
    from desk.campaigns.wishing import Wish

    used = settings(ctx)
    wish = Wish(
        campaign, form, title_zh, title_en, groups, starts or _today(used), recurrence,
        zone or used.zone, str(hour), str(days), reminders, str(k or used.k), units, tags,
        rest_days, sample, strata, "\n".join(quota or ()), per_rater, per_subject, at_most,
        shift, quiet_from, quiet_until, grace, messages_invite_zh, messages_invite_en,
        messages_remind_zh, messages_remind_en, "yes" if paid else "",
    )  # fmt: skip
    ahead, reach, notes = run(_draft(used, wish))
    say(_opens(ahead))
    say(f"Each wave asks {reach.people:,} people {reach.assignments:,} times "
        f"({reach.reachable:,} of them by Telegram).")  # fmt: skip
    for note in notes:
        say(note.said("en"))
    large = reach.people > used.approval_above
    if large:
        sure(f"That is more than {used.approval_above:,} people; the console would ask a second "
             "person first. Create it?", yes)  # fmt: skip
    made = run(change(used, lambda tx: _create(tx, used, wish, reach.people if large else 0)))
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
    from desk.campaigns.campaigning import draft
    from desk.campaigns.days import calendar
    from desk.campaigns.foreseeing import reach
    from desk.campaigns.outlook import coming, look, notes

    now = datetime.now(UTC)

    def drafted(tx: Any) -> tuple[Sequence[Coming], Reach, Sequence[Note]]:
        made = draft(tx, wish, now)
        seen = look(made.form, tx.form(made.form))
        return (
            coming(made, calendar(tx), (), now, 3),
            reach(tx, made, now),
            notes(tx, made, now, seen),
        )

    return await change(settings, drafted)


def _create(tx: Any, settings: Settings, wish: Wish, people: int) -> Campaign:
    """Make it, and let it ask ``people``: at the terminal the machine's owner decides alone."""
    from desk.campaigns.campaigning import create
    from desk.campaigns.opening import agree

    made = create(tx, act(settings), wish)
    agree(tx, act(settings), made.id, people)
    return made


async def change(settings: Settings, work: Callable[[Any], T]) -> T:
    """Do ``work`` in a transaction; a refusal is told as the command line names its options."""
    from desk.campaigns.wrongs import CampaignError

    async with open_store(settings) as store:
        try:
            return await store.write(work)
        except CampaignError as error:
            raise CommandError(_refusal(error)) from None


def _refusal(error: CampaignError) -> str:
    lines: list[str] = []
    for wrong in error.wrongs:
        option = OPTIONS.get(wrong.field, wrong.field.replace("_", "-"))
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
    say(f"Asks {in_words(rhythm_of(made.recurrence, made.shift), 'en')} ({made.recurrence}) "
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
    for name, came in run(_outcomes(settings(ctx), campaign)).items():
        _tell(name, came)


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
    from surveys.sizing import Measure, Precision, size, size_in_each

    counts = [int(word) if word.isdecimal() else 0 for word in people.replace(" ", "").split(",")]
    if not all(counts):
        raise CommandError(f"--people takes whole numbers, such as 1000 or 120,300; not {people}.")
    measure = Measure.SHARE if share else Measure.SCORE
    try:
        wanted = Precision.of(measure, points, confidence / 100, response / 100, sd)
    except ValueError as error:
        raise CommandError(f"These numbers cannot be: {error}.") from None
    whole = size(sum(counts), wanted)
    say(f"Of {whole.population:,} people: {whole.answers:,} answers, so ask {whole.people:,}.")
    best = whole
    if len(counts) > 1:
        best = size_in_each({str(at): count for at, count in enumerate(counts)}, wanted)
        say(f"For each of the {len(counts)} parts to be as precise, drawn in proportion: "
            f"ask {best.people:,}.")  # fmt: skip
    if not best.enough:
        say("There are too few: even if all are asked, it will not be that precise.")


@campaigns.command(name="dry-run")
def foretell(
    ctx: typer.Context,
    campaign: Id,
    to: Annotated[Path | None, typer.Option("--csv", help="Write all of it to a file.")] = None,
    only: Annotated[
        str, typer.Option(help="Show these alone: asked, no_address, left, opted_out, "
                               "asked_lately, quota_full or not_drawn.")
    ] = "",
) -> None:  # fmt: skip
    """Who exactly would be asked what and when by the next wave, or why not."""
    from desk.campaigns.foreseeing import HEADER, Fate

    if only and only not in tuple(Fate):
        raise CommandError(f"--only is one of {', '.join(Fate)}, not {only}.")
    wave, found = run(_foretold(settings(ctx), campaign, Fate(only) if only else None, to))
    if wave is None:
        say("There is no further wave.")
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
    say(f"All of it stands in {to}." if to else "All of it: --csv FILE.")


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
        raise CommandError(f"{to} cannot be written: {error.strerror}.") from None


@campaigns.command()
def revise(
    ctx: typer.Context,
    campaign: Id,
    form: Annotated[str, typer.Option(help="The version to ask; its beginning does.")],
) -> None:
    """Ask another questionnaire from the next wave on. An open wave keeps its own."""
    from desk.campaigns.campaigning import set_form

    used = settings(ctx)
    made = run(change(used, lambda tx: set_form(tx, act(used), campaign, form)))
    say(f"{campaign} asks version {made.form[:12]} from its next wave on.")
