"""Requests that wait for a second person: rows <-> objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from desk.store import Approval, Decision
from storage.desk_tables import approvals
from storage.unit import Unit

_APPROVALS = select(
    approvals.c.id,
    approvals.c.action,
    approvals.c.what,
    approvals.c.arguments,
    approvals.c.asked_by,
    approvals.c.asked_at,
    approvals.c.expires_at,
    approvals.c.decision,
    approvals.c.decided_by,
    approvals.c.decided_at,
    approvals.c.note,
)
_APPROVAL = _APPROVALS.where(approvals.c.id == bindparam("which"))
_NEWEST = _APPROVALS.order_by(approvals.c.asked_at.desc(), approvals.c.id)
_IS_OPEN = approvals.c.decision == Decision.OPEN
_DECIDE = (
    update(approvals)
    .where(approvals.c.id == bindparam("which"), _IS_OPEN)
    .values(
        decision=bindparam("decided"),
        decided_by=bindparam("by"),
        decided_at=bindparam("then"),
        note=bindparam("said"),
    )
)


class ApprovalRows(Unit):
    __slots__ = ()

    def approval(self, approval: str) -> Approval | None:
        row = self._one(_APPROVAL, {"which": approval})
        return None if row is None else Approval(*row)

    def approvals(self, *, open_only: bool = False) -> Sequence[Approval]:
        """Newest first."""
        query = _NEWEST.where(_IS_OPEN) if open_only else _NEWEST
        return [Approval(*row) for row in self._all(query)]

    def put_approval(self, approval: Approval) -> None:
        self._put(approvals, [_row(approval)])

    def decide_approval(self, approval: Approval) -> bool:
        """Write the decision over an open request; False where it is no longer open."""
        values = {
            "which": approval.id,
            "decided": approval.decision,
            "by": approval.decided_by,
            "then": approval.decided_at,
            "said": approval.note,
        }
        return self._changed(_DECIDE, values) == 1


def _row(approval: Approval) -> dict[str, Any]:
    return {
        "id": approval.id,
        "action": approval.action,
        "what": approval.what,
        "arguments": dict(approval.arguments),
        "asked_by": approval.asked_by,
        "asked_at": approval.asked_at,
        "expires_at": approval.expires_at,
        "decision": approval.decision,
        "decided_by": approval.decided_by,
        "decided_at": approval.decided_at,
        "note": approval.note,
    }
