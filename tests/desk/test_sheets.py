from __future__ import annotations

import csv
import io
import string
import zipfile
from datetime import date
from os import urandom
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
    with pytest.raises(UnreadableError, match="would grow far too much"):
        read(zipped(tmp_path / "t.xlsx", bomb))
    large = {"[Content_Types].xml": b"<x/>", "xl/worksheets/sheet1.xml": urandom(2 * 10**6)}
    with pytest.raises(UnreadableError, match="unpacks to more than"):
        read(zipped(tmp_path / "t.xlsx", large))


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


HEAD = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>'
)
TAIL = b"</sheetData></worksheet>"


def with_sheet(file: Path, rows: bytes, **more: bytes) -> Path:
    """A sound workbook whose sheet has these rows below its header."""
    book = Workbook()
    book.save(file)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = HEAD + rows + TAIL
    return zipped(file, parts | {name.replace("__", "/"): part for name, part in more.items()})


def test_a_million_empty_rows_are_refused_and_a_few_are_not(tmp_path: Path) -> None:
    row = b'<row r="%d"><c r="A%d" s="1"/></row>'
    empty = b"".join(row % (n, n) for n in range(2, 1_000_000))
    with pytest.raises(UnreadableError, match="below row 1 come more than 100,000 empty rows"):
        read(with_sheet(tmp_path / "t.xlsx", empty))
    last = b'<row r="5000"><c r="A5000"><v>7</v></c></row>'
    assert read(with_sheet(tmp_path / "t.xlsx", last)).rows == (Row(5000, ("7",)),)


def test_a_row_that_claims_to_stand_far_below_ends_in_a_refusal(tmp_path: Path) -> None:
    far = b'<row r="999999999"><c r="A999999999"><v>7</v></c></row>'
    with pytest.raises(UnreadableError, match="empty rows"):
        read(with_sheet(tmp_path / "t.xlsx", far))


def test_styles_far_to_the_right_are_no_columns_but_cells_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = b'<row r="2"><c r="A2"><v>7</v></c><c r="XFD2" s="1"/></row>'
    assert read(with_sheet(tmp_path / "t.xlsx", wide)).rows[0].cells == ("7",)
    monkeypatch.setattr(sheets, "MAX_CELLS", 16_000)
    with pytest.raises(UnreadableError, match="more than 16,000 cells"):
        read(with_sheet(tmp_path / "t.xlsx", wide))


def test_a_row_of_millions_of_cells_is_refused_before_it_is_held(tmp_path: Path) -> None:
    row = b'<row r="2">' + b"".join(b'<c s="%d"/>' % (n % 9973) for n in range(400_000)) + b"</row>"
    with pytest.raises(UnreadableError, match="larger than any table needs"):
        read(with_sheet(tmp_path / "t.xlsx", row))


def test_entities_are_refused_and_never_expanded(tmp_path: Path) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    file = with_sheet(tmp_path / "t.xlsx", b"", xl__extra=b"")
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = laughs + HEAD + TAIL
    with pytest.raises(UnreadableError, match="document type") as refused:
        read(zipped(file, parts))
    assert "DOCTYPE" in refused.value.saying.said("zh")


def test_macros_and_binary_workbooks_are_refused(tmp_path: Path) -> None:
    bare = {"[Content_Types].xml": b"<x/>"}
    with pytest.raises(UnreadableError, match="macros"):
        read(zipped(tmp_path / "t.xlsx", bare | {"xl/vbaProject.bin": b"x"}))
    with pytest.raises(UnreadableError, match="binary"):
        read(zipped(tmp_path / "t.xlsx", bare | {"xl/workbook.bin": b"x"}))


def test_a_formula_is_read_as_the_value_saved_with_it_and_never_computed(tmp_path: Path) -> None:
    saved = b'<row r="2"><c r="A2"><f>1+1</f><v>5</v></c></row>'
    assert read(with_sheet(tmp_path / "t.xlsx", saved)).rows == (Row(2, ("5",)),)
    file = tmp_path / "t.csv"
    file.write_text("id,name\nA,=1+1\n")
    assert read(file).rows[0].cells == ("A", "=1+1")


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7 x", b"<!DOCTYPE html><p>", b"{\\rtf1 x", b"<?xml ?>"]
)
def test_another_kind_of_file_with_the_right_suffix_is_no_table(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(UnreadableError, match="not a table"):
        read(file)


def test_every_refusal_is_told_in_chinese_as_well() -> None:
    refused = UnreadableError("rows", "t.csv", most="5")
    assert str(refused) == "t.csv has more than 5 rows. Split it into several files."
    assert refused.saying.said("zh") == "t.csv 超过 5 行。请拆成几个文件。"
