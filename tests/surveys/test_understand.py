from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.form import Question
from surveys.understand import TEXT_LIMIT, Trouble, fold, understand, whole_number
from tests.surveys.forms import form_of, shipped

FORM = form_of(
    "type | name | label\ntext | words | W\ninteger | number | N\n"
    "select_one ab | one | O\nselect_multiple many | several | S\nselect_one faces | face | F",
    "list_name | name | label\nab | a | Apple\nab | b | Banana\nab | c | Cherry\n"
    "faces | up | 😀\nfaces | down | 😞\n" + "\n".join(f"many | m{n} | Fruit {n}" for n in "ABCD"),
)
LONG = form_of(
    "type | name | label\nselect_multiple many | several | S",
    "list_name | name | label\n" + "\n".join(f"many | m{n} | 第{n}项" for n in range(1, 15)),
)


def of(name: str) -> Question:
    return FORM.question(f"/data/{name}")


def trouble(question: Question, words: str) -> str:
    found = understand(question, words)
    assert isinstance(found, Trouble), found
    return found.key


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("12", 12), ("１２", 12), (" 12 ", 12), ("①", 1), ("⑫", 12), ("-5", -5), ("+5", 5),
        ("1,200", 1200), ("１，２００", 1200), ("十二", 12), ("十", 10), ("二十", 20), ("两", 2),
        ("一百零五", 105), ("一百一十", 110), ("两千", 2000), ("两千三百", 2300),
        ("两千零三十", 2030), ("一千二百三十四", 1234), ("零", 0), ("〇", 0), ("二〇二六", 2026),
    ],
)  # fmt: skip
def test_a_number_is_read_in_every_way_people_write_it(words: str, number: int) -> None:
    assert whole_number(words) == number


@pytest.mark.parametrize(
    "words", ["", "三百五", "三千五", "十十", "百千", "一万", "1.5", "1,2", "12,34", "二十个", "½"]
)
def test_what_may_mean_two_numbers_or_none_is_not_guessed(words: str) -> None:
    assert whole_number(words) is None


@given(st.integers(-(10**9), 10**9))
def test_every_whole_number_is_read_back(number: int) -> None:
    wide = str(number).translate(str.maketrans("0123456789-", "０１２３４５６７８９－"))
    assert whole_number(str(number)) == whole_number(wide) == whole_number(f"{number:,}") == number


@given(st.integers(1, 9999))
def test_chinese_numbers_written_in_full_are_read_back(number: int) -> None:
    assert whole_number(chinese(number)) == number


def chinese(number: int) -> str:
    said, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            said += ("零" if gap and said else "") + "零一二三四五六七八九"[digit] + name
        gap = not digit
    return said


@pytest.mark.parametrize("words", ["99999999999", "2147483648", "many", "", "😀"])
def test_an_integer_question_says_when_it_reads_none(words: str) -> None:
    assert trouble(of("number"), words) == "not_a_number"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Apple", "a"), ("  apple! ", "a"), ("ＡＰＰＬＥ", "a"), ("b", "b"), ("3", "c"),
        ("３", "c"), ("③", "c"), ("三", "c"), ("“Cherry”", "c"),
    ],
)  # fmt: skip
def test_a_choice_is_understood_by_label_place_or_name(words: str, name: str) -> None:
    assert understand(of("one"), words) == name


@pytest.mark.parametrize("words", ["", "0", "4", "12", "apples", "😀", "\x00", "Apple Banana"])
def test_anything_else_is_no_choice(words: str) -> None:
    assert trouble(of("one"), words) == "not_a_choice"


def test_a_button_that_is_all_emoji_can_be_typed() -> None:
    assert understand(of("face"), "😞") == "down"
    assert trouble(of("face"), "🙂") == "not_a_choice"


@pytest.mark.parametrize("words", ["5", "1", "５", "①", "三", "十二", "4.", "(2)", "-1"])
def test_a_bare_number_on_a_rating_is_asked_back(words: str) -> None:
    assert trouble(shipped("service").question("/data/overall"), words) == "which_grade"


@pytest.mark.parametrize("words", ["非常满意", "VERY SATISFIED", "very satisfied.", "「非常满意」"])
def test_a_rating_is_understood_in_both_languages(words: str) -> None:
    assert understand(shipped("service").question("/data/overall"), words) == "5"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("Fruit A", "mA"), ("fruit b, Fruit A", "mA mB"), ("Fruit D；Fruit B、fruit a", "mA mB mD"),
        ("1,3", "mA mC"), ("1 3", "mA mC"), ("４，１", "mA mD"), ("2,2,2", "mB"),
        ("mc ma", "mA mC"),
        ("Fruit A\nFruit C\n", "mA mC"),
    ],
)  # fmt: skip
def test_several_choices_are_understood_as_a_list(words: str, names: str) -> None:
    assert understand(of("several"), words) == names


@pytest.mark.parametrize("words", ["", " , ", "Fruit A, pear", "5", "1,9", "Fruit"])
def test_a_list_with_a_stranger_in_it_is_asked_again(words: str) -> None:
    assert trouble(of("several"), words) == "not_choices"


def test_one_comma_two_is_two_choices_even_where_there_is_a_twelfth() -> None:
    assert understand(LONG.questions[0], "1,2") == "m1 m2"
    assert understand(LONG.questions[0], "12") == "m12"
    assert understand(LONG.questions[0], "十二") == "m12"


def test_words_up_to_the_limit_are_kept_whole_and_longer_ones_are_told_their_length() -> None:
    longest = "字" * (TEXT_LIMIT - 1) + "😀"
    assert understand(of("words"), longest) == longest
    found = understand(of("words"), longest + "!!")
    assert found == Trouble("too_long", {"limit": TEXT_LIMIT, "length": TEXT_LIMIT + 2})


def test_line_breaks_stay_and_what_no_database_holds_goes() -> None:
    said = "\x00 第一行\r\n第二行\t\x1b[31m\x85 \ud800\ufffe\uffff"
    assert understand(of("words"), said) == "第一行\n第二行[31m"


@pytest.mark.parametrize("words", ["", "   ", "\x00", " \x07 ", "\n\n"])
def test_nothing_but_blanks_is_no_text(words: str) -> None:
    assert trouble(of("words"), words) == "not_text"


@given(st.text(), st.sampled_from(FORM.questions))
def test_no_words_are_too_strange(words: str, question: Question) -> None:
    found = understand(question, words)
    assert isinstance(found, Trouble) or found
    assert fold(fold(words)) == fold(words)
