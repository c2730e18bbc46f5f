"""What is shown of a scorecard protects those who rated."""

from __future__ import annotations

import string
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given

from evaluation.publication import (
    PublishedCard,
    publish,
    published_from_json,
    published_to_json,
)
from evaluation.quarter import QuarterInput, score
from evaluation.scorecard import Scorecard
from surveys.cells import RaterGroup, Turnout
from tests.evaluation.quarters import GOOD, METHOD, PEER, SUB, SUP, SVC, one_office, random_quarters
from tests.evaluation.test_quarter import SLOW

WORDS = tomllib.loads((files("evaluation") / "words.toml").read_text("utf-8"))


def office(n: int, *turnout: Turnout) -> tuple[Scorecard, PublishedCard]:
    """An office whose every anonymous group gave ``n`` mixed ratings."""
    counts = (0, 1, 1, n - 4, 2)
    groups = {SUP: (0, 0, 0, 1, 0), PEER: counts, SUB: counts, SVC: (1, 1, 6, 20, 32)}
    (card,) = score(one_office(groups, turnout=turnout), METHOD)
    return card, publish(card, METHOD)


@pytest.mark.parametrize(("n", "step"), [(5, 5), (11, 5), (12, 2), (29, 2), (30, 1), (80, 1)])
def test_the_smallest_anonymous_group_decides_how_coarsely_the_score_is_rounded(
    n: int, step: int
) -> None:
    card, shown = office(n)
    assert shown.step == step
    assert shown.value is not None
    assert card.value is not None
    assert shown.value % step == 0
    assert abs(shown.value - card.value) <= step / 2


@SLOW
@given(random_quarters())
def test_any_published_interval_covers_value_and_exact_interval_and_reads_back(
    quarter: QuarterInput,
) -> None:
    cards = score(quarter, METHOD)
    shown = tuple(publish(card, METHOD) for card in cards)
    assert published_from_json(published_to_json(shown)) == shown
    for card, each in zip(cards, shown, strict=True):
        if each.value is None or each.interval is None or card.interval is None:
            assert not each.contributions
            continue
        assert 20 <= each.value <= 100
        assert each.interval[0] <= max(20, card.interval[0]) + 1e-9
        assert each.interval[1] >= min(100, card.interval[1]) - 1e-9
        assert all(term % (each.step or 0) == 0 for term in each.contributions.values())


@pytest.mark.parametrize("n", [8, 20, 40])
def test_over_the_whole_scale_the_published_interval_covers_the_exact_one(n: int) -> None:
    for middle in range(n - 1):
        counts = (1, 0, middle, n - 2 - middle, 1)
        (card,) = score(
            one_office(dict.fromkeys((SUP, PEER, SUB), counts) | {SVC: (1, 2, 10, 12, 15)}), METHOD
        )
        shown = publish(card, METHOD)
        assert shown.interval is not None
        assert card.interval is not None
        assert shown.value is not None
        assert shown.interval[0] <= card.interval[0]
        assert shown.interval[1] >= card.interval[1]
        assert shown.interval[0] <= shown.value <= shown.interval[1]


def test_two_offices_that_differ_by_one_rating_of_a_small_group_mostly_look_the_same() -> None:
    """The leaver attack at n = 8: exact scores all differ by the one rating, few shown ones do."""
    exact, seen = 0, 0
    for bad in range(0, 60, 6):
        for best in range(0, 60, 10):
            counts = (0, bad, 60 - bad, 60 - best, best)
            pair = []
            for subordinates in ((1, 0, 1, 4, 2), (0, 0, 1, 4, 2)):
                groups = {SUP: (0, 0, 0, 1, 0), PEER: GOOD, SUB: subordinates, SVC: counts}
                (card,) = score(one_office(groups), METHOD)
                pair.append((card.value, publish(card, METHOD).value))
            exact += pair[0][0] != pair[1][0]
            seen += pair[0][1] != pair[1][1]
    assert exact == 60
    assert seen < 30


def test_contributions_are_shown_by_indicator_never_by_single_cell() -> None:
    _, shown = office(8)
    keys = list(shown.contributions)
    assert keys[:2] == ["baseline", "workload"]
    assert keys[-1] == "adjustment"
    assert {key.removeprefix("indicator:") for key in keys[2:-1]} == {
        each.id for each in METHOD.indicators
    }


def test_histograms_and_dissatisfied_shares_need_thirty_ratings() -> None:
    card, shown = office(29)
    assert {each.group for each in shown.details} == {SVC}
    first = shown.details[0]
    assert (first.counts, first.dissatisfied) == ((1, 1, 6, 20, 32), 3)
    assert {each.arguments["group"] for each in shown.held_back} == {"SUP", "PEER", "SUB"}
    assert len(card.evidence) == 8 * 3 + 3
    assert {each.group for each in office(30)[1].details} == {PEER, SUB, SVC}


@pytest.mark.parametrize("counts", [(0, 0, 0, 0, 40), (0, 0, 1, 0, 39), (39, 0, 0, 0, 1)])
def test_a_cell_in_which_nearly_all_say_the_same_is_not_shown(counts: tuple[int, ...]) -> None:
    (card,) = score(one_office({SUP: GOOD, PEER: GOOD, SUB: GOOD, SVC: counts}), METHOD)
    shown = publish(card, METHOD)
    assert shown.details == ()
    assert "nearly_all_alike" in {each.code for each in shown.held_back}


def test_where_all_cells_are_unanimous_only_the_band_is_shown() -> None:
    alike = dict.fromkeys((PEER, SUB, SVC), (0, 0, 0, 40, 0))
    (card,) = score(one_office({SUP: (0, 0, 0, 1, 0), **alike}), METHOD)
    shown = publish(card, METHOD)
    assert (shown.value, shown.interval, shown.contributions) == (None, None, {})
    assert shown.bands
    assert shown.held_back[0].code == "score_all_alike"


def test_how_many_answered_is_a_band_and_silence_says_no_more_than_that_band() -> None:
    turnout = (
        Turnout("a", SUP, 1, 1),
        Turnout("a", PEER, 12, 8),
        Turnout("a", SUB, 20, None),
        Turnout("a", SVC, 240, 60),
    )
    shown = {each.group: each for each in office(8, *turnout)[1].answers}
    assert (shown[SUP].answered, shown[SUP].silent) == ((1, 4), (0, 0))
    assert (shown[PEER].answered, shown[PEER].silent) == ((5, 9), (25, 58))
    hidden = shown[SUB].withheld
    assert shown[SUB].silent is None
    assert hidden is not None
    assert hidden.code == "too_few_answered"
    assert (shown[SVC].answered, shown[SVC].silent) == ((50, None), (75, 75))


def test_exact_figures_stay_sealed() -> None:
    torn = dict.fromkeys((PEER, SUB, SVC), (8, 0, 0, 0, 22))
    (card,) = score(one_office({SUP: (0, 0, 0, 1, 0), **torn}), METHOD)
    assert [flag.code for flag in card.flags] == ["clipping_matters"]
    assert publish(card, METHOD).flags == ()
    assert repr(card.value) not in published_to_json([publish(card, METHOD)]).decode()


def test_a_card_is_published_only_by_the_method_that_scored_it() -> None:
    card, _ = office(8)
    with pytest.raises(ValueError, match="was scored by"):
        publish(card, METHOD.with_indicators(["x"]))


@SLOW
@given(random_quarters())
def test_every_code_has_words_whose_placeholders_are_filled(quarter: QuarterInput) -> None:
    for card in score(quarter, METHOD):
        shown = publish(card, METHOD)
        silences = [each.withheld for each in shown.answers]
        for reason in [*card.withheld, *card.flags, *shown.held_back, *filter(None, silences)]:
            for text in WORDS[reason.code].values():
                assert text.format(**reason.arguments)
        assert {each.standing.value for each in card.hearings} <= set(WORDS)


def test_all_words_are_in_both_languages_with_the_same_placeholders() -> None:
    for key, texts in WORDS.items():
        assert set(texts) == {"zh", "en"}, key
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(t) if name} for t in texts.values()
        ]
        assert fields[0] == fields[1], key
    assert {f"group_{group.value}" for group in RaterGroup} <= set(WORDS)
