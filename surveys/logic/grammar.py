"""XPath 1.0: an expression's text to a tree.

Grammar and disambiguation rules: XPath 1.0 (W3C, 16 November 1999), sections 2, 3 and 3.7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from surveys.logic.expression import (
    LEVELS,
    Binary,
    Call,
    Expression,
    Filter,
    Minus,
    Number,
    Path,
    Step,
    Text,
    XPathError,
    quoted,
)

_AXES = frozenset(
    [
        "ancestor",
        "ancestor-or-self",
        "attribute",
        "child",
        "descendant",
        "descendant-or-self",
        "following",
        "following-sibling",
        "namespace",
        "parent",
        "preceding",
        "preceding-sibling",
        "self",
    ]
)
_NODE_TYPES = frozenset(("comment", "text", "processing-instruction", "node"))
_ANYWHERE = Step("descendant-or-self::", "node()")
_NAME = r"[^\W\d][\w.·-]*"
_TOKEN = re.compile(
    rf"""(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<wrong>==|=[<>]|<>|&&?|\|\||[‘’“”≤≥≠，（）；;！!](?!=)|[$]\{{[^}}]*\}}|[$]|["'])
    |(?P<name>{_NAME}(?::(?!:)(?:{_NAME}|\*))?)
    |(?P<sign>::|//|\.\.|!=|<=|>=|[][()@,/|+=<>*.-])""",
    re.VERBOSE,
)
_INSTEAD = {
    "==": "=", "=>": ">=", "=<": "<=", "<>": "!=", "&&": "and", "&": "and", "||": "or",
    "≤": "<=", "≥": ">=", "≠": "!=", "，": ",", "（": "(", "）": ")", ";": ",", "；": ",",
    "‘": "'", "’": "'", "“": '"', "”": '"', "!": "not(...)", "！": "not(...)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number | text | name | sign | operator | end
    text: str
    at: int


@lru_cache(maxsize=512)
def parse(expression: str) -> Expression:
    """The tree of ``expression``. Raises XPathError where it is not XPath 1.0.

    Variables are refused: in a questionnaire nothing gives them a value.
    """
    try:
        return _Parser(_tokens(expression)).whole()
    except RecursionError:
        raise XPathError("This is nested too deeply: split it into calculations", 1) from None


def _tokens(expression: str) -> list[_Token]:
    found: list[_Token] = []
    end = len(expression.rstrip())
    place = 0
    while place < end:
        if expression[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(expression, place)
        if match is None:
            raise XPathError(f"{expression[place]} means nothing here", place + 1)
        kind, text = str(match.lastgroup), match[0]
        if kind == "wrong":
            raise XPathError(_advice(text), place + 1)
        found.append(_Token(_role(kind, text, found), text, place + 1))
        place = match.end()
    found.append(_Token("end", "", end + 1))
    return found


def _role(kind: str, text: str, before: list[_Token]) -> str:
    """Section 3.7: after an operand, * and names are operators."""
    if text in ("|", "+", "-", "=", "!=", "<", "<=", ">", ">=", "/", "//") and kind == "sign":
        return "operator"
    after_operand = before and not (
        before[-1].kind == "operator" or before[-1].text in ("@", "::", "(", "[", ",")
    )
    named = text == "*" or (kind == "name" and text in ("and", "or", "div", "mod"))
    return "operator" if after_operand and named else kind


def _advice(text: str) -> str:
    if text in ("'", '"'):
        return f"The text that begins here has no closing {text}"
    if text.startswith("${"):
        return f"{text}: there is no question of this name"
    if text == "$":
        return "$ has no place here: refer to a question as ${name}"
    return f"Write {_INSTEAD[text]} instead of {text}"


class _Parser:
    """Recursive descent; one method a rule."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def whole(self) -> Expression:
        if self._next.kind == "end":
            raise XPathError("There is no expression", 1)
        result = self._binary(0)
        if self._next.kind != "end":
            raise XPathError(f"An operator is missing before {self._next.text}", self._next.at)
        return result

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self, *texts: str) -> _Token | None:
        """The next token where it is one of ``texts`` (a literal or a name never is)."""
        token = self._next
        if token.kind not in ("sign", "operator") or token.text not in texts:
            return None
        self._place += 1
        return token

    def _close(self, bracket: str, opened: _Token) -> None:
        if self._take(bracket) is None:
            raise XPathError(f"The {opened.text} here has no closing {bracket}", opened.at)

    def _binary(self, level: int) -> Expression:
        if LEVELS[level] == ("minus",):
            return self._minus()
        left = self._binary(level + 1)
        while token := self._take(*LEVELS[level]):
            left = Binary(token.text, left, self._binary(level + 1))
        return left

    def _minus(self) -> Expression:
        if self._take("-"):
            return Minus(self._minus())
        left = self._path()
        while self._take("|"):
            left = Binary("|", left, self._path())
        return left

    def _path(self) -> Expression:
        if token := self._take("/", "//"):
            if token.text == "//":
                return Path("/", (_ANYWHERE, *self._steps()))
            return Path("/", self._steps() if self._at_step() else ())
        if not self._at_primary():
            return Path("", self._steps())
        start = self._primary()
        if predicates := self._predicates():
            start = Filter(start, predicates)
        if token := self._take("/", "//"):
            return Path(start, (_ANYWHERE, *self._steps()) if token.text == "//" else self._steps())
        return start

    def _at_step(self) -> bool:
        token = self._next
        return token.kind == "name" or token.text in (".", "..", "@", "*")

    def _at_primary(self) -> bool:
        token = self._next
        if token.kind == "name":
            return self._calls() and token.text not in _NODE_TYPES
        return token.kind in ("number", "text") or token.text == "("

    def _calls(self) -> bool:
        after = self._tokens[self._place + 1]
        return after.kind == "sign" and after.text == "("

    def _primary(self) -> Expression:
        token = self._next
        self._place += 1
        if token.kind == "number":
            return Number(token.text)
        if token.kind == "text":
            return Text(token.text[1:-1])
        if token.kind == "name":
            return Call(token.text, self._arguments(), token.at)
        inside = self._binary(0)
        self._close(")", token)
        return inside

    def _arguments(self) -> tuple[Expression, ...]:
        opened = self._take("(")
        assert opened is not None
        if self._take(")"):
            return ()
        arguments = [self._binary(0)]
        while self._take(","):
            arguments.append(self._binary(0))
        self._close(")", opened)
        return tuple(arguments)

    def _steps(self) -> tuple[Step, ...]:
        steps = [self._step()]
        while token := self._take("/", "//"):
            if token.text == "//":
                steps.append(_ANYWHERE)
            steps.append(self._step())
        return tuple(steps)

    def _step(self) -> Step:
        if token := self._take(".", ".."):
            return Step("", token.text)
        axis = ""
        if self._take("@"):
            axis = "@"
        elif self._tokens[min(self._place + 1, len(self._tokens) - 1)].text == "::":
            axis = f"{self._next.text}::"
            if self._next.text not in _AXES:
                raise XPathError(f"XPath knows no axis {axis}", self._next.at)
            self._place += 2
        return Step(axis, self._test(), self._predicates())

    def _test(self) -> str:
        token = self._next
        if token.kind != "name" and token.text != "*":
            before = f"before {token.text}" if token.text else "at the end"
            raise XPathError(f"A value is missing {before}", token.at)
        prefix = token.text.partition(":")[0]
        if prefix not in (token.text, "jr"):
            raise XPathError(f"The prefix {prefix}: is not known here", token.at)
        is_call = token.kind == "name" and self._calls()
        self._place += 1
        if not is_call:
            return token.text
        if token.text not in _NODE_TYPES:
            raise XPathError(f"{token.text}() cannot stand within a path", token.at)
        named = [a.value for a in self._arguments() if isinstance(a, Text)]
        return f"{token.text}({', '.join(map(quoted, named))})"

    def _predicates(self) -> tuple[Expression, ...]:
        predicates = []
        while opened := self._take("["):
            predicates.append(self._binary(0))
            self._close("]", opened)
        return tuple(predicates)
