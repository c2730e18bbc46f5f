"""One interview: its answers, and what follows from a move. Pure.

The place in an interview is computed from its answers, never stored: it is the first relevant,
unanswered question in document order. Going back, skipping, branching, changing and resuming need
nothing else. ``turn`` grows with each accepted move; a move that carries another turn is stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from surveys.forms.form import GATHERED, HANDED, Form, Kind
from surveys.moves import (
    Added,
    Amended,
    Answered,
    Chose,
    Done,
    Gave,
    Kept,
    Move,
    Refused,
    Revised,
    Sent,
    Showed,
    Skipped,
    WentBack,
)
from surveys.people import Text
from surveys.saying import Ask, Farewell, Review, line, lines, say
from surveys.typed.trouble import Trouble
from surveys.typed.understand import fold, understand, whole_number
from surveys.view import SKIPPED, Spot, View
from surveys.words import Words

_JSON = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Interview:
    """The state of one interview.

    ``answers`` maps a question's concrete path (``/data/person[2]/name``) to its value ('' =
    skipped). ``draft`` holds the choices ticked or ranked so far. ``context`` fills the form's
    hidden questions by name. ``heard`` numbers the newest typed message that was taken (see
    :class:`reply.Typed`) and ``heard_at`` is the question it answered; they lie in here, sealed,
    because whoever has typed was mostly dissatisfied. ``began`` (ISO 8601, aware) is the clock, and
    ``seed`` the chance, of what is computed once. ``sent``: the answers were looked over and sent.
    ``again``: a finished interview is being changed. ``former`` are answers taken back, to be kept
    at a press; ``revising`` is the question that the review was left for.
    """

    turn: int
    language: str
    answers: Mapping[str, str] = field(default_factory=dict)
    draft: tuple[str, ...] = ()
    context: Mapping[str, Text] = field(default_factory=dict)
    heard: int = 0
    heard_at: str = ""
    began: str = ""
    seed: int = 0
    sent: bool = False
    again: bool = False
    former: Mapping[str, str] = field(default_factory=dict)
    revising: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """The interview after a move, and what to say. ``accepted`` means it must be kept.

    ``noted`` is what typed words were understood as, where that reads otherwise than they do.
    """

    interview: Interview
    say: Ask | Review | Farewell
    accepted: bool
    noted: str = ""


def view(form: Form, interview: Interview, now: datetime) -> View:
    """The interview walked once: what is relevant, offered and computed at ``now`` (aware)."""
    began = datetime.fromisoformat(interview.began) if interview.began else now
    return View(form, interview, now, began)


def advance(form: Form, interview: Interview, move: Move, now: datetime) -> Step:
    """What follows from ``move``. Refused moves leave the interview as it was and say why.

    ``now`` is aware and in the zone in which the survey reckons its days.
    """
    seen = view(form, interview, now)
    if isinstance(move, Showed):
        return Step(interview, say(seen), accepted=False)
    result = _apply(seen, interview, move, now)
    if isinstance(result, Trouble):
        return Step(interview, say(seen, result), accepted=False)
    seen = view(form, result, now)
    asked = {spot.path for spot in seen.spots}
    former = {
        path: value
        for path, value in result.former.items()
        if path in asked and path not in seen.answers
    }
    after = replace(result, turn=interview.turn + 1, answers=seen.answers, former=former)
    return Step(after, say(seen), accepted=True, noted=_noted(seen, after, move))


def _noted(seen: View, after: Interview, move: Move) -> str:
    if not isinstance(move, Answered) or after.heard_at not in after.answers:
        return ""
    spot = next(spot for spot in seen.spots if spot.path == after.heard_at)
    if spot.question.kind in (Kind.TEXT, Kind.MORE, Kind.ACKNOWLEDGE):
        return ""
    words = line(seen, spot).words
    return "" if fold(words) == fold(move.words) else words


def dump(interview: Interview) -> bytes:
    """The state as JSON bytes, without the turn: that stands in the store's row."""
    i = interview
    state = [i.language, i.answers, i.draft, i.context, i.heard, i.heard_at, i.began, i.seed]
    return _JSON.encode([*state, i.sent, i.again, i.former, i.revising]).encode()


def restore(state: bytes, turn: int) -> Interview:
    """The inverse of :func:`dump`."""
    language, answers, draft, *rest = json.loads(state)
    return Interview(turn, language, answers, tuple(draft), *rest)


def _apply(seen: View, interview: Interview, move: Move, now: datetime) -> Interview | Trouble:
    """The interview with ``move`` applied, its turn not yet grown."""
    turn = getattr(move, "turn", None)
    if turn is not None and turn != interview.turn:
        return Trouble("stale")
    spot = seen.place
    match move:
        case Refused(trouble):
            return trouble
        case WentBack():
            return _go_back(seen, interview)
        case Amended(words):
            return _amend(seen, interview, words, now)
        case Added(words):
            return _add(seen, interview, words, now)
    if spot is None:
        return _look_over(seen, interview, move)
    match move:
        case Answered(words):
            value = understand(spot.question, words, seen.offered(spot), now)
            if isinstance(value, Trouble):
                return value
            result = _answer(seen, interview, spot, value)
            if isinstance(result, Interview):
                return replace(result, heard_at=spot.path)
            return result
        case Gave(kind, value):
            if not value or not takes(spot.question.kind, kind):
                return _unfit(seen, spot, now)
            return _answer(seen, interview, spot, value)
        case Chose(index):
            return _choose(seen, interview, spot, index)
        case Kept():
            preset = seen.proposed(spot)
            return _answer(seen, interview, spot, preset) if preset else Trouble("stale")
        case Done():
            return _done(seen, interview, spot, now)
        case Skipped():
            return _answer(seen, interview, spot, SKIPPED)
    return Trouble("stale")


def takes(asked: Kind, given: Kind) -> bool:
    """Whether a question of kind ``asked`` is answered by something ``given``, words aside."""
    return given in (asked, *(HANDED if asked is Kind.FILE else ()))


def _choose(seen: View, interview: Interview, spot: Spot, index: int) -> Interview | Trouble:
    choices = seen.offered(spot)
    if not 0 <= index < len(choices):
        return Trouble("stale")
    name = choices[index].name
    if spot.question.kind not in GATHERED:
        return _answer(seen, interview, spot, name)
    draft = seen.draft(spot)
    gathered = (*draft, name) if name not in draft else tuple(n for n in draft if n != name)
    if spot.question.kind is Kind.RANK and len(gathered) == len(choices):
        return _answer(seen, interview, spot, " ".join(gathered))
    return replace(interview, draft=gathered)


def _unfit(seen: View, spot: Spot, now: datetime) -> Trouble:
    """What would be an answer at ``spot``, said to something that is none."""
    wanted = understand(spot.question, "", seen.offered(spot), now)
    return wanted if isinstance(wanted, Trouble) else Trouble("not_understood")


def _done(seen: View, interview: Interview, spot: Spot, now: datetime) -> Interview | Trouble:
    draft = seen.draft(spot)
    if spot.question.kind is Kind.RANK:
        return Trouble("rank_all", {"count": len(seen.offered(spot))})
    if spot.question.kind is not Kind.SELECT_MULTIPLE:
        return _unfit(seen, spot, now)
    if not draft:
        return Trouble("nothing_ticked")
    ordered = [choice.name for choice in spot.question.choices if choice.name in draft]
    return _answer(seen, interview, spot, " ".join(dict.fromkeys(ordered or draft)))


def _answer(seen: View, interview: Interview, spot: Spot, value: str) -> Interview | Trouble:
    question = spot.question
    if value == SKIPPED and seen.required(spot):
        message = seen.scene.words(question.required_message, spot.path)
        return Trouble("said", {"message": message}) if message else Trouble("required")
    if value != SKIPPED and question.constraint:
        before = seen.scene.value(spot.path)
        seen.scene.put(spot.path, value)
        held = seen.scene.holds(question.constraint, spot.path)
        message = "" if held else seen.scene.words(question.constraint_message, spot.path)
        seen.scene.put(spot.path, before)
        if not held:
            return Trouble("said", {"message": message}) if message else Trouble("constraint")
    return replace(interview, answers={**seen.answers, spot.path: value}, draft=(), revising="")


def _amend(seen: View, interview: Interview, words: str, now: datetime) -> Interview | Trouble:
    at = interview.heard_at
    if at not in seen.answers:
        return Trouble("amended_late")
    answers = {path: value for path, value in seen.answers.items() if path != at}
    before = view(seen.form, replace(interview, answers=answers, draft=()), now)
    if before.place is None or before.place.path != at:
        return Trouble("amended_late")
    value = understand(before.place.question, words, before.offered(before.place), now)
    if isinstance(value, Trouble):
        return Trouble("amended_not_understood")
    result = _answer(before, interview, before.place, value)
    if isinstance(result, Trouble):
        return result
    # what was said since stays, unless the new answer makes it irrelevant
    return replace(interview, answers={**seen.answers, at: value})


def _add(seen: View, interview: Interview, words: str, now: datetime) -> Interview | Trouble:
    at = interview.heard_at
    said = seen.answers.get(at, "")
    if not said or seen.form.question(at).kind is not Kind.TEXT:
        return Trouble("hasty")
    spot = next(spot for spot in seen.spots if spot.path == at)
    both = understand(spot.question, f"{said}\n{words}", (), now)
    if isinstance(both, Trouble):
        return both
    result = _answer(seen, interview, spot, both)
    return result if isinstance(result, Trouble) else replace(result, draft=interview.draft)


def _go_back(seen: View, interview: Interview) -> Interview | Trouble:
    spot, before = seen.place, seen.before()
    if spot is not None:
        old = interview.former.get(spot.path, "")
        if old and spot.path == interview.revising:  # back to the review, as it was
            return replace(interview, answers={**seen.answers, spot.path: old}, revising="")
        draft = seen.draft(spot)
        if draft and (before is None or draft != tuple(old.split())):
            return replace(interview, draft=())
    if before is None:
        return Trouble("at_start")
    return _taken_back(seen, interview, before)


def _taken_back(seen: View, interview: Interview, spot: Spot) -> Interview:
    """``interview`` without the answer at ``spot``, which can be kept again; its ticks are back."""
    answers = {path: value for path, value in seen.answers.items() if path != spot.path}
    old = seen.answers[spot.path]
    former = {**interview.former, spot.path: old} if old else interview.former
    draft = tuple(old.split()) if spot.question.kind is Kind.SELECT_MULTIPLE else ()
    return replace(interview, answers=answers, former=former, draft=draft, sent=False, revising="")


def _look_over(seen: View, interview: Interview, move: Move) -> Interview | Trouble:
    """A move in the review."""
    match move:
        case Sent() | Done():
            return replace(interview, sent=True)
        case Revised(index):
            return _revise(seen, interview, index)
        case Answered(words):
            number = whole_number(fold(words))
            if number is not None:
                return _revise(seen, interview, number - 1)
            if fold(words) in _SEND:
                return replace(interview, sent=True)
            return Trouble("not_reviewed")
    return Trouble("stale")


def _revise(seen: View, interview: Interview, index: int) -> Interview | Trouble:
    shown = lines(seen)
    if not 0 <= index < len(shown):
        return Trouble("not_reviewed")
    spot = next(spot for spot in seen.spots if spot.path == shown[index].path)
    return replace(_taken_back(seen, interview, spot), revising=spot.path)


_SEND = frozenset(
    fold(word) for text in Words.of("surveys").all_of("typed.send").values()
    for word in text.split("|")
)  # fmt: skip
