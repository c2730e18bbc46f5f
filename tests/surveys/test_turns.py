"""One person heard by two servers, or from two chats, at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import psycopg
import pytest

from desk.audit import Act, seal_key
from desk.forgetting import forget
from storage import SqlStore
from surveys.conversation import Conversation
from surveys.forgetting import _mark
from surveys.people import Address, Chat, Invite, Kind, Person
from surveys.phrasing import Press
from surveys.reply import Heard, Opened, Reply, Tapped
from tests.surveys.test_visiting import HAPPY, dumped, roll, start, visit
from tests.surveys.world import NOW, World, converse, found_world

MANY = 12


@dataclass
class Two:
    """The same world in two servers."""

    world: World
    other: SqlStore
    second: Conversation

    async def at_once(self, *heard: tuple[str, Heard]) -> list[tuple[Reply, ...]]:
        """What each chat is answered, by the first server and the second in turn."""
        ways = (self.world.conversation, self.second)
        return await asyncio.gather(
            *(
                ways[number % 2].receive(Address("test", who), each, NOW, hint="zh")
                for number, (who, each) in enumerate(heard)
            )
        )

    async def person(self, who: str) -> str:
        return str(await self.world.read(lambda tx: tx.chat(Address("test", who)).person))


@pytest.fixture
async def two(database_url: str, tmp_path: Path) -> AsyncIterator[Two]:
    world = await found_world(database_url, tmp_path)
    other = SqlStore(database_url)
    yield Two(world, other, converse(other, world.keyring))
    await other.close()
    await world.store.close()


async def test_the_poster_and_a_visit_at_the_same_moment_are_one_voice(two: Two) -> None:
    for number in range(MANY):
        her, token = f"her{number}", await visit(two.world)
        await two.world.open(her)
        seen = await two.at_once((her, Opened("poster")), (her, start(token)))
        assert [each[-1].question for each in seen] == [True, True]
    assert len(await roll(two.world)) == MANY


async def test_two_chats_of_one_person_at_the_same_moment_are_one_voice(two: Two) -> None:
    for number in range(MANY):
        her, also, token = f"her{number}", f"also{number}", await visit(two.world)
        await two.world.open(her)
        second = Chat(Address("test", also), await two.person(her), "zh")
        await two.world.store.write(methodcaller("put_chat", second))
        await two.at_once((her, Opened("poster")), (also, start(token)))
    assert len(await roll(two.world)) == MANY


async def test_somebody_new_who_presses_twice_is_one_person(two: Two) -> None:
    for number in range(MANY):
        await two.at_once(*((f"new{number}", Opened("poster")) for _ in range(2)))
    assert len(await roll(two.world)) == MANY
    people = await two.world.read(lambda tx: tx.people())
    assert len([each for each in people if not each.listed]) == MANY


@pytest.mark.parametrize("press", ["visit", "poster", "answer", "language"])
async def test_a_staff_link_opened_beside_another_press_is_not_used_up_for_nothing(
    two: Two, press: str
) -> None:
    world = two.world
    names = [f"s{number}" for number in range(MANY)]

    def staff(tx: Any) -> None:
        tx.put_people([Person(name, Kind.STAFF, name, language="zh") for name in names])
        tx.put_invites([Invite(f"link-{name}", "staff", name) for name in names])

    await world.store.write(staff)
    for name in names:
        who, token = f"chat-{name}", await visit(world)
        await world.open(who)
        if press == "answer":
            await world.rate(who, payload=token)
        presses: dict[str, Heard] = {
            "visit": start(token),
            "poster": Opened("poster"),
            "answer": Tapped(world.button(who, HAPPY[0])) if press == "answer" else Opened(""),
            "language": Tapped(Press("l", "en").data()),
        }
        await two.at_once((who, presses[press]), (who, Opened(f"link-{name}")))
        assert await two.person(who) == name
    assert len(await roll(world)) == (0 if press == "language" else MANY)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("press", ["visit", "poster", "last answer"])
async def test_a_press_that_meets_a_forgetting_is_answered_and_leaves_nothing(
    two: Two, database_url: str, own: bool, press: str
) -> None:
    world = two.world
    act = Act("x", "x", "terminal", NOW, seal_key(world.keyring.app_key()))
    gone = []
    for number in range(MANY):
        who, token = f"her{number}", await visit(world)
        await world.open(who)
        if press == "last answer":
            await world.rate(who, *HAPPY[:-1], payload=token)
        presses: dict[str, Heard] = {"visit": start(token), "poster": Opened("poster")}
        heard = presses.get(press) or Tapped(world.button(who, HAPPY[-1]))
        person = await two.person(who)
        gone.append(person)
        if own:
            yes = Tapped(Press("f", _mark(person)).data())
            await two.at_once((who, heard), (who, yes))
        else:
            await asyncio.gather(
                world.conversation.receive(Address("test", who), heard, NOW, hint="zh"),
                two.other.write(partial(forget, act=act, person=person, keyring=world.keyring)),
            )
    left = str(dumped(database_url))
    assert not [person for person in gone if person in left]


async def test_what_stands_under_a_hidden_name_shares_no_number_with_the_visitor(
    postgres_url: str, tmp_path: Path
) -> None:
    world = await found_world(postgres_url, tmp_path)
    for number in range(3):
        await world.open(f"her{number}")
        await world.rate(f"her{number}", *HAPPY, payload=await visit(world))

    await world.store.close()

    def numbers(table: str) -> set[str]:
        with psycopg.connect(postgres_url) as connection:
            rows = connection.execute(f"SELECT xmin::text, xmax::text FROM {table}").fetchall()
        return {number for row in rows for number in row} - {"0"}

    hers = numbers("people")
    for table in ("assignments", "interviews", "ballots"):
        assert numbers(table)
        assert not hers & numbers(table), table
