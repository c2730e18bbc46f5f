"""Links of visits: kept without their token, spent once whoever comes at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.people import Invite, VisitLink
from tests.storage.rows import NOW

LINK = VisitLink("d" * 32, "s1", NOW + timedelta(days=14))


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Two processes' stores on one database."""
    stores = SqlStore(database_url), SqlStore(database_url)
    yield stores
    for store in stores:
        await store.close()


async def test_a_link_comes_back_as_it_was_put_and_no_other_does(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_visit_link(LINK))
    assert await store.read(lambda tx: tx.visit_link(LINK.digest)) == LINK
    assert await store.read(lambda tx: tx.visit_link("e" * 32)) is None


async def test_it_is_in_no_list_of_links(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> None:
        tx.put_visit_link(LINK)
        tx.put_invites([Invite("poster", "unit", "s1")])

    await store.write(settle)
    assert [each.token for each in await store.read(lambda tx: tx.invites())] == ["poster"]
    assert await store.read(lambda tx: tx.invites_to("visit", ["s1"])) == []


async def test_of_many_who_come_at_once_exactly_one_gets_it(two: tuple[SqlStore, SqlStore]) -> None:
    for number in range(20):
        link = replace(LINK, digest=f"{number:032}")
        await two[0].write(partial(SqlTransaction.put_visit_link, link=link))
        spend = partial(SqlTransaction.spend_visit_link, digest=link.digest)
        got = await asyncio.gather(*(store.write(spend) for store in two * 3))
        assert sorted(got) == [False] * 5 + [True]
        kept = await two[1].read(partial(SqlTransaction.visit_link, digest=link.digest))
        assert kept == replace(link, used=True)
    assert not await two[0].write(lambda tx: tx.spend_visit_link("e" * 32))


async def test_an_expired_one_is_swept_after_a_month(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_visit_link(LINK))
    ends, day = LINK.expires_at, timedelta(days=1)
    await store.write(lambda tx: tx.drop_stale(ends + 29 * day, ends + 29 * day))
    assert await store.read(lambda tx: tx.visit_link(LINK.digest)) == LINK
    await store.write(lambda tx: tx.drop_stale(ends + 31 * day, ends + 31 * day))
    assert await store.read(lambda tx: tx.visit_link(LINK.digest)) is None
