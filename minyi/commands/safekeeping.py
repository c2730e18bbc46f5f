"""minyi backup, restore."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minyi.commands.desk import CommandError, act, complain, open_store, run, say, settings

if TYPE_CHECKING:
    from minyi.restoring import Restored
    from minyi.safekeeping import Backup
    from minyi.settings import Settings


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.command()(backup)
    app.command()(restore)


Phrase = Annotated[
    Path | None,
    typer.Option(
        "--waves-passphrase-file", help="The passphrase of the keys of waves; its first line."
    ),
]


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; must not be there.", show_default=False)],
    waves: Annotated[
        bool, typer.Option("--waves", help="With the keys of waves; asks for a passphrase.")
    ] = False,
    phrase: Phrase = None,
    scratch: Annotated[
        str, typer.Option(help="URL of an empty PostgreSQL database to try the dump in.")
    ] = "",
) -> None:
    """Write everything to one file, while Minyi runs, and prove it by restoring it.

    Without the keys of waves (--waves, --waves-passphrase-file), what was answered in open waves
    is not in this backup, nor who has answered.
    """
    from minyi.safekeeping import SafekeepingError
    from minyi.safekeeping import backup as make

    used = settings(ctx)
    passphrase = _passphrase(phrase, ask=waves, twice=True)
    _sweep(file)
    try:
        with _tidy_when_told():
            made = make(used, file, passphrase, scratch=scratch)
    except SafekeepingError as error:
        raise CommandError(str(error)) from None
    run(_note(used, made))
    say(f"Backed up to {file}, {made.size / 2**20:,.1f} MB, readable by you alone.")
    for each in made.proved:
        say(f"  Proved: {each}.")
    say(f"  SHA-256 {made.sha256}")
    _tell_waves(made)


async def _note(settings: Settings, made: Backup) -> None:
    """The audit says who has a copy of everything. A database not up to date has no audit yet."""
    from desk.audit import record
    from minyi.opening import what_is_missing

    if what_is_missing(settings) is not None:
        return
    facts: dict[str, str | int] = {
        "made_at": made.manifest.made_at,
        "wave_keys": len(made.manifest.waves) - len(made.manifest.unkeyed),
    }
    async with open_store(settings) as store:
        what = f"backup:{made.sha256[:12]}"
        await store.write(lambda tx: record(tx, act(settings), "backup.made", what, None, facts))


def _tell_waves(made: Backup) -> None:
    manifest = made.manifest
    held = len(manifest.waves) - len(manifest.unkeyed)
    if made.sealed:
        say(
            f"It holds the keys of {held} wave(s) not yet tallied, under your passphrase. Destroy "
            "it once they are: it could open what their people answered."
        )
    if manifest.unkeyed:
        say(
            f"NOT in it: the keys of {len(manifest.unkeyed)} wave(s) not yet tallied "
            f"({', '.join(manifest.unkeyed[:5])}{' …' if len(manifest.unkeyed) > 5 else ''}), and "
            "what was answered in them. Restored from this file, they begin anew: everybody is "
            "asked again. To have both in it: --waves-passphrase-file FILE or --waves."
        )


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `minyi backup` wrote.", show_default=False)],
    into: Annotated[Path, typer.Option("--into", help="The data directory to make; empty.")],
    phrase: Phrase = None,
    without: Annotated[
        bool, typer.Option("--without-waves", help="Leave the keys of waves sealed, and lost.")
    ] = False,
) -> None:
    """Make a data directory of a backup, whole or not at all. Nothing that is there is touched.

    A backup of PostgreSQL also fills the database of MINYI_DATABASE_URL, which must be empty.
    """
    from getpass import getuser

    from minyi.restoring import holds_wave_keys
    from minyi.restoring import restore as bring_back
    from minyi.safekeeping import SafekeepingError

    used = settings(ctx)
    try:
        passphrase = ""
        if holds_wave_keys(file) and not without:
            passphrase = _passphrase(phrase, ask=True, twice=False)
        database = used.database_url
        who = f"operator:{getuser()}"
        _sweep(into)
        with _tidy_when_told():
            restored = bring_back(file, into, passphrase, database=database, who=who)
    except SafekeepingError as error:
        raise CommandError(str(error)) from None
    _tell(restored, used)


def _tell(restored: Restored, used: Settings) -> None:
    from storage import newest_revision

    manifest, folder = restored.manifest, restored.folder
    say(f"Restored the backup of {manifest.made_at} into {folder}.")
    for each in restored.proved:
        say(f"  Proved: {each}.")
    if restored.fresh:
        say(f"{len(restored.fresh)} wave(s) that had not begun were given new keys.")
    if restored.lost:
        complain(
            f"LOST: what was answered in {len(restored.lost)} open wave(s): "
            f"{', '.join(restored.lost)}."
        )
        over = sorted(set(restored.lost) - set(restored.again))
        if restored.again:
            complain(
                f"{', '.join(restored.again)} still run(s) and begin(s) anew: everybody may answer "
                "again, also whoever had. Tell them so, or close the campaign."
            )
        if over:
            complain(f"{', '.join(over)} had ended, and cannot be counted. Close the campaign.")
    if folder.absolute() != used.data_dir:
        say(f"Set MINYI_DATA_DIR={folder.absolute()}")
    if manifest.database == "sqlite" and used.database_url:
        say("Unset MINYI_DATABASE_URL: the database lies in the data directory.")
    if manifest.revision != newest_revision():
        say(f"The database stands at {manifest.revision}: run `minyi init`, which brings it up.")
    say("Everybody at the desk signs in anew. Next: `minyi doctor`, `minyi serve`.")


def _sweep(path: Path) -> None:
    from minyi.drafts import swept

    for left in swept(path):
        complain(f"A backup or restore was killed before it ended. Deleted what it left: {left}")


@contextmanager
def _tidy_when_told() -> Iterator[None]:
    """Told to end (SIGTERM), leave no copy of everything behind."""

    def leave(*_: object) -> None:
        sys.exit(143)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _passphrase(file: Path | None, *, ask: bool, twice: bool) -> str:
    """From ``file``, else from the keyboard where ``ask``; '' for none."""
    if file is not None:
        lines = file.read_text("utf-8").splitlines()
        if not lines or not lines[0].strip():
            raise CommandError(f"{file} is empty; its first line must be the passphrase.")
        return lines[0].strip()
    if not ask:
        return ""
    if not sys.stdin.isatty():
        raise CommandError(
            "The keys of waves need a passphrase, and nobody is here to type it. "
            "Give --waves-passphrase-file FILE."
        )
    typed: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice)
    return typed.strip()
