"""The command line. Each command imports what it needs inside itself, so that help is instant."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from minyi.commands import (
    accounts,
    audit,
    bringing,
    campaigns,
    concerns,
    course,
    days,
    foretelling,
    forms,
    links,
    rehearsing,
    relating,
    results,
    running,
    safekeeping,
    setup,
    standing,
    steps,
)
from minyi.commands.desk import CommandError, complain

app = typer.Typer(
    name="minyi",
    help="Minyi 民意: ask people, protect them, and let what they say count.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich help costs 0.2 s
    pretty_exceptions_enable=False,
)


@app.callback()
def common(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file; otherwise MINYI_CONFIG, or minyi.toml here."),
    ] = None,
) -> None:
    """Minyi 民意: ask people, protect them, and let what they say count."""
    ctx.obj = config


for room in (setup, accounts, running, bringing, relating, forms, campaigns, standing, foretelling,
             rehearsing, course, days, links, steps, results, concerns, safekeeping,
             audit):  # fmt: skip
    room.register(app)


def main() -> None:
    """Run a command. Expected trouble is told in plain words: status 1, wrong settings 2."""
    try:
        app()
    except CommandError as error:
        complain(str(error))
        sys.exit(1)
    except BrokenPipeError:  # `minyi … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        words = expected(error)
        if words is None:
            raise
        complain(words[1])
        sys.exit(words[0])


def expected(error: Exception) -> tuple[int, str] | None:
    """(exit status, words) for trouble that is nobody's bug; None for a bug."""
    from desk.exporting import ExportError
    from desk.saying import SpokenError
    from minyi.configuration import SettingsRefusedError
    from minyi.opening import NotReadyError
    from surveys.forms.form import FormError

    if isinstance(error, SettingsRefusedError):
        count = len(error.wrongs)
        lines = "\n".join(f"  {wrong}" for wrong in error.wrongs)
        return 2, f"{count} setting{'s' if count > 1 else ''} refused:\n{lines}"
    if isinstance(error, (ExportError, FormError, NotReadyError, SpokenError)):
        return 1, str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return 1, f"{error.filename}: {(error.strerror or 'cannot be used').lower()}."
    return None
