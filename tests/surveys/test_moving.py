"""Two devices become one person: between waves, by the first one's own link, asked once."""

from __future__ import annotations

import re
from datetime import timedelta

from surveys.cells import RaterGroup, Tally
from surveys.people import Address, Relation
from surveys.phrasing import WORDS
from surveys.reply import Typed
from tests.surveys.world import World


def words(key: str) -> str:
    return WORDS.say(key, "zh")


async def counted(world: World) -> None:
    """The open wave is over."""
    wave = await world.read(lambda tx: tx.wave("w"))
    await world.store.write(lambda tx: tx.record_tally("w", wave.period, Tally()))


async def link(world: World, who: str) -> str:
    """The token that ``who`` is given."""
    reply = (await world.hear(who, Typed("/move")))[-1]
    found = re.search(r"/start (\S+)", reply.text)
    assert found, reply.text
    return found[1]


async def person(world: World, who: str) -> str:
    chat = await world.read(lambda tx: tx.chat(Address("test", who)))
    return str(chat.person)


async def test_the_second_device_is_asked_once_and_becomes_the_first_ones(world: World) -> None:
    await world.open("phone")
    await world.open("laptop")
    await counted(world)
    first, second = await person(world, "phone"), await person(world, "laptop")
    relations = [Relation(second, "desk", RaterGroup.RECIPIENT)]
    await world.store.write(lambda tx: tx.put_relations(relations))
    token = await link(world, "phone")
    asked = await world.open("laptop", token)
    assert asked.text == words("move.ask")
    assert await person(world, "laptop") == second, "nothing before they say yes"
    done = await world.tap("laptop", "是，在这里接着用")
    assert done.text.startswith(words("move.done"))
    assert await person(world, "laptop") == await person(world, "phone") == first
    assert await world.read(lambda tx: tx.person(second)) is None
    assert await world.read(lambda tx: tx.relations_from(first)) == [
        Relation(first, "desk", RaterGroup.RECIPIENT)
    ]
    assert len(await world.read(lambda tx: tx.addresses(first))) == 2
    assert (await world.open("third", token)).text == words("link.used"), "once"


async def test_no_is_no_and_the_link_keeps(world: World) -> None:
    await world.open("phone")
    await world.open("laptop")
    await counted(world)
    second = await person(world, "laptop")
    token = await link(world, "phone")
    await world.open("laptop", token)
    await world.tap("laptop", "不用了")
    assert await person(world, "laptop") == second
    assert (await world.open("laptop", token)).text == words("move.ask")


async def test_while_a_wave_is_not_counted_nobody_moves(world: World) -> None:
    await world.open("phone")
    reply = (await world.hear("phone", Typed("换个设备")))[-1]
    assert reply.text == words("move.later")


async def test_somebody_on_the_roster_becomes_nobody_else(world: World) -> None:
    await world.open("head", "link-head")
    await world.open("phone")
    await counted(world)
    token = await link(world, "phone")
    assert (await world.open("head", token)).text == words("move.named")
    theirs = await link(world, "head")  # but may take another device into use
    await world.open("phone", theirs)
    await world.tap("phone", "是，在这里接着用")
    assert await person(world, "phone") == "head"


async def test_a_link_is_good_for_half_an_hour_and_only_the_newest(world: World) -> None:
    await world.open("phone")
    await world.open("laptop")
    await counted(world)
    old, new = await link(world, "phone"), await link(world, "phone")
    assert (await world.open("laptop", old)).text == words("link.unknown")
    assert (await world.open("phone", new)).text == words("move.same")
    await world.open("laptop", new)
    world.now += timedelta(minutes=31)
    assert (await world.tap("laptop", "是，在这里接着用")).text == words("move.expired")
    assert await person(world, "laptop") != await person(world, "phone")


async def test_the_database_holds_no_link_that_can_be_opened(world: World) -> None:
    await world.open("phone")
    await counted(world)
    token = await link(world, "phone")
    kept = await world.read(lambda tx: [each.token for each in tx.invites()])
    assert token not in kept
    [invite] = [
        each for each in await world.read(lambda tx: tx.invites()) if each.kind == "channel"
    ]
    await world.open("thief", invite.token)
    await world.press("thief", f"w:{invite.token}:0:0")
    assert await person(world, "thief") != await person(world, "phone")
