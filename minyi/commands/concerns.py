"""minyi concerns: what people raised, for whoever may read it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

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
    from concerns.statement import Statement
    from concerns.store import StoredConcern
    from minyi.settings import Settings
    from storage import SqlStore
    from storage.transaction import SqlTransaction

T = TypeVar("T")

Id = Annotated[
    str, typer.Argument(help="The concern's id; its beginning does.", show_default=False)
]

desk = typer.Typer(
    help="Concerns: list, read, answer, close.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(desk, name="concerns")


@desk.command(name="list")
def show_all(
    ctx: typer.Context,
    reader: Annotated[str, typer.Option(help="Only for handler, leader or oversight.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed ones as well.")] = False,
) -> None:
    """The concerns and where they stand. Nothing of what they say."""
    from concerns.store import State

    known = run(_all(settings(ctx)))
    shown = [
        each
        for each in known
        if reader in {"", each.reader} and (everything or each.state is not State.CLOSED)
    ]
    listing = table("", "id", "kind", "reader", "state", "since")
    for each in sorted(shown, key=lambda each: (each.opened_on, each.id)):
        fill(listing, each.id, each.kind, each.reader, str(each.state), each.opened_on)
    show(listing) if shown else say("None.")


async def _all(settings: Settings) -> Sequence[StoredConcern]:
    async with open_store(settings) as store:
        return await store.read(lambda tx: tx.concerns())


@desk.command()
def read(
    ctx: typer.Context,
    concern: Id,
    save: Annotated[
        Path | None, typer.Option(help="Write the files handed over into this folder.")
    ] = None,
) -> None:
    """Open a concern with its reader's key and show what both sides said."""
    found, statements = run(_read(settings(ctx), concern))
    say(f"{found.id}: {found.kind}, {found.state}, for {found.reader}, since {found.opened_on}")
    for statement in statements:
        say(f"\n[{statement.author}]\n{statement.text}")
    _show_files(settings(ctx), found, statements, save)


def _show_files(
    settings: Settings, concern: StoredConcern, statements: Sequence[Statement], save: Path | None
) -> None:
    from concerns.desk import files
    from surveys.files.attachments import read as attachment_of

    found = files(concern, statements)
    if not found:
        if save is not None:
            say("\nNo files were handed over.")
        return
    say("\nFiles handed over:" if save else "\nFiles handed over (--save FOLDER writes them out):")
    for name, token in found:
        say(f"{name}, {attachment_of(token).size:,} bytes")
    if save is not None:
        run(_save(settings, found, save))
        say(f"Written to {save}. They lie open there: delete them when you are done.")


async def _save(settings: Settings, found: Sequence[tuple[str, str]], folder: Path) -> None:
    """All of them or none; nothing is overwritten."""
    from minyi.opening import vault
    from minyi.saving import save

    try:
        await save(vault(settings), found, folder)
    except (OSError, LookupError, ValueError) as error:
        raise CommandError(f"Nothing was written: {error}.") from None


async def _read(settings: Settings, concern: str) -> tuple[StoredConcern, Sequence[Statement]]:
    from concerns import desk as case
    from desk.audit import record
    from minyi.opening import keyring

    keys, done = keyring(settings), act(settings)

    def work(tx: SqlTransaction) -> tuple[StoredConcern, Sequence[Statement]]:
        found = case.find(tx, concern)
        statements = case.read(tx, keys, found)
        record(tx, done, "concern.read", f"concern:{found.id}")  # that it was, never what
        return found, statements

    async with open_store(settings) as store:
        return await _at_the_desk(store, work, writing=True)


@desk.command()
def answer(
    ctx: typer.Context,
    concern: Id,
    text: Annotated[
        str, typer.Option(help="The answer; otherwise asked for, so that no shell remembers it.")
    ] = "",
) -> None:
    """Answer in the person's own chat. They are told that there is news, never what."""
    words = text
    if not words:
        words = typer.prompt("Answer") if sys.stdin.isatty() else sys.stdin.read()
    run(_answer(settings(ctx), concern, words))
    say("Kept. The running `minyi serve` tells the person that there is news.")


async def _answer(settings: Settings, concern: str, words: str) -> None:
    from concerns import desk as case
    from desk.audit import record
    from minyi.opening import keyring

    keys, done = keyring(settings), act(settings)

    def work(tx: SqlTransaction) -> None:
        found = case.find(tx, concern)
        case.answer(tx, keys, found, words)
        record(tx, done, "concern.answered", f"concern:{found.id}")

    async with open_store(settings) as store:
        await _at_the_desk(store, work, writing=True)


@desk.command()
def close(
    ctx: typer.Context,
    concern: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Close a case. What was said stays."""
    sure(f"Close {concern}?", yes)
    run(_close(settings(ctx), concern))
    say("Closed.")


async def _close(settings: Settings, concern: str) -> None:
    from concerns import desk as case
    from desk.audit import record

    done = act(settings)

    def work(tx: SqlTransaction) -> None:
        found = case.find(tx, concern)
        case.close(tx, found)
        record(tx, done, "concern.closed", f"concern:{found.id}")

    async with open_store(settings) as store:
        await _at_the_desk(store, work, writing=True)


async def _at_the_desk(store: SqlStore, work: Callable[[SqlTransaction], T], *, writing: bool) -> T:
    from concerns.desk import DeskError

    try:
        return await (store.write(work) if writing else store.read(work))
    except DeskError as error:
        raise CommandError(str(error)) from None
