"""Which database errors pass by themselves, and how long to wait for that."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds that a unit of work is tried again while the database is gone."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
_PASSING_STATES = (
    "08",  # connection exceptions
    "40",  # deadlock, serialization failure: rolled back, asks to be tried again
    "53300",  # too many connections
    "57P",  # shutting down, crashed, starting up
)


class DatabaseGoneError(ConnectionError):
    """Not acknowledged: the database could not be reached, or was lost during the commit.

    In the second case the work may nevertheless be on disk, so it must bear repeating.
    """


def passing(error: BaseException) -> bool:
    """Whether ``error`` says that the database is away or busy, not that the work is wrong."""
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_PASSING_STATES)
    # the driver's own word, without a word of the server: it was not reached, or the line broke
    return error.connection_invalidated or type(cause).__name__ == "OperationalError"


def patiently(attempt: Callable[[], T], patience: float = PATIENCE) -> T:
    """Call ``attempt`` until it raises nothing :func:`passing`; give up after ``patience`` s.

    For attempts only that leave nothing behind where they fail. Raises DatabaseGoneError.
    """
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        try:
            return attempt()
        except DBAPIError as error:
            if not passing(error):
                raise
            if time.monotonic() + pause > deadline:
                raise DatabaseGoneError(f"no database for {patience:g} s: {error.orig}") from error
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
