"""What somebody is told before they go on, once for each version of the privacy text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from surveys import consenting
from surveys.consenting import keep_text, text_of, version
from surveys.people import Address, Kind, Person
from surveys.phrasing import WORDS
from tests.surveys.world import HEAD, World, found_world


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await found_world("sqlite://", tmp_path)


async def person_of(world: World, who: str) -> Person:
    def work(tx: Any) -> Person:
        found: Person = tx.person(tx.chat(Address("test", who)).person)
        return found

    person: Person = await world.read(work)
    return person


async def test_whoever_comes_is_told_once_and_before_anything_is_asked(world: World) -> None:
    await world.open("a", "poster")
    assert world.noticed["a"] == 1
    assert (await person_of(world, "a")).consent == version()
    await world.look("a")
    await world.type("a", "/help")
    await world.tap("a", "满意")
    assert world.noticed["a"] == 1


async def test_answering_changes_nothing_of_what_is_stored(world: World) -> None:
    await world.open("a", "poster")
    before = await person_of(world, "a")
    await world.rate("a", "满意", "跳过", "跳过")
    assert await world.boxes()
    assert await person_of(world, "a") == before


async def test_when_the_text_has_changed_it_is_said_again(world: World) -> None:
    await world.open("a", "poster")
    person = await person_of(world, "a")
    await world.store.write(lambda tx: tx.put_people([replace(person, consent="0badc0de")]))
    await world.look("a")
    await world.look("a")
    assert world.noticed["a"] == 2
    assert (await person_of(world, "a")).consent == version()


async def test_stop_withdraws_it_and_whoever_returns_is_told_again(world: World) -> None:
    await world.open("a", "poster")
    await world.type("a", "/stop")
    await world.look("a")
    assert (await person_of(world, "a")).consent == ""
    assert world.noticed["a"] == 1
    await world.open("a")
    assert world.noticed["a"] == 2
    assert (await person_of(world, "a")).consent == version()


async def test_a_personal_link_tells_whom_it_names_and_nobody_twice(world: World) -> None:
    await world.open("a", f"link-{HEAD.id}")
    assert world.noticed["a"] == 1
    head = await world.read(lambda tx: tx.person(HEAD.id))
    assert (head.kind, head.consent) == (Kind.STAFF, version())


async def test_two_chats_of_one_person_are_told_once(world: World) -> None:
    await world.open("a", f"link-{HEAD.id}")
    await world.open("b", "poster")

    def work(tx: Any) -> None:
        tx.put_chat(replace(tx.chat(Address("test", "b")), person=HEAD.id, interview=None))

    await world.store.write(work)
    await world.look("b")
    assert world.noticed == {"a": 1, "b": 1}


async def test_forgetting_oneself_ends_without_it_and_begins_with_it(world: World) -> None:
    await world.open("a", "poster")
    await world.type("a", "/forget")
    await world.tap("a", WORDS.say("button.forget", "zh"))
    assert world.noticed["a"] == 1
    await world.open("a")
    assert world.noticed["a"] == 2


async def test_a_roster_that_changes_meanwhile_loses_nothing(world: World) -> None:
    await world.open("a", "poster")
    person = await person_of(world, "a")

    def work(tx: Any) -> int:
        tx.put_people([replace(person, unit="bureau")])
        done: int = tx.change_people([(person, replace(person, consent=""))])
        return done

    assert await world.store.write(work) == 0
    assert (await person_of(world, "a")).unit == "bureau"


async def test_what_a_version_was_can_be_read_when_the_text_has_become_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.store.write(keep_text)
    old = version()
    written = {"zh": "别的话", "en": "other words"}
    monkeypatch.setattr(consenting, "_written", lambda: '{"en": "other words", "zh": "别的话"}')
    version.cache_clear()
    try:
        new = version()
        await world.store.write(keep_text)
        assert new != old
        kept = await world.read(lambda tx: [text_of(tx, each) for each in (old, new, "0badc0de")])
    finally:
        version.cache_clear()
    assert kept == [WORDS.all_of("privacy"), written, None]
