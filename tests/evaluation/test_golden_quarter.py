"""An independent implementation's numbers, reproduced to 1e-9."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from evaluation.composite import contributions
from evaluation.quarter import calibrate, score
from evaluation.scorecard import posterior
from surveys.cells import THIRD_PARTIES
from tests.evaluation.golden import (
    GOLDEN,
    SUBJECTS,
    golden_calibration,
    golden_composites,
    golden_method,
    golden_quarter,
)

OUTPUT = list(zip(SUBJECTS, GOLDEN["output"], strict=True))
SAME_NAMES = {
    "class_baseline_policy_weights": "baseline",
    "workload_weight_effect": "workload",
    "missing_group_renormalisation": "renormalisation",
    "robust_adjustment": "robust",
    "credibility_shrinkage": "credibility",
}
CARDS = {
    card.subject: card for card in score(golden_quarter(golden_calibration()), golden_method())
}


def test_the_golden_quarter_holds_every_special_case() -> None:
    bands = [out["band"] for _, out in OUTPUT]
    missing = [out for _, out in OUTPUT if 0.0 in out["group_weights"].values()]
    assert (len(bands), len(missing), bands.count("数据不足")) == (24, 3, 1)
    assert sum(band.startswith("待定") for band in bands) == 14


@pytest.mark.parametrize(("subject", "expected"), OUTPUT)
def test_scores_intervals_and_bands_are_the_golden_ones(
    subject: str, expected: dict[str, Any]
) -> None:
    card = CARDS[subject]
    if expected["score"] is None:
        assert (card.value, card.interval, card.verdict, card.contributions) == (
            None,
            None,
            None,
            {},
        )
        assert {reason.code for reason in card.withheld} == {
            "too_little_weight",
            "needed_group_silent",
        }
        return
    assert card.value == pytest.approx(expected["score"], abs=1e-9)
    assert card.interval == pytest.approx((expected["lo"], expected["hi"]), abs=1e-9)
    assert card.credibility == pytest.approx(expected["credibility"], abs=1e-9)
    assert card.verdict is not None
    names = "|".join(card.verdict.bands)
    assert (names if card.verdict.determined else f"待定({names})") == expected["band"]
    for band, probability in expected["band_prob"].items():
        assert card.verdict.probabilities[band] == pytest.approx(probability, abs=5.1e-5)
    for category, weight in expected["category_weights"].items():
        found = {str(key): value for key, value in card.category_weights.items()}
        assert found[category] == pytest.approx(weight, abs=5.1e-7)
    for hearing in card.hearings:
        assert hearing.weight == pytest.approx(expected["group_weights"][hearing.group], abs=5.1e-7)


@pytest.mark.parametrize(
    ("found", "expected"), list(zip(golden_composites(), GOLDEN["output"], strict=True))
)
def test_every_term_of_the_explanation_is_the_golden_one_even_where_the_score_is_withheld(
    found: Any, expected: dict[str, Any]
) -> None:
    _, combined = found
    result = posterior(combined, GOLDEN["calibration"]["tau2"], golden_method())
    terms = contributions(combined, result.credibility, golden_method())
    golden = {SAME_NAMES.get(key, key): value for key, value in expected["explanation"].items()}
    assert set(terms) == set(golden)
    for key, value in golden.items():
        assert terms[key] == pytest.approx(value, abs=1e-9), key
    assert math.fsum(terms.values()) == pytest.approx(result.score, abs=1e-9)


def test_the_calibration_is_estimated_from_the_counts_as_the_golden_one_was() -> None:
    (found,) = calibrate([golden_quarter()], golden_method())
    golden = golden_calibration()
    for group, cells in golden.cells.items():
        for indicator, constants in cells.items():
            mine = found.cells[group][indicator]
            place = f"{group}:{indicator}"
            assert mine.mu == pytest.approx(constants.mu, abs=1e-9), place
            assert mine.s2 == pytest.approx(constants.s2, abs=1e-9), place
            assert mine.a0 == pytest.approx(constants.a0, abs=1e-9), place
            assert mine.shift == pytest.approx(constants.shift, abs=1e-9), place
    assert found.tau2 == pytest.approx(golden.tau2, abs=1e-9)
    assert (found.subjects, found.trial) == (23, False)


def test_a_first_quarter_scores_itself_alike_and_says_that_it_is_a_trial() -> None:
    cards = score(golden_quarter(), golden_method())
    assert all(card.trial for card in cards)
    for card in cards:
        if card.value is not None:
            assert card.value == pytest.approx(CARDS[card.subject].value, abs=1e-9)


def test_without_spreads_the_error_is_overstated_not_understated() -> None:
    quarter = golden_quarter()
    bare = replace(quarter, spreads=())
    (found,) = calibrate([bare], golden_method())
    for group in THIRD_PARTIES:
        assert found.sigma2[group] > golden_calibration().sigma2[group]
