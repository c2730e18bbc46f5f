"""Deep links: what a QR code or a message carries so that a chat knows where it begins."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from desk.audit import Act, Value, record, someone
from desk.saying import Saying, SpokenError, shown
from desk.store import DeskTransaction
from surveys.people import Invite, Kind, Text

KINDS = ("unit", "staff", "campaign")
STAFF = timedelta(days=30)
"""So long a staff link may be opened."""
MANY = 500  # targets asked for by name; beyond that reading all links is cheaper
NAMED = 100  # targets that the audit names


class LinkError(SpokenError):
    """There is nothing to link to; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Link:
    """An invitation and the name of what it leads to."""

    invite: Invite
    name: str

    def browser(self, public_url: str) -> str:
        """The link for a browser."""
        return f"{public_url}/c/{self.invite.token}"

    def telegram(self, bot: str) -> str:
        """The link for Telegram; ``bot`` is its user name without @."""
        return f"https://t.me/{bot}?start={self.invite.token}"


def token() -> str:
    """128 random bits in 22 of the characters that ``/start`` lets through."""
    return secrets.token_urlsafe(16)


def mark(invite: Invite) -> str:
    """What a page calls a link by without showing it."""
    return hashlib.sha256(invite.token.encode()).hexdigest()[:16]


def draw(
    tx: DeskTransaction,
    act: Act,
    kind: str,
    targets: Sequence[str],
    *,
    new: bool = False,
    make: Callable[[], str] = token,
) -> list[Link]:
    """A link for each of ``targets`` of ``kind`` (none: for all there are), made where missing.

    A link that is there is given again, so that printed QR codes stay good; with ``new`` another
    is made beside it. A new staff link replaces the ones before. Whether one was used is looked at
    nowhere here: whoever sees links would see who came.
    """
    names = _names(tx, kind, targets)
    wanted = list(dict.fromkeys(targets)) or list(names)
    there = tx.invites_to(kind, wanted) if len(wanted) < MANY else tx.invites()
    good = {e.target: e for e in there if e.kind == kind and not e.expired(act.at)}
    ends = act.at + STAFF if kind == "staff" else None
    made = {t: Invite(make(), kind, t, expires_at=ends) for t in wanted if new or t not in good}
    if kind == "staff":
        _void(tx, act, [each for each in there if each.kind == kind and each.target in made])
    tx.put_invites(made.values())
    if made:
        what, told = _told(act, kind, list(made))
        record(tx, act, "links.made", what, None, told)
    return [Link(made.get(target) or good[target], names[target]) for target in wanted]


def draw_missing(
    tx: DeskTransaction, act: Act, kind: str, make: Callable[[], str] = token
) -> list[Link]:
    """A link for everything of ``kind`` that has none; only those that were made."""
    names = _names(tx, kind, ())
    have = {e.target for e in tx.invites() if e.kind == kind and not e.expired(act.at)}
    lacking = [target for target in names if target not in have]
    return draw(tx, act, kind, lacking, make=make) if lacking else []


def renew(
    tx: DeskTransaction, act: Act, person: str, make: Callable[[], str] = token
) -> list[Link]:
    """A new staff link for ``person``; one handed out earlier leads nowhere now."""
    return draw(tx, act, "staff", [person], new=True, make=make)


def void(tx: DeskTransaction, act: Act, kind: str, target: str, which: str) -> None:
    """Make the link with mark ``which`` lead nowhere, of staff all that the person has.

    LinkError where there is no such link.
    """
    there = tx.invites_to(kind, [target]) if kind in KINDS else ()
    found = [each for each in there if mark(each) == which]
    if not found:
        raise LinkError(Saying("link.gone"))
    _void(tx, act, there if kind == "staff" else found)


def _void(tx: DeskTransaction, act: Act, old: Sequence[Invite]) -> None:
    if not old:
        return
    targets = sorted({each.target for each in old})
    tx.drop_invites(each.token for each in old)
    what, told = _told(act, old[0].kind, targets)
    record(tx, act, "links.voided", what, told, None)


def _told(act: Act, kind: str, targets: Sequence[str]) -> tuple[str, dict[str, Value]]:
    """As the rest of the audit names them, ``*`` for more than one; and which.

    Never the tokens: whoever reads the audit could open them.
    """
    noun = {"unit": "subject", "staff": "person", "campaign": "campaign"}[kind]
    named = targets[:NAMED]
    marks = [someone(act, each).partition(":")[2] for each in named] if kind == "staff" else named
    what = f"{noun}:{marks[0] if len(targets) == 1 else '*'}"
    return what, {"links": len(targets), "targets": [*marks]}


def _names(tx: DeskTransaction, kind: str, targets: Sequence[str]) -> dict[str, str]:
    """What may be linked to of ``kind``. LinkError where one of ``targets`` is not among it."""
    if kind not in KINDS:
        raise LinkError(Saying("link.kind", {"kind": shown(kind), "kinds": ", ".join(KINDS)}))
    names = _linkable(tx, kind)
    unknown = [target for target in targets if target not in names]
    if unknown:
        cells = ", ".join(repr(shown(target)) for target in unknown[:10])
        raise LinkError(Saying(f"link.unknown.{kind}", {"cells": cells}))
    if not names:
        raise LinkError(Saying(f"link.none.{kind}"))
    return names


def _linkable(tx: DeskTransaction, kind: str) -> dict[str, str]:
    match kind:
        case "unit":
            return {s.id: _title(s.name) for s in tx.subjects() if s.kind == "unit"}
        case "staff":
            return {
                p.id: p.name
                for p in tx.people()
                if p.kind is Kind.STAFF and not (p.opted_out or p.left)
            }
    return {c.id: _title(c.title) for c in tx.campaigns()}


def _title(names: Text) -> str:
    return " / ".join(names.values())
