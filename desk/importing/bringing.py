"""Importing tables: references checked against what is stored, then all of the file or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from desk.audit import Act, Value, record
from desk.importing.drafts import DRAFTS, Change, Draft
from desk.importing.records import MOST, Bad, Records
from desk.saying import Saying
from desk.store import DeskStore, DeskTransaction

BATCH = 2000  # rows handed to the store at a time, all inside one transaction


@dataclass(frozen=True, slots=True)
class Imported:
    """What the file brings; ``written`` is False for a dry run.

    ``news`` are the first rows that are new, ``changes`` the first that differ.
    """

    added: int
    changed: int
    unchanged: int
    written: bool
    warnings: tuple[Saying, ...] = ()
    news: tuple[Change, ...] = field(default=(), compare=False)
    changes: tuple[Change, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why nothing of the file was taken: the bad cells, in the order of the rows.

    ``more``: there were too many of them to note all.
    """

    bads: tuple[Bad, ...]
    more: bool = False


Progress = Callable[[int, int], None]
Noted = Callable[[DeskTransaction, Imported], None]


async def bring_in(
    store: DeskStore,
    records: Records,
    act: Act | None,
    *,
    progress: Progress | None = None,
    noted: Noted | None = None,
) -> Imported | Rejected:
    """Write all of ``records`` in one transaction, or, where anything is wrong, none of it.

    Without ``act`` this is a dry run. A column that the file does not have leaves stored values
    alone; a blank cell in a column that it has clears them. ``progress`` is told (rows written,
    rows to write). ``noted`` writes what else must stand or fall with the import.
    """
    if act is None or records.bads:
        return await store.read(lambda tx: foreseen(tx, records))
    by = act
    return await store.write(lambda tx: brought(tx, by, records, progress, noted))


def foreseen(tx: DeskTransaction, records: Records) -> Imported | Rejected:
    """What importing ``records`` now would do."""
    return _judged(DRAFTS[records.table.name](tx, records), records, written=False)


def brought(
    tx: DeskTransaction,
    act: Act,
    records: Records,
    progress: Progress | None = None,
    noted: Noted | None = None,
) -> Imported | Rejected:
    """Check ``records`` against what is stored, write them and say so in the audit."""
    draft = DRAFTS[records.table.name](tx, records)
    outcome = _judged(draft, records, written=True)
    if isinstance(outcome, Rejected):
        return outcome
    _write(tx, draft, progress)
    after: dict[str, Value] = {
        "file": records.file,
        "sheet": records.sheet,
        "sha256": records.sha256,
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
    }
    record(tx, act, "roster.imported", f"table:{records.table.name}", None, after)
    if noted is not None:
        noted(tx, outcome)
    return outcome


def _judged(draft: Draft[Any], records: Records, *, written: bool) -> Imported | Rejected:
    found = list(islice((*records.bads, *draft.bads), MOST + 1))
    if found:
        bads = sorted(found[:MOST], key=lambda bad: bad.row)
        return Rejected(tuple(bads), more=len(found) > MOST or len(records.bads) >= MOST)
    changed = len(draft.rows) - draft.added
    return Imported(draft.added, changed, draft.unchanged, written, records.warnings,
                    tuple(draft.news), tuple(draft.changes))  # fmt: skip


def _write(tx: DeskTransaction, draft: Draft[Any], progress: Progress | None) -> None:
    put: Callable[[Any], None] = getattr(tx, draft.put)
    for start in range(0, len(draft.rows), BATCH):
        put(draft.rows[start : start + BATCH])
        if progress is not None:
            progress(min(start + BATCH, len(draft.rows)), len(draft.rows))
    for chat in draft.chats:
        tx.put_chat(chat)
