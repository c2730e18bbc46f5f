"""The one thread that writes: it gathers while it flushes, and answers only after the commit.

Units of work that wait together share one transaction and so one flush of the disk. There is no
timer: an idle writer commits a single unit at once; a busy one finds more waiting when it is done.
"""

from __future__ import annotations

import threading
import time
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from storage.engine import begin
from storage.outage import DatabaseGoneError, passing, patiently
from storage.transaction import SqlTransaction

Watch = Callable[[int, float, bool], None]
"""Told of each group written: units of work, seconds, whether the database was gone."""

GROUP = 256
"""Units in one transaction at most, so that the first of them need not wait for ever."""


@dataclass(slots=True)
class Job:
    """A unit of work with the asyncio future that waits for it.

    A ``read`` is rolled back; an ``errand`` gets the bare connection outside any transaction.
    """

    run: Callable[[Any], Any]
    loop: AbstractEventLoop
    future: Future[Any]
    kind: str = "write"  # write | read | errand


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class Writer:
    """Owns one connection and one thread; :meth:`put` may be called from any thread."""

    def __init__(self, engine: Engine) -> None:
        self.watch: Watch | None = None
        self._engine = engine
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._open: Connection | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="minyi-writer", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Queue a job; RuntimeError once :meth:`close` has begun."""
        with self._closing:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._jobs.put(job)

    def close(self) -> None:
        """Finish what is queued, then stop. Blocks until it is done."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        going = True
        while going:
            waiting = [self._jobs.get()]
            with suppress(Empty):
                while len(waiting) < GROUP:
                    waiting.append(self._jobs.get_nowait())
            going = None not in waiting
            jobs = [job for job in waiting if job is not None and not job.future.cancelled()]
            for kind, same in groupby(jobs, key=lambda job: job.kind):
                if kind == "write":
                    self._write(list(same))
                else:
                    for job in same:
                        _settle([job], [self._alone(job)])
        self._disconnect()

    def _write(self, jobs: Sequence[Job]) -> None:
        began = time.perf_counter()
        results = self._results(jobs)
        _settle(jobs, results)
        if self.watch is not None:
            failures = [result.error for result in results if isinstance(result, _Failed)]
            gone = any(isinstance(error, DatabaseGoneError) for error in failures)
            with suppress(Exception):  # whoever watches must not stop the writer
                self.watch(len(jobs), time.perf_counter() - began, gone)

    def _results(self, jobs: Sequence[Job]) -> list[Any]:
        if len(jobs) == 1:
            return [self._alone(jobs[0])]
        try:
            return patiently(lambda: self._commit(jobs))
        except DatabaseGoneError as gone:
            return [_Failed(gone)] * len(jobs)
        except BaseException:  # one of them failed: find out which, one by one
            return [self._alone(job) for job in jobs]

    def _alone(self, job: Job) -> Any:
        """The job's result, or its own failure."""
        attempt = {"write": self._commit_one, "read": self._read, "errand": self._errand}[job.kind]
        try:
            return patiently(lambda: attempt(job))
        except BaseException as error:  # it is handed to whoever waits
            return _Failed(error)

    def _commit_one(self, job: Job) -> Any:
        return self._commit([job])[0]

    def _commit(self, jobs: Sequence[Job]) -> list[Any]:
        """Run ``jobs`` in one transaction. Raises with nothing committed, or DatabaseGoneError."""
        connection = self._connection()
        try:
            transaction = begin(connection)
            results = [job.run(SqlTransaction(connection)) for job in jobs]
        except BaseException:
            self._undo(connection)
            raise
        try:
            transaction.commit()
        except BaseException as error:
            self._undo(connection)
            if connection.dialect.name != "sqlite" and _broke(error):
                raise DatabaseGoneError(
                    f"lost during the commit, so it may be done: {error}"
                ) from error
            raise
        return results

    def _read(self, job: Job) -> Any:
        connection = self._connection()
        try:
            with begin(connection):
                connection.exec_driver_sql("PRAGMA query_only=ON")
                try:
                    return job.run(SqlTransaction(connection))
                finally:
                    connection.exec_driver_sql("PRAGMA query_only=OFF")
        except BaseException:
            self._undo(connection)
            raise

    def _errand(self, job: Job) -> Any:
        connection = self._connection()
        try:
            return job.run(connection)
        except BaseException:
            self._undo(connection)
            raise

    def _connection(self) -> Connection:
        if self._open is None:
            self._open = self._engine.connect()
        return self._open

    def _undo(self, connection: Connection) -> None:
        """Roll back; a connection that cannot even do that is thrown away."""
        try:
            connection.rollback()
        except DBAPIError:
            connection.invalidate()
        if connection.invalidated:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._open is not None:
            with suppress(DBAPIError):
                self._open.close()
            self._open = None


def _broke(error: BaseException) -> bool:
    """Whether the line broke, rather than the server having refused: then it rolled back."""
    if not isinstance(error, DBAPIError):
        return True
    return error.connection_invalidated or passing(error)


def _settle(jobs: Sequence[Job], results: Sequence[Any]) -> None:
    """Wake the callers: once for each event loop, not once for each job."""
    for loop in {id(job.loop): job.loop for job in jobs}.values():
        mine = [pair for pair in zip(jobs, results, strict=True) if pair[0].loop is loop]
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(_wake, mine)


def _wake(pairs: Sequence[tuple[Job, Any]]) -> None:
    for job, result in pairs:
        if job.future.done():  # cancelled meanwhile
            continue
        match result:
            case _Failed(error):
                job.future.set_exception(error)
            case _:
                job.future.set_result(result)
