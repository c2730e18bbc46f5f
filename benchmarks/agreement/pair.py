"""One interview of ours and one instance of theirs, kept in step and held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from benchmarks.agreement.engine import Engine, Seen
from surveys.forms.form import Form, Kind, Label, Output, Question, Repeat, plain, walk
from surveys.interview import Interview, Step, advance, view
from surveys.moves import Answered, Chose, Done, Gave, Move, Skipped
from surveys.saying import Ask, say
from surveys.typed.trouble import Trouble
from surveys.typed.understand import understand
from surveys.view import Spot, View

_REFUSED = ("said", "constraint", "required")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing compared. ``rule`` is the expression that decides it, '' where there is none."""

    aspect: str
    path: str
    ours: object
    theirs: object
    rule: str = ""

    @property
    def agrees(self) -> bool:
        return self.ours == self.theirs


class Pair:
    """Both engines at the same answers. ``now`` is aware and in the engine's zone."""

    def __init__(self, form: Form, engine: Engine, now: datetime, language: str) -> None:
        self.form, self.now = form, now
        self._engine = engine
        self.interview = Interview(1, language, began=now.isoformat(), seed=1)
        self._repeats = {node.path: node for node in walk(form.body) if isinstance(node, Repeat)}
        self._questions = {q.path: q for q in form.questions if q.kind is not Kind.MORE}
        self._initial: dict[str, str] = {}
        self._base: dict[str, str] = {}
        self._nodes: dict[str, Seen] = {}
        self._take(engine.load(form.source, now, language))
        self.view = view(form, self.interview, now)
        self._mirror()

    # ---- one move

    def step(self, move: Move) -> Iterator[Check]:
        """Make ``move`` in ours, the same in theirs, and compare the verdict on it."""
        place, seen = self.view.place, self.view
        assert place is not None
        result = advance(self.form, self.interview, move, self.now)
        if not result.accepted:
            yield from self._refusal(place, seen, move, result)
            return
        before = self.interview
        self.interview = result.interview
        self.view = view(self.form, self.interview, self.now)
        self._mirror()
        value = self.interview.answers.get(place.path)
        if value and place.path not in before.answers and place.question.kind is not Kind.MORE:
            valid = self._nodes[place.path].valid
            yield Check("constraint", place.path, True, valid, place.question.constraint or "")

    def forget(self, path: str) -> None:
        """Take one answer back, wherever it stands (what a change in the review does)."""
        answers = {at: value for at, value in self.interview.answers.items() if at != path}
        self.interview = replace(self.interview, answers=answers, draft=())
        self.view = view(self.form, self.interview, self.now)
        self.interview = replace(self.interview, answers=self.view.answers)
        self._mirror()

    def _refusal(self, place: Spot, seen: View, move: Move, step: Step) -> Iterator[Check]:
        trouble = step.say.trouble if isinstance(step.say, Ask) else None
        value = _proposed(seen, place, move, self.now)
        if trouble is None or trouble.key not in _REFUSED or value is None:
            return
        question = place.question
        if value == "":
            there = self._nodes[place.path].required
            yield Check("required", place.path, True, there, question.required or "")
            return
        attempt = self._engine.attempt(place.path, value)
        yield Check("constraint", f"{place.path} = {value}", False, attempt.valid,
                    question.constraint or "")  # fmt: skip
        if trouble.key == "said" and not attempt.valid:
            message = str(trouble.arguments["message"]).strip()
            yield Check("message", place.path, message, attempt.message, question.constraint or "")

    # ---- theirs after ours

    def _take(self, nodes: dict[str, Seen]) -> None:
        self._nodes = nodes
        for path, node in nodes.items():
            self._initial.setdefault(path, node.value or "")
            self._base.setdefault(path, node.value or "")
        for path in [path for path in self._base if path not in nodes]:
            del self._base[path], self._initial[path]

    def _mirror(self) -> None:
        """Bring theirs to the answers of ours: occurrences first, then values, until it holds."""
        while self._recounted() or self._rewritten():
            pass

    def _recounted(self) -> bool:
        for path, node in self._nodes.items():
            if node.open and (wanted := self.count(path)) != node.count:
                self._take(self._engine.count(path, wanted))
                return True
        return False

    def _rewritten(self) -> bool:
        for path, node in self._nodes.items():
            question = self._questions.get(plain(path))
            if question is None or not question.asks or node.readonly:
                continue
            if question.calculate and question.trigger is None:
                continue
            wanted = self.view.answers.get(path, question.default)
            if self._base[path] != wanted:
                self._base[path] = wanted
                self._take(self._engine.set(path, wanted))
                return True
        return False

    def count(self, path: str) -> int:
        """How many occurrences ours has of the repeat at ``path``."""
        number = self.view.scene.number(f"count({path})", f"/{self.form.root}")
        return int(number)

    def question(self, path: str) -> Question | None:
        """The question at ``path``."""
        return self._questions.get(plain(path))

    def offers_nothing(self, path: str) -> bool:
        """Whether a select at ``path`` has no choice to offer."""
        spots = (spot for spot in self.view.spots if spot.path == path)
        return any(spot.question.itemset and not self.view.offered(spot) for spot in spots)

    # ---- the comparison

    def checks(self) -> Iterator[Check]:
        """Everything that both tell of the instance as it is."""
        spots = {spot.path: spot for spot in self.view.spots if spot.question.kind is not Kind.MORE}
        for path, node in self._nodes.items():
            repeat = self._repeats.get(plain(path))
            question = self._questions.get(plain(path))
            if node.type == "repeat-range" and repeat is not None:
                theirs = node.count if node.relevant else 0
                yield Check("repeat count", path, self._counted(path), theirs, repeat.count or "")
            elif question is not None and node.count is None and node.type != "repeat-instance":
                yield from self._checked(question, path, node, spots.get(path))
        for path in spots.keys() - self._nodes.keys():
            yield Check("relevance", path, True, None, "no such node there")
        yield from self._noted()

    def _counted(self, path: str) -> int:
        try:
            return self.count(path)
        except KeyError:
            return 0

    def _checked(
        self, question: Question, path: str, node: Seen, spot: Spot | None
    ) -> Iterator[Check]:
        scene = self.view.scene
        shown = question.calculate is not None and question.trigger is None
        if question.asks and not shown:
            theirs = node.relevant and not node.readonly
            yield Check("relevance", path, spot is not None, theirs, self._relevant(path))
        if spot is not None and node.relevant:
            yield Check("required", path, self.view.required(spot), node.required,
                        question.required or "")  # fmt: skip
            for aspect, label, there in (
                ("label", question.label, node.label),
                ("hint", question.hint, node.hint),
            ):
                words = scene.words(label, path).strip()
                yield Check(aspect, path, words, there, referred(label))
            if node.choices is not None:
                rule = question.itemset.nodeset if question.itemset else ""
                yield Check("choices", path, self._offered(spot), node.choices, rule)
        offered = question.itemset.nodeset if question.itemset else ""
        rule = question.calculate or question.initial or offered
        rule = " / ".join(part for part in (self._relevant(path), rule) if part)
        try:
            ours: str | None = scene.value(path)
        except KeyError:
            ours = None if node.relevant else ""
        yield Check("value", path, ours, node.value, rule)

    def _offered(self, spot: Spot) -> tuple[tuple[str, str], ...]:
        language = self.interview.language
        return tuple(
            (choice.name, (choice.label.get(language) or next(iter(choice.label.values()))).strip())
            for choice in self.view.offered(spot)
        )

    def _relevant(self, path: str) -> str:
        """The conditions on the way to ``path``, outermost first."""
        bare = plain(path)
        around = (
            n for n in walk(self.form.body) if bare == n.path or bare.startswith(n.path + "/")
        )
        return " / ".join(node.relevant for node in around if node.relevant)

    def _noted(self) -> Iterator[Check]:
        """The notes said before the open question, and the value it comes with."""
        place, said = self.view.place, say(self.view)
        if place is None or not isinstance(said, Ask) or place.path not in self._nodes:
            return
        before: list[str] = []
        for path, node in self._nodes.items():
            if path == place.path:
                break
            question = self._questions.get(plain(path))
            if question is None or not node.relevant:
                continue
            if path in self.view.answers:
                before = []
            elif question.kind is Kind.NOTE and node.label:
                before.append(node.label)
        ours = [note.strip() for note in said.notes]
        if all(self._questions[plain(p)].kind is Kind.NOTE for p, n in self._nodes.items()
               if n.readonly and plain(p) in self._questions):  # fmt: skip
            yield Check("notes", place.path, ours, before)
        if place.question.default or place.question.initial:
            rule = place.question.initial or place.question.default
            preset = self.view.preset(place)
            yield Check("default", place.path, preset, self._initial.get(place.path, ""), rule)


def referred(label: Label) -> str:
    """The expressions in a label."""
    pieces = next(iter(label.values()), ())
    return ", ".join(piece.expression for piece in pieces if isinstance(piece, Output))


def _proposed(seen: View, place: Spot, move: Move, now: datetime) -> str | None:
    """The value that ``move`` proposes; None where it proposes none."""
    match move:
        case Answered(words):
            value = understand(place.question, words, seen.offered(place), now)
            return None if isinstance(value, Trouble) else value
        case Chose(index):
            return seen.offered(place)[index].name
        case Done():
            draft = seen.draft(place)
            return " ".join(c.name for c in place.question.choices if c.name in draft) or None
        case Gave(_, value):
            return value
        case Skipped():
            return ""
    return None
