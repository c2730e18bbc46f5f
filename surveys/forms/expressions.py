"""Everything that a questionnaire computes, by the XLSForm column it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from surveys.forms.form import Label, Node, Output, Question, Repeat


def expressions(node: Node) -> Iterator[tuple[str, str]]:
    """(column, expression) of everything that ``node`` computes."""
    for column, expression in (
        ("relevant", node.relevant),
        ("repeat_count", _count(node)),
        *(_computed(node) if isinstance(node, Question) else ()),
    ):
        if expression:
            yield column, expression
    labels: tuple[tuple[str, Label], ...] = (("label", node.label),)
    if isinstance(node, Question):
        labels += (
            ("hint", node.hint),
            ("guidance_hint", node.guidance),
            ("constraint_message", node.constraint_message),
            ("required_message", node.required_message),
            *(("choices", choice.pieces) for choice in node.choices),
        )
    for column, label in labels:
        for piece in chain.from_iterable(label.values()):
            if isinstance(piece, Output):
                yield column, piece.expression


def _computed(question: Question) -> tuple[tuple[str, str | None], ...]:
    itemset = question.itemset
    return (
        ("constraint", question.constraint),
        ("required", question.required),
        ("calculation", question.calculate),
        ("read_only", question.readonly),
        ("default", question.initial),
        ("choice_filter", itemset.nodeset if itemset else None),
        ("parameters", itemset.seed if itemset else None),
    )


def _count(node: Node) -> str | None:
    return node.count if isinstance(node, Repeat) else None
