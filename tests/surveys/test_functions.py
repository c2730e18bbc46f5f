"""Sources: the ODK form operators and functions reference; JavaRosa's XPathEvalTest, GeoUtilsTest
and RandomizeHelper; openrosa-xpath-evaluator's randomize tests (the orders of A to F)."""

from __future__ import annotations

import math
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from surveys.logic.functions import number_of, text_of, truth
from surveys.logic.patterns import pattern_of
from tests.surveys.instance import FUNCTIONS, texts, value

NAN = "NaN"


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        # choices
        ("selected('apple baby crimson', 'baby')", "true"),
        ("selected('apple baby crimson', '  baby  ')", "true"),
        ("selected('apple baby crimson', 'babby')", "false"),
        ("selected('apple baby crimson', 'bab')", "false"),
        ("selected('', 'apple')", "false"),
        ("selected(/data/some, 'y')", "true"),
        ("selected(/data/nowhere, 'y')", "false"),
        ("count-selected('apple baby crimson')", "3"),
        ("count-selected(/data/empty)", "0"),
        ("selected-at('apple baby crimson', 2)", "crimson"),
        ("selected-at('apple baby', 2)", ""),
        ("selected-at(/data/some, -1)", ""),
        ("selected-at(/data/some, /data/empty)", ""),
        # numbers
        ("int('100.001')", "100"),
        ("int(' -12345.6789  ')", "-12345"),
        ("int('')", NAN),
        ("int('1.1e6')", NAN),
        ("int(true())", "1"),
        ("int(1 div 0)", "Infinity"),
        ("number('- 17')", NAN),
        ("number('34.56.7')", NAN),
        ("number('1.1e6')", NAN),
        ("number(' -12345.6789  ')", "-12345.6789"),
        ("number(true())", "1"),
        ("number('2008-09-05')", "14127"),
        ("number('1941-12-07')", "-10252"),
        ("round('14.29123456789', 1.5)", "14.3"),
        ("round('14.29123456789', 4)", "14.2912"),
        ("round('-12345.14', 1)", "-12345.1"),
        ("round('12345.15', 1)", "12345.2"),
        ("round('-12345.15', 1)", "-12345.1"),
        ("round('12345.12345', -1)", "12350"),
        ("round('12350.12345', -2)", "12400"),
        ("round('14.5')", "15"),
        ("round('-0.5')", "0"),
        ("round('NaN')", NAN),
        ("round(1, 31)", NAN),
        ("round(1 div 0)", "Infinity"),
        ("round(100000000000000000000.5, 20)", "100000000000000000000"),
        ("abs(-3.5)", "3.5"),
        ("pow(2.5, 2)", "6.25"),
        ("pow(16, 0.25)", "2"),
        ("pow(-8, 0.5)", NAN),
        ("pow(0, -1)", NAN),
        ("pow(10, 400)", NAN),
        ("sqrt(9)", "3"),
        ("sqrt(-9)", NAN),
        ("exp10(2)", "100"),
        ("log10(100)", "2"),
        ("log(exp(2))", "2"),
        ("log(0)", NAN),
        ("cos(0)", "1"),
        ("sin(pi() div 2)", "1"),
        ("tan(0) + asin(0) + acos(1) + atan(0) + atan2(0, 0)", "0"),
        ("asin(2)", NAN),
        ("sin(/data/empty)", NAN),
        # node-sets
        ("sum(/data/person/age)", "25.5"),
        ("sum(/data/nowhere)", "0"),
        ("min(/data/person/age)", "-4.5"),
        ("max(/data/person/age)", "30"),
        ("max(3, /data/a, /data/empty)", "5"),
        ("max(-3, -2)", "-2"),
        ("min(/data/empty)", NAN),
        ("count(/data/person)", "3"),
        ("count-non-empty(/data/person/age)", "2"),
        ("join(', ', /data/person/name)", "Li, Wang, Ana"),
        ("join('-', 1, 'x', /data/empty)", "1-x-"),
        ("join('-')", ""),
        ("concat(/data/person/name)", "LiWangAna"),
        ("concat('a', 2, true(), /data/empty, 0.5)", "a2true0.5"),
        # text
        ("substr('hello', 1, 4)", "ell"),
        ("substr('hello', -2)", "lo"),
        ("substr('hello', 0, -1)", "hell"),
        ("substr('hello', 3, 1)", ""),
        ("substr('hello', 9)", ""),
        ("substr('一二😀四', 2, 3)", "😀"),
        ("substr('hello', 'x')", "hello"),
        ("string-length('😀好')", "2"),
        ("contains('abc', 'bcd')", "false"),
        ("starts-with('', '')", "true"),
        ("ends-with('abc', 'c')", "true"),
        ("ends-with('abc', 'a')", "false"),
        ("substring-before('hello', 'l')", "he"),
        ("substring-before('hello', '')", ""),
        ("substring-after('hello', 'l')", "lo"),
        ("substring-after('hello', '')", "hello"),
        ("translate('hello world', 'hello', '')", " wrd"),
        ("translate('2019/01/02', '/', '-')", "2019-01-02"),
        ("normalize-space(/data/word)", "Ab c"),
        ("string(3000000000)", "3000000000"),
        ("concat(3000000000 * 10, '')", "30000000000"),
        ("string-length(3000000000 * 1)", "10"),
        ("string(0.0000001)", "0.0000001"),
        ("string(1.1 * 10)", "11"),
        ("string(.557586)", "0.557586"),
        ("string(1230000000000000000000)", "1230000000000000000000"),
        ("string(-0)", "0"),
        ("string(1 div 0)", "Infinity"),
        ("digest('abc', 'SHA-256', 'hex')",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("digest('abc', 'MD5', 'hex')", "900150983cd24fb0d6963f7d28e17f72"),
        ("digest('abc', 'SHA-1')", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
        ("digest('abc', 'CRC')", ""),
        ("base64-decode('5L2g5aW9')", "你好"),
        ("base64-decode('AGE=')", "a"),
        ("base64-decode('x')", ""),
        # logic
        ("if(true(), 5, 'abc')", "5"),
        ("if('', 5, 'abc')", "abc"),
        ("if(number(''), 1, 2)", "2"),
        ("coalesce(/data/empty, /data/a)", "5"),
        ("coalesce(/data/a, 'other')", "5"),
        ("coalesce(/data/nowhere, /data/empty)", ""),
        ("coalesce(number(/data/empty), 7) + 1", "8"),
        ("boolean-from-string('true')", "true"),
        ("boolean-from-string('whatever')", "false"),
        ("boolean-from-string(1.0)", "true"),
        ("boolean-from-string(1.0001)", "false"),
        ("once(/data/a + 1) * 2", "12"),
        ("checklist(1, 3, 'foo', 'bar')", "true"),
        ("checklist(-1, 1, 'foo', 'bar')", "false"),
        ("checklist(3, -1, 'foo', 'bar')", "false"),
        ("checklist(2, 2, /data/person/age)", "true"),
        ("weighted-checklist(3, 5, true(), 3, false(), 9)", "true"),
        ("weighted-checklist(-1, 2, 1 = 1, 3)", "false"),
        ("weighted-checklist(-1, -1, 1 = 1, 3)", "true"),
        ("version()", "7"),
    ],
)  # fmt: skip
def test_a_function_gives_what_odk_gives(expression: str, wanted: str) -> None:
    assert text_of(value(expression)) == wanted


@pytest.mark.parametrize(
    ("text", "rule", "wanted"),
    [
        ("123", "[0-9]{3}", True),
        ("123", "^[0-9]{3}$", True),
        ("x123", "[0-9]{3}", False),  # the reference: an exact and complete match
        ("1234", "[0-9]{3}", False),
        ("123\n", "[0-9]{3}$", False),
        ("", "", True),
        ("王小明", "[\\u4e00-\\u9fa5]{2,4}", True),
        ("王小明", "\\p{L}+", True),
        ("José", "[\\p{L} ]+", True),
        ("Jo5", "\\p{L}+", False),
        ("Jo5", "\\P{Lu}+", False),
        ("jo5", "\\P{Lu}+", True),
        ("王", "\\p{IsHan}", True),
        ("-", "\\p{Punct}", True),
        ("٣", "\\d", False),  # Java's \d is 0 to 9
        ("13800138000", "1[3-9]\\d{9}", True),
        ("ab", "(?<first>a)(?<=a)b", True),
        ("x", "[a-z&&[x]]", False),  # Java's intersection of sets is not known here
    ],
)
def test_a_pattern_must_match_the_whole_text_as_java_reads_it(
    text: str, rule: str, wanted: bool
) -> None:
    pattern = pattern_of(rule)
    assert pattern is not None
    assert (pattern.fullmatch(text) is not None) is wanted


@pytest.mark.parametrize("rule", ["[", "(", "*", "\\p{Klingon}", "(?<a>x)(?<a>y)"])
def test_a_pattern_that_cannot_be_read_matches_nothing(rule: str) -> None:
    assert pattern_of(rule) is None
    assert value("regex(., /data/b)", "/data/b") is True
    assert value(f"regex('x', concat('{rule}', ''))") is False


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("today()", "2026-11-22"),
        ("now()", "2026-11-22T14:30:00"),
        ("date('2000-01-01')", "2000-01-01"),
        ("date('1983-09-31')", ""),
        ("date('not a date')", ""),
        ("date('')", ""),
        ("date(0)", "1970-01-01"),
        ("date(6.5)", "1970-01-07"),
        ("date(-1)", "1969-12-31"),
        ("date(14127)", "2008-09-05"),
        ("date('14127')", "2008-09-05"),
        ("date(now())", "2026-11-22"),
        ("date(1 div 0)", ""),
        ("date(99999999)", ""),
        ("date('0999-03-04')", "0999-03-04"),
        ("date(today() - 7)", "2026-11-15"),
        ("date-time(/data/day)", "2026-11-20T00:00:00"),
        ("date-time(decimal-date-time(/data/moment))", "2026-11-22T14:30:00"),
        ("date-time('2000-01-01T10:20:30.000+03:00')", "2000-01-01T10:20:30"),
        ("decimal-date-time('1970-01-02T12:00:00')", "1.5"),
        ("decimal-date-time('-01-2019')", NAN),
        ("decimal-date-time('')", ""),
        ("decimal-time('06:00')", "0.25"),
        ("decimal-time(/data/moment) = decimal-time(/data/time)", "true"),
        ("decimal-time('2000-01-01T12:00:00.000+03:00')", "0.5"),
        ("decimal-time('25:00')", NAN),
        ("decimal-time(-0.25)", "0.75"),
        ("date('2008-09-08') - date('1983-10-06')", "9104"),
        ("int((today() - date('1996-02-29')) div 365.25)", "30"),
        ("number(date('1970-01-02'))", "1"),
        ("format-date('2018-01-02T10:20:30.123', '%Y-%m-%e %H:%M:%S')", "2018-01-2 10:20:30"),
        ("format-date-time('2018-01-02T03:20:30.123', '%y %n %d %h %3 %%')", "18 1 02 3 123 %"),
        ("format-date(/data/day, '%n月%e日%a %b')", "11月20日周五 11月"),
        ("format-date('2026-01-01', '%W')", "1"),
        ("format-date('', '%Y')", ""),
        ("format-date('x', '%Y')", ""),
        ("format-date-time(/data/time, '%H:%M')", "14:30"),
        ("format-date-time(20000.5, '%Y-%m-%d %H')", "2024-10-04 12"),
    ],
)
def test_dates_are_texts_that_compute_as_days(expression: str, wanted: str) -> None:
    assert text_of(value(expression)) == wanted


@pytest.mark.parametrize(
    ("language", "wanted"),
    [("en", "Fri Nov"), ("zh", "周五 11月"), ("fr", "ven. nov."), ("xx", "Fri Nov"),
     ("", "Fri Nov"),     ("zh-Hant", "週五 11月")],
)  # fmt: skip
def test_names_of_days_and_months_are_in_the_language_of_the_interview(
    language: str, wanted: str
) -> None:
    assert value("format-date(/data/day, '%a %b')", language=language) == wanted


@pytest.mark.parametrize(
    ("expression", "at", "language", "wanted"),
    [
        ("jr:choice-name(/data/fruit, ' /data/fruit ')", "/data/a", "zh", "苹果"),
        ("jr:choice-name(/data/fruit, '/data/fruit')", "/data/a", "en", "Apple"),
        ("choice-name('apple', '../fruit')", "/data/a", "en", "Apple"),
        ("jr:choice-name('pear', '/data/fruit')", "/data/a", "en", "Pear"),
        ("jr:choice-name('apple', '/data/fruit')", "/data/a", "fr", "苹果"),
        ("jr:choice-name('plum', '/data/fruit')", "/data/a", "en", ""),
        ("jr:choice-name('', '/data/fruit')", "/data/a", "en", ""),
        ("jr:choice-name('apple', '/data/a')", "/data/a", "en", ""),
        ("jr:choice-name(., ' current()/../name ')", "/data/person[1]/name", "en", "Mx Li"),
        ("jr:choice-name(., '/data/person[1]/name')", "/data/person[1]/name", "en", "Mx Li"),
        ("selected-at(jr:choice-name(/data/fruit, '../../fruit'), 0)", "/data/person[1]/name", "zh",
         "苹果"),
    ],
)  # fmt: skip
def test_a_choice_has_its_label_in_the_language_of_the_interview(
    expression: str, at: str, language: str, wanted: str
) -> None:
    assert value(expression, at, language=language) == wanted


@pytest.mark.parametrize(
    ("expression", "at", "wanted"),
    [
        ("indexed-repeat(/data/person/name, /data/person, 2)", "/data/a", ["Wang"]),
        ("indexed-repeat(/data/person/name, /data/person, 9)", "/data/a", []),
        ("indexed-repeat(/data/person/name, /data/person, 0)", "/data/a", ["Li"]),
        ("indexed-repeat(/data/person/name, /data/person, '')", "/data/a", ["Li"]),
        ("indexed-repeat(/data/nowhere/name, /data/nowhere, 1)", "/data/a", []),
        (
            "indexed-repeat(/data/person/name, /data/person, position(..) - 1)",
            "/data/person[3]/name",
            ["Wang"],
        ),
        ("indexed-repeat(../name, .., position(..) + 1)", "/data/person[1]/age", ["Wang"]),
        (
            "indexed-repeat(/data/person/child/toy, /data/person, 1, /data/person/child, 2)",
            "/data/a",
            ["kite"],
        ),
        (
            "indexed-repeat(/data/person/child/toy, /data/person/child, 1)",
            "/data/person[2]/name",
            ["doll"],
        ),
        ("indexed-repeat(/data/person/child/toy, /data/person, 1)", "/data/a", ["ball", "kite"]),
    ],
)
def test_indexed_repeat_picks_the_instance(expression: str, at: str, wanted: list[str]) -> None:
    assert texts(expression, at) == wanted


@pytest.mark.parametrize(
    ("expression", "at", "wanted"),
    [
        ("position(..)", "/data/person[3]/name", 3),
        ("position()", "/data/person[2]", 2),
        ("position(/data/nowhere)", "/data/a", 0),
        ("position(../..)", "/data/person[1]/child[2]/toy", 1),
        ("position(..) + 1", "/data/person[1]/child[2]/toy", 3),
        ("count(/data/person[position(.) < 3])", "/data/a", 2),
    ],
)
def test_position_counts_the_instances_of_a_repeat(expression: str, at: str, wanted: float) -> None:
    assert value(expression, at) == wanted


ITEMS = etree.fromstring("<r><i>A</i><i>B</i><i>C</i><i>D</i><i>E</i><i>F</i></r>")


@pytest.mark.parametrize(
    ("seed", "wanted"),
    [
        (42.0, "AFCBDE"),
        ("42", "AFCBDE"),
        (-42.0, "EDAFBC"),
        (1.0, "BFEACD"),
        (11111111.0, "ACDBFE"),
    ],
)
def test_a_seed_shuffles_as_it_does_in_enketo_and_collect(seed: object, wanted: str) -> None:
    shuffled = FUNCTIONS["randomize"]("s", [ITEMS], 1.0, list(ITEMS), seed)
    assert "".join(item.text for item in shuffled) == wanted


def test_choices_are_shuffled_by_the_seed_of_the_interview_and_stay_so() -> None:
    expression = "randomize(instance('towns')/root\x2fitem)"
    orders = [
        "".join(item[0].text for item in value(expression, seed=str(seed // 2)))
        for seed in range(60)
    ]
    assert orders[::2] == orders[1::2]
    assert len(set(orders)) == 6


def test_chance_comes_from_the_seed_and_the_question() -> None:
    rolls = [value("random()"), value("random()", seed="2"), value("random()", "/data/b")]
    assert len(set(rolls)) == 3
    assert value("random()") == rolls[0]
    assert all(0 <= roll < 1 for roll in rolls)
    assert value("random() = random()") is False
    assert value("random()", "/data/person[1]/name") != value("random()", "/data/person[2]/name")


def test_a_uuid_is_one_and_stays_the_same() -> None:
    assert uuid.UUID(value("uuid()")).version == 4
    assert value("uuid()") == value("uuid()") != value("uuid()", seed="2")
    assert re.fullmatch("[0-9A-Z]{12}", value("uuid(12)"))
    assert value("uuid('x')") == ""


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("distance('0 0', '0 1')", 2 * math.pi * 6_378_100 / 360),
        ("distance('90 0', '90 1')", 0),
        ("distance('0 0;0 90')", 2 * math.pi * 6_378_100 / 4),
        ("distance(/data/here, /data/here)", 0),
        ("distance(/data/b)", math.nan),
        ("distance(/data/empty)", 0),
        ("distance('91 0', '0 0')", math.nan),
        ("area('38.253094215699576 21.756382658677467;38.25021274773806 21.756382658677467;"
         "38.25007793942195 21.763892843919166;38.25290886154963 21.763935759263404;"
         "38.25146813817506 21.758421137528785')", 151_452),
        ("enclosed-area(/data/here)", 0),
        ("area('x y')", math.nan),
    ],
)  # fmt: skip
def test_lengths_and_areas_are_those_of_javarosa(expression: str, wanted: float) -> None:
    assert value(expression) == pytest.approx(wanted, abs=1, nan_ok=True)


@pytest.mark.parametrize(
    ("point", "inside"),
    [("0.5 0.5 0 0", True), ("-1 0.5 0 0", False), ("2 0.5 0 0", False), ("0.5 2 0 0", False),
     ("-1 0 0 0", False), ("-1 1 0 0", False), ("", False), ("x", False)],
)  # fmt: skip
def test_a_fence_holds_what_is_within(point: str, inside: bool) -> None:
    assert value(f"geofence('{point}', /data/square)") is inside


@pytest.mark.parametrize(
    ("line", "crosses"),
    [("0 0;1 1;0 1;1 0", True), ("0 0;0 1;1 1;1 0;0 0", False), ("0 0;1 1", False), ("", False),
     ("0 0;0 2;1 1;0 1", True), ("0 0;1 1;0 1;1 0;0 0", True), ("nonsense", False)],
)  # fmt: skip
def test_a_line_is_told_to_cross_itself(line: str, crosses: bool) -> None:
    assert value(f"intersects('{line}')") is crosses


NAMES = sorted(FUNCTIONS)
ODD = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12),
    st.floats(),
    st.booleans(),
    st.just([]),
    st.just([ITEMS]),
    st.just(list(ITEMS)),
    st.sampled_from(["2026-02-30", "24:00", "9999-12-31T23:59:59.9999", "1 2 3", "(", "%", "1e9"]),
)
_ENVIRONMENT = {
    "choice-name": ("zh", [ITEMS]), "format-date": ("zh",), "format-date-time": ("zh",),
    "random": ("s", [ITEMS], 1.0), "uuid": ("s", [ITEMS], 1.0),
    "randomize": ("s", [ITEMS], 1.0, list(ITEMS)), "position": (list(ITEMS),),
    "indexed-repeat": ([ITEMS[0]], list(ITEMS), [ITEMS]), "pi": (),
}  # fmt: skip
_TAKES = {
    "choice-name": 2, "format-date": 2, "format-date-time": 2, "random": 0, "uuid": 1,
    "randomize": 1, "position": 0, "indexed-repeat": 1, "pi": 0, "if": 3, "digest": 3, "substr": 3,
    "checklist": 4, "weighted-checklist": 6,
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "selected", "selected-at", "pow", "atan2",
                     "regex", "ends-with", "coalesce", "geofence", "round", "join", "distance"), 2),
}  # fmt: skip


@given(st.sampled_from(NAMES), st.lists(ODD, min_size=6, max_size=6))
def test_nothing_raises_for_an_odd_value(name: str, values: list[object]) -> None:
    given = (*_ENVIRONMENT.get(name, ()), *values[: _TAKES.get(name, 1)])
    result = FUNCTIONS[name](*given)
    assert isinstance(result, str | float | bool | list)
    if isinstance(result, str):
        etree.Element("x").text = result  # what XML cannot hold, lxml refuses


@given(st.floats())
def test_a_number_written_is_read_as_the_same_number(number: float) -> None:
    read = number_of(text_of(number))
    if math.isinf(number):
        assert math.isnan(read)  # XPath has no word for it
    else:
        assert read == pytest.approx(number, abs=1e-12, rel=1e-15, nan_ok=True)


def test_truth_is_that_of_xpath() -> None:
    assert all((truth(1.0), truth("false"), truth([ITEMS]), truth(True)))
    assert not any((truth(0.0), truth(math.nan), truth(""), truth([]), truth(False)))
