"""The process killed, the database gone: what was acknowledged stays."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from functools import partial

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from storage import DatabaseGoneError, SqlStore
from storage.outage import passing, patiently
from storage.transaction import SqlTransaction
from tests.postgres import Cluster


def put(name: str) -> partial[None]:
    return partial(SqlTransaction.put_note, name=name, value="kept")


def lost(tx: SqlTransaction, names: list[str]) -> list[str]:
    return [name for name in names if tx.note(name) != "kept"]


@pytest.mark.parametrize("enough", [40, 150, 400])
def test_a_killed_writer_loses_nothing_it_acknowledged(database_url: str, enough: int) -> None:
    command = [sys.executable, "-m", "tests.storage.answering", database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(enough)]
        writer.send_signal(signal.SIGKILL)
        said += [line for line in writer.stdout if line.endswith(b"\n")]
    acknowledged = [f"n{int(line)}" for line in said]
    store = SqlStore(database_url)
    assert asyncio.run(store.read(partial(lost, names=acknowledged))) == []
    asyncio.run(store.write(put("afterwards")))
    asyncio.run(store.close())


async def test_a_crash_of_postgres_loses_nothing_acknowledged(own_postgres: Cluster) -> None:
    store = SqlStore(own_postgres.fresh_database())
    acknowledged: list[str] = []
    refused: list[str] = []
    stop = asyncio.Event()

    async def respondent(person: int) -> None:
        turn = 0
        while not stop.is_set():
            name = f"p{person}-{turn}"
            try:
                await store.write(put(name))
            except DatabaseGoneError:  # during the commit: asked again, as a channel would
                refused.append(name)
                continue
            acknowledged.append(name)
            turn += 1

    talking = asyncio.gather(*(respondent(person) for person in range(8)))
    for _ in range(2):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(own_postgres.stop)
        before = len(acknowledged)
        await asyncio.sleep(1.5)
        reading = asyncio.create_task(store.read(lambda tx: tx.note("p0-0")))
        await asyncio.to_thread(own_postgres.start)
        assert await reading == "kept"
        while len(acknowledged) < before + 50:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    stop.set()
    await talking
    assert await store.read(partial(lost, names=acknowledged)) == []
    await store.close()


async def test_a_locked_sqlite_file_is_waited_for(sqlite_url: str) -> None:
    store = SqlStore(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    writes = asyncio.gather(*(store.write(put(f"n{number}")) for number in range(20)))
    await asyncio.sleep(2)
    assert not writes.done()
    assert await store.read(lambda tx: tx.note("n0")) is None
    other.execute("COMMIT")
    other.close()
    await writes
    assert await store.read(partial(lost, names=[f"n{number}" for number in range(20)])) == []
    await store.close()


async def test_a_line_lost_during_the_commit_acknowledges_nobody(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    held, go = threading.Event(), threading.Event()

    def hold(tx: SqlTransaction) -> None:
        tx.put_note("held", "kept")
        held.set()
        assert go.wait(10)

    first = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(held.wait, 10)
    group = [asyncio.create_task(store.write(put(name))) for name in ("a", "b", "c")]
    await asyncio.sleep(0)

    def cut(connection: object) -> None:
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[attr-defined]
        with other.connect() as executioner:
            executioner.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")

    other = store._reading
    event.listen(store._engine, "commit", cut, once=True)
    go.set()
    with pytest.raises(DatabaseGoneError, match="may be done"):
        await first
    await asyncio.gather(*group)  # the next group finds a new connection
    assert await store.read(partial(lost, names=["a", "b", "c"])) == []
    await store.close()


def test_patience_ends() -> None:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    tries = []

    def attempt() -> None:
        tries.append(1)
        raise OperationalError("BEGIN", None, busy)

    with pytest.raises(DatabaseGoneError, match="locked"):
        patiently(attempt, patience=0.2)
    assert len(tries) > 1


def test_a_full_disk_does_not_pass_by_itself() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert not passing(OperationalError("COMMIT", None, full))
    assert not passing(RuntimeError("database is locked"))
