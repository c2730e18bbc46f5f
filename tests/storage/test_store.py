from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.people import Relation


class Gate:
    """A unit of work that holds the writer until it is opened, so that others gather behind it."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def __call__(self, _tx: SqlTransaction) -> None:
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
async def gate(store: SqlStore) -> AsyncIterator[Gate]:
    """The writer is held from the start; what is written now waits together."""
    held = Gate()
    holding = asyncio.create_task(store.write(held))
    await asyncio.sleep(0.05)
    yield held
    held.open()
    await holding


async def test_one_failing_work_does_not_touch_its_neighbours(store: SqlStore, gate: Gate) -> None:
    def fail(tx: SqlTransaction) -> None:
        tx.put_note("bad", "never")
        raise LookupError("mine alone")

    def put(number: int) -> asyncio.Task[None]:
        return asyncio.create_task(
            store.write(lambda tx: tx.put_note(f"good{number}", str(number)))
        )

    good = [put(1), put(2)]
    bad = asyncio.create_task(store.write(fail))
    good.append(put(3))
    await asyncio.sleep(0)
    gate.open()
    with pytest.raises(LookupError, match="mine alone"):
        await bad
    await asyncio.gather(*good)
    kept = await store.read(lambda tx: [tx.note(f"good{number}") for number in (1, 2, 3)])
    assert kept == ["1", "2", "3"]
    assert await store.read(lambda tx: tx.note("bad")) is None


async def test_a_work_refused_by_the_database_fails_alone(store: SqlStore, gate: Gate) -> None:
    dangling = Relation("nobody", "nothing", RaterGroup.PEER)
    good = asyncio.create_task(store.write(lambda tx: tx.put_note("good", "1")))
    bad = asyncio.create_task(store.write(lambda tx: tx.put_relations([dangling])))
    after = asyncio.create_task(store.write(lambda tx: tx.put_note("after", "2")))
    await asyncio.sleep(0)
    gate.open()
    with pytest.raises(IntegrityError):
        await bad
    await asyncio.gather(good, after)
    assert await store.read(lambda tx: (tx.note("good"), tx.note("after"))) == ("1", "2")


async def test_works_that_wait_together_share_a_commit(store: SqlStore, gate: Gate) -> None:
    runs: list[int] = []

    def count(number: int) -> None:
        runs.append(number)

    def fail_once(_tx: SqlTransaction) -> None:
        if runs.count(9) == 0:
            runs.append(9)
            raise RuntimeError("the first time only")

    tasks = [asyncio.create_task(store.write(lambda _tx: count(1)))]
    tasks.append(asyncio.create_task(store.write(fail_once)))
    await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(*tasks)
    # run with the group, run again alone after its neighbour had failed
    assert runs == [1, 9, 1]


async def test_a_work_sees_what_it_wrote_and_others_see_it_after(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> str | None:
        tx.put_note("a", "1")
        return tx.note("a")

    assert await store.write(work) == "1"
    assert await store.read(lambda tx: tx.note("a")) == "1"


async def test_a_read_cannot_write(store: SqlStore) -> None:
    with pytest.raises(DBAPIError):
        await store.read(lambda tx: tx.put_note("a", "1"))
    assert await store.read(lambda tx: tx.note("a")) is None
    await store.write(lambda tx: tx.put_note("a", "2"))


async def test_a_long_write_does_not_block_a_read(database_url: str) -> None:
    store = SqlStore(database_url)
    gate = Gate()
    writing = asyncio.create_task(store.write(gate))
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(store.read(lambda tx: tx.note("a")), 5) is None
    gate.open()
    await writing
    await store.close()


async def test_a_read_sees_one_moment(database_url: str) -> None:
    store = SqlStore(database_url)
    first_read, written = threading.Event(), threading.Event()

    def twice(tx: SqlTransaction) -> tuple[str | None, str | None]:
        before = tx.note("a")
        first_read.set()
        assert written.wait(10)
        return before, tx.note("a")

    reading = asyncio.create_task(store.read(twice))
    await asyncio.to_thread(first_read.wait, 10)
    await store.write(lambda tx: tx.put_note("a", "1"))
    written.set()
    assert await reading == (None, None)
    await store.close()


async def test_a_caller_who_left_breaks_nothing(store: SqlStore, gate: Gate) -> None:
    left = asyncio.create_task(store.write(lambda tx: tx.put_note("left", "1")))
    stayed = asyncio.create_task(store.write(lambda tx: tx.put_note("stayed", "1")))
    await asyncio.sleep(0)
    left.cancel()
    gate.open()
    await stayed
    with pytest.raises(asyncio.CancelledError):
        await left
    assert await store.read(lambda tx: tx.note("stayed")) == "1"


async def test_closing_finishes_what_waits_and_refuses_what_comes(store_url: str) -> None:
    store = SqlStore(store_url)
    writes = [
        asyncio.create_task(
            store.write(partial(SqlTransaction.put_note, name=str(number), value=""))
        )
        for number in range(50)
    ]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*writes) == [None] * 50
    with pytest.raises(RuntimeError, match="closed"):
        await store.write(lambda tx: tx.note("a"))
    await store.close()


def test_a_store_serves_one_event_loop_after_another(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    asyncio.run(store.write(lambda tx: tx.put_note("a", "1")))
    assert asyncio.run(store.read(lambda tx: tx.note("a"))) == "1"
    asyncio.run(store.close())
