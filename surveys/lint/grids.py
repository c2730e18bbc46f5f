"""The cells of an author's file, as text, with the row that each stands in.

Read as pyxform reads them, but with rows kept: .xlsx, .xls, .csv and .md.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

_EMPTY_ROWS = 60  # after so many pyxform stops reading a spreadsheet
_ROWS = 100_000  # no questionnaire is longer

Line = tuple[int, Sequence[str]]
"""(row as the author counts it, its cells as text)."""
Grid = Mapping[str, Sequence[Line]]
"""Sheet name, as written -> its lines, the header first."""


def read_grid(table: bytes, suffix: str) -> Grid:
    """The sheets of a file of the type ``suffix``; none where it is no table."""
    try:
        return _READERS[suffix](table)
    except Exception:  # pyxform has refused the same file in words; here it only has no rows
        return {}


def _xlsx(table: bytes) -> Grid:
    from openpyxl import load_workbook
    from pyxform.xls2json_backends import xlsx_value_to_str

    book = load_workbook(io.BytesIO(table), read_only=True, data_only=True)
    try:
        return {
            sheet.title: _used(
                (number, [_text(xlsx_value_to_str, value) for value in row])
                for number, row in enumerate(sheet.iter_rows(values_only=True), start=1)
            )
            for sheet in book.worksheets
        }
    finally:
        book.close()


def _xls(table: bytes) -> Grid:
    from pyxform.xls2json_backends import xlrd_open, xls_value_to_unicode

    book = xlrd_open(file_contents=table)

    def cells(row: Sequence[object]) -> list[str]:
        return [
            _text(lambda value, c=cell: xls_value_to_unicode(value, c.ctype, book.datemode), v)
            for cell in row
            for v in [cell.value]  # type: ignore[attr-defined]
        ]

    return {
        sheet.name: _used((at + 1, cells(row)) for at, row in enumerate(sheet.get_rows()))
        for sheet in book.sheets()
    }


def _text(convert: Callable[..., object], value: object) -> str:
    return "" if value is None or not str(value).strip() else str(convert(value)).strip()


def _used(lines: Iterator[Line]) -> list[Line]:
    """The lines to where pyxform stops reading; empty ones count, because rows are numbered."""
    kept: list[Line] = []
    empty = 0
    for line in islice(lines, _ROWS):
        empty = 0 if any(line[1]) else empty + 1
        if empty > _EMPTY_ROWS:
            break
        kept.append(line)
    return kept


def _csv(table: bytes) -> Grid:
    reader = csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""))
    return _stacked(
        (number, [cell.strip() for cell in row]) for number, row in enumerate(reader, 1)
    )


def _md(table: bytes) -> Grid:
    lines = enumerate(table.decode("utf-8-sig").split("\n"), start=1)
    return _stacked((number, row) for number, line in lines if (row := _cells(line)))


def _cells(line: str) -> list[str]:
    """The cells of a Markdown table's line, as pyxform splits it; none for any other line."""
    if re.match(r"\s*#", line):
        return []
    remark = re.match(r"^(.*)(#[^|]+)$", line)
    inner = re.match(r"\s*\|(.*)\|\s*", remark[1] if remark else line)
    if inner is None or re.match(r"^[|-]+$", inner[1]):
        return []
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", inner[1])]


def _stacked(lines: Iterator[Line]) -> Grid:
    """Sheets one under another, the sheet's name in the first cell; lines without cells left out.

    The first cell counts as column A, which is what a spreadsheet shows of such a file.
    """
    sheets: dict[str, list[Line]] = {}
    current: list[Line] = []
    for number, cells in lines:
        if cells and cells[0]:
            current = sheets.setdefault(cells[0], [])
        if any(cells[1:]):
            current.append((number, ["", *cells[1:]]))
    return sheets


_READERS: Mapping[str, Callable[[bytes], Grid]] = {
    ".xlsx": _xlsx,
    ".xlsm": _xlsx,
    ".xls": _xls,
    ".csv": _csv,
    ".md": _md,
}
