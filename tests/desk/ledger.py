"""A unit of work in memory with just the rows that audit and approvals need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from desk.accounts import Account
from desk.audit import START, Entry
from desk.store import Approval, Decision, Hook, Sought


class Ledger:
    """Audit, approvals and accounts, as DeskTransaction promises them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.requests: dict[str, Approval] = {}
        self.people: dict[str, Account] = {}

    def audit_head(self) -> tuple[int, str]:
        return (self.entries[-1].seq, self.entries[-1].hash) if self.entries else (0, START)

    def put_audit(self, entry: Entry) -> None:
        assert entry.seq == len(self.entries) + 1
        self.entries.append(entry)

    def audit(self, sought: Sought, before: int = 0, limit: int = 100) -> Sequence[Entry]:
        assert sought == Sought(sought.who, sought.action, since=sought.since)
        fit = [
            each
            for each in reversed(self.entries)
            if (not before or each.seq < before)
            and sought.who in {"", each.who}
            and each.action.startswith(sought.action)
            and each.at >= sought.since
        ]
        return fit[:limit]

    def audit_chain(self, after: int = -(2**63)) -> Iterator[Entry]:
        return (each for each in self.entries if each.seq > after)

    def account(self, account: str) -> Account | None:
        return self.people.get(account)

    def accounts(self) -> Sequence[Account]:
        return sorted(self.people.values(), key=lambda each: each.login)

    def approval(self, approval: str) -> Approval | None:
        return self.requests.get(approval)

    def approvals(self, *, open_only: bool = False) -> Sequence[Approval]:
        found = sorted(self.requests.values(), key=lambda each: each.asked_at, reverse=True)
        return [each for each in found if not open_only or each.decision is Decision.OPEN]

    def put_approval(self, approval: Approval) -> None:
        self.requests[approval.id] = approval

    def decide_approval(self, approval: Approval) -> bool:
        if self.requests[approval.id].decision is not Decision.OPEN:
            return False
        self.requests[approval.id] = approval
        return True

    def hooks(self) -> Sequence[Hook]:
        return ()

    def saved(self) -> tuple[Any, ...]:
        """Everything, to go back to where a unit of work fails."""
        return list(self.entries), dict(self.requests), dict(self.people)

    def back(self, saved: tuple[Any, ...]) -> None:
        self.entries, self.requests, self.people = saved

    def disable(self, account: str, disabled: bool) -> None:
        self.people[account] = replace(self.people[account], disabled=disabled)
