"""A questionnaire's file checked for its author: every problem with the row where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from surveys.forms.form import Form, FormError, Problem
from surveys.forms.label_media import load_media
from surveys.forms.problems import meaning, mending
from surveys.forms.soundness import bad_expressions, circles
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import compile_xlsform, read_source
from surveys.lint.authored import in_own_terms, table_slips
from surveys.lint.complaints import remarks
from surveys.lint.estimate import estimate
from surveys.lint.location import locate
from surveys.lint.rules import Use, asked, lint
from surveys.lint.workbook import Place, read_workbook
from surveys.words import LANGUAGES, Words

SCHEMA = 1
MOST = 50  # findings told in words; as data there are all
_WORDS = Words.of("surveys", "problems")


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem and where it stands."""

    problem: Problem
    place: Place

    @property
    def severity(self) -> str:
        """error: it must be mended. warning: it should be looked at."""
        return "error" if self.problem.stop else "warning"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in the file ``name``; errors first, then from top to bottom.

    ``form`` is None where the questionnaire cannot be read at all.
    """

    name: str
    form: Form | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many must be mended."""
        return sum(finding.problem.stop for finding in self.findings)

    @property
    def halted(self) -> bool:
        """Whether a problem kept the rest from being checked: once mended, there may be more."""
        codes = {finding.problem.code for finding in self.findings}
        return self.form is None and "unreadable" not in codes

    @property
    def askable(self) -> bool:
        """Whether the questionnaire could be asked all the same: every expression computes."""
        codes = {finding.problem.code for finding in self.findings}
        return self.form is not None and not codes & {"bad_expression", "circular"}


def check(path: Path, use: Use = Use.RATING) -> Checked:
    """Check the questionnaire at ``path``. FormError where the file itself cannot be read."""
    source, suffix = read_source(path)
    book = read_workbook(source, suffix)
    said: list[str] = []
    form: Form | None = None
    problems: tuple[Problem, ...] = ()
    try:
        xform = source if suffix == ".xml" else compile_xlsform(source, suffix, path.name, said)
        form = read_xform(xform, path.name)
        problems = (*bad_expressions(form), *circles(form), *lint(form, use))
    except FormError as error:
        problems = error.problems or (_unreadable(path.name, error),)
    if form is not None:
        problems += tuple(_media(form, path))
    if suffix != ".xml":
        problems += tuple(table_slips(form, book))
    tongues = form.tongues if form else {}
    found = {
        _same(each): each
        for each in (
            Finding(problem, locate(problem, book, tongues))
            for said_of in (*problems, *remarks(said))
            for problem in [in_own_terms(said_of, book)]
        )
    }
    return Checked(path.name, form, tuple(sorted(found.values(), key=_order)))


def _unreadable(name: str, error: FormError) -> Problem:
    """The error in its own words, without the file's name and without what to do."""
    said = str(error).removeprefix(f"{name}: ").partition(". ")[0].rstrip(".")
    return Problem("unreadable", arguments={"text": said})


def _media(form: Form, path: Path) -> Iterator[Problem]:
    """Files that labels refer to, and that are not there or cannot be shown."""
    for question in form.questions:
        for column, texts in question.media.items():
            for tongue, name in texts.items():
                try:
                    load_media(path, [name])
                except FormError as error:
                    arguments = {"name": name, "reason": str(error), "tongue": tongue}
                    yield Problem("bad_media", question.path, column, arguments)


def _order(finding: Finding) -> tuple[bool, int, int, str]:
    sheets = ("", "survey", "choices", "settings")
    sheet = finding.place.sheet.lower()
    at = sheets.index(sheet) if sheet in sheets else len(sheets)
    return not finding.problem.stop, at, finding.place.row or 0, finding.place.column


def _same(finding: Finding) -> object:
    """A list that many questions use is told of once, at its own row."""
    problem, stands = finding.problem, finding.place
    path = "" if stands.row is not None and stands.sheet else problem.path
    return (
        problem.code,
        path,
        stands,
        tuple(sorted((k, str(v)) for k, v in problem.arguments.items())),
    )


# ---- in words


def summary(form: Form, language: str) -> str:
    """One line: the title, how many questions in which languages, and about how many minutes."""
    minutes = [minute for code in form.languages for minute in estimate(form, code).minutes()]
    least, most = min(minutes), max(minutes)
    return _WORDS.say(
        "check.about", language, title=form.title, questions=len(asked(form)),
        languages=", ".join(form.languages), minutes=least if least == most else f"{least}–{most}",
    )  # fmt: skip


def told(checked: Checked, language: str, most: int = MOST) -> list[str]:
    """The first ``most`` findings in words, three lines each, and the sum of all."""
    lines: list[str] = []
    for finding in checked.findings[:most]:
        severity = _WORDS.say(f"check.{finding.severity}", language)
        lines += [
            f"{_where(finding, language)}  [{severity}: {finding.problem.code}]",
            f"  {meaning(finding.problem, language)}",
            f"  → {mending(finding.problem, language)}",
        ]
    if not lines:
        return [_WORDS.say("check.clean", language)]
    if more := len(checked.findings[most:]):
        lines.append(_WORDS.say("check.more", language, count=more))
    warnings = len(checked.findings) - checked.errors
    lines.append(_WORDS.say("check.total", language, errors=checked.errors, warnings=warnings))
    return [*lines, *([_WORDS.say("check.halted", language)] if checked.halted else [])]


def refusal(path: Path, language: str) -> str:
    """What to say instead of showing or asking the questionnaire at ``path``: what stops it."""
    checked = check(path)
    stops = tuple(finding for finding in checked.findings if finding.problem.stop)
    lines = told(Checked(checked.name, checked.form, stops), language)
    return "\n".join([_WORDS.say("check.refused", language, name=checked.name), *lines])


def not_added(checked: Checked, language: str) -> str:
    """What to say of a questionnaire that must be mended before it is kept."""
    return _WORDS.say("check.not_added", language, name=checked.name)


def _where(finding: Finding, language: str) -> str:
    stands, parts = finding.place, []
    if stands.row is not None:
        parts.append(_WORDS.say("check.cell", language, sheet=stands.sheet, row=stands.row))
    elif finding.problem.path:
        parts.append(finding.problem.path)
    else:
        parts.append(stands.sheet or _WORDS.say("check.whole", language))
    if stands.column:
        parts.append(_WORDS.say("check.column", language, column=stands.column))
    return _WORDS.say("check.comma", language).join(parts) + (
        f" ({stands.header})" if stands.header else ""
    )


# ---- the same as data


def as_json(checked: Checked) -> dict[str, object]:
    """What ``minyi form check --json`` prints; each field is told of in docs/questionnaires.md."""
    return {
        "schema": SCHEMA,
        "file": checked.name,
        "errors": checked.errors,
        "warnings": len(checked.findings) - checked.errors,
        "halted": checked.halted,
        "form": None if checked.form is None else _form(checked.form),
        "problems": [_finding(each) for each in checked.findings],
    }


def _form(form: Form) -> dict[str, object]:
    return {
        "id": form.id,
        "title": form.title,
        "version": form.version,
        "hash": form.hash,
        "languages": list(form.languages),
        "questions": len(asked(form)),
        "minutes": {code: list(estimate(form, code).minutes()) for code in form.languages},
    }


def _finding(finding: Finding) -> dict[str, object]:
    problem, stands = finding.problem, finding.place
    return {
        "code": problem.code,
        "severity": finding.severity,
        "sheet": stands.sheet or None,
        "row": stands.row,
        "column": stands.column or None,
        "header": stands.header or None,
        "path": problem.path or None,
        "what": _in_all(meaning, problem),
        "mend": _in_all(mending, problem),
    }


def _in_all(say: Callable[[Problem, str], str], problem: Problem) -> dict[str, str]:
    return {language: say(problem, language) for language in LANGUAGES}
