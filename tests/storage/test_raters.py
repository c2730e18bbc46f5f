"""Whom a campaign would ask, counted alike by every database."""

from __future__ import annotations

from storage import SqlStore
from surveys.cells import RaterGroup
from tests.desk.asking import furnish

BOTH = (RaterGroup.RECIPIENT, RaterGroup.PEER)


async def test_raters_are_counted_once_each_and_without_the_opted_out(store: SqlStore) -> None:
    await store.write(furnish)
    counted = await store.read(lambda tx: [tx.count_raters(g) for g in (BOTH, BOTH[:1], ())])
    assert counted == [(15, 27, 6), (12, 24, 6), (0, 0, 0)]


async def test_sides_tell_how_many_rate_each_subject(store: SqlStore) -> None:
    await store.write(furnish)
    sides = await store.read(lambda tx: tx.rater_sides(BOTH))
    assert sorted(sides) == [
        ("w1", RaterGroup.PEER, 3), ("w1", RaterGroup.RECIPIENT, 12),
        ("w2", RaterGroup.RECIPIENT, 12),
    ]  # fmt: skip
