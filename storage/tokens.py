"""API tokens, and what was answered under an idempotency key: rows <-> objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select

from desk.accounts import Token
from desk.store import Remembered
from storage.desk_tables import remembered, tokens
from storage.unit import Unit, insert_new

_TOKENS = select(
    tokens.c.digest,
    tokens.c.id,
    tokens.c.account,
    tokens.c.name,
    tokens.c.scopes,
    tokens.c.made_at,
    tokens.c.expires_at,
    tokens.c.used_on,
)
_TOKEN = _TOKENS.where(tokens.c.digest == bindparam("which"))
_NEWEST = _TOKENS.order_by(tokens.c.made_at.desc(), tokens.c.id)
_DROP = delete(tokens).where(tokens.c.id == bindparam("which"))
_REMEMBERED = select(
    remembered.c.key,
    remembered.c.request,
    remembered.c.status,
    remembered.c.body,
    remembered.c.made_at,
).where(remembered.c.key == bindparam("which"))
_FORGET = delete(remembered).where(remembered.c.key == bindparam("which"))


class TokenRows(Unit):
    __slots__ = ()

    def token(self, digest: str) -> Token | None:
        row = self._one(_TOKEN, {"which": digest})
        return None if row is None else _token(row)

    def tokens(self, account: str = "") -> Sequence[Token]:
        """Those of ``account``, newest first; '' for everybody's."""
        query = _NEWEST.where(tokens.c.account == account) if account else _NEWEST
        return [_token(row) for row in self._all(query)]

    def put_token(self, token: Token) -> None:
        row = {
            "digest": token.digest,
            "id": token.id,
            "account": token.account,
            "name": token.name,
            "scopes": list(token.scopes),
            "made_at": token.made_at,
            "expires_at": token.expires_at,
            "used_on": token.used_on,
        }
        self._put(tokens, [row])

    def drop_token(self, token: str) -> bool:
        """Revoke by id; False where there is none."""
        return self._changed(_DROP, {"which": token}) == 1

    def remember(self, answer: Remembered) -> Remembered | None:
        """Take the key where it is free and return None; else what stands under it."""
        while not self._changed(insert_new(self._dialect, remembered), _answer(answer)):
            row = self._one(_REMEMBERED, {"which": answer.key})
            if row is not None:  # else it was forgotten in between
                return Remembered(*row)
        return None

    def put_remembered(self, answer: Remembered) -> None:
        self._put(remembered, [_answer(answer)])

    def forget(self, key: str) -> None:
        self._changed(_FORGET, {"which": key})


def _token(row: Any) -> Token:
    return Token(
        digest=row.digest,
        id=row.id,
        account=row.account,
        name=row.name,
        scopes=tuple(row.scopes),
        made_at=row.made_at,
        expires_at=row.expires_at,
        used_on=row.used_on,
    )


def _answer(answer: Remembered) -> dict[str, Any]:
    return {
        "key": answer.key,
        "request": answer.request,
        "status": answer.status,
        "body": answer.body,
        "made_at": answer.made_at,
    }
