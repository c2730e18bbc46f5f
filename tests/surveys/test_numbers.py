from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.typed.amounts import number_among
from surveys.typed.numbers import readings, shown, whole_number

ONES = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen|eighteen|nineteen"
)
TENS = "zero|ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
FORMAL = str.maketrans("一二三四五六七八九十百千万亿", "壹贰叁肆伍陆柒捌玖拾佰仟萬億")


def section(number: int) -> str:
    """Below 10,000, written in full."""
    said, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            said += ("零" if gap and said else "") + "零一二三四五六七八九"[digit] + name
        gap = not digit
    return said


def chinese(number: int) -> str:
    """A whole number as it is taught at school."""
    said, gap = "", False
    for unit, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part = number // unit % 10**4
        if part:
            said += ("零" if said and (gap or part < 1000) else "") + section(part) + name
        gap = not part
    return ("负" if number < 0 else "") + (said or "零")


def english(number: int) -> str:
    if number < 20:
        return ONES.split("|")[number]
    if number < 100:
        return TENS.split("|")[number // 10] + ("-" + english(number % 10) if number % 10 else "")
    for unit, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= unit:
            rest = number % unit
            joint = " and " if rest and rest < 100 else " "
            return f"{english(number // unit)} {name}" + (joint + english(rest) if rest else "")
    raise AssertionError(number)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("12", 12), ("１２", 12), (" 12 ", 12), ("①", 1), ("⑳", 20), ("❸", 3), ("3️⃣", 3),
        ("🔟", 10), ("Ⅲ", 3), ("٣", 3), ("-5", -5), ("−5", -5), ("+5", 5), ("1,200", 1200),
        ("１，２００", 1200), ("十二", 12), ("十", 10), ("二十", 20), ("两", 2), ("一百零五", 105),
        ("一百一十", 110), ("两千", 2000), ("两千三百", 2300), ("两千零三十", 2030),
        ("一千二百三十四", 1234), ("零", 0), ("〇", 0), ("二〇二六", 2026), ("一万", 10000),
        ("两万三千", 23000), ("十万", 100000), ("一亿零五十", 100000050), ("3万", 30000),
        ("3.5万", 35000), ("2万3千", 23000), ("壹佰贰拾叁", 123), ("兩千", 2000), ("廿五", 25),
        ("卅", 30), ("负三", -3), ("零下五", -5), ("minus five", -5), ("three", 3),
        ("Twenty-five", 25), ("a hundred", 100), ("two hundred and five", 205), ("zero", 0),
        ("one thousand two hundred", 1200),
    ],
)  # fmt: skip
def test_a_number_is_read_in_every_way_people_write_it(words: str, number: int) -> None:
    assert whole_number(words) == number


@pytest.mark.parametrize(
    "words",
    [
        "", "三百五", "三千五", "两万三", "十十", "百千", "1.5", "1,2", "12,34", "二十个", "½",
        "5²",
        "5½", "三四", "两三", "三五", "一二三", "二三十", "十七八", "three four", "twenty ten",
        "one hundred two hundred", "hundred", "5k", "1e5", "0x10", "--5", "Ⅻa", "万", "点五",
        "9" * 40, "九" * 40,
    ],
)  # fmt: skip
def test_what_may_mean_two_numbers_or_none_is_not_guessed(words: str) -> None:
    assert whole_number(words) is None


@pytest.mark.parametrize(
    ("words", "both"),
    [("三百五", (305, 350)), ("一千二", (1002, 1200)), ("两万三", (20003, 23000)), ("三四", (3, 4)),
     ("两三", (2, 3)), ("2万3", (20003, 23000)), ("负三百五", (-305, -350))],
)  # fmt: skip
def test_two_readings_are_both_told(words: str, both: tuple[int, int]) -> None:
    assert readings(words) == tuple(map(Decimal, both))


@pytest.mark.parametrize(
    ("words", "number"),
    [("1.5", "1.5"), ("１．５", "1.5"), (".5", "0.5"), ("1.50", "1.5"), ("三点五", "3.5"),
     ("零点二五", "0.25"), ("负三点一四", "-3.14"), ("半", "0.5"), ("half", "0.5"),
     ("一个半", "1.5"),
     ("两个半", "2.5"), ("two and a half", "2.5"), ("three point one four", "3.14"), ("-0.0", "0"),
     ("1,234.50", "1234.5"), ("100", "100"), ("5.", "5")],
)  # fmt: skip
def test_parts_of_a_whole_are_read(words: str, number: str) -> None:
    assert [shown(found) for found in readings(words)] == [number]


@given(st.integers(-(10**9), 10**9))
def test_every_whole_number_is_read_back(number: int) -> None:
    wide = str(number).translate(str.maketrans("0123456789-", "０１２３４５６７８９－"))
    assert whole_number(str(number)) == whole_number(wide) == whole_number(f"{number:,}") == number


@given(st.integers(0, 10**12 - 1) | st.integers(0, 200))
def test_chinese_numbers_written_in_full_are_read_back(number: int) -> None:
    said = chinese(number)
    assert whole_number(said) == number, said
    assert whole_number(said.translate(FORMAL)) == number
    assert whole_number("负" + said) == -number
    assert whole_number(said.replace("二千", "两千").replace("二万", "两万")) == number


@given(st.integers(0, 10**9 - 1) | st.integers(0, 200))
def test_english_numbers_written_in_full_are_read_back(number: int) -> None:
    assert whole_number(english(number)) == number
    assert whole_number(english(number).replace("-", " ").capitalize()) == number


@given(st.integers(1000, 9999))
def test_chinese_digits_side_by_side_are_the_number_or_refused(number: int) -> None:
    said = str(number).translate(str.maketrans("0123456789", "〇一二三四五六七八九"))
    assert whole_number(said) == number or str(number) in "123456789"


@given(st.decimals(-(10**6), 10**6, places=4))
def test_every_decimal_is_read_back(number: Decimal) -> None:
    assert readings(str(number)) == (number,)
    assert Decimal(shown(number)) == number
    assert "E" not in shown(number)


ABOUT = "您家有几个孩子？等了多少分钟？ How many children? How many minutes did you wait?"


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("3个", 3), ("12 岁", 12), ("about 5", 5), ("大约5个", 5), ("差不多二十个", 20),
        ("一共3个", 3), ("我有三个孩子", 3), ("I have three children", 3), ("3 children", 3),
        ("12 years old", 12), ("10分钟", 10), ("ten minutes", 10), ("只有一个", 1), ("3.", 3),
        ("“3”", 3), ("三个孩子。", 3),
    ],
)  # fmt: skip
def test_one_number_among_harmless_words_is_the_number(words: str, number: int) -> None:
    if words.startswith("只有"):
        assert list(map(int, number_among(words, ABOUT + "只"))) == [number]
    else:
        assert list(map(int, number_among(words, ABOUT))) == [number]


@pytest.mark.parametrize(
    "words",
    [
        "3 or 4", "3-4", "3~4", "二三十个", "20多岁", "不到5", "没有3个", "至少5", "at least 5",
        "more than 3", "5+", "<5", "5k", "covid19", "5 hours", "2小时", "2天", "三天", "十分满意",
        "no one", "one of them", "每天3个", "half of 10", "3 and 4", "3个4", "50%", "$5", "5²",
        "3m",
        "born in 1985", "第一次3个", "我今年三四十岁", "5 minus 3", "1:2", "1.2.3", "3,4", "A4",
        "3rd",
    ],
)  # fmt: skip
def test_words_that_may_change_the_number_are_not_taken(words: str) -> None:
    assert number_among(words, ABOUT) == ()


def test_a_unit_is_taken_only_where_the_question_names_it() -> None:
    assert list(map(int, number_among("2 hours", "How long (hours)?"))) == [2]
    assert number_among("2 hours", "How long (minutes)?") == ()
    assert list(map(int, number_among("两年", "住了几年"))) == [2]
    assert number_among("两年", "住了几个月") == ()
    assert list(map(int, number_among("5%", "百分之几（%）"))) == [5]


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_words_are_too_strange_for_numbers(words: str, about: str) -> None:
    for found in (readings(words), number_among(words, about)):
        assert len(found) <= 2
        assert all(number.is_finite() for number in found)


SYLLABLES = st.sampled_from(
    [
        *"零一二两三四五六七八九十百千万亿半点个负",
        *"0123456789.,-+",
        " ",
        " and ",
        "hundred",
        "five",
        "岁",
    ]
)


@given(st.lists(SYLLABLES, max_size=12).map("".join))
def test_no_heap_of_number_words_breaks_it_or_grows_without_bound(words: str) -> None:
    for number in number_among(words, ABOUT) + readings(words):
        assert abs(number) < 10**32
        assert Decimal(shown(number)) == number
