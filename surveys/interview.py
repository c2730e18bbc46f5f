"""One interview: its answers, and what follows from a move. Pure.

The place in an interview is computed from its answers, never stored: it is the first relevant,
unanswered question in document order. Going back, skipping, branching and resuming need nothing
else. ``turn`` grows with each accepted move; a move that carries another turn is stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from surveys.form import Form, Kind, Label, Output, Question
from surveys.logic import scene
from surveys.people import Text
from surveys.understand import Trouble, understand
from surveys.words import pick

SKIPPED = ""


@dataclass(frozen=True, slots=True)
class Interview:
    """The state of one interview.

    ``answers`` maps a question's path to its value ('' = skipped). ``draft`` holds the choices
    ticked so far in a select_multiple. ``context`` fills the form's hidden questions by name.
    ``heard`` numbers the newest typed message that was taken (see :class:`reply.Typed`); it lies
    in here, sealed, because whoever has typed was mostly dissatisfied.
    """

    turn: int
    language: str
    answers: Mapping[str, str] = field(default_factory=dict)
    draft: tuple[str, ...] = ()
    context: Mapping[str, Text] = field(default_factory=dict)
    heard: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """Words typed in answer to the question that is open."""

    words: str


@dataclass(frozen=True, slots=True)
class Chose:
    """The button of choice number ``index`` was pressed, as drawn at ``turn``."""

    index: int
    turn: int


@dataclass(frozen=True, slots=True)
class Done:
    """The ticked choices of a select_multiple are all."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """No answer to this question."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class WentBack:
    """Take the last answer back."""

    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Showed:
    """Nothing is answered; show where the interview stands (looked, resumed, other language)."""


Move = Answered | Chose | Done | Skipped | WentBack | Showed


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask ``question``, after ``notes``; ``trouble`` says why the last move was not accepted."""

    question: Question
    label: str
    hint: str
    notes: tuple[str, ...]
    can_go_back: bool
    can_skip: bool
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Farewell:
    """Every question is answered. ``notes`` are those after the last question."""

    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The interview after a move, and what to say. ``accepted`` means it must be kept."""

    interview: Interview
    say: Ask | Farewell
    accepted: bool


def advance(form: Form, interview: Interview, move: Move, now: datetime) -> Step:
    """What follows from ``move``. Refused moves leave the interview as it was and say why."""
    view = _View(form, interview, now)
    if isinstance(move, Showed) or view.place is None:
        return Step(interview, view.say(None), accepted=False)
    result = _apply(view, view.place, move)
    if isinstance(result, Trouble):
        return Step(interview, view.say(result), accepted=False)
    after = replace(result, turn=interview.turn + 1)
    view = _View(form, after, now)
    kept = replace(after, answers=view.answers)
    return Step(kept, view.say(None), accepted=True)


def values(form: Form, interview: Interview, now: datetime) -> dict[str, str]:
    """Every value of a finished interview by path: answers, calculations, hidden context."""
    view = _View(form, interview, now)
    found = {path: view.scene.value(path) for path in form.paths}
    return {path: value for path, value in found.items() if value}


def dump(interview: Interview) -> bytes:
    """The state as JSON bytes, without the turn: that stands in the store's row."""
    state = [interview.language, interview.answers, interview.draft, interview.context]
    return json.dumps([*state, interview.heard], ensure_ascii=False).encode()


def restore(state: bytes, turn: int) -> Interview:
    """The inverse of :func:`dump`."""
    language, answers, draft, context, heard = json.loads(state)
    return Interview(turn, language, answers, tuple(draft), context, heard)


class _View:
    """The interview walked once in document order: what is relevant, and where it stands."""

    def __init__(self, form: Form, interview: Interview, now: datetime) -> None:
        self.form = form
        self.interview = interview
        self.answers = dict(interview.answers)
        # dropping an answer can change what stands before it, so walk until nothing drops
        while self._walk(now):
            pass

    def _walk(self, now: datetime) -> bool:
        self.scene = scene(self.form, self.answers, now)
        self.place: Question | None = None
        self.notes: list[Question] = []
        dropped = False
        for question in self.form.questions:
            if question.relevant and not self.scene.holds(question.relevant, question.path):
                self.scene.put(question.path, "")
                dropped |= self.answers.pop(question.path, None) is not None
            elif self.place is None:
                self._meet(question)
        return dropped

    def _meet(self, question: Question) -> None:
        """A relevant question at or before the place."""
        match question.kind:
            case Kind.NOTE:
                self.notes.append(question)
            case Kind.CALCULATE if question.calculate:
                self.scene.put(question.path, self.scene.text(question.calculate, question.path))
            case Kind.HIDDEN if question.name in self.interview.context:
                texts = self.interview.context[question.name]
                self.scene.put(question.path, pick(texts, self.interview.language))
            case _ if question.asks and question.path in self.answers:
                self.notes.clear()
            case _ if question.asks:
                self.place = question

    def required(self, question: Question) -> bool:
        rule = question.required
        return rule is not None and self.scene.holds([rule], question.path)

    def say(self, trouble: Trouble | None) -> Ask | Farewell:
        notes = tuple(self.text(note.label, note) for note in self.notes)
        if self.place is None:
            return Farewell(notes)
        return Ask(
            question=self.place,
            label=self.text(self.place.label, self.place),
            hint=self.text(self.place.hint, self.place),
            notes=notes,
            can_go_back=bool(self.answers) or bool(self.interview.draft),
            can_skip=not self.required(self.place),
            trouble=trouble,
        )

    def text(self, label: Label, question: Question) -> str:
        language = self.interview.language
        pieces = label.get(language) or next(iter(label.values()), ())
        return "".join(
            self.scene.text(piece.expression, question.path) if isinstance(piece, Output) else piece
            for piece in pieces
        )


def _apply(view: _View, question: Question, move: Move) -> Interview | Trouble:
    """The interview with ``move`` applied at ``question``, its turn not yet grown."""
    turn = getattr(move, "turn", None)
    if turn is not None and turn != view.interview.turn:
        return Trouble("stale")
    match move:
        case Answered(words):
            value = understand(question, words)
            return value if isinstance(value, Trouble) else _answer(view, question, value)
        case Chose(index):
            return _choose(view, question, index)
        case Done():
            if question.kind is not Kind.SELECT_MULTIPLE:
                return Trouble("not_understood")
            return _answer(view, question, " ".join(view.interview.draft))
        case Skipped():
            return _answer(view, question, SKIPPED)
        case WentBack():
            return _go_back(view)
    raise TypeError(move)


def _choose(view: _View, question: Question, index: int) -> Interview | Trouble:
    if not 0 <= index < len(question.choices):
        return Trouble("stale")
    name = question.choices[index].name
    if question.kind is Kind.SELECT_ONE:
        return _answer(view, question, name)
    ticked = set(view.interview.draft) ^ {name}
    ordered = tuple(choice.name for choice in question.choices if choice.name in ticked)
    return replace(view.interview, draft=ordered)


def _answer(view: _View, question: Question, value: str) -> Interview | Trouble:
    if value == SKIPPED and view.required(question):
        message = view.text(question.required_message, question)
        return Trouble("said", {"message": message}) if message else Trouble("required")
    if value != SKIPPED and question.constraint:
        view.scene.put(question.path, value)
        held = view.scene.holds([question.constraint], question.path)
        view.scene.put(question.path, "")
        if not held:
            message = view.text(question.constraint_message, question)
            return Trouble("said", {"message": message}) if message else Trouble("constraint")
    return replace(view.interview, answers={**view.answers, question.path: value}, draft=())


def _go_back(view: _View) -> Interview | Trouble:
    if view.interview.draft:
        return replace(view.interview, draft=())
    place = view.place.path if view.place else None
    before: list[str] = []
    for question in view.form.questions:
        if question.path == place:
            break
        if question.path in view.answers:
            before.append(question.path)
    if not before:
        return Trouble("at_start")
    answers = {path: value for path, value in view.answers.items() if path != before[-1]}
    return replace(view.interview, answers=answers)
