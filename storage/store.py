"""The Store on SQLite and PostgreSQL. Callers cannot tell which, nor that they share commits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from storage.engine import begin, in_memory, open_engine
from storage.outage import patiently
from storage.tables import metadata
from storage.transaction import SqlTransaction
from storage.writer import Job, Writer

T = TypeVar("T")

READERS = 4
"""Reads that run at once, each on a connection of its own."""

ANSWERS = ("ballots", "interviews", "assignments", "paradata_drafts")
PEOPLE = ("people", "chats", "relations", "invites", "deliveries", "concerns", "accounts",
          "uploads", "works")  # fmt: skip
_SCRUB_PATIENCE = 10.0  # seconds for readers of the old pages to finish


class SqlStore:
    """Implements ``surveys.store.Store``; its transactions serve all three pure rooms.

    ``url`` is that of :func:`storage.engine.open_engine`. A database in memory is made here;
    any other must have been brought up to date by :func:`storage.migrate` first.

    While the database is away a unit of work waits, up to 15 seconds, then DatabaseGoneError is
    raised; where the connection is lost during the commit itself, it is raised at once, to
    everybody in the group, and the work may or may not be on disk.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._readers: ThreadPoolExecutor | None = None
        if in_memory(url):
            metadata.create_all(self._engine)
            self._reading = self._engine
        else:
            self._reading = open_engine(url, reading=True)
            self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="minyi-reader")
        self._writer = Writer(self._engine)

    async def write(self, work: Callable[[SqlTransaction], T]) -> T:
        """Run ``work`` and return its result once it is on disk; its exception is raised here."""
        return await self._hand_over("write", work)

    async def read(self, work: Callable[[SqlTransaction], T]) -> T:
        """Run ``work`` on one snapshot, beside the writer; an attempt to write raises."""
        if self._readers is None:
            return await self._hand_over("read", work)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, patiently, lambda: self._snapshot(work))

    def watched_by(self, watch: Callable[[int, float, bool], None] | None) -> None:
        """Tell ``watch``, on the writer's thread, of each group written: units, seconds, gone."""
        self._writer.watch = watch

    async def scrub(self, *, people: bool = False) -> None:
        """Leave no deleted row behind in this database's own files.

        SQLite: the log is copied and truncated (deleted rows are zeros already). PostgreSQL:
        ballots, interviews, roll and drafts are rewritten, and with ``people`` also what somebody
        was forgotten in, which locks these tables; what its log archive or a base backup
        has already taken away is out of reach from here, so neither may cover these tables.
        Raises TimeoutError where a reader holds the old pages for more than ten seconds.
        """
        tables = (*ANSWERS, *PEOPLE) if people else ANSWERS
        await self._hand_over("errand", partial(_scrub, tables))

    async def close(self) -> None:
        """Finish what is waiting, then let go of the database. May be called twice."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        if self._readers is not None:
            self._readers.shutdown()
        self._engine.dispose()
        self._reading.dispose()

    async def _hand_over(self, kind: str, run: Callable[[Any], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writer.put(Job(run, loop, future, kind))
        return await future

    def _snapshot(self, work: Callable[[SqlTransaction], T]) -> T:
        with self._reading.connect() as connection:  # closing rolls back
            begin(connection, reading=True)
            return work(SqlTransaction(connection))


def _scrub(tables: Sequence[str], connection: Connection) -> None:
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection was closed under the writer")
    if connection.dialect.name == "sqlite":
        _truncate_log(driver)
        return
    connection.rollback()
    driver.autocommit = True
    try:
        for table in tables:
            driver.execute(f"VACUUM FULL {table}")
    finally:
        driver.autocommit = False


def _truncate_log(driver: Any) -> None:
    """A checkpoint answers (busy, …): busy where a reader still needs the log."""
    deadline = time.monotonic() + _SCRUB_PATIENCE
    driver.execute("PRAGMA busy_timeout=1000")
    try:
        while driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                raise TimeoutError("a reader holds the write-ahead log; it was not truncated")
            time.sleep(0.05)
    finally:
        driver.execute("PRAGMA busy_timeout=10000")
