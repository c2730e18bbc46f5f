"""Coming in by the organisation's own sign-in: only accounts that an administrator has made."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum

from desk.accounts import Stage
from desk.audit import record
from desk.entry.entering import Seated, Visit, seat
from desk.store import DeskTransaction


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who somebody is, in the issuer's word. ``email`` is '' unless the issuer verified it."""

    issuer: str
    subject: str
    email: str = ""


class Refusal(StrEnum):
    """Why somebody whom the issuer knows does not come in."""

    STRANGER = "stranger"  # no account is theirs
    UNVERIFIED = "unverified"  # no account is theirs, and no address says which could be
    DISABLED = "disabled"


def come_in(tx: DeskTransaction, who: Claimed, visit: Visit) -> Seated | Refusal:
    """Begin a whole session of the account that ``who`` has here.

    The first time, whoever has the account's login as verified e-mail address is bound to it;
    from then on they are known by the issuer's own number for them, and by nothing else. The
    issuer is trusted for the second factor.
    """
    tx.audit_head()  # from here on nobody changes the account meanwhile
    found = tx.account_by_external(who.issuer, who.subject)
    bound = found is not None
    if found is None:
        if not who.email:
            return Refusal.UNVERIFIED
        found = tx.account_by_login(_login_of(who.email))
        if found is None or found.external is not None:
            return Refusal.STRANGER
    if found.disabled:
        return Refusal.DISABLED
    act, what = visit.act(found), f"account:{found.id}"
    if not bound:
        found = replace(found, external=(who.issuer, who.subject))
        tx.put_account(found)
        after = {"issuer": who.issuer, "subject": who.subject}
        record(tx, act, "account.bound", what, None, after)
    record(tx, act, "account.signed_in", what, None, {"by": "openid"})
    return seat(tx, visit, found, Stage.FULL)


def _login_of(email: str) -> str:
    """The login that ``email`` opens, in capitals of any script; '' where it can open none.

    Composed accents are no other letters (NFC). Wide and decorated ones, which is forgiven where
    people type a login (NFKC), are others: that may be somebody else's address.
    """
    composed = unicodedata.normalize("NFC", email.strip())
    plain = unicodedata.normalize("NFKC", composed) == composed
    return composed.casefold() if plain else ""
