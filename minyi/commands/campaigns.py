"""minyi campaign: what is asked of whom, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from minyi.commands.desk import (
    CommandError,
    act,
    open_store,
    run,
    say,
    settings,
    sure,
)

if TYPE_CHECKING:
    from desk.campaigns.foreseeing import Reach
    from desk.campaigns.outlook import Coming, Note
    from desk.campaigns.wishing import Wish
    from desk.campaigns.wrongs import CampaignError
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
PLAIN = frozenset({"id", "campaign", "wave", "more", "day", "name", "rehearsal"})
"""Fields that no option is called after: arguments, and what nobody typed."""
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
        str, typer.Option(help="Who is asked: of SUP, PEER, SUB, SVC, SELF, with commas.")
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
    grace: Annotated[str, typer.Option(help="Hours after closing to finish what was begun.")] = "1",
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
    say(f"Each wave asks {reach.people:,} people ({reach.reachable:,} of them by Telegram) "
        f"for {reach.assignments:,} ratings: one for each unit or official they rate.")  # fmt: skip
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


def exists(settings: Settings, campaign: str) -> None:
    """Refuse an unknown ``campaign`` before anything is asked about it."""
    from desk.campaigns.campaigning import known

    run(change(settings, lambda tx: known(tx, campaign)))


async def change(settings: Settings, work: Callable[[Any], T]) -> T:
    """Do ``work`` in a transaction; a refusal is told as the command line names its options."""
    from desk.campaigns.wrongs import CampaignError

    async with open_store(settings) as store:
        try:
            return await store.write(work)
        except CampaignError as error:
            raise CommandError(refusal(error)) from None


def refusal(error: CampaignError) -> str:
    """What is wrong, a line each, by the names that the command line has for it."""
    lines: list[str] = []
    for wrong in error.wrongs:
        option = OPTIONS.get(wrong.field, wrong.field.replace("_", "-"))
        said = wrong.said("en") + SEE.get(wrong.code, "")
        lines.append(said if wrong.field in PLAIN else f"--{option}: {said}")
    return "\n".join(lines)


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
