"""One instance of a questionnaire, filled with one interview's answers, to compute in.

An evaluation costs a microsecond, or a few where lxml is asked; the instance is rebuilt from the
answers for every turn, so nothing is ever out of date.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from surveys.forms.form import Choice, Label, Output, Question, plain
from surveys.logic.chance import randomized
from surveys.logic.compiled import Logic
from surveys.logic.functions import number_of, text_of, truth


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What expressions may know besides the answers. Times are aware and in the survey's zone.

    ``began`` is when the interview began: the clock of what is computed once. ``seed`` stands for
    chance, so that the same interview draws the same again.
    """

    now: datetime
    began: datetime
    seed: int = 0
    language: str = "zh"


class Scene:
    """One instance filled with one interview's answers, to evaluate expressions in.

    Nodes are named by concrete path, ``/data/person[2]/name``. Occurrences of a repeat appear when
    a value is put into them, or by :meth:`grow`. ``nodes`` are the instance's elements by path.
    """

    def __init__(self, logic: Logic, values: Mapping[str, str], surroundings: Surroundings) -> None:
        self._logic = logic
        root = copy.copy(logic.template)  # of an element, all that is below it is copied too
        self.nodes = dict(zip(logic.order, root.iter(), strict=True))
        self._surroundings, self._language = surroundings, surroundings.language
        for path, value in values.items():
            if not path.endswith("]"):
                self.put(path, value)

    def put(self, path: str, value: str) -> None:
        """Set the value of a node, creating the occurrences around it."""
        node = self.nodes.get(path)
        if node is None:
            self.grow(path.rsplit("]", 1)[0] + "]")
            node = self.nodes[path]
        node.text = value

    def value(self, path: str) -> str:
        """The value of a node, '' where it has none."""
        return self.nodes[path].text or ""

    def values(self) -> dict[str, str]:
        """Every value that is not empty, by concrete path, in document order."""
        where = {node: path for path, node in self.nodes.items() if not path.endswith("#")}
        root = self.nodes[self._logic.order[0]]
        return {where[node]: node.text for node in root.iter() if node.text and node in where}

    def blank(self, path: str) -> None:
        """Empty a node and everything below it: what is not relevant has no value."""
        for node in self.nodes[path].iter():
            if not len(node):
                node.text = None

    def grow(self, path: str) -> None:
        """Make sure that the occurrence ``path`` (``/data/person[2]``) is there."""
        if path in self.nodes:
            return
        base, _, number = path.rpartition("[")
        outer = base.rpartition("]")[0]
        if outer:
            self.grow(outer + "]")
        before = int(number[:-1]) - 1
        if before:
            self.grow(f"{base}[{before}]")
        template, suffixes = self._logic.repeats[plain(base)]
        occurrence = copy.copy(template)
        self.nodes[f"{base}#"].addprevious(occurrence)
        for suffix, node in zip(suffixes, occurrence.iter(), strict=True):
            self.nodes[path + suffix] = node

    def shrink(self, base: str, count: int) -> None:
        """Take away the occurrences of the repeat ``base`` beyond the first ``count``."""
        while (path := f"{base}[{count + 1}]") in self.nodes:
            occurrence = self.nodes[path]
            parent = occurrence.getparent()
            assert parent is not None
            for known in [known for known in self.nodes if known.startswith(path)]:
                del self.nodes[known]
            parent.remove(occurrence)
            count += 1

    def holds(self, expression: str, path: str) -> bool:
        """Whether ``expression`` is true at ``path``; a repeat's with '#' is where it would be."""
        return truth(self._run(expression, path))

    def text(self, expression: str, path: str, *, once: bool = False) -> str:
        """The value of ``expression`` at the node ``path``, as text; ``once``: as it first was."""
        value = self._run(expression, path, once=once)
        if isinstance(value, float) and math.isnan(value):
            return ""  # as JavaRosa keeps it: what cannot be computed is not answered
        return text_of(value)

    def number(self, expression: str, path: str) -> float:
        """The value of ``expression`` at the node ``path``, as a number; may be NaN."""
        return number_of(self._run(expression, path))

    def offered(self, question: Question, path: str) -> tuple[Choice, ...]:
        """The choices offered at ``path``, filtered, in the order in which they are shown."""
        choices, itemset = question.choices, question.itemset
        if itemset is not None:
            choices = tuple(self._picked(question, path))
            if itemset.seed is not None:
                own = self._run(itemset.seed, path) if itemset.seed else None
                node = self.nodes[path]
                choices = tuple(randomized(self._surroundings.seed, [node], 1, list(choices), own))
        if any(choice.pieces for choice in choices):
            choices = tuple(self._spoken(choice, path) for choice in choices)
        return choices

    def words(self, label: Label, path: str) -> str:
        """A label in the language of the interview, else in another, with its references."""
        pieces = label.get(self._language) or next(iter(label.values()), ())
        return self._joined(pieces, path)

    def _joined(self, pieces: tuple[str | Output, ...], path: str) -> str:
        if len(pieces) == 1 and isinstance(pieces[0], str):
            return pieces[0]
        return "".join(
            self.text(piece.expression, path) if isinstance(piece, Output) else piece
            for piece in pieces
        )

    def _spoken(self, choice: Choice, path: str) -> Choice:
        if not choice.pieces:
            return choice
        label = {code: self._joined(pieces, path) for code, pieces in choice.pieces.items()}
        return Choice(choice.name, label)

    def _picked(self, question: Question, path: str) -> Iterator[Choice]:
        itemset = question.itemset
        assert itemset is not None
        for item in self._run(itemset.nodeset, path):
            number = item.get("n")
            if number is not None and question.choices:
                yield question.choices[int(number)]
            elif name := item.findtext(itemset.value):
                yield Choice(name, {"": item.findtext(itemset.label) or name})

    def _run(self, expression: str, path: str, *, once: bool = False) -> Any:
        compiled = self._logic.compiled(expression)
        node = self.nodes[path]
        if compiled.direct is not None:
            return compiled.direct((self.nodes, node, self._language))
        once = once or compiled.once
        return compiled.run(node, **{v: self._known(v, node, once) for v in compiled.variables})

    def _known(self, variable: str, node: etree._Element, once: bool) -> Any:
        match variable:
            case "now":
                now = self._surroundings.began if once else self._surroundings.now
                return now.isoformat(timespec="milliseconds")
            case "seed":
                return str(self._surroundings.seed)
            case "language":
                return self._language
            case "current":
                return [node]
            case _:
                return self._logic.secondary
