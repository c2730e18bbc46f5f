"""Concerns and their entries: rows <-> objects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from concerns.store import Entry, StoredConcern
from storage.ledgers import concerns, entries
from storage.unit import Unit

_CONCERNS = select(
    concerns.c.id,
    concerns.c.receipt_hash,
    concerns.c.reader,
    concerns.c.kind,
    concerns.c.state,
    concerns.c.reply_to,
    concerns.c.opened_on,
)
_CONCERN = _CONCERNS.where(concerns.c.id == bindparam("concern"))
_BY_RECEIPT = _CONCERNS.where(concerns.c.receipt_hash == bindparam("receipt_hash"))
# two statements at once in one case must not both become number seven
_LOCKED = select(concerns.c.id).where(concerns.c.id == bindparam("concern")).with_for_update()
_LAST = select(func.coalesce(func.max(entries.c.seq), 0)).where(
    entries.c.concern == bindparam("concern")
)
_ENTRIES = (
    select(entries.c.concern, entries.c.seq, entries.c.author, entries.c.box)
    .where(entries.c.concern == bindparam("concern"))
    .order_by(entries.c.seq)
)


class ConcernRows(Unit):
    __slots__ = ()

    def put_concern(self, concern: StoredConcern) -> None:
        row = {
            "id": concern.id,
            "receipt_hash": concern.receipt_hash,
            "reader": concern.reader,
            "kind": concern.kind,
            "state": concern.state,
            "reply_to": concern.reply_to,
            "opened_on": concern.opened_on,
        }
        self._put(concerns, [row])

    def concern(self, concern: str) -> StoredConcern | None:
        row = self._one(_CONCERN, {"concern": concern})
        return None if row is None else StoredConcern(*row)

    def concern_by_receipt(self, receipt_hash: bytes) -> StoredConcern | None:
        row = self._one(_BY_RECEIPT, {"receipt_hash": receipt_hash})
        return None if row is None else StoredConcern(*row)

    def concerns(self) -> Sequence[StoredConcern]:
        """Every concern, by its day."""
        rows = self._all(_CONCERNS.order_by(concerns.c.opened_on, concerns.c.id))
        return [StoredConcern(*row) for row in rows]

    def add_entry(self, concern: str, author: str, box: bytes) -> Entry:
        """KeyError where there is no such concern."""
        if self._one(_LOCKED, {"concern": concern}) is None:
            raise KeyError(concern)
        last = self._one(_LAST, {"concern": concern})
        entry = Entry(concern, 1 + (int(last[0]) if last else 0), author, box)
        row = {"concern": concern, "seq": entry.seq, "author": author, "box": box}
        self._changed(entries.insert(), row)
        return entry

    def entries(self, concern: str) -> Sequence[Entry]:
        return [Entry(*row) for row in self._all(_ENTRIES, {"concern": concern})]
