"""minyi export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minyi.commands.desk import CommandError, act, open_store, progress, run, say, settings
from minyi.commands.steps import period_of

if TYPE_CHECKING:
    from minyi.settings import Settings

OPEN = ("cells", "turnout", "reasons", "withheld", "paradata", "scorecards")


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.command()(export)


def export(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(help=f"{', '.join(OPEN)}, or all.", show_default=False)],
    period: Annotated[list[str], typer.Option(help="A quarter, such as 2026Q4; may be repeated.")],
    out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    kind: Annotated[str, typer.Option("--format", help="csv, xlsx or json.")] = "",
    full_record: Annotated[
        bool,
        typer.Option("--full-record", help="The panel's sealed record: scorecards in full."),
    ] = False,
) -> None:
    """Write what may leave the house to a file: no ballot, no name of who answered."""
    from desk.exporting import FORMATS

    if what not in {*OPEN, "all"}:
        raise CommandError(f"{what!r} cannot be exported. Choose {', '.join(OPEN)} or all.")
    if full_record and what not in {"scorecards", "all"}:
        raise CommandError("--full-record goes with scorecards or all.")
    suffix = out.suffix.removeprefix(".").lower() if out is not None else ""
    form = kind or (suffix if suffix in FORMATS else "csv")
    if form not in FORMATS:
        raise CommandError(f"{form!r} is not a format. Choose {', '.join(FORMATS)}.")
    names: tuple[str, ...] = OPEN if what == "all" else (what,)
    if full_record:
        names = tuple("full-record" if name == "scorecards" else name for name in names)
    to = out or Path(f"minyi-{'full-record' if full_record else what}-{'-'.join(period)}.{form}")
    periods = [period_of(each) for each in period]
    rows = run(_write(settings(ctx), names, periods, to, form))
    say(f"{rows:,} row(s) in {to}.")
    if full_record:
        say("This is the panel's full record: for its readers alone, never for publication.")


async def _write(
    settings: Settings, names: tuple[str, ...], periods: list[str], to: Path, form: str
) -> int:
    from desk.exporting import export as write
    from desk.leaving import results_taken

    by = act(settings)
    async with open_store(settings) as store:
        await store.write(lambda tx: results_taken(tx, by, names, periods, form))
        with progress(f"writing {to.name}") as moved:
            return await write(store, names, periods, to, form, moved)
