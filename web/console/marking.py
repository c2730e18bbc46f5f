"""An author's sheets drawn as tables, each finding at its own cell and under its own row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from web.console.checking import Examined, Found, Line

WHOLE = 40  # rows up to which a sheet is drawn whole; of a longer one what lies near findings
NEAR = 1  # rows above and below a finding
MOST = 60  # findings drawn; who mends these checks again
WIDEST = 40  # columns
LONGEST = 160  # signs of a cell


@dataclass(frozen=True, slots=True)
class Marked:
    """One finding under its ``number`` on the page; ``row`` is its row's anchor, '' for none."""

    number: int
    found: Found
    row: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, cut where it is long, and what was found in it."""

    text: str
    marks: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``gap`` rows without findings were left out above it."""

    number: int
    anchor: str
    cells: tuple[Cell, ...]
    marks: tuple[Marked, ...]
    gap: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet, its first row the header."""

    name: str
    letters: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """All findings in their order, and the sheets they stand in. ``more`` were left out."""

    marks: tuple[Marked, ...]
    sheets: tuple[Sheet, ...]
    more: int


def drawn(examined: Examined) -> Drawn:
    """What was found, laid out."""
    names = {name: f"s{at}" for at, name in enumerate(examined.sheets)}
    there = {(name, line.number) for name, lines in examined.sheets.items() for line in lines}
    marks = tuple(
        Marked(
            number,
            found,
            f"{names[found.sheet]}-r{found.row}" if (found.sheet, found.row) in there else "",
        )
        for number, found in enumerate(examined.findings[:MOST], 1)
    )
    sheets = (
        _sheet(name, lines, names[name], [m for m in marks if m.row and m.found.sheet == name])
        for name, lines in examined.sheets.items()
    )
    shown = tuple(sheet for sheet in sheets if any(row.marks for row in sheet.rows))
    return Drawn(marks, shown, len(examined.findings) - len(marks))


def _sheet(name: str, lines: Sequence[Line], anchor: str, marks: Sequence[Marked]) -> Sheet:
    wanted = {mark.found.row for mark in marks}
    chosen = [
        at
        for at, line in enumerate(lines)
        if len(lines) <= WHOLE
        or not at
        or any(near.number in wanted for near in lines[max(0, at - NEAR) : at + NEAR + 1])
    ]
    filled = [at for line in lines for at, cell in enumerate(line.cells) if cell]
    columns = range(min(filled, default=0), min(max(filled, default=0) + 1, WIDEST))
    rows = (
        _row(lines[at], columns, anchor, marks, at - before - 1)
        for before, at in zip([-1, *chosen], chosen, strict=False)
    )
    return Sheet(name, tuple(map(letter, columns)), tuple(rows))


def _row(line: Line, columns: range, anchor: str, marks: Sequence[Marked], gap: int) -> Row:
    mine = tuple(mark for mark in marks if mark.found.row == line.number)
    cells = tuple(
        Cell(
            _cut(line.cells[at] if at < len(line.cells) else ""),
            tuple(mark for mark in mine if mark.found.column == letter(at)),
        )
        for at in columns
    )
    return Row(line.number, f"{anchor}-r{line.number}", cells, mine, gap)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def letter(column: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA."""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = ascii_uppercase[rest] + letters
    return letters
