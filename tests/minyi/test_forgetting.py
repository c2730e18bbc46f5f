"""Somebody is forgotten at the desk while a wave is open: nobody's ballot is lost by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from desk.accounts import Account
from desk.audit import verify
from desk.forgetting import ForgetError, forget
from desk.store import Upload, Work, WorkState
from minyi import steps, sweeping
from minyi.house import House
from storage import SqlStore
from surveys.dispositions import Disposition
from surveys.people import Address, Chat, Invite, Kind, Person
from surveys.reply import Tapped, Typed
from tests.minyi.test_grace import WAVE, begin, dispositions, finish, opened, recorded, tap
from tests.minyi.test_steps import CLOSED, OPEN, RATERS, SUBJECTS, answer_all
from tests.surveys.test_forgetting import everywhere

NAME, CHAT = "欧阳雪", "7700123456"


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """The wave is open without a grace; c0 has a name and a chat in Telegram."""
    store = SqlStore(database_url)
    made = await opened(store, tmp_path, timedelta())

    def known(tx: Any) -> None:
        tx.put_people([replace(tx.person("c0"), name=NAME, unit="u0", kind=Kind.STAFF)])
        tx.put_chat(Chat(Address("telegram", CHAT), "c0", "zh"))

    await store.write(known)
    yield made
    await store.close()


async def forgotten(house: House, person: str = "c0") -> bool:
    return bool(await house.store.write(lambda tx: forget(tx, house.act(), person, house.keyring)))


async def test_a_finished_ballot_is_counted_and_every_number_adds_up(house: House) -> None:
    for n in range(RATERS):
        await answer_all(house, f"c{n}", WAVE, Random(n))
    before = await dispositions(house)
    assert await forgotten(house)
    assert await dispositions(house) == before == {Disposition.COMPLETE: RATERS}
    counted = await steps.tally(house, CLOSED)
    assert (counted.waves, counted.ballots, counted.spoiled) == (2, SUBJECTS * RATERS, 0)
    assert await recorded(house) == {Disposition.COMPLETE: RATERS}
    turnout = await house.store.read(lambda tx: tx.turnout("2026Q4", WAVE))
    assert {(each.asked, each.answered) for each in turnout} == {(RATERS, RATERS)}


async def test_one_of_five_that_was_finished_counts_and_what_was_begun_goes(house: House) -> None:
    await finish(house, "c0", await begin(house, "c0"), OPEN)  # the second is begun by this
    assert await house.store.read(lambda tx: tx.interview_counts(WAVE)) == (2, 1)
    assert await forgotten(house)
    assert await house.store.read(lambda tx: tx.interview_counts(WAVE)) == (1, 1)
    partial = {Disposition.PARTIAL: 1, Disposition.NON_CONTACT: RATERS - 1}
    assert await dispositions(house) == partial
    assert (await steps.tally(house, CLOSED)).spoiled == 0
    assert await recorded(house) == partial


async def test_an_answer_that_was_being_changed_counts_as_it_was(house: House) -> None:
    await answer_all(house, "c0", WAVE, Random(1))
    reply = await house.conversation.receive(Address("web", "c0"), Typed("/start"), OPEN)
    change = next(b.data for row in reply[0].rows for b in row if b.data.startswith("r:"))
    assert (await tap(house, "c0", change, OPEN)).question
    assert await forgotten(house)
    assert (await dispositions(house))[Disposition.COMPLETE] == 1
    assert await house.store.read(lambda tx: tx.ballot_count(WAVE)) == SUBJECTS
    assert (await steps.tally(house, CLOSED)).spoiled == 0
    assert (await recorded(house))[Disposition.COMPLETE] == 1


async def test_nothing_leads_to_them_and_the_chain_of_the_audit_holds(
    house: House, database_url: str
) -> None:
    def traces(tx: Any) -> None:
        tx.put_people([Person("e0017", Kind.STAFF, NAME, "u0")])
        tx.put_chat(Chat(Address("telegram", "88001"), "e0017", "zh"))
        tx.put_account(Account("a1", "lin", "Lin", OPEN, chat=Address("telegram", "88001")))
        tx.put_upload(Upload("f1", "a1", "t.csv", f"e0017,{NAME}".encode(), OPEN))
        change = {"key": "e0017", "before": {}, "after": {"name": NAME, "telegram": "88001"}}
        tx.put_work(Work("cf1", "check", "a1", OPEN, OPEN, WorkState.DONE,
                         result={"news": [change]}))  # fmt: skip
        tx.put_work(Work("cf2", "check", "a1", OPEN, OPEN, WorkState.DONE,
                         result={"news": [{"key": "e00171"}]}))  # fmt: skip

    await house.store.write(traces)
    needles = (NAME, "e0017", "88001")
    tables = {table for table, _ in everywhere(database_url, *needles)}
    assert {"people", "chats", "accounts", "works", "uploads"} <= tables
    assert await forgotten(house, "c0")
    assert await forgotten(house, "e0017")
    assert not await forgotten(house, "e0017")
    left = everywhere(database_url, *needles)
    assert [(table, "e00171" in row) for table, row in left] == [("works", True)]
    entries = await house.store.read(lambda tx: list(tx.audit_chain()))
    assert verify(entries, house.act().key) == []
    assert [e.action for e in entries[-3:]] == [
        "person.forgotten", "account.chat_unlinked", "person.forgotten",
    ]  # fmt: skip
    assert (entries[-1].before, entries[-1].after) == ("", "")
    assert len({entries[-1].what, entries[-3].what}) == 2


async def test_without_the_keys_nobody_is_forgotten_and_nothing_changes(
    house: House, database_url: str
) -> None:
    await answer_all(house, "c0", WAVE, Random(1))
    before = everywhere(database_url, "c0")
    house.keyring.destroy_wave(WAVE)
    with pytest.raises(ForgetError, match="keys of wave"):
        await forgotten(house)
    assert everywhere(database_url, "c0") == before
    assert await forgotten(house, "c1"), "nothing of theirs needs the keys"


async def test_whoever_writes_again_is_somebody_new(house: House) -> None:
    assert await forgotten(house)
    [reply] = await house.conversation.receive(Address("web", "c0"), Tapped("j:0:0:0"), OPEN)

    def new(tx: Any) -> Person:
        found: Person = tx.person(tx.chat(Address("web", "c0")).person)
        return found

    person = await house.store.read(new)
    assert reply.text
    assert (person.kind, person.name, person.id == "c0") == (Kind.CITIZEN, "", False)


async def test_journals_are_scrubbed_once_with_the_next_sweep(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubbed: list[bool] = []
    scrub = SqlStore.scrub

    async def counting(store: SqlStore, *, people: bool = False) -> None:
        scrubbed.append(people)
        await scrub(store, people=people)

    monkeypatch.setattr(SqlStore, "scrub", counting)
    await sweeping.sweep(house, OPEN)
    assert scrubbed == []
    assert await forgotten(house)
    await sweeping.sweep(house, CLOSED)
    await sweeping.sweep(house, CLOSED.replace(day=CLOSED.day + 1))
    assert scrubbed == [True]


async def _by_the_poster(house: House) -> str:
    """A browser rates u0 to the end by its poster; whom the house takes it for."""
    browser = Address("web", "browser")
    reply = (await house.conversation.receive(browser, Typed("/start poster"), OPEN))[0]
    if not reply.question:
        go = next(b.data for row in reply.rows for b in row if b.data.startswith("g:"))
        reply = await tap(house, "browser", go, OPEN)
    await finish(house, "browser", reply, OPEN)
    chat = await house.store.read(lambda tx: tx.chat(browser))
    assert chat is not None
    return chat.person


@pytest.mark.parametrize(("own", "ballots"), [(True, 1), (False, 2)])
async def test_whoever_is_forgotten_and_comes_by_the_poster_again_is_counted_as_a_new_person(
    house: House, own: bool, ballots: int
) -> None:
    await house.store.write(lambda tx: tx.put_invites([Invite("poster", "unit", "u0")]))
    asked = len(await house.store.read(lambda tx: tx.roll(WAVE)))
    first = await _by_the_poster(house)
    if own:
        asks = await house.conversation.receive(Address("web", "browser"), Typed("/forget"), OPEN)
        await tap(house, "browser", asks[0].rows[0][0].data, OPEN)
    else:
        assert await forgotten(house, first)
    second = await _by_the_poster(house)
    assert second != first
    assert len(await house.store.read(lambda tx: tx.roll(WAVE))) == asked + 2
    assert await house.store.read(lambda tx: tx.ballot_count(WAVE)) == ballots
