from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from storage import SqlStore
from storage.transaction import SqlTransaction
from tests.storage.rows import HOUR, NOW


async def test_a_note_is_the_last_thing_written_under_its_name(store: SqlStore) -> None:
    assert await store.read(lambda tx: tx.note("offset")) is None
    await store.write(lambda tx: tx.put_note("offset", "41"))
    await store.write(lambda tx: tx.put_note("offset", "42"))
    assert await store.read(lambda tx: tx.note("offset")) == "42"


async def test_a_lease_has_one_holder_until_its_term_ends(store: SqlStore) -> None:
    term = NOW + HOUR
    assert await store.write(lambda tx: tx.take_lease("poll", "a", NOW, term))
    assert not await store.write(lambda tx: tx.take_lease("poll", "b", NOW, term))
    assert await store.write(lambda tx: tx.take_lease("send", "b", NOW, term))
    assert await store.write(lambda tx: tx.take_lease("poll", "a", NOW + HOUR / 2, term))
    assert await store.write(lambda tx: tx.take_lease("poll", "b", term, term + HOUR))
    assert not await store.write(lambda tx: tx.take_lease("poll", "a", term, term + HOUR))


async def test_a_term_is_never_shorter_than_its_holder_believes(store: SqlStore) -> None:
    term = NOW + timedelta(seconds=1.9)
    just_before = NOW + timedelta(seconds=1.8)
    assert await store.write(lambda tx: tx.take_lease("poll", "a", NOW, term))
    assert not await store.write(lambda tx: tx.take_lease("poll", "b", just_before, term + HOUR))


async def test_a_lease_dropped_by_its_holder_is_free(store: SqlStore) -> None:
    term = NOW + HOUR
    await store.write(lambda tx: tx.take_lease("poll", "a", NOW, term))
    await store.write(lambda tx: tx.drop_lease("poll", "b"))
    assert not await store.write(lambda tx: tx.take_lease("poll", "b", NOW, term))
    await store.write(lambda tx: tx.drop_lease("poll", "a"))
    assert await store.write(lambda tx: tx.take_lease("poll", "b", NOW, term))


async def test_a_lease_that_many_reach_for_at_once_goes_to_one(database_url: str) -> None:
    stores = [SqlStore(database_url) for _ in range(4)]

    def take(tx: SqlTransaction, holder: str) -> bool:
        return tx.take_lease("poll", holder, NOW, NOW + HOUR)

    try:
        held = await asyncio.gather(
            *(each.write(partial(take, holder=str(number))) for number, each in enumerate(stores))
        )
        assert sum(held) == 1
    finally:
        await asyncio.gather(*(store.close() for store in stores))


async def test_dead_letters_are_kept_once_each(store: SqlStore) -> None:
    await store.write(lambda tx: tx.bury(2**40, "KeyError", b"sealed"))
    await store.write(lambda tx: tx.bury(7, "ValueError", b"first"))
    await store.write(lambda tx: tx.bury(7, "ValueError", b"again"))
    assert await store.read(lambda tx: tx.dead_letters()) == [
        (7, "ValueError", b"again"),
        (2**40, "KeyError", b"sealed"),
    ]
