"""What an anonymous rating keeps, and what it must not ask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from surveys.forms.form import Form, Kind, Problem, Question
from surveys.lint.identity import ENOUGH, asked_for, exact_birth, trait, traits, warns
from surveys.lint.routes import uses

_GRADE = (
    r"满意|赞成|同意|[很较]好|非常好|不错|[很较]差|非常差|一般|基本可以"
    r"|satisf|\bagree|\bdisagree|\bexcellent|\bgood\b|\bpoor|\bfair\b|\bwell\b|\bbad\b|\bneutral"
)
_BETTER = r"满意|好|优|赞|同意|satisf|\bagree|excellent|\bgood\b|\bwell\b|\bbest\b"
_WORSE = r"不|差|糟|劣|未|dissatisf|unsatisf|disagree|\bpoor|\bbad|\bworst|\bnot\b"
_REFUSAL = (
    r"不了解|说不[好清]|不清楚|不知道|不愿|不想|拒绝|无法|不适用|没意见|以上都不是|其他"
    r"|don.t know|can.?t say|cannot say|not sure|prefer not|rather not|not applicable"
    r"|no opinion|refuse|none of|\bother\b|something else"
)
_REFUSAL_NAMES = frozenset({"na", "n_a", "dk", "refuse", "refused", "none", "other", "no_answer"})
_CLOSED = (Kind.SELECT_ONE, Kind.SELECT_MULTIPLE, Kind.RANK)


def for_ratings(form: Form) -> Iterator[Problem]:
    """Problems of a questionnaire by which somebody is rated in an anonymous wave."""
    for question in form.questions:
        if not question.asks or question.kind is Kind.MORE:
            continue
        yield from _identity(question)
        yield from _rating(question)
    yield from _unkept(form)
    yield from _singled_out(form)
    yield from _no_way_out(form)


def _unkept(form: Form) -> Iterator[Problem]:
    """All questions whose answers are thrown away, told of once; that all are, stops."""
    looked_at = uses(form)
    asked = [q for q in form.questions if q.asks and q.kind is not Kind.MORE]
    counted = [q for q in asked if q.indicator or q.reason or q.remark]
    lost = [q for q in asked if q not in counted and q.kind is not Kind.ACKNOWLEDGE]
    if counted:
        lost = [q for q in lost if q.path not in looked_at]  # a question may steer the others
    if lost:
        given = {"count": len(lost), "names": ", ".join(question.path for question in lost)}
        if counted:
            yield Problem("unkept", "", "", given, stop=False)
        else:
            yield Problem("nothing_kept", "", "", given)


def _identity(question: Question) -> Iterator[Problem]:
    what = asked_for(question)
    if what:
        yield Problem(f"identity_{what}", question.path, "label")
    elif exact_birth(question):
        yield Problem("exact_birth", question.path, "label", stop=False)
    elif question.kind is Kind.TEXT and not warns(question):
        yield Problem("free_text", question.path, "hint", stop=False)


def _singled_out(form: Form) -> Iterator[Problem]:
    found = traits(form)
    if len(found) >= ENOUGH:
        names = ", ".join(question.name for question in found)
        kinds = ", ".join(map(trait, found))
        yield Problem("singled_out", found[-1].path, "label", {"names": names, "kinds": kinds},
                      stop=False)  # fmt: skip


def _rating(question: Question) -> Iterator[Problem]:
    """A scale of grades that is not counted, or that runs the wrong way."""
    if question.kind is not Kind.SELECT_ONE:
        return
    labels = [" ".join(choice.label.values()) for choice in question.choices]
    graded = [label for label in labels if re.search(_GRADE, label, re.IGNORECASE)]
    if question.indicator:
        grades = {int(c.name): c for c in question.choices if c.name.isdecimal()}
        if grades and _worse(grades[max(grades)].label.values()) and _better(
            grades[min(grades)].label.values()
        ):  # fmt: skip
            label = next(iter(grades[max(grades)].label.values()))
            yield Problem("grades_reversed", question.path, "label",
                          {"choice": str(max(grades)), "label": label})  # fmt: skip
    elif 3 <= len(labels) <= 7 and len(graded) * 3 >= len(labels) * 2 and not question.reason:
        yield Problem("no_indicator", question.path, "bind::minyi:indicator", stop=False)


def _better(labels: Iterable[str]) -> bool:
    text = " ".join(labels)
    return bool(re.search(_BETTER, text, re.I)) and not re.search(_WORSE, text, re.I)


def _worse(labels: Iterable[str]) -> bool:
    return bool(re.search(_WORSE, " ".join(labels), re.I))


def _no_way_out(form: Form) -> Iterator[Problem]:
    """Every question must be answered, and no list has a choice for those who cannot."""
    asked = [q for q in form.questions if q.asks and q.kind not in (Kind.MORE, Kind.ACKNOWLEDGE)]
    forced = all((q.required or "").strip() in ("true()", "1") for q in asked)
    if len(asked) > 1 and forced and not any(map(_may_refuse, asked)):
        yield Problem("no_way_out", "", "required", {"count": len(asked)}, stop=False)


def _may_refuse(question: Question) -> bool:
    return question.kind in _CLOSED and any(
        choice.name.lower() in _REFUSAL_NAMES
        or any(re.search(_REFUSAL, label, re.IGNORECASE) for label in choice.label.values())
        for choice in question.choices
    )
