"""Importing tables: references checked against what is stored, then all of the file or nothing.

Comparing a large file with what is stored takes long, so it is done in a reading unit of work,
beside which others write. The writing one takes only the difference, and only where all that it
was made from still stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from desk.audit import Act, Value, record
from desk.importing.drafts import DRAFTS, Change, Draft
from desk.importing.records import MOST, Bad, Records
from desk.importing.whole import leave_out
from desk.saying import Saying, SpokenError
from desk.store import DeskStore, DeskTransaction

BATCH = 2000  # rows handed to the store at a time, all inside one transaction
TRIES = 3  # comparisons, each made anew because the roster had changed after the last one
T = TypeVar("T")


class MovedError(SpokenError):
    """What is stored changed between comparing and writing; nothing was written."""

    def __init__(self) -> None:
        super().__init__(Saying("import.moved"))


@dataclass(frozen=True, slots=True)
class Imported:
    """What the file brings; ``written`` is False for a dry run.

    ``news`` are the first rows that are new, ``changes`` the first that differ. ``digest`` stands
    for all of them. ``left``: how many are on the whole roster no more; ``leavers`` the first.
    """

    added: int
    changed: int
    unchanged: int
    written: bool
    warnings: tuple[Saying, ...] = ()
    news: tuple[Change, ...] = field(default=(), compare=False)
    changes: tuple[Change, ...] = field(default=(), compare=False)
    digest: str = field(default="", compare=False)
    left: int = 0
    leavers: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why nothing of the file was taken: the bad cells, in the order of the rows.

    ``more``: there were too many of them to note all.
    """

    bads: tuple[Bad, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What importing ``records`` would do, as things stood when it was compared."""

    records: Records
    draft: Draft[Any]
    outcome: Imported | Rejected


Progress = Callable[[int, int], None]
Noted = Callable[[DeskTransaction, Imported], None]


async def bring_in(
    store: DeskStore,
    records: Records,
    act: Act | None,
    *,
    progress: Progress | None = None,
    noted: Noted | None = None,
    agreed: str = "",
) -> Imported | Rejected:
    """Write all of ``records`` in one transaction, or, where anything is wrong, none of it.

    Without ``act`` this is a dry run. A column that the file does not have leaves stored values
    alone; a blank cell in a column that it has clears them. ``progress`` is told (rows written,
    rows to write). ``noted`` writes what else must stand or fall with the import. ``agreed`` is
    the digest of the changes that somebody agreed to; where it would be others, nothing is written
    and the outcome is that of a dry run. MovedError where the roster would not hold still.
    """

    async def write(plan: Plan) -> Imported | Rejected:
        if act is None or isinstance(plan.outcome, Rejected):
            return plan.outcome
        if agreed and plan.outcome.digest != agreed:
            return plan.outcome
        by = act
        return await store.write(lambda tx: carried_out(tx, by, plan, progress, noted))

    return await compared(store.read, records, write)


async def compared(
    read: Callable[[Callable[[DeskTransaction], Plan]], Awaitable[Plan]],
    records: Records,
    write: Callable[[Plan], Awaitable[T]],
) -> T:
    """What ``write`` makes of the comparison; made anew where it raises MovedError, TRIES times."""
    for _ in range(TRIES - 1):
        try:
            return await write(await read(lambda tx: planned(tx, records)))
        except MovedError:
            continue
    return await write(await read(lambda tx: planned(tx, records)))


def planned(tx: DeskTransaction, records: Records) -> Plan:
    """What importing ``records`` now would do."""
    draft = DRAFTS[records.table.name](tx, records)
    if records.whole:
        leave_out(tx, records, draft)
    return Plan(records, draft, _judged(draft, records))


def carried_out(
    tx: DeskTransaction,
    act: Act,
    plan: Plan,
    progress: Progress | None = None,
    noted: Noted | None = None,
) -> Imported | Rejected:
    """Write what ``plan`` says and say so in the audit; MovedError where it no longer holds."""
    records, outcome = plan.records, plan.outcome
    if isinstance(outcome, Rejected):
        return outcome
    _write(tx, plan.draft, progress)
    after: dict[str, Value] = {
        "file": records.file,
        "sheet": records.sheet,
        "sha256": records.sha256,
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        **({"left": outcome.left} if records.whole else {}),
    }
    record(tx, act, "roster.imported", f"table:{records.table.name}", None, after)
    done = replace(outcome, written=True)
    if noted is not None:
        noted(tx, done)
    return done


def _judged(draft: Draft[Any], records: Records) -> Imported | Rejected:
    found = list(islice((*records.bads, *draft.bads), MOST + 1))
    if found:
        bads = sorted(found[:MOST], key=lambda bad: bad.row)
        return Rejected(tuple(bads), more=len(found) > MOST or len(records.bads) >= MOST)
    changed = len(draft.rows) - draft.added - draft.left
    return Imported(draft.added, changed, draft.unchanged, False, records.warnings,
                    tuple(draft.news), tuple(draft.changes), draft.digest,
                    draft.left, tuple(draft.leavers))  # fmt: skip


def _write(tx: DeskTransaction, draft: Draft[Any], progress: Progress | None) -> None:
    if not draft.holds(tx):
        raise MovedError
    change: Callable[[Any], int] = getattr(tx, draft.change)
    for start in range(0, len(draft.rows), BATCH):
        batch = draft.rows[start : start + BATCH]
        if change(batch) != len(batch):
            raise MovedError
        if progress is not None:
            progress(min(start + BATCH, len(draft.rows)), len(draft.rows))
    if tx.add_chats(draft.chats) != len(draft.chats):
        raise MovedError
