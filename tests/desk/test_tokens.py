"""API tokens: what they are made of, what they open, and when they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from desk.accounts import Account
from desk.audit import Act
from desk.connections import tokens
from desk.connections.tokens import SHAPE, TokenRefusedError
from desk.roles import Grant, May, Role
from desk.store import Sought
from storage import SqlStore
from storage.transaction import SqlTransaction

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
ACT = Act("a", "A", "terminal", NOW, bytes(32))
ACCOUNT = Account("a", "officer", "Officer", NOW, (Grant(Role.OFFICER),))


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    """A store with one account."""
    opened = SqlStore(sqlite_url)
    await opened.write(lambda tx: tx.put_account(ACCOUNT))
    yield opened
    await opened.close()


async def test_a_token_can_be_recognised_and_only_its_digest_is_kept(store: SqlStore) -> None:
    token, secret = await store.write(
        lambda tx: tokens.make(tx, ACT, ACCOUNT, "HR", ["roster.read"], 90)
    )
    assert SHAPE.fullmatch(secret)
    assert token.digest != secret
    assert token.scopes == ("home", "roster.read")
    found = await store.read(lambda tx: tokens.holder(tx, secret, NOW))
    assert found == (token, ACCOUNT)
    [entry] = await store.read(lambda tx: tx.audit(Sought(action="token")))
    assert token.digest not in entry.after
    assert secret not in entry.after


@pytest.mark.parametrize("near", ["", "minyi_", "x", "minyi_" + "é" * 43, "minyi_" + "a" * 44])
async def test_what_is_no_token_is_nobodys(store: SqlStore, near: str) -> None:
    assert await store.read(lambda tx: tokens.holder(tx, near, NOW)) is None


async def test_a_token_ends_on_its_day_with_its_account_or_with_its_role(store: SqlStore) -> None:
    _, secret = await store.write(
        lambda tx: tokens.make(tx, ACT, ACCOUNT, "HR", ["roster.read"], 1)
    )
    last = NOW + timedelta(days=1) - timedelta(seconds=1)
    assert await store.read(lambda tx: tokens.holder(tx, secret, last)) is not None
    end = NOW + timedelta(days=1)
    assert await store.read(lambda tx: tokens.holder(tx, secret, end)) is None
    for changed in (
        replace(ACCOUNT, disabled=True),
        replace(ACCOUNT, grants=(Grant(Role.RATED, "s"),)),
    ):
        await store.write(partial(SqlTransaction.put_account, account=changed))
        assert await store.read(lambda tx: tokens.holder(tx, secret, NOW)) is None


async def test_a_token_opens_what_it_says_and_its_account_may(store: SqlStore) -> None:
    token, _ = await store.write(
        lambda tx: tokens.make(tx, ACT, ACCOUNT, "HR", ["roster.write", "approvals.read"], 90)
    )
    assert tokens.effective(token, ACCOUNT) == {May.HOME, May.ROSTER_WRITE, May.APPROVALS_READ}
    custodian = replace(ACCOUNT, grants=(Grant(Role.CUSTODIAN),))
    assert tokens.effective(token, custodian) == {May.HOME, May.APPROVALS_READ}
    strange = replace(token, scopes=("home", "no.such.scope"))
    assert tokens.effective(strange, ACCOUNT) == {May.HOME}


async def test_nobody_gives_what_they_have_not(store: SqlStore) -> None:
    for scopes in ([], ["audit.read"], ["roster.read", "hooks.write"], ["home"], ["nonsense"]):
        with pytest.raises(TokenRefusedError) as refused:
            await store.write(
                partial(tokens.make, act=ACT, account=ACCOUNT, name="HR", scopes=scopes, days=90)
            )
        assert set(refused.value.wrong) == {"scopes"}


async def test_an_account_has_twenty_working_tokens_at_most(store: SqlStore) -> None:
    for _ in range(tokens.MOST_TOKENS):
        await store.write(lambda tx: tokens.make(tx, ACT, ACCOUNT, "HR", ["roster.read"], 1))
    with pytest.raises(TokenRefusedError):
        await store.write(lambda tx: tokens.make(tx, ACT, ACCOUNT, "HR", ["roster.read"], 1))
    later = replace(ACT, at=NOW + timedelta(days=2))
    await store.write(lambda tx: tokens.make(tx, later, ACCOUNT, "HR", ["roster.read"], 1))


async def test_noting_the_day_of_use_brings_no_revoked_token_back(store: SqlStore) -> None:
    token, secret = await store.write(
        lambda tx: tokens.make(tx, ACT, ACCOUNT, "HR", ["roster.read"], 90)
    )
    assert await store.write(lambda tx: tokens.revoke(tx, ACT, token.id, "a"))
    await store.write(lambda tx: tokens.note_used(tx, token, "2026-11-23"))
    assert await store.read(lambda tx: tokens.holder(tx, secret, NOW)) is None
    assert not await store.write(lambda tx: tokens.revoke(tx, ACT, token.id, "a"))


async def test_one_account_does_not_revoke_anothers(store: SqlStore) -> None:
    token, _ = await store.write(
        lambda tx: tokens.make(tx, ACT, ACCOUNT, "HR", ["roster.read"], 90)
    )
    assert not await store.write(lambda tx: tokens.revoke(tx, ACT, token.id, "b"))
    assert await store.write(lambda tx: tokens.revoke(tx, ACT, token.id))
