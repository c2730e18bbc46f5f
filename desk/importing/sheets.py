"""Tables people keep: CSV in the encodings met in China, and XLSX. Everything becomes text.

Whoever reads a file here is safe from it: its size is bounded packed and unpacked, by rows, columns
and cells; no XML entity is expanded, no macro is taken along, no formula is computed.
"""

from __future__ import annotations

import csv
import hashlib
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from desk.saying import Saying, SpokenError, shown
from surveys.files.archives import RefusedError, safe_zip

Progress = Callable[[int], None]

ENCODINGS = ("utf-8-sig", "gb18030")  # in this order: GB18030 accepts almost any bytes
MAX_BYTES = 128 * 2**20  # of a file
MAX_UNPACKED = 256 * 2**20  # of everything inside an .xlsx, which is a zip archive
MAX_ROWS = 1_000_000
MAX_EMPTY = 100_000  # rows without content, one after the other
MAX_COLUMNS = 256
MAX_CELLS = 30_000_000  # with the empty ones between and behind
_ROW, _TAGS = 2 * 2**20, 100_000  # bytes and tags of one row's XML, or of a part without rows
_SPACES = " \t\r\n\u3000\xa0\ufeff\u200b"  # ordinary, full-width, unbreakable, invisible
_NO_TABLE = re.compile(rb"\s*(?:%PDF-|\{\\rtf|<!doctype|<html|<\?xml|<table|GIF8|\x89PNG)", re.I)
_PARTED = re.compile(rb"<(?:\w{1,20}:)?(?:row|si)[\s/>]")  # what a sheet and its texts consist of
_UNWANTED = {"vbaproject.bin": "macros", "workbook.bin": "old"}  # the latter is an .xlsb


class UnreadableError(SpokenError):
    """The file as a whole cannot be read: ``unreadable.CODE`` of words.toml says why.

    ``arguments`` have ``place``: the file, and its sheet.
    """

    def __init__(self, code: str, place: str, **arguments: object) -> None:
        super().__init__(Saying(f"unreadable.{code}", {"place": place, **arguments}))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``number`` as a spreadsheet or an editor shows it, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its header; rows without any content are left out, cells are stripped.

    ``sha256`` is that of the whole file, in hexadecimal digits.
    """

    file: str
    name: str  # '' for CSV
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    unread: tuple[str, ...] = ()  # the workbook's other sheets
    sha256: str = ""


def read(path: Path, wanted: Sequence[str] = (), progress: Progress | None = None) -> Sheet:
    """The table in the file ``path``, as :func:`table` finds it. Raises UnreadableError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableError("large", path.name, most=MAX_BYTES // 2**20)
        content = path.read_bytes()
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        raise UnreadableError("unopened", str(path), why=why) from None
    return table(path.name, content, wanted, progress)


def table(
    name: str, content: bytes, wanted: Sequence[str] = (), progress: Progress | None = None
) -> Sheet:
    """The table in a file's ``content``; of a workbook the sheet in ``wanted``, else its first.

    ``progress`` is told the number of rows read so far. Raises :class:`UnreadableError`.
    """
    name = shown(name, 100)
    if not content:
        raise UnreadableError("empty", name)
    if len(content) > MAX_BYTES:
        raise UnreadableError("large", name, most=MAX_BYTES // 2**20)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError("old", name)
    if content.startswith(b"PK"):
        found = _workbook(name, content, wanted, progress)
    else:
        found = _csv(name, content, progress)
    return replace(found, sha256=hashlib.sha256(content).hexdigest())


def _csv(name: str, content: bytes, progress: Progress | None) -> Sheet:
    text = "" if _NO_TABLE.match(content) else _decode(name, content)
    if not text or "\0" in text:
        raise UnreadableError("other", name)
    first = next((line for line in StringIO(text) if line.strip(_SPACES)), "")
    delimiter = max(",\t;", key=first.count)
    lines = StringIO(text, newline="")  # unlike splitlines(), breaks at CR and LF only
    return _sheet(name, "", _csv_rows(name, lines, delimiter), progress)


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
    raise UnreadableError("encoding", name)


def _csv_rows(name: str, lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield Row(begins, tuple(cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableError("quotes", name, row=begins, why=error) from None


def _workbook(name: str, content: bytes, wanted: Sequence[str], progress: Progress | None) -> Sheet:
    from openpyxl import load_workbook

    _refuse_bomb(name, content)
    try:
        with catch_warnings():
            simplefilter("ignore")  # openpyxl remarks on styles and rules; only cells matter here
            # data_only: of a formula the value that was saved with it, never a computed one
            with closing(load_workbook(BytesIO(content), read_only=True, data_only=True)) as book:
                names = tuple(sheet.title for sheet in book.worksheets)
                return _chosen(name, book.worksheets, names, wanted, progress)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:  # openpyxl meets a broken file with nearly any exception there is
        raise UnreadableError("unsound", name, why=type(error).__name__) from None


def _chosen(
    file: str,
    sheets: Sequence[Any],
    names: tuple[str, ...],
    wanted: Sequence[str],
    progress: Progress | None,
) -> Sheet:
    if not names:
        raise UnreadableError("sheetless", file)
    places = {name.strip().casefold(): index for index, name in enumerate(names)}
    index = next((places[name] for name in map(str.casefold, wanted) if name in places), 0)
    sheet = sheets[index]
    sheet.reset_dimensions()  # what a file says about its own size is often wrong
    rows = _rows(file, names[index], sheet.iter_rows(values_only=True))
    found = _sheet(file, names[index], rows, progress)
    return replace(found, unread=names[:index] + names[index + 1 :])


def _rows(file: str, title: str, rows: Iterable[Sequence[object]]) -> Iterator[Row]:
    """A style far to the right makes a row as wide as that, with nothing in it."""
    met = 0
    for number, cells in enumerate(rows, 1):
        met += len(cells)
        if met > MAX_CELLS:
            raise UnreadableError("cells", _place(file, title), most=f"{MAX_CELLS:,}")
        filled = cells if len(cells) <= MAX_COLUMNS else _trimmed(cells)
        yield Row(number, tuple(map(_text, filled)))


def _trimmed(cells: Sequence[object]) -> Sequence[object]:
    last = max((at for at, cell in enumerate(cells) if cell is not None), default=-1)
    return cells[: last + 1]


def _refuse_bomb(name: str, content: bytes) -> None:
    """Refuse before openpyxl unpacks anything what would fill memory or bring more than cells."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise UnreadableError("damaged", name) from None
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise UnreadableError("archive", name)
    for part in parts:
        unwanted = _UNWANTED.get(part.filename.lower().rpartition("/")[2])
        if unwanted:
            raise UnreadableError(unwanted, name)
    try:
        safe_zip(content, MAX_UNPACKED)
    except RefusedError as refused:
        raise UnreadableError("refused", name, why=refused) from None
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for part in archive.infolist():
            if part.filename.endswith((".xml", ".rels")) and part.file_size > _ROW:
                _refuse_heap(name, part.filename, archive)


def _refuse_heap(name: str, part: str, archive: zipfile.ZipFile) -> None:
    """A row, or a part without rows, is held as a tree many times the size of its text."""
    since = tags = 0
    with archive.open(part) as stream:
        while piece := stream.read(2**20):
            found = [match.start() for match in _PARTED.finditer(piece)]
            since = len(piece) - found[-1] if found else since + len(piece)
            tags = piece.count(b"<", found[-1]) if found else tags + piece.count(b"<")
            if since > _ROW and tags > _TAGS:
                raise UnreadableError("heap", name, part=shown(part, 80))


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
    place = _place(name, title)
    kept = _kept(place, rows, progress)
    header = next(kept, None)
    if header is None:
        raise UnreadableError("empty", place)
    last = max(index for index, cell in enumerate(header.cells) if cell)
    return Sheet(name, title, header.cells[: last + 1], tuple(kept))


def _place(name: str, title: str) -> str:
    return f"{name} [{shown(title)}]" if title else name


def _kept(place: str, rows: Iterator[Row], progress: Progress | None) -> Iterator[Row]:
    kept, last = 0, 0
    for row in rows:
        if row.number % 1000 == 0 and progress is not None:
            progress(row.number)
        cells = tuple(cell.strip(_SPACES) for cell in row.cells)
        if not any(cells):
            if row.number - last > MAX_EMPTY:
                raise UnreadableError("blank", place, row=last, most=f"{MAX_EMPTY:,}")
            continue
        kept, last = kept + 1, row.number
        if kept > MAX_ROWS + 1:
            raise UnreadableError("rows", place, most=f"{MAX_ROWS:,}")
        if any(cells[MAX_COLUMNS:]):
            raise UnreadableError("columns", place, row=row.number, most=MAX_COLUMNS)
        yield Row(row.number, cells[:MAX_COLUMNS])
