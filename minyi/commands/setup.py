"""minyi init, doctor, dead-letters, version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minyi.commands.desk import (
    CommandError,
    act,
    configuration,
    fill,
    open_store,
    run,
    say,
    settings,
    show,
    table,
)

if TYPE_CHECKING:
    from minyi.settings import Settings


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.command()(init)
    app.command()(doctor)
    app.command(name="dead-letters")(dead_letters)
    app.command()(version)


def init(
    ctx: typer.Context,
    has_backup: Annotated[
        bool,
        typer.Option(
            "--i-have-a-backup", help="Bring an older PostgreSQL up to date without a copy of it."
        ),
    ] = False,
) -> None:
    """Make what Minyi needs: settings file, data directory, keys, database. Safe to repeat.

    An older database is copied first, then brought up to date. As long as there is no account, the
    first administrator's one-time link is printed.
    """
    from minyi.founding import FoundingError, found, template

    chosen: Path | None = ctx.find_root().obj
    file = chosen or Path("minyi.toml")
    if not file.exists() and file.suffix == ".toml":
        file.write_text(template(), "utf-8")
        say(f"Made {file}: every setting, commented out.")
    try:
        for done in found(settings(ctx), has_backup=has_backup):
            say(done)
    except FoundingError as error:
        raise CommandError(str(error)) from None
    say(
        "Next: `minyi serve`; everything else happens at the desk in the browser, which says what "
        "to do first.\nA bot: set MINYI_TELEGRAM_TOKEN. Is all well: `minyi doctor`. "
        "To look first: `minyi demo`."
    )
    _first_administrator(settings(ctx))


def _first_administrator(settings: Settings) -> None:
    """Print the link of the first administrator, as long as there is no account."""
    from desk.entry.welcoming import TERM, found, path

    acting = act(settings)

    async def made() -> str | None:
        async with open_store(settings) as store:
            return await store.write(lambda tx: found(tx, acting))

    secret = run(made())
    if secret is not None:
        hours = int(TERM.total_seconds()) // 3600
        say(
            f"\nThe first administrator signs in here, once and within {hours} hours (while "
            "`minyi serve` runs);\nthis link replaces any printed before:"
        )
        say(f"  {settings.public_url}{path(secret)}")


def doctor(ctx: typer.Context) -> None:
    """Say what is configured, reachable and missing. Status 1 where something must be mended."""
    from minyi.doctor import examine
    from minyi.finding import State

    findings = run(examine(configuration(ctx)))
    signs = {State.GOOD: "ok", State.NOTE: "note", State.MEND: "MEND"}
    listing = table("", "", "what", "how it stands", "how to mend")
    for each in findings:
        fill(listing, signs[each.state], each.name, each.what, each.mend)
    show(listing)
    wrong = sum(each.state is State.MEND for each in findings)
    if wrong:
        say(f"{wrong} thing(s) to mend.")
        raise typer.Exit(1)


def dead_letters(ctx: typer.Context) -> None:
    """Updates that no retry could handle, and why. What they said stays sealed."""
    letters = run(_letters(settings(ctx)))
    listing = table("", "update", "reason", "bytes, sealed")
    for update, reason, box in letters:
        fill(listing, update, reason, len(box))
    show(listing) if letters else say("None.")


async def _letters(settings: Settings) -> Sequence[tuple[int, str, bytes]]:
    async with open_store(settings) as store:
        return await store.read(lambda tx: tx.dead_letters())


def version() -> None:
    """The version of Minyi."""
    from importlib.metadata import version as of

    say(f"minyi {of('minyi')}")
