"""Importing tables: references checked against what is stored, then all of the file or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from desk.importing.drafts import DRAFTS, Draft, Ledger
from desk.importing.records import Bad, Records

T = TypeVar("T")
BATCH = 2000  # rows handed to the store at a time, all inside one transaction


class LedgerStore(Protocol):
    """A store whose units of work are ledgers."""

    async def write(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work`` in one transaction."""
        ...

    async def read(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work`` where it can change nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Imported:
    """What the file brings; ``written`` is False for a dry run."""

    added: int
    changed: int
    unchanged: int
    written: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why nothing of the file was taken: every bad cell, in the order of the rows."""

    bads: tuple[Bad, ...]


Progress = Callable[[int, int], None]


async def bring_in(
    store: LedgerStore, records: Records, *, dry_run: bool, progress: Progress | None = None
) -> Imported | Rejected:
    """Write all of ``records`` in one transaction, or, where anything is wrong, none of it.

    A column that the file does not have leaves stored values alone; a blank cell in a column that
    it has clears them. ``progress`` is told (rows written, rows to write).
    """

    def work(tx: Ledger) -> Imported | Rejected:
        draft = DRAFTS[records.table.name](tx, records)
        bads = sorted((*records.bads, *draft.bads), key=lambda bad: bad.row)
        if bads:
            return Rejected(tuple(bads))
        if not dry_run:
            _write(tx, draft, progress)
        changed = len(draft.rows) - draft.added
        return Imported(draft.added, changed, draft.unchanged, not dry_run, records.warnings)

    if dry_run or records.bads:
        return await store.read(work)
    return await store.write(work)


def _write(tx: Ledger, draft: Draft[Any], progress: Progress | None) -> None:
    put: Callable[[Any], None] = getattr(tx, draft.put)
    for start in range(0, len(draft.rows), BATCH):
        put(draft.rows[start : start + BATCH])
        if progress is not None:
            progress(min(start + BATCH, len(draft.rows)), len(draft.rows))
    for chat in draft.chats:
        tx.put_chat(chat)
