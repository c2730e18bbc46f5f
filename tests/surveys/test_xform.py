from __future__ import annotations

import pytest

from surveys.forms.form import FormError, Group, Kind, Output, Repeat, Steps
from surveys.forms.xform import read_xform
from tests.surveys.forms import CHOICES, form_of

PAGE = (
    '<h:html xmlns:h="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms">'
    "<h:head><h:title>t</h:title><model>{model}</model></h:head><h:body>{body}</h:body></h:html>"
)
INSTANCE = "<instance><data id='a'>{inner}<q/></data></instance>"
BODY = "<input ref='/data/q'><label>Q</label></input>"


def page(inner: str = "", body: str = BODY, before: str = "", model: str = INSTANCE) -> bytes:
    return (before + PAGE.format(model=model.format(inner=inner), body=body)).encode()


def refusal(survey: str, choices: str = CHOICES) -> str:
    with pytest.raises(FormError) as caught:
        form_of(survey, choices)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["barcode", "geotrace", "geoshape", "background-audio", "audit"])
def test_a_kind_that_a_chat_cannot_ask_is_refused_or_left_out_with_a_warning(kind: str) -> None:
    name = "audit" if kind == "audit" else "odd"
    survey = f"type | name | label\ntext | q | Q\n{kind} | {name} | Odd?"
    if kind == "audit":
        assert [problem.code for problem in form_of(survey).warnings] == ["metadata_ignored"]
    else:
        assert f"“{kind}” has no place in a chat" in refusal(survey)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("decimal | q | Q |", Kind.DECIMAL),
        ("date | q | Q |", Kind.DATE),
        ("time | q | Q |", Kind.TIME),
        ("dateTime | q | Q |", Kind.DATETIME),
        ("geopoint | q | Q |", Kind.GEOPOINT),
        ("image | q | Q |", Kind.IMAGE),
        ("audio | q | Q |", Kind.AUDIO),
        ("video | q | Q |", Kind.VIDEO),
        ("file | q | Q |", Kind.FILE),
        ("range | q | Q | start=1 end=5 step=2", Kind.RANGE),
        ("acknowledge | q | Q |", Kind.ACKNOWLEDGE),
        ("rank ab | q | Q |", Kind.RANK),
        ("note | q | Q |", Kind.NOTE),
    ],
)
def test_every_kind_that_has_a_place_in_a_chat_is_read(row: str, kind: Kind) -> None:
    form = form_of(f"type | name | label | parameters\ntext | other | O |\n{row}")
    assert form.question("/data/q").kind is kind
    if kind is Kind.RANGE:
        assert form.question("/data/q").steps == Steps(1, 5, 2)


def test_repeats_and_groups_are_a_tree() -> None:
    form = form_of(
        "type | name | label | repeat_count | appearance\n"
        "begin_group | g | G | | field-list\nbegin_repeat | open | More | |\ntext | a | A | |\n"
        "end_repeat | | | |\nend_group | | | |\nbegin_repeat | three | Thrice | 3 |\n"
        "text | b | B | |\nend_repeat | | | |"
    )
    group, _, three = form.body  # between them stands the count that pyxform computes
    assert isinstance(group, Group)
    assert group.field_list
    (inner,) = group.children
    assert isinstance(inner, Repeat)
    assert inner.more is not None
    assert inner.more.kind is Kind.MORE
    assert isinstance(three, Repeat)
    assert (three.count, three.more) == (" /data/three_count ", None)
    assert [question.path for question in form.questions] == [
        "/data/g/open", "/data/g/open/a", "/data/three_count", "/data/three/b",
    ]  # fmt: skip
    assert form.question("/data/g/open[2]/a").name == "a"


def test_filters_and_shuffling_become_an_itemset() -> None:
    form = form_of(
        "type | name | label | choice_filter | parameters\nselect_one ab | p | P | |\n"
        "select_one ab | q | Q | name != ${p} | randomize=true, seed=7"
    )
    assert form.question("/data/p").itemset is None
    itemset = form.question("/data/q").itemset
    assert itemset is not None
    assert itemset.seed == "7"
    assert itemset.nodeset.startswith("instance('ab')/root\x2fitem[name != ")
    assert [choice.name for choice in form.question("/data/q").choices] == ["a", "b", "c"]


def test_two_reasons_of_one_name_in_different_groups_are_refused() -> None:
    told = refusal(
        "type | name | label | bind::minyi:reason\nbegin_group | g | G |\n"
        "select_one ab | q | Q | yes\nend_group | | |\nselect_one ab | q | Q | yes"
    )
    assert "/data/g/q" in told
    assert "/data/q" in told


def test_one_indicator_rated_twice_is_refused() -> None:
    told = refusal(
        "type | name | label | bind::minyi:indicator\n"
        "select_one grade | q | Q | i\nselect_one grade | r | R | i"
    )
    assert "“i”" in told


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("text", "indicator"),
        ("integer", "indicator"),
        ("select_multiple ab", "indicator"),
        ("text", "reason"),
        ("select_one ab", "remark"),
    ],
)
def test_open_words_are_never_counted_and_choices_never_published_as_remarks(
    kind: str, column: str
) -> None:
    told = refusal(f"type | name | label | bind::minyi:{column}\n{kind} | q | Q | yes")
    assert f"minyi:{column}" in told
    assert "/data/q" in told


@pytest.mark.parametrize("grades", ["0 1 2", "5 6", "good bad"])
def test_grades_that_the_tally_would_drop_silently_are_refused(grades: str) -> None:
    choices = "list_name | name | label" + "".join(f"\ns | {g} | L{g}" for g in grades.split())
    told = refusal("type | name | label | bind::minyi:indicator\nselect_one s | q | Q | i", choices)
    assert "1 to 5" in told


def test_device_and_session_metadata_never_become_questions() -> None:
    form = form_of(
        "type | name | label\nstart | s |\nend | e |\ndeviceid | d |\nusername | u |\n"
        "phonenumber | p |\ntoday | t |\ntext | q | Q"
    )
    assert [question.name for question in form.questions if question.asks] == ["q"]
    silent = [question for question in form.questions if not question.asks]
    assert {question.name: question.calculate for question in silent} == {
        "s": "once(now())", "e": "now()", "t": "today()", "d": None, "u": None, "p": None,
    }  # fmt: skip
    assert {problem.code for problem in form.warnings} == {"metadata_ignored"}


def test_a_group_has_its_own_condition() -> None:
    form = form_of(
        "type | name | label | relevant\ntext | a | A |\n"
        "begin_group | g | G | ${a} = '1'\ntext | q | Q | ${a} != '2'\nend_group | | |"
    )
    group = form.body[1]
    assert "'1'" in (group.relevant or "")
    assert "'2'" in (form.question("/data/g/q").relevant or "")


def test_a_language_left_out_falls_back_to_another() -> None:
    form = form_of(
        "type | name | label::中文 (zh) | label::English (en)\n"
        "text | q | 问 |\ntext | r | 再问 | Again",
        settings="form_title\nT",
    )
    assert form.languages == ("zh", "en")
    assert form.questions[0].label == {"zh": ("问",)}


def test_a_place_in_a_label_becomes_an_output() -> None:
    form = form_of("type | name | label\nhidden | who |\ntext | q | Hello ${who}, how?")
    assert form.question("/data/q").label[""] == ("Hello ", Output("/data/who"), ", how?")
    assert form.question("/data/who").kind is Kind.HIDDEN


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"", "not well-formed"),
        (b"<html/>", "no model"),
        (page(model=""), "no instance"),
        (page(model="<instance/>"), "no instance"),
        (page(body=""), "No question"),
    ],
)
def test_xml_that_is_no_xform_is_refused(source: bytes, told: str) -> None:
    with pytest.raises(FormError, match=told) as caught:
        read_xform(source, "f.xml")
    assert str(caught.value).startswith("f.xml: ")


def test_comments_and_processing_instructions_are_passed_over() -> None:
    form = read_xform(page("<?php evil()?><!-- hm -->"), "f.xml")
    assert [question.path for question in form.questions] == ["/data/q"]


def bomb(levels: int) -> str:
    entities = ['<!ENTITY e0 "aaaaaaaaaa">']
    entities += [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, levels)]
    return f"<!DOCTYPE x [{''.join(entities)}]>"


@pytest.mark.parametrize(
    "source",
    [
        page("&e8;", before=bomb(9)),
        page(body="<input ref='/data/q'><label>&e1;</label></input>", before=bomb(2)),
        page(before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', inner="&e;"),
        page(before="<!DOCTYPE x []>"),
    ],
)
def test_entities_are_refused_whatever_they_would_become(source: bytes) -> None:
    with pytest.raises(FormError):
        read_xform(source, "f.xml")
