"""Long work: begun once, alive while it goes on, and its failure told without its words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from desk import works as module
from desk.store import Work, WorkState
from desk.works import Far, Moved, Works, finish
from tests.web.console.seats import Desk


def named(desk: Desk, name: str = "w1") -> Work:
    return Work(name, "import", "a-1", desk.clock(), desk.clock(), result={"table": "people"})


async def test_work_is_begun_once_however_often_it_is_asked_for(desk: Desk) -> None:
    works, gate, runs = Works(), asyncio.Event(), []

    async def do(moved: Moved) -> None:
        runs.append(1)
        moved("writing", 3, 10)
        await gate.wait()
        await desk.store.write(
            lambda tx: finish(tx, "w1", desk.clock(), WorkState.DONE, {"added": 1})
        )

    async def begin() -> Work:
        return await works.begin(desk.store, desk.clock, named(desk), do)

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
    async def do(moved: Moved) -> None:
        await desk.store.write(lambda tx: finish(tx, "w1", desk.clock(), WorkState.DONE, {}))

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
