"""What an interview says at the place where it stands: a question, the review, the farewell."""

from __future__ import annotations

from dataclasses import dataclass

from surveys.forms.form import HANDED, SELECTED, Choice, Group, Kind, Question, Repeat
from surveys.typed.trouble import Trouble
from surveys.view import SKIPPED, Spot, View
from surveys.words import Words, pick

_WORDS = Words.of("surveys")


@dataclass(frozen=True, slots=True)
class Line:
    """One answer, to be looked over: the question's ``label`` and the answer in ``words``."""

    path: str
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask ``question`` at the concrete ``path``.

    ``heading`` are the labels of the groups that begin here, ``notes`` what is said before, and
    ``answered`` the lines of the same field-list answered above. ``choices`` are offered now.
    ``number`` of ``total`` is how far the interview is; ``total`` is 0 where nobody can know.
    ``preset`` is a value to keep, in words; ``can_clear``: skipping forgets an answer given before.
    ``trouble`` says why the last move was not accepted.
    """

    question: Question
    path: str
    label: str
    hint: str
    guidance: str
    heading: tuple[str, ...]
    notes: tuple[str, ...]
    answered: tuple[Line, ...]
    choices: tuple[Choice, ...]
    draft: tuple[str, ...]
    preset: str
    number: int
    total: int
    can_go_back: bool
    can_skip: bool
    can_clear: bool
    trouble: Trouble | None = None

    @property
    def shown(self) -> tuple[int, ...]:
        """The choices that what was typed may have meant; () where it may have been any."""
        narrows = self.trouble is not None and self.question.kind is Kind.SELECT_ONE
        return self.trouble.indices if self.trouble is not None and narrows else ()


@dataclass(frozen=True, slots=True)
class Review:
    """Every question is answered; ``lines`` are looked over before they are sent."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Farewell:
    """Every question is answered. ``notes`` are those after the last question."""

    notes: tuple[str, ...]


def say(view: View, trouble: Trouble | None = None) -> Ask | Review | Farewell:
    """The open question, else the review where the form wants one, else the farewell."""
    notes = tuple(filter(None, (_noted(view, note) for note in view.notes)))
    if view.place is not None:
        return _ask(view, view.place, notes, trouble)
    if view.form.review and not view.given.sent and view.spots:
        return Review(lines(view), notes, trouble)
    return Farewell(notes)


def lines(view: View) -> tuple[Line, ...]:
    """Every answer in words, to be looked over."""
    return tuple(
        line(view, spot)
        for spot in view.spots
        if spot.question.kind is not Kind.MORE and spot.path in view.answers
    )


def line(view: View, spot: Spot) -> Line:
    """One answer in words."""
    value = view.answers.get(spot.path, SKIPPED)
    label = view.scene.words(spot.question.label, spot.path)
    return Line(spot.path, label, _worded(view, spot, value))


def _ask(view: View, spot: Spot, notes: tuple[str, ...], trouble: Trouble | None) -> Ask:
    question = spot.question
    asked = [other.path for other in view.spots if other.question.kind is not Kind.MORE]
    counted = question.kind is not Kind.MORE
    preset = view.proposed(spot)
    return Ask(
        question=question,
        path=spot.path,
        label=view.scene.words(question.label, spot.path),
        hint=view.scene.words(question.hint, spot.path),
        guidance=view.scene.words(question.guidance, spot.path),
        heading=_heading(view, spot),
        notes=notes,
        answered=_answered_above(view, spot),
        choices=view.offered(spot),
        draft=view.draft(spot),
        preset=_worded(view, spot, preset) if preset else "",
        number=asked.index(spot.path) + 1 if counted else 0,
        total=0 if view.repeats else len(asked),
        can_go_back=bool(view.draft(spot)) or view.before() is not None,
        can_skip=not view.required(spot),
        can_clear=spot.path in view.given.former,
        trouble=trouble,
    )


def _heading(view: View, spot: Spot) -> tuple[str, ...]:
    """Labels of the groups that begin with ``spot``; a field-list's stays above it."""
    at = next(i for i, other in enumerate(view.spots) if other.path == spot.path)
    before = view.spots[at - 1].above if at else ()
    entered = [
        (group, path)
        for group, path in spot.above
        if (group, path) not in before or (isinstance(group, Group) and group.field_list)
    ]
    return tuple(filter(None, (_titled(view, group, path) for group, path in entered)))


def _titled(view: View, group: Group | Repeat, path: str) -> str:
    label = view.scene.words(group.label, path)
    if isinstance(group, Group) or not label:
        return label
    number = path.rpartition("[")[2][:-1]
    return _WORDS.say("ask.occurrence", view.given.language, label=label, number=number)


def _answered_above(view: View, spot: Spot) -> tuple[Line, ...]:
    lists = [path for group, path in spot.above if isinstance(group, Group) and group.field_list]
    if not lists:
        return ()
    return tuple(
        line(view, other)
        for other in view.spots
        if other.path in view.answers and lists[0] in (path for _, path in other.above)
    )


def _noted(view: View, spot: Spot) -> str:
    """A note's words; what is shown and not asked has its value below."""
    label = view.scene.words(spot.question.label, spot.path)
    value = view.scene.value(spot.path)
    if value and spot.question.kind is not Kind.NOTE:
        value = _worded(view, spot, value)
    return "\n".join(part for part in (label, value) if part)


def _worded(view: View, spot: Spot, value: str) -> str:
    language, kind = view.given.language, spot.question.kind
    if value == SKIPPED:
        return _WORDS.say("answer.skipped", language)
    if kind in HANDED:
        return _WORDS.say(f"answer.{kind}", language)
    if kind is Kind.ACKNOWLEDGE:
        return pick(_WORDS.all_of("choice.ok"), language)
    if kind in SELECTED:
        labels = {c.name: pick(c.label, language) for c in view.offered(spot)}
        join = " > " if kind is Kind.RANK else _WORDS.say("answer.and", language)
        return join.join(labels.get(name, name) for name in value.split())
    if kind is Kind.DATETIME:
        return value.replace("T", " ")[:16]
    if kind is Kind.TIME:
        return value[:5]
    return " ".join(value.split()[:2]) if kind is Kind.GEOPOINT else value
