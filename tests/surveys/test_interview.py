from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.form import Form, Kind, Question
from surveys.interview import (
    Answered,
    Ask,
    Chose,
    Done,
    Farewell,
    Interview,
    Move,
    Showed,
    Skipped,
    Step,
    WentBack,
    advance,
    dump,
    restore,
    values,
)
from surveys.logic import scene
from tests.surveys.forms import form_of, shipped

NOW = datetime(2026, 12, 12, 4, 0, tzinfo=UTC)
START = Interview(1000, "zh", context={"who": {"zh": "窗口", "en": "Desk"}})
KINDS = ("text", "integer", "select_one ab", "select_multiple ab")


@cache
def pool() -> tuple[Form, ...]:
    """Questionnaires drawn by chance: kinds, branches, groups, rules, notes, calculations."""
    return tuple(drawn(Random(seed)) for seed in range(16))


def drawn(chance: Random) -> Form:
    rows = ["type | name | label | relevant | required | constraint | calculation"]
    rows.append("hidden | who | | | | |")
    asked: list[tuple[str, str]] = []
    for number in range(chance.randint(3, 8)):
        name, kind = f"q{number}", chance.choice(KINDS)
        grouped = bool(asked) and chance.random() < 0.25
        if grouped:
            rows.append(f"begin_group | g{number} | G | {condition(chance, asked)} | | |")
        when = condition(chance, asked) if asked and chance.random() < 0.6 else ""
        required = "yes" if chance.random() < 0.3 else ""
        rule = ". < 50" if kind == "integer" else ""
        rows.append(f"{kind} | {name} | {name} of ${{who}} | {when} | {required} | {rule} |")
        if grouped:
            rows.append("end_group | | | | | |")
        asked.append((name, kind))
        if chance.random() < 0.3:
            rows.append(f"calculate | c{number} | | | | | concat('<', ${{{name}}}, '>')")
        if chance.random() < 0.3:
            rows.append(f"note | n{number} | You said ${{{name}}} | {when} | | |")
    return form_of("\n".join(rows))


def condition(chance: Random, asked: list[tuple[str, str]]) -> str:
    name, kind = chance.choice(asked)
    match kind.split()[0]:
        case "integer":
            return chance.choice([f"${{{name}}} > 5", f"${{{name}}} <= 5"])
        case "select_multiple":
            return f"selected(${{{name}}}, '{chance.choice('abc')}')"
        case "select_one":
            return f"${{{name}}} {chance.choice(['=', '!='])} '{chance.choice('abc')}'"
    return f"${{{name}}} {chance.choice(['=', '!='])} ''"


def look(form: Form, interview: Interview) -> Ask | Farewell:
    return advance(form, interview, Showed(), NOW).say


def give(form: Form, interview: Interview, value: str) -> Interview:
    """Answer the open question with ``value``, by button where it has buttons; must be accepted."""
    say = look(form, interview)
    assert isinstance(say, Ask)
    names = [choice.name for choice in say.question.choices]
    if say.question.kind is Kind.SELECT_MULTIPLE and value:
        for name in set(value.split()) ^ set(interview.draft):
            interview = step(form, interview, Chose(names.index(name), interview.turn)).interview
        return step(form, interview, Done(interview.turn)).interview
    if say.question.kind is Kind.SELECT_ONE and value:
        return step(form, interview, Chose(names.index(value), interview.turn)).interview
    return step(form, interview, Answered(value) if value else Skipped()).interview


def step(form: Form, interview: Interview, move: Move) -> Step:
    taken = advance(form, interview, move, NOW)
    assert taken.accepted, (move, taken.say)
    return taken


@cache
def policy(seed: int) -> Callable[[Question], str]:
    """What one person would say to each question, whenever asked."""

    def says(question: Question) -> str:
        chance = Random(f"{seed}{question.path}")
        must = question.required is not None
        if not must and chance.random() < 0.2:
            return ""
        match question.kind:
            case Kind.INTEGER:
                return str(chance.randint(0, 10))
            case Kind.SELECT_ONE:
                return chance.choice(question.choices).name
            case Kind.SELECT_MULTIPLE:
                names = [c.name for c in question.choices]
                return " ".join(sorted(chance.sample(names, chance.randint(1, 3))))
        return chance.choice(["好", "x y", "😀"])

    return says


def to_the_end(form: Form, interview: Interview, says: Callable[[Question], str]) -> Interview:
    for _ in range(len(form.questions) + 1):
        say = look(form, interview)
        if isinstance(say, Farewell):
            return interview
        interview = give(form, interview, says(say.question))
    raise AssertionError("more questions than the form has")


def check(form: Form, interview: Interview) -> None:
    """What must be true of an interview at any time."""
    here = scene(form, interview.answers, NOW)
    for path in interview.answers:
        assert here.holds(form.question(path).relevant, path), f"kept the irrelevant {path}"
    say = look(form, interview)
    if isinstance(say, Ask):
        assert say.question.asks
        assert say.question.path not in interview.answers
        assert here.holds(say.question.relevant, say.question.path)
        assert "窗口" in say.label
    ticked = {choice.name for q in form.questions for choice in q.choices}
    assert set(interview.draft) <= ticked


MOVES = st.one_of(
    st.builds(Answered, st.sampled_from(["", "a", "Apple", "7", "99", "十二", "好", "a,b", "😀"])),
    st.builds(Chose, st.integers(-1, 4), st.integers(-1, 1)),
    st.builds(Done, st.sampled_from([None, 0, -1])),
    st.builds(Skipped, st.sampled_from([None, 0, -1])),
    st.builds(WentBack, st.sampled_from([None, 0, -1])),
    st.just(Showed()),
)


def at_turn(move: Move, turn: int) -> Move:
    """The turn in a drawn move is an offset from the interview's."""
    if isinstance(move, Chose | Done | Skipped | WentBack) and move.turn is not None:
        return replace(move, turn=turn + move.turn)
    return move


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(range(16)), st.lists(MOVES, max_size=25), st.integers(0, 9))
def test_whatever_people_do_the_interview_stays_sound_and_can_be_finished(
    which: int, moves: list[Move], seed: int
) -> None:
    form, interview = pool()[which], START
    for move in (at_turn(move, interview.turn) for move in moves):
        taken = advance(form, interview, move, NOW)
        if taken.accepted:
            assert taken.interview.turn == interview.turn + 1
        else:
            assert taken.interview == interview
        interview = restore(dump(taken.interview), taken.interview.turn)
        assert interview == taken.interview
        check(form, interview)
    end = to_the_end(form, interview, policy(seed))
    check(form, end)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(range(16)), st.integers(0, 50), st.lists(MOVES, max_size=12))
def test_the_same_answers_come_to_the_same_end_whatever_the_detours(
    which: int, seed: int, detours: list[Move]
) -> None:
    form, says = pool()[which], policy(seed)
    straight = to_the_end(form, START, says)
    interview = START
    for detour in detours:
        say = look(form, interview)
        interview = advance(form, interview, at_turn(detour, interview.turn), NOW).interview
        if isinstance(say, Ask) and isinstance(look(form, interview), Ask):
            interview = advance(form, interview, WentBack(), NOW).interview
    while isinstance(look(form, interview), Ask) and (interview.answers or interview.draft):
        interview = step(form, interview, WentBack()).interview
    if isinstance(look(form, interview), Ask):
        end = to_the_end(form, interview, says)
        assert end.answers == straight.answers
        assert values(form, end, NOW) == values(form, straight, NOW)


def test_the_pool_covers_every_kind_and_branch() -> None:
    kinds = {question.kind for form in pool() for question in form.questions}
    assert kinds == set(Kind)
    assert any(len(q.relevant) == 2 for form in pool() for q in form.questions)


def test_a_stale_button_changes_nothing_and_says_so() -> None:
    form = shipped("service")
    first = advance(form, START, Chose(1, START.turn), NOW)
    again = advance(form, first.interview, Chose(4, START.turn), NOW)
    assert not again.accepted
    assert isinstance(again.say, Ask)
    assert again.say.trouble is not None
    assert again.say.trouble.key == "stale"
    assert again.interview.answers == {"/data/overall": "4"}


@pytest.mark.parametrize(
    ("move", "key"),
    [
        (Chose(6, START.turn), "stale"),
        (Chose(-1, START.turn), "stale"),
        (Done(), "not_understood"),
        (Skipped(), "required"),
        (WentBack(), "at_start"),
        (Answered("3"), "which_grade"),
        (Answered("随便"), "not_a_choice"),
    ],
)
def test_a_refused_move_says_why(move: Move, key: str) -> None:
    refused = advance(shipped("service"), START, move, NOW)
    assert isinstance(refused.say, Ask)
    assert refused.say.trouble is not None
    assert refused.say.trouble.key == key
    assert refused.interview == START


def test_a_message_of_the_author_replaces_ours() -> None:
    form = form_of(
        "type | name | label | constraint | constraint_message | required | required_message\n"
        "integer | q | Age? | . < 120 | Nobody is that old. | yes | Please say."
    )
    for move, said in ((Answered("121"), "Nobody is that old."), (Skipped(), "Please say.")):
        say = advance(form, START, move, NOW).say
        assert isinstance(say, Ask)
        assert say.trouble is not None
        assert say.trouble.arguments == {"message": said}
    assert advance(form, START, Answered("119"), NOW).accepted


def test_changing_an_answer_forgets_what_only_the_old_branch_asked() -> None:
    form = shipped("service")
    interview = START
    for value in ("1", "waiting"):
        interview = give(form, interview, value)
    assert set(interview.answers) == {"/data/overall", "/data/why"}
    for _ in range(2):
        interview = step(form, interview, WentBack()).interview
    interview = give(form, interview, "5")
    say = look(form, interview)
    assert isinstance(say, Ask)
    assert say.question.name == "speed"
    assert set(interview.answers) == {"/data/overall"}


def test_context_is_said_in_the_language_of_the_moment() -> None:
    form = shipped("service")
    said = [advance(form, replace(START, language=code,
            context={"subject": {"zh": "户籍窗口", "en": "Registration"}}), Showed(), NOW).say
            for code in ("zh", "en")]  # fmt: skip
    assert [isinstance(say, Ask) and say.label for say in said] == [
        "您这次在户籍窗口办事，总体感觉怎么样？",
        "How satisfied are you overall with your visit to Registration?",
    ]


def test_values_hold_answers_calculations_and_context() -> None:
    form = form_of(
        "type | name | label | calculation\nhidden | who | |\n"
        "integer | a | A |\ncalculate | double | | ${a} * 2"
    )
    end = give(form, START, "21")
    assert values(form, end, NOW) == {"/data/who": "窗口", "/data/a": "21", "/data/double": "42"}
