"""What may leave the house, as CSV, XLSX or JSON. Rows stream; nothing is gathered in memory.

Ballots, interviews, the roll, concerns and remarks are not here, and there is no flag for them.
What officials gave themselves leaves with their scorecard and not before.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from evaluation.store import ScoreTransaction
from surveys.cells import GRADES, THIRD_PARTIES
from surveys.store import Transaction

T = TypeVar("T")
Value = str | int | float | None
FORMATS = ("csv", "xlsx", "json")
OPEN = ("cells", "turnout", "reasons", "withheld", "paradata", "scorecards")
"""The tables that may leave; the full record is the panel's own."""
XLSX_ROWS = 1_048_575  # below the header
_FORMULA = "=+-@\t\r＝＋－＠"  # Excel takes the full-width ones for formulas as well
_UNSEEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])  # XML 1.0 cannot hold them


class ExportError(Exception):
    """The export cannot be made; the text says why and how to mend it."""


class Results(Transaction, ScoreTransaction, Protocol):
    """The unit of work that an export reads."""


class ResultStore(Protocol):
    """A store whose units of work are results."""

    async def read(self, work: Callable[[Results], T]) -> T:
        """Run ``work`` where it can change nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """One table on its way out: its rows are made while they are written."""

    name: str
    header: tuple[str, ...]
    rows: Iterable[Sequence[Value]]


async def export(
    store: ResultStore,
    names: Sequence[str],
    periods: Sequence[str],
    to: Path,
    kind: str,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write tables ``names`` of ``periods`` to the file ``to`` as ``kind``; the number of rows.

    The file appears when it is complete. The full record is readable by its owner alone.
    Raises :class:`ExportError`, and OSError where ``to`` cannot be written.
    """
    if kind == "csv" and len(names) != 1:
        raise ExportError("A CSV file holds one table. Name one, or choose --format xlsx or json.")
    counted = _Counter(progress)

    def work(tx: Results) -> int:
        tables = [counted.of(TABLES[name](tx, periods)) for name in names]
        with _appearing(to, private="full-record" in names) as file:
            WRITERS[kind](file, tables)
        return counted.rows

    return await store.read(work)


@dataclass(slots=True)
class _Counter:
    progress: Callable[[int], None] | None
    rows: int = 0

    def of(self, table: Table) -> Table:
        """``table``, its rows counted as they pass."""
        return Table(table.name, table.header, self._passing(table.rows))

    def _passing(self, rows: Iterable[Sequence[Value]]) -> Iterator[Sequence[Value]]:
        for row in rows:
            self.rows += 1
            if self.progress is not None and self.rows % 1000 == 0:
                self.progress(self.rows)
            yield row


@contextmanager
def _appearing(to: Path, *, private: bool) -> Iterator[IO[bytes]]:
    part = to.with_name(f".{to.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


# the tables


def _names(tx: Results) -> Mapping[str, str]:
    return {s.id: s.name.get("zh") or s.name.get("en", "") for s in tx.subjects()}


def _cells(tx: Results, periods: Sequence[str]) -> Table:
    names = _names(tx)
    grades = tuple(f"grade_{grade}" for grade in range(1, GRADES + 1))
    header = ("period", "subject", "name", "indicator", "group", *grades, "n", "mean", "pooled")
    rows = (
        (period, c.subject, names.get(c.subject), c.indicator, str(c.group), *c.counts, c.n,
         c.mean if c.n else None, " ".join(c.pooled))
        for period in periods for c in tx.cells(period) if c.group in THIRD_PARTIES
    )  # fmt: skip
    return Table("cells", header, rows)


def _turnout(tx: Results, periods: Sequence[str]) -> Table:
    names = _names(tx)
    rows = (
        (period, t.subject, names.get(t.subject), str(t.group), t.asked, t.answered)
        for period in periods for t in tx.turnout(period) if t.group in THIRD_PARTIES
    )  # fmt: skip
    return Table("turnout", ("period", "subject", "name", "group", "asked", "answered"), rows)


def _reasons(tx: Results, periods: Sequence[str]) -> Table:
    names = _names(tx)
    rows = (
        (period, r.subject, names.get(r.subject), r.question, str(r.group), r.n, reason, count)
        for period in periods for r in tx.reasons(period) for reason, count in r.counts.items()
    )  # fmt: skip
    header = ("period", "subject", "name", "question", "group", "n", "reason", "count")
    return Table("reasons", header, rows)


def _withheld(tx: Results, periods: Sequence[str]) -> Table:
    names = _names(tx)
    rows = (
        (period, w.subject, names.get(w.subject), str(w.group), w.indicator, w.fate, w.into)
        for period in periods for w in tx.withheld(period)
    )  # fmt: skip
    return Table(
        "withheld", ("period", "subject", "name", "group", "indicator", "fate", "into"), rows
    )


def _paradata(tx: Results, periods: Sequence[str]) -> Table:
    header = ("period", "wave", "question", "shown", "answered", "skipped", "troubled", "left")
    rows = (
        (period, r.wave, r.question, r.shown, r.answered, r.skipped, r.troubled, r.left)
        for period in periods for r in tx.paradata(period)
    )  # fmt: skip
    return Table("paradata", header, rows)


def _scorecards(tx: Results, periods: Sequence[str]) -> Table:
    return _cards("scorecards", ((p, tx.publication(p)) for p in periods))


def _full_record(tx: Results, periods: Sequence[str]) -> Table:
    runs = ((period, tx.score_run(period)) for period in periods)
    return _cards("full-record", ((period, run.cards if run else None) for period, run in runs))


TABLES: Mapping[str, Callable[[Results, Sequence[str]], Table]] = {
    "cells": _cells,
    "turnout": _turnout,
    "reasons": _reasons,
    "withheld": _withheld,
    "paradata": _paradata,
    "scorecards": _scorecards,
    "full-record": _full_record,
}


def _cards(name: str, stored: Iterable[tuple[str, bytes | None]]) -> Table:
    """Scorecards are JSON with fields inside fields; ``a.b`` is field b of a."""
    rows = [
        {"period": period, **_flat(card)}
        for period, cards in stored if cards is not None
        for card in _each(json.loads(cards))
    ]  # fmt: skip
    header = tuple(dict.fromkeys(key for row in rows for key in row)) or ("period",)
    return Table(name, header, ([row.get(key) for key in header] for row in rows))


def _each(parsed: Any) -> Iterable[Mapping[str, Any]]:
    """The cards: a list of them, or an object with ``cards`` beside what holds for all."""
    if isinstance(parsed, list):
        return parsed
    if isinstance(parsed.get("cards"), list):
        common = {key: value for key, value in parsed.items() if key != "cards"}
        return [{**card, **common} for card in parsed["cards"]]
    return [parsed]


def _flat(card: Mapping[str, Any], above: str = "") -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in card.items():
        match value:
            case dict() if value:
                found |= _flat(value, f"{above}{key}.")
            case dict() | list():
                found[f"{above}{key}"] = json.dumps(value, ensure_ascii=False) if value else ""
            case _:
                found[f"{above}{key}"] = value
    return found


# the files


def inert(value: Value) -> Value:
    """``value`` so that no spreadsheet takes a text for a formula: such a text gets a leading '."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple(_FORMULA)) else value


def _write_csv(file: IO[bytes], tables: Sequence[Table]) -> None:
    text = TextIOWrapper(file, "utf-8-sig", newline="")  # the mark tells Excel that it is UTF-8
    writer = csv.writer(text)
    for table in tables:
        writer.writerow(table.header)
        writer.writerows([inert(value) for value in row] for row in table.rows)
    text.flush()
    text.detach()


def _write_json(file: IO[bytes], tables: Sequence[Table]) -> None:
    def put(text: str) -> None:
        file.write(text.encode())

    for index, table in enumerate(tables):
        put(f"{',' if index else '{'}\n{json.dumps(table.name)}: [")
        for number, row in enumerate(table.rows):
            record = dict(zip(table.header, row, strict=True))
            put(f"{',' if number else ''}\n  {json.dumps(record, ensure_ascii=False)}")
        put("\n]")
    put("\n}\n")


def _write_xlsx(file: IO[bytes], tables: Sequence[Table]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    try:
        for table in tables:
            _fill(book.create_sheet(table.name), table)
        book.save(file)
    finally:
        for sheet in book.worksheets:  # after a failure: its open elements, in their order
            if not sheet.closed:
                sheet.close()


def _fill(sheet: Any, table: Table) -> None:
    from openpyxl.cell import WriteOnlyCell

    def cell(value: Value) -> Any:
        if not isinstance(value, str):
            return value
        text = WriteOnlyCell(sheet, value.translate(_UNSEEN))
        text.data_type = "s"  # a text that begins with = would become a formula
        return text

    sheet.append(table.header)
    for number, row in enumerate(table.rows, 1):
        if number > XLSX_ROWS:
            raise ExportError(f"{table.name} has too many rows for XLSX. Choose --format csv.")
        sheet.append([cell(value) for value in row])


WRITERS: Mapping[str, Callable[[IO[bytes], Sequence[Table]], None]] = {
    "csv": _write_csv,
    "json": _write_json,
    "xlsx": _write_xlsx,
}
