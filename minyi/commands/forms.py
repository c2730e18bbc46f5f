"""minyi form: the questionnaires, immutable once added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minyi.commands.desk import fill, open_store, run, say, settings, show, table

if TYPE_CHECKING:
    from minyi.settings import Settings
    from surveys.form import Form
    from surveys.store import Transaction

forms = typer.Typer(help="Questionnaires.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(forms, name="form")


@forms.command()
def add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="An XLSForm (.md, .xlsx) or XForm (.xml).")],
) -> None:
    """Check a questionnaire and keep this version of it."""
    from surveys.xlsform import load_form

    form = load_form(file)
    known = run(_add(settings(ctx), form))
    say(f"{'Known already' if known else 'Added'}: {form.title}, version {form.hash[:12]}.")
    say(f"Questions: {sum(question.asks for question in form.questions)}, "
        f"languages: {', '.join(form.languages)}, "
        f"indicators: {', '.join(form.indicators) or 'none, so it rates nobody'}.")  # fmt: skip


async def _add(settings: Settings, form: Form) -> bool:
    async with open_store(settings) as store:

        def work(tx: Transaction) -> bool:
            known = tx.form(form.hash) is not None
            if not known:
                tx.put_form(form.hash, form.title, form.source)
            return known

        return await store.write(work)


@forms.command(name="list")
def show_all(ctx: typer.Context) -> None:
    """The questionnaires kept, oldest first."""
    kept = run(_all(settings(ctx)))
    listing = table("", "version", "title")
    for version, title in kept:
        fill(listing, version[:12], title)
    show(listing) if kept else say("None yet. Add one with `minyi form add FILE`.")


async def _all(settings: Settings) -> Sequence[tuple[str, str]]:
    async with open_store(settings) as store:
        return await store.read(lambda tx: tx.forms())
