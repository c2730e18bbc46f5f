from __future__ import annotations

from functools import partial

from evaluation.store import ScoreRun, TaskRow
from storage import SqlStore
from storage.transaction import SqlTransaction


async def test_tasks_belong_to_a_period(store: SqlStore) -> None:
    task = TaskRow("t1", "s1", "2026Q4", "phased", 0.1 + 0.2, 1 / 3)
    other = TaskRow("t2", "s1", "2026Q3", "basic", 5.0)
    await store.write(lambda tx: tx.put_tasks([TaskRow("t1", "s9", "2026Q1", "basic", 1.0)]))
    await store.write(lambda tx: tx.put_tasks([task, other]))
    assert await store.read(lambda tx: tx.tasks("2026Q4")) == [task]
    assert await store.read(lambda tx: tx.tasks("2026Q1")) == []


async def test_the_newest_run_of_a_period_counts(store: SqlStore) -> None:
    first = ScoreRun("2026Q4", "m1", "aa", b"in", b"cards")
    second = ScoreRun("2026Q4", "m2", "bb", b"in\x00", b"other cards")
    assert await store.read(lambda tx: tx.score_run("2026Q4")) is None
    await store.write(lambda tx: tx.put_score_run(first))
    await store.write(lambda tx: tx.put_score_run(second))
    assert await store.read(lambda tx: tx.score_run("2026Q4")) == second


async def test_publications_are_listed_newest_first(store: SqlStore) -> None:
    for period in ("2026Q3", "2026Q4", "2026Q2"):
        await store.write(partial(SqlTransaction.put_publication, period=period, cards=b"q"))
    assert await store.read(lambda tx: tx.publications()) == ["2026Q4", "2026Q3", "2026Q2"]
    assert await store.read(lambda tx: tx.publication("2026Q3")) == b"q"
    assert await store.read(lambda tx: tx.publication("2025Q1")) is None
