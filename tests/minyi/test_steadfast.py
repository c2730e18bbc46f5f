"""One thing that goes wrong does not stop the rest, and nobody's words reach a log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from minyi import scoring, serving, steps
from minyi.logs import set_log_level
from minyi.readiness import Ticks
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import WaveState
from surveys.people import Address
from surveys.reply import Tapped
from tests.minyi.test_steps import (
    BEFORE,
    CLOSED,
    OPEN,
    SUBJECTS,
    answer_all,
    furnish,
    house_on,
    put_paused,
)

WAVE = "service.20261210"


async def opened(store: SqlStore, folder: Path) -> Any:
    house = await house_on(store, folder)
    await furnish(house)
    await steps.plan(house, BEFORE)
    await steps.plan(house, OPEN)
    return house


async def test_a_tally_that_fails_logs_where_and_nothing_of_anybody(
    store: SqlStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    house = await opened(store, tmp_path)
    await answer_all(house, "c0", WAVE, Random(3))

    def broken(tx: SqlTransaction, *_: object) -> None:
        raise ValueError("王主任收礼0 ratings={'service': 5} person=c0")

    monkeypatch.setattr(SqlTransaction, "record_tally", broken)
    set_log_level("debug")
    house.pace = replace(house.pace, clock=lambda: CLOSED)
    doors = serving.Open.__new__(serving.Open)
    doors.house, doors._busy = house, {"tally": asyncio.Lock()}
    doors._ticks, doors._stop = Ticks(5.0), asyncio.Event()
    await doors._guarded("tally", serving.tally)
    said = capsys.readouterr().err
    assert "tally failed" in said
    assert "ValueError at" in said
    for secret in ("王主任", "ratings", "c0", "u3", "Ballot"):
        assert secret not in said


async def test_an_answer_changed_while_the_box_is_being_closed_is_counted_or_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = SqlStore(database_url), SqlStore(database_url)
    house = await opened(here, tmp_path)
    other = await house_on(there, tmp_path)
    await answer_all(house, "c0", WAVE, Random(4))
    changing: list[asyncio.Task[Any]] = []
    loop = asyncio.get_running_loop()
    row = await here.read(lambda tx: tx.interview_for(WAVE, "c0", "u0"))
    assert row is not None
    close = SqlTransaction.close_box

    def meanwhile(tx: SqlTransaction, wave: str) -> None:
        def change() -> None:
            again = other.conversation.receive(
                house_address("c0"), Tapped(f"r:{row.id}:0:0"), CLOSED - timedelta(seconds=1)
            )
            changing.append(asyncio.ensure_future(again))

        loop.call_soon_threadsafe(change)
        close(tx, wave)

    monkeypatch.setattr(SqlTransaction, "close_box", meanwhile)
    assert (await steps.tally(house, CLOSED)).spoiled == 0
    await asyncio.gather(*changing)
    left = await here.read(lambda tx: (tx.ballot_count(WAVE), tx.interview_counts(WAVE)))
    assert left == (0, (0, 0)), "nothing outlives the tally"
    turnout = await here.read(lambda tx: tx.turnout("2026Q4"))
    assert len(turnout) == 2 * SUBJECTS
    for store in (here, there):
        await store.close()


def house_address(person: str) -> Address:
    return Address("web", person)


async def test_pausing_past_the_window_destroys_no_keys_and_blocks_no_other_wave(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    await steps.plan(house, BEFORE)
    service = await store.read(lambda tx: tx.campaign("service"))
    await store.write(lambda tx: put_paused(service, tx))  # type: ignore[arg-type]
    await steps.plan(house, OPEN)
    await answer_all(house, "s0", "leadership.20261210", Random(5))
    assert (await steps.tally(house, CLOSED)).waves == 1
    assert house.keyring.wave_keys(WAVE) is not None
    assert await store.read(scoring.unscored) == ["2026Q4"], "a paused plan holds up no quarter"
    resumed = replace(service, paused=False)  # type: ignore[type-var]
    await store.write(lambda tx: tx.put_campaign(resumed))  # type: ignore[arg-type]
    late = CLOSED + timedelta(days=1)
    await steps.plan(house, late)
    assert (await steps.tally(house, late)).waves == 1


async def test_a_wave_whose_keys_are_lost_is_named_and_the_others_are_counted(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await opened(store, tmp_path)
    house.keyring.destroy_wave(WAVE)
    with pytest.raises(steps.StepError, match=WAVE):
        await steps.tally(house, CLOSED)
    waves = {wave.id: wave.state for wave in await store.read(lambda tx: tx.waves())}
    assert waves["leadership.20261210"] is WaveState.TALLIED


async def test_an_opened_wave_is_never_planned_again(store: SqlStore, tmp_path: Path) -> None:
    house = await opened(store, tmp_path)
    wave = await store.read(lambda tx: tx.wave(WAVE))
    assert wave is not None
    slow = replace(wave, state=WaveState.PLANNED)
    await store.write(lambda tx: tx.put_wave(slow))
    after = await store.read(lambda tx: tx.wave(WAVE))
    assert after is not None
    assert after.state is WaveState.OPEN
    assert not await store.write(lambda tx: tx.open_wave(WAVE))
    del house


async def test_three_monthly_waves_of_one_quarter_are_scored_as_one(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    service = await store.read(lambda tx: tx.campaign("service"))
    assert service is not None
    monthly = replace(
        service,
        starts=service.starts.replace(month=10),
        recurrence="FREQ=MONTHLY;BYMONTHDAY=10",
    )
    await store.write(lambda tx: tx.put_campaign(monthly))
    for month in (10, 11, 12):
        at = OPEN.replace(month=month)
        for _ in range(2):
            await steps.plan(house, at)
        for n in range(6):
            await rate_at(house, f"c{n}", f"service.2026{month}10", at)
        await steps.tally(house, at + timedelta(days=14))
    cells = scoring.together(await store.read(lambda tx: tx.cells("2026Q4")))
    assert {cell.n for cell in cells if cell.indicator == "service"} == {18}
    await steps.tally(house, CLOSED)
    assert (await scoring.score(house, "2026Q4")).withheld == SUBJECTS, "scored without a crash"


async def rate_at(house: Any, person: str, wave: str, at: Any) -> None:
    address = house_address(person)
    reply = (await house.conversation.receive(address, Tapped(f"g:{wave}:0:0"), at))[0]
    while reply.question:
        button = next(b for row in reply.rows for b in row if b.data.startswith("a:"))
        reply = (await house.conversation.receive(address, Tapped(button.data), at))[0]
