"""One-time links: the first administrator's, an invitation's, and those for what was lost.

Opening a link spends nothing: programs that show previews do so. Sending its form does, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desk.accounts import Account, Stage, Ticket
from desk.audit import Act, Facts, record
from desk.connections import tokens
from desk.entry.entering import Seated, Visit, arrive, seat
from desk.entry.sessions import digest_of, new_secret
from desk.entry.staffing import account_of, named, roles_of
from desk.entry.wrongs import AccountError
from desk.roles import Grant, Role
from desk.store import DeskTransaction

KIND = "welcome"
TERM = timedelta(hours=24)
_FIRST = ""  # the ticket's account where there is none yet


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom a link is for; ``account`` None: the first administrator, who has no account yet."""

    account: Account | None
    clears: bool  # whether the second factor goes as well


def path(secret: str) -> str:
    """Where on the site a link leads."""
    return f"/desk/welcome/{secret}"


def found(tx: DeskTransaction, act: Act) -> str | None:
    """The secret of the first administrator's link; None once there is an account.

    An earlier one that nobody used is void.
    """
    tx.audit_head()
    if tx.accounts():
        return None
    record(tx, act, "account.first_link", "account:first")
    return _issued(tx, _FIRST, act.at, {})


def link(tx: DeskTransaction, act: Act, account: str, *, clear_factor: bool = False) -> str:
    """The secret of a new link for ``account``: all its sessions end, and older links are void.

    The password works until the link is used; with ``clear_factor`` the second factor goes then
    as well. AccountError for an unknown or disabled account, and for one's own.
    """
    kept = account_of(tx, account)
    if kept.id == act.who:
        raise AccountError("own_link")
    if kept.disabled:
        raise AccountError("disabled", login=kept.login)
    tx.drop_sessions(kept.id)
    record(tx, act, "account.link_made", f"account:{kept.id}", None,
           {"second_factor_cleared": clear_factor})  # fmt: skip
    return _issued(tx, kept.id, act.at, {"factor": "clear"} if clear_factor else {})


def invite(tx: DeskTransaction, act: Act, login: str, name: str, grants: tuple[Grant, ...]) -> str:
    """Make an account and the secret of its first link; AccountError for what is wrong."""
    tx.audit_head()
    made = named(tx, login, name, act.at, grants)
    if not grants:
        raise AccountError("no_role", "roles")
    tx.put_account(made)
    after: Facts = {"login": made.login, "name": made.name, "roles": roles_of(made.grants)}
    record(tx, act, "account.invited", f"account:{made.id}", None, after)
    return _issued(tx, made.id, act.at, {})


def _issued(tx: DeskTransaction, account: str, now: datetime, data: dict[str, str]) -> str:
    secret = new_secret()
    tx.drop_tickets(account, KIND)
    tx.put_ticket(Ticket(digest_of(secret), KIND, account, now + TERM, data))
    return secret


def look(tx: DeskTransaction, secret: str, now: datetime) -> Invited | None:
    """Whom the link is for; None where it has expired, was used, or is void. Nothing is spent."""
    ticket = tx.ticket(digest_of(secret), KIND, now)
    return None if ticket is None else _meant(tx, ticket)


def accept(
    tx: DeskTransaction, visit: Visit, secret: str, encoded: str, login: str = "", name: str = ""
) -> Seated | None:
    """Use the link: its account gets the password with hash ``encoded``, and its browser a session.

    All its other sessions end, and its tokens are revoked.

    ``login`` and ``name`` are the first administrator's. None where the link works no more;
    AccountError for a login or name that cannot be, and then the link still works.
    """
    tx.audit_head()
    ticket = tx.spend_ticket(digest_of(secret), KIND, visit.at)
    invited = None if ticket is None else _meant(tx, ticket)
    if invited is None:
        return None
    old = invited.account
    if old is None:
        old = named(tx, login, name, visit.at, (Grant(Role.ADMINISTRATOR),))
    account = replace(old, password=encoded)
    if invited.clears:
        account = replace(account, totp=b"", recovery=())
    tx.put_account(account)
    tx.drop_sessions(account.id)
    tokens.revoke_all(tx, visit.act(account), account.id)
    after: Facts = {
        "login": account.login,
        "name": account.name,
        "roles": roles_of(account.grants),
        "second_factor_cleared": invited.clears and bool(old.totp),
    }
    record(tx, visit.act(account), "account.welcomed", f"account:{account.id}", None, after)
    if account.totp:  # a link stands for the password, never for the second factor
        return seat(tx, visit, account, Stage.PASSWORD)
    return arrive(tx, visit, account, "link")


def _meant(tx: DeskTransaction, ticket: Ticket) -> Invited | None:
    if ticket.account == _FIRST:
        return None if tx.accounts() else Invited(None, clears=False)
    account = tx.account(ticket.account)
    if account is None or account.disabled:
        return None
    return Invited(account, ticket.data.get("factor") == "clear")
