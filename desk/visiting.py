"""A link for one visit: whoever was just served may rate the office once.

Nothing here, nor anywhere else at the desk, tells whether a link was opened or answered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from desk.audit import Act, record
from desk.linking import Link, LinkError, token
from desk.saying import Saying, shown
from desk.store import DeskTransaction
from surveys.people import Invite, VisitLink
from surveys.visiting import PURPOSE, digest_of

USUAL, MOST = 14 * 24, 90 * 24
"""Hours that a link may be opened for: unless chosen otherwise, and at most."""
HOUR = timedelta(hours=1)


def make_visit_link(
    tx: DeskTransaction,
    act: Act,
    key: bytes,
    unit: str,
    hours: int = USUAL,
    make: Callable[[], str] = token,
) -> Link:
    """A new link that lets one person rate ``unit`` once; ``key`` is the application's own.

    It works for ``hours`` from ``act.at``, up to the full hour: an exact moment would lead whoever
    has both databases from the service system's visit to the link. LinkError where there is no
    such unit, or so many hours cannot be.
    """
    if not 1 <= hours <= MOST:
        raise LinkError(Saying("link.hours", {"most": MOST}))
    subject = tx.subject(unit)
    if subject is None or subject.kind != "unit":
        raise LinkError(Saying("link.unknown.unit", {"cells": repr(shown(unit))}))
    ends = _full_hour(act.at + hours * HOUR)
    made = Invite(make(), PURPOSE, unit, expires_at=ends)
    tx.put_visit_link(VisitLink(digest_of(key, made.token), unit, ends))
    record(tx, act, "visit.made", f"subject:{unit}", None, {"until": ends.isoformat()})
    return Link(made, " / ".join(subject.name.values()))


def _full_hour(moment: datetime) -> datetime:
    """``moment``, or the next full hour after it."""
    begun = moment.replace(minute=0, second=0, microsecond=0)
    return begun if begun == moment else begun + HOUR
