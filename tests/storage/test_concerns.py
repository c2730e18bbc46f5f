from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from concerns.store import Entry, State, StoredConcern
from storage import SqlStore
from storage.transaction import SqlTransaction

CONCERN = StoredConcern(
    "c1", b"h" * 32, "handler", "process", State.RECEIVED, b"address", date(2026, 12, 12)
)


async def test_a_concern_is_found_by_its_receipt_and_moves_on(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_concern(CONCERN))
    answered = replace(CONCERN, state=State.ANSWERED)
    await store.write(lambda tx: tx.put_concern(answered))
    assert await store.read(lambda tx: tx.concern("c1")) == answered
    assert await store.read(lambda tx: tx.concern_by_receipt(b"h" * 32)) == answered
    assert await store.read(lambda tx: tx.concern_by_receipt(b"x" * 32)) is None
    assert await store.read(lambda tx: tx.concerns()) == [answered]


async def test_both_sides_statements_are_numbered_in_order(store: SqlStore) -> None:
    def talk(tx: SqlTransaction) -> list[Entry]:
        tx.put_concern(CONCERN)
        return [tx.add_entry("c1", "person", b"1"), tx.add_entry("c1", "handler", b"2")]

    said = await store.write(talk)
    assert [entry.seq for entry in said] == [1, 2]
    assert await store.read(lambda tx: tx.entries("c1")) == said


async def test_statements_made_at_once_all_get_their_own_number(database_url: str) -> None:
    stores = [SqlStore(database_url) for _ in range(3)]
    try:
        await stores[0].write(lambda tx: tx.put_concern(CONCERN))
        said = await asyncio.gather(
            *(
                stores[number % 3].write(lambda tx: tx.add_entry("c1", "person", b""))
                for number in range(30)
            )
        )
        assert sorted(entry.seq for entry in said) == list(range(1, 31))
    finally:
        await asyncio.gather(*(store.close() for store in stores))


async def test_a_statement_needs_a_case(store: SqlStore) -> None:
    with pytest.raises(KeyError, match="nowhere"):
        await store.write(lambda tx: tx.add_entry("nowhere", "person", b""))
