"""One request under one key is done once, on every kind of store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desk.connections.idempotency import KEPT, Answer, Errand, ReusedError
from storage import SqlStore
from surveys.people import Kind, Person

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
KEY = bytes(range(32))
ERRAND = Errand.of("token", "key", b"POST /hooks", NOW, KEY)


def doing(errand: Errand, number: int) -> Any:
    """Work that leaves a trace each time that it is done."""

    def work(tx: Any) -> str:
        before = errand.before(tx)
        if before is not None:
            return before.body
        tx.put_people([Person(f"p{number}", Kind.STAFF)])
        errand.keep(tx, Answer(201, f"made {number}"))
        return f"made {number}"

    return work


async def test_many_at_once_are_done_once_and_all_hear_the_first_answer(store: SqlStore) -> None:
    answers = await asyncio.gather(*(store.write(doing(ERRAND, n)) for n in range(8)))
    assert len(set(answers)) == 1
    assert len(await store.read(lambda tx: tx.people())) == 1


async def test_what_fails_leaves_the_key_free(store: SqlStore) -> None:
    def failing(tx: Any) -> None:
        assert ERRAND.before(tx) is None
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await store.write(failing)
    assert await store.write(doing(ERRAND, 1)) == "made 1"


async def test_another_request_another_owner_and_another_day(store: SqlStore) -> None:
    assert await store.write(doing(ERRAND, 1)) == "made 1"
    with pytest.raises(ReusedError):
        await store.write(doing(Errand.of("token", "key", b"POST /else", NOW, KEY), 2))
    assert (
        await store.write(doing(Errand.of("other", "key", b"POST /hooks", NOW, KEY), 3)) == "made 3"
    )
    soon = replace(ERRAND, at=NOW + KEPT - timedelta(seconds=1))
    assert await store.write(doing(soon, 4)) == "made 1"
    later = replace(ERRAND, at=NOW + KEPT)
    assert await store.write(doing(later, 5)) == "made 5"


async def test_what_was_answered_is_sealed_at_rest(store: SqlStore) -> None:
    await store.write(doing(ERRAND, 1))

    def kept(tx: Any) -> str:
        from desk.store import Remembered

        found = tx.remember(Remembered(ERRAND.key, ERRAND.request, 0, "", NOW))
        return str(found.body)

    assert "made 1" not in await store.write(kept)
