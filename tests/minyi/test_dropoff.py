"""From twelve conversations to a table by question: tallied, told, exported, and never whose."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from desk.dropoff import DropoffError, dropoff
from evaluation.method_file import shipped as shipped_method
from minyi import counting, serving, steps
from minyi.house import House, Pace
from minyi.invitations import Invitations
from minyi.listening import listen
from minyi.loop import run
from minyi.settings import Settings
from storage import SqlStore
from surveys.dropoff import Row
from surveys.forms.xlsform import load_form
from surveys.paradata import What, open_draft
from tests.minyi.conftest import Minyi
from tests.surveys.forms import QUESTIONNAIRES
from tests.surveys.world import NOW, ORGANISATION, World, converse, found_world

SERVICE = load_form(QUESTIONNAIRES / "service.md")
CLOSED = NOW + timedelta(days=15)
NAMES = ("overall", "why", "word", "speed", "attitude")
HAPPY = ("非常满意", "满意", "满意")
RUSHED = ("满意", "跳过", "满意")
UNHAPPY = ("不满意", "态度不好", "请改", "不满意", "非常不满意")
# the last three leave: two at a follow-up that only the dissatisfied see, one before it
TWELVE = [HAPPY] * 3 + [RUSHED] * 3 + [UNHAPPY] * 3 + [UNHAPPY[:1], UNHAPPY[:2], ()]
PUZZLED = {0, 6, 9}  # who first types what nobody can understand


@asynccontextmanager
async def open_world(url: str, folder: Path) -> AsyncIterator[tuple[World, House]]:
    world = await found_world(url, folder, SERVICE)

    def with_k(tx: Any) -> None:
        tx.put_campaign(replace(tx.campaign("q"), k=3))

    await world.store.write(with_k)
    try:
        yield world, house_of(world, folder)
    finally:
        await world.store.close()


def house_of(world: World, folder: Path) -> House:
    settings = Settings.model_validate({"data_dir": folder})
    invitations = Invitations(ORGANISATION, world.store, lambda: world.now)
    method = shipped_method("quarterly")
    pace = Pace(clock=lambda: world.now)
    return House(
        settings, world.store, world.keyring, world.conversation, invitations, method, pace
    )


def beside(world: World, url: str, folder: Path) -> tuple[World, House]:
    """Another process on the same database."""
    store = SqlStore(url)
    other = replace(world, store=store, conversation=converse(store, world.keyring))
    return other, house_of(other, folder)


async def answer(world: World, number: int) -> None:
    who = f"p{number}"
    await world.open(who, "poster")
    if number in PUZZLED:
        await world.type(who, "嗯嗯嗯")
    for tap in TWELVE[number]:
        await world.tap(who, tap) if tap != "请改" else await world.type(who, tap)


async def rows(world: World) -> dict[str, Row]:
    found = await world.read(lambda tx: tx.paradata("2026Q4"))
    return {row.question.removeprefix("/data/"): row for row in found}


def numbers(row: Row) -> tuple[int | None, ...]:
    return row.shown, row.answered, row.skipped, row.troubled, row.left


async def test_twelve_people_are_counted_right(store_url: str, tmp_path: Path) -> None:
    async with open_world(store_url, tmp_path) as (world, house):
        for number in range(12):
            await answer(world, number)
        counted = await steps.tally(house, CLOSED)
        assert (counted.waves, counted.spoiled) == (1, 0)
        found = await rows(world)
        assert list(found) == list(NAMES)
        assert numbers(found["overall"]) == (9, 9, 0, 3, 3), "left: with its follow-ups"
        assert numbers(found["why"]) == (3, 3, 0, 0, None)
        assert numbers(found["word"]) == (3, 3, 0, 0, None)
        assert numbers(found["speed"]) == (9, 6, 3, 0, 0)
        assert numbers(found["attitude"]) == (9, 9, 0, 0, 0)
        assert await world.read(lambda tx: tx.drafts("w")) == []


async def test_two_processes_add_up_and_a_killed_one_loses_no_answer(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as (world, house):
        other, second = beside(world, database_url, tmp_path)
        killed, third = beside(world, database_url, tmp_path)
        for number in range(0, 5):
            await answer(world, number)
        for number in range(5, 9):
            await answer(other, number)
        for number in range(9, 12):
            await answer(killed, number)
        await counting.keep(second)
        await counting.keep(second)  # again puts the same in the same place
        await counting.keep(third)
        await killed.rate("late", *HAPPY)  # after its last minute: counted, never put away
        await other.store.close()
        await killed.store.close()
        assert len(await world.read(lambda tx: tx.drafts("w"))) == 2
        await steps.tally(house, CLOSED)
        found = await rows(world)
        assert numbers(found["overall"]) == (9, 9, 0, 3, 3)
        assert numbers(found["why"])[:3] == (3, 3, 0)
        cells = await world.read(lambda tx: tx.cells("2026Q4"))
        assert {cell.n for cell in cells if cell.indicator == "service"} == {10}, (
            "no answer is lost"
        )


async def test_a_wave_of_too_few_tells_nothing_of_anybody(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):
        await answer(world, 0)
        await answer(world, 6)
        await answer(world, 9)
        await steps.tally(house, CLOSED)
        assert {numbers(row) for row in (await rows(world)).values()} == {(None,) * 5}


async def test_one_person_at_another_window_withholds_the_whole_table(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):
        for number in range(9):
            await answer(world, number)
        await world.rate("alone", *UNHAPPY, payload="office")
        await steps.tally(house, CLOSED)
        found = await rows(world)
        assert {numbers(row)[:4] for row in found.values()} == {(None,) * 4}
        assert found["overall"].left == 0


async def test_changing_an_answer_and_leaving_is_not_leaving(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):
        for number in range(9):
            await answer(world, number)
        for number in range(4):
            await world.tap(f"p{number}", "修改我的回答")
        await steps.tally(house, CLOSED)
        found = await rows(world)
        assert [row.left for row in found.values()] == [0, None, None, 0, 0]
        assert found["overall"].shown == 9


async def test_a_state_copied_into_other_rows_counts_once(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever can write to the database makes one unfinished interview look like five."""
    async with open_world(sqlite_url, tmp_path) as (world, house):
        await answer(world, 9)
        with sqlite3.connect(tmp_path / "minyi.db") as database:
            for number in range(5):
                database.execute(
                    "INSERT INTO interviews SELECT id || ?1, person || ?1, purpose, form, turn, "
                    "complete, state, touched_at, wave, subject, rater_group FROM interviews "
                    "WHERE length(id) < 13",
                    (str(number),),
                )
        await steps.tally(house, CLOSED)
        assert {row.left for row in (await rows(world)).values()} == {None}


async def test_a_forged_draft_changes_nothing(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):
        for number in range(12):
            await answer(world, number)
        await counting.keep(house)
        [(_, box)] = await world.read(lambda tx: tx.drafts("w"))
        for process, forged in (("copied", box), ("made up", bytes(len(box)))):
            await world.store.write(partial(put, process=process, box=forged))
        await steps.tally(house, CLOSED)
        assert numbers((await rows(world))["overall"]) == (9, 9, 0, 3, 3)


def put(tx: Any, process: str, box: bytes) -> None:
    tx.put_draft("w", process, box)


Snapshot = dict[str, list[tuple[Any, ...]]]


def of_sqlite(folder: Path) -> Snapshot:
    with sqlite3.connect(folder / "minyi.db") as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: sorted(database.execute(f'SELECT * FROM "{name}"'), key=repr)
                for (name,) in names}  # fmt: skip


def of_postgres(url: str) -> Snapshot:
    with psycopg.connect(url) as database:
        names = database.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return {name: sorted(database.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
                for (name,) in names}  # fmt: skip


async def test_copies_of_the_database_between_answers_tell_nothing_of_the_counts(
    database_url: str, tmp_path: Path
) -> None:
    """Whatever is answered, all that a minute changes is a box of one size, into other noise."""

    def copy() -> Snapshot:
        sqlite = database_url.startswith("sqlite")
        return of_sqlite(tmp_path) if sqlite else of_postgres(database_url)

    async with open_world(database_url, tmp_path) as (world, house):
        await counting.keep(house)
        boxes = [bytes(row[2]) for row in copy()["paradata_drafts"]]
        for number in range(12):
            before = copy()
            await answer(world, number)
            after = copy()
            assert after["paradata_drafts"] == before["paradata_drafts"], "memory alone"
            assert after["paradata"] == []
            changed = {name for name in after if after[name] != before[name]}
            coming = {"people", "chats", "relations", "assignments"}
            assert changed <= {"ballots", "interviews", *coming}
            boxes += await minutes(house, copy)
        assert len({len(box) for box in boxes}) == 1
        assert len(set(boxes)) == len(boxes)
        pieces = [box[at : at + 8] for box in boxes for at in range(0, len(box) - 8, 8)]
        assert len(set(pieces)) == len(pieces), "no two boxes have eight bytes in common"


async def minutes(house: House, copy: Callable[[], Snapshot]) -> list[bytes]:
    """The box after a minute in which somebody answered, and after one in which nobody did."""
    boxes = []
    for _ in range(2):
        before = copy()
        await counting.keep(house)
        after = copy()
        assert {name for name in after if after[name] != before[name]} == {"paradata_drafts"}
        [row] = after["paradata_drafts"]
        boxes.append(bytes(row[2]))
    return boxes


async def test_counts_are_put_away_once_a_minute_and_at_every_look_in_the_last_one(
    tmp_path: Path,
) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):

        async def box(after: float) -> bytes:
            await counting.keep_in_time(house, NOW + timedelta(seconds=after))
            [(_, sealed)] = await world.read(lambda tx: tx.drafts("w"))
            return bytes(sealed)

        first = await box(0)
        assert await box(59) == first
        second = await box(60)
        assert second != first
        assert await box(119) == second
        closing = timedelta(days=14).total_seconds() - 50
        third = await box(closing)
        assert await box(closing + 5) != third


async def test_a_graceful_stop_puts_the_last_counts_away(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):
        with listen("127.0.0.1", 0) as sock:
            async with serving.Open(house, sock, every=0.05):
                while house.counted_at is None:  # noqa: ASYNC110 - as the clock does
                    await asyncio.sleep(0.05)
                await world.rate("a", *HAPPY)  # within the same minute
        [(process, box)] = await world.read(lambda tx: tx.drafts("w"))
        keys = world.keyring.wave_keys("w")
        assert keys is not None
        counts = open_draft(SERVICE, box, process, keys.rid_key)
        assert counts["", What.FINISHED] == 1


async def test_a_failing_stop_leaves_the_house_all_the_same(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):
        with listen("127.0.0.1", 0) as sock:
            async with serving.Open(house, sock, every=3600):
                await world.store.close()


async def test_what_comes_too_late_for_its_tally_is_deleted(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, house):
        await answer(world, 0)
        await steps.tally(house, CLOSED)
        await world.store.write(partial(put, process="late", box=b"x"))
        await counting.keep(house)
        assert await world.read(lambda tx: tx.drafts("w")) == []
        assert house.conversation.paradata.counted() == {}


async def test_a_wave_that_is_open_or_unknown_tells_nothing(tmp_path: Path) -> None:
    async with open_world("sqlite://", tmp_path) as (world, _):
        with pytest.raises(DropoffError, match="no interim results"):
            await world.read(lambda tx: dropoff(tx, "w"))
        with pytest.raises(DropoffError, match="no wave"):
            await world.read(lambda tx: dropoff(tx, "nobody"))


async def play(folder: Path) -> None:
    async with open_world(f"sqlite:///{folder / 'minyi.db'}", folder) as (world, house):
        for number in range(12):
            await answer(world, number)
        await steps.tally(house, CLOSED)


def test_the_command_tells_the_table_in_both_languages_and_as_data(
    founded: Minyi, tmp_path: Path
) -> None:
    run(play(next(tmp_path.rglob("minyi.db")).parent))
    told = founded("campaign", "dropoff", "w")
    assert told.status == 0, told.err
    [speed] = [line for line in told.out.splitlines() if "speed?" in line]
    assert speed.split("?")[1].split() == ["9", "6", "3", "33", "%", "0", "0"]
    [why] = [line for line in told.out.splitlines() if "main reason?" in line]
    assert why.split("?")[1].split() == ["3", "3", "0", "0", "%", "0", "↑"]
    assert "Withheld" not in told.out
    chinese = founded("campaign", "dropoff", "w", "--lang", "zh").out
    assert "办理的速度" in chinese
    assert "停在这里" in chinese
    data = json.loads(founded("campaign", "dropoff", "w", "--json").out)
    assert data["k"] == 3
    assert [q["skipped"] for q in data["questions"]] == [0, 0, 0, 3, 0]
    assert data["questions"][3]["nonresponse_percent"] == 33
    assert founded("campaign", "dropoff", "nobody").status == 1
    assert founded("export", "paradata", "--period", "2026Q4", "--out", "p.json").status == 0
    exported = json.loads((tmp_path / "p.json").read_text("utf-8"))["paradata"]
    assert [row["shown"] for row in exported] == [9, 3, 3, 9, 9]
