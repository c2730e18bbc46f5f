"""An interview walked once in document order: what is relevant, offered, computed and asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from surveys.forms.form import (
    GATHERED,
    HANDED,
    SELECTED,
    Choice,
    Form,
    Group,
    Kind,
    Node,
    Question,
    Repeat,
    plain,
)
from surveys.logic.compiled import logic_of
from surveys.logic.scene import Scene, Surroundings
from surveys.people import Text
from surveys.typed.trouble import Trouble
from surveys.typed.understand import understand
from surveys.words import Words, pick

SKIPPED = ""
MOST = 200  # occurrences of repeats, taken together, that anybody is asked for
LONGEST = 10_000  # characters of a computed value
STEPS = 12  # a range with more steps than this is answered in words
_PASSES = 10
_WORDS = Words.of("surveys")


@dataclass(frozen=True, slots=True)
class Spot:
    """A question where it stands: ``path`` is concrete; ``above`` are the groups around it."""

    question: Question
    path: str
    above: tuple[tuple[Group | Repeat, str], ...] = ()


class Given(Protocol):
    """What a walk needs of an interview."""

    @property
    def language(self) -> str: ...
    @property
    def answers(self) -> Mapping[str, str]: ...
    @property
    def draft(self) -> tuple[str, ...]: ...
    @property
    def context(self) -> Mapping[str, Text]: ...
    @property
    def former(self) -> Mapping[str, str]: ...
    @property
    def seed(self) -> int: ...
    @property
    def sent(self) -> bool: ...


class View:
    """The walk. ``place`` is the open question, ``spots`` every relevant one that asks."""

    def __init__(self, form: Form, given: Given, now: datetime, began: datetime) -> None:
        self.form = form
        self.answers = dict(given.answers)
        self.given = given
        self._logic = logic_of(form)
        self._surroundings = Surroundings(now, began, given.seed, given.language)
        self._offered: dict[str, tuple[Choice, ...]] = {}
        self.scene = self._fresh()
        for _ in range(_PASSES + len(self.answers)):
            before = len(self.answers)
            self._changed = False
            self._walk_whole()
            if len(self.answers) < before:  # what is dropped can change what stands above it
                self.scene = self._fresh()
            elif not (self._changed and self._logic.backward):
                break

    def _fresh(self) -> Scene:
        return Scene(self._logic, self.answers, self._surroundings)

    # ---- the walk

    def _walk_whole(self) -> None:
        self.place: Spot | None = None
        self._occurrences = 0
        self.spots: list[Spot] = []
        self.notes: list[Spot] = []
        self._walk(self.form.body, "", 0, ())

    def _walk(
        self,
        nodes: Sequence[Node],
        prefix: str,
        cut: int,
        above: tuple[tuple[Group | Repeat, str], ...],
    ) -> None:
        """``prefix`` stands for the first ``cut`` characters of the paths below it."""
        for node in nodes:
            path = prefix + node.path[cut:]
            context = f"{path}#" if isinstance(node, Repeat) else path
            if node.relevant and not self.scene.holds(node.relevant, context):
                self._clear(node, path)
            elif isinstance(node, Question):
                self._meet(Spot(node, path, above))
            elif isinstance(node, Group):
                self._walk(node.children, prefix, cut, (*above, (node, path)))
            else:
                self._repeat(node, path, above)

    def _repeat(
        self, repeat: Repeat, base: str, above: tuple[tuple[Group | Repeat, str], ...]
    ) -> None:
        wanted = self._count(repeat, base)
        count = 0
        while count < wanted and self._occurrences < MOST:
            at = f"{base}[{count + 1}]"
            if repeat.more is not None and not self._one_more(repeat.more, at, above):
                break
            count += 1
            self._occurrences += 1
            self.scene.grow(at)
            self._walk(repeat.children, at, len(repeat.path), (*above, (repeat, at)))
        asked = count if repeat.more is None else count + 1  # "no more" is an answer too
        self.scene.shrink(base, count)
        self._drop_beyond(base, asked, count)

    def _count(self, repeat: Repeat, base: str) -> int:
        if repeat.count is None:
            return MOST
        number = self.scene.number(repeat.count, f"{base}#")
        return max(0, min(MOST, int(number))) if math.isfinite(number) else 0

    def _one_more(
        self, more: Question, at: str, above: tuple[tuple[Group | Repeat, str], ...]
    ) -> bool:
        self._asked(Spot(more, at, above))
        return self.answers.get(at) == "1"

    def _drop_beyond(self, base: str, asked: int, count: int) -> None:
        """Forget what was said of occurrences that are no more."""
        for path in [path for path in self.answers if path.startswith(f"{base}[")]:
            number, _, below = path[len(base) + 1 :].partition("]")
            if int(number) > (count if below else asked):
                del self.answers[path]

    def _clear(self, node: Node, path: str) -> None:
        if isinstance(node, Repeat):
            self.scene.shrink(path, 0)
            self._drop_beyond(path, 0, 0)
            return
        self.scene.blank(path)
        if isinstance(node, Question):
            self.answers.pop(path, None)
            return
        for child in node.children:
            self._clear(child, path + child.path[len(node.path) :])

    def _meet(self, spot: Spot) -> None:
        """A relevant question."""
        question = spot.question
        match question.kind:
            case Kind.NOTE:
                self._compute(spot)
                self._note(spot)
            case Kind.CALCULATE:
                self._compute(spot)
            case Kind.HIDDEN:
                texts = self.given.context.get(question.name)
                if texts is not None:
                    self.scene.put(spot.path, pick(texts, self.given.language))
                else:
                    self._compute(spot)
            case _ if self._fixed(spot):
                self._compute(spot)
                self._note(spot)
            case _:
                self._asked(spot)

    def _fixed(self, spot: Spot) -> bool:
        """Whether the value is shown and nobody is asked."""
        question = spot.question
        if question.calculate and question.trigger is None:
            self.answers.pop(spot.path, None)
            return True
        if spot.path in self.answers:  # what was said before it was locked stays said
            return False
        return question.readonly is not None and self.scene.holds(question.readonly, spot.path)

    def _note(self, spot: Spot) -> None:
        if self.place is None:
            self.notes.append(spot)

    def _asked(self, spot: Spot) -> None:
        self.spots.append(spot)
        self._drop_unoffered(spot)
        if spot.path in self.answers:
            if self.place is None:
                self.notes.clear()
        elif self.place is None:
            self.place = spot

    def _drop_unoffered(self, spot: Spot) -> None:
        """Forget an answer of which something is not among the choices any more."""
        question, value = spot.question, self.answers.get(spot.path)
        if not value or question.itemset is None:
            return
        names = {choice.name for choice in self.scene.offered(question, spot.path)}
        single = question.kind is Kind.SELECT_ONE  # whose names may hold spaces, from a repeat
        if not names.issuperset((value,) if single else value.split()):
            del self.answers[spot.path]
            self.scene.put(spot.path, question.default)

    def _compute(self, spot: Spot) -> None:
        value = self._computed(spot)
        value = value if value is None else value[:LONGEST]
        if value is not None and value != self.scene.value(spot.path):
            self.scene.put(spot.path, value)
            self._changed = True

    def _computed(self, spot: Spot) -> str | None:
        """What the form makes the value of ``spot``; None where it makes none."""
        question = spot.question
        if question.calculate:
            trigger = question.trigger
            if trigger is not None and not any(plain(at) == trigger for at in self.answers):
                return question.default
            return self.scene.text(question.calculate, spot.path)
        if question.initial:
            return self.scene.text(question.initial, spot.path, once=True)
        return None

    @property
    def repeats(self) -> bool:
        """Whether how many questions there are hangs on what is answered."""
        return bool(self._logic.repeats)

    # ---- what a question needs

    def offered(self, spot: Spot) -> tuple[Choice, ...]:
        """The choices offered at ``spot`` now; () where words, a place or a file are wanted."""
        found = self._offered.get(spot.path)
        if found is None:  # the walk is over: no answer changes that could change them
            found = self._offered[spot.path] = self._choices(spot)
        return found

    def _choices(self, spot: Spot) -> tuple[Choice, ...]:
        match spot.question.kind:
            case Kind.MORE:
                first = spot.path.endswith("[1]")
                keys = ("choice.one", "choice.none") if first else ("choice.more", "choice.no_more")
                yes, no = map(_WORDS.all_of, keys)
                return Choice("1", yes), Choice("0", no)
            case Kind.ACKNOWLEDGE:
                return (Choice("OK", _WORDS.all_of("choice.ok")),)
            case Kind.RANGE:
                return _steps(spot.question)
            case kind if kind in SELECTED:
                return self.scene.offered(spot.question, spot.path)
        return ()

    def draft(self, spot: Spot) -> tuple[str, ...]:
        """What has been ticked or ranked so far."""
        if spot.question.kind not in GATHERED or not self.given.draft:
            return ()
        names = {choice.name for choice in self.offered(spot)}
        return tuple(name for name in self.given.draft if name in names)

    def proposed(self, spot: Spot) -> str:
        """A value to be kept at a press: the answer taken back, else the form's; '' for none.

        The form's own proposal for a list of buttons would sway, and is a button anyway.
        """
        old = self.given.former.get(spot.path, "")
        if old and spot.question.kind in SELECTED:
            names = {choice.name for choice in self.offered(spot)}
            old = old if set(old.split()) <= names else ""
        swaying = spot.question.kind in (Kind.SELECT_ONE, Kind.RANGE)
        return old or ("" if swaying else self.preset(spot))

    def preset(self, spot: Spot) -> str:
        """The value that the form proposes; '' for none."""
        question = spot.question
        value = self._computed(spot)
        if value is None:
            value = question.default
        if value and question.kind in SELECTED:
            names = {choice.name for choice in self.offered(spot)}
            return value if set(value.split()) <= names else ""
        if not value or question.kind in HANDED:
            return ""
        fits = understand(question, value, self.offered(spot), self._surroundings.now)
        return "" if isinstance(fits, Trouble) else value  # what its kind cannot hold is no answer

    def required(self, spot: Spot) -> bool:
        """Whether ``spot`` must be answered. Whether there is another one always must.

        Where a filter leaves no choice nobody can be held to one.
        """
        rule, kind = spot.question.required, spot.question.kind
        if kind is Kind.MORE:
            return True
        if rule is None or not self.scene.holds(rule, spot.path):
            return False
        return kind not in SELECTED or bool(self.offered(spot))

    def before(self) -> Spot | None:
        """The last answered question above the place."""
        found = None
        for spot in self.spots:
            if self.place is not None and spot.path == self.place.path:
                break
            if spot.path in self.answers:
                found = spot
        return found


def _steps(question: Question) -> tuple[Choice, ...]:
    """A range's numbers as choices, where they are few enough to press."""
    steps = question.steps
    if steps is None:
        return ()
    count = math.floor((steps.end - steps.start) / steps.step + 1e-9) + 1
    if count > STEPS:
        return ()
    numbers = (steps.start + steps.step * at for at in range(count))
    return tuple(Choice(text, {"": text}) for text in map(_plain_number, numbers))


def _plain_number(number: float) -> str:
    return f"{number:.10f}".rstrip("0").rstrip(".")
