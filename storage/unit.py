"""What every part of a transaction stands on: one connection and four ways to use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Executable,
    Insert,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    insert,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

BATCH = 1000
"""Rows handed to the driver at once, so that an import of any length runs in constant memory."""

Values = Mapping[str, Any]
E = TypeVar("E")
Write = Insert | Update | Delete
COUNTED = {"preserve_rowcount": True}  # an INSERT..SELECT tells how many rows it made


class Unit:
    """One unit of work on an open connection; whoever opened it commits or rolls back."""

    __slots__ = ("_connection", "_dialect", "_seen")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._seen: dict[Any, tuple[object, Any]] = {}  # by table, see storage/foresight.py

    def _one(self, statement: Executable, values: Values | None = None) -> Any:
        """The first row, typed by its columns alone; None where there is none."""
        return self._connection.execute(statement, values).first()

    def _all(self, statement: Executable, values: Values | None = None) -> Sequence[Any]:
        return self._connection.execute(statement, values).all()

    def _changed(self, statement: Write, values: Values | Sequence[Values] | None = None) -> int:
        """Execute and tell how many rows it changed."""
        self._forget(statement)
        return self._connection.execute(statement, values, execution_options=COUNTED).rowcount

    def _fill(
        self,
        table: Table,
        columns: Sequence[str],
        found: Select[Any],
        key: Sequence[ColumnElement[Any]],
    ) -> int:
        """INSERT..SELECT of what is not there yet, by ``key`` of ``found``; how many rows.

        PostgreSQL takes nearly twice as long with a guard against what is there, and half as long
        again where rows come in another order than their index's (benchmarks/planning.md).
        """
        if self._dialect == "postgresql":
            in_order = found.order_by(*key)
            try:
                with self._connection.begin_nested():
                    return self._changed(insert(table).from_select(columns, in_order))
            except IntegrityError:
                pass  # the rare case: some of it is there already
        return self._changed(insert_new(self._dialect, table).from_select(columns, found))

    def _put(self, table: Table, rows: Iterable[Values]) -> None:
        """Insert or replace by primary key, in batches; ``rows`` may be a generator."""
        self._many(upsert(self._dialect, table), rows)

    def _swap(
        self, table: Table, row: Callable[[E], Values], pairs: Iterable[tuple[E | None, E]]
    ) -> int:
        """Write each new row where the old one (None: no row) still stands; how many were."""
        swapped, remaining = 0, iter(pairs)
        while batch := list(islice(remaining, BATCH)):
            added = [row(new) for old, new in batch if old is None]
            changed = [
                {**row(new), **{f"old_{name}": value for name, value in row(old).items()}}
                for old, new in batch
                if old is not None
            ]
            swapped += self._changed(insert_new(self._dialect, table), added) if added else 0
            swapped += self._changed(replacing(table), changed) if changed else 0
        return swapped

    def _many(self, statement: Write, rows: Iterable[Values]) -> None:
        self._forget(statement)
        remaining = iter(rows)
        while batch := list(islice(remaining, BATCH)):
            self._connection.execute(statement, batch)

    def _forget(self, statement: Write) -> None:
        """No key of ours cascades and triggers only refuse: other tables are as they were."""
        self._seen.pop(statement.table, None)


@cache
def upsert(dialect: str, table: Table, kept: tuple[str, ...] = ()) -> Insert:
    """INSERT that replaces the row with the same primary key, but for its columns ``kept``."""
    insert = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    rest = {
        column.name: insert.excluded[column.name]
        for column in table.columns
        if not column.primary_key and column.name not in kept
    }
    return insert.on_conflict_do_update(index_elements=keys, set_=rest)


@cache
def insert_new(dialect: str, table: Table) -> Insert:
    """INSERT that leaves alone what is already there, by whichever unique key."""
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def replacing(table: Table) -> Update:
    """UPDATE of a row that is still as its ``old_`` values say."""
    same = [
        column.is_not_distinct_from(bindparam(f"old_{column.name}", type_=column.type))
        for column in table.columns
    ]
    rest = [column for column in table.columns if not column.primary_key]
    new = {column.name: bindparam(column.name, type_=column.type) for column in rest}
    return update(table).where(and_(*same)).values(new)


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    # the two constructs are twins of one interface, but share no type
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
