"""Counts in progress and what left a tally: kept, replaced, and gone when they should be."""

from __future__ import annotations

from dataclasses import replace

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import Tally
from surveys.dropoff import Row
from tests.storage.rows import WAVE, found_world, interview

ROWS = (
    Row(WAVE.id, "/data/b", 9, 5, 4, 0, None),
    Row(WAVE.id, "/data/a", 9, None, None, 5, 0),
    Row("another", "", left=7),
)


async def test_a_draft_is_replaced_by_its_process_alone(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> None:
        for process, box in (("p", b"1"), ("q", b"2"), ("p", b"3")):
            tx.put_draft(WAVE.id, process, box)
        tx.put_draft("another", "p", b"4")

    await store.write(work)
    drafts = await store.read(lambda tx: tx.drafts(WAVE.id))
    assert drafts == [("p", b"3"), ("q", b"2")]


async def test_the_tally_takes_the_drafts_of_its_wave_and_later_ones_are_stale(
    store: SqlStore,
) -> None:
    def work(tx: SqlTransaction) -> tuple[int, int, int, int]:
        found_world(tx)
        tx.put_wave(replace(WAVE, id="another"))
        for wave in (WAVE.id, "another"):
            tx.put_draft(wave, "p", b"1")
        tx.record_tally(WAVE.id, "2026Q4", Tally())
        left = len(tx.drafts(WAVE.id)), len(tx.drafts("another"))
        tx.put_draft(WAVE.id, "late", b"2")
        tx.drop_stale_drafts()
        return *left, len(tx.drafts(WAVE.id)), len(tx.drafts("another"))

    assert await store.write(work) == (0, 1, 0, 1)


async def test_rows_come_back_in_the_forms_order_and_withheld_is_not_zero(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_paradata("2026Q4", ROWS))
    found = await store.read(lambda tx: tx.paradata("2026Q4"))
    assert sorted(found, key=lambda row: row.wave) == sorted(ROWS, key=lambda row: row.wave)
    assert [row.question for row in found if row.wave == WAVE.id] == ["/data/b", "/data/a"]
    assert await store.read(lambda tx: tx.paradata("2026Q3")) == []


async def test_unfinished_are_the_interviews_in_progress_of_one_wave(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> list[str]:
        found_world(tx)
        tx.open_interview(interview(1))
        tx.open_interview(interview(2, complete=True))
        tx.open_interview(replace(interview(3), id="x", wave="another"))
        return [each.id for each in tx.unfinished(WAVE.id)]

    assert await store.write(work) == ["i1-s1"]
