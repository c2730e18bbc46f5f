"""minyi audit: who did what, and whether the record of it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minyi.commands.desk import (
    CommandError,
    act,
    complain,
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
    from desk.audit import Entry, Flaw, Mark
    from desk.auditing import Verdict
    from desk.store import Sought
    from minyi.settings import Settings

audit = typer.Typer(
    help="Who did what, and whether the record of it holds.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Who = Annotated[str, typer.Option(help="An account's id, or operator:NAME.")]
Action = Annotated[str, typer.Option(help="What was done, or how it begins: campaign.")]
What = Annotated[str, typer.Option(help="Of what: campaign:window.")]
Since = Annotated[str, typer.Option(help="From this day on, 2026-11-22, in UTC.")]
Before = Annotated[str, typer.Option(help="Before this day.")]
Text = Annotated[str, typer.Option(help="Stands somewhere in it.")]


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(audit, name="audit")


@audit.command(name="show")
def show_newest(
    ctx: typer.Context,
    who: Who = "",
    action: Action = "",
    what: What = "",
    since: Since = "",
    before: Before = "",
    text: Text = "",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest.")] = 30,
) -> None:
    """The newest entries that fit, newest first."""
    sought = _sought(who, action, what, since, before, text)
    found = run(_newest(settings(ctx), sought, count))
    listing = table("", "seq", "at", "who", "from", "action", "of", "before", "after")
    for each in found:
        fill(listing, each.seq, each.at, each.name, each.origin, each.action, each.what,
             each.before, each.after)  # fmt: skip
    show(listing) if found else say("None.")


async def _newest(settings: Settings, sought: Sought, count: int) -> Sequence[Entry]:
    async with open_store(settings) as store:
        return await store.read(lambda tx: tx.audit(sought, limit=count))


def _sought(who: str, action: str, what: str, since: str, before: str, text: str) -> Sought:
    from datetime import date

    from desk.store import Sought

    for name, day in (("--since", since), ("--before", before)):
        try:
            if day:
                date.fromisoformat(day)
        except ValueError:
            raise CommandError(f"{name}: {day!r} is not a day. Write it like 2026-11-22.") from None
    return Sought(who, action, what, since, before, text)


@audit.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write: .jsonl or .csv.")],
    who: Who = "",
    action: Action = "",
    what: What = "",
    since: Since = "",
    before: Before = "",
    text: Text = "",
) -> None:
    """Write all of it, or what fits, to a file. Only all of it as .jsonl can be checked later."""
    from desk.auditing import KINDS

    kind = file.suffix.removeprefix(".").lower()
    if kind not in KINDS:
        raise CommandError(f"{file.name}: name a file that ends in .{' or .'.join(KINDS)}.")
    if file.exists():
        raise CommandError(f"{file} is there already. Give another name: nothing is replaced.")
    run(_export(settings(ctx), _sought(who, action, what, since, before, text), file))
    say(f"Written to {file}, readable by you alone.")


async def _export(settings: Settings, sought: Sought, file: Path) -> None:
    """The file appears when it is complete."""
    from desk.auditing import exported
    from desk.leaving import audit_taken

    kind = file.suffix[1:].lower()
    part = file.with_name(f".{file.name}.part")
    part.touch(0o600)
    try:
        async with open_store(settings) as store:
            by = act(settings)
            await store.write(lambda tx: audit_taken(tx, by, sought, kind))
            with part.open("wb") as written:
                async for piece in exported(store, sought, kind, settings.timezone):
                    written.write(piece)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


@audit.command()
def verify(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Option(help="Check an export (.jsonl) of all of it instead.")
    ] = None,
    head: Annotated[
        str, typer.Option(help="A head that somebody wrote down: SEQ:HASH.", metavar="SEQ:HASH")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Look at every entry: changed, removed, moved, forged, cut off. Status 1 where any is."""
    from desk.auditing import told

    verdict = _checked(settings(ctx), file, _mark(head))
    if json:
        _as_json(verdict)
    else:
        for flaw in verdict.flaws:
            say(told(flaw, "en"))
        if verdict.more:
            say(f"And {verdict.more:,} more.")
        say(f"{verdict.count:,} entries looked at.")
    if not verdict.holds:
        raise CommandError(
            f"The audit does not hold: {len(verdict.flaws) + verdict.more:,} flaw(s)."
        )
    if not json:
        say(f"All of it holds. Its head, to write down: {verdict.head[0]}:{verdict.head[1]}")


def _checked(settings: Settings, file: Path | None, head: Mark | None) -> Verdict:
    """What was found, in ``file`` or here."""
    from desk.auditing import AuditError, check, check_file
    from minyi.auditing import audit_key, head_file

    key = audit_key(settings)  # an outsider has none, and gets none
    if key is None:
        complain("There is no key here, so the seals are not looked at.")
    if file is not None:
        try:
            return check_file(file, key, head)
        except AuditError as error:
            raise CommandError(str(error)) from None

    async def look() -> Verdict:
        async with open_store(settings) as store:
            return await check(store, key, head, noted=head_file(settings).noted())

    return run(look())


def _mark(text: str) -> Mark | None:
    import re

    if not text:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", text.strip().lower())
    if found is None:
        raise CommandError(
            f"--head: {text!r} is not a head. It looks like 120:6f1e…, a number and 64 letters."
        )
    return int(found[1]), found[2]


def _as_json(verdict: Verdict) -> None:
    from dataclasses import asdict
    from json import dumps

    typer.echo(dumps(asdict(verdict) | {"holds": verdict.holds}, indent=2))


@audit.command()
def accept(
    ctx: typer.Context, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Go on from the audit as it is after an older backup, or once after an upgrade from a version
    that did not seal its note of the end. What was wrong is written into it.
    """
    from desk.auditing import told

    used = settings(ctx)
    flaw = run(_astray(used))
    if flaw is None:
        raise CommandError("Nothing is to be accepted: the audit's end is as it was noted.")
    say(told(flaw, "en"))
    sure("What is gone stays gone. Write that into the audit and go on from here?", yes)
    seq, digest = run(_accept(used))
    say(f"Entry {seq} says so. The head is now {seq}:{digest}")


async def _astray(settings: Settings) -> Flaw | None:
    from desk.auditing import astray
    from minyi.auditing import head_file

    noted = head_file(settings).noted()
    async with open_store(settings) as store:
        return await store.read(lambda tx: astray(tx, noted))


async def _accept(settings: Settings) -> Mark:
    from desk.auditing import accept
    from minyi.auditing import head_file

    by, file = act(settings), head_file(settings)
    noted = file.noted()
    async with open_store(settings) as store:
        head = await store.write(lambda tx: accept(tx, by, noted))
        file.replace(head)
    return head
