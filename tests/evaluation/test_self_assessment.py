"""What officials give themselves stands beside their card, and changes nothing on it."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import pytest

from evaluation.method import Category
from evaluation.method_file import MethodFileError, read_method, shipped
from evaluation.publication import PublishedCard
from evaluation.quarter import QuarterInput
from evaluation.self_assessment import SelfAssessment, self_assessment
from surveys.cells import Cell, RaterGroup, Turnout
from tests.web.published import cards

METHOD = shipped("quarterly")
TEXT = (files("evaluation") / "methods" / "quarterly.toml").read_text("utf-8")
CARD = next(card for card in cards() if card.subject == "tax")


def own(indicator: str, grade: int, subject: str = "tax", times: int = 1) -> Cell:
    counts = tuple(times * (each == grade) for each in range(1, 6))
    return Cell(subject, indicator, RaterGroup.SELF, counts)


def seen(card: PublishedCard, *marks: Cell) -> SelfAssessment:
    found = told(card, *marks)
    assert found is not None
    return found


def told(card: PublishedCard, *marks: Cell) -> SelfAssessment | None:
    return self_assessment(card.subject, marks, METHOD, card.category_weights, card.value)


def test_a_mark_is_worth_twenty_points_a_grade() -> None:
    found = seen(CARD, own("charm", 1), own("fairness", 2), own("duty", 4))
    assert list(found.marks.items()) == [("duty", 80), ("fairness", 40), ("charm", 20)]


def test_the_marks_together_are_weighed_like_the_work_and_set_against_the_score() -> None:
    card = replace(CARD, category_weights={Category.BASIC: 0.6, Category.URGENT: 0.4}, value=70)
    found = seen(card, own("duty", 5), own("urgent", 3))
    assert found.points == round((0.6 * 0.15 * 100 + 0.4 * 1 * 60) / (0.6 * 0.15 + 0.4))
    assert found.gap == found.points - 70


def test_of_several_waves_the_mean_counts() -> None:
    assert seen(CARD, own("duty", 5), own("duty", 2)).marks == {"duty": 70}


def test_others_marks_and_others_self_assessments_are_not_taken_for_it() -> None:
    strangers = [own("duty", 5, "clinic"), Cell("tax", "duty", RaterGroup.PEER, (0, 0, 0, 0, 9))]
    assert told(CARD, *strangers) is None
    assert told(CARD, own("duty", 1, times=0)) is None


def test_without_a_score_there_is_no_gap() -> None:
    withheld = replace(CARD, value=None)
    assert seen(withheld, own("duty", 4)).points == 80
    assert seen(withheld, own("duty", 4)).gap is None


def test_an_indicator_that_the_method_does_not_know_is_shown_and_not_weighed() -> None:
    assert seen(CARD, own("charm", 5)).points is None
    assert seen(CARD, own("charm", 5), own("duty", 3)).points == 60


def test_no_score_takes_a_self_assessment_as_input() -> None:
    with pytest.raises(ValueError, match="self-assessment"):
        QuarterInput("2026Q4", "salt", {"tax": "unit"}, cells=(own("duty", 4),))
    turnout = (Turnout("tax", RaterGroup.SELF, 1, 1),)
    with pytest.raises(ValueError, match="self-assessment"):
        QuarterInput("2026Q4", "salt", {"tax": "unit"}, turnout=turnout)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("[groups.PEER]", "[groups.SELF]", "groups.SELF"),
        ('["SUB", "SVC"]', '["SUB", "SELF"]', "needs_one_of"),
        ('asked = ["SVC"]', 'asked = ["SELF"]', "asked"),
    ],
)
def test_a_method_that_weighs_self_assessments_is_refused(old: str, new: str, where: str) -> None:
    assert old in TEXT
    with pytest.raises(MethodFileError) as wrong:
        read_method(TEXT.replace(old, new, 1))
    said = [each for each in wrong.value.troubles if "counts in no score" in each]
    assert said
    assert where in said[0]
