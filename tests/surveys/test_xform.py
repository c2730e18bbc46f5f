from __future__ import annotations

import pytest

from surveys.form import FormError, Kind, Output
from surveys.xform import read_xform
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


@pytest.mark.parametrize(
    "kind", ["decimal", "date", "geopoint", "image", "range", "acknowledge", "rank ab", "barcode"]
)
def test_a_kind_that_a_chat_cannot_ask_is_refused_with_those_it_can(kind: str) -> None:
    told = refusal(f"type | name | label\n{kind} | odd | Odd?")
    assert told.startswith("t.md: question /data/odd ")
    assert "select_one" in told


def test_a_repeat_is_refused() -> None:
    told = refusal("type | name | label\nbegin_repeat | g | G\ntext | q | Q\nend_repeat | |")
    assert "/data/g/q" in told


@pytest.mark.parametrize("column", ["choice_filter | name != 'a'", "parameters | randomize=true"])
def test_filtered_and_shuffled_choices_are_refused(column: str) -> None:
    name, value = column.split(" | ")
    told = refusal(f"type | name | label | {name}\nselect_one ab | q | Q | {value}")
    assert "Remove the filter" in told
    assert "/data/q" in told


def test_two_questions_of_one_name_in_different_groups_are_refused() -> None:
    told = refusal(
        "type | name | label\nbegin_group | g | G\ntext | q | Q\nend_group | |\ntext | q | Q"
    )
    assert "/data/g/q" in told
    assert "/data/q" in told


def test_one_indicator_rated_twice_is_refused() -> None:
    told = refusal(
        "type | name | label | bind::minyi:indicator\n"
        "select_one grade | q | Q | i\nselect_one grade | r | R | i"
    )
    assert "'i' stands at" in told


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
    assert [question.name for question in form.questions] == ["q"]


def test_conditions_of_groups_come_before_a_questions_own() -> None:
    form = form_of(
        "type | name | label | relevant\ntext | a | A |\n"
        "begin_group | g | G | ${a} = '1'\ntext | q | Q | ${a} != '2'\nend_group | | |"
    )
    outer, own = form.question("/data/g/q").relevant
    assert "'1'" in outer
    assert "'2'" in own


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
        (page(model="<instance/>"), "instance is empty"),
        (page(body=""), "no question"),
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
