"""Copies of a whole database as it stood at one moment, and what stands in them.

SQLite is copied by ``VACUUM INTO``: one read of one snapshot, beside the writer and without holding
it up; the copy has neither free pages nor the order in which pages were filled. (The backup API
begins anew whenever another process writes, so beside a busy server it might never end.)
PostgreSQL is copied by its own pg_dump, on a snapshot that our counts are taken from as well.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine, inspect, text

from storage.engine import begin, open_engine
from storage.programs import CopyError, program, run
from storage.transaction import SqlTransaction

T = TypeVar("T")
_KINDS = frozenset((
    "TABLE", "TABLE DATA", "SEQUENCE", "SEQUENCE OWNED BY", "SEQUENCE SET", "DEFAULT", "CONSTRAINT",
    "FK CONSTRAINT", "INDEX", "TRIGGER", "EXTENSION", "COMMENT",  # the last two of its server
))  # fmt: skip
_FUNCTIONS = frozenset([("FUNCTION", "audit_refuse()")])
# 215; 1259 16386 TABLE DATA public audit minyi
_ENTRY = re.compile(r"\d+; \d+ \d+ ([A-Z][A-Z ]*[A-Z]) \S+ (.+) \S+")
_TALLIED = "tallied"


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
        {str(row.id): (str(row.state), bytes(memoryview(row.tally_key))) for row in waves},
        {str(row.id): bool(row.kept) for row in files},
    )


def _rows(connection: Connection, table: str) -> int:
    name = connection.dialect.identifier_preparer.quote(table)
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())  # noqa: S608


# ---- SQLite


def copy_sqlite(file: Path, to: Path) -> None:
    """Copy ``file``, also while others write to it, to ``to``, which must not be there; 0600."""
    try:
        with _whole(to) as draft, closing(_reading(file)) as connection:
            connection.execute("VACUUM INTO ?", (str(draft),))
    except sqlite3.Error as error:
        raise CopyError(f"{file} cannot be copied: {error}") from None


@contextmanager
def _whole(to: Path) -> Iterator[Path]:
    """An empty file (0600) that becomes ``to`` in the end; killed, it never does.

    What a killed process left is written anew. CopyError where another is still at it.
    """
    if to.exists():
        raise CopyError(f"{to} is there already")
    draft = to.with_name(f".{to.name}.part")
    handle = os.open(draft, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CopyError(f"{to} is being made by another process") from None
        try:
            os.ftruncate(handle, 0)
            yield draft
            os.fsync(handle)
            draft.rename(to)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    finally:
        os.close(handle)


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


def dump_postgres(url: str, to: Path, without: Collection[str] = ()) -> Contents:
    """Write the database at ``url`` to ``to`` in pg_dump's custom format; what stands in it.

    The rows of the tables ``without`` stay out where a wave is not tallied yet.
    """
    engine = open_engine(url, reading=True)
    try:
        with engine.connect() as connection, _whole(to) as draft:
            # pg_dump reads the very snapshot that we count in
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            inside = contents(connection)
            out = sorted(without) if inside.waves else []
            options = ["--format=custom", "--no-owner", "--no-privileges"]
            options += [f"--exclude-table-data={table}" for table in out]
            program("pg_dump", url, *options, f"--snapshot={snapshot}", f"--file={draft}")
            return replace(inside, counts={**inside.counts, **dict.fromkeys(out, 0)})
    finally:
        engine.dispose()


def load_postgres(dump: Path, url: str) -> Contents:
    """Put a dump into the empty database at ``url``, whole or not at all; what stands there.

    CopyError, before anything of it is done, where the dump lists what no dump of ours has. Its
    SQL is then run as the user of ``url``: whoever forges it may do what that user may.
    """
    if not is_empty(url):
        raise NotEmptyError("the database holds tables already; give an empty one")
    _ours(dump)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    program("pg_restore", url, *options, str(dump))
    return database_contents(url)


def _ours(dump: Path) -> None:
    for kind, name in listed(dump):
        if kind not in _KINDS and (kind, name) not in _FUNCTIONS:
            raise CopyError(
                f"the dump in it holds a {kind} ({name}), which is not Minyi's. If you know who "
                "put it there, restore it by hand: see the operations manual"
            )


def listed_tables(dump: Path) -> frozenset[str]:
    """The tables whose rows a dump holds, by its own table of contents."""
    return frozenset(name for kind, name in listed(dump) if kind == "TABLE DATA")


def listed(dump: Path) -> Iterator[tuple[str, str]]:
    """(kind, name) of each thing in a dump, by its own table of contents."""
    for line in run(["pg_restore", "--list", str(dump)], {}).splitlines():
        if line and not line.startswith(";"):
            found = _ENTRY.fullmatch(line)
            yield (found[1], found[2]) if found else ("thing of no known kind", ascii(line))


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
