"""Problems in the author's own terms, and what only the table shows.

An XForm has ``/data/sat`` where the author wrote ``${sat}``, and a list where the author wrote two
rows: what is said speaks of the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches

from surveys.forms.form import Form, Problem
from surveys.lint.location import row_of
from surveys.lint.workbook import Row, Sheet, Workbook, base, code

_SAID = ("condition", "constraint", "expression")  # arguments that hold an expression
_YES = frozenset({"yes", "true", "true()", "1"})
_NO = frozenset({"no", "false", "false()", "0", "n", "否", "不", "-"})
_SURVEY = frozenset(
    [
        "type",
        "name",
        "label",
        "hint",
        "guidance_hint",
        "required",
        "required_message",
        "relevant",
        "constraint",
        "constraint_message",
        "appearance",
        "choice_filter",
        "parameters",
        "repeat_count",
        "calculation",
        "default",
        "read_only",
        "trigger",
        "image",
        "audio",
        "video",
        "note",
        "disabled",
        "save_to",
        "autoplay",
    ]
)
_SETTINGS = frozenset(
    [
        "form_id",
        "form_title",
        "version",
        "default_language",
        "namespaces",
        "instance_name",
        "style",
        "public_key",
        "submission_url",
        "allow_choice_duplicates",
        "sms_keyword",
    ]
)


def in_own_terms(problem: Problem, book: Workbook) -> Problem:
    """``problem`` with its expression as the author wrote it, and with the names to choose from."""
    given = dict(problem.arguments)
    row = row_of(problem, book)[1]
    for key in _SAID:
        if key in given:
            given[key] = _written(str(given[key]), problem.column, row)
    match problem.code:
        case "unsupported_kind" if given.get("kind") == "barcode":
            return Problem("barcode", problem.path, problem.column, given)
        case "unsupported_kind" if str(given.get("kind", "")).startswith("jr://file"):
            file = {"kind": str(given["kind"]).rsplit("/", 1)[-1]}
            return Problem("outside_file", problem.path, problem.column, file)
        case "namespace":
            return Problem("namespace", "", "namespaces")
        case "unknown_list":
            given["lists"] = _nearest(str(given.get("name", "")), _names(book.choices, "list_name"))
        case "choice_twice":
            given |= _twice(row, book)
        case "unkept" | "nothing_kept" if book.survey.rows:
            paths = str(given.get("names", "")).split(", ")
            given["names"] = ", ".join(str(r.number) for p in paths if (r := book.row(p)))
    return replace(problem, arguments=given)


def _written(expression: str, column: str, row: Row | None) -> str:
    cell = row.get(column) if row and column not in ("label", "hint", "guidance_hint") else ""
    spelt = cell or re.sub(r"(?<![\w.\])])/\w+(?:/[\w.-]+)*/([\w.-]+)", r"${\1}", expression)
    return " ".join(spelt.split())


def _names(sheet: Sheet, column: str) -> list[str]:
    return [name for name in dict.fromkeys(row.get(column) for row in sheet.rows) if name]


def _nearest(name: str, names: list[str]) -> str:
    """All ``names``, the most alike first; – where there are none."""
    near = get_close_matches(name, names, 3, 0.5)
    return ", ".join([*near, *(each for each in names if each not in near)]) or "–"


def _twice(row: Row | None, book: Workbook) -> dict[str, object]:
    """The choice that stands twice, and its rows."""
    if row is None:
        return {"choice": "", "rows": "–"}
    alike = [
        each.number
        for each in book.choices.rows
        if (each.get("list_name"), each.get("name")) == (row.get("list_name"), row.get("name"))
    ]
    return {"choice": row.get("name"), "rows": ", ".join(map(str, alike))}


# ---- what nothing is left of in the form


def table_slips(form: Form | None, book: Workbook) -> Iterator[Problem]:
    """Problems of the table that nothing is left of in ``form``; without one, of its headers."""
    yield from _misspelt(book.survey, _SURVEY, "survey")
    yield from _misspelt(book.settings, _SETTINGS, "settings")
    yield from _unclear_yes(book)
    if form is None:
        return
    if len(form.languages) > 1 and not book.settings.header("default_language"):
        yield Problem("no_default_language", "", "default_language", stop=False)
    for header in book.survey.headers:
        tongue = code(header)
        if base(header) == "label" and tongue and tongue not in form.languages:
            arguments = {"tongue": tongue, "spoken": header.rsplit(":", 1)[-1].strip()}
            yield Problem("empty_language", "", "label", arguments, stop=False)
    for row in book.choices.rows:
        for column in ("image", "audio", "video"):
            if row.get(column):
                arguments = {"list": row.get("list_name"), "choice": row.get("name")}
                yield Problem("choice_media_ignored", "", column, arguments, stop=False)


def _misspelt(sheet: Sheet, known: Iterable[str], where: str) -> Iterator[Problem]:
    """Headers that mean nothing, and nearly mean something: they are left out silently."""
    for header in sheet.headers:
        column = base(header)
        near = get_close_matches(column, known, 1, 0.8)
        if near and column not in known and "::" not in column:
            given = {"header": header, "nearest": near[0], "sheet": where}
            yield Problem("column_misspelt", "", column, given, stop=False)


def _unclear_yes(book: Workbook) -> Iterator[Problem]:
    """A mark of what is counted that is not understood, so that the answers would be lost."""
    paths = {row.number: path for path, row in book.paths.items()}
    for row in book.survey.rows:
        for use in ("reason", "remark"):
            column = f"bind::minyi:{use}"
            cell = row.get(column).strip()
            if cell and cell not in _YES and cell.lower() not in _NO and row.number in paths:
                path = f"/data/{paths[row.number]}"
                yield Problem("not_yes", path, column, {"cell": cell})
