"""minyi form: the questionnaires, immutable once added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    table,
)

if TYPE_CHECKING:
    from minyi.settings import Settings
    from surveys.forms.form import Form
    from surveys.lint.check import Checked
    from surveys.lint.rules import Use

File = Annotated[
    Path,
    typer.Argument(help="An XLSForm (.xlsx, .xls, .csv, .md) or XForm (.xml).", show_default=False),
]
Lang = Annotated[str, typer.Option("--lang", help="zh or en.")]
For = Annotated[str, typer.Option("--for", help="rating (anonymous) or concern.")]

forms = typer.Typer(help="Questionnaires.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``."""
    app.add_typer(forms, name="form")


@forms.command()
def check(
    file: File,
    json: Annotated[bool, typer.Option("--json", help="As data, in both languages.")] = False,
    lang: Lang = "en",
    purpose: For = "rating",
) -> None:
    """Say what to mend in a questionnaire, row by row. Status 1 where something must be mended."""
    from surveys.lint.check import as_json
    from surveys.lint.check import check as check_file

    checked = check_file(file, _use(purpose))
    if json:
        from json import dumps

        typer.echo(dumps(as_json(checked), ensure_ascii=False, indent=2))
    else:
        _tell(checked, _language(lang))
    if checked.errors:
        raise typer.Exit(1)


@forms.command(name="show")
def draw_flow(file: File, lang: Lang = "en") -> None:
    """Draw a questionnaire: what is asked, in which order, of whom, and how long it takes."""
    from surveys.forms.form import FormError
    from surveys.forms.xlsform import load_form
    from surveys.lint.check import refusal, summary
    from surveys.lint.flow import draw

    language = _language(lang)
    try:
        form = load_form(file)
    except FormError as error:
        if not error.problems:
            raise
        raise CommandError(refusal(file, language)) from error
    say(summary(form, language))
    for line in draw(form, lang):
        say(line)


@forms.command()
def add(
    ctx: typer.Context,
    file: File,
    lang: Lang = "en",
    purpose: For = "rating",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also with what must be mended, if it can be asked.")
    ] = False,
) -> None:
    """Check a questionnaire and keep this version of it."""
    from surveys.lint.check import check as check_file
    from surveys.lint.check import not_added

    checked, language = check_file(file, _use(purpose)), _language(lang)
    if checked.findings:
        _tell(checked, language)
    form = checked.form
    if form is None or (checked.errors and not (anyway and checked.askable)):
        raise CommandError(not_added(checked, language))
    known = run(_add(settings(ctx), form, file, checked.errors))
    say(f"{'Known already' if known else 'Added'}: {form.title}, version {form.hash[:12]}.")
    say(f"Questions: {sum(question.asks for question in form.questions)}, "
        f"languages: {', '.join(form.languages)}, "
        f"indicators: {', '.join(form.indicators) or 'none, so it rates nobody'}.")  # fmt: skip


def _use(purpose: str) -> Use:
    from surveys.lint.rules import Use

    if purpose not in tuple(Use):
        raise CommandError(f"--for is one of {', '.join(Use)}, not {purpose!r}.")
    return Use(purpose)


def _language(lang: str) -> str:
    from surveys.words import LANGUAGES

    if lang not in LANGUAGES:
        raise CommandError(f"--lang is one of {', '.join(LANGUAGES)}, not {lang!r}.")
    return lang


def _tell(checked: Checked, language: str) -> None:
    from surveys.lint.check import summary, told

    if checked.form is not None:
        say(summary(checked.form, language))
    for line in told(checked, language):
        say(line)


async def _add(settings: Settings, form: Form, file: Path, errors: int) -> bool:
    from desk.questionnaires import keep
    from surveys.forms.label_media import load_media, media_names

    media, by = load_media(file, media_names(form)), act(settings)
    async with open_store(settings) as store:
        return not await store.write(
            lambda tx: keep(tx, by, form, media, file.name, errors=errors, anyway=errors > 0)
        )


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
