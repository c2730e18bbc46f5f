"""From a sheet's cells to records of values, every bad cell addressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from desk.importing.columns import CellError, Table, plain
from desk.importing.sheets import Row, Sheet

# what a spreadsheet shows where a formula went wrong
BROKEN = frozenset(("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"))


@dataclass(frozen=True, slots=True)
class Bad:
    """One thing wrong in a file, and where: ``row`` as the spreadsheet counts, 0 for the header."""

    file: str
    sheet: str
    row: int
    column: str
    what: str
    mend: str

    def __str__(self) -> str:
        places = [self.file]
        places += [f"sheet {self.sheet!r}"] if self.sheet else []
        places += [f"row {self.row}" if self.row else "column names"]
        places += [f"column {self.column!r}"] if self.column else []
        return f"{', '.join(places)}: {self.what}. {self.mend}"


@dataclass(frozen=True, slots=True)
class Record:
    """The values of one row by field; a blank cell, or a field without a column, is absent."""

    row: int
    values: Mapping[str, object]

    def text(self, name: str) -> str:
        """The text of ``name``, or '' where it is blank."""
        value = self.values.get(name)
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Records:
    """A sheet understood: ``headings`` has the column title as written for every field present."""

    table: Table
    file: str
    sheet: str
    headings: Mapping[str, str]
    records: tuple[Record, ...] = ()
    bads: tuple[Bad, ...] = ()
    warnings: tuple[str, ...] = ()

    def bad(self, record: Record, name: str, what: str, mend: str) -> Bad:
        """``what`` is wrong with field ``name`` of ``record``."""
        return Bad(self.file, self.sheet, record.row, self.headings.get(name, name), what, mend)


def understand(
    table: Table, sheet: Sheet, progress: Callable[[int], None] | None = None
) -> Records:
    """Read every cell of ``sheet`` as ``table`` says. Knows nothing of what is stored."""
    header = _Header(table, sheet)
    header.read()
    known = Records(
        table, sheet.file, sheet.name, {name: sheet.header[i] for name, i in header.places.items()}
    )
    if header.bads:
        return Records(table, sheet.file, sheet.name, known.headings, (), tuple(header.bads))
    records: list[Record] = []
    bads: list[Bad] = []
    for done, row in enumerate(sheet.rows, 1):
        values, wrong = _row(known, header.places, row, len(sheet.header))
        bads += wrong
        records.append(Record(row.number, values))
        if progress is not None and done % 500 == 0:
            progress(done)
    if not records:
        bads.append(Bad(sheet.file, sheet.name, 0, "", "there are no rows below", "Add some."))
    warnings = (*header.warnings, *_others(sheet))
    return Records(
        table, sheet.file, sheet.name, known.headings, tuple(records), tuple(bads), warnings
    )


@dataclass(slots=True)
class _Header:
    table: Table
    sheet: Sheet
    places: dict[str, int] = field(default_factory=dict)
    bads: list[Bad] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def read(self) -> None:
        fields = {plain(t): name for name, c in self.table.columns.items() for t in c.titles}
        for index, title in enumerate(self.sheet.header):
            name = fields.get(plain(title))
            if name is None:
                if title:
                    self.warnings.append(f"column {title!r} is not known here and was not read")
            elif name in self.places:
                first = self.sheet.header[self.places[name]]
                self._bad(title, f"means the same as column {first!r}", "Keep one of the two.")
            else:
                self.places[name] = index
        for name, column in self.table.columns.items():
            if column.required and name not in self.places:
                titles = ", ".join(column.titles)
                self._bad(
                    column.titles[0], "this column is missing", f"Add it, named one of: {titles}."
                )

    def _bad(self, column: str, what: str, mend: str) -> None:
        self.bads.append(Bad(self.sheet.file, self.sheet.name, 0, column, what, mend))


def _others(sheet: Sheet) -> Sequence[str]:
    if not sheet.unread:
        return ()
    others = ", ".join(map(repr, sheet.unread))
    return (f"only sheet {sheet.name!r} was read, not {others}",)


def _row(
    known: Records, places: Mapping[str, int], row: Row, width: int
) -> tuple[Mapping[str, object], list[Bad]]:
    values: dict[str, object] = {}
    bads = [
        Bad(known.file, known.sheet, row.number, "", f"{cell[:40]!r} stands outside the table",
            f"Remove it, or give column {index + 1} a name.")
        for index, cell in enumerate(row.cells[width:], width)
        if cell
    ]  # fmt: skip
    for name, index in places.items():
        cell = row.cells[index] if index < len(row.cells) else ""
        try:
            if cell:
                values[name] = _value(known.table, name, cell)
            elif known.table.columns[name].required:
                raise CellError("this cell is empty", "Fill it in.")
        except CellError as error:
            heading = known.headings[name]
            bads.append(Bad(known.file, known.sheet, row.number, heading, error.what, error.mend))
    return values, bads


def _value(table: Table, name: str, cell: str) -> object:
    if cell in BROKEN:
        raise CellError(
            f"the formula here failed ({cell})", "Mend the formula, or write the value."
        )
    return table.columns[name].read(cell)


def duplicates(records: Records, fields: Sequence[str]) -> Iterator[Bad]:
    """Rows whose ``fields`` repeat an earlier row's; both rows are named."""
    seen: dict[tuple[object, ...], int] = {}
    for record in records.records:
        if any(name not in record.values for name in fields):
            continue  # blank, or bad and said so already
        key = tuple(record.values[name] for name in fields)
        first = seen.setdefault(key, record.row)
        if first != record.row:
            shown = " + ".join(str(value) for value in key)
            mend = "Keep one of the two rows."
            what = f"{shown!r} stands in row {first} already"
            yield records.bad(record, fields[0], what, mend)
