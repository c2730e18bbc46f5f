from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.hours import decent, is_quiet, until

ZONES = sorted(name for name in available_timezones() if "/" in name)
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
moments = st.integers(0, 4 * 366 * 86400).map(lambda n: BEGAN + timedelta(seconds=n))
hours = st.tuples(st.integers(0, 23), st.integers(0, 23))


@pytest.mark.parametrize(
    ("at", "quiet", "expected"),
    [
        ("2026-11-23T20:59+08:00", (21, 8), "2026-11-23T20:59+08:00"),
        ("2026-11-23T21:00+08:00", (21, 8), "2026-11-24T08:00+08:00"),
        ("2026-11-24T03:30+08:00", (21, 8), "2026-11-24T08:00+08:00"),
        ("2026-11-24T08:00+08:00", (21, 8), "2026-11-24T08:00+08:00"),
        ("2026-11-24T12:30+08:00", (12, 14), "2026-11-24T14:00+08:00"),  # a rest at noon
        ("2026-11-24T03:30+08:00", (8, 8), "2026-11-24T03:30+08:00"),  # no quiet hours
        ("2026-12-31T23:30+08:00", (22, 0), "2027-01-01T00:00+08:00"),
    ],
)
def test_what_falls_into_the_night_waits_for_the_morning(
    at: str, quiet: tuple[int, int], expected: str
) -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    found = decent(datetime.fromisoformat(at), shanghai, quiet)
    assert found.isoformat(timespec="minutes") == datetime.fromisoformat(expected).astimezone(
        found.tzinfo
    ).isoformat(timespec="minutes")


@settings(deadline=None)
@given(moments, st.sampled_from(ZONES), hours)
def test_a_decent_moment_is_never_in_quiet_hours_and_never_later_than_it_must(
    at: datetime, name: str, quiet: tuple[int, int]
) -> None:
    zone = ZoneInfo(name)
    found = decent(at, zone, quiet)
    assert found >= at
    assert not is_quiet(found, zone, quiet)
    if found > at:
        assert is_quiet(at, zone, quiet)
        assert is_quiet(found - timedelta(seconds=1), zone, quiet)
        step = (found - at) / 50
        assert all(is_quiet(at + step * n, zone, quiet) for n in range(50))


@settings(deadline=None)
@given(moments, st.sampled_from(ZONES), hours)
def test_quiet_hours_begin_where_they_are_said_to(
    at: datetime, name: str, quiet: tuple[int, int]
) -> None:
    zone = ZoneInfo(name)
    start = decent(at, zone, quiet)
    ends = until(start, zone, quiet)
    if quiet[0] == quiet[1]:
        assert ends is None
        return
    assert ends is not None
    assert ends > start
    assert is_quiet(ends, zone, quiet)
    step = (ends - start) / 50
    assert not any(is_quiet(start + step * n, zone, quiet) for n in range(50))
