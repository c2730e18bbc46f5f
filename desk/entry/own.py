"""What people do with their own account. Nobody needs a role for it.

Whatever changes how one signs in asks for the password in the same request: :func:`ask` counts the
attempt, and each change is handed the hash that was matched (``proved``), so that a session left
open on somebody's desk is not enough. What else could outlive the session (tokens, other people's
accounts, secrets) asks whether that was done lately: :func:`proven`.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from desk.accounts import Account, Session, Stage, Ticket
from desk.audit import Act, record
from desk.chatting import chat_code
from desk.connections import tokens
from desk.entry import factors, throttle
from desk.entry.entering import Seated, Visit, Wait, demands, seat
from desk.entry.throttle import Lane
from desk.entry.wrongs import AccountError
from desk.roles import Role
from desk.store import DeskTransaction
from surveys.words import LANGUAGES

SHOWN = 16  # letters of a session's digest that name it on the page
FRESH = timedelta(minutes=10)  # how long it holds that somebody showed who they are
_PROOF = "proof"


def ask(tx: DeskTransaction, visit: Visit, session: Session) -> str | Wait:
    """Count an attempt to prove who one is; the hash that the password must match."""
    until = throttle.begin(tx, _lanes(session), visit.at)
    if until is not None:
        return Wait(until)
    account = tx.account(session.account)
    return "" if account is None else account.password


def proven(tx: DeskTransaction, session: Session, now: datetime) -> bool:
    """Whether it is ten minutes at most since ``session`` began or was confirmed."""
    return now - session.made_at < FRESH or tx.ticket(session.digest, _PROOF, now) is not None


def confirm(tx: DeskTransaction, session: Session, proved: str, now: datetime) -> None:
    """Somebody has shown who they are: for the next ten minutes they are not asked again."""
    account = _proven(tx, session, proved)
    tx.put_ticket(Ticket(session.digest, _PROOF, account.id, now + FRESH))


def change_password(
    tx: DeskTransaction, visit: Visit, session: Session, proved: str, encoded: str
) -> Seated:
    """From now on the password with hash ``encoded``; other sessions end, tokens are revoked."""
    account = _proven(tx, session, proved)
    account = replace(account, password=encoded)
    tx.put_account(account)
    ended = tx.drop_sessions(account.id, session.digest)
    tokens.revoke_all(tx, visit.act(account), account.id)
    record(tx, visit.act(account), "account.password_changed", f"account:{account.id}", None,
           {"sessions_ended": ended})  # fmt: skip
    return seat(tx, visit, account, session.stage)


def set_factor(
    tx: DeskTransaction, visit: Visit, session: Session, code: str, proved: str | None = None
) -> tuple[Seated, tuple[str, ...]]:
    """Enrol the secret that was offered to ``session``, which ``code`` shows to have arrived.

    Returns the session that takes its place and the recovery codes, to be shown once. ``proved``
    may be None only while enrolling, just after the password was given. AccountError ``code`` for
    a wrong code; all other sessions end.
    """
    enrolling = session.stage is Stage.ENROL
    if enrolling and proved is None:
        account = _account(tx, session)
        if account.totp:  # enrolled in another window meanwhile: that one counts
            raise AccountError("meanwhile", "code")
    else:
        account = _proven(tx, session, proved or "")
    secret = factors.offered(visit.app_key, session.digest)
    step = factors.step_of(secret, code, visit.at, 0)
    if step is None:
        raise AccountError("code", "code")
    codes, kept = factors.new_codes(account.id, visit.app_key)
    box = factors.sealed(account.id, secret, visit.app_key)
    changed = replace(account, totp=box, totp_step=step, recovery=kept)
    tx.put_account(changed)
    tx.drop_sessions(account.id, session.digest)
    act, what = visit.act(account), f"account:{account.id}"
    record(tx, act, "account.factor_set", what, {"second_factor": bool(account.totp)},
           {"second_factor": True})  # fmt: skip
    if enrolling:
        record(tx, act, "account.signed_in", what, None, {"by": "enrolment"})
    return seat(tx, visit, changed, Stage.FULL), codes


def remove_factor(
    tx: DeskTransaction, act: Act, session: Session, proved: str, demanded: Collection[Role]
) -> None:
    """Do without a second factor; AccountError where the role demands one. Other sessions end."""
    account = _proven(tx, session, proved)
    if demands(account, demanded):
        raise AccountError("factor_demanded", "remove")
    if not account.totp:
        raise AccountError("no_factor", "remove")
    tx.put_account(replace(account, totp=b"", recovery=()))
    tx.drop_sessions(account.id, session.digest)
    record(tx, act, "account.factor_removed", f"account:{account.id}")


def renew_codes(
    tx: DeskTransaction, act: Act, session: Session, proved: str, app_key: bytes
) -> tuple[str, ...]:
    """New recovery codes, to be shown once; the old ones work no more."""
    account = _proven(tx, session, proved)
    if not account.totp:
        raise AccountError("no_factor", "codes")
    codes, kept = factors.new_codes(account.id, app_key)
    tx.put_account(replace(account, recovery=kept))
    record(tx, act, "account.codes_renewed", f"account:{account.id}",
           {"codes": len(account.recovery)}, {"codes": len(kept)})  # fmt: skip
    return codes


def offer_chat(tx: DeskTransaction, act: Act, session: Session, proved: str, now: datetime) -> str:
    """A code with which a chat is linked. An account that signs in elsewhere has no password to
    prove itself with: its ``proved`` is not looked at.
    """
    account = _account(tx, session)
    if account.password:
        account = _proven(tx, session, proved)
    return chat_code(tx, act, account, now)


def choose_language(tx: DeskTransaction, act: Act, session: Session, language: str) -> None:
    """The desk speaks ``language`` to this account; '' as the browser asks."""
    if language not in ("", *LANGUAGES):
        raise AccountError("language", "language")
    account = _account(tx, session)
    if account.language != language:
        tx.put_account(replace(account, language=language))
        record(tx, act, "account.language_chosen", f"account:{account.id}",
               {"language": account.language}, {"language": language})  # fmt: skip


def end_session(tx: DeskTransaction, act: Act, account: str, shown: str) -> bool:
    """End the account's session whose digest begins with ``shown``; False where there is none."""
    found = [s for s in tx.sessions(account) if len(shown) == SHOWN and s.digest.startswith(shown)]
    for session in found:
        tx.drop_session(session.digest)
        record(tx, act, "account.session_ended", f"account:{account}", None,
               {"origin": session.origin})  # fmt: skip
    return bool(found)


def end_sessions(tx: DeskTransaction, act: Act, account: str, but: str = "") -> int:
    """End all sessions of the account but the one with digest ``but``; how many.

    Where none is left, whoever made a token in one of them keeps that neither.
    """
    ended = tx.drop_sessions(account, but)
    if not but:
        tokens.revoke_all(tx, act, account)
    record(tx, act, "account.sessions_ended", f"account:{account}", None, {"sessions": ended})
    return ended


def _lanes(session: Session) -> tuple[Lane, ...]:
    """Of this session alone: one that was stolen must not keep its owner from anything."""
    return (Lane(f"own:{session.digest}"),)


def _account(tx: DeskTransaction, session: Session) -> Account:
    """The session's account, where both still stand; nobody else changes it from here on."""
    tx.audit_head()
    account = tx.account(session.account)
    if tx.session(session.digest) is None or account is None or account.disabled:
        raise AccountError("signed_out")
    return account


def _proven(tx: DeskTransaction, session: Session, proved: str) -> Account:
    account = _account(tx, session)
    if not proved or not hmac.compare_digest(account.password.encode(), proved.encode()):
        raise AccountError("meanwhile")
    throttle.forget(tx, _lanes(session))
    return account
