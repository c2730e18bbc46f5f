"""An expression written for people: ``overall ≤ 2 and why = trips (had to come several times)``."""

from __future__ import annotations

from collections.abc import Iterator

from surveys.forms.form import Form, plain
from surveys.logic.expression import (
    LEVELS,
    Binary,
    Call,
    Expression,
    Filter,
    Minus,
    Number,
    Path,
    Text,
    XPathError,
)
from surveys.logic.grammar import parse
from surveys.words import Words, pick

_SIGNS = {"=": "=", "!=": "≠", "<=": "≤", ">=": "≥", "*": "×", "div": "÷", "-": "−"}
_WORDS = Words.of("surveys", "problems")


def resolve(path: Expression, context: str) -> str | None:
    """The plain node that ``path`` names, seen from the node ``context``; None for more than that.

    ``../age`` at ``/data/person/name`` is ``/data/person/age``. Predicates and axes are more.
    """
    if not isinstance(path, Path):
        return None
    current = isinstance(path.start, Call) and path.start.name == "current"
    if path.start not in ("", "/") and not current:
        return None
    steps = [] if path.start == "/" else plain(context).split("/")[1:]
    for step in path.steps:
        if step.axis or step.predicates or not step.test[:1].strip("*") or "(" in step.test:
            return None
        if step.test == "..":
            del steps[-1:]
        elif step.test != ".":
            steps.append(step.test)
    return "/" + "/".join(steps)


def parts(expression: Expression) -> Iterator[Expression]:
    """``expression`` and everything that it is made of, predicates included."""
    yield expression
    below: tuple[Expression, ...] = ()
    match expression:
        case Binary(_, left, right):
            below = (left, right)
        case Minus(operand):
            below = (operand,)
        case Call(_, arguments, _):
            below = arguments
        case Filter(primary, predicates):
            below = (primary, *predicates)
        case Path(start, steps):
            inside = tuple(each for step in steps for each in step.predicates)
            below = inside if isinstance(start, str) else (start, *inside)
    for each in below:
        yield from parts(each)


def literal(expression: Expression) -> str | None:
    """The text of a literal or a number, a negative one included; None for anything else."""
    match expression:
        case Text(value):
            return value
        case Number(text):
            return text
        case Minus(Number(text)):
            return f"-{text}"
        case Call("date", (Text(value),), _):
            return value
    return None


def canonical(expression: Expression, context: str) -> str:
    """One spelling for expressions that mean the same value: nodes by their whole path."""
    node = resolve(expression, context)
    if node is not None:
        return node
    match expression:
        case Binary(operator, left, right):
            return f"({canonical(left, context)} {operator} {canonical(right, context)})"
        case Minus(operand):
            return f"-{canonical(operand, context)}"
        case Call(name, arguments, _):
            return f"{name}({', '.join(canonical(each, context) for each in arguments)})"
        case Path(start, steps):
            begin = start if isinstance(start, str) else canonical(start, context)
            return begin + "/".join(
                f"{step.axis}{step.test}"
                + "".join(f"[{canonical(each, context)}]" for each in step.predicates)
                for step in steps
            )
        case Filter(primary, predicates):
            inside = "".join(f"[{canonical(each, context)}]" for each in predicates)
            return canonical(primary, context) + inside
    text = literal(expression)
    return repr(text)


def spelt(expression: str, form: Form, context: str, language: str) -> str:
    """``expression`` at the node ``context`` as a person would write it, in zh or en.

    Questions go by their names; a choice's name is followed by its label.
    """
    try:
        tree = parse(expression)
    except XPathError:
        return " ".join(expression.split())
    return _Speller(form, context, language).spell(tree)


class _Speller:
    def __init__(self, form: Form, context: str, language: str) -> None:
        self.form = form
        self.context = context
        self.language = language

    def spell(self, tree: Expression, level: int = 0) -> str:
        match tree:
            case Binary(operator, left, right):
                return self._binary(operator, left, right, level)
            case Minus(operand):
                return f"−{self.spell(operand, len(LEVELS))}"
            case Call(name, arguments, _):
                return self._call(name, arguments)
            case Filter(primary, predicates):
                return self.spell(primary) + self._predicates(predicates)
            case Path():
                return self._path(tree)
        text = literal(tree) or ""
        return text if text and text.isprintable() and " " not in text else f"“{text}”"

    def _binary(self, operator: str, left: Expression, right: Expression, level: int) -> str:
        here = next((at for at, signs in enumerate(LEVELS) if operator in signs), len(LEVELS))
        sign = _SIGNS.get(operator, operator)
        if operator in ("and", "or"):
            sign = _WORDS.say(f"flow.{operator}", self.language)
        about = f"{self.spell(left, here)} {sign} {self.spell(right, here + 1)}"
        if operator in ("=", "!="):
            about += self._label_of(left, right) or self._label_of(right, left)
        return f"({about})" if here < level else about

    def _label_of(self, node: Expression, name: Expression) -> str:
        path, text = resolve(node, self.context), literal(name)
        if path is None or text is None:
            return ""
        try:
            choices = self.form.question(path).choices
        except KeyError:
            return ""
        found = [pick(choice.label, self.language) for choice in choices if choice.name == text]
        return f" ({found[0]})" if found and found[0] != text else ""

    def _call(self, name: str, arguments: tuple[Expression, ...]) -> str:
        spoken = [self.spell(each) for each in arguments]
        if name in ("true", "false") and not arguments:
            return _WORDS.say(f"flow.{name}", self.language)
        if name == "not" and len(arguments) == 1:
            return _WORDS.say("flow.not", self.language, what=spoken[0])
        if name == "selected" and len(arguments) == 2:
            label = self._label_of(*arguments)
            return _WORDS.say("flow.selected", self.language, question=spoken[0],
                              choice=f"{spoken[1]}{label}")  # fmt: skip
        return f"{name}({', '.join(spoken)})"

    def _path(self, path: Path) -> str:
        node = resolve(path, self.context)
        if node == plain(self.context):
            return _WORDS.say("flow.this", self.language)
        if node is not None:
            return node.rsplit("/", 1)[-1]
        start = "" if isinstance(path.start, str) else self.spell(path.start)
        steps = "/".join(f"{s.test}{self._predicates(s.predicates)}" for s in path.steps[-1:])
        return f"{start}/{steps}" if start else steps

    def _predicates(self, predicates: tuple[Expression, ...]) -> str:
        return "".join(f"[{self.spell(each)}]" for each in predicates)
