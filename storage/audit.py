"""The audit: rows <-> entries. The tables refuse whatever is not an appending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, or_, select, update

from desk.audit import START, Entry
from desk.store import Sought
from storage import desk_tables
from storage.desk_tables import audit, audit_head
from storage.unit import Unit, insert_new

_ENTRIES = select(
    audit.c.seq,
    audit.c.at,
    audit.c.who,
    audit.c.name,
    audit.c.origin,
    audit.c.action,
    audit.c.what,
    audit.c.before,
    audit.c.after,
    audit.c.prev,
    audit.c.hash,
    audit.c.seal,
)
_CHAIN = (
    _ENTRIES.where(audit.c.seq > bindparam("last", type_=BigInteger))
    .order_by(audit.c.seq)
    .execution_options(yield_per=500)
)
_NEWEST = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_HEAD = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1)
_HELD = _HEAD.with_for_update()
_MOVE = (
    update(audit_head)
    .where(
        audit_head.c.id == 1,
        audit_head.c.seq == bindparam("last"),
        audit_head.c.hash == bindparam("prev"),
    )
    .values(seq=bindparam("next"), hash=bindparam("newest"))
)


class AuditRows(Unit):
    __slots__ = ()

    def audit_head(self) -> tuple[int, str]:
        """(seq, hash) of the newest entry, (0, START) for none.

        In a unit of work that writes, nobody else can append until it ends.
        """
        options = self._connection.get_execution_options()
        if self._dialect == "sqlite" or options.get("postgresql_readonly"):
            # SQLite's writer is alone from its first moment; a reader holds nobody up
            return self._head(_HEAD) or self._newest()
        return self._head(_HELD) or self._make_head()

    def put_audit(self, entry: Entry) -> None:
        """Append, and move the head. ValueError where ``entry`` does not follow from the head."""
        moved = {
            "last": entry.seq - 1,
            "prev": entry.prev,
            "next": entry.seq,
            "newest": entry.hash,
        }
        if not self._changed(_MOVE, moved):
            self._make_head()
            if not self._changed(_MOVE, moved):
                raise ValueError(
                    f"audit entry {entry.seq} does not follow from the newest one; "
                    "ask for audit_head() in the same unit of work"
                )
        self._changed(audit.insert(), asdict(entry))

    def audit(self, sought: Sought, before: int = 0, limit: int = 100) -> Sequence[Entry]:
        """The newest ``limit`` entries that fit, newest first; ``before`` > 0: of a lower seq."""
        query = _sought(sought)
        if before > 0:
            query = query.where(audit.c.seq < before)
        rows = self._all(query.order_by(audit.c.seq.desc()).limit(limit))
        return [Entry(*row) for row in rows]

    def audit_chain(self, after: int = -(2**63)) -> Iterator[Entry]:
        """Those of a higher seq than ``after``, read as they are asked for: in this work only."""
        for row in self._connection.execute(_CHAIN, {"last": after}):
            yield Entry(*row)

    def _head(self, query: Select[Any]) -> tuple[int, str] | None:
        row = self._one(query)
        return None if row is None else (int(row.seq), str(row.hash))

    def _newest(self) -> tuple[int, str]:
        return self._head(_NEWEST) or (0, START)

    def _make_head(self) -> tuple[int, str]:
        """Make it where there is none; two who do so at once get one."""
        seq, newest = self._newest()
        row = {"id": 1, "seq": seq, "hash": newest}
        self._changed(insert_new(self._dialect, desk_tables.audit_head), row)
        return self._head(_HELD) or (seq, newest)


def _sought(sought: Sought) -> Select[Any]:
    """``who`` and ``what`` are whole, ``action`` a beginning, ``text`` any part, in any case."""
    query = _ENTRIES
    if sought.who:
        query = query.where(audit.c.who == sought.who)
    if sought.action:
        query = query.where(audit.c.action.startswith(sought.action, autoescape=True))
    if sought.what:
        query = query.where(audit.c.what == sought.what)
    if sought.since:
        query = query.where(audit.c.at >= sought.since)
    if sought.before:
        query = query.where(audit.c.at < sought.before)
    if sought.text:
        places = (audit.c.what, audit.c.name, audit.c.before, audit.c.after)
        query = query.where(or_(*(at.icontains(sought.text, autoescape=True) for at in places)))
    return query
