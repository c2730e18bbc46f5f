"""What works once, and attempts that failed: rows <-> objects."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from desk.accounts import Attempts, Ticket
from storage import desk_tables
from storage.columns import Moment
from storage.desk_tables import attempts, tickets
from storage.unit import Unit

_TICKET_COLUMNS = (
    tickets.c.digest,
    tickets.c.kind,
    tickets.c.account,
    tickets.c.expires_at,
    tickets.c.data,
)
_STANDS = (
    tickets.c.digest == bindparam("which"),
    tickets.c.kind == bindparam("of_kind"),
    tickets.c.expires_at > bindparam("now", type_=Moment),
)
_TICKET = select(*_TICKET_COLUMNS).where(*_STANDS)
_SPEND = delete(tickets).where(*_STANDS).returning(*_TICKET_COLUMNS)
_DROP = delete(tickets).where(
    tickets.c.account == bindparam("whose"), tickets.c.kind == bindparam("of_kind")
)
_ATTEMPTS = select(
    attempts.c.key, attempts.c.count.label("number"), attempts.c.last_at, attempts.c.until
).where(attempts.c.key == bindparam("which"))
_FORGIVE = delete(attempts).where(attempts.c.key == bindparam("which"))


class TicketRows(Unit):
    __slots__ = ()

    def put_ticket(self, ticket: Ticket) -> None:
        row = {
            "digest": ticket.digest,
            "kind": ticket.kind,
            "account": ticket.account,
            "expires_at": ticket.expires_at,
            "data": dict(ticket.data),
        }
        self._put(tickets, [row])

    def ticket(self, digest: str, kind: str, now: datetime) -> Ticket | None:
        """The ticket, unless it has expired at ``now``."""
        row = self._one(_TICKET, {"which": digest, "of_kind": kind, "now": now})
        return None if row is None else Ticket(*row)

    def spend_ticket(self, digest: str, kind: str, now: datetime) -> Ticket | None:
        """Delete and return it; None where there is none, it expired, or someone was faster."""
        row = self._one(_SPEND, {"which": digest, "of_kind": kind, "now": now})
        return None if row is None else Ticket(*row)

    def drop_tickets(self, account: str, kind: str) -> None:
        self._changed(_DROP, {"whose": account, "of_kind": kind})

    def attempts(self, key: str) -> Attempts | None:
        row = self._one(_ATTEMPTS, {"which": key})
        return None if row is None else Attempts(*row)

    def put_attempts(self, attempts: Attempts) -> None:
        row = {
            "key": attempts.key,
            "count": attempts.count,
            "last_at": attempts.last_at,
            "until": attempts.until,
        }
        self._put(desk_tables.attempts, [row])

    def drop_attempts(self, key: str) -> None:
        self._changed(_FORGIVE, {"which": key})
