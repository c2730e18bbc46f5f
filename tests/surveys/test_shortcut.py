"""What is computed without lxml must be what lxml computes."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.logic.compiled import Compiled, Logic
from surveys.logic.scene import Scene, Surroundings
from tests.surveys.forms import form_of

SURVEY = """
type | name | label
select_one fruit | a | A
text | b | B
begin_group | g | G
integer | c | C
end_group | g |
begin_repeat | r | R
text | d | D
end_repeat | r |
"""
CHOICES = """
list_name | name | label::English (en) | label::中文 (zh)
fruit | 1 | One | 一
fruit | x | Ex | 叉
"""
FORM = form_of(SURVEY, CHOICES)
LOGIC = Logic(FORM)
MOMENT = datetime(2026, 12, 31, 23, 30, 15, tzinfo=UTC)
ANSWERS = ["", "1", "007", "-3", "2.50", " 5 ", "1e3", "NaN", "x", "x y", "苹果", "2026-11-22",
           "1970-01-02", "14:30:00", "2026-11-22T14:30:00", "true", "."]  # fmt: skip
LITERALS = [f"'{answer}'" for answer in ANSWERS]


def both(compiled: Compiled, *answers: str) -> tuple[Any, Any]:
    """What is computed without and with lxml at /data/b."""
    assert compiled.direct is not None
    values = dict(zip(("/data/a", "/data/b", "/data/g/c"), answers, strict=True))
    nodes = Scene(LOGIC, values, Surroundings(MOMENT, MOMENT)).nodes
    here = nodes["/data/b"]
    given = {"language": "en", "current": [here]}
    variables = {name: given[name] for name in compiled.variables}
    return compiled.direct((nodes, here, "en")), compiled.run(here, **variables)


def _calls(parts: st.SearchStrategy[str], *shapes: str) -> st.SearchStrategy[str]:
    return st.builds(
        lambda shape, *given: shape.format(*given), st.sampled_from(shapes), parts, parts, parts
    )


EXPRESSIONS = st.recursive(
    st.sampled_from([".", "/data/a", "/data/b", "/data/g/c", "/data/g", "0", "2.5", "1000",
                     *LITERALS]),
    lambda parts: _calls(
        parts, "({} = {})", "({} != {})", "({} < {})", "({} >= {})", "({} and {})", "({} or {})",
        "({} + {})", "({} - {})", "({} * {})", "(-{})", "not({})", "true()", "number({})",
        "string-length({})", "starts-with({}, {})", "contains({}, {})", "selected({}, {})",
        "count-selected({})", "selected-at({}, {})", "if({}, {}, {})", "coalesce({}, {})",
        "int({})", "round({})", "concat({}, {})", "string({})", "boolean({})", "max({}, {})",
        "jr:choice-name({}, '/data/a')", "format-date({}, '%b %Y')", "regex({}, '[0-9]+')",
        "decimal-date-time({})", "date({})",
    ),
    max_leaves=6,
)  # fmt: skip


@given(EXPRESSIONS, st.tuples(*[st.sampled_from(ANSWERS)] * 3))
def test_a_shortcut_gives_what_lxml_gives(expression: str, answers: tuple[str, ...]) -> None:
    compiled = LOGIC.compiled(expression)
    if compiled.direct is None:
        return
    ours, theirs = both(compiled, *answers)
    assert type(ours) is type(theirs)
    equal = ours == theirs
    assert equal or (isinstance(ours, float) and math.isnan(ours) and math.isnan(theirs))


@pytest.mark.parametrize(
    "expression",
    [
        " /data/a  >= 3", "/data/a", ". = 'x'", "true()", "string-length(.) <= 200",
        "selected(/data/a, 'x') and not(/data/g/c > 2)", "number(/data/a) + /data/g/c * 2",
        "jr:choice-name( /data/a , ' /data/a ')", "if(/data/b = '', 'none', /data/b)",
    ],
)  # fmt: skip
def test_what_most_forms_ask_needs_no_lxml(expression: str) -> None:
    ours, theirs = both(LOGIC.compiled(expression), "1", "x", "3")
    assert ours == theirs


@pytest.mark.parametrize(
    "expression",
    [
        "/data/r/d = 'x'", "sum(/data/r/d)", "/data/*", "../b", "/data/a[. = 1]", "/data/nowhere",
        "/data/a = 1", "'1e3' + 1", "/data/a div 2", "today() > .", "random()", "position()",
        "number()", "once(/data/a)", "count(/data/r)", "(/data/a)[1]",
        "instance('fruit')/root\x2fitem",
    ],
)  # fmt: skip
def test_whatever_may_come_out_otherwise_is_left_to_lxml(expression: str) -> None:
    assert LOGIC.compiled(expression).direct is None
