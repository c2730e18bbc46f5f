"""Pace and lengths, without a network."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.limits import Limits, Pace, units, whole_seconds


def test_no_second_holds_more_than_the_overall_rate() -> None:
    pace, limits = Pace(), Limits(overall=30, per_chat=0)
    assert [pace.take(n, 10.0, limits) for n in range(30)] == [0.0] * 30
    assert pace.take(31, 10.5, limits) == 0.5
    assert pace.take(31, 11.0, limits) == 0.0


def test_a_chat_takes_a_small_burst_and_then_one_a_second() -> None:
    pace, limits = Pace(), Limits(overall=0, per_chat=1, chat_burst=3)
    assert [pace.take(1, 0.0, limits) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
    assert pace.take(2, 0.0, limits) == 0.0
    assert pace.take(1, 1.0, limits) == 0.0
    assert pace.take(1, 1.5, limits) == 0.5


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 0.3)), max_size=200))
def test_what_is_accepted_never_exceeds_either_rate(asked: list[tuple[int, float]]) -> None:
    pace, limits = Pace(), Limits(overall=5, per_chat=2, chat_burst=2)
    now, accepted = 0.0, list[tuple[float, int]]()
    for chat, gap in asked:
        now += gap
        if pace.take(chat, now, limits) == 0.0:
            accepted.append((now, chat))
    for start, chat in accepted:
        window = [(at, c) for at, c in accepted if start <= at < start + 1 - 1e-9]
        assert len(window) <= 5
        assert sum(c == chat for _, c in window) <= 2 + 2  # burst, then two a second


def test_retry_after_is_whole_seconds_and_at_least_one() -> None:
    assert [whole_seconds(wait) for wait in (0.01, 1.0, 1.2)] == [1, 1, 2]


def test_length_is_counted_as_telegram_counts_it() -> None:
    assert [units(text) for text in ("abc", "满意", "😀", "")] == [3, 2, 2, 0]
