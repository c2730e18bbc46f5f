"""Outgoing webhooks and what is owed to them: claimed by one statement, as deliveries are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, null, or_, select, update

from desk.store import Hook, Notice
from storage import desk_tables
from storage.columns import Moment, round_up
from storage.desk_tables import DUE_NOTICE, hooks, notices
from storage.unit import Unit

_HOOKS = select(
    hooks.c.id, hooks.c.url, hooks.c.events, hooks.c.secret, hooks.c.made_by, hooks.c.disabled
)
_HOOK = _HOOKS.where(hooks.c.id == bindparam("which"))
_DROP = delete(hooks).where(hooks.c.id == bindparam("which"))
_DROP_NOTICES = delete(notices).where(notices.c.hook == bindparam("of_hook"))
_NOW = bindparam("now", type_=Moment)
_NOTICE_COLUMNS = (
    notices.c.id,
    notices.c.hook,
    notices.c.event,
    notices.c.body,
    notices.c.due_at,
    notices.c.attempts,
    notices.c.state,
    notices.c.detail,
)
_OF_HOOK = (
    select(*_NOTICE_COLUMNS)
    .where(notices.c.hook == bindparam("of_hook"))
    .order_by(notices.c.id.desc())
    .limit(bindparam("wanted"))
)
_PICKED = (
    select(notices.c.id)
    .where(
        DUE_NOTICE,
        notices.c.due_at <= _NOW,
        or_(notices.c.claimed_until.is_(None), notices.c.claimed_until <= _NOW),
    )
    .order_by(notices.c.due_at, notices.c.id)
    .limit(bindparam("wanted"))
    .with_for_update(skip_locked=True)
    .cte("picked")
)
_CLAIM = (
    update(notices)
    .where(notices.c.id.in_(select(_PICKED.c.id)))
    .values(claimed_until=bindparam("until", type_=Moment))
    .returning(*_NOTICE_COLUMNS)
)
_NOTE = (
    update(notices)
    .where(notices.c.id == bindparam("which"))
    .values(
        state=bindparam("outcome"),
        detail=bindparam("what"),
        attempts=notices.c.attempts + 1,
        due_at=func.coalesce(bindparam("later", type_=Moment), notices.c.due_at),
        claimed_until=null(),
    )
)


class HookRows(Unit):
    __slots__ = ()

    def hook(self, hook: str) -> Hook | None:
        row = self._one(_HOOK, {"which": hook})
        return None if row is None else _hook(row)

    def hooks(self) -> Sequence[Hook]:
        return [_hook(row) for row in self._all(_HOOKS.order_by(hooks.c.id))]

    def put_hook(self, hook: Hook) -> None:
        row = {
            "id": hook.id,
            "url": hook.url,
            "events": list(hook.events),
            "secret": hook.secret,
            "made_by": hook.made_by,
            "disabled": hook.disabled,
        }
        self._put(hooks, [row])

    def drop_hook(self, hook: str) -> bool:
        """Also drops what is owed to it; False where there is none."""
        self._changed(_DROP_NOTICES, {"of_hook": hook})
        return self._changed(_DROP, {"which": hook}) == 1

    def put_notices(self, notices: Iterable[Notice]) -> None:
        """Owe them; ``id`` is given by the database and ignored here."""
        self._many(
            desk_tables.notices.insert(),
            (
                {
                    "hook": notice.hook,
                    "event": notice.event,
                    "body": notice.body,
                    "due_at": notice.due_at,
                    "attempts": notice.attempts,
                    "state": notice.state,
                    "detail": notice.detail,
                }
                for notice in notices
            ),
        )

    def claim_notices(self, now: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        """Take up to ``limit`` due ones until ``until``; a claim that ran out is offered again."""
        values = {"now": now, "until": round_up(until), "wanted": limit}
        taken = [Notice(*row) for row in self._all(_CLAIM, values)]
        return sorted(taken, key=lambda notice: (notice.due_at, notice.id))

    def note_notice(self, notice: int, state: str, detail: str, due_at: datetime | None) -> None:
        """Write what came of an attempt and count it; ``due`` with ``due_at`` tries again then."""
        values = {"which": notice, "outcome": state, "what": detail, "later": due_at}
        self._changed(_NOTE, values)

    def notices(self, hook: str, limit: int = 50) -> Sequence[Notice]:
        """The newest ones of a hook."""
        rows = self._all(_OF_HOOK, {"of_hook": hook, "wanted": limit})
        return [Notice(*row) for row in rows]


def _hook(row: Any) -> Hook:
    return Hook(
        id=row.id,
        url=row.url,
        events=tuple(row.events),
        secret=bytes(row.secret),
        made_by=row.made_by,
        disabled=row.disabled,
    )
