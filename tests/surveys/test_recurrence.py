from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.campaigns import Campaign, Shift
from surveys.cells import RaterGroup
from surveys.recurrence import next_opening
from surveys.workdays import Override, Workdays

MADE = Campaign("q", {"zh": "满意度"}, "f", (RaterGroup.PEER,), date(2026, 1, 1))
CALENDAR = Workdays()
QUARTER_END = "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1"
MONTH_END = "FREQ=MONTHLY;BYMONTHDAY=-1"


def openings(
    rule: str, zone: str, hour: int, starts: str, shift: Shift, days: Workdays, count: int
) -> list[str]:
    """The next openings from ``starts`` on, in the zone's own time with its offset."""
    made = replace(MADE, recurrence=rule, zone=zone, opens_hour=hour,
                   starts=date.fromisoformat(starts), shift=shift)  # fmt: skip
    at: datetime | None = datetime.fromisoformat(starts).replace(tzinfo=ZoneInfo(zone))
    assert at is not None
    at -= timedelta(seconds=1)
    found = []
    for _ in range(count):
        at = next_opening(made, days, at)
        if at is None:
            break
        found.append(at.isoformat(timespec="minutes"))
    return found


# rule, zone, hour, first day, shift -> when it opens: reckoned by hand from calendars and notices
GOLDEN = [
    # quarter ends
    (QUARTER_END, "Asia/Shanghai", 9, "2026-01-01", Shift.NONE,
     ["2026-03-31T09:00+08:00", "2026-06-30T09:00+08:00", "2026-09-30T09:00+08:00",
      "2026-12-31T09:00+08:00", "2027-03-31T09:00+08:00"]),
    # the last working day of a quarter: 31 January 2027 is not asked for; 2023-09-30 was a holiday
    # week's Saturday (中秋 29 Sept): the last day worked was Thursday 28 September
    (QUARTER_END, "Asia/Shanghai", 9, "2023-07-01", Shift.BEFORE,
     ["2023-09-28T09:00+08:00", "2023-12-29T09:00+08:00", "2024-03-29T09:00+08:00"]),
    (QUARTER_END, "Asia/Shanghai", 9, "2026-07-01", Shift.BEFORE,
     ["2026-09-30T09:00+08:00", "2026-12-31T09:00+08:00"]),
    # the spring festival of 2025 began on 28 January: Monday the 27th was the last day worked
    (MONTH_END, "Asia/Shanghai", 9, "2025-01-01", Shift.BEFORE, ["2025-01-27T09:00+08:00"]),
    # 2026-02-28 is a Saturday that is worked to make up for the spring festival
    (MONTH_END, "Asia/Shanghai", 9, "2026-01-01", Shift.BEFORE,
     ["2026-01-30T09:00+08:00", "2026-02-28T09:00+08:00", "2026-03-31T09:00+08:00",
      "2026-04-30T09:00+08:00", "2026-05-29T09:00+08:00"]),
    # the first working day: after New Year (1-3 January 2026; Sunday the 4th is worked), after
    # National Day (1-7 October; Saturday the 10th is worked, the 8th comes first)
    ("FREQ=MONTHLY;BYMONTH=1,10;BYMONTHDAY=1", "Asia/Shanghai", 9, "2026-01-01", Shift.AFTER,
     ["2026-01-04T09:00+08:00", "2026-10-08T09:00+08:00"]),
    # month ends, and a month without a 31st
    (MONTH_END, "UTC", 8, "2027-01-15", Shift.NONE,
     ["2027-01-31T08:00+00:00", "2027-02-28T08:00+00:00", "2027-03-31T08:00+00:00"]),
    ("FREQ=MONTHLY;BYMONTHDAY=31", "UTC", 8, "2027-01-01", Shift.NONE,
     ["2027-01-31T08:00+00:00", "2027-03-31T08:00+00:00", "2027-05-31T08:00+00:00"]),
    # the leap day, and the last of February around it
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "Asia/Shanghai", 9, "2026-01-01", Shift.NONE,
     ["2028-02-29T09:00+08:00", "2032-02-29T09:00+08:00"]),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "UTC", 9, "2027-01-01", Shift.NONE,
     ["2027-02-28T09:00+00:00", "2028-02-29T09:00+00:00", "2029-02-28T09:00+00:00"]),
    # the clock goes forward on 29 March 2026 in Berlin, and back on 25 October
    ("FREQ=DAILY", "Europe/Berlin", 9, "2026-03-28", Shift.NONE,
     ["2026-03-28T09:00+01:00", "2026-03-29T09:00+02:00", "2026-03-30T09:00+02:00"]),
    ("FREQ=DAILY", "Europe/Berlin", 9, "2026-10-24", Shift.NONE,
     ["2026-10-24T09:00+02:00", "2026-10-25T09:00+01:00", "2026-10-26T09:00+01:00"]),
    # two o'clock is left out on 29 March: it is three; and comes twice on 25 October: the first
    ("FREQ=DAILY", "Europe/Berlin", 2, "2026-03-28", Shift.NONE,
     ["2026-03-28T02:00+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"]),
    ("FREQ=DAILY", "Europe/Berlin", 2, "2026-10-24", Shift.NONE,
     ["2026-10-24T02:00+02:00", "2026-10-25T02:00+02:00", "2026-10-26T02:00+01:00"]),
    ("FREQ=DAILY", "America/New_York", 2, "2026-03-07", Shift.NONE,
     ["2026-03-07T02:00-05:00", "2026-03-08T03:00-04:00", "2026-03-09T02:00-04:00"]),
    ("FREQ=DAILY", "America/New_York", 1, "2026-10-31", Shift.NONE,
     ["2026-10-31T01:00-04:00", "2026-11-01T01:00-04:00", "2026-11-02T01:00-05:00"]),
    # half an hour of daylight saving: forward on 4 October 2026, back on 5 April
    ("FREQ=DAILY", "Australia/Lord_Howe", 2, "2026-10-03", Shift.NONE,
     ["2026-10-03T02:00+10:30", "2026-10-04T02:30+11:00", "2026-10-05T02:00+11:00"]),
    ("FREQ=DAILY", "Australia/Lord_Howe", 9, "2026-04-04", Shift.NONE,
     ["2026-04-04T09:00+11:00", "2026-04-05T09:00+10:30"]),
    # a quarter of an hour off
    ("FREQ=WEEKLY;BYDAY=SU", "Asia/Kathmandu", 10, "2026-11-23", Shift.NONE,
     ["2026-11-29T10:00+05:45", "2026-12-06T10:00+05:45"]),
    # China had daylight saving until 1991: the wall clock stays
    ("FREQ=MONTHLY;BYMONTHDAY=14", "Asia/Shanghai", 9, "1991-09-01", Shift.NONE,
     ["1991-09-14T09:00+09:00", "1991-10-14T09:00+08:00"]),
    # 30 December 2011 was left out in Samoa: what falls on it is a day later
    ("FREQ=DAILY", "Pacific/Apia", 9, "2011-12-29", Shift.NONE,
     ["2011-12-29T09:00-10:00", "2011-12-31T09:00+14:00"]),
    # once, and never again
    ("FREQ=DAILY;COUNT=1", "Asia/Shanghai", 0, "2026-11-23", Shift.NONE,
     ["2026-11-23T00:00+08:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "zone", "hour", "starts", "shift", "expected"), GOLDEN)
def test_the_next_openings_are_those_of_the_calendar(
    rule: str, zone: str, hour: int, starts: str, shift: Shift, expected: list[str]
) -> None:
    found = openings(rule, zone, hour, starts, shift, CALENDAR, max(2, len(expected)))
    assert found[: len(expected)] == expected


def test_what_the_office_knows_better_counts() -> None:
    worked = date(2027, 1, 31)  # a Sunday
    own = Workdays({worked: Override(worked, True, "调休上班")})
    found = openings(MONTH_END, "Asia/Shanghai", 9, "2027-01-01", Shift.BEFORE, own, 1)
    assert found == ["2027-01-31T09:00+08:00"]
    found = openings(MONTH_END, "Asia/Shanghai", 9, "2027-01-01", Shift.BEFORE, CALENDAR, 1)
    assert found == ["2027-01-29T09:00+08:00"]


def test_a_rule_that_has_ended_opens_nothing() -> None:
    once = replace(MADE, recurrence="FREQ=DAILY;COUNT=1")
    assert next_opening(once, CALENDAR, datetime(2026, 1, 2, tzinfo=UTC)) is None


zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu",
                         "Australia/Lord_Howe", "Pacific/Chatham"])  # fmt: skip
rules = st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SA,SU", MONTH_END, QUARTER_END,
                         "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=MONTHLY;BYDAY=2TU",
                         "FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=3"])  # fmt: skip


BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 700 * 1440).map(lambda n: BEGAN + timedelta(minutes=n))


@settings(deadline=None, max_examples=60)
@given(rules, zones, st.integers(0, 23), st.sampled_from(Shift), moments)
def test_the_next_opening_is_later_and_there_is_none_before_it(
    rule: str, zone: str, hour: int, shift: Shift, after: datetime
) -> None:
    made = replace(MADE, recurrence=rule, zone=zone, opens_hour=hour, shift=shift)
    at = next_opening(made, CALENDAR, after)
    assert at is not None
    assert at > after
    earlier = next_opening(made, CALENDAR, after - timedelta(days=100))
    seen = []
    while earlier is not None and earlier <= at:
        seen.append(earlier)
        earlier = next_opening(made, CALENDAR, earlier)
    assert seen == sorted(set(seen))
    assert [each for each in seen if each > after] == [at]
    if shift is not Shift.NONE:
        assert all(CALENDAR.works(each.date()) for each in islice(seen, 50))


overridden = st.dictionaries(
    st.integers(0, 500).map(lambda n: date(2026, 1, 1) + timedelta(days=n)), st.booleans(),
    max_size=60,
)  # fmt: skip
every = st.sampled_from(
    [(MONTH_END, Shift.BEFORE, max), ("FREQ=MONTHLY;BYMONTHDAY=1", Shift.AFTER, min)]
)


@settings(deadline=None, max_examples=60)
@given(every, zones, st.integers(0, 23), overridden)
def test_month_by_month_it_is_the_last_or_the_first_of_the_days_worked(
    asked: tuple[str, Shift, Any], zone: str, hour: int, own: dict[date, bool]
) -> None:
    """Looked for day by day, and the hour minute by minute in the zone's own clock."""
    rule, shift, end = asked
    days = Workdays({day: Override(day, works) for day, works in own.items()})
    made = replace(MADE, recurrence=rule, zone=zone, opens_hour=hour, shift=shift)
    place, at = ZoneInfo(zone), datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)) - timedelta(seconds=1)
    for month in range(1, 13):
        whole = [day for day in _year_of_days(2026) if day.month == month and days.works(day)]
        found = next_opening(made, days, at)
        assert found is not None
        at = found
        assert at.date() == end(whole)
        wall = at.astimezone(UTC).astimezone(place)
        assert wall == at
        if wall.hour != hour:  # the clock left that hour out: the first moment after the gap
            before = (at.astimezone(UTC) - timedelta(hours=1)).astimezone(place)
            assert before.utcoffset() != wall.utcoffset()


def _year_of_days(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
