"""What commands share: the settings, the store, and how things are told on the terminal."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from desk.audit import Act
    from minyi.configuration import Configuration
    from minyi.settings import Settings
    from storage import SqlStore

T = TypeVar("T")


class CommandError(Exception):
    """The command cannot do what was asked; the text says why and how to mend it. Status 1."""


def configuration(ctx: typer.Context) -> Configuration:
    """The settings in force; SettingsRefusedError where they are wrong (``main`` tells it)."""
    import os

    from minyi.configuration import load

    chosen: Path | None = ctx.find_root().obj
    return load(os.environ, chosen)


def settings(ctx: typer.Context) -> Settings:
    """The settings alone."""
    return configuration(ctx).settings


def act(settings: Settings) -> Act:
    """What is done at the terminal, as the audit knows it: by the machine's own user."""
    from datetime import UTC, datetime
    from getpass import getuser

    from desk.audit import Act, seal_key
    from minyi.opening import keyring

    who = f"operator:{getuser()}"
    key = seal_key(keyring(settings).app_key())
    return Act(who, who, "terminal", datetime.now(UTC), key)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part."""
    from minyi.loop import run as run_loop

    return run_loop(work)


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[SqlStore]:
    """The store, without the rest of the house; CommandError where it is not ready for use."""
    from minyi.opening import NotReadyError, opened

    try:
        async with opened(settings) as store:
            await _begin_head(store, settings)
            yield store
            await _note_head(store, settings)
    except NotReadyError as error:
        raise CommandError(str(error)) from None


async def _begin_head(store: SqlStore, settings: Settings) -> None:
    """Before the first entry of all, so that a note that is missing later is known to be."""
    from minyi.auditing import begin

    try:
        await begin(store, settings)
    except OSError as error:
        complain(f"The audit's head cannot be noted: {error}")


async def _note_head(store: SqlStore, settings: Settings) -> None:
    """What the command wrote into the audit is noted outside the database as well."""
    from desk.auditing import told
    from minyi.auditing import keep

    try:
        flaw = await keep(store, settings)
    except OSError as error:
        complain(f"The audit's head was not noted: {error}")
        return
    if flaw is not None:
        complain(f"{told(flaw, 'en')} See `minyi audit verify`.")


def say(words: object = "", *, style: str | None = None) -> None:
    """Tell people something. People's own words are never read as markup."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(words, style=style, markup=False)


def complain(words: str) -> None:
    """Tell on stderr what went wrong."""
    sys.stderr.write(f"{words}\n")


def table(title: str, *columns: str) -> Table:
    """An empty table to fill with texts and to :func:`show`."""
    from rich import box
    from rich.table import Table as RichTable

    headed = any(columns)
    filled = RichTable(title=title or None, box=box.SIMPLE if headed else None, show_header=headed)
    for column in columns:
        filled.add_column(column, overflow="fold")
    return filled


def fill(filled: Table, *cells: object) -> None:
    """Add a row of plain texts."""
    from rich.text import Text

    filled.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))


def show(filled: Table) -> None:
    """Print a table, as wide as the terminal; wide enough for its content where there is none."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    console.print(filled)


@contextmanager
def progress(doing: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr while the block runs; call it with (done) or (done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True,
                  disable=not console.is_terminal) as bar:  # fmt: skip
        task = bar.add_task(doing, total=total)

        def moved(done: int, of: int | None = None) -> None:
            bar.update(task, completed=done, total=total if of is None else of)

        yield moved


def told(report: object) -> None:
    """Print a report, a dataclass of plain fields, one field a line."""
    from dataclasses import fields, is_dataclass

    if not is_dataclass(report) or isinstance(report, type):
        say(report)
        return
    filled = table("", "", "")
    for each in fields(report):
        fill(filled, each.name.replace("_", " "), getattr(report, each.name))
    show(filled)


def sure(question: str, yes: bool) -> None:
    """Ask before something that cannot be undone; ``yes`` is the command's --yes."""
    if not yes and not typer.confirm(question):
        raise CommandError("Nothing was changed.")
