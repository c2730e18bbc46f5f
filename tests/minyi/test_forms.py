"""The commands by which an author looks at a questionnaire before anybody is asked."""

from __future__ import annotations

import json
from pathlib import Path

from tests.minyi.conftest import Minyi
from tests.surveys.forms import QUESTIONNAIRES
from tests.surveys.test_lint import NAMES, SETTINGS, ZH_EN, file_of

BROKEN = f"{NAMES} | constraint\ninteger | q | 几个？ | . > 5 and . < 3\nbarcode | b | B |"
STUCK = f"{NAMES} | constraint\ninteger | q | 几个？ | . > 5 and . < 3"


def test_a_sound_questionnaire_ends_with_status_0(minyi: Minyi) -> None:
    ran = minyi("form", "check", QUESTIONNAIRES / "service.md")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "服务满意度 / Service satisfaction: questions 5, languages zh, en, about 1 min",
        "Nothing to mend.",
    ]


def test_what_must_be_mended_is_told_with_its_cell_and_ends_with_status_1(
    minyi: Minyi, tmp_path: Path
) -> None:
    ran = minyi("form", "check", file_of(tmp_path, STUCK))
    assert ran.status == 1
    assert "survey, row 2, column D (constraint)  [mend: nothing_satisfies]" in ran.out
    assert "No answer meets “. > 5 and . < 3”" in ran.out
    assert "2 to mend, " in ran.out


def test_it_is_told_in_chinese_too(minyi: Minyi, tmp_path: Path) -> None:
    ran = minyi("form", "check", file_of(tmp_path, BROKEN), "--lang", "zh")
    assert ran.status == 1
    assert "survey 表第 3 行，A 列 (type)  [要改: barcode]" in ran.out
    assert "聊天里不能扫码（barcode）" in ran.out


def test_warnings_alone_end_with_status_0(minyi: Minyi, tmp_path: Path) -> None:
    ran = minyi(
        "form",
        "check",
        file_of(tmp_path, f"{ZH_EN}\ninteger | q | 几个？ |\ninteger | p | 多少？ | How many?"),
        "--for",
        "concern",
    )
    assert ran.status == 0
    assert "[look at: untranslated]" in ran.out
    assert "label::English (en)" in ran.out


def test_as_data_it_is_one_object_and_nothing_else(minyi: Minyi, tmp_path: Path) -> None:
    ran = minyi("form", "check", file_of(tmp_path, BROKEN), "--json")
    assert ran.status == 1
    data = json.loads(ran.out)
    assert data["form"] is None
    assert [problem["code"] for problem in data["problems"]] == ["barcode"]
    assert data["halted"] is True
    assert set(data["problems"][0]["what"]) == {"zh", "en"}


def test_a_long_list_is_cut_for_people_and_whole_as_data(minyi: Minyi, tmp_path: Path) -> None:
    rows = "".join(f"\ninteger | q{n} | 几个{n}？ |" for n in range(60))
    survey = f"{ZH_EN}{rows}\ninteger | p | 多少？ | How many?"
    path = file_of(tmp_path, survey)
    assert "--json has them all" in minyi("form", "check", path).out
    assert len(json.loads(minyi("form", "check", path, "--json").out)["problems"]) > 60


def test_a_file_that_is_not_there_is_told_in_words(minyi: Minyi, tmp_path: Path) -> None:
    for words in (("check", tmp_path / "no.xlsx"), ("show", tmp_path / "no.xlsx"),
                  ("check", tmp_path / "no.docx"), ("check", "x.md", "--lang", "fr"),
                  ("check", "x.md", "--for", "fun")):  # fmt: skip
        ran = minyi("form", *words)
        assert ran.status == 1
        assert "Traceback" not in ran.err


SHOWN = """type | name | label | relevant | constraint | required | parameters
text | who | Who? | | | |
select_one ab | q | Which? | | | ${who} != '' |
begin repeat | r | Person | ${q} = 'a' and not(selected(${q}, 'b')) | | |
integer | age | How old? | | . >= 18 | yes |
note | n | Thanks, ${who} | ${age} > 20 or ${q} != 'a' | | |
end repeat | | | | | |
range | scale | How far? | | | | start=0 end=10 step=5
calculate | c | | | | |
"""


def test_a_questionnaire_is_drawn_as_a_tree_with_its_conditions_in_words(
    minyi: Minyi, tmp_path: Path
) -> None:
    survey = SHOWN.replace("parameters", "parameters | calculation").replace(
        "calculate | c | | | | |", "calculate | c | | | | | | 1 + 2 * ${age}"
    )
    ran = minyi("form", "show", file_of(tmp_path, survey, settings=SETTINGS))
    assert ran.status == 0, ran.err
    assert ran.out.splitlines()[1:] == [
        "├ 1 who  text",
        "│   Who?",
        "├ 2 q  one of 2, required if who ≠ “”",
        "│   Which?",
        "├ r  repeated, asking each time whether there is another",
        "│ │ Person",
        "│ │ only if q = a (Apple) and not (q includes b (Banana))",
        "│ ├ 3 age  whole number, required",
        "│ │   How old?",
        "│ │   must be: the answer ≥ 18",
        "│ └ n  note",
        "│     Thanks, [who]",
        "│     only if age > 20 or q ≠ a (Apple)",
        "├ 4 scale  from 0 to 10 by 5",
        "│   How far?",
        "└ c ← 1 + 2 × age",
    ]
    chinese = minyi("form", "show", tmp_path / "mine.xlsx", "--lang", "zh").out
    assert "只在 q = a (Apple) 且 并非（q 选了 b (Banana)） 时" in chinese


def test_adding_makes_the_same_check(founded: Minyi, tmp_path: Path) -> None:
    path = file_of(tmp_path, STUCK)
    refused = founded("form", "add", path)
    assert refused.status == 1
    assert "nothing_satisfies" in refused.out
    assert "was not added" in refused.err
    assert founded("form", "list").out.startswith("None yet")
    kept = founded("form", "add", path, "--anyway")
    assert kept.status == 0
    assert "Added: T" in kept.out


def test_what_cannot_be_asked_is_not_added_anyway(founded: Minyi, tmp_path: Path) -> None:
    for survey in (BROKEN, f"{NAMES} | relevant\ntext | q | Q | nonsense()"):
        assert founded("form", "add", file_of(tmp_path, survey), "--anyway").status == 1
    assert founded("form", "list").out.startswith("None yet")


def test_a_refused_questionnaire_is_told_of_in_the_language_asked_for(
    founded: Minyi, tmp_path: Path
) -> None:
    path = file_of(tmp_path, f"{NAMES}\nselect_one nowhere | q | Q")
    for words in (("form", "show", path), ("form", "add", path), ("talk", path)):
        ran = founded(*words, "--lang", "zh")
        assert ran.status == 1
        said = ran.out + ran.err
        assert "choices 表里没有叫“nowhere”的选项表" in said
        assert "survey 表第 2 行" in said
        assert "改好以后" in said
        assert "List name not in" not in said
        english = founded(*words, "--lang", "en")
        assert "has no list called “nowhere”" in english.out + english.err


def test_adding_one_is_written_into_the_audit_once(minyi: Minyi) -> None:
    minyi("init")
    assert minyi("form", "add", QUESTIONNAIRES / "service.md").status == 0
    assert "Known already" in minyi("form", "add", QUESTIONNAIRES / "service.md").out
    ran = minyi("audit", "export", "audit.jsonl")
    assert ran.status == 0
    lines = Path("audit.jsonl").read_text("utf-8").splitlines()
    found = [line for line in map(json.loads, lines) if line["action"] == "questionnaire.added"]
    assert len(found) == 1
    assert "service.md" in str(found[0]["after"])
