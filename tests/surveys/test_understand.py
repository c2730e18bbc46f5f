from __future__ import annotations

import re
import string
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from surveys.forms.form import Choice, Kind, Question, Steps
from surveys.typed.picking import slipped
from surveys.typed.places import read_place
from surveys.typed.understand import TEXT_LIMIT, Trouble, fold, understand
from surveys.words import Words

NOW = datetime.fromisoformat("2026-11-25T10:20:33+08:00")  # a Wednesday


def offered(*rows: str) -> tuple[Choice, ...]:
    """Each row is ``name = 中文 / English``."""
    made = []
    for row in rows:
        name, _, label = row.partition(" = ")
        texts = label.split(" / ")
        languages = ("zh", "en") if len(texts) > 1 else ("",)
        made.append(Choice(name, dict(zip(languages, texts, strict=True))))
    return tuple(made)


GRADES = offered(
    "5 = 非常满意 / Very satisfied", "4 = 满意 / Satisfied", "3 = 基本满意 / Fairly satisfied",
    "2 = 不满意 / Dissatisfied", "1 = 非常不满意 / Very dissatisfied", "na = 说不好 / Hard to say",
)  # fmt: skip
ANSWERS = offered("yes = 是 / Yes", "no = 否 / No", "dk = 不知道 / Don't know")
FRUIT = offered(
    "a = 苹果 / Apple", "b = 香蕉 / Banana", "c = 樱桃 / Cherry", "d = 米和面 / Rice, bread"
)
NONE = offered("none = 都没有 / None of these")
TIMES = offered("x = 1-2 次", "y = 3-5 次", "z = 6 次以上")
SCORES = offered(*(f"n{n} = {n}" for n in range(11)))
MANY = offered(*(f"m{n} = 选项{chr(64 + n)}" for n in range(1, 15)))
SEEN = offered("OK = 知道了 / OK")
ANOTHER = offered("1 = 再添一个 / Add another", "0 = 没有了 / No more")


def said(kind: Kind, words: str, choices: Sequence[Choice] = (), **more: Any) -> str | Trouble:
    return understand(Question("/data/q", kind, **more), words, choices, NOW)


def trouble(kind: Kind, words: str, choices: Sequence[Choice] = (), **more: Any) -> str:
    found = said(kind, words, choices, **more)
    assert isinstance(found, Trouble), found
    return found.key


# ---- text


def test_words_up_to_the_limit_are_kept_whole_and_longer_ones_are_told_their_length() -> None:
    longest = "字" * (TEXT_LIMIT - 1) + "😀"
    assert said(Kind.TEXT, longest) == longest
    found = said(Kind.TEXT, longest + "!!")
    assert found == Trouble("too_long", {"limit": TEXT_LIMIT, "length": TEXT_LIMIT + 2})


def test_line_breaks_stay_and_what_no_database_holds_goes() -> None:
    words = "\x00 第一行\r\n第二行\t\x1b[31m\x85 \ud800\ufffe\uffff"
    assert said(Kind.TEXT, words) == "第一行\n第二行[31m"


@pytest.mark.parametrize("words", ["", "   ", "\x00", " \x07 ", "\n\n"])
def test_nothing_but_blanks_is_no_text(words: str) -> None:
    assert trouble(Kind.TEXT, words) == "not_text"


# ---- numbers


@pytest.mark.parametrize(
    ("words", "value"),
    [("12", "12"), ("１２", "12"), ("三", "3"), ("3个", "3"), ("12 岁", "12"), ("-5", "-5"),
     ("12.0", "12"), ("two hundred and five", "205"), ("⑫", "12"), ("2147483647", "2147483647"),
     ("007", "7"), ("-2147483647", "-2147483647")],
)  # fmt: skip
def test_an_integer_question_reads_whole_numbers(words: str, value: str) -> None:
    assert said(Kind.INTEGER, words) == value


@pytest.mark.parametrize("words", ["many", "", "😀", "1.5", "3 or 4", "一个半", "1,5", "x" * 999])
def test_an_integer_question_says_when_it_reads_none(words: str) -> None:
    assert trouble(Kind.INTEGER, words) == "not_a_number"


@pytest.mark.parametrize("words", ["99999999999", "2147483648", "-2147483648", "一千亿"])
def test_a_number_beyond_what_can_be_kept_is_said_to_be_so(words: str) -> None:
    assert said(Kind.INTEGER, words) == Trouble("number_too_large", {"limit": 2**31 - 1})


def test_a_number_with_two_readings_is_asked_back() -> None:
    either = Trouble("either", {"one": "305", "other": "350"})
    assert said(Kind.INTEGER, "三百五") == said(Kind.DECIMAL, "三百五") == either


def test_a_number_in_another_unit_than_the_question_speaks_of_is_not_taken() -> None:
    minutes = {"zh": ("等了多少分钟？",), "en": ("How many minutes?",)}
    assert said(Kind.INTEGER, "20分钟", label=minutes) == "20"
    assert said(Kind.INTEGER, "20 minutes", label=minutes) == "20"
    assert trouble(Kind.INTEGER, "2小时", label=minutes) == "not_a_number"
    assert trouble(Kind.INTEGER, "2 hours", label=minutes) == "not_a_number"


@pytest.mark.parametrize(
    ("words", "value"),
    [("1.5", "1.5"), ("三点五", "3.5"), ("半", "0.5"), ("一个半", "1.5"), ("1,234.5", "1234.5"),
     ("-0.0", "0"), ("1.50", "1.5"), ("12", "12"), ("0.000001", "0.000001")],
)  # fmt: skip
def test_a_decimal_question_reads_parts(words: str, value: str) -> None:
    assert said(Kind.DECIMAL, words) == value


@pytest.mark.parametrize(
    "words", ["百分之五", "1e5", "5%", "half of it", "一半", "∞", "nan", "-inf", ""]
)
def test_a_decimal_question_says_when_it_reads_none(words: str) -> None:
    assert trouble(Kind.DECIMAL, words) == "not_a_decimal"


def test_a_decimal_comma_is_asked_back_with_the_point_in_place() -> None:
    assert said(Kind.DECIMAL, "1,5") == Trouble("decimal_comma", {"example": "1.5"})
    assert said(Kind.DECIMAL, "1，25") == Trouble("decimal_comma", {"example": "1.25"})
    assert said(Kind.DECIMAL, "1,250") == "1250"


@pytest.mark.parametrize(
    ("words", "value"),
    [("5", "5"), ("五", "5"), ("⑩", "10"), ("7分", "7"), ("8 points", "8"), ("1.0", "1")],
)
def test_a_range_takes_its_own_numbers(words: str, value: str) -> None:
    assert said(Kind.RANGE, words, steps=Steps(1, 10, 1)) == value


@pytest.mark.parametrize("words", ["0", "11", "5.5", "-3", "high", "", "3-4"])
def test_a_range_says_from_where_to_where(words: str) -> None:
    told = Trouble("off_range", {"start": "1", "end": "10", "step": "1"})
    assert said(Kind.RANGE, words, steps=Steps(1, 10, 1)) == told


@given(st.integers(-40, 40), st.integers(1, 40), st.sampled_from(["0.1", "0.25", "0.5", "1", "3"]))
def test_every_step_of_a_range_can_be_typed_and_nothing_between(
    start: int, count: int, step: str
) -> None:
    steps = Steps(float(start), float(start + count * Decimal(step)), float(step))
    for at in range(count + 1):
        number = start + at * Decimal(step)
        found = said(Kind.RANGE, str(number), steps=steps)
        assert isinstance(found, str)
        assert Decimal(found) == number
        between = number + Decimal(step) / 2
        assert trouble(Kind.RANGE, str(between), steps=steps) == "off_range"


def test_a_range_with_buttons_gives_the_name_of_the_button() -> None:
    halves = (*offered("0.0 = 0"), *offered("0.5 = 0.5"), *offered("1.0 = 1"))
    assert said(Kind.RANGE, "1", halves, steps=Steps(0, 1, 0.5)) == "1.0"
    assert said(Kind.RANGE, "半", halves, steps=Steps(0, 1, 0.5)) == "0.5"


# ---- one choice


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Apple", "a"), ("  apple! ", "a"), ("ＡＰＰＬＥ", "a"), ("b", "b"), ("3", "c"),
        ("３", "c"),
        ("③", "c"), ("三", "c"), ("“Cherry”", "c"), ("第三个", "c"), ("3rd", "c"),
        ("3. cherry", "c"),
        ("3、樱桃", "c"), ("香蕉", "b"), ("我选香蕉", "b"), ("I choose banana", "b"),
        ("an apple", "a"),
        ("选2", "b"), ("option 2", "b"), ("bannana", "b"),
        ("chrery", "c"), ("ban", "b"), ("rice", "d"), ("米和", "d"), ("苹果吧", "a"),
    ],
)  # fmt: skip
def test_a_choice_is_understood_by_label_place_or_name(words: str, name: str) -> None:
    assert said(Kind.SELECT_ONE, words, FRUIT) == name


@pytest.mark.parametrize(
    "words",
    ["", "0", "5", "12", "-1", "+1", "1.5", "😀", "\x00", "Apple Banana", "not apple", "no apple",
     "2. cherry",
     "1-2", "2 or 3", "不要苹果", "x" * 5000, "an", "樱", "the third"],
)  # fmt: skip
def test_anything_else_is_no_choice(words: str) -> None:
    assert trouble(Kind.SELECT_ONE, words, FRUIT) == "not_a_choice"


@pytest.mark.parametrize(
    ("words", "name"),
    [("5", "5"), ("①", "1"), ("三", "3"), ("４", "4"), ("4.", "4"), ("(2)", "2"), ("5分", "5"),
     ("4 stars", "4"), ("四星", "4"), ("5 非常满意", "5"), ("1. very dissatisfied", "1"),
     ("打3分", "3"),
     ("非常满意", "5"), ("VERY SATISFIED", "5"), ("very satisfied.", "5"), ("「非常满意」", "5"),
     ("满意", "4"), ("滿意", "4"), ("非常滿意", "5"), ("我选满意", "4"), ("I'd say satisfied", "4"),
     ("dissatisfied", "2"), ("satisfed", "4"), ("disatisfied", "2"), ("说不好", "na"),
     ("hard to", "na")],
)  # fmt: skip
def test_a_rating_is_understood_by_the_number_on_its_button_and_by_label(
    words: str, name: str
) -> None:
    assert said(Kind.SELECT_ONE, words, GRADES, indicator="overall") == name


@pytest.mark.parametrize(
    "words",
    ["6", "0", "-1", "十二", "5 or 4", "4 非常满意", "5/4", "第5个", "4.5", "4-5", "5%",
     "不太满意", "是", "yes",
     "很不满意", "not satisfied", "un satisfied", "unsatisfied"],
)  # fmt: skip
def test_a_grade_is_never_guessed(words: str) -> None:
    assert trouble(Kind.SELECT_ONE, words, GRADES, indicator="overall") == "not_a_choice"


@pytest.mark.parametrize(
    ("words", "indices"),
    [("不满", (3, 4)), ("very", (0, 4)), ("非常", (0, 4)), ("satis", (0, 1, 2))],
)
def test_words_that_fit_several_labels_tell_which(words: str, indices: tuple[int, ...]) -> None:
    several = Trouble("several", {"indices": indices})
    assert said(Kind.SELECT_ONE, words, GRADES, indicator="overall") == several


def test_part_of_a_label_is_not_taken_where_what_it_leaves_out_negates_it() -> None:
    ways = offered("a = 不考虑 / Would not consider", "b = 立刻买 / Buy at once")
    assert trouble(Kind.SELECT_ONE, "考虑", ways) == "not_a_choice"
    assert trouble(Kind.SELECT_ONE, "consider", ways) == "not_a_choice"
    assert said(Kind.SELECT_ONE, "不考", ways) == "a"
    assert said(Kind.SELECT_ONE, "at once", ways) == "b"


@pytest.mark.parametrize(
    "words",
    ["yes", "y", "yep", "ok", "YES!", "是", "是的", "对", "有", "好", "嗯", "没错", "可以", "👍"],
)
def test_yes_is_understood_in_many_words(words: str) -> None:
    assert said(Kind.SELECT_ONE, words, ANSWERS) == "yes"


@pytest.mark.parametrize(
    "words", ["no", "n", "nope", "No.", "否", "不", "没有", "不是", "没", "👎"]
)
def test_no_is_understood_in_many_words(words: str) -> None:
    assert said(Kind.SELECT_ONE, words, ANSWERS) == "no"


def test_yes_and_no_need_one_choice_each() -> None:
    assert said(Kind.SELECT_ONE, "对", offered("1 = 有", "0 = 没有")) == "1"
    assert said(Kind.SELECT_ONE, "不", offered("1 = 有", "0 = 没有")) == "0"
    assert trouble(Kind.SELECT_ONE, "对", offered("a = 有", "b = 会", "c = 没有")) == "not_a_choice"
    assert trouble(Kind.SELECT_ONE, "yes", FRUIT) == "not_a_choice"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("4", "y"),
        ("6", "z"),
        ("3-5", "y"),
        ("3-5次", "y"),
        ("３－５ 次", "y"),
        ("6次以上", "z"),
        ("1", "x"),
    ],
)
def test_a_number_beside_labels_with_numbers_is_the_labels(words: str, expected: str) -> None:
    assert said(Kind.SELECT_ONE, words, TIMES) == expected


def test_a_number_in_one_label_and_at_the_place_of_another_is_asked_back() -> None:
    assert said(Kind.SELECT_ONE, "3", TIMES) == Trouble("which_grade", {"indices": (1, 2)})
    assert said(Kind.SELECT_ONE, "2", TIMES) == Trouble("which_grade", {"indices": (0, 1)})
    assert trouble(Kind.SELECT_ONE, "7", TIMES) == "not_a_choice"


def test_a_number_that_is_a_whole_label_is_that_choice() -> None:
    for number in range(11):
        assert said(Kind.SELECT_ONE, str(number), SCORES) == f"n{number}"
    assert said(Kind.SELECT_ONE, "十", SCORES) == "n10"
    assert trouble(Kind.SELECT_ONE, "11", SCORES) == "not_a_choice"


def test_names_that_are_numbers_are_taken_only_where_they_agree_with_the_place() -> None:
    straight, turned = offered("1 = 甲", "2 = 乙"), offered("0 = 否", "1 = 是")
    assert said(Kind.SELECT_ONE, "1", straight) == "1"
    assert said(Kind.SELECT_ONE, "1", turned) == Trouble("which_grade", {"indices": (0, 1)})
    assert said(Kind.SELECT_ONE, "0", turned) == "0"
    downwards = offered("3 = 好", "2 = 中", "1 = 差")
    assert said(Kind.SELECT_ONE, "2", downwards) == "2"
    assert trouble(Kind.SELECT_ONE, "3", downwards) == "which_grade"


def test_signs_that_tell_labels_apart_are_minded() -> None:
    marks = offered("p = A+", "q = A", "r = A-")
    assert [said(Kind.SELECT_ONE, words, marks) for words in ("a+", "A", "A-")] == ["p", "q", "r"]
    bounds = offered("low = <5", "mid = 5-10", "high = >10")
    assert said(Kind.SELECT_ONE, "<5", bounds) == "low"
    assert said(Kind.SELECT_ONE, ">10", bounds) == "high"
    assert said(Kind.SELECT_ONE, "5", bounds) == "mid"


def test_chinese_numerals_in_words_are_no_numbers() -> None:
    scale = offered("a = 很好", "b = 一般", "c = 十分差")
    assert said(Kind.SELECT_ONE, "一", scale) == said(Kind.SELECT_ONE, "1", scale) == "a"
    assert said(Kind.SELECT_ONE, "2", scale) == "b"
    assert said(Kind.SELECT_ONE, "一般", scale) == "b"


def test_chinese_numerals_in_labels_are_minded_where_they_are_numbers() -> None:
    for labels in (("a = 二号窗口", "b = 一号窗口"), ("a = 第二食堂", "b = 第一食堂")):
        assert said(Kind.SELECT_ONE, "1", offered(*labels)) == "b"
        assert said(Kind.SELECT_ONE, "二", offered(*labels)) == "a"
    turned = offered("a = 窗口二", "b = 窗口一")
    assert said(Kind.SELECT_ONE, "1", turned) == Trouble("which_grade", {"indices": (0, 1)})
    assert said(Kind.SELECT_ONE, "2", offered("a = 窗口一", "b = 窗口二")) == "b"


def test_a_button_that_is_all_emoji_can_be_typed() -> None:
    faces = offered("up = 😀", "down = 😞")
    assert said(Kind.SELECT_ONE, "😞", faces) == "down"
    assert trouble(Kind.SELECT_ONE, "🙂", faces) == "not_a_choice"


def test_two_choices_with_the_same_label_are_asked_back() -> None:
    twice = offered("a = 王芳", "b = 王芳", "c = 李明")
    assert said(Kind.SELECT_ONE, "王芳", twice) == Trouble("several", {"indices": (0, 1)})


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [("bananna", "banana", True), ("bnaana", "banana", True), ("bananas", "banana", True),
     ("banana", "banana", False), ("banna", "banana", True), ("bana", "banana", False),
     ("satisfied", "dissatisfied", False), ("likely", "unlikely", False), ("", "", False)],
)  # fmt: skip
def test_a_slip_is_one_letter(one: str, other: str, near: bool) -> None:
    assert slipped(one, other) is slipped(other, one) is near


LABEL = st.text(
    st.sampled_from("不很非常满意好差一二三3五0-<>+. 。,，AaBbcd😀次以上"), min_size=1, max_size=6
).filter(str.strip)


@given(st.lists(LABEL, min_size=2, max_size=6), st.data())
def test_a_typed_label_is_always_its_choice_or_one_that_cannot_be_told_from_it(
    labels: list[str], data: st.DataObject
) -> None:
    choices = tuple(Choice(f"c{at}x", {"": label}) for at, label in enumerate(labels))
    at = data.draw(st.integers(0, len(labels) - 1))
    found = said(Kind.SELECT_ONE, labels[at], choices)
    if isinstance(found, Trouble):
        assert found.key in {"several", "which_grade"}
        assert at in found.arguments["indices"]  # type: ignore[operator]
    else:
        same = labels[int(found[1:-1])]
        assert same == labels[at] or fold(same) == fold(labels[at])
        assert same == labels[at] or labels.count(labels[at]) > 1 or found == f"c{at}x"


@given(
    st.sampled_from(["zh", "en"]),
    st.integers(0, 5),
    st.sampled_from(["{}", " {} ", "{}。", "“{}”"]),
)
def test_every_label_of_a_rating_works_in_each_language(language: str, at: int, way: str) -> None:
    words = way.format(GRADES[at].label[language])
    assert said(Kind.SELECT_ONE, words, GRADES, indicator="x") == GRADES[at].name
    assert said(Kind.SELECT_ONE, words.upper(), GRADES) == GRADES[at].name


# ---- several choices


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("apple", "a"), ("apple, banana", "a b"), ("Cherry；Banana、apple", "a b c"),
        ("1,3", "a c"),
        ("1 3", "a c"), ("４，１", "a d"), ("2,2,2", "b"), ("c a", "a c"),
        ("Apple\nCherry\n", "a c"),
        ("苹果和香蕉", "a b"), ("苹果 和 樱桃", "a c"), ("米和面", "d"), ("米和面和苹果", "a d"),
        ("apple and cherry", "a c"), ("apple+banana", "a b"), ("Rice, bread", "d"),
        ("rice, bread, apple", "a d"), ("134", "a c d"), ("431", "a c d"), ("①③", "a c"),
        ("app, che", "a c"),
        ("all", "a b c d"), ("全部", "a b c d"), ("都", "a b c d"), ("1、苹果", "a"),
        ("苹果，", "a"),
        ("一和三", "a c"), ("一、三", "a c"), ("apple banana cherry", "a b c"),
    ],
)  # fmt: skip
def test_several_choices_are_understood_as_a_list(words: str, names: str) -> None:
    assert said(Kind.SELECT_MULTIPLE, words, FRUIT) == names


@pytest.mark.parametrize(
    ("words", "part"),
    [("apple, pear", "pear"), ("5", "5"), ("1,9", "9"), ("11", "11"), ("15", "15"), ("1-3", "1-3"),
     ("none", "none"), ("没有", "没有"), ("不要苹果", "不要苹果"),
     ("apple, not banana", "not banana")],
)  # fmt: skip
def test_what_is_not_among_the_choices_is_named(words: str, part: str) -> None:
    assert said(Kind.SELECT_MULTIPLE, words, FRUIT) == Trouble("not_among", {"part": part})


@pytest.mark.parametrize("words", ["", " , ", "、", "x" * 2000, "1 " * 90])
def test_an_empty_list_is_asked_again(words: str) -> None:
    assert trouble(Kind.SELECT_MULTIPLE, words, FRUIT) == "not_choices"


@pytest.mark.parametrize("words", ["none", "没有", "都没有", "以上都没有", "None of these", "5"])
def test_none_is_a_choice_only_where_there_is_one(words: str) -> None:
    assert said(Kind.SELECT_MULTIPLE, words, FRUIT + NONE) == "none"


def test_all_leaves_out_what_nobody_means_by_it() -> None:
    choices = FRUIT + offered("other = 其他 / Other", "dk = 不知道 / Don't know") + NONE
    assert said(Kind.SELECT_MULTIPLE, "都选", choices) == "a b c d"
    assert said(Kind.SELECT_MULTIPLE, "ALL", choices) == "a b c d"
    whole = (*FRUIT, *offered("every = 全部 / All"))
    assert said(Kind.SELECT_MULTIPLE, "全部", whole) == "every"


def test_one_comma_two_is_two_choices_even_where_there_is_a_twelfth() -> None:
    assert said(Kind.SELECT_MULTIPLE, "1,2", MANY) == "m1 m2"
    assert said(Kind.SELECT_MULTIPLE, "12", MANY) == "m12"
    assert said(Kind.SELECT_MULTIPLE, "十二", MANY) == "m12"
    assert trouble(Kind.SELECT_MULTIPLE, "123", MANY) == "not_among"


@given(st.lists(st.sampled_from(range(4)), min_size=1, max_size=4, unique=True), st.data())
def test_any_list_of_labels_with_any_mark_between_is_read(
    chosen: list[int], data: st.DataObject
) -> None:
    mark = data.draw(
        st.sampled_from([", ", "，", "、", "；", "\n", " ", " and ", "和", "+", " / "])
    )
    language = data.draw(st.sampled_from(["zh", "en"]))
    words = mark.join(FRUIT[at].label[language] for at in chosen)
    expected = " ".join(FRUIT[at].name for at in sorted(chosen))
    assert said(Kind.SELECT_MULTIPLE, words, FRUIT) == expected


# ---- an order


@pytest.mark.parametrize(
    ("words", "names"),
    [("3,1,2", "c a b"), ("B > A > C", "b a c"), ("樱桃、香蕉、苹果", "c b a"), ("312", "c a b"),
     ("banana then apple then cherry", "b a c"), ("Apple→Banana→Cherry", "a b c"),
     ("1\n3\n2", "a c b"), ("香蕉，然后苹果，再樱桃", "b a c"),
     ("2 1 3", "b a c")],
)  # fmt: skip
def test_an_order_is_read_first_to_last(words: str, names: str) -> None:
    assert said(Kind.RANK, words, FRUIT[:3]) == names


def test_an_order_that_leaves_something_out_is_told_what() -> None:
    found = said(Kind.RANK, "3,1", FRUIT[:3])
    assert found == Trouble("rank_missing", {"missing": "Banana", "indices": (1,)})
    found = said(Kind.RANK, "苹果", FRUIT[:3])
    assert found == Trouble("rank_missing", {"missing": "香蕉 / 樱桃", "indices": (1, 2)})


def test_an_order_names_each_choice_once() -> None:
    assert trouble(Kind.RANK, "3,3,1", FRUIT[:3]) == "ranked_twice"
    assert said(Kind.RANK, "apple, pear", FRUIT[:3]) == Trouble("not_among", {"part": "pear"})


@given(st.permutations(range(4)), st.sampled_from([", ", " > ", "、", "\n", " "]))
def test_every_order_is_read_back(order: list[int], mark: str) -> None:
    names = " ".join(FRUIT[at].name for at in order)
    assert said(Kind.RANK, mark.join(FRUIT[at].label["en"] for at in order), FRUIT) == names
    assert said(Kind.RANK, mark.join(str(at + 1) for at in order), FRUIT) == names


# ---- dates, places, files, and the small questions


def test_values_are_written_as_odk_keeps_them() -> None:
    assert said(Kind.DATE, "昨天") == "2026-11-24"
    assert said(Kind.DATE, "Nov 2026", appearance="month-year") == "2026-11-01"
    assert said(Kind.TIME, "下午两点半") == "14:30:00"
    assert said(Kind.TIME, "now") == "10:20:00"
    assert said(Kind.DATETIME, "昨天下午两点半") == "2026-11-24T14:30:00"
    assert said(Kind.DATETIME, "now") == "2026-11-25T10:20:00"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("39.9042, 116.4074", "39.9042 116.4074"), ("39.9042，116.4074", "39.9042 116.4074"),
        ("(39.9042, 116.4074)", "39.9042 116.4074"), ("北纬39.9 东经116.4", "39.9 116.4"),
        ("北纬39.9，东经116.4", "39.9 116.4"), ("北纬39.9东经116.4", "39.9 116.4"),
        ("东经116.4 北纬39.9", "39.9 116.4"), ("纬度：39.9 经度：116.4", "39.9 116.4"),
        ("39.9N 116.4E", "39.9 116.4"), ("N39.9 E116.4", "39.9 116.4"),
        ("33.86S, 151.2E", "-33.86 151.2"),
        ("-33.86 151.2", "-33.86 151.2"), ("116.4074,39.9042", "39.9042 116.4074"),
        ("39°54'15\"N 116°24'27\"E", "39.9041667 116.4075"),
        ("北纬39度54分 东经116度24分", "39.9 116.4"),
        ("39.9 116.4 43.5 10", "39.9 116.4"), ("lat 39.9, lon 116.4", "39.9 116.4"),
        ("0.0, 0.0", "0 0"),
    ],
)  # fmt: skip
def test_coordinates_as_people_write_them(words: str, value: str) -> None:
    assert said(Kind.GEOPOINT, words) == f"{value} 0 0"


@pytest.mark.parametrize(
    "words",
    ["", "Beijing", "39 116", "39.9", "95.5, 99.5", "39.9, 181.5", "39.9N 116.4N",
     "39°75'N 116°E", "3,4",
     "-39.9S 116.4E", "39.9, 116.4, 5", "x" * 999, "39.9.1, 116", "北纬95 东经116"],
)  # fmt: skip
def test_what_is_no_place_on_earth_is_not_taken(words: str) -> None:
    assert trouble(Kind.GEOPOINT, words) == "not_a_place"


@given(st.decimals(-90, 90, places=6), st.decimals(-180, 180, places=6))
def test_every_place_is_read_back(latitude: Decimal, longitude: Decimal) -> None:
    found = read_place(f"{latitude}, {longitude}")
    assert isinstance(found, str)
    assert list(map(Decimal, found.split())) == [latitude, longitude, 0, 0]
    north, east = "S" if latitude < 0 else "N", "W" if longitude < 0 else "E"
    assert read_place(f"{abs(latitude)}{north} {abs(longitude)}{east}") == found


@pytest.mark.parametrize(
    "words", ["ok", "OK!", "好", "好的", "知道了", "明白", "收到", "yes", "👍", "1"]
)
def test_a_note_is_acknowledged_in_many_words(words: str) -> None:
    assert said(Kind.ACKNOWLEDGE, words, SEEN) == "OK"


@pytest.mark.parametrize("words", ["", "no", "不", "什么", "2"])
def test_anything_else_is_no_acknowledgement(words: str) -> None:
    assert trouble(Kind.ACKNOWLEDGE, words, SEEN) == "not_acknowledged"


@pytest.mark.parametrize(
    ("words", "value"),
    [("yes", "1"), ("有", "1"), ("还有", "1"), ("Add another", "1"), ("再添一个", "1"),
     ("1", "1"), ("好", "1"),
     ("no", "0"), ("没有", "0"), ("没有了", "0"), ("没了", "0"), ("No more.", "0"),
     ("that's all", "0"),
     ("0", "0"), ("不", "0")],
)  # fmt: skip
def test_another_one_is_a_yes_or_a_no(words: str, value: str) -> None:
    assert said(Kind.MORE, words, ANOTHER) == value


@pytest.mark.parametrize("words", ["2", "", "maybe", "两个", "3"])
def test_how_many_more_is_no_answer_to_whether(words: str) -> None:
    assert trouble(Kind.MORE, words, ANOTHER) == "not_more"


@pytest.mark.parametrize(
    ("kind", "key"),
    [(Kind.IMAGE, "not_an_image"), (Kind.AUDIO, "not_a_recording"), (Kind.VIDEO, "not_a_video"),
     (Kind.FILE, "not_a_file")],
)  # fmt: skip
def test_words_are_no_file(kind: Kind, key: str) -> None:
    assert said(kind, "photo.jpg") == Trouble(key, {"kind": kind})


# ---- all of it


EXAMPLES = (
    ("not_a_number", Kind.INTEGER, "12", "12"),
    ("not_a_decimal", Kind.DECIMAL, "12", "12"),
    ("not_a_decimal", Kind.DECIMAL, "1.5", "1.5"),
    ("not_a_date", Kind.DATE, "2026-11-22", "2026-11-22"),
    ("not_a_date", Kind.DATE, "2026年11月22日", "22 Nov 2026"),
    ("not_a_date", Kind.DATE, "昨天", "yesterday"),
    ("not_a_time", Kind.TIME, "14:30", "14:30"),
    ("not_a_time", Kind.TIME, "下午两点半", "2:30 pm"),
    ("not_a_datetime", Kind.DATETIME, "2026-11-22 14:30", "2026-11-22 14:30"),
    ("not_a_datetime", Kind.DATETIME, "昨天下午两点半", "yesterday 2:30 pm"),
    ("needs_date", Kind.DATETIME, "今天 14:30", "today 14:30"),
    ("not_a_place", Kind.GEOPOINT, "39.9042, 116.4074", "39.9042, 116.4074"),
    ("not_acknowledged", Kind.ACKNOWLEDGE, "好", "OK"),
    ("not_more", Kind.MORE, "有", "yes"),
    ("not_more", Kind.MORE, "没有", "no"),
)


@pytest.mark.parametrize(("key", "kind", "zh", "en"), EXAMPLES)
def test_what_we_tell_people_to_write_is_understood(key: str, kind: Kind, zh: str, en: str) -> None:
    sentences = Words.of("surveys").all_of(f"trouble.{key}")
    assert zh in sentences["zh"]
    assert en in sentences["en"]
    assert said(kind, zh) == said(kind, en)
    assert isinstance(said(kind, zh), str)


KINDS = st.sampled_from([kind for kind in Kind if kind is not Kind.TEXT])
CHOICES = st.sampled_from([GRADES, ANSWERS, FRUIT, TIMES, SCORES, MANY, FRUIT + NONE, ()])
PIECES = st.sampled_from(
    [*string.digits, *" ,.-/:、，和或不没有都三五十百万半点月日年上下①⁄+%<>≥ﬀİ\u0345\u0390",
     "满意", "非常",
     "apple", "yes", "not ", "and", "Nov", "pm", "第", "个", "次", "岁", "39.9", "北纬",
     "hundred", "昨天"]
)  # fmt: skip
ANY = st.text(max_size=40) | st.lists(PIECES, max_size=12).map("".join)


def fits(kind: Kind, value: str, choices: Sequence[Choice]) -> bool:
    """Whether ``value`` is one that the kind may have."""
    names = [choice.name for choice in choices]
    match kind:
        case Kind.INTEGER:
            return re.fullmatch(r"0|-?[1-9]\d*", value) is not None and abs(int(value)) < 2**31
        case Kind.DECIMAL:
            return re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", value) is not None
        case Kind.RANGE:
            return -2 <= Decimal(value) <= 8 and Decimal(value) % Decimal("0.5") == 0
        case Kind.SELECT_ONE:
            return value in names
        case Kind.SELECT_MULTIPLE:
            parts = value.split()
            return bool(parts) and parts == [name for name in names if name in parts]
        case Kind.RANK:
            return sorted(value.split()) == sorted(names)
        case Kind.DATE:
            return date.fromisoformat(value).isoformat() == value
        case Kind.TIME:
            return time.fromisoformat(value).isoformat() == value and len(value) == 8
        case Kind.DATETIME:
            return datetime.fromisoformat(value).isoformat() == value and len(value) == 19
        case Kind.ACKNOWLEDGE:
            return value == "OK"
        case Kind.MORE:
            return value in {"0", "1"}
        case Kind.GEOPOINT:
            latitude, longitude, *rest = value.split()
            near = abs(Decimal(latitude)) <= 90 and abs(Decimal(longitude)) <= 180
            return near and rest == ["0", "0"]
    return False


@given(ANY, KINDS, CHOICES, st.booleans())
def test_no_words_are_too_strange_and_no_value_is_unfit(
    words: str, kind: Kind, choices: Sequence[Choice], graded: bool
) -> None:
    assume(kind is not Kind.RANGE or not choices)
    if kind in {Kind.ACKNOWLEDGE, Kind.MORE}:
        choices = SEEN if kind is Kind.ACKNOWLEDGE else ANOTHER
    question = Question("/data/q", kind, steps=Steps(-2, 8, 0.5), indicator="x" if graded else None)
    found = understand(question, words, choices, NOW)
    keys = Words.of("surveys").keys()
    if isinstance(found, Trouble):
        assert f"trouble.{found.key}" in keys
        for language in ("zh", "en"):
            assert Words.of("surveys").say(f"trouble.{found.key}", language, **found.arguments)
    else:
        assert fits(kind, found, choices), found


@given(st.text() | st.lists(PIECES).map("".join))
def test_folding_twice_is_folding_once(words: str) -> None:
    assert fold(fold(words)) == fold(words)
