"""minyi import: people, subjects, relations and tasks from tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minyi.commands.desk import (
    CommandError,
    act,
    complain,
    open_store,
    progress,
    run,
    say,
    settings,
)

if TYPE_CHECKING:
    from desk.importing.bringing import Imported, Rejected
    from minyi.settings import Settings

SHOWN = 50
File = Annotated[Path, typer.Argument(help="A .csv or .xlsx file.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
SheetName = Annotated[str, typer.Option("--sheet", help="The workbook's sheet to read.")]
Whole = Annotated[
    bool, typer.Option("--whole", help="This is the whole roster: who is not in it has left.")
]
ManyLeft = Annotated[
    bool, typer.Option("--many-left", help="With --whole, also if over 30 % have left.")
]

imports = typer.Typer(
    help="Bring in tables: all rows of a file, or none.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(imports, name="import")


@imports.command()
def people(
    ctx: typer.Context,
    file: File,
    dry_run: DryRun = False,
    sheet: SheetName = "",
    whole: Whole = False,
    many_left: ManyLeft = False,
) -> None:
    """id, kind (citizen, staff); name, unit, language, telegram, tags, zone, left."""
    _import(ctx, "people", file, dry_run, sheet, whole=whole, many_left=many_left)


@imports.command()
def subjects(
    ctx: typer.Context, file: File, dry_run: DryRun = False, sheet: SheetName = ""
) -> None:
    """id, name_zh; name_en, kind (unit, official), parent, class."""
    _import(ctx, "subjects", file, dry_run, sheet)


@imports.command()
def relations(
    ctx: typer.Context, file: File, dry_run: DryRun = False, sheet: SheetName = ""
) -> None:
    """rater, subject, group (SUP, PEER, SUB, SVC, SELF)."""
    _import(ctx, "relations", file, dry_run, sheet)


@imports.command()
def tasks(ctx: typer.Context, file: File, dry_run: DryRun = False, sheet: SheetName = "") -> None:
    """id, subject, period, category (basic, phased, urgent), points; exposure."""
    _import(ctx, "tasks", file, dry_run, sheet)


def _import(
    ctx: typer.Context,
    name: str,
    file: Path,
    dry_run: bool,
    sheet: str,
    *,
    whole: bool = False,
    many_left: bool = False,
) -> None:
    from desk.importing.bringing import Rejected

    if many_left and not whole:
        raise CommandError("--many-left goes with --whole, which says that the file is everybody.")
    outcome = run(_bring(settings(ctx), name, file, dry_run, sheet, whole, many_left))
    if isinstance(outcome, Rejected):
        for bad in outcome.bads[:SHOWN]:
            complain(str(bad))
        more = len(outcome.bads) - SHOWN
        if more > 0:
            complain(f"… and {more:,} more." if not outcome.more else f"… and over {more:,} more.")
        raise CommandError(
            f"{file.name} has {len(outcome.bads):,} mistake(s). Nothing was imported."
        )
    for warning in outcome.warnings:
        complain(f"Note: {warning.said('en')}.")
    said = "" if outcome.written else "Dry run, nothing written. Would be: "
    say(
        f"{said}{outcome.added:,} added, {outcome.changed:,} changed, "
        f"{outcome.unchanged:,} unchanged."
    )
    if outcome.left:
        more = outcome.left - len(outcome.leavers)
        names = ", ".join(outcome.leavers) + (f" and {more:,} more" if more else "")
        say(f"No longer on the roster: {outcome.left:,} ({names}).")


async def _bring(
    settings: Settings,
    name: str,
    file: Path,
    dry_run: bool,
    sheet: str,
    whole: bool,
    many_left: bool,
) -> Imported | Rejected:
    from desk.importing.bringing import bring_in
    from desk.importing.columns import TABLES
    from desk.importing.records import understand
    from desk.importing.sheets import UnreadableError, read

    table = TABLES[name]
    with progress(f"reading {file.name}") as moved:
        read_sheet = read(file, (sheet,) if sheet else table.titles, moved)
    if sheet and read_sheet.name.casefold() != sheet.casefold():
        raise UnreadableError("sheet", file.name, wanted=sheet, found=read_sheet.name)
    with progress("checking", len(read_sheet.rows)) as moved:
        records = understand(table, read_sheet, moved)
    records = replace(records, whole=whole, many_left=many_left)
    async with open_store(settings) as store:
        with progress("writing") as moved:
            by = None if dry_run else act(settings)
            return await bring_in(store, records, by, progress=moved)
