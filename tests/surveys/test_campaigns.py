from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from surveys.campaigns import Campaign, next_opening, period_of
from surveys.cells import RaterGroup

CAMPAIGN = Campaign("q", {"zh": "满意度"}, "f", (RaterGroup.PEER,), date(2026, 1, 1))


@pytest.mark.parametrize(
    ("day", "period"),
    [((2026, 1, 1), "2026Q1"), ((2026, 3, 31), "2026Q1"), ((2026, 12, 31), "2026Q4")],
)
def test_a_day_lies_in_its_calendar_quarter(day: tuple[int, int, int], period: str) -> None:
    assert period_of(date(*day)) == period


def test_a_quarterly_campaign_opens_at_nine_in_the_morning_where_it_is() -> None:
    opening = next_opening(CAMPAIGN, datetime(2026, 3, 10, 0, 59, tzinfo=UTC))
    assert opening == datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
    assert opening is not None
    following = next_opening(CAMPAIGN, opening)  # strictly later
    assert following == datetime(2026, 6, 10, 1, 0, tzinfo=UTC)


def test_nine_oclock_stays_nine_oclock_when_the_clocks_change() -> None:
    daily = replace(CAMPAIGN, recurrence="FREQ=DAILY", zone="Europe/Berlin")
    before = next_opening(daily, datetime(2026, 3, 28, 0, 0, tzinfo=UTC))
    assert before is not None
    after = next_opening(daily, before)
    assert after is not None
    assert (before.hour, after.hour) == (9, 9)
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=23)


def test_a_rule_that_has_ended_opens_nothing() -> None:
    once = replace(CAMPAIGN, recurrence="FREQ=DAILY;COUNT=1")
    assert next_opening(once, datetime(2026, 1, 2, tzinfo=UTC)) is None
