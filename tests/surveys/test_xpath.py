from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from surveys.logic.functions import text_of
from surveys.logic.xpath import (
    NoPlaceError,
    UnknownFunctionError,
    XPathError,
    calls,
    paths,
    translate,
)
from tests.surveys.instance import INSTANCE, compiled, node_at, texts, value


@pytest.mark.parametrize(
    ("expression", "at", "wanted"),
    [
        # a date and today
        (". <= today()", "/data/day", True),
        (". < today()", "/data/person[3]/born", False),
        (". = today()", "/data/person[3]/born", True),
        (". >= today() - 2", "/data/day", True),
        (". > today() - 2", "/data/day", False),
        (". = today() - 2", "/data/day", True),
        (". != today() - 2", "/data/day", False),
        ("today() - 2 = .", "/data/day", True),
        (". = 20777", "/data/day", False),  # nobody compares a date with a number written out
        (". <= today()", "/data/empty", False),
        (". > today()", "/data/empty", False),
        (". > 20000", "/data/day", True),
        ("today() - 7 < .", "/data/day", True),
        ("date('2020-02-29') < /data/day", "/data/a", True),
        ("/data/day < date('2020-02-29')", "/data/a", False),
        ("'2020-02-29' < /data/day", "/data/a", True),
        ("'2020-02-30' < /data/day", "/data/a", False),
        ("date('2020-02-29') < '2020-03-01'", "/data/a", True),
        ("today() > '2026-11-21' and today() < '2026-11-23'", "/data/a", True),
        ("if(/data/a = 5, /data/day, '') < today()", "/data/a", True),
        ("coalesce(/data/empty, /data/day) + 2 = today()", "/data/a", True),
        # times
        (". <= now()", "/data/moment", True),
        (". < now()", "/data/moment", False),
        (". = now()", "/data/moment", True),
        (". > today()", "/data/moment", True),
        (". >= '08:00' and . < '18:00'", "/data/time", True),
        (". > '14:30:00.000+08:00'", "/data/time", False),
        # nodes
        ("/data/person/age > 29", "/data/a", True),
        ("/data/person/age > 30", "/data/a", False),
        ("/data/person/born > today() - 1", "/data/a", True),
        ("/data/person/born != today() - 0", "/data/a", True),
        ("/data/nowhere != today() - 0", "/data/a", False),
        ("/data/person/age < /data/a", "/data/a", True),
        ("/data/nowhere < 1", "/data/a", False),
        ("(1 = 1) > /data/nowhere", "/data/a", True),
        ("/data/person > (1 = 2)", "/data/a", True),
        # plain ones
        (". >= 18", "/data/a", False),
        (". = '5'", "/data/a", True),
        (". = 5", "/data/a", True),
        (". = '苹果'", "/data/b", True),
        ("'a<=b' = 'a<=b'", "/data/a", True),
        ("-(-3) - -(2 - 3)", "/data/a", 2),
        ("1 - (2 - 3) - 4", "/data/a", -2),
        ("-(5 - 2) mod 2", "/data/a", -1),
        ("8 div (4 div 2)", "/data/a", 4),
        ("not(/data/a = 5 or /data/a = 6) = false()", "/data/a", True),
        ("once(1 + 2) * 3", "/data/a", 9),
        ("today() - /data/day", "/data/a", 2),
        ("- /data/day", "/data/a", -20777),
        ("floor(/data/moment)", "/data/a", 20779),
    ],
)
def test_operators_know_dates_and_keep_what_xpath_says_of_nodes(
    expression: str, at: str, wanted: object
) -> None:
    assert value(expression, at) == wanted


@pytest.mark.parametrize(
    ("expression", "at", "wanted"),
    [
        ("instance('towns')/root\x2fitem[of = /data/a]/name", "/data/b", ["hz", "nb"]),
        ("instance('towns')/root\x2fitem[of = current()/../a]/name", "/data/b", ["hz", "nb"]),
        ("instance('towns')/root\x2fitem[of = current()/a]/name", "/data", ["hz", "nb"]),
        ("instance('towns')/root\x2fitem[of > /data/a][1]/name", "/data/b", ["sh"]),
        ("instance('towns')/root\x2fitem[since <= today()]/name", "/data/b", ["hz"]),
        ("instance('towns')/root\x2fitem[since = /data/day]/name", "/data/b", ["hz"]),
        ("instance('towns')/root\x2fitem[selected('nb sh', name)]/name", "/data/a", ["nb", "sh"]),
        ("instance('towns')/root\x2fitem[position() = 2]/label", "/data/a", ["Ningbo"]),
        ("instance('towns')/root\x2fitem[count(/data/person[age > 0]) = 1]/name", "/data/a",
         ["hz", "nb", "sh"]),
        ("instance('towns')/root\x2fitem[of = current()/../a[. = /data/a]]/name", "/data/b",
         ["hz", "nb"]),
        ("instance('towns')/root\x2fitem[name = 'x' or /data/person[1]/name = 'Li']/name",
         "/data/a", ["hz", "nb", "sh"]),
        ("instance(\"towns\")/root\x2fitem[version() = '7']/name", "/data/a", ["hz", "nb", "sh"]),
        ("instance('nowhere')/root\x2fitem", "/data/a", []),
        ("(instance('towns')/root\x2fitem)[of = /data/a]/name", "/data/b", ["hz", "nb"]),
        ("/data/person[age = '']/name", "/data/a", ["Wang"]),
        ("/data/person[position() = current()/../../child[2]/position-is-no-name]", "/data/a", []),
        ("../../person[position() < position(current()/..)]/name", "/data/person[3]/name",
         ["Li", "Wang"]),
        ("//person[child/toy = 'doll']/@name | ../person[last()]/name", "/data/a", ["Ana"]),
        ("(/data/person/name | /data/a)[2]", "/data/a", ["Li"]),
        ("/data/person[2]/preceding-sibling::person/name", "/data/a", ["Li"]),
        ("if(1 = 1, /data/a, /data/b)/following-sibling::*[1]", "/data/a", ["苹果"]),
    ],
)  # fmt: skip
def test_paths_reach_both_the_answers_and_the_lists(
    expression: str, at: str, wanted: list[str]
) -> None:
    assert texts(expression, at) == wanted


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (" /data/a  =  'x' ", "/data/a = 'x'"),
        ("/data/a=/data/b", "/data/a = /data/b"),
        ("1 < 2", "1 < 2"),
        ("today() < '2026-01-01'", "odk-number(substring($now, 1, 10)) < 20454"),
        (". <= today()", "odk-le(., substring($now, 1, 10))"),
        ("current()/../a", "$current/../a"),
        ("instance('x')/root", "$secondary/instance[@id='x']/root"),
        ("position(..)", "odk-position(..)"),
        ("a[position() = 1]", "a[position() = 1]"),
        ('"it\'s"', '"it\'s"'),
        ("selected(., 'a')", "odk-selected(., 'a')"),
        ("count(/data/a)", "count(/data/a)"),
        ("random() + random()", "odk-random($seed, ., 1) + odk-random($seed, ., 2)"),
        ("self::node()/processing-instruction('x')", "self::node()/processing-instruction('x')"),
        ("(//a)[1]", "(/descendant-or-self::node()/a)[1]"),
        ("div div mod", "odk-number(div) div odk-number(mod)"),
        ("* * *", "odk-number(*) * odk-number(*)"),
    ],
)
def test_only_what_must_is_written_otherwise(expression: str, written: str) -> None:
    assert translate(expression) == written


@pytest.mark.parametrize(
    ("expression", "at", "says"),
    [
        ("", 1, "There is no expression"),
        ("1 +", 4, "A value is missing at the end"),
        ("1 + )", 5, "A value is missing before )"),
        ("a b", 3, "An operator is missing before b"),
        ("if(a, 'x', 'y'", 3, "The ( here has no closing )"),
        ("a[b = 1", 2, "The [ here has no closing ]"),
        ("a = 'x", 5, "The text that begins here has no closing '"),
        ("a == b", 3, "Write = instead of =="),
        ("a <> b", 3, "Write != instead of <>"),
        ("a ≥ 1", 3, "Write >= instead of ≥"),
        ("a && b", 3, "Write and instead of &&"),
        ("selected(a， 'b')", 11, "Write , instead of ，"),
        ("a = ‘x’", 5, "Write ' instead of ‘"),
        ("${age} > 1", 1, "${age}: there is no question of this name"),
        ("$now", 1, "$ has no place here"),
        ("a # b", 3, "# means nothing here"),
        ("1 + orx:a", 5, "The prefix orx: is not known here"),
        ("up::a", 1, "XPath knows no axis up::"),
        ("/data/selected(a, 'b')", 7, "selected() cannot stand within a path"),
        ("selected(.)", 1, "selected() takes 2 arguments, not 1"),
        ("not()", 1, "not() takes 1 argument, not 0"),
        ("round(1, 2, 3)", 1, "round() takes 1 or 2 arguments, not 3"),
        ("1 + indexed-repeat(a, b)", 5, "indexed-repeat() takes 3 or more, by 2 arguments, not 2"),
        ("count(1 + 2)", 1, "count() wants questions or a repeat, not a number"),
        ("sum('x')", 1, "sum() wants questions or a repeat, not a text"),
        ("string(a)/b", 1, "Questions are wanted here, not a text"),
        ("instance(a)/root", 1, "instance() wants the name of a list in quotes"),
        ("regex(., '[')", 1, "regex(): the pattern [ cannot be read"),
        ("format-date(., '%A')", 1, "format-date(): %A stands for nothing"),
        ("(" * 4000, 1, "This is nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words_with_its_place(
    expression: str, at: int, says: str
) -> None:
    with pytest.raises(XPathError) as caught:
        translate(expression)
    assert str(caught.value).startswith(says)
    assert caught.value.at == at


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("selekted", "selected"), ("count-select", "count-selected"), ("fromat-date", "format-date"),
     ("jr:choice_name", "jr:choice-name"), ("choicename", "jr:choice-name"), ("qqqq", "")],
)  # fmt: skip
def test_an_unknown_function_is_refused_with_the_nearest_one(name: str, nearest: str) -> None:
    with pytest.raises(UnknownFunctionError) as caught:
        translate(f"{name}(., 'x')")
    assert (caught.value.name, caught.value.nearest) == (name, nearest)


@pytest.mark.parametrize("name", ["pulldata", "search", "extract-signed", "property"])
def test_a_function_without_a_place_in_a_conversation_is_refused_by_name(name: str) -> None:
    with pytest.raises(NoPlaceError, match="no place in a conversation"):
        translate(f"1 + {name}('x', 'y')")


@pytest.mark.parametrize(
    ("expression", "used", "called"),
    [
        ("/data/a > 1 and /data/a < ../b", ("/data/a", "../b"), ()),
        ("selected(/data/a, 'x') or not(selected(., 'y'))", ("/data/a", "."), ("selected", "not")),
        ("/data/person[name = 'x']/age", ("/data/person/age", "/data/person/name"), ()),
        (
            "instance('t')/root\x2fitem[of = current()/../a and name != /data/b]",
            (
                "instance('t')/root\x2fitem",
                "instance('t')/root\x2fitem/of",
                "current()/../a",
                "instance('t')/root\x2fitem/name",
                "/data/b",
            ),
            ("instance", "current"),
        ),
        ("(a | b)[c]", ("a", "b", "c"), ()),
        ("'/data/a' = 1", (), ()),
        ("-count(//a/@b)", ("/descendant-or-self::node()/a/@b",), ("count",)),
        ("indexed-repeat(/d/r/q, /d/r, 1)/..", ("/d/r/q", "/d/r"), ("indexed-repeat",)),
    ],
)
def test_the_paths_and_the_functions_of_an_expression_are_told(
    expression: str, used: tuple[str, ...], called: tuple[str, ...]
) -> None:
    assert paths(expression) == used
    assert calls(expression) == called


# Pure XPath 1.0 must give what lxml alone gives. The instance here holds no dates, numbers written
# as texts are whole, and concat() and sum() get what ODK does not extend. No path ends at the
# document itself, which lxml cannot hand to an extension; no question is there.

PLAIN = etree.fromstring(
    "<data><a>5</a><b>苹果</b><c/><and>-3</and><div>0.5</div><p n='1'><q>7</q><q>x😀</q></p>"
    "<p n='2'><q>7</q><p><q>2</q></p></p></data>"
)
LITERALS = ["", "5", "苹果", "x😀", " and ", "a <= b", "(]", "'", "1 div 2", "//", "today()", "-3"]
NAMES = ["a", "b", "c", "p", "q", "and", "div", "*", "none"]
AXES = ["", "child::", "descendant::", "self::", "parent::", "following-sibling::",
        "preceding-sibling::", "ancestor-or-self::", "descendant-or-self::"]  # fmt: skip


def _literal(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _join(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(p) if isinstance(p, str) else p for p in parts)).map("".join)


@st.composite
def _paths(draw: st.DrawFn, truths: st.SearchStrategy[str]) -> str:
    start = draw(st.sampled_from(["", "/data/", "//", "../", "/data/p/", ".//"]))
    steps = []
    for _ in range(draw(st.integers(1, 3))):
        step = draw(st.sampled_from(AXES)) + draw(st.sampled_from(NAMES))
        if draw(st.integers(0, 3)) == 0:
            step += f"[ {draw(st.one_of(truths, st.sampled_from(['1', '2', 'last()', '@n'])))}]"
        steps.append(step)
    return start + draw(st.sampled_from(["/", "//"])).join(steps)


def _expressions() -> st.SearchStrategy[str]:
    numbers: st.SearchStrategy[str] = st.deferred(lambda: number)
    words: st.SearchStrategy[str] = st.deferred(lambda: text)
    truths: st.SearchStrategy[str] = st.deferred(lambda: truth)
    nodes: st.SearchStrategy[str] = st.deferred(lambda: node_set)
    values = st.one_of(numbers, words, nodes)
    node_set = st.one_of(
        _paths(truths),
        _paths(truths),
        _join("(", nodes, " | ", nodes, ")"),
        _join("(", nodes, ")[", st.sampled_from(["1", "2", "position() > 1"]), "]"),
        st.sampled_from([".", "..", "/data", "//@n", "//text()", "p[1]/q"]),
    )
    number = st.one_of(
        st.sampled_from(["0", "1", "2.0", ".5", "10", "last()", "position()"]).filter(
            lambda n: "(" not in n
        ),
        _join("count(", nodes, ")"),
        _join("string-length(", words, ")"),
        _join("number(", values, ")"),
        _join("floor(", values, ")"),
        _join("round(", values, ")"),
        _join("- ", numbers),
        _join("(", values, st.sampled_from([" + ", " - ", "*", " mod "]), values, ")"),
        _join(numbers, st.sampled_from([" + ", " - ", " * ", " div "]), numbers),
    )
    text = st.one_of(
        st.sampled_from(LITERALS).map(_literal),
        _join("string(", st.one_of(nodes, words), ")"),
        _join("concat(", words, ",", words, ")"),
        _join("substring-before(", words, ", ", words, ")"),
        _join("substring( ", words, ", 2)"),
        _join("translate(", words, ",", words, ", '')"),
        _join("normalize-space(", nodes, ")"),
    )
    truth = st.one_of(
        st.sampled_from(["true()", "false()"]),
        _join(values, st.sampled_from([" = ", "!=", " < ", "<=", ">", " >= "]), values),
        _join(truths, st.sampled_from([" and ", " or ", " = "]), truths),
        _join("not(", st.one_of(truths, values), ")"),
        _join("contains(", words, ",", words, ")"),
        _join("(", truths, st.sampled_from([" < ", " != "]), values, ")"),
        _join("boolean(", values, ")"),
    )
    return st.one_of(node_set, number, text, truth)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right) or (math.isnan(left) and math.isnan(right))
    return type(left) is type(right) and bool(left == right)


@given(
    _expressions(),
    st.sampled_from(["/data/a", "/data/p[1]", "/data/p[1]/q[2]", "/data/p[2]/p/q"]),
)
def test_pure_xpath_gives_what_lxml_alone_gives(expression: str, at: str) -> None:
    node = PLAIN.xpath(at)[0]
    alone = etree.XPath(expression, smart_strings=False)(node)
    ours = compiled(expression)
    assert _same(ours(node, current=[node]), alone), translate(expression)


@given(st.text(alphabet="ab/.[]()'\"=<>!|*@:-+,$ 12and苹“，", max_size=12))
def test_whatever_is_written_is_translated_or_refused_in_words(written: str) -> None:
    try:
        translate(written)
    except XPathError:
        with pytest.raises(XPathError, match=r"[A-Za-z].* \(character \d+\)$"):
            translate(written)
    else:
        value(written)  # lxml reads what was written


def test_an_expression_reads_numbers_of_any_size() -> None:
    assert text_of(value("3000000000 * 3000000000")) == "9000000000000000000"
    assert value("/data/a * 3000000000 = 15000000000") is True
    assert INSTANCE is node_at("/data")
