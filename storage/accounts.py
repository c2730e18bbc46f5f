"""Accounts and their sessions: rows <-> objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select

from desk.accounts import Account, Session
from desk.roles import Grant, Role
from storage import desk_tables
from storage.desk_tables import accounts, sessions
from storage.unit import Unit
from surveys.people import Address

_ACCOUNTS = select(accounts)
_ACCOUNT = _ACCOUNTS.where(accounts.c.id == bindparam("id"))
_BY_LOGIN = _ACCOUNTS.where(accounts.c.login == bindparam("login"))
_BY_EXTERNAL = _ACCOUNTS.where(
    accounts.c.issuer == bindparam("issuer"), accounts.c.external_subject == bindparam("subject")
)
_BY_CHAT = _ACCOUNTS.where(
    accounts.c.channel == bindparam("channel"), accounts.c.handle == bindparam("handle")
)
_SESSIONS = select(
    sessions.c.digest,
    sessions.c.account,
    sessions.c.stage,
    sessions.c.made_at,
    sessions.c.seen_at,
    sessions.c.origin,
    sessions.c.agent,
)
_SESSION = _SESSIONS.where(sessions.c.digest == bindparam("digest"))
_OF_ACCOUNT = _SESSIONS.where(sessions.c.account == bindparam("account")).order_by(
    sessions.c.made_at.desc(), sessions.c.digest
)
_DROP = delete(sessions).where(sessions.c.digest == bindparam("which"))
_DROP_ALL = delete(sessions).where(
    sessions.c.account == bindparam("whose"), sessions.c.digest != bindparam("but")
)


class AccountRows(Unit):
    __slots__ = ()

    def account(self, account: str) -> Account | None:
        return _account(self._one(_ACCOUNT, {"id": account}))

    def account_by_login(self, login: str) -> Account | None:
        return _account(self._one(_BY_LOGIN, {"login": login}))

    def account_by_external(self, issuer: str, subject: str) -> Account | None:
        return _account(self._one(_BY_EXTERNAL, {"issuer": issuer, "subject": subject}))

    def account_by_chat(self, chat: Address) -> Account | None:
        return _account(self._one(_BY_CHAT, {"channel": chat.channel, "handle": chat.handle}))

    def accounts(self) -> Sequence[Account]:
        """Every account, by login."""
        found = (_account(row) for row in self._all(_ACCOUNTS.order_by(accounts.c.login)))
        return [account for account in found if account is not None]

    def put_account(self, account: Account) -> None:
        """A login, an outside identity or a chat that is another's: IntegrityError."""
        issuer, subject = account.external or (None, None)
        row = {
            "id": account.id,
            "login": account.login,
            "name": account.name,
            "made_at": account.made_at,
            "grants": [[str(grant.role), grant.subject] for grant in account.grants],
            "language": account.language,
            "password": account.password,
            "totp": account.totp,
            "totp_step": account.totp_step,
            "recovery": list(account.recovery),
            "issuer": issuer,
            "external_subject": subject,
            "channel": account.chat and account.chat.channel,
            "handle": account.chat and account.chat.handle,
            "disabled": account.disabled,
        }
        self._put(accounts, [row])

    def session(self, digest: str) -> Session | None:
        row = self._one(_SESSION, {"digest": digest})
        return None if row is None else Session(*row)

    def sessions(self, account: str) -> Sequence[Session]:
        """Newest first."""
        return [Session(*row) for row in self._all(_OF_ACCOUNT, {"account": account})]

    def put_session(self, session: Session) -> None:
        row = {
            "digest": session.digest,
            "account": session.account,
            "stage": session.stage,
            "made_at": session.made_at,
            "seen_at": session.seen_at,
            "origin": session.origin,
            "agent": session.agent,
        }
        self._put(desk_tables.sessions, [row])

    def drop_session(self, digest: str) -> None:
        self._changed(_DROP, {"which": digest})

    def drop_sessions(self, account: str, but: str = "") -> int:
        """End all of the account's, but the one with digest ``but``; how many."""
        return self._changed(_DROP_ALL, {"whose": account, "but": but})


def _account(row: Any) -> Account | None:
    if row is None:
        return None
    return Account(
        id=row.id,
        login=row.login,
        name=row.name,
        made_at=row.made_at,
        grants=tuple(Grant(Role(role), subject) for role, subject in row.grants),
        language=row.language,
        password=row.password,
        totp=bytes(row.totp),
        totp_step=row.totp_step,
        recovery=tuple(row.recovery),
        external=(row.issuer, row.external_subject) if row.issuer else None,
        chat=Address(row.channel, row.handle) if row.channel else None,
        disabled=row.disabled,
    )
