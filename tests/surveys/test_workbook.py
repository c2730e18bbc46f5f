from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from surveys.lint.workbook import Place, Workbook, base, code, place, read_workbook

DATA = Path(__file__).parents[1] / "data"
SURVEY: list[list[object]] = [
    ["type", "name", "label", "relevant"],
    ["text", "a", "A"],
    [],
    ["begin group", "g", "G"],
    ["integer", "b", "B", "${a} = 'x'"],
    ["end group"],
]
CHOICES: list[list[object]] = [
    ["list_name", "name", "label"],
    ["ab", 1, "One"],
    ["ab", 2.5, "Two and a half"],
]


def spreadsheet(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for at, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                sheet.cell(at, column, value)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def stacked(separator: str, edge: str) -> bytes:
    lines = []
    for name, rows in (("survey", SURVEY), ("choices", CHOICES)):
        lines.append(edge + separator.join([name, "", "", "", ""]) + edge)
        for row in rows:
            cells = ["", *map(str, row), *[""] * (4 - len(row))]
            lines.append(edge + separator.join(cells) + edge)
    return "\n".join(lines).encode()


def cell(book: Workbook, path: str, column: str) -> Place:
    return place(book.survey, book.row(path), column)


TABLES = {
    ".xlsx": (spreadsheet(survey=SURVEY, choices=CHOICES), 5, "D", 3),
    ".xls": ((DATA / "rows.xls").read_bytes(), 5, "D", 3),
    ".csv": (stacked(",", ""), 6, "E", 11),
    ".md": (stacked("|", "|"), 6, "E", 11),
}


@pytest.mark.parametrize("suffix", TABLES)
def test_a_question_is_found_in_the_row_that_its_author_sees(suffix: str) -> None:
    table, row, column, choice_row = TABLES[suffix]
    book = read_workbook(table, suffix)
    assert cell(book, "/data/g/b", "relevant") == Place("survey", row, column, "relevant")
    assert book.choices.rows[-1].number == choice_row
    assert [each.get("name") for each in book.choices.rows] == ["1", "2.5"]


@pytest.mark.parametrize("suffix", TABLES)
def test_the_rows_that_pyxform_counts_are_the_authors_rows(suffix: str) -> None:
    """pyxform counts empty rows of a spreadsheet, and leaves those of a text table out."""
    table, row, _, _ = TABLES[suffix]
    number = 5 if suffix in (".xlsx", ".xls") else 4
    found = read_workbook(table, suffix).of_pyxform("survey", number)[1]
    assert found is not None
    assert (found.get("name"), found.number) == ("b", row)


def test_what_pyxform_makes_of_a_row_belongs_to_that_row() -> None:
    survey: list[list[object]] = [
        ["type", "name", "label", "repeat_count"],
        ["select_one ab or_other", "q", "Q"],
        ["begin repeat", "r", "R", "2 + 1"],
        ["note", "", "Well"],
        ["end repeat"],
        ["audit"],
    ]
    book = read_workbook(spreadsheet(survey=survey), ".xlsx")
    rows = {
        path: row.number if (row := book.row(path)) else None
        for path in ("/data/q_other", "/data/r_count", "/data/r/generated_note_name_4",
                     "/data/meta/audit", "/data/nowhere")
    }  # fmt: skip
    assert list(rows.values()) == [2, 3, 4, 6, None]


def test_a_header_is_found_in_its_language_and_as_old_forms_write_it() -> None:
    survey: list[list[object]] = [
        ["Type", "name", "label::中文 (zh)", None, "label::English (en)", "bind::relevant"],
        ["text", "q", "问", None, "Q", "1"],
    ]
    book = read_workbook(spreadsheet(survey=survey), ".xlsx")
    row = book.row("/data/q")
    assert place(book.survey, row, "label", "en").column == "E"
    assert place(book.survey, row, "label", "fr") == Place("survey", 2, "", "label")
    assert place(book.survey, row, "relevant") == Place("survey", 2, "F", "bind::relevant")
    assert place(book.survey, row, "type").header == "Type"


@pytest.mark.parametrize(
    ("header", "column", "language"),
    [
        ("label::English (en)", "label", "en"),
        ("label:English", "label", "English"),
        ("List Name", "list_name", ""),
        ("media::image::中文 (zh)", "image", "zh"),
        ("bind::minyi:indicator", "bind::minyi:indicator", ""),
        ("bind::jr:constraintMsg::English (en)", "constraint_message", "en"),
        ("jr:count", "repeat_count", ""),
        ("readonly", "read_only", ""),
    ],
)
def test_headers(header: str, column: str, language: str) -> None:
    assert (base(header), code(header)) == (column, language)


def test_a_far_column_has_two_letters() -> None:
    survey: list[list[object]] = [["type", "name", *[f"x{n}" for n in range(26)]], ["text", "q"]]
    book = read_workbook(spreadsheet(survey=survey), ".xlsx")
    assert cell(book, "/data/q", "x25").column == "AB"


def test_what_is_no_table_has_no_rows() -> None:
    for suffix in TABLES:
        assert read_workbook(b"\xff\xfejunk", suffix).row("/data/q") is None
    assert read_workbook(b"<h:html/>", ".xml").row("/data/q") is None


def test_the_only_sheet_is_the_survey_whatever_its_name() -> None:
    book = read_workbook(spreadsheet(Tabelle1=[["type", "name"], ["text", "q"]]), ".xlsx")
    assert cell(book, "/data/q", "name") == Place("Tabelle1", 2, "B", "name")
