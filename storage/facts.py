"""Small facts that processes share: notes, leases and dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, update

from storage.columns import Moment, round_up
from storage.ledgers import dead_letters, leases, notes
from storage.unit import Unit, insert_new

_NOTE = select(notes.c.value).where(notes.c.name == bindparam("name"))
_HOLD = (
    update(leases)
    .where(
        leases.c.name == bindparam("which"),
        or_(
            leases.c.holder == bindparam("who"),
            leases.c.until <= bindparam("now", type_=Moment),
        ),
    )
    .values(holder=bindparam("who"), until=bindparam("term", type_=Moment))
)
_DROP = delete(leases).where(
    leases.c.name == bindparam("which"), leases.c.holder == bindparam("who")
)
_DEAD = select(dead_letters.c.update_id, dead_letters.c.reason, dead_letters.c.box).order_by(
    dead_letters.c.update_id
)


class FactRows(Unit):
    __slots__ = ()

    def note(self, name: str) -> str | None:
        row = self._one(_NOTE, {"name": name})
        return None if row is None else str(row.value)

    def put_note(self, name: str, value: str) -> None:
        self._put(notes, [{"name": name, "value": value}])

    def take_lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        term = round_up(until)
        if self._changed(_HOLD, {"which": name, "who": holder, "now": now, "term": term}):
            return True
        fresh = {"name": name, "holder": holder, "until": term}
        return self._changed(insert_new(self._dialect, leases), fresh) == 1

    def drop_lease(self, name: str, holder: str) -> None:
        self._changed(_DROP, {"which": name, "who": holder})

    def bury(self, update_id: int, reason: str, box: bytes) -> None:
        self._put(dead_letters, [{"update_id": update_id, "reason": reason, "box": box}])

    def dead_letters(self) -> Sequence[tuple[int, str, bytes]]:
        return [(row.update_id, row.reason, bytes(row.box)) for row in self._all(_DEAD)]
