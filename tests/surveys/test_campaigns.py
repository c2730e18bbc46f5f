from __future__ import annotations

from datetime import date

import pytest

from surveys.campaigns import period_of


@pytest.mark.parametrize(
    ("day", "period"),
    [((2026, 1, 1), "2026Q1"), ((2026, 3, 31), "2026Q1"), ((2026, 12, 31), "2026Q4")],
)
def test_a_day_lies_in_its_calendar_quarter(day: tuple[int, int, int], period: str) -> None:
    assert period_of(date(*day)) == period
