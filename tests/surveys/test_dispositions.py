"""Rates as AAPOR writes them, worked by hand, and what holds for any counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from surveys.dispositions import Disposition, Rates, final, rates

D = Disposition
COUNTS = st.dictionaries(st.sampled_from(Disposition), st.integers(0, 10**6))


def test_the_rates_are_those_worked_by_hand() -> None:
    counts = {
        D.COMPLETE: 120, D.PARTIAL: 20, D.REFUSED: 6, D.BREAK_OFF: 14, D.NO_ANSWER: 30,
        D.NON_CONTACT: 6, D.UNKNOWN: 4, D.WAITING: 50,
    }  # fmt: skip
    # 200 have been asked: RR1 120/200, RR2 140/200, REF1 (6 + 14)/200, CON1 (140 + 20)/200
    assert rates(counts) == Rates(0.6, 0.7, 0.1, 0.8)


def test_where_nobody_was_asked_there_is_no_rate() -> None:
    assert rates({}) == rates({D.WAITING: 9}) == Rates(None, None, None, None)


def test_somebody_who_broke_off_is_no_response() -> None:
    assert rates({D.BREAK_OFF: 1, D.COMPLETE: 1}) == Rates(0.5, 0.5, 0.5, 1.0)


@given(COUNTS)
def test_rates_are_shares_in_their_order(counts: dict[Disposition, int]) -> None:
    found = rates(counts)
    if found.response is not None:
        assert found.with_partial is not None
        assert found.refusal is not None
        assert found.contact is not None
        assert 0 <= found.response <= found.with_partial <= found.contact <= 1 + 1e-12
        assert found.refusal <= found.contact


@given(COUNTS)
def test_when_it_is_over_nobody_waits_and_everybody_is_still_counted(
    counts: dict[Disposition, int],
) -> None:
    over = final(counts)
    assert over[D.WAITING] == 0
    assert sum(over.values()) == sum(counts.values())
    assert set(over) == set(Disposition)
