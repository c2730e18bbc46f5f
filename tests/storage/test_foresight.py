"""What one unit of work remembers is never older than what it, or anybody before it, wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import Tally
from surveys.people import Address, Subject
from tests.storage.rows import CAMPAIGN, NOW, WAVE, found_roll, interview, person, telegram

INTERVIEW = interview()
CHAT = telegram(1, INTERVIEW.id)
SEEN: dict[str, Callable[[SqlTransaction], Any]] = {
    "chat": lambda tx: tx.chat(CHAT.address),
    "person": lambda tx: tx.person("p1"),
    "interview": lambda tx: tx.interview(INTERVIEW.id),
    "wave": lambda tx: tx.wave(WAVE.id),
    "campaign": lambda tx: tx.campaign(CAMPAIGN.id),
    "subject": lambda tx: tx.subject("s1"),
}
MOVED = replace(INTERVIEW, turn=71, state=b"more")
CHANGES: dict[str, Callable[[SqlTransaction], Any]] = {
    "chat": lambda tx: tx.put_chat(replace(CHAT, language="en", interview=None)),
    "person": lambda tx: tx.put_people([person(1, opted_out=True)]),
    "interview": lambda tx: tx.keep(MOVED, after=70),
    "wave": lambda tx: tx.put_wave(replace(WAVE, closes_at=NOW)),
    "campaign": lambda tx: tx.put_campaign(replace(CAMPAIGN, k=9)),
    "subject": lambda tx: tx.put_subjects([Subject("s1", {"zh": "另一个"}, parent="s2")]),
    "another chat": lambda tx: tx.put_chat(telegram(2)),
    "a lost race": lambda tx: tx.keep(MOVED, after=5),
    "a tally": lambda tx: tx.record_tally(WAVE.id, WAVE.period, Tally()),
}


def everything(tx: SqlTransaction) -> dict[str, Any]:
    return {name: see(tx) for name, see in SEEN.items()}


async def open_world(store: SqlStore) -> None:
    def work(tx: SqlTransaction) -> None:
        found_roll(tx, 4)
        tx.open_interview(INTERVIEW)
        tx.put_chat(CHAT)

    await store.write(work)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("first", SEEN)
async def test_after_any_change_a_unit_of_work_sees_what_the_next_one_does(
    store: SqlStore, change: str, first: str
) -> None:
    await open_world(store)

    def work(tx: SqlTransaction) -> dict[str, Any]:
        SEEN[first](tx)  # whichever is seen first may foresee the others
        everything(tx)
        CHANGES[change](tx)
        return everything(tx)

    after = await store.write(work)
    assert after == await store.read(everything)


async def test_what_is_seen_of_one_never_answers_for_another(store: SqlStore) -> None:
    await open_world(store)

    def work(tx: SqlTransaction) -> None:
        everything(tx)
        assert tx.chat(Address("telegram", "nobody")) is None
        assert tx.interview("another") is None
        assert tx.wave("another") is None
        assert tx.person("p2") == person(2)
        assert tx.subject("s2") != tx.subject("s1")

    await store.write(work)


async def test_a_unit_of_work_that_fails_leaves_nothing_remembered(store: SqlStore) -> None:
    await open_world(store)

    def work(tx: SqlTransaction) -> None:
        everything(tx)
        tx.put_chat(replace(CHAT, language="en"))
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await store.write(work)
    assert await store.write(lambda tx: tx.chat(CHAT.address)) == CHAT
