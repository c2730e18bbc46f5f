"""What became of everybody, as it may be told: nothing about one, nothing by subtraction."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from desk.outcomes import WORDS, Outcomes, in_a_line, label, number, outcomes, tens
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import WaveState
from surveys.cells import RaterGroup, Tally, Turnout
from surveys.dispositions import Disposition
from surveys.words import LANGUAGES
from tests.storage.rows import CAMPAIGN, WAVE, found_roll, interview

D = Disposition
TALLIED = replace(WAVE, state=WaveState.TALLIED)
SIXTY = {D.COMPLETE: 33, D.PARTIAL: 12, D.NO_ANSWER: 15}


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(3, 50))
def test_a_number_told_is_never_of_few_nor_of_all(count: int, more: int, k: int) -> None:
    told = tens(count, count + more, k)
    if told is not None:
        assert told % 10 == 0
        assert max(10, k) - 9 <= told <= count
        assert told <= count + more - k


async def told(store: SqlStore, counts: dict[Disposition, int], *answered: int | None) -> Outcomes:
    """The wave after a tally of two sides of which ``answered`` is told."""

    def work(tx: SqlTransaction) -> None:
        found_roll(tx, 2)
        tx.put_dispositions(WAVE.id, counts)
        turnout = tuple(
            Turnout(f"s{n}", RaterGroup.PEER, 30, each) for n, each in enumerate(answered, 1)
        )
        tx.record_tally(WAVE.id, WAVE.period, Tally(turnout=turnout))

    await store.write(work)
    found = await store.read(lambda tx: outcomes(tx, TALLIED, CAMPAIGN))
    assert found is not None
    return found


async def test_where_nothing_was_withheld_the_rates_are_exact(store: SqlStore) -> None:
    found = await told(store, SIXTY, 25, 20)
    assert found.exact
    assert [(name, percent) for name, _, percent in found.shares] == [
        ("RR1", 55.0), ("RR2", 75.0), ("REF1", 0.0), ("CON1", 75.0),
    ]  # fmt: skip
    assert number(found, D.COMPLETE, "en") == "33"


async def test_beside_a_turnout_that_is_withheld_nothing_is_exact(store: SqlStore) -> None:
    found = await told(store, SIXTY, 25, None)
    assert not found.exact
    assert found.numbers[D.COMPLETE] == 30
    assert found.numbers[D.PARTIAL] == found.numbers[D.NO_ANSWER] == 10
    assert found.numbers[D.REFUSED] is None
    assert [(name, percent) for name, _, percent in found.shares] == [
        ("RR1", 50.0), ("RR2", 66.7), ("REF1", 0.0), ("CON1", 66.7),
    ]  # fmt: skip
    said = in_a_line(found, "en")
    assert "60 people asked: finished everything: at least 30" in said
    assert "RR1 at least 50.0 %" in said
    assert "REF1" not in said, "at least nothing says nothing"


async def test_beside_a_few_nothing_is_exact(store: SqlStore) -> None:
    found = await told(store, SIXTY | {D.NO_ANSWER: 12, D.REFUSED: 3}, 25, 20)
    assert not found.exact
    assert found.numbers[D.REFUSED] is None


async def test_that_all_have_answered_is_not_told(store: SqlStore) -> None:
    found = await told(store, {D.COMPLETE: 60}, 30, 30)
    assert not found.exact
    assert found.numbers[D.COMPLETE] == 50


async def test_an_open_wave_tells_in_tens_and_no_rate(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> None:
        found_roll(tx, 40)
        for each in range(23):
            tx.open_interview(interview(each, complete=each < 16))

    await store.write(work)
    found = await store.read(lambda tx: outcomes(tx, WAVE, CAMPAIGN))
    assert found is not None
    assert (found.people, found.exact, found.rates, found.shares) == (40, False, None, [])
    assert found.numbers == dict.fromkeys(Disposition) | {
        D.COMPLETE: 10, D.NON_CONTACT: 10
    }  # fmt: skip
    planned = replace(WAVE, state=WaveState.PLANNED)
    assert await store.read(lambda tx: outcomes(tx, planned, CAMPAIGN)) is None


def test_every_end_has_its_words_in_both_languages() -> None:
    for language in LANGUAGES:
        names = [label(each, language) for each in Disposition]
        assert len(set(names)) == len(names)
    assert {key for key in WORDS.keys() if key.startswith("is.")} == {  # noqa: SIM118
        f"is.{each}" for each in Disposition
    }
