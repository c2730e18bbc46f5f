"""Whether SurveyJS is made to do what we do: the same words, refusals and answers in the end."""

from __future__ import annotations

from benchmarks.interviewing import Worded, beginning, turn
from benchmarks.questionnaire import short
from benchmarks.surveyjs import SurveyJS
from surveys.moves import Answered, Chose, Move, Showed
from surveys.saying import Ask

Given = tuple[tuple[str, int | str], ...]
TALKS: tuple[Given, ...] = (
    (("grade", 5),),  # the second question is not relevant
    (("grade", 2), ("why", "It took a whole morning.")),
    (("grade", 3), ("why", "x" * 201), ("why", ""), ("why", "It took a whole morning.")),
)


def alike(other: SurveyJS) -> None:
    """Talk the same with both. Raises AssertionError where they differ."""
    for given in TALKS:
        mine, theirs = talk(given), other.talk(given)
        assert mine == theirs, f"not the same interview:\n{mine}\n{theirs}"


def talk(given: Given) -> dict[str, object]:
    """One interview of ours, told as ``surveyjs.mjs`` tells its own."""
    form = short()
    state, step, worded = turn(form, beginning(), 0, Showed())
    said, refused = [_told(worded)], 0
    for name, value in given:
        assert isinstance(step.say, Ask)
        assert step.say.question.name == name
        number = step.interview.turn
        state, step, worded = turn(form, state, number, _move(step.say, value, number))
        refused += not step.accepted
        if step.accepted and worded:
            said.append(_told(worded))
    return {
        "said": said,
        "refused": refused,
        "data": {path.rpartition("/")[2]: value for path, value in step.interview.answers.items()},
        "completed": not isinstance(step.say, Ask),
    }


def _move(ask: Ask, value: int | str, number: int) -> Move:
    if isinstance(value, str):
        return Answered(value)
    return Chose([choice.name for choice in ask.choices].index(str(value)), number)


def _told(worded: Worded | None) -> list[object]:
    """The question and its choices, without Back."""
    assert worded is not None
    text, rows = worded
    return [text, [button.label for row in rows for button in row if button.data[0] == "a"]]
