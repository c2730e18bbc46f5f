"""Where things stand in an author's table: the row and column of each question and choice.

A row is counted as the author sees it: a spreadsheet's row, or the line of a Markdown or CSV file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from surveys.lint.grids import Line, read_grid

SURVEY, CHOICES, SETTINGS = "survey", "choices", "settings"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet: its number, counted from 1, and its cells by header as written."""

    number: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell of ``column`` (an XLSForm name without language), '' where it is empty."""
        return next((v for k, v in self.cells.items() if base(k) == column), "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. ``headers`` maps each header as written to its column, counted from 0."""

    name: str = ""
    top: int = 1
    headers: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()

    def header(self, column: str, language: str = "") -> str:
        """The header of ``column`` in ``language`` (a code); '' where the sheet has none.

        Without a language the column that names none comes first.
        """
        alike = [header for header in self.headers if base(header) == column]
        if language and any(map(code, alike)):
            alike = [header for header in alike if code(header) == language]
        return min(alike, key=lambda header: bool(code(header)), default="")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands. ``row`` None: in no row; ``column`` is a letter, '' where none."""

    sheet: str = ""
    row: int | None = None
    column: str = ""
    header: str = ""


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets of an XLSForm, and which survey row makes which node of the XForm."""

    survey: Sheet
    choices: Sheet
    settings: Sheet
    paths: Mapping[str, Row]  # path below the root, "group/name" -> row

    def row(self, path: str) -> Row | None:
        """The survey row that makes ``path`` (``/data/group/name``); None where none does.

        pyxform makes some nodes of its own: ``q_other`` of an or_other question, ``r_count`` of a
        repeat, a heading row of a table. They belong to the row that they were made for.
        """
        below = path.partition("/")[2].partition("/")[2]
        if below in self.paths:
            return self.paths[below]
        for ending in ("_other", "_count"):
            if below.endswith(ending) and below.removesuffix(ending) in self.paths:
                return self.paths[below.removesuffix(ending)]
        made = re.search(
            r"/(?:generated_note_name|reserved_name_for_field_list_labels)_(\d+)", path
        )
        if made:
            return self.of_pyxform(SURVEY, int(made[1]))[1]
        return self.named(path.rsplit("/", 1)[-1])

    def named(self, name: str) -> Row | None:
        """The survey row of that name, or of that type (``audit``); None unless it is one."""
        found = [r for r in self.survey.rows if name in (r.get("name"), r.get("type"))]
        return found[0] if len(found) == 1 else None

    def choice(self, path: str, name: str) -> Row | None:
        """The choices row of the choice ``name`` of the question at ``path``."""
        row = self.row(path)
        words = row.get("type").split() if row else []
        for each in self.choices.rows:
            if each.get("name") == name and each.get("list_name") in words:
                return each
        return None

    def of_pyxform(self, sheet: str, number: int) -> tuple[Sheet, Row | None]:
        """The row that pyxform counts as ``number``: 2 is the first under the header."""
        found = next(
            (s for s in (self.survey, self.choices, self.settings) if s.name.lower() == sheet),
            Sheet(sheet),
        )
        rows = found.rows
        return found, rows[number - 2] if 0 <= number - 2 < len(rows) else None


def place(sheet: Sheet, row: Row | None, column: str, language: str = "") -> Place:
    """The cell of ``column`` in ``row``; with its header as it is written, or as it should be."""
    header = sheet.header(column, language)
    letter = _letter(sheet.headers[header]) if header else ""
    number = row.number if row else sheet.top if sheet.headers else None
    return Place(sheet.name, number, letter, header or column)


def read_workbook(table: bytes, suffix: str) -> Workbook:
    """Read XLSForm bytes of the file type ``suffix``; an empty workbook where they are no table."""
    grid = read_grid(table, suffix)
    lowered = {name.lower(): (name, lines) for name, lines in grid.items()}
    if len(grid) == 1:  # pyxform takes the only sheet for the survey, whatever its name
        lowered[SURVEY] = next(iter(lowered.values()))
    survey, choices, settings = (
        _sheet(*lowered[name]) if name in lowered else Sheet()
        for name in (SURVEY, CHOICES, SETTINGS)
    )
    return Workbook(survey, choices, settings, dict(_paths(survey.rows)))


def base(header: str) -> str:
    """A header without its language, spelt as XLSForm's reference spells it: ``label``."""
    parts = _parts(header)
    start = parts[0].lower().replace(" ", "_")
    if start in ("bind", "control", "body", "instance") and len(parts) > 1:
        start = f"{start}::{parts[1]}"
    if start == "media" and len(parts) > 1:
        start = parts[1].lower()
    return _ALIASES.get(start, start)


def code(header: str) -> str:
    """The language of a header as a code: ``label::中文 (zh)`` -> zh; '' where it has none."""
    parts = _parts(header)
    within = parts[0].lower() in ("bind", "media")
    language = parts[-1] if len(parts) > 1 + within else ""
    tag = re.search(r"\(([A-Za-z-]+)\)$", language)
    return tag[1].split("-")[0].lower() if tag else language


def _parts(header: str) -> list[str]:
    """A header's parts. Old forms write one colon where there should be two."""
    mark = "::" if "::" in header or header.startswith(("jr:", "bind:")) else ":"
    return [part.strip() for part in header.strip().split(mark)]


_ALIASES = {
    "relevance": "relevant",
    "bind::relevant": "relevant",
    "calculate": "calculation",
    "bind::calculate": "calculation",
    "bind::constraint": "constraint",
    "bind::required": "required",
    "bind::jr:constraintMsg": "constraint_message",
    "bind::jr:requiredMsg": "required_message",
    "control::jr:count": "repeat_count",
    "jr:count": "repeat_count",
    "constraining_message": "constraint_message",
    "requiredmsg": "required_message",
    "readonly": "read_only",
    "bind::readonly": "read_only",
    "control::appearance": "appearance",
    "body::appearance": "appearance",
    "count": "repeat_count",
    "caption": "label",
    "command": "type",
    "tag": "name",
    "value": "name",
    "set_form_id": "form_id",
    "id_string": "form_id",
    "set_form_title": "form_title",
}


def _sheet(name: str, lines: Sequence[Line]) -> Sheet:
    if not lines:
        return Sheet(name)
    top, first = lines[0]
    headers = {header.strip(): at for at, header in enumerate(first) if header.strip()}
    rows = tuple(
        Row(number, {h: cells[at] for h, at in headers.items() if at < len(cells) and cells[at]})
        for number, cells in lines[1:]
    )
    return Sheet(name, top, headers, rows)


_BEGIN = re.compile(r"begin[\s_](?:group|lgroup|repeat|loop|looped group)\b")
_END = re.compile(r"end[\s_](?:group|lgroup|repeat|loop|looped group)$")


def _paths(rows: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    above: list[str] = []
    for row in rows:
        kind, name = row.get("type").strip().lower(), row.get("name").strip()
        if _END.match(kind):
            del above[-1:]
            continue
        if name:
            yield "/".join([*above, name]), row
        if _BEGIN.match(kind):
            above.append(name)


def _letter(column: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA."""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
