"""minyi relations: who rates whom, derived from the tree of units, and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from minyi.commands.desk import CommandError, act, fill, open_store, run, say, settings, show, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desk.relating import Derivation, Rule
    from minyi.settings import Settings
    from surveys.people import Person, Relation

relations = typer.Typer(help="Who rates whom.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(relations, name="relations")


@relations.command()
def derive(
    ctx: typer.Context,
    rules: Annotated[
        str, typer.Argument(help="Of below, beside, above (whose staff rates a unit), fellows, "
                                 "members, leaders (an official); with commas.", show_default=False)
    ],
    apply: Annotated[bool, typer.Option("--apply", help="Add them; else only look.")] = False,
) -> None:  # fmt: skip
    """Relations that follow from the tree of units. What is there already is never changed."""
    from desk.relating import Rule

    named = [word.strip() for word in rules.split(",") if word.strip()]
    if bad := [word for word in named if word not in tuple(Rule)]:
        raise CommandError(f"There is no rule {bad[0]!r}; there are: {', '.join(Rule)}.")
    if not named:
        raise CommandError(f"Name one rule at least; there are: {', '.join(Rule)}.")
    chosen = [Rule(word) for word in named]
    seen = run(_derived(settings(ctx), chosen, apply))
    for rule, count in seen.new.items():
        say(f"{rule}: {count:,} new")
    say(f"There already: {seen.already:,}; from another side, and left so: {seen.another:,}")
    if apply:
        say(f"Added {seen.count:,} relations. The next wave goes by them.")
        return
    listing = table("", "rater", "subject", "group")
    for each in seen.first:
        fill(listing, each.rater, each.subject, each.group)
    show(listing)
    say("Nothing is changed yet: --apply adds them.")


async def _derived(settings: Settings, rules: list[Rule], apply: bool) -> Derivation:
    from desk.relating import derive, look

    def work(tx: Any) -> Derivation:
        return derive(tx, act(settings), rules) if apply else look(tx, rules)

    async with open_store(settings) as store:
        return await store.write(work)


@relations.command()
def end(
    ctx: typer.Context,
    rater: Annotated[str, typer.Argument(help="A person's id.", show_default=False)],
    subject: Annotated[str, typer.Argument(help="Whom they rate.", show_default=False)],
) -> None:
    """Somebody is asked about a unit or official no more, from the next wave on."""
    ended = run(_ended(settings(ctx), rater, subject))
    if ended is None:
        raise CommandError(f"{rater} does not rate {subject}, so nothing was ended. Write both ids "
                           "as they stand in the table of relations.")  # fmt: skip
    say(f"{rater} rates {subject} no more. A wave that is open goes on as it was.")


@relations.command(name="self")
def identify(
    ctx: typer.Context,
    official: Annotated[str, typer.Argument(help="An official's id.", show_default=False)],
    person: Annotated[
        str, typer.Argument(help="Who that is: an id or a name; empty for nobody.")
    ] = "",
) -> None:
    """Which person an official is: they assess themselves from the next wave on."""
    from desk.relating import RelationError

    try:
        before, found, offices = run(_identified(settings(ctx), official, person))
    except RelationError as error:
        raise CommandError(str(error)) from None
    was = f", who was {before} until now" if before not in {None, found.id if found else ""} else ""
    say(f"{official} is {f'{found.name} ({found.id})' if found else 'nobody'}{was}.")
    if len(offices) > 1:
        say(f"Note: {found.name or found.id} is {', '.join(offices)}." if found else "")


async def _identified(
    settings: Settings, official: str, person: str
) -> tuple[str | None, Person | None, Sequence[str]]:
    """Who it was, who it is, and every official that this person is."""
    from desk.relating import held, identify, own

    def work(tx: Any) -> tuple[str | None, Person | None, Sequence[str]]:
        before = own(tx, official)
        found = identify(tx, act(settings), official, person)
        return before, found, held(tx, found.id) if found else ()

    async with open_store(settings) as store:
        return await store.write(work)


async def _ended(settings: Settings, rater: str, subject: str) -> Relation | None:
    from desk.relating import end

    async with open_store(settings) as store:
        return await store.write(lambda tx: end(tx, act(settings), rater, subject))
