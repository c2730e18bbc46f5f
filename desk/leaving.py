"""What leaves the house is recorded before it does: by whom, what and as what; never what it says.

Whoever only reads may take a copy: the entry is the copy's, not a change of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC

from desk.audit import Act, Facts, record
from desk.store import DeskTransaction, Sought

NEWEST = 100  # entries looked through for one of today; beyond them it is recorded again


def audit_taken(tx: DeskTransaction, act: Act, sought: Sought, kind: str) -> None:
    """Entries of the audit. ``kind``: jsonl, csv, or api for a program that pages through them."""
    asked = {name: value for name, value in asdict(sought).items() if value}
    record(tx, act, "audit.exported", "audit:chain", None, {"format": kind, **asked})


def results_taken(
    tx: DeskTransaction, act: Act, tables: Sequence[str], periods: Sequence[str], kind: str
) -> None:
    """Tables of quarters. ``kind``: csv, xlsx, json or api."""
    what = periods[0] if len(periods) == 1 else "*"
    facts: Facts = {"tables": [*tables], "periods": [*periods], "format": kind}
    record(tx, act, "results.exported", f"results:{what}", None, facts)


def dry_run_taken(tx: DeskTransaction, act: Act, campaign: str, kind: str) -> None:
    """Whom the next wave of ``campaign`` would ask, by name. ``kind``: csv."""
    record(tx, act, "campaign.foreseen", f"campaign:{campaign}", None, {"format": kind})


def told_today(tx: DeskTransaction, act: Act, action: str, what: str) -> bool:
    """Whether the same was recorded this day (UTC) of whoever acts, from the same place."""
    day = act.at.astimezone(UTC).date().isoformat()
    found = tx.audit(Sought(act.who, action, what, since=day), limit=NEWEST)
    return any(entry.origin == act.origin for entry in found)
