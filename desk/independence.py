"""Who could be both people: whose account somebody had in hand is no second person to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from desk.audit import Entry
from desk.store import DeskTransaction, Sought

BEHOLDEN = timedelta(days=30)  # so lately
_IN_HAND = ("account.invited", "account.link_made", "account.roles_changed")
_PAGE = 100  # entries of the audit read at a time


def beholden(tx: DeskTransaction, asker: str, now: datetime) -> set[str]:
    """The accounts that ``asker`` had in hand in the last 30 days, by id.

    Invited, given a new link (with which a second factor is cleared) or given a role: who does
    that could be both people. Roles that were only taken do not count.
    """
    since = (now - BEHOLDEN).astimezone(UTC).date().isoformat()
    return {
        entry.what.removeprefix("account:")
        for action in _IN_HAND
        for entry in _all(tx, Sought(who=asker, action=action, since=since))
        if action != "account.roles_changed" or _gave(entry)
    }


def _all(tx: DeskTransaction, sought: Sought) -> Iterator[Entry]:
    """Every entry that fits: nobody hides one behind many others."""
    last = 0
    while batch := tx.audit(sought, last, _PAGE):
        yield from batch
        last = batch[-1].seq
        if len(batch) < _PAGE or last <= 1:
            return


def _gave(entry: Entry) -> bool:
    """Whether a change of roles gave one that was not held before."""
    before, after = (set(json.loads(side)["roles"]) for side in (entry.before, entry.after))
    return bool(after - before)
