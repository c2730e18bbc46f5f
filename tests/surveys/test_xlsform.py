from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from surveys.forms.form import FormError, Kind
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import compile_xlsform, load_form
from tests.surveys.forms import CHOICES, NAMESPACE, form_of, shipped, table

SURVEY = "type | name | label\nselect_one ab | q | Which?"


def workbook(*sheets: tuple[str, str]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, text in sheets:
        sheet = book.create_sheet(name)
        for line in text.strip().splitlines():
            sheet.append([cell.strip() for cell in line.split("|")])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def complaint(path: Path) -> str:
    with pytest.raises(FormError) as caught:
        load_form(path)
    return str(caught.value)


def test_a_markdown_table_and_a_workbook_make_the_same_questions(tmp_path: Path) -> None:
    md, xlsx = tmp_path / "a.md", tmp_path / "a.XLSX"
    md.write_bytes(b"\xef\xbb\xbf" + table(SURVEY))
    xlsx.write_bytes(
        workbook(("survey", SURVEY), ("choices", CHOICES), ("settings", NAMESPACE)),
    )
    assert load_form(md).questions == load_form(xlsx).questions
    assert [choice.name for choice in load_form(md).questions[0].choices] == ["a", "b", "c"]


def test_an_xform_already_made_is_the_same_questionnaire(tmp_path: Path) -> None:
    file = tmp_path / "ready.xml"
    file.write_bytes(form_of(SURVEY).source)
    assert load_form(file) == form_of(SURVEY)


@pytest.mark.parametrize("name", ["service", "leadership", "concern"])
def test_every_shipped_questionnaire_speaks_both_languages(name: str) -> None:
    form = shipped(name)
    assert form.languages == ("zh", "en")
    assert set(form.titles) == {"zh", "en"}
    for question in form.questions:
        if question.asks:
            assert set(question.label) == {"zh", "en"}
            assert all(set(choice.label) == {"zh", "en"} for choice in question.choices)


def test_the_indicator_column_stays_a_bind_attribute_of_our_own_namespace() -> None:
    source = shipped("service").source.decode()
    assert 'xmlns:minyi="urn:minyi"' in source
    assert 'minyi:indicator="service"' in source
    assert shipped("service").indicators == ("service", "speed", "attitude")


def test_another_namespace_with_the_same_column_name_is_ignored() -> None:
    form = form_of(
        "type | name | label | bind::other:indicator\nselect_one ab | q | Which? | fruit",
        settings='form_title | namespaces\nT | other="urn:other"',
    )
    assert form.indicators == ()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("gbk.md", "| survey | 满意".encode("gbk"), "not UTF-8"),
        ("empty.md", b"", "cannot be read as an XLSForm"),
        ("junk.xlsx", b"PK\x03\x04junk", "cannot be read as an XLSForm"),
        ("junk.csv", b"a,b\n1,2\n", "cannot be read as an XLSForm"),
        ("letter.docx", b"", "one of .md, .xlsx, .xls, .csv or .xml"),
    ],
)
def test_a_broken_file_is_refused_by_its_name_with_what_to_do(
    tmp_path: Path, file: str, content: bytes, said: str
) -> None:
    path = tmp_path / file
    path.write_bytes(content)
    told = complaint(path)
    assert file in told
    assert said in told
    assert "Save" in told


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "Check the path" in complaint(tmp_path / "nowhere.md")


@pytest.mark.parametrize(
    ("survey", "told"),
    [
        ("type | name | label\ntext | q | Q\ntext | q | Q", "[row : 3]"),
        ("type | name | label | relevant\ntext | q | Q | ${zz} = 1", "'zz'"),
        ("type | name | label\nselect_one nowhere | q | Q", "nowhere"),
        ("type | name | label\nhologram | q | Q", "hologram"),
        ("type | name | label | relevant\ntext | q | Q | 1 + (", ", relevant: "),
        ("type | name | label | constraint\ntext | q | Q | regex(., '(')", ", constraint: "),
        ("type | name | label\ntext | q | Q\nnote | n | Hi ${q", "n"),
        (
            "type | name | label | calculation\nselect_one ab | q | Q |\n"
            "calculate | c | | concat(${q}, property('deviceid'))",
            "/data/c, calculation: ",
        ),
        ("type | name | label | relevant\ntext | q | Q | nonsense()", "nonsense()"),
    ],
)
def test_a_bad_row_is_refused_at_import_naming_file_and_place(
    tmp_path: Path, survey: str, told: str
) -> None:
    path = tmp_path / "mine.md"
    path.write_bytes(table(survey))
    sentence = complaint(path)
    assert sentence.startswith("mine.md: ")
    assert told in sentence
    assert "Mend" in sentence


def test_a_column_without_its_namespace_is_told_which_setting_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    survey = "type | name | label | bind::minyi:indicator\nselect_one grade | q | Q | i"
    path.write_bytes(table(survey, settings="form_title\nT"))
    assert 'minyi="urn:minyi"' in complaint(path)


def test_what_a_person_wrote_in_the_table_survives_the_way_through_pyxform() -> None:
    form = form_of("type | name | label\ntext | q | 5 < 6 & 满意？😀")
    assert form.questions[0].label == {"": ("5 < 6 & 满意？😀",)}
    assert form.questions[0].kind is Kind.TEXT


def test_compiling_twice_gives_the_same_version() -> None:
    twice = [read_xform(compile_xlsform(table(SURVEY), ".md", "t"), "t").hash for _ in range(2)]
    assert twice[0] == twice[1]
