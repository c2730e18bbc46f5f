"""The logic of one questionnaire: XPath over its instance, on lxml, with ODK's functions.

Expressions are compiled once a form. An evaluation costs a few microseconds; the instance is
rebuilt from the answers for every turn, so nothing is ever out of date.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from lxml import etree

from surveys.form import Form, FormError, Label, Output, Question

_NOW = "{urn:minyi}now"
_JR = "http://openrosa.org/javarosa"


def _string(value: Any) -> str:
    """XPath 1.0 string(): a node-set is its first node's text, 3.0 is '3'."""
    if isinstance(value, list):
        return _string(value[0]) if value else ""
    if isinstance(value, etree._Element):
        return "".join(value.itertext())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _truth(value: Any) -> bool:
    """XPath 1.0 boolean(): a node-set is true when it is not empty, NaN is false."""
    return bool(value) and value == value  # noqa: PLR0124 - NaN


def _clock(context: Any) -> datetime:
    return datetime.fromisoformat(context.context_node.getroottree().getroot().get(_NOW))


def _number(value: Any) -> float:
    if isinstance(value, bool):
        return float(value)
    try:
        return float(_string(value))
    except ValueError:
        return math.nan


def _int(_: Any, value: Any) -> float:
    number = _number(value)
    return float(int(number)) if math.isfinite(number) else number


def _pow(_: Any, base: Any, power: Any) -> float:
    try:
        return math.pow(_number(base), _number(power))
    except (ValueError, OverflowError):
        return math.nan


def _selected_at(_: Any, value: Any, index: Any) -> str:
    chosen, place = _string(value).split(), _number(index)
    return chosen[int(place)] if 0 <= place < len(chosen) else ""


FUNCTIONS: dict[tuple[str | None, str], Any] = {
    (None, "selected"): lambda _, value, name: _string(name) in _string(value).split(),
    (None, "count-selected"): lambda _, value: float(len(_string(value).split())),
    (None, "selected-at"): _selected_at,
    (None, "if"): lambda _, test, yes, no: yes if _truth(test) else no,
    (None, "coalesce"): lambda _, first, second: _string(first) or _string(second),
    (None, "regex"): lambda _, value, rule: re.search(_string(rule), _string(value)) is not None,
    (None, "int"): _int,
    (None, "pow"): _pow,
    (None, "today"): lambda context: _clock(context).date().isoformat(),
    (None, "now"): lambda context: _clock(context).isoformat(timespec="seconds"),
}


class Scene:
    """One instance filled with one interview's answers, to evaluate expressions in."""

    def __init__(self, logic: Logic, values: Mapping[str, str], now: datetime) -> None:
        self._logic = logic
        self._root = copy.deepcopy(logic.template)
        self._root.set(_NOW, now.isoformat())
        self._nodes = dict(zip(logic.order, self._root.iter(), strict=True))
        for path, value in values.items():
            self._nodes[path].text = value

    def put(self, path: str, value: str) -> None:
        """Set the value of a node."""
        self._nodes[path].text = value

    def value(self, path: str) -> str:
        """The value of a node, '' where it has none."""
        return self._nodes[path].text or ""

    def holds(self, expressions: Sequence[str], path: str) -> bool:
        """Whether all of ``expressions`` are true at the node ``path``."""
        return all(_truth(self._run(e, path)) for e in expressions)

    def text(self, expression: str, path: str) -> str:
        """The value of ``expression`` at the node ``path``, as text."""
        return _string(self._run(expression, path))

    def _run(self, expression: str, path: str) -> Any:
        return self._logic.compiled(expression)(self._nodes[path])


class Logic:
    """The compiled expressions and the empty instance of one form."""

    def __init__(self, form: Form) -> None:
        self.template = etree.Element(form.root)
        self.order = [f"/{form.root}"]
        nodes = {self.order[0]: self.template}
        for path in form.paths:
            steps = path.split("/")
            for end in range(3, len(steps) + 1):
                here = "/".join(steps[:end])
                if here not in nodes:
                    parent = nodes["/".join(steps[: end - 1])]
                    nodes[here] = etree.SubElement(parent, steps[end - 1])
        where = {node: path for path, node in nodes.items()}
        self.order = [where[node] for node in self.template.iter()]
        self._compiled: dict[str, etree.XPath] = {}

    def filled(self, values: Mapping[str, str], now: datetime) -> Scene:
        """The instance holding ``values`` at the moment ``now``."""
        return Scene(self, values, now)

    def compiled(self, expression: str) -> etree.XPath:
        """The expression, compiled at first use."""
        found = self._compiled.get(expression)
        if found is None:
            found = etree.XPath(
                expression, namespaces={"jr": _JR}, extensions=FUNCTIONS, smart_strings=False
            )
            self._compiled[expression] = found
        return found


def scene(form: Form, values: Mapping[str, str], now: datetime) -> Scene:
    """The instance of ``form`` holding ``values`` (path -> text) at the moment ``now``."""
    return _logic_of(form).filled(values, now)


_LOGICS: dict[str, Logic] = {}


def _logic_of(form: Form) -> Logic:
    """Logic is cached by content hash: equal hashes are equal forms."""
    logic = _LOGICS.get(form.hash)
    if logic is None:
        logic = _LOGICS[form.hash] = Logic(form)
    return logic


_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # whether an expression computes hangs on no date


def check_logic(form: Form, name: str) -> None:
    """Run every expression once on an empty instance, so that a bad one fails at import.

    Raises FormError naming the file ``name``, the question, its column and the expression.
    """
    empty = Logic(form).filled({}, _SOME_DAY)
    for question in form.questions:
        for column, expression in _expressions(question):
            try:
                empty.text(expression, question.path)
            except Exception as error:  # our functions and lxml's raise what they like
                raise FormError(
                    f"{name}: question {question.name}, column {column}: "
                    f"'{expression.strip()}' cannot be computed ({error}). "
                    "Mend the expression, or leave it out."
                ) from error


def _expressions(question: Question) -> Iterator[tuple[str, str]]:
    """(column, expression) of everything that ``question`` computes."""
    for relevant in question.relevant:
        yield "relevant", relevant
    for column, expression in (
        ("constraint", question.constraint),
        ("required", question.required),
        ("calculation", question.calculate),
    ):
        if expression:
            yield column, expression
    labels: tuple[tuple[str, Label], ...] = (
        ("label", question.label),
        ("hint", question.hint),
        ("constraint_message", question.constraint_message),
        ("required_message", question.required_message),
    )
    for column, label in labels:
        for piece in chain.from_iterable(label.values()):
            if isinstance(piece, Output):
                yield column, piece.expression
