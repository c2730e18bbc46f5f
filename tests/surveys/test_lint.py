"""A table an author can read: what is in the sheets, and what is said about which cell."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from string import Formatter
from typing import NamedTuple

import pytest

from surveys.forms.form import Problem
from surveys.forms.problems import meaning, mending
from surveys.lint import identity
from surveys.lint.check import Checked, Finding, as_json, check, told
from surveys.lint.rules import Use
from surveys.phrasing import SCREEN
from surveys.words import LANGUAGES, Words
from tests.surveys.forms import QUESTIONNAIRES
from tests.surveys.test_workbook import spreadsheet

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "questionnaires.md").read_text("utf-8")
SETTINGS = """
form_title | form_id | version | namespaces
T | t | 1 | minyi="urn:minyi"
"""
CHOICES = """
list_name | name | label
ab | a | Apple
ab | b | Banana
grade | 5 | Very good
grade | 4 | Good
grade | 3 | Fair
grade | 2 | Poor
grade | 1 | Very poor
grade | na | Can't say
"""
# every list used, so that only what a case is about is told of
USED = "select_one ab | used_ab | Which?\nselect_one grade | used_grade | How?"


def rows(text: str) -> list[list[object]]:
    return [[cell.strip() or None for cell in line.split("|")] for line in text.strip().split("\n")]


def file_of(
    folder: Path, survey: str, choices: str = CHOICES, settings: str = SETTINGS, **more: str
) -> Path:
    path = folder / "mine.xlsx"
    sheets = {"survey": survey, "choices": choices, "settings": settings, **more}
    path.write_bytes(spreadsheet(**{name: rows(text) for name, text in sheets.items() if text}))
    return path


def of_code(checked: Checked, code: str) -> list[Finding]:
    return [finding for finding in checked.findings if finding.problem.code == code]


class Case(NamedTuple):
    """``cell`` is where the problem stands: sheet, row, column letter."""

    code: str
    cell: tuple[str, int | None, str]
    survey: str
    choices: str = CHOICES
    settings: str = SETTINGS


NAMES = "type | name | label"
ZH_EN = "type | name | label::中文 (zh) | label::English (en)"
LIST_ZH_EN = "list_name | name | label::中文 (zh) | label::English (en)"
REFUSED = [
    Case("barcode", ("survey", 3, "A"), f"{NAMES}\ntext | q | Q\nbarcode | x | X"),
    Case("unsupported_kind", ("survey", 2, "A"), f"{NAMES}\ngeotrace | x | X"),
    Case("unsupported_kind", ("survey", 2, "A"), f"{NAMES}\nbackground-audio | x |\ntext | q | Q"),
    Case("unsupported_kind", ("survey", 2, "D"),
         f"{NAMES} | appearance\ntext | q | Q | ex:org.app.scan()"),
    Case("outside_file", ("survey", 3, ""),
         f"{NAMES}\ntext | q | Q\nselect_one_from_file towns.csv | x | X"),
    Case("outside_file", ("survey", 3, ""),
         f"{NAMES}\nselect_one ab | towns | Q\nselect_one_from_file towns.csv | x | X"),
    Case("outside_file", ("survey", 3, ""),
         f"{NAMES} | calculation\ntext | towns | Q |\n"
         "calculate | c | | pulldata('towns', 'a', 'b', '1')"),
    Case("misuse", ("survey", 2, "D"), f"{NAMES} | bind::minyi:indicator\ntext | q | Q | i"),
    Case("counted_in_repeat", ("survey", 3, "D"),
         f"{NAMES} | bind::minyi:remark\nbegin repeat | r | R |\ntext | q | Q | yes\nend repeat"),
    Case("several_uses", ("survey", 2, "E"),
         f"{NAMES} | bind::minyi:indicator | bind::minyi:reason\nselect_one grade | q | Q | i | 1"),
    Case("bad_grades", ("survey", 2, "D"),
         f"{NAMES} | bind::minyi:indicator\nselect_one ab | q | Q | i"),
    Case("double_indicator", ("survey", 3, "D"),
         f"{NAMES} | bind::minyi:indicator\nselect_one grade | q | Q | i\n"
         "select_one grade | p | P | i"),
    Case("unsupported_kind", ("survey", 2, "D"),
         f"{NAMES} | appearance\nselect_one ab | q | Q | search('towns')"),
    Case("no_question", ("survey", 1, ""), f"{NAMES}\nnote | n | N"),
    Case("bad_expression", ("survey", 2, "D"), f"{NAMES} | relevant\ntext | q | Q | 1 + ("),
    Case("bad_expression", ("survey", 3, "D"),
         f"{NAMES} | constraint\ntext | p | P |\ntext | q | Q | nonsense(.)"),
    Case("circular", ("survey", 2, "D"),
         f"{NAMES} | relevant\ntext | p | P | ${{q}} = 'a'\ntext | q | Q | ${{p}} = 'a'"),
    Case("not_their_own", ("survey", 2, "E"),
         f"{NAMES} | read_only | bind::minyi:reason\nselect_one ab | q | Q | yes | yes"),
    Case("namespace", ("settings", 2, ""),
         f"{NAMES} | bind::minyi:indicator\nselect_one grade | q | Q | i",
         settings="form_title\nT"),
    # what pyxform tells
    Case("unknown_reference", ("survey", 3, "D"),
         f"{NAMES} | relevant\ntext | p | P |\ntext | q | Q | ${{zz}} = 1"),
    Case("double_reference", ("survey", 6, "C"),
         f"{NAMES}\ntext | q | Q\nbegin group | g | G\ntext | q | P\nend group\nnote | n | ${{q}}"),
    Case("bad_reference", ("survey", 3, "C"), f"{NAMES}\ntext | q | Q\nnote | n | Hi ${{q"),
    Case("name_taken", ("survey", 3, "B"), f"{NAMES}\ntext | q | Q\ntext | q | Q"),
    Case("bad_name", ("survey", 2, "B"), f"{NAMES}\ntext | 1 a | Q"),
    Case("choice_unnamed", ("choices", 3, "B"), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label\nab | a | A\nab | | B"),
    Case("choice_twice", ("choices", 4, "B"), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label\nab | a | A\nab | b | B\nab | a | C"),
    Case("choice_spaced", ("choices", 3, "B"), f"{NAMES}\nselect_multiple ab | q | Q",
         "list_name | name | label\nab | a | A\nab | b c | B"),
    Case("unclosed", ("survey", 2, "A"), f"{NAMES}\nbegin group | g | G\ntext | q | Q"),
    Case("unopened", ("survey", 3, "A"), f"{NAMES}\ntext | q | Q\nend repeat | |"),
    Case("no_type", ("survey", 3, "A"), f"{NAMES}\ntext | q | Q\n | p | P"),
    Case("no_name", ("survey", 2, "B"), f"{NAMES}\ntext | | Q"),
    Case("no_calculation", ("survey", 2, "D"), f"{NAMES} | calculation\ncalculate | c | |"),
    Case("unknown_type", ("survey", 3, "A"), f"{NAMES}\ntext | q | Q\nhologram | h | H"),
    Case("no_list_named", ("survey", 3, "A"),
         f"{NAMES}\nselect_one ab | p | P\nselect_one | q | Q"),
    Case("unknown_list", ("survey", 2, "A"), f"{NAMES}\nselect_one nowhere | q | Q"),
    Case("no_label", ("survey", 2, "C"), f"{NAMES}\ntext | q |"),
    Case("no_column", ("survey", 1, ""), "name | label\nq | Q"),
    Case("no_choices", ("survey", 1, "A"),
         f"{NAMES}\ntext | p | P\nselect_one ab | q | Q", choices=""),
    Case("no_survey", ("", None, ""), ""),
    Case("double_column", ("survey", 1, ""), f"{NAMES} | name\ntext | q | Q | q"),
    Case("pyxform", ("survey", 2, "D"), f"{NAMES} | parameters\nrange | q | Q | start=0 foo=1"),
]  # fmt: skip
MUST = [
    Case("unreachable", ("survey", 3, "D"),
         f"{NAMES} | relevant\nselect_one ab | p | P |\ntext | q | Q | ${{p}}='a' and ${{p}}='b'"),
    Case("nothing_satisfies", ("survey", 2, "D"),
         f"{NAMES} | constraint\ninteger | q | Q | . > 10 and . < 5"),
    Case("hangs_on_itself", ("survey", 2, "D"),
         f"{NAMES} | relevant\ntext | q | Q | ${{q}} != ''\ntext | p | P |"),
    Case("bare_name", ("survey", 3, "D"),
         f"{NAMES} | relevant\ninteger | a | A |\ntext | q | Q | a < 3"),
    Case("nothing_kept", ("survey", None, ""), f"{NAMES}\ninteger | q | Q"),
    Case("not_yes", ("survey", 2, "D"),
         f"{NAMES} | bind::minyi:reason\nselect_one ab | q | Q | 是"),
    Case("not_yes", ("survey", 2, "D"), f"{NAMES} | required\nselect_one ab | q | Q | 是"),
    Case("grades_reversed", ("choices", 2, "C"),
         f"{NAMES} | bind::minyi:indicator\nselect_one grade | q | Q | i",
         "list_name | name | label\ngrade | 5 | Very poor\ngrade | 1 | Very good"),
    Case("identity_name", ("survey", 2, "C"), f"{NAMES}\ntext | q | What is your name?"),
    Case("identity_phone", ("survey", 2, "C"), f"{NAMES}\ninteger | q | 请留下手机号码"),
    Case("identity_id", ("survey", 2, "C"), f"{NAMES}\ntext | q | 您的工号"),
    Case("identity_address", ("survey", 2, "C"), f"{NAMES}\ntext | q | Home address"),
    Case("identity_account", ("survey", 2, "C"), f"{NAMES}\ntext | q | E-mail"),
    Case("identity_location", ("survey", 2, "C"), f"{NAMES}\ngeopoint | q | Where?"),
    Case("bad_media", ("survey", 2, "D"), f"{NAMES} | image\ninteger | q | Q | nowhere.png"),
    Case("identity_recording", ("survey", 2, "C"), f"{NAMES}\nimage | q | A picture"),
]  # fmt: skip
LOOK = [
    Case("metadata_ignored", ("survey", 2, "A"), f"{NAMES}\ndeviceid | d |\ntext | q | Q"),
    Case("choices_column", ("choices", 1, ""), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label | my town\nab | a | A | x"),
    Case("row_skipped", ("survey", 3, "A"), f"{NAMES} | hint\ntext | q | Q |\n | | | remember"),
    Case("choice_unlabelled", ("choices", 3, "C"), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label\nab | a | A\nab | b |"),
    Case("no_form_id", ("settings", 2, ""), f"{NAMES}\ntext | q | Q", settings="version\n1"),
    Case("no_version", ("settings", 2, ""), f"{NAMES}\ntext | q | Q", settings="form_id\nt"),
    Case("no_version", ("settings", None, ""), f"{NAMES}\ntext | q | Q", settings=""),
    Case("no_default_language", ("settings", 2, ""), f"{ZH_EN}\ntext | q | 问 | Q"),
    Case("no_language", ("survey", 1, "C"), f"{NAMES} | label::English (en)\ntext | q | 问 | Q"),
    Case("language_code", ("survey", 1, "D"),
         "type | name | label::中文 (zh) | label::English\ntext | q | 问 | Q"),
    Case("empty_language", ("survey", 1, "D"), f"{ZH_EN}\ntext | q | 问 |"),
    Case("many_questions", ("survey", None, "A"),
         NAMES + "".join(f"\ninteger | q{n} | Q{n}" for n in range(31))),
    Case("long_time", ("survey", None, "A"),
         NAMES + "".join(f"\nvideo | q{n} | Q{n}" for n in range(12))),
    Case("unused_list", ("choices", 4, "A"), f"{NAMES}\nselect_one ab | q | Q"),
    Case("no_message", ("survey", 2, ""), f"{NAMES} | constraint\ninteger | q | Q | . > 5"),
    Case("untranslated", ("survey", 2, "D"), f"{ZH_EN}\ntext | q | 问 |\ntext | p | 还有 | And"),
    Case("untranslated", ("choices", 3, "C"), f"{ZH_EN}\nselect_one ab | q | 问 | Q",
         f"{LIST_ZH_EN}\nab | a | 甲 | A\nab | b | | B"),
    Case("untranslated", ("survey", 2, ""), f"{ZH_EN} | hint::English (en)\ntext | q | 问 | Q | H"),
    Case("long_question", ("survey", 2, "C"), f"{NAMES}\ntext | q | {'long ' * 61}"),
    Case("many_choices", ("survey", 2, "A"), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label" + "".join(f"\nab | c{n} | C{n}" for n in range(SCREEN + 1))),
    Case("long_choice", ("choices", 3, "C"), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label\nab | a | A\nab | b | 这是一个非常长的选项，一行放不下，要缩短"),
    Case("same_label", ("choices", 3, "C"), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label\nab | a | Yes\nab | b | yes"),
    Case("choice_media_ignored", ("choices", 2, "D"), f"{NAMES}\nselect_one ab | q | Q",
         "list_name | name | label | image\nab | a | A | a.png\nab | b | B |"),
    Case("appearance_ignored", ("survey", 2, "D"),
         f"{NAMES} | appearance\nimage | q | Q | signature"),
    Case("switched_off", ("survey", 3, "D"),
         f"{NAMES} | relevant\ntext | p | P |\ntext | q | Q | false()"),
    Case("asked_later", ("survey", 2, "D"),
         f"{NAMES} | relevant\ntext | p | P | ${{q}} = 'a'\nselect_one ab | q | Q |"),
    Case("unknown_choice", ("survey", 3, "D"),
         f"{NAMES} | relevant\nselect_one ab | p | P |\ntext | q | Q | ${{p}} != 'Apple'"),
    Case("unkept", ("survey", None, ""),
         f"{NAMES} | bind::minyi:reason\ninteger | q | Q |\nselect_one ab | p | P | yes"),
    Case("title_one_language", ("settings", 2, "A"), f"{ZH_EN}\ntext | q | 问 | Q"),
    Case("column_misspelt", ("survey", 1, "D"),
         f"{NAMES} | relevent\ntext | q | Q | 1 = 2"),
    Case("column_misspelt", ("settings", 2, "A"), f"{NAMES}\ntext | q | Q",
         settings="form_titel\nT"),
    Case("bare_date", ("survey", 2, "D"), f"{NAMES} | constraint\ndate | q | Q | . < 2026-01-01"),
    Case("exact_birth", ("survey", 2, "C"), f"{NAMES}\ndate | q | 这位成员的出生日期"),
    Case("no_indicator", ("survey", 2, ""), f"{NAMES}\nselect_one grade | q | Q"),
    Case("singled_out", ("survey", 4, "C"),
         f"{NAMES}\ninteger | age | Your age\nselect_one ab | sex | Gender\n"
         "text | job | Job title"),
    Case("free_text", ("survey", 2, ""), f"{NAMES}\ntext | q | What should change?"),
    Case("no_way_out", ("survey", None, "D"),
         f"{NAMES} | required\nselect_one ab | q | Q | yes\ninteger | p | P | yes"),
]  # fmt: skip


def named(case: Case) -> str:
    return f"{case.code}-{case.cell[0]}{case.cell[1]}{case.cell[2]}"


@pytest.mark.parametrize("case", [*REFUSED, *MUST, *LOOK], ids=named)
def test_each_problem_is_told_at_its_cell_in_both_languages(case: Case, tmp_path: Path) -> None:
    checked = check(file_of(tmp_path, case.survey, case.choices, case.settings))
    found = of_code(checked, case.code)
    places = [(f.place.sheet, f.place.row, f.place.column) for f in found]
    assert case.cell in places, [(f.problem.code, f.place) for f in checked.findings]
    stops = {finding.problem.stop for finding in found}
    assert stops == {case not in LOOK}
    assert (checked.form is None) is (
        case in REFUSED and case.code not in ("bad_expression", "circular")
    )
    for finding in found:
        for language in LANGUAGES:
            lines = "\n".join(told(checked, language))
            assert meaning(finding.problem, language) in lines
            assert mending(finding.problem, language) in lines


def test_a_misspelt_sheet_is_pointed_out(tmp_path: Path) -> None:
    path = file_of(tmp_path, f"{NAMES}\ntext | q | Q", "", "", setting=SETTINGS)
    [finding] = of_code(check(path), "sheet_misspelt")
    assert finding.problem.arguments == {"wanted": "settings", "found": "'setting'"}


XFORM = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml">
<h:head><h:title>T</h:title><model><instance><data id="t" version="1"><q/></data></instance>
<bind nodeset="/data/q" type="{type}" {more}/></model></h:head>
<h:body>{control}</h:body></h:html>"""
INPUT = '<input ref="/data/q"><label>Q</label></input>'


@pytest.mark.parametrize(
    ("code", "xform", "path"),
    [
        ("not_xml", "<h:html>", None),
        ("dtd", '<!DOCTYPE x [<!ENTITY a "b">]><x/>', None),
        ("not_xform", "<html/>", None),
        ("bad_range", XFORM.format(type="int", more="", control='<range ref="/data/q" start="9" '
         'end="0" step="1"><label>Q</label></range>'), "/data/q"),
        ("empty_choices", XFORM.format(type="string", more="",
         control='<select1 ref="/data/q"><label>Q</label></select1>'), "/data/q"),
        ("unknown_instance", XFORM.format(type="string", more="", control='<select1 ref="/data/q">'
         "<label>Q</label><itemset nodeset=\"instance('x')/root\x2fitem\"><value ref=\"name\"/>"
         '<label ref="label"/></itemset></select1>'), "/data/q"),
        ("nothing_satisfies",
         XFORM.format(type="int", more='constraint=". &gt; 9 and . &lt; 1"', control=INPUT),
         "/data/q"),
    ],
)  # fmt: skip
def test_in_an_xform_a_problem_is_told_by_its_path(
    code: str, xform: str, path: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "ready.xml"
    file.write_text(xform, "utf-8")
    [found] = [each for each in as_json(check(file))["problems"] if each["code"] == code]  # type: ignore[attr-defined]
    assert (found["sheet"], found["row"], found["path"]) == (None, None, path)
    assert found["severity"] == "error"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04junk"])
def test_a_file_that_is_no_table_is_told_of_as_such(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "junk.xlsx"
    path.write_bytes(content)
    [finding] = check(path).findings
    assert finding.problem.code == "unreadable"


# ---- what is not to be complained of

FINE = [
    # the condition can hold
    "type | name | label | relevant\nselect_one ab | p | P |\ntext | q | Q | ${p}='a' or ${p}='b'",
    "type | name | label | relevant\nselect_multiple ab | p | P |\n"
    "text | q | Q | selected(${p}, 'a') and selected(${p}, 'b')",
    "type | name | label | relevant\ninteger | p | P |\ntext | q | Q | ${p} > 5 and ${p} <= 6",
    "type | name | label | relevant\ninteger | p | P |\n"
    "text | q | Q | not(${p} > 5) and not(${p} < 5)",
    "type | name | label | relevant\nselect_one ab | p | P |\n"
    "text | q | Q | ${p} != 'a' and ${p} != 'b'",
    "type | name | label | relevant\ntext | p | P |\ntext | q | Q | regex(${p}, 'x') and ${p} = ''",
    # somebody in the household is both
    "type | name | label | relevant\nbegin repeat | r | R |\nselect_one ab | p | P |\n"
    "end repeat | | |\ntext | q | Q | ${p} = 'a' and ${p} = 'b'",
    # the constraint can be met
    "type | name | label | constraint\ninteger | q | Q | . >= 5 and . <= 5",
    "type | name | label | constraint\ndecimal | q | Q | . > 5 and . < 6",
    "type | name | label | constraint\ntime | q | Q | . > '08:00' and . < '18:00'",
    "type | name | label | constraint\ndate | q | Q | . >= '2026-01-01' and . <= today()",
    "type | name | label | constraint\n"
    "text | q | Q | string-length(.) < 9 and regex(., '^[a-z]+$')",
    "type | name | label | constraint\nselect_multiple ab | q | Q | "
    "count-selected(.) = 2 and not(selected(., 'c'))",
]


@pytest.mark.parametrize("survey", FINE)
def test_what_can_be_reached_and_met_is_left_alone(survey: str, tmp_path: Path) -> None:
    checked = check(file_of(tmp_path, survey))
    codes = {finding.problem.code for finding in checked.findings}
    assert checked.form is not None
    assert not codes & {"unreachable", "switched_off", "nothing_satisfies"}


UNREACHED = [
    "${p} = 'c'",
    "selected(${p}, 'a') and not(selected(${p}, 'a'))",
    "${n} > 5 and ${n} < 6",
    "${n} > 5 and not(${n} > 4)",
    "${n} = 3 and ${n} = 4",
    "(${p} = 'a' or ${p} = 'b') and ${p} = ''",
    "${n} > ${m} and ${n} < ${m}",
    "string-length(${t}) < 0",
    "${late} = 'x' and ${p} = 'b'",  # late is asked only where p is a
    "${t} = 'x' and not(${t} = 'x')",
]


@pytest.mark.parametrize("condition", UNREACHED)
def test_what_nobody_reaches_is_found(condition: str, tmp_path: Path) -> None:
    survey = (
        "type | name | label | relevant\nselect_one ab | p | P |\ninteger | n | N |\n"
        "integer | m | M |\ntext | t | T |\ntext | late | L | ${p} = 'a'\n"
        f"begin group | g | G | {condition}\ntext | q | Q |\nend group | | |"
    )
    found = of_code(check(file_of(tmp_path, survey)), "unreachable")
    assert [finding.problem.path for finding in found] == ["/data/g"]  # once, not for what is below


UNMET = [
    ("integer", ". > 5 and . < 6"),
    ("range", ". > 10"),
    ("date", ". > '2026-12-31' and . < '2026-01-01'"),
    ("text", "string-length(.) > 5 and string-length(.) < 3"),
    ("select_one ab", "regex(., '^x')"),
    ("select_multiple ab", "selected(., 'a') and not(selected(., 'a'))"),
    ("integer", ". > today() and . < today()"),
    ("integer", "false()"),
    ("text", ". = ''"),
]


@pytest.mark.parametrize(("kind", "constraint"), UNMET)
def test_what_no_answer_meets_is_found(kind: str, constraint: str, tmp_path: Path) -> None:
    survey = (
        f"type | name | label | constraint | parameters\n{kind} | q | Q | {constraint} | "
        f"{'start=0 end=10 step=1' if kind == 'range' else ''}"
    )
    assert of_code(check(file_of(tmp_path, survey)), "nothing_satisfies")


WORDED = [
    ("text | q | What would be a good name for the park?", "identity_name"),
    ("select_one ab | q | Your name?", "identity_name"),
    ("text | name | What is the park called?", "identity_name"),
    ("text | q | 您希望我们怎么改？请不要写姓名、电话。", "free_text"),
    ("integer | q | How many meetings?", "identity_phone"),
    ("text | q | The phrase that fits", "identity_phone"),
]


@pytest.mark.parametrize(("row", "code"), WORDED)
def test_harmless_words_are_left_alone(row: str, code: str, tmp_path: Path) -> None:
    assert not of_code(check(file_of(tmp_path, f"{NAMES}\n{row}")), code)


def test_a_concern_may_ask_who_is_speaking(tmp_path: Path) -> None:
    path = file_of(tmp_path, f"{NAMES}\ntext | q | Your phone number\nimage | p | The letter")
    assert [f.problem.code for f in check(path).findings if f.problem.stop] == [
        "nothing_kept",
        "identity_phone",
        "identity_recording",
    ]
    assert not check(path, Use.CONCERN).errors


@pytest.mark.parametrize("name", ["service", "leadership", "concern"])
def test_the_questionnaires_that_come_with_minyi_are_clean(name: str) -> None:
    use = Use.CONCERN if name == "concern" else Use.RATING
    checked = check(QUESTIONNAIRES / f"{name}.md", use)
    told_of = {(finding.problem.code, finding.problem.stop) for finding in checked.findings}
    assert told_of <= {("long_choice", False)}  # one of concern.md is long, and means to be


def test_a_list_of_many_questions_is_told_of_once(tmp_path: Path) -> None:
    survey = NAMES + "".join(f"\nselect_one ab | q{n} | Q{n}" for n in range(5))
    choices = "list_name | name | label\nab | a | Yes\nab | b | yes"
    assert len(of_code(check(file_of(tmp_path, survey, choices)), "same_label")) == 1


def test_everything_refused_is_told_at_once(tmp_path: Path) -> None:
    survey = (
        f"{NAMES} | bind::minyi:indicator\nbarcode | b | B |\ngeoshape | s | S |\ntext | q | Q | i"
    )
    checked = check(file_of(tmp_path, survey))
    assert [finding.place.row for finding in checked.findings if finding.problem.stop] == [
        2,
        3,
        4,
        4,
    ]


def test_as_data_every_field_is_there(tmp_path: Path) -> None:
    survey = (
        f"{ZH_EN} | bind::minyi:remark\ntext | q | 您的姓名 | Your name | yes\ndate | d | 哪天 |"
    )
    data = json.loads(json.dumps(as_json(check(file_of(tmp_path, survey)))))
    assert set(data) == {"schema", "file", "errors", "warnings", "halted", "form", "problems"}
    assert data["form"]["languages"] == ["zh", "en"]
    assert data["form"]["questions"] == 2
    assert set(data["form"]["minutes"]) == {"zh", "en"}
    assert data["errors"] + data["warnings"] == len(data["problems"])
    assert data["problems"][0] == {
        "code": "identity_name",
        "severity": "error",
        "sheet": "survey",
        "row": 2,
        "column": "C",
        "header": "label::中文 (zh)",
        "path": "/data/q",
        "what": {
            "zh": "这一题在问姓名，而评价是匿名的。",
            "en": "This asks for a name, and the rating is anonymous.",
        },
        "mend": data["problems"][0]["mend"],
    }
    [missing] = [p for p in data["problems"] if p["code"] == "untranslated"]
    assert (missing["row"], missing["column"], missing["header"]) == (3, "D", "label::English (en)")


# ---- every code has its sentences and its place in the guide

PROBLEMS = Words.of("surveys", "problems")
CODES = {key.split(".")[1] for key in PROBLEMS.keys() if key.startswith("problem.")}  # noqa: SIM118


def made() -> set[str]:
    """Every code that some module of the room tells of."""
    found: set[str] = set()
    for file in sorted((ROOT / "surveys").rglob("*.py")):
        code = file.read_text("utf-8")
        found |= set(re.findall(r'(?:Problem|_refuse|_warn|refuse|warn)\(\s*"(\w+)"', code))
        if file.name == "complaints.py":
            found |= set(re.findall(r'\(\s*"(\w+)",\s*"\w*",\s*r"', code))
        if file.name == "xform.py":
            found |= {"namespace", "not_xml", "double_name", "double_indicator"}
    return found | {f"identity_{what}" for what in identity.ASKED}


def test_every_problem_that_is_told_has_its_sentences_and_no_sentence_is_left_over() -> None:
    assert made() == CODES


def test_every_sentence_is_in_both_languages_with_the_same_places_to_fill() -> None:
    for key in PROBLEMS.keys():  # noqa: SIM118
        texts = PROBLEMS.all_of(key)
        assert set(texts) == set(LANGUAGES), key
        fields = [{f for _, f, _, _ in Formatter().parse(text) if f} for text in texts.values()]
        assert fields[0] == fields[1], key
    assert all({f"problem.{c}.what", f"problem.{c}.mend"} <= PROBLEMS.keys() for c in CODES)


def documented(code: str) -> str:
    """The guide's line about a problem: what is filled in when it is told is … there."""
    cells = [
        PROBLEMS.all_of(f"problem.{code}.{part}")[language].format_map(defaultdict(lambda: "…"))
        for language in ("en", "zh")
        for part in ("what", "mend")
    ]
    return "| `{}` | {} *{}* | {} *{}* |".format(code, *cells)


def table_under(heading: str) -> list[str]:
    section = GUIDE.partition(f"### {heading}\n")[2].partition("\n#")[0]
    return [line for line in section.splitlines() if line.startswith("| `")]


def test_the_guide_has_every_problem_in_the_table_of_its_weight() -> None:
    looks = {case.code for case in LOOK} | {"sheet_misspelt"}
    musts = {case.code for case in MUST} - {"unsupported_kind"}
    refused = CODES - looks - musts
    for heading, codes in (
        ("Refused", refused),
        ("Must be mended", musts),
        ("To be looked at", looks),
    ):
        assert table_under(heading) == [documented(code) for code in sorted(codes)], heading


def test_the_guide_says_how_the_estimate_is_made() -> None:
    from surveys.lint.estimate import CHARACTERS, SECONDS, WORDS

    assert f"{CHARACTERS} Chinese characters" in GUIDE
    assert f"{WORDS} words" in GUIDE
    assert f"{SCREEN} to a screen" in GUIDE
    told_of = dict(
        re.findall(r"(\w+) (\d+)", GUIDE.partition("Seconds to answer:")[2].partition(".")[0])
    )
    assert told_of == {str(k): f"{v:g}" for k, v in SECONDS.items() if v and k != "more"}


def test_every_case_is_a_code_and_every_code_of_a_check_has_its_case() -> None:
    tried = {case.code for case in (*REFUSED, *MUST, *LOOK)}
    elsewhere = {"not_xml", "dtd", "not_xform", "bad_range", "empty_choices", "unknown_instance",
                 "unreadable", "sheet_misspelt", "double_name"}  # fmt: skip
    assert tried | elsewhere == CODES


def test_a_name_counted_twice_is_told_of(tmp_path: Path) -> None:
    survey = (
        f"{NAMES} | bind::minyi:reason\nselect_one ab | q | Q | yes\nbegin group | g | G |\n"
        "select_one ab | q | P | yes\nend group | | |"
    )
    [finding] = of_code(check(file_of(tmp_path, survey)), "double_name")
    assert finding.place.row == 4


def test_a_problem_without_a_row_still_says_what_and_how() -> None:
    problem = Problem("no_question")
    assert meaning(problem, "zh") == "没有要人回答的题目。"
    assert mending(problem, "en") == "Add one to the survey sheet."


# ---- said in the author's own terms


def sentences(checked: Checked, code: str, language: str = "en") -> str:
    [finding] = of_code(checked, code)
    return f"{meaning(finding.problem, language)} {mending(finding.problem, language)}"


HALTED = {"zh": "可能还有别的", "en": "there may be more"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_one_error_stops_the_check_it_is_said_that_there_may_be_more(
    language: str, tmp_path: Path
) -> None:
    stopped = check(file_of(tmp_path, f"{NAMES}\nhologram | q | Q\ntext | q | Your name"))
    assert stopped.halted
    assert HALTED[language] in told(stopped, language)[-1]
    whole = check(file_of(tmp_path, f"{NAMES}\ntext | q | Your name"))
    assert whole.errors
    assert not whole.halted
    assert not any(HALTED[language] in line for line in told(whole, language))


def test_what_is_not_kept_is_told_of_once_with_its_rows(tmp_path: Path) -> None:
    survey = f"{NAMES} | bind::minyi:reason\nselect_one ab | a | A | yes" + "".join(
        f"\ninteger | q{n} | Q{n} |" for n in range(3)
    )
    assert "3 questions will not be kept (rows 3, 4, 5)" in sentences(
        check(file_of(tmp_path, survey)), "unkept"
    )
    none = check(file_of(tmp_path, survey.replace("yes", "")))
    assert "None of these 4 questions will be kept (rows 2, 3, 4, 5)" in sentences(
        none, "nothing_kept"
    )
    assert not of_code(none, "unkept")


@pytest.mark.parametrize("cell", ["是", "y", "Yes", "TRUE", "x"])
def test_a_mark_that_is_not_understood_is_told_of(cell: str, tmp_path: Path) -> None:
    survey = f"{NAMES} | bind::minyi:remark\ntext | q | Q | {cell}"
    assert f"“{cell}”" in sentences(check(file_of(tmp_path, survey)), "not_yes")


@pytest.mark.parametrize("cell", ["yes", "true", "1", "no", "否", ""])
def test_a_mark_that_is_understood_is_left_alone(cell: str, tmp_path: Path) -> None:
    survey = f"{NAMES} | bind::minyi:remark\ntext | q | Q | {cell}"
    assert not of_code(check(file_of(tmp_path, survey)), "not_yes")


def condition(folder: Path, relevant: str) -> Checked:
    return check(
        file_of(folder, f"{NAMES} | relevant\nselect_one ab | sat | P |\ntext | q | Q | {relevant}")
    )


REASONS = [
    ("${sat} = 4 and", "没有写完", "it breaks off"),
    ("${sat}＝4", "请用英文半角的 =", "write ="),
    ("${sat} = （4", "请用英文半角的 (", "write ("),
    ("$sat = 4", "${名字}", "${name}"),
    ("(${sat} = 4", "缺一个 ) 来收尾", "a closing ) is missing"),
    ("${sat} 4", "缺一个运算符", "is missing before “4”"),
    ("(${sat} = )", "“)”前面缺一个值", "a value is missing before “)”"),
    ("nonsense(${sat})", "没有 nonsense() 这个函数", "there is no function nonsense()"),
    ("contains(${sat})", "contains() 括号里的项数不对", "the wrong number of items"),
]


@pytest.mark.parametrize(("written", "zh", "en"), REASONS)
def test_why_an_expression_cannot_be_computed_is_told_in_plain_words(
    written: str, zh: str, en: str, tmp_path: Path
) -> None:
    checked = condition(tmp_path, written)
    for language, words in (("zh", zh), ("en", en)):
        said = sentences(checked, "bad_expression", language)
        assert words in said
        assert f"“{written}”" in said
        assert "character" not in said
        assert "/data" not in said


def test_a_condition_is_shown_as_its_author_wrote_it(tmp_path: Path) -> None:
    checked = condition(tmp_path, "${sat} = '好'")
    assert "“${sat} = '好'”" in sentences(checked, "unreachable")
    assert not any("/data/" in line for line in told(checked, "zh"))


def test_a_name_alone_is_a_slip_but_not_in_a_filter(tmp_path: Path) -> None:
    checked = condition(tmp_path, "sat = 'a'")
    assert "${sat}" in sentences(checked, "bare_name", "zh")
    assert not of_code(checked, "hangs_on_itself")
    survey = (
        f"{NAMES} | choice_filter | calculation\ninteger | p | P | |\n"
        "select_one ab | q | Q | name != ${p} |\n"
        "calculate | c | | | instance('ab')/root\x2fitem[name = ${q}]/label"
    )
    filtered = check(file_of(tmp_path, survey))
    assert filtered.form is not None
    assert not of_code(filtered, "bare_name")


def test_a_date_in_quotes_is_a_date(tmp_path: Path) -> None:
    survey = f"{NAMES} | constraint\ndate | q | Q | . < date('2026-01-01') and . != '2026-01-01'"
    assert not of_code(check(file_of(tmp_path, survey)), "bare_date")


def test_a_misspelt_list_is_told_with_the_lists_there_are(tmp_path: Path) -> None:
    checked = check(file_of(tmp_path, f"{NAMES}\nselect_one grades | q | Q"))
    assert "it has: grade, ab." in sentences(checked, "unknown_list")


def test_a_choice_that_stands_twice_is_named_with_its_rows(tmp_path: Path) -> None:
    choices = "list_name | name | label\nab | a | A\nab | b | B\nab | a | C"
    checked = check(file_of(tmp_path, f"{NAMES}\nselect_one ab | q | Q", choices))
    assert "“a” stands more than once in its list (rows 2, 4)" in sentences(checked, "choice_twice")


SNEAKY = [
    ("怎么称呼您？", "name"),
    ("请留下签名", "name"),
    ("您的取号单号码", "id"),
    ("您的车牌号", "id"),
    ("您住几栋几单元？", "address"),
]


@pytest.mark.parametrize(("label", "what"), SNEAKY)
def test_what_tells_people_apart_is_found_in_other_words(
    label: str, what: str, tmp_path: Path
) -> None:
    assert of_code(check(file_of(tmp_path, f"{NAMES}\ntext | q | {label}")), f"identity_{what}")


def test_a_year_of_birth_is_a_trait(tmp_path: Path) -> None:
    survey = f"{NAMES}\ninteger | a | 您是哪一年生的？\ntext | b | 您的性别\ntext | c | 您的学历"
    assert of_code(check(file_of(tmp_path, survey)), "singled_out")


def test_a_title_in_each_language_is_left_alone(tmp_path: Path) -> None:
    settings = "form_title | form_id\n问卷 / Survey | t"
    checked = check(file_of(tmp_path, f"{ZH_EN}\ntext | q | 问 | Q", settings=settings))
    assert not of_code(checked, "title_one_language")
