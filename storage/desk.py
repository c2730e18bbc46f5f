"""The desk's part of a unit of work: all its rows, what goes stale among them, and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, not_, or_, select

from storage.accounts import AccountRows
from storage.approvals import ApprovalRows
from storage.audiences import LISTED
from storage.audit import AuditRows
from storage.columns import Moment
from storage.desk_tables import (
    attempts,
    notices,
    remembered,
    sessions,
    tickets,
    uploads,
    works,
)
from storage.hooks import HookRows
from storage.roster import RosterRows
from storage.tables import campaigns, forms, people, relations, subjects, visits
from storage.tickets import TicketRows
from storage.tokens import TokenRows
from storage.works import WorkRows

_NOW = bindparam("now", type_=Moment)
_OLD = bindparam("old", type_=Moment)
_LONG_AGO = bindparam("long_ago", type_=Moment)
_MONTH = timedelta(days=30)  # in which somebody looks why a webhook was not told
_STALE = (
    delete(tickets).where(tickets.c.expires_at <= _NOW),
    delete(sessions).where(sessions.c.made_at < _OLD),
    delete(attempts).where(
        attempts.c.last_at < _OLD, or_(attempts.c.until.is_(None), attempts.c.until <= _NOW)
    ),
    delete(uploads).where(uploads.c.made_at < _OLD),
    delete(works).where(works.c.seen_at < _OLD),
    delete(notices).where(notices.c.state != "due", notices.c.due_at < _LONG_AGO),
    delete(remembered).where(remembered.c.made_at < _OLD),
    # until then whoever opens one is told that it has expired
    delete(visits).where(visits.c.expires_at < _LONG_AGO),
)
_ROWS = select(
    *(
        select(func.count()).select_from(table).scalar_subquery().label(name)
        for name, table in (
            ("people", people),
            ("subjects", subjects),
            ("relations", relations),
            ("questionnaires", forms),
            ("campaigns", campaigns),
        )
    ),
    select(func.count())
    .select_from(people)
    .where(not_(LISTED))
    .scalar_subquery()
    .label("unlisted"),
    select(func.count())
    .select_from(relations)
    .where(relations.c.rater.in_(select(people.c.id).where(not_(LISTED))))
    .scalar_subquery()
    .label("unlisted_relations"),
)


class DeskRows(
    AccountRows,
    TicketRows,
    AuditRows,
    ApprovalRows,
    TokenRows,
    WorkRows,
    HookRows,
    RosterRows,
):
    __slots__ = ()

    def drop_stale(self, now: datetime, before: datetime) -> None:
        """Delete tickets expired at ``now``; sessions, attempts, uploads, answers to idempotency
        keys older than ``before``; long work silent since then; notices to webhooks that
        were sent or given up, and links of visits that expired, a month before. Attempts that
        still shut somebody out at ``now`` stay.
        """
        for statement in _STALE:
            self._changed(statement, {"now": now, "old": before, "long_ago": before - _MONTH})

    def count_rows(self) -> Mapping[str, int]:
        """``people`` (of whom ``unlisted``), ``relations`` (of which ``unlisted_relations`` are
        theirs), subjects, questionnaires and campaigns."""
        return {name: int(number) for name, number in self._one(_ROWS)._mapping.items()}
