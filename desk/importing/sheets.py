"""Tables people keep: CSV in the encodings met in China, and XLSX. Everything becomes text."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from io import StringIO
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

Progress = Callable[[int], None]

ENCODINGS = ("utf-8-sig", "gb18030")  # in this order: GB18030 accepts almost any bytes
MAX_BYTES = 128 * 2**20  # of a file
MAX_UNPACKED = 512 * 2**20  # of everything inside an .xlsx, which is a zip archive
MAX_ROWS = 1_000_000
MAX_COLUMNS = 256
_SPACES = " \t\r\n\u3000\xa0\ufeff\u200b"  # ordinary, full-width, unbreakable, invisible


class UnreadableError(Exception):
    """The file as a whole cannot be read. The text says what is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``number`` as a spreadsheet or an editor shows it, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its header; rows without any content are left out, cells are stripped."""

    file: str
    name: str  # '' for CSV
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    unread: tuple[str, ...] = ()  # the workbook's other sheets


def read(path: Path, wanted: Sequence[str] = (), progress: Progress | None = None) -> Sheet:
    """The table in ``path``; of a workbook the sheet named in ``wanted``, else its first.

    ``progress`` is told the number of rows read so far. Raises :class:`UnreadableError`.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        raise UnreadableError(f"{path}: {why}. Check the name and the permissions.") from None
    if size == 0:
        raise UnreadableError(
            f"{path.name} is empty. It needs a row of column names and rows below it."
        )
    if size > MAX_BYTES:
        limit = MAX_BYTES // 2**20
        raise UnreadableError(
            f"{path.name} is larger than {limit} MB. Split it into several files."
        )
    if head.startswith(b"PK"):
        return _workbook(path, wanted, progress)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError(
            f"{path.name} is an old or password-protected Excel file. Save it as .xlsx without a "
            "password, or as CSV."
        )
    return _csv(path, progress)


def _csv(path: Path, progress: Progress | None) -> Sheet:
    text = _decode(path.name, path.read_bytes())
    if "\0" in text:
        raise UnreadableError(f"{path.name} is not a table. Give a .csv or an .xlsx file.")
    first = next((line for line in StringIO(text) if line.strip(_SPACES)), "")
    delimiter = max(",\t;", key=first.count)
    lines = StringIO(text, newline="")  # unlike splitlines(), breaks at CR and LF only
    return _sheet(path.name, "", _csv_rows(path.name, lines, delimiter), progress)


def _decode(name: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # Excel's "Unicode text"
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ENCODINGS
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError(f"{name} is neither UTF-8 nor GB18030 text. Save it as CSV UTF-8.")


def _csv_rows(name: str, lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield Row(begins, tuple(cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableError(
            f"{name}, row {begins}: the quotes do not match ({error}). A cell that holds a comma, "
            'a line break or a quote stands between "quotes", and a quote inside is doubled.'
        ) from None


def _workbook(path: Path, wanted: Sequence[str], progress: Progress | None) -> Sheet:
    from openpyxl import load_workbook

    _refuse_bomb(path)
    try:
        with catch_warnings(), path.open("rb") as file:
            simplefilter("ignore")  # openpyxl remarks on styles and rules; only cells matter here
            with closing(load_workbook(file, read_only=True, data_only=True)) as book:
                names = tuple(sheet.title for sheet in book.worksheets)
                return _chosen(path.name, book.worksheets, names, wanted, progress)
    except UnreadableError:
        raise
    except Exception as error:  # openpyxl meets a broken file with nearly any exception there is
        raise UnreadableError(
            f"{path.name} is not a sound .xlsx file ({type(error).__name__}). Open it in a "
            "spreadsheet program and save it again."
        ) from None


def _chosen(
    file: str,
    sheets: Sequence[Any],
    names: tuple[str, ...],
    wanted: Sequence[str],
    progress: Progress | None,
) -> Sheet:
    if not names:
        raise UnreadableError(f"{file} holds no sheet with cells.")
    places = {name.strip().casefold(): index for index, name in enumerate(names)}
    index = next((places[name] for name in map(str.casefold, wanted) if name in places), 0)
    sheet = sheets[index]
    sheet.reset_dimensions()  # what a file says about its own size is often wrong
    values = enumerate(sheet.iter_rows(values_only=True), 1)
    rows = (Row(number, tuple(map(_text, cells))) for number, cells in values)
    table = _sheet(file, names[index], rows, progress)
    return replace(table, unread=names[:index] + names[index + 1 :])


def _refuse_bomb(path: Path) -> None:
    """Refuse before anything is unpacked; zipfile reads no member beyond its declared size."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise UnreadableError(f"{path.name} is a damaged .xlsx file. Save it again.") from None
    if not any(member.filename == "[Content_Types].xml" for member in members):
        raise UnreadableError(
            f"{path.name} is a zip archive, not a table. Give a .csv or an .xlsx file."
        )
    if sum(member.file_size for member in members) > MAX_UNPACKED or len(members) > 10_000:
        limit = MAX_UNPACKED // 2**20
        raise UnreadableError(
            f"{path.name} unpacks to more than {limit} MB. Save the table as CSV."
        )


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
    return str(value)


def _sheet(name: str, title: str, rows: Iterator[Row], progress: Progress | None) -> Sheet:
    place = f"{name}, sheet {title!r}" if title else name
    kept = _kept(place, rows, progress)
    header = next(kept, None)
    if header is None:
        raise UnreadableError(
            f"{place} is empty. It needs a row of column names and rows below it."
        )
    last = max(index for index, cell in enumerate(header.cells) if cell)
    return Sheet(name, title, header.cells[: last + 1], tuple(kept))


def _kept(place: str, rows: Iterator[Row], progress: Progress | None) -> Iterator[Row]:
    kept = 0
    for row in rows:
        if row.number % 1000 == 0 and progress is not None:
            progress(row.number)
        cells = tuple(cell.strip(_SPACES) for cell in row.cells)
        if not any(cells):
            continue
        kept += 1
        if kept > MAX_ROWS + 1:
            raise UnreadableError(
                f"{place} has more than {MAX_ROWS:,} rows. Split it into several files."
            )
        if any(cells[MAX_COLUMNS:]):
            raise UnreadableError(f"{place}, row {row.number}: more than {MAX_COLUMNS} columns.")
        yield Row(row.number, cells[:MAX_COLUMNS])
