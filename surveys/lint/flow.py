"""A questionnaire drawn as a tree: what is asked, in which order, of whom."""

from __future__ import annotations

from collections.abc import Iterator

from surveys.forms.form import Form, Group, Kind, Node, Question, Repeat
from surveys.lint.spelling import spelt
from surveys.words import Words

_WORDS = Words.of("surveys", "problems")
_YES, _NO = ("true()", "1"), ("false()", "0", "")


def draw(form: Form, language: str) -> list[str]:
    """The lines of the drawing, in ``language`` (zh or en); labels in the nearest there is.

    Questions are numbered as they are asked when every condition holds.
    """
    drawing = Drawing(form, language)
    lines = list(drawing.below(form.body, ""))
    if form.review:
        lines.append(_WORDS.say("flow.review", language))
    return lines


class Drawing:
    """Says of each node what it is, when it comes and what it accepts, in one language."""

    def __init__(self, form: Form, language: str) -> None:
        self.form = form
        self.language = language
        self.number = 0

    def below(self, nodes: tuple[Node, ...], margin: str) -> Iterator[str]:
        """The lines of ``nodes`` and of all below them."""
        for node in nodes:
            last = node is nodes[-1]
            children = () if isinstance(node, Question) else node.children
            head, *rest = self._lines(node)
            yield f"{margin}{'└ ' if last else '├ '}{head}"
            inner = margin + ("  " if last else "│ ")
            for line in rest:
                yield f"{inner}{'│ ' if children else '  '}{line}"
            yield from self.below(children, inner)

    def _lines(self, node: Node) -> Iterator[str]:
        """What a node is, then what it says, then when it comes and what it accepts."""
        if isinstance(node, Question):
            yield from self._question(node)
        else:
            yield f"{_name(node)}  {self.frame(node)}"
        if words := self._words(node):
            yield words
        yield from self.conditions(node)

    def frame(self, node: Group | Repeat) -> str:
        """What holds its questions together: a group, one message, or a repetition."""
        match node:
            case Group():
                return self._say("page" if node.field_list else "group")
            case Repeat(count=None):
                return self._say("repeat")
            case Repeat(count=count):
                return self._say("repeat_count", count=self._spelt(count or "", node))

    def _question(self, question: Question) -> Iterator[str]:
        if question.kind is Kind.CALCULATE:
            expression = self._spelt(question.calculate or "", question)
            yield self._say("calculate", name=question.name, expression=expression)
        elif question.kind is Kind.HIDDEN:
            yield self._say("given", name=question.name)
        else:
            comma = _WORDS.say("check.comma", self.language)
            about = [self.kind(question), *self.marks(question)]
            number = ""
            if question.asks:
                self.number += 1
                number = f"{self.number} "
            yield f"{number}{question.name}  {comma.join(about)}"

    def kind(self, question: Question) -> str:
        """What sort of answer it takes: ``one of 5``."""
        steps = question.steps
        if steps is not None:
            return self._say("kind.range", start=f"{steps.start:g}", end=f"{steps.end:g}",
                             step=f"{steps.step:g}")  # fmt: skip
        return self._say(f"kind.{question.kind}", count=len(question.choices) or "…")

    def marks(self, question: Question) -> Iterator[str]:
        """Whether it must be answered, and what its answers are counted as."""
        required = (question.required or "").strip()
        if required in _YES:
            yield self._say("required")
        elif required not in _NO:
            yield self._say("required_if", condition=self._spelt(required, question))
        if question.indicator:
            yield self._say("indicator", indicator=question.indicator)
        if question.reason:
            yield self._say("reason")
        if question.remark:
            yield self._say("remark")
        if question.itemset is not None and question.itemset.seed is not None:
            yield self._say("shuffled")

    def conditions(self, node: Node) -> Iterator[str]:
        """When it comes, and what it accepts."""
        if node.relevant:
            yield self._say("relevant", condition=self._spelt(node.relevant, node))
        if isinstance(node, Question):
            yield from self._demands(node)

    def _demands(self, question: Question) -> Iterator[str]:
        if question.constraint:
            yield self._say("constraint", condition=self._spelt(question.constraint, question))
        if question.itemset is not None and "[" in question.itemset.nodeset:
            inside = question.itemset.nodeset.partition("[")[2].rpartition("]")[0]
            yield self._say("filter", condition=self._spelt(inside, question))

    def _words(self, node: Node) -> str:
        """The label on one line, with the names of what it takes from answers in brackets."""
        pieces = node.label.get(self.language) or next(iter(node.label.values()), ())
        words = (
            piece if isinstance(piece, str) else f"[{self._spelt(piece.expression, node)}]"
            for piece in pieces
        )
        return " ".join("".join(words).split())

    def _spelt(self, expression: str, node: Node) -> str:
        return spelt(expression, self.form, node.path, self.language)

    def _say(self, key: str, **arguments: object) -> str:
        return _WORDS.say(f"flow.{key}", self.language, **arguments)


def _name(node: Node) -> str:
    return node.path.rsplit("/", 1)[-1]
