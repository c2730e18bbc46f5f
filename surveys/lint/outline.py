"""A questionnaire as a list to be laid out: each thing in its order, in every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from surveys.forms.form import Form, Kind, Label, Node, Question
from surveys.lint.flow import Drawing
from surveys.lint.spelling import spelt

_HEARD = (Kind.CALCULATE, Kind.HIDDEN)


@dataclass(frozen=True, slots=True)
class Item:
    """One question, note, group or repetition.

    ``number`` counts what is asked, '' for anything else; ``depth`` is how many groups it stands
    in. ``what`` and ``when`` are in words; ``labels``, ``hints`` and the choices' words by language
    code. ``media`` are file names.
    """

    path: str
    name: str
    depth: int
    number: str
    what: tuple[str, ...]
    when: tuple[str, ...]
    labels: Mapping[str, str]
    hints: Mapping[str, str]
    choices: tuple[tuple[str, Mapping[str, str]], ...]
    media: tuple[str, ...]
    indicator: str


def outline(form: Form, language: str) -> tuple[Item, ...]:
    """All that people see of ``form``, told in ``language``; what is computed is left out."""
    numbers = iter(range(1, len(form.questions) + 1))
    drawing = Drawing(form, language)

    def below(nodes: tuple[Node, ...], depth: int) -> Iterator[Item]:
        for node in nodes:
            if isinstance(node, Question) and node.kind in _HEARD:
                continue
            asks = isinstance(node, Question) and node.asks
            yield _item(node, depth, str(next(numbers)) if asks else "", drawing)
            if not isinstance(node, Question):
                yield from below(node.children, depth + 1)

    return tuple(below(form.body, 0))


def _item(node: Node, depth: int, number: str, drawing: Drawing) -> Item:
    question = node if isinstance(node, Question) else None
    what = (
        (drawing.kind(question), *drawing.marks(question))
        if question is not None
        else (drawing.frame(node),)  # type: ignore[arg-type]
    )
    files = (
        {name for texts in question.media.values() for name in texts.values()} if question else ()
    )
    return Item(
        path=node.path,
        name=node.path.rsplit("/", 1)[-1],
        depth=depth,
        number=number,
        what=what,
        when=tuple(drawing.conditions(node)),
        labels=worded(node.label, drawing.form, node, drawing.language),
        hints=worded(question.hint, drawing.form, node, drawing.language) if question else {},
        choices=tuple((c.name, c.label) for c in question.choices) if question else (),
        media=tuple(sorted(files)),
        indicator=(question.indicator or "") if question else "",
    )


def worded(label: Label, form: Form, node: Node, language: str) -> dict[str, str]:
    """A label by language code, with the names of what it takes from answers in brackets."""
    return {
        code: "".join(
            piece if isinstance(piece, str)
            else f"[{spelt(piece.expression, form, node.path, language)}]"
            for piece in pieces
        )
        for code, pieces in label.items()
    }  # fmt: skip
