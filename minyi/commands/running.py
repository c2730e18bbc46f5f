"""minyi serve, demo, talk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from minyi.commands.desk import configuration, run


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.command()(serve)
    app.command()(demo)
    app.command()(talk)


def serve(ctx: typer.Context) -> None:
    """Run bot, web and scheduler until stopped."""
    from minyi.serving import serve as keep_open

    run(keep_open(configuration(ctx)))


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after printing; do not serve.")] = False,
    data: Annotated[
        str, typer.Option(help="A CSV of rater, subject, indicator, value to replay instead.")
    ] = "",
    sample: Annotated[int, typer.Option(min=0, help="Replay only so many raters; 0: all.")] = 0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the web; 0: any.")] = 8080,
    seed: Annotated[int, typer.Option(help="Chance, repeatable.")] = 20261210,
) -> None:
    """Watch a whole quarter pass on a stage, then try it yourself. Needs no settings."""
    from minyi.staging import Options, run

    options = Options(once=once, data=data, sample=sample, port=port, seed=seed)
    if data:
        from minyi.replay import replay as play
    else:
        from minyi.demo import play
    raise typer.Exit(run(play(options)))


def talk(
    file: Annotated[Path, typer.Argument(help="A questionnaire: .md, .xlsx or .xml.")],
    language: Annotated[
        str, typer.Option("--lang", help="zh, en or what the questionnaire has.")
    ] = "zh",
    as_json: Annotated[
        bool, typer.Option("--json", help="End with the answers, a line of JSON.")
    ] = False,
) -> None:
    """Answer a questionnaire in the terminal: a typed line is a move. Nothing is stored.

    [label] presses that button, @file hands a file over,
    @39.9, 116.4 shares a place, ~words edits what was typed last;
    anything else is typed.
    """
    from minyi.talk import run as converse

    raise typer.Exit(converse(file, language, as_json=as_json))
