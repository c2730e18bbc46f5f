"""API tokens: shown once, stored as a digest, never stronger than the account that made them."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from desk import audit
from desk.accounts import Account, Token
from desk.audit import Act
from desk.entry.sessions import digest_of, new_secret
from desk.roles import May, allows
from desk.store import DeskTransaction

PREFIX = "minyi_"  # what scanners for lost secrets look for
SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
USUAL_DAYS, MOST_DAYS = 90, 365
MOST_TOKENS = 20  # of one account
LONGEST_NAME = 60

SCOPES = (
    May.ROSTER_READ, May.ROSTER_WRITE, May.FORMS_READ, May.FORMS_WRITE, May.CAMPAIGNS_READ,
    May.CAMPAIGNS_WRITE, May.VISITS_WRITE, May.FIELDWORK_READ, May.RESULTS_READ,
    May.APPROVALS_READ, May.AUDIT_READ, May.HOOKS_READ, May.HOOKS_WRITE,
)  # fmt: skip
"""What a token can be given: the permissions that the API asks for. ``home`` comes with each."""


class TokenRefusedError(ValueError):
    """A token cannot be made so. ``wrong``: field -> what is wrong (the key of a sentence)."""

    def __init__(self, wrong: dict[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {key}" for name, key in wrong.items()))
        self.wrong = wrong


def offered(account: Account) -> tuple[May, ...]:
    """The scopes that ``account`` can give to a token today."""
    return tuple(scope for scope in SCOPES if allows(account.grants, scope))


def make(
    tx: DeskTransaction, act: Act, account: Account, name: str, scopes: Collection[str], days: int
) -> tuple[Token, str]:
    """Make a token and return it with its secret, which is stored nowhere.

    TokenRefusedError with every field that is wrong: name, scopes, days.
    """
    name = " ".join(name.split())
    wrong = {}
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        wrong["name"] = "name"
    if not scopes or not set(scopes) <= set(offered(account)):
        wrong["scopes"] = "scopes"
    if not 1 <= days <= MOST_DAYS:
        wrong["days"] = "days"
    alive = [token for token in tx.tokens(account.id) if token.expires_at > act.at]
    if len(alive) >= MOST_TOKENS:
        wrong["name"] = "many"
    if wrong:
        raise TokenRefusedError(wrong)
    secret = PREFIX + new_secret()
    given = (May.HOME.value, *(scope.value for scope in SCOPES if scope in scopes))
    token = Token(digest_of(secret), secrets.token_hex(4), account.id, name, given,
                  act.at, act.at + timedelta(days=days))  # fmt: skip
    tx.put_token(token)
    until = token.expires_at.date().isoformat()
    after: audit.Facts = {"name": name, "scopes": list(given), "until": until}
    audit.record(tx, act, "token.made", f"token:{token.id}", None, after)
    return token, secret


def revoke(tx: DeskTransaction, act: Act, token: str, account: str = "") -> bool:
    """Revoke the token with id ``token`` at once; False where ``account`` ('' for any) has none."""
    found = next((each for each in tx.tokens(account) if each.id == token), None)
    if found is None or not tx.drop_token(token):
        return False
    before: audit.Facts = {"name": found.name, "account": found.account}
    audit.record(tx, act, "token.revoked", f"token:{token}", before)
    return True


def revoke_all(tx: DeskTransaction, act: Act, account: str) -> int:
    """Revoke every token of ``account`` at once, each with its entry; how many there were."""
    found = list(tx.tokens(account)) if account else []
    return sum(revoke(tx, act, token.id, account) for token in found)


def holder(tx: DeskTransaction, secret: str, now: datetime) -> tuple[Token, Account] | None:
    """The token of ``secret`` and whose it is, where both still hold at ``now``."""
    if not SHAPE.fullmatch(secret):
        return None
    digest = digest_of(secret)
    token = tx.token(digest)
    if token is None or not hmac.compare_digest(token.digest, digest) or token.expires_at <= now:
        return None
    account = tx.account(token.account)
    if account is None or account.disabled or not allows(account.grants, May.TOKENS):
        return None
    return token, account


def effective(token: Token, account: Account) -> frozenset[May]:
    """What the token opens now: its scopes, as far as its account may do that itself."""
    return frozenset(
        May(scope)
        for scope in token.scopes
        if scope in tuple(May) and allows(account.grants, May(scope))
    )


def note_used(tx: DeskTransaction, token: Token, day: str) -> None:
    """Note the day of use; a token that was revoked meanwhile stays gone."""
    if tx.token(token.digest) is not None:
        tx.put_token(replace(token, used_on=day))
