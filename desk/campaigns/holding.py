"""A wave that is due and may not open yet: why, and how many people it would ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from surveys.store import Transaction


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a wave waits. ``why``: cap (more people than its campaign's cap), second (a second
    person must agree, upon ``request``). ``people`` as counted at ``seen_at``.
    """

    why: str
    people: int
    seen_at: datetime
    request: str = ""


def held(tx: Transaction, wave: str) -> Hold | None:
    """Why ``wave`` waits; None where it does not."""
    kept = tx.note(_name(wave))
    if not kept:
        return None
    why, people, seen_at, request = json.loads(kept)
    return Hold(why, people, datetime.fromisoformat(seen_at), request)


def put_hold(tx: Transaction, wave: str, hold: Hold) -> None:
    """Note why ``wave`` waits."""
    told = (hold.why, hold.people, hold.seen_at.isoformat(), hold.request)
    tx.put_note(_name(wave), json.dumps(told))


def let_go(tx: Transaction, wave: str) -> None:
    """``wave`` waits no longer."""
    if tx.note(_name(wave)):
        tx.put_note(_name(wave), "")


def _name(wave: str) -> str:
    return f"held:{wave}"
