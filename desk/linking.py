"""Deep links: what a QR code or a message carries so that a chat knows where it begins."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surveys.people import Invite, Kind, Text
from surveys.store import Transaction

KINDS = ("unit", "staff", "campaign")


class LinkError(ValueError):
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


def draw(
    tx: Transaction,
    kind: str,
    targets: Sequence[str],
    *,
    new: bool = False,
    make: Callable[[], str] = token,
) -> list[Link]:
    """A link for each of ``targets`` of ``kind`` (none: for all there are), made where missing.

    A link that still works is given again, so that printed QR codes stay good; with ``new``
    another is made beside it. A staff link that was used is spent, and replaced.
    """
    names = _names(tx, kind)
    unknown = [target for target in targets if target not in names]
    if unknown:
        raise LinkError(f"There is no {kind} {', '.join(map(repr, unknown))}.")
    if not names:
        raise LinkError(f"There is no {kind} yet. Import or create one first.")
    good = {each.target: each for each in tx.invites() if each.kind == kind and not each.used}
    wanted = list(dict.fromkeys(targets)) or list(names)
    made = {t: Invite(make(), kind, t) for t in wanted if new or t not in good}
    tx.put_invites(made.values())
    return [Link(made.get(target) or good[target], names[target]) for target in wanted]


def _names(tx: Transaction, kind: str) -> dict[str, str]:
    match kind:
        case "unit":
            return {s.id: _title(s.name) for s in tx.subjects() if s.kind == "unit"}
        case "staff":
            return {p.id: p.name for p in tx.people() if p.kind is Kind.STAFF and not p.opted_out}
        case "campaign":
            return {c.id: _title(c.title) for c in tx.campaigns()}
    raise LinkError(f"{kind!r} has no links. Choose {', '.join(KINDS)}.")


def _title(names: Text) -> str:
    return " / ".join(names.values())
