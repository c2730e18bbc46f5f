"""Whose browser this is: cookies, their digests, and how long a session lasts."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from desk.accounts import Account, Session, Stage
from desk.store import DeskTransaction

IDLE = timedelta(minutes=30)  # without a page
ABSOLUTE = timedelta(hours=12)  # whatever is done
HALF = timedelta(minutes=10)  # between the password and the second factor
TOUCHED = timedelta(minutes=1)  # how often a session's last page is written down


def new_secret() -> str:
    """256 random bits in base64url, for a cookie, a link or a token."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is stored of a secret of :func:`new_secret`. It needs no salt: it is random itself."""
    return hashlib.sha256(secret.encode()).hexdigest()


def begin(
    tx: DeskTransaction, account: Account, stage: Stage, now: datetime, origin: str, agent: str
) -> str:
    """Begin a session and return its cookie: always a new one, so none can be planted."""
    secret = new_secret()
    kept = Session(digest_of(secret), account.id, stage, now, now, origin, agent[:200])
    tx.put_session(kept)
    return secret


def seated(tx: DeskTransaction, cookie: str, now: datetime) -> tuple[Session, Account] | None:
    """The session of ``cookie`` and its account, where both still hold at ``now``."""
    session = tx.session(digest_of(cookie)) if cookie else None
    if session is None or lapsed(session, now):
        return None
    account = tx.account(session.account)
    if account is None or account.disabled:
        return None
    return session, account


def lapsed(session: Session, now: datetime) -> bool:
    """Whether the session has ended by itself."""
    whole = HALF if session.stage is Stage.PASSWORD else ABSOLUTE
    return now - session.made_at >= whole or now - session.seen_at >= IDLE


def touch(tx: DeskTransaction, session: Session, now: datetime) -> None:
    """Note that its browser asked for a page."""
    stored = tx.session(session.digest)
    if stored is not None:  # it may have been revoked meanwhile
        tx.put_session(replace(stored, seen_at=now))
