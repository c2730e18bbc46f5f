"""Who has an account, and in which roles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex

from desk.accounts import Account
from desk.audit import Act, Value, record
from desk.connections import tokens
from desk.entry.entering import tidy
from desk.entry.wrongs import AccountError
from desk.roles import SCOPED, Grant, Role
from desk.store import DeskTransaction, Sought
from surveys.people import Subject

LOGIN = re.compile(r"\w[\w.@-]{1,39}")
LONGEST_NAME = 60
_WELCOME = "welcome"


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as the list shows it. ``seen_at`` None: not within the life of the audit."""

    account: Account
    seen_at: datetime | None
    sessions: int = 0


def listed(tx: DeskTransaction, accounts: Iterable[Account]) -> Sequence[Listed]:
    """``accounts`` with when each was last here."""
    return [_listed(tx, account) for account in accounts]


def _listed(tx: DeskTransaction, account: Account) -> Listed:
    sessions = tx.sessions(account.id)
    seen = [session.seen_at for session in sessions]
    came = tx.audit(Sought(who=account.id, action="account.signed_in"), limit=1)
    seen += [datetime.fromisoformat(entry.at) for entry in came]
    return Listed(account, max(seen, default=None), len(sessions))


def account_of(tx: DeskTransaction, account: str) -> Account:
    """The account with that id; AccountError where there is none.

    From here to the end of a unit of work that writes, nobody else changes an account.
    """
    tx.audit_head()
    found = tx.account(account)
    if found is None:
        raise AccountError("unknown", login=account[:80])
    return found


def called(tx: DeskTransaction, login: str) -> Account:
    """The account with that login; AccountError where there is none."""
    found = tx.account_by_login(tidy(login))
    if found is None:
        raise AccountError("unknown", login=login[:80])
    return found


def named(
    tx: DeskTransaction, login: str, name: str, now: datetime, grants: Collection[Grant]
) -> Account:
    """A new account, not yet stored; AccountError for what is wrong with it."""
    login, name = tidy(login), " ".join(unicodedata.normalize("NFKC", name).split())
    if not LOGIN.fullmatch(login):
        raise AccountError("login", "login")
    if tx.account_by_login(login) is not None:
        raise AccountError("login_taken", "login", login=login)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountError("name", "name", most=LONGEST_NAME)
    return Account(token_hex(6), login, name, now, _checked(tx, grants))


def set_grants(
    tx: DeskTransaction,
    act: Act,
    account: str,
    grants: Collection[Grant],
    stood: Collection[Grant] | None = None,
) -> Account:
    """Give ``account`` exactly ``grants``. AccountError where that cannot be.

    Nobody changes their own roles, and somebody stays an administrator. Its sessions end. With
    ``stood`` (what the roles were when somebody looked) a change made meanwhile is not overwritten.
    """
    kept = account_of(tx, account)
    if kept.id == act.who:
        raise AccountError("own_roles", "roles")
    if stood is not None and set(stood) != set(kept.grants):
        raise AccountError("meanwhile", "roles")
    changed = replace(kept, grants=_checked(tx, grants))
    _keep_an_administrator(tx, changed)
    if set(changed.grants) != set(kept.grants):
        tx.put_account(changed)
        tx.drop_sessions(kept.id)  # a new role may demand a second factor, which is asked for then
        record(tx, act, "account.roles_changed", f"account:{kept.id}",
               {"roles": roles_of(kept.grants)}, {"roles": roles_of(changed.grants)})  # fmt: skip
    return changed


def grant(tx: DeskTransaction, act: Act, account: str, given: Grant) -> Account:
    """Give one role more."""
    return set_grants(tx, act, account, (*account_of(tx, account).grants, given))


def revoke(tx: DeskTransaction, act: Act, account: str, taken: Grant) -> Account:
    """Take one role; AccountError where the account does not hold it."""
    kept = account_of(tx, account)
    if taken not in kept.grants:
        raise AccountError("not_held", "roles", role=_role(taken), login=kept.login)
    return set_grants(tx, act, account, [each for each in kept.grants if each != taken])


def disable(tx: DeskTransaction, act: Act, account: str) -> Account:
    """Nobody signs in with it any more: its sessions and links end at once."""
    kept = account_of(tx, account)
    if kept.id == act.who:
        raise AccountError("own_disable")
    changed = replace(kept, disabled=True)
    _keep_an_administrator(tx, changed)
    tx.put_account(changed)
    ended = tx.drop_sessions(kept.id)
    tx.drop_tickets(kept.id, _WELCOME)
    if not kept.disabled:
        record(tx, act, "account.disabled", f"account:{kept.id}", None, {"sessions_ended": ended})
    return changed


def enable(tx: DeskTransaction, act: Act, account: str) -> Account:
    """It may sign in again, with the password and second factor that it had."""
    kept = account_of(tx, account)
    changed = replace(kept, disabled=False)
    if kept.disabled:
        tx.put_account(changed)
        record(tx, act, "account.enabled", f"account:{kept.id}")
    return changed


def sign_out(tx: DeskTransaction, act: Act, account: str) -> int:
    """End all sessions of ``account`` and revoke its tokens; how many sessions there were."""
    kept = account_of(tx, account)
    ended = tx.drop_sessions(kept.id)
    tokens.revoke_all(tx, act, kept.id)
    record(tx, act, "account.sessions_ended", f"account:{kept.id}", None, {"sessions": ended})
    return ended


def roles_of(grants: Iterable[Grant]) -> list[Value]:
    """Roles as the audit and the terminal write them: administrator, supervisor:unit."""
    return [*sorted(_role(each) for each in grants)]


def subject_meant(subjects: Iterable[Subject], typed: str, role: Role) -> str:
    """The id of the subject that ``typed`` names by id or by a whole name.

    AccountError where none does, or several do.
    """
    wanted = typed.strip()
    found = [each.id for each in subjects if wanted == each.id or wanted in each.name.values()]
    if wanted in found:
        return wanted
    if len(found) != 1:
        code = "subject_many" if found else "subject"
        raise AccountError(code, str(role), subject=wanted[:80])
    return found[0]


def _role(each: Grant) -> str:
    return f"{each.role}:{each.subject}" if each.subject else str(each.role)


def _checked(tx: DeskTransaction, grants: Collection[Grant]) -> tuple[Grant, ...]:
    """``grants`` without doubles; AccountError where one names no subject, or a wrong one."""
    subjects = {subject.id for subject in tx.subjects()} if grants else set()
    for each in grants:
        if each.role in SCOPED and each.subject not in subjects:
            code = "subject" if each.subject else "subject_missing"
            raise AccountError(code, str(each.role), subject=each.subject[:80])
        if each.role not in SCOPED and each.subject:
            raise AccountError("subject_needless", "roles", role=str(each.role))
    order = list(Role)
    return tuple(sorted(set(grants), key=lambda each: (order.index(each.role), each.subject)))


def _keep_an_administrator(tx: DeskTransaction, changed: Account) -> None:
    """AccountError where, after ``changed``, no administrator is left who can sign in."""
    if _administers(changed):
        return
    before = [account for account in tx.accounts() if _administers(account)]
    if any(account.id == changed.id for account in before) and len(before) == 1:
        raise AccountError("last_administrator", "roles")


def _administers(account: Account) -> bool:
    able = bool(account.password) or account.external is not None
    administrator = any(each.role is Role.ADMINISTRATOR for each in account.grants)
    return able and administrator and not account.disabled
