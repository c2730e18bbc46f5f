"""From a URL to an engine, with each database set up to keep its word.

SQLite runs with ``synchronous=FULL``: in WAL mode only FULL forces the log to the disk at every
commit, so that "acknowledged" means "on disk", through kill -9 and through a power cut. (NORMAL
would survive the first and may lose the last commits in the second.) Group commit pays for it: a
hundred answers share one flush. ``secure_delete`` overwrites what is deleted with zeros.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, RootTransaction, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

LOCK_WAIT_MS = 10_000

_PRAGMAS = (
    f"PRAGMA busy_timeout={LOCK_WAIT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA synchronous=FULL",
    "PRAGMA temp_store=MEMORY",  # a sort never spills answers into a temporary file
)

_POSTGRES: dict[str, Any] = {
    "application_name": "minyi",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,  # ms without an acknowledgement until the peer counts as gone
}


def in_memory(url: str) -> bool:
    """Whether ``url`` names a database that lives and dies with its one connection."""
    parsed = _checked(url)
    return parsed.drivername == "sqlite" and parsed.database is None


def open_engine(url: str, *, reading: bool = False) -> Engine:
    """An engine for ``sqlite:///file``, ``sqlite://`` (in memory) or ``postgresql://…``.

    With ``reading`` every transaction is one read-only snapshot and a write is an error.
    Nothing is connected yet. Raises ValueError for a URL that cannot work, saying how to mend it;
    a password in it is not shown.
    """
    parsed = _checked(url)
    if parsed.drivername == "sqlite":
        return _sqlite(parsed, reading)
    if reading:
        return create_engine(
            parsed,
            connect_args=_POSTGRES,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
        )
    return create_engine(parsed, connect_args=_POSTGRES, hide_parameters=True)


def begin(connection: Connection, *, reading: bool = False) -> RootTransaction:
    """Begin a transaction that holds, on SQLite, the write lock from its first moment.

    A reader that turns writer half-way could not wait for that lock, only fail. (Not by
    SQLAlchemy's ``begin`` event: one listener on the engine slows every statement by a tenth.)
    """
    transaction = connection.begin()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
    return transaction


def _sqlite(url: URL, reading: bool) -> Engine:
    memory = url.database is None
    if memory:
        engine = create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,  # an error's text must not quote what people wrote
        )
    else:
        engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions on its own
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if not memory:
            connection.execute("PRAGMA journal_mode=WAL")
        if reading:
            connection.execute("PRAGMA query_only=ON")

    return engine


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter where the port is no number
        raise ValueError(
            "the database URL is not a URL; write sqlite:///minyi.db "
            "or postgresql://user:password@host/database"
        ) from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return _checked_sqlite(parsed.set(drivername="sqlite"))
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return _checked_postgres(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise ValueError(
                f"the database URL starts with {other}://, which is not supported; "
                "use sqlite:/// or postgresql://"
            )


def _checked_sqlite(url: URL) -> URL:
    if url.host:
        raise ValueError(
            f"the database URL sqlite://{url.host}… has two slashes, so {url.host!r} reads as a "
            f"server; a file has three: sqlite:///{url.host}"
        )
    if url.query:
        raise ValueError("a sqlite database URL takes no options; cut it off at the question mark")
    if url.database in {None, "", ":memory:"}:
        return URL.create("sqlite")
    folder = Path(str(url.database)).parent
    if not folder.is_dir():
        raise ValueError(f"the database URL lies in {folder}, and there is no such folder; make it")
    return url


def _checked_postgres(url: URL) -> URL:
    if not url.database:
        raise ValueError(
            f"the database URL {url.render_as_string(hide_password=True)} names no database; "
            "add its name at the end: postgresql://user:password@host/minyi"
        )
    return url
