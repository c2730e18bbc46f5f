"""The tree of an XPath 1.0 expression, and the paths and parts in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


class XPathError(ValueError):
    """An expression that cannot be computed. ``at`` is the character where, counted from 1."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(f"{message} (character {at})")
        self.at = at


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A literal, without its quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call. ``at`` is where its name stands, counted from 1."""

    name: str
    arguments: tuple[Expression, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Minus:
    """Unary minus."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what stands between: or and = != < <= > >= + - * div mod |."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: ``axis`` is '', '@' or 'name::', ``test`` a name, * . .. or text()."""

    axis: str
    test: str
    predicates: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from ``start``: '/' the root, '' the context node, or the nodes of an expression."""

    start: Expression | str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """An expression's nodes, of which predicates leave some."""

    primary: Expression
    predicates: tuple[Expression, ...]


Expression = Number | Text | Call | Minus | Binary | Path | Filter

LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("=", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "div", "mod"),
    ("minus",),
    ("|",),
    ("call",),
)
"""Operators from the loosest to the tightest, with unary minus and what needs no brackets."""

LEVEL = {operator: level for level, operators in enumerate(LEVELS) for operator in operators}


def level_of(e: Expression) -> int:
    """How tightly ``e`` holds together: its place in LEVELS."""
    match e:
        case Binary(operator):
            return LEVEL[operator]
        case Minus():
            return LEVEL["minus"]
        case _:
            return LEVEL["call"]


def quoted(value: str) -> str:
    """A literal: XPath 1.0 has no escapes, so the quotes are those that ``value`` has not."""
    return f'"{value}"' if "'" in value else f"'{value}'"


def walk(e: Expression, base: str) -> Iterator[tuple[Expression, str]]:
    """Every part of ``e`` with the path that its relative paths begin at ('' the context node)."""
    yield e, base
    match e:
        case Call(_, arguments):
            for argument in arguments:
                yield from walk(argument, base)
        case Minus(operand):
            yield from walk(operand, base)
        case Binary(_, left, right):
            yield from walk(left, base)
            yield from walk(right, base)
        case Filter(primary, predicates):
            yield from walk(primary, base)
            for predicate in predicates:
                yield from walk(predicate, path_text(primary, base))
        case Path(start, steps):
            if not isinstance(start, str):
                yield from walk(start, base)
            for end, step in enumerate(steps, 1):
                for predicate in step.predicates:
                    yield from walk(predicate, path_text(Path(start, steps[:end]), base))


def path_text(e: Expression, base: str) -> str:
    """The path of ``e``, '' where it begins with what is no path."""
    match e:
        case Call("current"):
            return "current()"
        case Call("instance", (Text(name),)):
            return f"instance({quoted(name)})"
        case Filter(primary):
            return path_text(primary, base)
        case Path(start, steps):
            written = "/".join(step.axis + step.test for step in steps)
            if start == "/":
                return f"/{written}"
            begin = base if isinstance(start, str) else path_text(start, base)
            if begin:
                return f"{begin}/{written}"
            return written if start == "" else ""
        case _:
            return ""
