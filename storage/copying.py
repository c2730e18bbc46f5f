"""Copies of a whole database as it stood at one moment, and what stands in them.

SQLite is copied by ``VACUUM INTO``: one read of one snapshot, beside the writer and without holding
it up; the copy has neither free pages nor the order in which pages were filled. (The backup API
begins anew whenever another process writes, so beside a busy server it might never end.)
PostgreSQL is copied by its own pg_dump, on a snapshot that our counts are taken from as well.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, inspect, make_url, text

from storage.engine import begin, open_engine
from storage.transaction import SqlTransaction

T = TypeVar("T")
_TALLIED = "tallied"


class CopyError(Exception):
    """A database cannot be copied or put back; the text says why."""


class NotEmptyError(CopyError):
    """A database that was to be filled holds something; nothing in it was touched."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in a database, or in a copy of one.

    ``counts`` are rows by table. ``waves`` are those not yet tallied: id -> (state, public tally
    key). ``attachments``: id -> whether somebody kept it. ``revision`` is '' where there are no
    tables of ours.
    """

    revision: str
    counts: Mapping[str, int]
    waves: Mapping[str, tuple[str, bytes]]
    attachments: Mapping[str, bool]


def contents(connection: Connection) -> Contents:
    """What stands in the database at the other end, whatever its revision."""
    tables = sorted(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        return Contents("", {name: _rows(connection, name) for name in tables}, {}, {})
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    waves = connection.execute(
        text("SELECT id, state, tally_key FROM waves WHERE state <> :tallied ORDER BY id"),
        {"tallied": _TALLIED},
    )
    files = connection.execute(text("SELECT id, kept FROM attachments ORDER BY id"))
    return Contents(
        str(revision or ""),
        {name: _rows(connection, name) for name in tables},
        {str(row.id): (str(row.state), bytes(row.tally_key)) for row in waves},
        {str(row.id): bool(row.kept) for row in files},
    )


def _rows(connection: Connection, table: str) -> int:
    name = connection.dialect.identifier_preparer.quote(table)
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())  # noqa: S608


# ---- SQLite


def copy_sqlite(file: Path, to: Path) -> None:
    """Copy ``file``, also while others write to it, to ``to``, which must not be there; 0600."""
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # no moment open to others
    try:
        with closing(_reading(file)) as connection:
            connection.execute("VACUUM INTO ?", (str(to),))
        with to.open("rb") as copy:
            os.fsync(copy.fileno())
    except sqlite3.Error as error:
        to.unlink(missing_ok=True)
        raise CopyError(f"{file} cannot be copied: {error}") from None


def sqlite_contents(file: Path) -> Contents:
    """What stands in the file. CopyError where it is no database that can be read."""
    engine = create_engine("sqlite://", creator=lambda: _reading(file))
    try:
        with engine.connect() as connection:
            return contents(connection)
    except Exception as error:
        raise CopyError(f"{file.name} cannot be read: {_said(error)}") from None
    finally:
        engine.dispose()


def sqlite_flaws(file: Path) -> Iterator[str]:
    """What SQLite itself finds wrong with the file: its pages, indexes and foreign keys."""
    try:
        with closing(_reading(file)) as connection:
            for (found,) in connection.execute("PRAGMA integrity_check"):
                if found != "ok":
                    yield f"{file.name}: {found}"
            for table, *_ in connection.execute("PRAGMA foreign_key_check"):
                yield f"{file.name}: a row of {table} names another that is not there"
    except sqlite3.Error as error:
        yield f"{file.name}: {error}"


def _reading(file: Path) -> sqlite3.Connection:
    address = f"{file.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=10, check_same_thread=False)


# ---- PostgreSQL


def has_program(name: str) -> bool:
    """Whether ``pg_dump`` or ``pg_restore`` can be run here."""
    return shutil.which(name) is not None


def dump_postgres(url: str, to: Path) -> Contents:
    """Write the database at ``url`` to ``to`` in pg_dump's custom format; what stood in it."""
    engine = open_engine(url, reading=True)
    try:
        with engine.connect() as connection:
            # pg_dump reads the very snapshot that we count in
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            options = ["--format=custom", "--no-owner", "--no-privileges"]
            _program("pg_dump", url, *options, f"--snapshot={snapshot}", f"--file={to}")
            return contents(connection)
    finally:
        engine.dispose()


def load_postgres(dump: Path, url: str) -> Contents:
    """Put a dump into the empty database at ``url``, whole or not at all; what stands there."""
    if not is_empty(url):
        raise NotEmptyError("the database holds tables already; give an empty one")
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _program("pg_restore", url, *options, str(dump))
    return database_contents(url)


def listed_tables(dump: Path) -> frozenset[str]:
    """The tables whose rows a dump holds, by its own table of contents."""
    lines = _run(["pg_restore", "--list", str(dump)], {}).splitlines()
    found = (line.split() for line in lines if " TABLE DATA " in line)
    return frozenset(words[words.index("DATA") + 2] for words in found)


def is_empty(url: str) -> bool:
    """Whether the database at ``url`` has no table at all."""
    return not database_contents(url).counts


def database_contents(url: str) -> Contents:
    """What stands in the database at ``url``."""
    engine = open_engine(url, reading=True)
    try:
        with engine.connect() as connection:
            return contents(connection)
    except Exception as error:
        raise CopyError(f"the database cannot be reached: {_said(error)}") from None
    finally:
        engine.dispose()


def empty_postgres(url: str) -> None:
    """Take all tables of ours out of a scratch database again."""
    from storage.schema import migrate

    migrate(url, "base")
    with changing(url) as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


@contextmanager
def filling(url: str) -> Iterator[None]:
    """Where something fails, leave the database at ``url`` as empty as it was found; '': none."""
    try:
        yield
    except NotEmptyError:  # somebody else was faster: what is in it is theirs
        raise
    except BaseException:
        if url:
            empty_postgres(url)
        raise


def _program(name: str, url: str, *options: str) -> None:
    """Run one of PostgreSQL's programs on ``url``; its password stands in no list of processes."""
    with tempfile.TemporaryDirectory(prefix="minyi-pg-") as folder:
        service = Path(folder) / "service"
        service.touch(0o600)
        service.write_text(_service(url), "utf-8")
        command = [name, "--dbname=service=minyi", "--no-password", *options]
        _run(command, {"PGSERVICEFILE": str(service)})


def _service(url: str) -> str:
    """``url`` as an entry of libpq's service file."""
    parsed = make_url(url)
    words: dict[str, Any] = {
        "host": parsed.host,
        "port": parsed.port,
        "user": parsed.username,
        "password": parsed.password,
        "dbname": parsed.database,
        **parsed.query,
    }
    lines = [f"{name}={value}" for name, value in words.items() if value not in {None, ""}]
    return "\n".join(["[minyi]", *lines, ""])


def _run(command: Sequence[str], environ: Mapping[str, str]) -> str:
    try:
        ran = subprocess.run(  # noqa: S603 - a list, no shell
            command, env={**os.environ, **environ}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise CopyError(f"{command[0]} is not installed here") from None
    if ran.returncode:
        said = [line for line in ran.stderr.strip().splitlines() if line]
        raise CopyError(said[0] if said else f"{command[0]} ended with status {ran.returncode}")
    return ran.stdout


# ---- either


def looked_up(url: str, work: Callable[[SqlTransaction], T]) -> T:
    """``work`` on one snapshot of the database at ``url``, which must be up to date."""
    engine = open_engine(url, reading=True)
    try:
        with engine.connect() as connection:
            begin(connection, reading=True)
            return work(SqlTransaction(connection))
    finally:
        engine.dispose()


def worked(url: str, work: Callable[[SqlTransaction], T]) -> T:
    """``work`` in one transaction on the database at ``url``, which must be up to date."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection, begin(connection):
            return work(SqlTransaction(connection))
    finally:
        engine.dispose()


@contextmanager
def changing(url: str) -> Iterator[Connection]:
    """One transaction on the database at ``url``."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection, begin(connection):
            yield connection
    finally:
        engine.dispose()


def give_tally_key(connection: Connection, wave: str, public: bytes) -> None:
    """Another tally key for a wave that nobody has answered yet."""
    connection.execute(
        text("UPDATE waves SET tally_key = :public WHERE id = :wave"),
        {"public": public, "wave": wave},
    )


def _said(error: Exception) -> str:
    """The first line of what a driver says."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(cause).__name__
