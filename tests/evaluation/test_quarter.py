"""A quarter becomes scorecards: replayable, additive, fair to who is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.calibration import Calibration
from evaluation.composite import Standing
from evaluation.method import Category
from evaluation.method_file import shipped
from evaluation.quarter import (
    QuarterInput,
    calibrate,
    cards_from_json,
    cards_to_json,
    freeze,
    score,
    thaw,
)
from evaluation.scorecard import Scorecard
from evaluation.workload import Task
from surveys.cells import THIRD_PARTIES, Cell, RaterGroup, Spread, Turnout
from tests.evaluation.quarters import (
    ALL_WORK,
    GOOD,
    METHOD,
    PEER,
    SUB,
    SUP,
    SVC,
    calibration,
    cells,
    one_office,
    random_quarters,
)

EVERYONE = dict.fromkeys(THIRD_PARTIES, GOOD)
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def only(quarter: QuarterInput) -> Scorecard:
    (card,) = score(quarter, METHOD)
    return card


def codes(card: Scorecard) -> list[str]:
    return [reason.code for reason in card.withheld]


def points(card: Scorecard) -> float:
    assert card.value is not None, card.withheld
    return card.value


@SLOW
@given(random_quarters())
def test_any_quarter_is_scored_or_says_why_not_and_every_explanation_adds_up(
    quarter: QuarterInput,
) -> None:
    cards = score(quarter, METHOD)
    assert [card.subject for card in cards] == sorted(quarter.rating_class)
    for card in cards:
        assert (card.value is None) == bool(card.withheld)
        assert math.fsum(card.category_weights.values()) == pytest.approx(1, abs=1e-12)
        if card.value is None:
            assert (card.interval, card.verdict, card.credibility) == (None, None, None)
            assert not card.contributions
        else:
            assert card.interval is not None
            assert card.verdict is not None
            assert math.fsum(card.contributions.values()) == pytest.approx(card.value, abs=1e-9)
            assert card.interval[0] < card.value < card.interval[1]
            assert sum(each.weight for each in card.hearings) == pytest.approx(1, abs=1e-12)
            assert sum(card.verdict.probabilities.values()) == pytest.approx(1, abs=1e-9)


@SLOW
@given(random_quarters())
def test_frozen_bytes_replay_to_the_same_scorecard_bytes_in_whatever_order_inputs_came(
    quarter: QuarterInput,
) -> None:
    frozen = freeze(quarter, METHOD)
    first = cards_to_json(score(quarter, METHOD))
    assert cards_to_json(score(*thaw(frozen))) == first
    assert freeze(*thaw(frozen)) == frozen
    turned = replace(
        quarter,
        cells=tuple(reversed(quarter.cells)),
        tasks=tuple(reversed(quarter.tasks)),
        turnout=tuple(reversed(quarter.turnout)),
        rating_class=dict(reversed(list(quarter.rating_class.items()))),
    )
    assert cards_to_json(score(turned, METHOD)) == first
    assert cards_to_json(cards_from_json(first)) == first


def test_the_hash_changes_with_the_method_an_input_or_the_salt() -> None:
    quarter = one_office(EVERYONE)
    variants = [
        score(quarter, METHOD),
        score(quarter, replace(METHOD, gamma=0.2)),
        score(replace(quarter, cells=quarter.cells[1:]), METHOD),
        score(replace(quarter, salt="t"), METHOD),
    ]
    assert len({cards[0].input_hash for cards in variants}) == 4


def test_a_calibration_goes_through_json_exactly() -> None:
    (found,) = calibrate([quarter_of_offices(5)], METHOD)
    assert Calibration.from_json(found.to_json()) == found


def quarter_of_offices(number: int) -> QuarterInput:
    """Offices that differ, each rated by all four groups."""
    names = [f"office{each}" for each in range(number)]
    made: list[Cell] = []
    for place, name in enumerate(names):
        counts = (place % 2, place % 3, 3, 4 + place, 2 + 2 * place)
        made += cells(name, {SUP: (0, 0, 0, 1, 0), PEER: counts, SUB: counts, SVC: counts})
    return QuarterInput("2026Q1", "s", dict.fromkeys(names, "office"), tuple(made))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_too_small_a_class_is_withheld_because_differences_cannot_be_estimated(number: int) -> None:
    cards = score(quarter_of_offices(number), METHOD)
    assert len(cards) == number
    for card in cards:
        assert card.value is None
        assert codes(card) == (["no_group_heard"] if number == 1 else ["class_too_small"])


def test_four_offices_are_a_class_and_a_first_quarter_is_a_trial() -> None:
    cards = score(quarter_of_offices(4), METHOD)
    assert [card.trial for card in cards] == [True] * 4
    values = [points(card) for card in cards]
    assert len(set(values)) == 4


def test_constants_of_earlier_quarters_score_a_class_of_one() -> None:
    known = calibrate([quarter_of_offices(6), quarter_of_offices(5)], METHOD)
    assert known[0].subjects == 11
    alone = replace(quarter_of_offices(1), calibrations=known)
    card = only(alone)
    assert card.value is not None
    assert not card.trial


def test_an_empty_roster_gives_no_scorecards() -> None:
    assert score(QuarterInput("2026Q1", "s", {}), METHOD) == ()


def test_a_subject_without_cells_is_listed_without_a_score() -> None:
    quarter = replace(
        quarter_of_offices(5), rating_class={**quarter_of_offices(5).rating_class, "new": "office"}
    )
    card = {each.subject: each for each in score(quarter, METHOD)}["new"]
    assert codes(card) == ["no_group_heard"]


def test_one_rater_is_not_an_evaluation() -> None:
    card = only(one_office({SVC: (0, 0, 0, 0, 1)}))
    assert codes(card) == ["no_group_heard"]
    card = only(one_office({SUP: (0, 0, 0, 0, 1)}))
    assert codes(card) == ["too_little_weight", "too_few_groups", "needed_group_silent"]


def test_offices_that_do_not_differ_beyond_noise_keep_intervals_of_real_width() -> None:
    made = tuple(cell for name in "abcdef" for cell in cells(name, EVERYONE))
    cards = score(QuarterInput("2026Q1", "s", dict.fromkeys("abcdef", "office"), made), METHOD)
    for card in cards:
        assert card.credibility == pytest.approx(2 / 5, abs=1e-9)  # 2 / (S - 1)
        assert card.interval is not None
        assert card.interval[1] - card.interval[0] > 1


def test_a_unanimous_quarter_does_not_make_the_next_one_infinitely_sure() -> None:
    made = tuple(
        cell
        for name in "abcdef"
        for cell in cells(name, dict.fromkeys(THIRD_PARTIES, (0, 0, 0, 12, 0)))
    )
    quarter = QuarterInput("2026Q1", "s", dict.fromkeys("abcdef", "office"), made)
    (found,) = calibrate([quarter], METHOD)
    assert {each.s2 for row in found.cells.values() for each in row.values()} == {1 / 12}
    assert min(found.sigma2.values()) > 0
    (card,) = score(replace(one_office(EVERYONE), calibrations=(found,)), METHOD)
    assert card.interval is not None
    assert card.interval[0] < card.interval[1]


def test_the_interval_pays_for_constants_that_are_estimates_themselves() -> None:
    cards = [
        score(one_office(EVERYONE), replace(METHOD, se_inflation=each))[0] for each in (1.0, 1.05)
    ]
    widths = [card.interval[1] - card.interval[0] for card in cards if card.interval]
    assert widths[1] == pytest.approx(1.05 * widths[0], abs=1e-9)
    assert cards[0].value == cards[1].value


def test_the_score_at_policy_weights_stands_beside_the_one_that_the_workload_moved() -> None:
    quarter = one_office(EVERYONE)
    good_in_need = tuple(
        replace(cell, counts=(0, 0, 0, 0, 12)) if cell.indicator == "urgent" else cell
        for cell in quarter.cells
    )
    busy = (*ALL_WORK, Task("a", Category.URGENT, 200))
    plain = only(replace(quarter, cells=good_in_need, tasks=()))
    moved = only(replace(quarter, cells=good_in_need, tasks=busy))
    assert plain.value_at_policy == pytest.approx(points(plain), abs=1e-12)
    assert moved.value_at_policy == pytest.approx(points(plain), abs=1e-12)
    assert points(moved) > points(plain)


def test_pooled_cells_are_not_scored() -> None:
    pool = Cell("a", "service", SVC, (30, 0, 0, 0, 0), pooled=("b", "c"))
    quarter = one_office(EVERYONE)
    assert points(only(replace(quarter, cells=(*quarter.cells, pool)))) == points(only(quarter))


@pytest.mark.parametrize("missing", list(THIRD_PARTIES))
def test_an_average_office_scores_the_same_whichever_group_is_missing(missing: RaterGroup) -> None:
    harsh = calibration(mu={SVC: 3.0, PEER: 4.4, SUB: 4.2, SUP: 4.0})
    everyone = {
        SVC: (0, 0, 10, 0, 0), PEER: (0, 0, 0, 6, 4), SUB: (0, 0, 0, 8, 2), SUP: (0, 0, 0, 1, 0)
    }  # fmt: skip
    exact = replace(METHOD, groups={g: replace(r, clip=math.inf) for g, r in METHOD.groups.items()})
    known = replace(
        harsh,
        cells={
            g: {i: replace(c, shift=0.0) for i, c in row.items()} for g, row in harsh.cells.items()
        },
    )
    whole = one_office(everyone, known=known)
    part = replace(whole, cells=tuple(each for each in whole.cells if each.group != missing))
    (full,), (without,) = score(whole, exact), score(part, exact)
    assert points(without) == pytest.approx(points(full), abs=1e-9)


def test_a_group_asked_only_about_work_that_did_not_happen_neither_helps_nor_harms() -> None:
    """Citizens, the harsh group, rate standing duties only, and a task force had none."""
    harsh = calibration(mu={SVC: 2.5})
    tasks = (Task("a", Category.PHASED, 10), Task("a", Category.URGENT, 5))
    without = {group: GOOD for group in EVERYONE if group != SVC}
    asked = (Turnout("a", SVC, 40, None),)
    rated, unrated = (
        only(one_office(by_group, tasks=tasks, known=harsh, turnout=asked))
        for by_group in (EVERYONE, without)
    )
    assert points(rated) == points(unrated)
    assert {each.group: each.standing for each in rated.hearings}[SVC] is Standing.WEIGHTLESS
    assert rated.flags == ()
    # Its class mean of 2.5 stays in the baseline, as for an office that citizens do rate.
    staff_only = 0.7 * 3.9 + 0.3 * 2.5
    baseline = rated.contributions["baseline"] + rated.contributions["workload"]
    assert baseline == pytest.approx(20 * staff_only, abs=1e-9)


def test_what_citizens_say_weighs_its_full_share_although_they_are_asked_less() -> None:
    better = {**EVERYONE, SVC: (0, 0, 0, 0, 12)}
    tasks = ALL_WORK
    low, high = (only(one_office(each, tasks=tasks)) for each in (EVERYONE, better))
    moved = sum(
        high.contributions[key] - low.contributions[key]
        for key in low.contributions
        if "SVC" in key
    )
    rise = 5 - sum(k * n for k, n in enumerate(GOOD, 1)) / sum(GOOD)
    assert moved == pytest.approx(20 * 0.3 * rise, abs=1e-9)


def test_a_group_that_answered_on_most_of_what_weighs_is_heard_with_less_certainty() -> None:
    quarter = one_office(EVERYONE)
    gap = tuple(cell for cell in quarter.cells if (cell.group, cell.indicator) != (PEER, "urgent"))
    card, whole = only(replace(quarter, cells=gap)), only(quarter)
    assert {each.group: each.standing for each in card.hearings}[PEER] is Standing.HEARD
    assert card.credibility is not None
    assert whole.credibility is not None
    assert card.credibility < whole.credibility


def test_a_group_that_answered_on_too_little_of_it_is_not_heard() -> None:
    quarter = one_office(EVERYONE, turnout=(Turnout("a", PEER, 12, 12),))
    few = tuple(
        cell for cell in quarter.cells if cell.group != PEER or cell.indicator in {"duty", "urgent"}
    )
    card = only(replace(quarter, cells=few))
    assert {each.group: each.standing for each in card.hearings}[PEER] is Standing.SILENT


def test_silence_of_a_group_that_was_asked_caps_the_band_and_raises_a_flag() -> None:
    best = {SUP: (0, 0, 0, 0, 3), PEER: (0, 0, 0, 0, 30), SVC: (0, 0, 0, 0, 90)}
    asked = (Turnout("a", SUB, 12, None),)
    too_few = (Turnout("a", SUB, 4, None),)
    silent, absent = (only(one_office(best, turnout=each)) for each in (asked, too_few))
    assert silent.verdict is not None
    assert absent.verdict is not None
    assert silent.value == absent.value
    assert (silent.verdict.bands, silent.verdict.capped) == (("competent",), True)
    assert (absent.verdict.bands, absent.verdict.capped) == (("excellent",), False)
    assert [flag.code for flag in silent.flags] == ["nonresponse"]
    assert absent.flags == ()


def test_a_band_is_undetermined_exactly_when_the_interval_leaves_it() -> None:
    for counts in [(0, 0, k, 40 - k, m) for k in range(0, 40, 5) for m in range(0, 60, 6)]:
        card = only(one_office(dict.fromkeys(THIRD_PARTIES, counts)))
        assert card.interval is not None
        assert card.verdict is not None
        starts = [band.start for band in METHOD.bands]
        inside = {sum(start <= end for start in starts) for end in card.interval}
        assert card.verdict.determined == (len(inside) == 1)


def test_a_mistreated_minority_stands_beside_the_robust_mean_unclipped() -> None:
    card = only(one_office({**EVERYONE, SVC: (10, 0, 0, 0, 90)}))
    service = next(each for each in card.evidence if each.indicator == "service")
    assert (service.dissatisfied.part, service.dissatisfied.rate) == (10, 0.1)


def test_a_score_that_clipping_moved_far_is_flagged_for_people_to_look_at() -> None:
    torn = dict.fromkeys((PEER, SUB, SVC), (8, 0, 0, 0, 22))
    card = only(one_office({SUP: (0, 0, 0, 1, 0), **torn}))
    assert [flag.code for flag in card.flags] == ["clipping_matters"]


@SLOW
@given(random_quarters(), st.data())
def test_with_constants_fixed_beforehand_no_better_rating_lowers_a_score(
    quarter: QuarterInput, data: st.DataObject
) -> None:
    quarter = replace(
        quarter,
        rating_class=dict.fromkeys(quarter.rating_class, "office"),
        calibrations=(calibration(),),
    )
    movable = [(n, k) for n, c in enumerate(quarter.cells) for k in range(4) if c.counts[k]]
    if not movable:
        return
    number, grade = data.draw(st.sampled_from(movable))
    cell = quarter.cells[number]
    counts = list(cell.counts)
    counts[grade] -= 1
    counts[grade + 1] += 1
    better = list(quarter.cells)
    better[number] = replace(cell, counts=tuple(counts))
    before = {card.subject: card.value for card in score(quarter, METHOD)}
    after = {
        card.subject: card.value for card in score(replace(quarter, cells=tuple(better)), METHOD)
    }
    for subject, value in before.items():
        if subject != cell.subject:
            assert after[subject] == value
        elif value is not None:
            assert (after[subject] or 0) >= value - 1e-9


def test_open_data_with_one_kind_of_rater_is_scored_by_its_own_indicators() -> None:
    method = shipped("single_group").with_indicators(["teaching"])
    names = [f"t{number}" for number in range(8)]
    made = tuple(
        Cell(name, "teaching", SVC, (number, 2, 5, 5, 10 - number))
        for number, name in enumerate(names)
    )
    cards = score(QuarterInput("all", "s", dict.fromkeys(names, "dept"), made), method)
    values = [points(card) for card in cards]
    assert values == sorted(values, reverse=True)
    with pytest.raises(ValueError, match="has no indicators"):
        score(QuarterInput("all", "s", {}), shipped("single_group"))


def test_spreads_of_another_class_or_quarter_do_not_leak_in() -> None:
    quarter = quarter_of_offices(5)
    own = Spread("office", SVC, 0.9, 30)
    other = Spread("hall", SVC, 3.0, 30)
    (found,) = calibrate([replace(quarter, spreads=(own, other))], METHOD)
    assert found.sigma2[SVC] == 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": 2 * cells("a", {SUB: GOOD})}, "two cells for a, SUB, care"),
        ({"cells": cells("b", {SUB: GOOD})}, "b has no rating class"),
        ({"turnout": (Turnout("b", SUB, 3, None),)}, "b has no rating class"),
        ({"tasks": (Task("b", Category.BASIC, 3),)}, "b has no rating class"),
    ],
)
def test_inputs_that_contradict_each_other_are_refused(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        score(replace(one_office(EVERYONE), **change), METHOD)


def test_constants_come_from_one_to_four_quarters() -> None:
    with pytest.raises(ValueError, match="one to four"):
        calibrate([], METHOD)
