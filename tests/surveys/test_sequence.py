"""In which order somebody is asked: fair to every subject, and telling nothing about them."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from surveys.cells import RaterGroup
from surveys.sequence import in_turn
from surveys.store import Assignment

OFFICES = tuple(f"s{number}" for number in range(5))


def about(subjects: tuple[str, ...], person: str = "p", wave: str = "w") -> list[Assignment]:
    return [Assignment(wave, person, each, RaterGroup.PEER) for each in subjects]


def nobody(wave: str) -> bytes:
    raise AssertionError(f"asked for a key of {wave}")


@given(
    waves=st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True),
    subjects=st.lists(st.text(min_size=1), min_size=1, max_size=6, unique=True),
    person=st.text(),
    own=st.integers(min_value=-1, max_value=5),
    key=st.binary(min_size=32, max_size=32),
)
def test_everything_is_asked_once_wave_by_wave_and_in_the_same_order_again(
    waves: list[str], subjects: list[str], person: str, own: int, key: bytes
) -> None:
    left = [
        Assignment(wave, person, each, RaterGroup.SELF if number == own else RaterGroup.PEER)
        for wave in waves
        for number, each in enumerate(subjects)
    ]
    order = in_turn(left, lambda _: key)
    assert Counter(order) == Counter(left)
    assert list(dict.fromkeys(each.wave for each in order)) == waves
    assert in_turn(left, lambda _: key) == order
    assert in_turn(order[1:], lambda _: key) == order[1:] or order[0].group is RaterGroup.SELF


def test_no_office_is_always_the_last() -> None:
    last = Counter(
        in_turn(about(OFFICES, f"p{number}"), nobody)[-1].subject for number in range(1000)
    )
    assert set(last) == set(OFFICES)
    assert min(last.values()) > 150  # 200 each in the mean, a standard deviation of 13


def test_where_somebody_stands_among_those_they_rate_hangs_on_a_key() -> None:
    left = [*about(OFFICES), Assignment("w", "p", "me", RaterGroup.SELF)]
    chance = Random(5)
    before: Counter[frozenset[str]] = Counter()
    for key in (chance.randbytes(32) for _ in range(2000)):
        order = [each.subject for each in in_turn(left, {"w": key}.__getitem__)]
        before[frozenset(order[: order.index("me")])] += 1
    assert len(before) == 2 ** len(OFFICES)  # any ratings, or none, may have come before it
