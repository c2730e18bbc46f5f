from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.walker import answer, beginning, walk_through
from surveys.forms.form import GATHERED, Form, Kind
from surveys.interview import Interview, Step, advance, dump, restore, view
from surveys.moves import (
    Added,
    Amended,
    Answered,
    Chose,
    Done,
    Gave,
    Kept,
    Move,
    Revised,
    Sent,
    Showed,
    Skipped,
    WentBack,
)
from surveys.saying import Ask, Farewell, Review
from surveys.typed.trouble import Trouble
from tests.surveys.drawn import POOL, pool
from tests.surveys.forms import form_of, shipped

NOW = datetime(2026, 12, 12, 4, 0, tzinfo=UTC)
START = Interview(1000, "zh", context={"who": {"zh": "窗口", "en": "Desk"}}, began=NOW.isoformat())
WORDS = [
    "",
    "a",
    "Apple",
    "7",
    "99",
    "十二",
    "好",
    "a,b",
    "😀",
    "2026-12-01",
    "昨天",
    "下午三点",
    "是",
]
Says = Callable[[Ask, Interview], list[Move]]


def look(form: Form, interview: Interview) -> Ask | Review | Farewell:
    return advance(form, interview, Showed(), NOW).say


def asked(form: Form, interview: Interview) -> Ask:
    say = look(form, interview)
    assert isinstance(say, Ask)
    return say


def step(form: Form, interview: Interview, move: Move) -> Step:
    taken = advance(form, interview, move, NOW)
    assert taken.accepted, (move, taken.say)
    return taken


def give(form: Form, interview: Interview, value: str) -> Interview:
    """Answer the open question with ``value``, by button where it has buttons; must be accepted."""
    say = asked(form, interview)
    names = [choice.name for choice in say.choices]
    if not value:
        return step(form, interview, Skipped()).interview
    if say.question.kind in (Kind.SELECT_MULTIPLE, Kind.RANK):
        for name in value.split():
            interview = step(form, interview, Chose(names.index(name), interview.turn)).interview
        if say.question.kind is Kind.SELECT_MULTIPLE:
            interview = step(form, interview, Done(interview.turn)).interview
        return interview
    if names:
        return step(form, interview, Chose(names.index(value), interview.turn)).interview
    return step(form, interview, Answered(value)).interview


def refused(form: Form, interview: Interview, move: Move) -> Trouble:
    """What is said to a move that is not accepted; it must change nothing."""
    taken = advance(form, interview, move, NOW)
    assert not taken.accepted
    assert taken.interview == interview
    assert isinstance(taken.say, Ask | Review)
    assert taken.say.trouble is not None
    return taken.say.trouble


# ---- whatever people do


def policy(seed: int) -> Says:
    """What one person would try in answer to a question, whenever it is asked."""

    def says(ask: Ask, interview: Interview) -> list[Move]:
        chance = Random(f"{seed}{ask.path}")
        if ask.question.kind is Kind.MORE:  # at most two of anything
            more = chance.random() < 0.5 and not ask.path.endswith("[3]")
            return [Chose(0 if more else 1, interview.turn)]
        if ask.question.kind in GATHERED and ask.choices:
            wanted = set(
                chance.sample(range(len(ask.choices)), chance.randint(1, len(ask.choices)))
            )
            ticked = {n for n, choice in enumerate(ask.choices) if choice.name in ask.draft}
            if ask.question.kind is Kind.RANK:
                wanted = set(range(len(ask.choices)))
            return [*(Chose(n, interview.turn) for n in sorted(wanted ^ ticked)), Done()]
        tries: list[Move] = [answer(ask, interview, chance, NOW) for _ in range(40)]
        first: list[Move] = [Skipped()] if ask.can_skip and chance.random() < 0.2 else []
        return [*first, *tries, Skipped()]

    return says


def to_the_end(form: Form, interview: Interview, says: Says) -> Interview:
    for _ in range(500):
        say = look(form, interview)
        if isinstance(say, Farewell):
            return interview
        tries = [Sent()] if isinstance(say, Review) else says(say, interview)
        steps = (advance(form, interview, move, NOW) for move in tries)
        interview = next(taken.interview for taken in steps if taken.accepted)
    raise AssertionError("no end in sight")


def check(form: Form, interview: Interview) -> None:
    """What must be true of an interview at any time."""
    seen = view(form, interview, NOW)
    asking = {spot.path for spot in seen.spots}
    assert interview.answers.keys() <= asking, "an answer is kept that is not relevant"
    for spot in seen.spots:
        for node, path in ((spot.question, spot.path), *spot.above):
            if node.relevant and "[" not in path[-4:]:
                assert seen.scene.holds(node.relevant, path), f"{path} is asked and irrelevant"
    say = look(form, interview)
    if isinstance(say, Ask):
        assert say.question.asks
        assert say.path not in interview.answers
        assert set(say.draft) <= {choice.name for choice in say.choices}
        assert say.question.kind is Kind.MORE or "窗口" in say.label or "Desk" in say.label or (
            "size" in say.label or say.label in ("How many?", "请说说是什么：", "Please say which:")
        )  # fmt: skip
    else:
        assert asking <= interview.answers.keys()


MOVES = st.one_of(
    st.builds(Answered, st.sampled_from(WORDS)),
    st.builds(Added, st.sampled_from(WORDS)),
    st.builds(Amended, st.sampled_from(WORDS)),
    st.builds(Gave, st.sampled_from([Kind.IMAGE, Kind.FILE]), st.just("id.key.jpg.9")),
    st.builds(Gave, st.just(Kind.GEOPOINT), st.just("39.9 116.4 0 5")),
    st.builds(Chose, st.integers(-1, 6), st.integers(-1, 1)),
    st.builds(Kept, st.sampled_from([None, 0, -1])),
    st.builds(Done, st.sampled_from([None, 0, -1])),
    st.builds(Skipped, st.sampled_from([None, 0, -1])),
    st.builds(WentBack, st.sampled_from([None, 0, -1])),
    st.builds(Revised, st.integers(-1, 9), st.sampled_from([None, 0, -1])),
    st.just(Showed()),
)


def at_turn(move: Move, turn: int) -> Move:
    """The turn in a drawn move is an offset from the interview's."""
    drawn = getattr(move, "turn", None)
    return move if drawn is None else replace(move, turn=turn + drawn)


def detoured(form: Form, interview: Interview, moves: list[Move | int]) -> Interview:
    """``interview`` after ``moves``; a number is that many good answers."""
    says = policy(7)
    for each in moves:
        tries: list[Move] = [at_turn(each, interview.turn)] if not isinstance(each, int) else []
        if isinstance(each, int) and isinstance(say := look(form, interview), Ask):
            tries = says(say, interview)
        for move in tries:
            taken = advance(form, interview, move, NOW)
            if taken.accepted:
                assert taken.interview.turn == interview.turn + 1
                interview = restore(dump(taken.interview), taken.interview.turn)
                assert interview == taken.interview
                break
            assert taken.interview == interview
        interview = replace(interview, language="en" if len(tries) % 2 else "zh")
        check(form, interview)
    return interview


FORMS = st.sampled_from(range(POOL))
PATHS = st.lists(st.one_of(MOVES, st.integers(1, 9)), max_size=25)


@settings(max_examples=150, deadline=None)
@given(FORMS, PATHS, st.integers(0, 9))
def test_whatever_people_do_the_interview_stays_sound_and_can_be_finished(
    which: int, moves: list[Move | int], seed: int
) -> None:
    form = pool()[which]
    interview = detoured(form, START, moves)
    check(form, to_the_end(form, interview, policy(seed)))


@settings(max_examples=100, deadline=None)
@given(FORMS, st.integers(0, 50), PATHS)
def test_the_same_answers_come_to_the_same_end_whatever_the_detours(
    which: int, seed: int, moves: list[Move | int]
) -> None:
    form, says = pool()[which], policy(seed)
    straight = to_the_end(form, START, says)
    interview = replace(detoured(form, START, moves), language="zh")
    while view(form, interview, NOW).before() or interview.draft:
        interview = step(form, interview, WentBack()).interview
    end = to_the_end(form, interview, says)
    assert end.answers == straight.answers
    ends = [view(form, each, NOW).scene.values() for each in (end, straight)]
    assert ends[0] == ends[1]


def test_the_pool_covers_every_kind_and_shape() -> None:
    kinds = {question.kind for form in pool() for question in form.questions}
    assert kinds == set(Kind)
    assert any(question.itemset for form in pool() for question in form.questions)
    assert any(form.review for form in pool())


def test_a_walker_comes_to_the_end_of_every_questionnaire() -> None:
    for form in pool():
        chance = Random(form.hash)
        end = walk_through(form, beginning(NOW, chance), chance, NOW)
        assert isinstance(look(form, end.interview), Farewell)


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
        (Done(), "not_a_choice"),
        (Skipped(), "required"),
        (WentBack(), "at_start"),
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
    found = view(form, end, NOW).scene.values()
    assert found == {"/data/who": "窗口", "/data/a": "21", "/data/double": "42"}
