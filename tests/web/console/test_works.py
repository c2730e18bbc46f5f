"""Long work: begun once, alive while it goes on, and its failure told without its words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from desk import works as module
from desk.store import DeskTransaction, Work, WorkState
from desk.works import Far, FullError, Moved, Works, finish
from storage import SqlStore
from surveys.people import Subject
from tests.web.console.seats import Clock, Desk


def named(desk: Desk, name: str = "w1") -> Work:
    return Work(name, "import", "a-1", desk.clock(), desk.clock(), result={"table": "people"})


async def test_work_is_begun_once_however_often_it_is_asked_for(desk: Desk) -> None:
    works, gate, runs, begun = Works(), asyncio.Event(), [], named(desk)

    async def do(moved: Moved) -> None:
        runs.append(1)
        moved("writing", 3, 10)
        await gate.wait()
        await desk.store.write(
            lambda tx: finish(tx, begun, desk.clock(), WorkState.DONE, {"added": 1})
        )

    async def begin() -> Work:
        return await works.begin(desk.store, desk.clock, begun, do)

    await asyncio.gather(begin(), begin(), begin())
    await asyncio.sleep(0)
    desk.clock.on(minutes=5)  # silent for long, but alive in this very process
    assert (await begin()).state is WorkState.RUNNING
    assert works.far("w1") == Far("writing", 3, 10)
    gate.set()
    await works.close()
    assert runs == [1]
    assert works.far("w1") is None
    done = await begin()
    assert (done.state, done.result) == (WorkState.DONE, {"table": "people", "added": 1})
    assert runs == [1]


async def test_a_failure_keeps_no_word_of_what_was_written(desk: Desk) -> None:
    works = Works()

    async def do(moved: Moved) -> None:
        raise ValueError("somebody's words")

    await works.begin(desk.store, desk.clock, named(desk), do)
    await works.settled("w1", 5)
    kept = await desk.store.read(lambda tx: tx.work("w1"))
    assert kept is not None
    assert (kept.state, kept.result) == (
        WorkState.FAILED,
        {"table": "people", "error": "ValueError"},
    )
    await works.begin(desk.store, desk.clock, named(desk), done_by(desk))
    await works.settled("w1", 5)
    kept = await desk.store.read(lambda tx: tx.work("w1"))
    assert kept is not None
    assert kept.state is WorkState.DONE


def done_by(desk: Desk) -> Callable[[Moved], Awaitable[None]]:
    begun = named(desk)

    async def do(moved: Moved) -> None:
        await desk.store.write(lambda tx: finish(tx, begun, desk.clock(), WorkState.DONE, {}))

    return do


async def test_a_living_process_says_so_now_and_then(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    works, gate = Works(), asyncio.Event()

    async def do(moved: Moved) -> None:
        moved("writing", 7, 9)
        await gate.wait()

    await works.begin(desk.store, desk.clock, named(desk), do)
    desk.clock.on(seconds=40)
    for _ in range(500):
        kept = await desk.store.read(lambda tx: tx.work("w1"))
        if kept is not None and kept.seen_at == desk.clock():
            break
        await asyncio.sleep(0.01)
    assert kept is not None
    assert (kept.seen_at, kept.done, kept.total) == (desk.clock(), 7, 9)
    gate.set()
    await works.close()


async def test_a_process_taken_for_dead_finishes_nothing_that_another_began_anew(
    database_url: str,
) -> None:
    """It was only silent: both do the whole work, and what one of them did stands."""
    stores, clock, done = [SqlStore(database_url), SqlStore(database_url)], Clock(), []
    first, other, gate = Works(), Works(), asyncio.Event()

    async def begin(works: Works, store: SqlStore, who: str, waits: bool) -> Work:
        begun = Work("w1", "import", who, clock(), clock())

        def write(tx: DeskTransaction) -> None:
            tx.put_subjects([Subject(who, {"zh": who})])
            finish(tx, begun, clock(), WorkState.DONE, {"by": who})

        async def do(moved: Moved) -> None:
            if waits:
                await gate.wait()
            await store.write(write)
            done.append(who)

        return await works.begin(store, clock, begun, do)

    await begin(first, stores[0], "slow", waits=True)
    assert (await begin(other, stores[1], "quick", waits=False)).account == "slow"  # it lives
    clock.on(seconds=61)
    await begin(other, stores[1], "quick", waits=True)
    clock.on(seconds=1)
    gate.set()
    await first.close()  # the slow one comes to its end while the quick one is still at it
    await other.close()
    assert done == ["quick"]
    kept = await stores[0].read(lambda tx: tx.work("w1"))
    assert kept is not None
    assert (kept.state, kept.account, kept.result) == (WorkState.DONE, "quick", {"by": "quick"})
    assert [each.id for each in await stores[0].read(lambda tx: tx.subjects())] == ["quick"]
    for store in stores:
        await store.close()


async def test_two_processes_that_are_asked_at_once_begin_it_once(database_url: str) -> None:
    stores, clock, runs = [SqlStore(database_url), SqlStore(database_url)], Clock(), []
    both = [Works(), Works()]

    async def begin(number: int) -> None:
        begun = Work("w1", "import", "a-1", clock(), clock())

        async def do(moved: Moved) -> None:
            runs.append(number)
            await asyncio.sleep(0.1)
            await stores[number].write(lambda tx: finish(tx, begun, clock(), WorkState.DONE, {}))

        await both[number].begin(stores[number], clock, begun, do)

    await asyncio.gather(*(begin(number % 2) for number in range(8)))
    for works, store in zip(both, stores, strict=True):
        await works.close()
        await store.close()
    assert len(runs) == 1


async def test_what_is_large_goes_one_after_the_other_and_few_may_wait() -> None:
    works, inside = Works(), []

    async def large() -> None:
        with works.place():
            async with works.turn():
                inside.append("in")
                await asyncio.sleep(0)
                inside.append("out")

    came = await asyncio.gather(*(large() for _ in range(5)), return_exceptions=True)
    assert inside == ["in", "out"] * 3
    assert [type(each) for each in came] == [type(None)] * 3 + [FullError] * 2
    await large()  # the places are free again
    await works.close()
