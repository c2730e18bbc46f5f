from __future__ import annotations

import csv
import io
import string
import zipfile
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from desk.importing import sheets
from desk.importing.sheets import Row, UnreadableError, read

words = st.text(
    st.sampled_from(string.ascii_letters + string.digits + ",;\t\"'\n政务中心满意=+-@ 　"),
    max_size=12,
)
tables = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(words, min_size=width, max_size=width), min_size=1, max_size=8)
)


def kept(rows: list[list[str]]) -> list[tuple[str, ...]]:
    stripped = (tuple(cell.strip(" \t\r\n　") for cell in row) for row in rows)
    return [row for row in stripped if any(row)]


@settings(deadline=None)
@given(
    tables, st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]), st.sampled_from(",;\t")
)
def test_what_a_spreadsheet_writes_as_csv_comes_back(
    rows: list[list[str]], encoding: str, delimiter: str
) -> None:
    header = [f"列{i}" for i in range(6)]  # more delimiters than any cell in the first line
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([header, *rows])
    with TemporaryDirectory() as folder:
        file = Path(folder) / "t.csv"
        file.write_bytes(buffer.getvalue().encode(encoding))
        sheet = read(file)
    assert sheet.header == tuple(header)
    assert [row.cells for row in sheet.rows] == kept(rows)


@settings(max_examples=20, deadline=None)
@given(tables)
def test_what_stands_in_a_workbook_comes_back(rows: list[list[str]]) -> None:
    book = Workbook(write_only=True)
    page = book.create_sheet("人员")
    page.append(["a", "b", "c", "d", "e"])
    for row in rows:
        cells = [f"x{cell}" for cell in row]  # an = at the front would be a formula
        page.append(cells)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "t.xlsx"
        book.save(file)
        sheet = read(file)
    assert sheet.name == "人员"
    assert [row.cells[: len(rows[0])] for row in sheet.rows] == [
        tuple(f"x{cell}".strip(" \t\r\n　") for cell in row) for row in rows
    ]


def test_row_numbers_are_those_an_editor_shows(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('\nid,name\n\nA,"two\nlines"\n , \nB,b\n')
    assert [row.number for row in read(file).rows] == [4, 7]


def test_numbers_and_days_in_a_workbook_become_plain_text(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].append(["a", "b", "c", "d", "e"])
    book.worksheets[0].append([7.0, 7.5, date(2026, 12, 10), True, None])
    book.save(tmp_path / "t.xlsx")
    assert read(tmp_path / "t.xlsx").rows == (Row(2, ("7", "7.5", "2026-12-10", "true")),)


def test_the_sheet_named_like_the_table_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].title = "说明"
    book.worksheets[0].append(["read me"])
    book.create_sheet("People").append(["id"])
    book.save(tmp_path / "t.xlsx")
    sheet = read(tmp_path / "t.xlsx", ("people", "人员"))
    assert (sheet.name, sheet.header, sheet.unread) == ("People", ("id",), ("说明",))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n \n,,\n", "is empty"),
        (b'id,name\nA,"never closed\nB,b\n', "row 2: the quotes do not match"),
        (b"\x00\x01\x02\x03", "not a table"),
        (b"\xff\xff\xff\xfe", "neither UTF-8 nor GB18030"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or password-protected Excel"),
        (b"PK\x03\x04 broken", "damaged"),
    ],
)
def test_what_is_no_table_is_told_in_plain_words(content: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(UnreadableError, match=says):
        read(file)


def test_a_missing_file_and_a_directory_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(UnreadableError, match="is a directory"):
        read(tmp_path)


def zipped(file: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="zip archive"):
        read(zipped(tmp_path / "t.xlsx", {"a.txt": b"x"}))
    hollow = zipped(tmp_path / "t.xlsx", {"[Content_Types].xml": b"<x/>"})
    with pytest.raises(UnreadableError, match="not a sound"):
        read(hollow)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MAX_UNPACKED", 10**6)
    bomb = {"[Content_Types].xml": b"<x/>", "xl/worksheets/sheet1.xml": bytes(2 * 10**6)}
    with pytest.raises(UnreadableError, match="unpacks to more than"):
        read(zipped(tmp_path / "t.xlsx", bomb))


def test_too_many_rows_or_columns_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 2)
    file = tmp_path / "t.csv"
    file.write_text("id\n1\n2\n")
    assert len(read(file).rows) == 2
    file.write_text("id\n1\n2\n3\n")
    with pytest.raises(UnreadableError, match="more than 2 rows"):
        read(file)
    file.write_text(f"id\n{',' * 300}x\n")
    with pytest.raises(UnreadableError, match="row 2: more than 256 columns"):
        read(file)
