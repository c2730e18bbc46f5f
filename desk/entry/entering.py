"""Signing in: a password, then a second factor where there is one, then a session; and out again.

A sign-in takes two units of work with the slow part between them: :func:`knock` counts the attempt
and says which hash the password must match, :func:`answer` says what came of it.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from desk.accounts import Account, Session, Stage
from desk.audit import Act, Facts, record, seal_key
from desk.entry import factors, throttle
from desk.entry.sessions import begin, digest_of, lapsed
from desk.entry.throttle import Lane
from desk.roles import Role
from desk.store import DeskTransaction

CODE_TRIES = 5  # wrong second factors until the half session ends


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser at the door: from where, with what, and what the house demands.

    ``cookie`` is what it carried until now: that session ends when another begins. ``device`` is
    its device cookie for the login that it tries. ``demanded`` are the roles that must have a
    second factor.
    """

    origin: str
    agent: str
    at: datetime
    app_key: bytes = field(repr=False)
    demanded: frozenset[Role] = frozenset()
    cookie: str = field(default="", repr=False)
    device: str = field(default="", repr=False)

    def act(self, account: Account) -> Act:
        """What is done here, as ``account``."""
        return Act(account.id, account.name, self.origin, self.at, seal_key(self.app_key))

    def lanes(self, login: str) -> tuple[Lane, ...]:
        """Where an attempt at ``login`` counts."""
        return throttle.lanes(self.app_key, login, self.origin, self.device, self.at)

    def known(self, login: str) -> bool:
        """Whether this browser signed in as ``login`` before, and is not just anybody's."""
        return throttle.known(self.app_key, tidy(login), self.device, self.at)


@dataclass(frozen=True, slots=True)
class Knock:
    """An attempt that was counted. ``encoded`` is the hash to match, '' where nothing can."""

    login: str
    account: str
    encoded: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing was looked at: too many failures before."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Seated:
    """A session began. ``cookie`` is its secret; ``device`` a new device cookie, '' for none."""

    account: Account
    session: Session
    cookie: str = field(repr=False)
    device: str = field(default="", repr=False)


class No(Enum):
    """Why nothing came of it."""

    WRONG = "wrong"
    ENDED = "ended"  # the half session is over: begin again


def tidy(login: str) -> str:
    """A login as it is stored: one spelling for all keyboards."""
    return unicodedata.normalize("NFKC", login[:200]).strip().casefold()


def demands(account: Account, roles: Collection[Role]) -> bool:
    """Whether one of the account's roles must have a second factor."""
    return any(grant.role in roles for grant in account.grants)


def knock(tx: DeskTransaction, visit: Visit, login: str) -> Knock | Wait:
    """Count an attempt at ``login``, whether there is such a login or not."""
    login = tidy(login)
    until = throttle.begin(tx, visit.lanes(login), visit.at)
    if until is not None:
        return Wait(until)
    account = tx.account_by_login(login)
    if account is None or account.disabled:
        return Knock(login, "", "")
    return Knock(login, account.id, account.password)


def answer(
    tx: DeskTransaction, visit: Visit, tried: Knock, right: bool, renewed: str = ""
) -> Seated | No:
    """What came of ``tried``. ``renewed`` is the same password's hash with newer parameters."""
    lanes = visit.lanes(tried.login)
    tx.audit_head()  # from here on nobody changes the account meanwhile
    account = tx.account(tried.account) if right else None
    if account is None or account.disabled or not _same(account.password, tried.encoded):
        _refused(tx, visit, tried.login, throttle.failed(tx, lanes))
        return No.WRONG
    if renewed:
        account = replace(account, password=renewed)
        tx.put_account(account)
    if account.totp:
        throttle.take_back(tx, lanes)
        return seat(tx, visit, account, Stage.PASSWORD)
    throttle.forget(tx, lanes)
    return arrive(tx, visit, account, "password")


def arrive(tx: DeskTransaction, visit: Visit, account: Account, by: str) -> Seated:
    """Begin the session of somebody who has shown all that is asked of them.

    It is a whole one, but where the role demands a second factor that is not there yet.
    """
    if not account.totp and demands(account, visit.demanded):
        return seat(tx, visit, account, Stage.ENROL)
    record(tx, visit.act(account), "account.signed_in", f"account:{account.id}", None, {"by": by})
    return seat(tx, visit, account, Stage.FULL)


def second(tx: DeskTransaction, visit: Visit, code: str) -> Seated | Wait | No:
    """The second factor of the half session that ``visit`` carries: a code, or a recovery code."""
    tx.audit_head()
    session = tx.session(digest_of(visit.cookie))
    account = None if session is None else tx.account(session.account)
    if session is None or account is None or account.disabled or lapsed(session, visit.at):
        return No.ENDED
    if session.stage is not Stage.PASSWORD or not account.totp:
        return No.ENDED
    lanes, tries = _code_lanes(visit, account), Lane(f"half:{session.digest}", CODE_TRIES)
    until = throttle.begin(tx, lanes, visit.at)
    if until is not None:
        return Wait(until)
    found = _with_code(account, code, visit)
    if found is None:
        return _wrong_code(tx, visit, account, session, lanes, tries)
    account, by = found
    tx.put_account(account)
    throttle.forget(tx, lanes)
    throttle.clear(tx, (*visit.lanes(account.login), tries))  # the password's was taken back
    return arrive(tx, visit, account, by)


def _with_code(account: Account, code: str, visit: Visit) -> tuple[Account, str] | None:
    secret = factors.secret_of(account, visit.app_key)
    step = factors.step_of(secret, code, visit.at, account.totp_step)
    if step is not None:
        return replace(account, totp_step=step), "code"
    spent = factors.spend(account, code, visit.app_key)
    return None if spent is None else (spent, "recovery")


def _wrong_code(
    tx: DeskTransaction,
    visit: Visit,
    account: Account,
    session: Session,
    lanes: tuple[Lane, ...],
    tries: Lane,
) -> No:
    _refused(tx, visit, account.login, throttle.failed(tx, lanes))
    throttle.begin(tx, (tries,), visit.at)
    if throttle.failed(tx, (tries,)):
        tx.drop_session(session.digest)
        tx.drop_attempts(tries.key)
        return No.ENDED
    return No.WRONG


def _code_lanes(visit: Visit, account: Account) -> tuple[Lane, ...]:
    """Like a password's, but of their own: whoever has only a password cannot use them up.

    Here nobody is spared: six digits are too few for five guesses from every address there is.
    """
    return tuple(Lane(f"code-{lane.key}", lane.free) for lane in visit.lanes(account.login))


def seat(tx: DeskTransaction, visit: Visit, account: Account, stage: Stage) -> Seated:
    """Begin a session at ``stage``; the one that the browser carried until now is over."""
    if visit.cookie:
        tx.drop_session(digest_of(visit.cookie))
    secret = begin(tx, account, stage, visit.at, visit.origin, visit.agent)
    session = tx.session(digest_of(secret))
    assert session is not None  # put a line ago, in the same unit of work
    device = ""
    if stage is Stage.FULL:
        device = throttle.device_token(visit.app_key, account.login, visit.at)
    return Seated(account, session, secret, device)


def _refused(tx: DeskTransaction, visit: Visit, login: str, failures: int) -> None:
    """Into the audit, but only where somebody has to wait now: nobody can flood it.

    What was typed as a login may be a password, so only logins that there are become known.
    """
    if not failures:
        return
    account = tx.account_by_login(login)
    what = "account:?" if account is None else f"account:{account.id}"
    act = Act("?", "?", visit.origin, visit.at, seal_key(visit.app_key))
    after: Facts = {"failures": failures}
    record(tx, act, "account.refused", what, None, after)


def leave(tx: DeskTransaction, act: Act, session: Session) -> None:
    """Sign out this browser."""
    tx.drop_session(session.digest)
    record(tx, act, "account.signed_out", f"account:{session.account}")


def _same(kept: str, tried: str) -> bool:
    return hmac.compare_digest(kept.encode(), tried.encode())
