"""From a sheet's cells to records of values, every bad cell addressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from desk.importing.columns import TABLES, CellError, Table, plain
from desk.importing.sheets import Row, Sheet
from desk.saying import Saying, shown

# what a spreadsheet shows where a formula went wrong
BROKEN = frozenset(("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"))

MOST = 20_000
"""Mistakes that are noted; a file with more than these has one and the same on every row."""


@dataclass(frozen=True, slots=True)
class Bad:
    """One thing wrong in a file, and where: ``row`` as the spreadsheet counts, 0 for the header.

    ``code`` is a key of words.toml, under ``what`` and under ``mend``.
    """

    file: str
    sheet: str
    row: int
    column: str
    code: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def wrong(self) -> Saying:
        """What is wrong."""
        return Saying(f"what.{self.code}", self.arguments)

    @property
    def mending(self) -> Saying:
        """How to mend it."""
        return Saying(f"mend.{self.code}", self.arguments)

    @property
    def what(self) -> str:
        """What is wrong, in English."""
        return self.wrong.said("en")

    @property
    def mend(self) -> str:
        """How to mend it, in English."""
        return self.mending.said("en")

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
    """A sheet understood: ``headings`` has the column title as written for every field present.

    ``whole``: whoever is not in it has left; ``many_left``: also where that is a large part.
    """

    table: Table
    file: str
    sheet: str
    headings: Mapping[str, str]
    records: tuple[Record, ...] = ()
    bads: tuple[Bad, ...] = ()
    warnings: tuple[Saying, ...] = ()
    sha256: str = ""
    whole: bool = False
    many_left: bool = False

    def bad(self, record: Record, name: str, code: str, **arguments: object) -> Bad:
        """``code`` is wrong with field ``name`` of ``record``."""
        column = self.headings.get(name, name)
        return Bad(self.file, self.sheet, record.row, column, code, arguments)


def understand(
    table: Table, sheet: Sheet, progress: Callable[[int], None] | None = None
) -> Records:
    """Read every cell of ``sheet`` as ``table`` says. Knows nothing of what is stored.

    Reading ends at :data:`MOST` mistakes.
    """
    header = _Header(table, sheet)
    header.read()
    headings = {name: sheet.header[i] for name, i in header.places.items()}
    known = Records(table, sheet.file, sheet.name, headings, sha256=sheet.sha256)
    if header.bads:
        return replace(known, bads=tuple(header.bads))
    records: list[Record] = []
    bads: list[Bad] = []
    for done, row in enumerate(sheet.rows, 1):
        values, wrong = _row(known, header.places, row, len(sheet.header))
        bads += wrong
        records.append(Record(row.number, values))
        if progress is not None and done % 500 == 0:
            progress(done)
        if len(bads) >= MOST:
            break
    if not records:
        bads.append(Bad(sheet.file, sheet.name, 0, "", "no-rows"))
    warnings = (*header.warnings, *_others(sheet))
    return replace(known, records=tuple(records), bads=tuple(bads), warnings=warnings)


@dataclass(slots=True)
class _Header:
    table: Table
    sheet: Sheet
    places: dict[str, int] = field(default_factory=dict)
    bads: list[Bad] = field(default_factory=list)
    warnings: list[Saying] = field(default_factory=list)

    def read(self) -> None:
        other = _likelier(self.table, self.sheet.header)
        if other is not None:
            told = {
                "table": Saying(f"table.{other.name}"),
                "chosen": Saying(f"table.{self.table.name}"),
            }
            self._bad("", "other-table", **told)
            return
        fields = _fields(self.table)
        for index, title in enumerate(self.sheet.header):
            name = fields.get(plain(title))
            if name is None:
                if title:
                    self.warnings.append(Saying("note.column", {"title": shown(title)}))
            elif name in self.places:
                first = self.sheet.header[self.places[name]]
                self._bad(title, "same", first=shown(first))
            else:
                self.places[name] = index
        for name, column in self.table.columns.items():
            if column.required and name not in self.places:
                self._bad(column.titles[0], "missing", titles=", ".join(column.titles))

    def _bad(self, column: str, code: str, **arguments: object) -> None:
        self.bads.append(Bad(self.sheet.file, self.sheet.name, 0, column, code, arguments))


def _fields(table: Table) -> dict[str, str]:
    """Field by each of the titles that its column may bear."""
    return {plain(t): name for name, c in table.columns.items() for t in c.titles}


def _likelier(chosen: Table, header: Sequence[str]) -> Table | None:
    """Another table that lacks nothing here, and of which more columns stand here."""

    def known(table: Table) -> set[str]:
        fields = _fields(table)
        return {fields[plain(title)] for title in header if plain(title) in fields}

    def whole(table: Table) -> bool:
        return known(table) >= {name for name, c in table.columns.items() if c.required}

    best = max(TABLES.values(), key=lambda table: (whole(table), len(known(table))))
    return best if whole(best) and len(known(best)) > len(known(chosen)) else None


def _others(sheet: Sheet) -> Sequence[Saying]:
    if not sheet.unread:
        return ()
    others = ", ".join(map(shown, sheet.unread[:20]))
    return (Saying("note.sheets", {"read": shown(sheet.name), "others": others}),)


def _row(
    known: Records, places: Mapping[str, int], row: Row, width: int
) -> tuple[Mapping[str, object], list[Bad]]:
    values: dict[str, object] = {}
    bads = [
        Bad(known.file, known.sheet, row.number, "", "outside",
            {"cell": shown(cell), "column": index + 1})
        for index, cell in enumerate(row.cells[width:], width)
        if cell
    ]  # fmt: skip
    for name, index in places.items():
        cell = row.cells[index] if index < len(row.cells) else ""
        try:
            if cell:
                values[name] = _value(known.table, name, cell)
            elif known.table.columns[name].required:
                raise CellError("empty")
        except CellError as error:
            heading = known.headings[name]
            bads.append(
                Bad(known.file, known.sheet, row.number, heading, error.code, error.arguments)
            )
    return values, bads


def _value(table: Table, name: str, cell: str) -> object:
    if cell in BROKEN:
        raise CellError("formula", cell=cell)
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
            cell = " + ".join(shown(str(value), 70) for value in key)
            yield records.bad(record, fields[0], "twice", cell=cell, row=first)
