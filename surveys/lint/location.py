"""Where a problem stands in its author's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from surveys.forms.form import Problem
from surveys.lint.workbook import Place, Row, Sheet, Workbook, place

_SETTINGS = ("form_id", "version", "default_language", "form_title", "namespaces")
_NOWHERE = frozenset({"unkept", "nothing_kept", "no_way_out", "many_questions", "long_time"})


def locate(problem: Problem, book: Workbook, tongues: Mapping[str, str]) -> Place:
    """The cell where ``problem`` stands, as far as the table tells; without one, no row.

    What concerns the questionnaire as a whole stands in no row, at most in a column.
    """
    arguments, column = problem.arguments, problem.column
    language = str(arguments.get("tongue", ""))
    sheet, row = row_of(problem, book)
    found = place(sheet, row, column, language) if column else place(sheet, row, "type")
    if problem.code in _NOWHERE and not problem.path:
        shown = found if found.column and column else Place(found.sheet)
        return Place(shown.sheet, None, shown.column, shown.header)
    if not column:
        found = Place(found.sheet, found.row)
    elif not found.column and language in tongues and tongues[language] != language:
        header = f"{column}::{tongues[language]} ({language})"  # how the missing one is to be named
        found = Place(found.sheet, found.row, "", header)
    return found


def row_of(problem: Problem, book: Workbook) -> tuple[Sheet, Row | None]:
    """The sheet that ``problem`` speaks of, and the row, None where it is no row's."""
    given = problem.arguments
    if "row" in given:
        return book.of_pyxform(str(given["sheet"]), int(str(given["row"])))
    if "choice" in given:
        row = book.choice(problem.path, str(given["choice"])) if problem.path else None
        row = row or _listed(book, str(given.get("list", "")), str(given["choice"]))
        if row is not None:
            return book.choices, row
    if "list" in given:
        return book.choices, _listed(book, str(given["list"]))
    if problem.column in _SETTINGS or given.get("sheet") == "settings":
        sheet = book.settings if book.settings.name else Sheet("settings" * bool(book.survey.name))
        return sheet, next(iter(sheet.rows), None)
    if problem.path:
        return book.survey, book.row(problem.path)
    return book.survey, _typed(book, given)


def _listed(book: Workbook, name: str, choice: str = "") -> Row | None:
    """The first row of a list, or of a choice in it."""
    for row in book.choices.rows:
        if row.get("list_name") == name and choice in ("", row.get("name")):
            return row
    return None


def _typed(book: Workbook, given: Mapping[str, object]) -> Row | None:
    """The row that a problem without a path speaks of: by its type, its file or its name."""
    kind, name = str(given.get("kind", "")), str(given.get("name", ""))
    if kind:
        return next(_using(book, kind), None)
    return book.named(name) if name else None


def _using(book: Workbook, kind: str) -> Iterator[Row]:
    """Rows of the type ``kind``, then those that name the file ``kind``: choices, pulldata()."""
    yield from (row for row in book.survey.rows if row.get("type") == kind)
    file = kind.rsplit("/", 1)[-1]
    stem = file.partition(".")[0]
    for row in book.survey.rows:
        typed = row.get("type").split()
        external = typed[-1:] in (["csv-external"], ["xml-external"]) and row.get("name") == stem
        if file in typed or external:
            yield row
    quoted = (f"'{stem}'", f'"{stem}"')
    for row in book.survey.rows:
        for cell in row.cells.values():
            if "pulldata" in cell and any(each in cell for each in quoted):
                yield row
