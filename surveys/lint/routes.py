"""The ways through a questionnaire: questions that nobody reaches, answers that nobody can give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from surveys.forms.expressions import expressions
from surveys.forms.form import Form, Kind, Node, Problem, Question, plain, walk
from surveys.lint.reason import POSSIBLE, Atom, Cases, Reasoner
from surveys.lint.spelling import literal, parts, resolve
from surveys.logic.compiled import logic_of
from surveys.logic.expression import Binary, Call, Expression, XPathError
from surveys.logic.grammar import parse
from surveys.logic.scene import Scene, Surroundings

_SELECTS = (Kind.SELECT_ONE, Kind.SELECT_MULTIPLE, Kind.RANK)
_CHANGING = frozenset({"today", "now", "random", "once", "uuid"})
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_TRIED = 200  # choices up to which every one is tried in a constraint


def routes(form: Form) -> Iterator[Problem]:
    """Problems of relevance, of constraints and of the values that expressions speak of."""
    reasoner, reached = Reasoner(form), dict[str, Cases]()
    order = {node.path: at for at, node in enumerate(walk(form.body))}
    for node in walk(form.body):
        if isinstance(node, Question) and node.kind is Kind.MORE:
            continue
        cases = reached[node.path] = _reached(node, reasoner, reached)
        if not cases and reached.get(_above(node.path), POSSIBLE):
            yield from _unreachable(node, reasoner)
        if isinstance(node, Question) and node.constraint and cases:
            yield from _unsatisfied(node, form, reasoner, cases)
        yield from _ahead(node, form, order)
        yield from _strange_choices(node, form)


def uses(form: Form) -> frozenset[str]:
    """The plain paths that some expression looks at, other than its own question's."""
    found: set[str] = set()
    for node in walk(form.body):
        for _, expression in expressions(node):
            found |= set(_nodes(expression, node.path)) - {plain(node.path)}
        if isinstance(node, Question) and node.trigger:
            found.add(plain(node.trigger))
    return frozenset(found)


def _above(path: str) -> str:
    return path.rsplit("/", 1)[0]


def _reached(node: Node, reasoner: Reasoner, reached: dict[str, Cases]) -> Cases:
    """The cases in which ``node`` is shown; where an answer is demanded, its question was shown."""
    cases = reached.get(_above(node.path), POSSIBLE)
    if node.relevant:
        cases = reasoner.both(cases, reasoner.cases(node.relevant, node.path))
    found: list[frozenset[Atom]] = []
    for case in cases:
        widened: Cases = (case,)
        for path in reasoner.demanded(case):
            widened = reasoner.both(widened, reached.get(path, POSSIBLE))
        found += widened
    return tuple(found)


def _unreachable(node: Node, reasoner: Reasoner) -> Iterator[Problem]:
    condition = {"condition": " ".join((node.relevant or "").split())}
    try:
        looks = any(True for _ in _nodes(node.relevant or "", node.path))
    except XPathError:
        return
    if looks:
        yield Problem("unreachable", node.path, "relevant", condition)
    else:
        yield Problem("switched_off", node.path, "relevant", condition, stop=False)


def _unsatisfied(
    question: Question, form: Form, reasoner: Reasoner, cases: Cases
) -> Iterator[Problem]:
    expression = question.constraint or ""
    given = reasoner.cases(expression, question.path)
    answered: Cases = (frozenset({Atom(question.path, "!=", "")}),)
    allowed = reasoner.both(reasoner.both(given, answered), cases)
    if not allowed or _none_of_its_choices(question, form, reasoner):
        arguments = {"constraint": " ".join(expression.split())}
        yield Problem("nothing_satisfies", question.path, "constraint", arguments)


def _none_of_its_choices(question: Question, form: Form, reasoner: Reasoner) -> bool:
    """Every choice tried in the constraint, where it looks at nothing else."""
    if question.kind is not Kind.SELECT_ONE or not 0 < len(question.choices) <= _TRIED:
        return False
    expression = question.constraint or ""
    try:
        calls = {part.name for part in parts(parse(expression)) if isinstance(part, Call)}
        alone = set(_nodes(expression, question.path)) <= {question.path}
    except XPathError:
        return False
    repeated = any(question.path.startswith(f"{each}/") for each in reasoner.repeats)
    if not alone or repeated or calls & _CHANGING:
        return False
    here = Surroundings(_SOME_DAY, _SOME_DAY)
    tried = ({question.path: choice.name} for choice in question.choices)
    scenes = (Scene(logic_of(form), values, here) for values in tried)
    return not any(scene.holds(expression, question.path) for scene in scenes)


def _ahead(node: Node, form: Form, order: dict[str, int]) -> Iterator[Problem]:
    """A condition on what is asked only later: the question comes as an afterthought."""
    for path in dict.fromkeys(_nodes(node.relevant or "", node.path)):
        later = order.get(path, -1) > order[node.path]
        below = path == plain(node.path) or (path in order and path.startswith(f"{node.path}/"))
        if later and not below and form.question(path).asks:
            name = path.rsplit("/", 1)[-1]
            yield Problem("asked_later", node.path, "relevant", {"name": name}, stop=False)
        elif below:
            name = path.rsplit("/", 1)[-1]
            yield Problem("hangs_on_itself", node.path, "relevant", {"name": name})


def _strange_choices(node: Node, form: Form) -> Iterator[Problem]:
    """A choice's name that an expression speaks of, and that is not in the list."""
    for column, expression in expressions(node):
        try:
            tree = parse(expression)
        except XPathError:
            continue
        for part in parts(tree):
            for one, other in _compared(part):
                path, name = resolve(one, node.path), literal(other)
                if path is None or not name:
                    continue
                names = _names(form, path)
                if names and name not in names:
                    arguments = {"name": name, "question": path.rsplit("/", 1)[-1],
                                 "names": ", ".join(names[:12])}  # fmt: skip
                    yield Problem("unknown_choice", node.path, column, arguments, stop=False)


def _compared(part: Expression) -> tuple[tuple[Expression, Expression], ...]:
    match part:
        case Binary("=" | "!=", left, right):
            return (left, right), (right, left)
        case Call("selected", (node, name), _):
            return ((node, name),)
    return ()


def _names(form: Form, path: str) -> list[str]:
    try:
        question = form.question(path)
    except KeyError:
        return []
    if question.kind not in _SELECTS or question.default or question.initial:
        return []
    return [choice.name for choice in question.choices]


def _nodes(expression: str, context: str) -> Iterator[str]:
    """The plain nodes that ``expression`` looks at from ``context``."""
    try:
        tree = parse(expression) if expression.strip() else None
    except XPathError:
        return
    for part in parts(tree) if tree else ():
        path = resolve(part, context)
        if path is not None:
            yield path
