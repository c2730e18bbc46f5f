"""Whether a condition can ever hold: what is certain without asking anybody.

A condition is brought into disjunctive normal form. A case is impossible where the values that it
demands of one thing exclude each other: two names at once, an empty interval, a choice that is not
in the list. What is not understood counts as possible, so "impossible" is always proven.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import product

from surveys.forms.form import Form, Kind, Question, Repeat, walk
from surveys.lint.spelling import canonical, literal, resolve
from surveys.logic.expression import Binary, Call, Expression, Number, Text, XPathError
from surveys.logic.grammar import parse

MOST = 64  # cases beyond which a condition counts as possible
_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_CHANGING = ("random(", "now(", "uuid(", "once(")
_COUNTS = ("string-length", "count-selected", "count", "count-non-empty")


@dataclass(frozen=True, slots=True)
class Atom:
    """One demand: ``subject`` (a node's path, or a canonical expression) stands so to ``value``.

    ``operator`` is a comparison, ``has`` or ``lacks`` (a word). ``loose``: it also holds where the
    subject is no number, because it is what is left of ``not(...)``.
    """

    subject: str
    operator: str
    value: str
    loose: bool = False

    def holds(self, value: str) -> bool:
        """Whether the demand holds of the concrete ``value``."""
        match self.operator:
            case "has":
                return self.value in value.split()
            case "lacks":
                return self.value not in value.split()
            case "=" | "!=":
                return (_key(value) == _key(self.value)) is (self.operator == "=")
        left, right = number(value), number(self.value)
        if math.isnan(left) or math.isnan(right):
            return self.loose
        return _compare(self.operator, left, right)


Case = frozenset[Atom]
Cases = tuple[Case, ...]
"""Any one of them makes the condition true; none: it is never true."""
POSSIBLE: Cases = (frozenset(),)


def number(text: str) -> float:
    """The number, or the day's number of a date; NaN for anything else."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(date.fromisoformat(text[:10]).toordinal())
    except ValueError:
        return math.nan


def _key(text: str) -> object:
    value = number(text)
    return text if math.isnan(value) else value


def _compare(operator: str, left: float, right: float) -> bool:
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
    return left >= right


class Reasoner:
    """Reasons about the conditions of one form."""

    def __init__(self, form: Form) -> None:
        self.questions: Mapping[str, Question] = {q.path: q for q in form.questions}
        self.repeats = tuple(n.path for n in walk(form.body) if isinstance(n, Repeat))

    def cases(self, expression: str, context: str) -> Cases:
        """The cases in which ``expression`` holds at ``context``; POSSIBLE if unclear."""
        try:
            found = self._cases(parse(expression), context, True)
        except XPathError:
            return POSSIBLE
        return self.possible(found)

    def possible(self, cases: Iterable[Case]) -> Cases:
        """The cases that are not certain to be impossible."""
        return tuple(case for case in dict.fromkeys(cases) if not self.impossible(case))

    def both(self, one: Cases, other: Cases) -> Cases:
        """The cases in which both hold."""
        if len(one) * len(other) > MOST:
            return one
        return self.possible(a | b for a, b in product(one, other))

    def impossible(self, case: Case) -> bool:
        """Whether no answers at all can meet all demands of ``case``."""
        subjects: dict[str, list[Atom]] = defaultdict(list)
        for atom in case:
            subjects[atom.subject].append(atom)
        return any(not self._meets(subject, atoms) for subject, atoms in subjects.items())

    def demanded(self, case: Case) -> frozenset[str]:
        """The nodes that must have a value in ``case``."""
        return frozenset(
            atom.subject for atom in case if atom.subject in self.questions and not atom.holds("")
        )

    # ---- an expression to its cases

    def _cases(self, tree: Expression, context: str, wanted: bool) -> tuple[Case, ...]:
        match tree:
            case Binary("and" | "or" as operator, left, right):
                one = self._cases(left, context, wanted)
                two = self._cases(right, context, wanted)
                if (operator == "or") is wanted:
                    return _capped((*one, *two))
                if len(one) * len(two) > MOST:
                    return POSSIBLE if one and two else ()
                return tuple(a | b for a, b in product(one, two))
            case Binary("=" | "!=" | "<" | "<=" | ">" | ">=" as operator, left, right):
                return self._comparison(operator, left, right, context, wanted)
            case Call("true" | "false" as name, (), _):
                return POSSIBLE if (name == "true") is wanted else ()
            case Call("not", (inner,), _):
                return self._cases(inner, context, not wanted)
            case Call("boolean", (inner,), _) if not isinstance(inner, Text | Number):
                return self._cases(inner, context, wanted)
            case Call("selected", (node, name), _):
                return self._selected(node, name, context, wanted)
            case Number(text):
                return POSSIBLE if bool(float(text)) is wanted else ()
            case Text(value):
                return POSSIBLE if bool(value) is wanted else ()
        return POSSIBLE

    def _selected(
        self, node: Expression, name: Expression, context: str, wanted: bool
    ) -> tuple[Case, ...]:
        path, text = self._node(node, context), literal(name)
        if path is None or text is None:
            return POSSIBLE
        return (frozenset({Atom(path, "has" if wanted else "lacks", text)}),)

    def _comparison(
        self, operator: str, left: Expression, right: Expression, context: str, wanted: bool
    ) -> tuple[Case, ...]:
        one, two = literal(left), literal(right)
        if one is not None and two is not None:
            return POSSIBLE if Atom("", operator, two).holds(one) is wanted else ()
        if one is not None:
            left, right, two, operator = right, left, one, _FLIPPED[operator]
        negated = not wanted
        operator = _OPPOSITE[operator] if negated else operator
        loose = negated and operator not in ("=", "!=")
        if two is not None:
            subject = self._subject(left, context)
        else:
            pair = (self._subject(left, context), self._subject(right, context))
            if None in pair:
                return POSSIBLE
            first, second = sorted(str(each) for each in pair)
            operator = operator if first == pair[0] else _FLIPPED[operator]
            subject, two = f"{first} − {second}", "0"
        if subject is None:
            return POSSIBLE
        return (frozenset({Atom(subject, operator, two, loose)}),)

    def _subject(self, tree: Expression, context: str) -> str | None:
        """What is compared; None where it may be many values, or another one each time."""
        if resolve(tree, context) is not None:
            return self._node(tree, context)
        if not isinstance(tree, Call | Binary):
            return None
        spelling = canonical(tree, context)
        return None if any(word in spelling for word in _CHANGING) else spelling

    def _node(self, tree: Expression, context: str) -> str | None:
        """The node, unless from here it is many: in a repeat that ``context`` stands outside of."""
        path = resolve(tree, context)
        if path is None or path not in self.questions:
            return None
        for repeat in self.repeats:
            inside = path.startswith(f"{repeat}/")
            if inside and not (context == repeat or context.startswith(f"{repeat}/")):
                return None
        return path

    # ---- whether there is a value

    def _meets(self, subject: str, atoms: list[Atom]) -> bool:
        question = self.questions.get(subject)
        values = _values(question)
        if all(atom.holds("") for atom in atoms) and not subject.startswith(_COUNTS):
            return True
        if values is not None:
            return any(all(atom.holds(value) for atom in atoms) for value in values)
        if question and question.kind in (Kind.SELECT_MULTIPLE, Kind.RANK):
            return _some_words(question, atoms)
        exact = {_key(atom.value): atom.value for atom in atoms if atom.operator == "="}
        if exact:
            value = next(iter(exact.values()))
            return all(atom.holds(value) for atom in atoms)
        if any(atom.operator == "has" for atom in atoms):
            return True
        whole = subject.startswith(_COUNTS) or (question and question.kind is Kind.INTEGER)
        return _some_number(atoms, _bounds(subject, question), bool(whole))


def _capped(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    return cases if len(cases) <= MOST else POSSIBLE


def _values(question: Question | None) -> tuple[str, ...] | None:
    """Every value that an answer can have, where they are few."""
    if question is None or question.default or question.initial:
        return None
    if question.kind is Kind.SELECT_ONE and question.choices:
        return tuple(choice.name for choice in question.choices)
    return None


def _some_words(question: Question, atoms: list[Atom]) -> bool:
    names = {choice.name for choice in question.choices}
    if not names or question.default or question.initial:
        return True
    has = {atom.value for atom in atoms if atom.operator == "has"}
    lacks = {atom.value for atom in atoms if atom.operator == "lacks"}
    exact = {atom.value for atom in atoms if atom.operator == "=" and atom.value}
    if exact:
        value = next(iter(exact))
        return set(value.split()) <= names and all(atom.holds(value) for atom in atoms)
    return has <= names and not has & lacks


def _bounds(subject: str, question: Question | None) -> tuple[float, float]:
    if question is not None and question.steps is not None:
        return question.steps.start, question.steps.end
    return (0, math.inf) if subject.startswith(_COUNTS) else (-math.inf, math.inf)


def _some_number(atoms: list[Atom], bounds: tuple[float, float], whole: bool) -> bool:
    """Whether an interval is left, and more of it than what ``!=`` takes away."""
    low, high = bounds
    open_low = open_high = False
    for atom in atoms:
        limit = number(atom.value)
        if atom.operator in ("!=", "lacks") or math.isnan(limit):
            continue  # a time of day, for instance
        if atom.operator in (">", ">=") and (limit, atom.operator == ">") >= (low, open_low):
            low, open_low = limit, atom.operator == ">"
        if atom.operator in ("<", "<=") and (-limit, atom.operator == "<") >= (-high, open_high):
            high, open_high = limit, atom.operator == "<"
    if whole and math.isfinite(low):
        low, open_low = (math.floor(low) + 1 if open_low else math.ceil(low)), False
    if whole and math.isfinite(high):
        high, open_high = (math.ceil(high) - 1 if open_high else math.floor(high)), False
    if low > high or (low == high and (open_low or open_high)):
        return False
    if whole and high - low < 1000:
        points = (str(int(low) + step) for step in range(int(high - low) + 1))
        return any(all(atom.holds(point) for atom in atoms) for point in points)
    return low < high or all(atom.holds(repr(float(low))) for atom in atoms)
