"""A staff link in a chat that has rated without a name: one person, one voice, all forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Invite, Relation
from tests.surveys.test_visiting import HAPPY, SOSO, dumped, roll, visit
from tests.surveys.world import World, found_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    made = await found_world(database_url, tmp_path)
    yield made
    await made.store.close()


@pytest.fixture
async def known(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A colleague is asked about the window by name."""
    peer = [Relation("colleague", "desk", RaterGroup.PEER)]
    made = await found_world(database_url, tmp_path, roll=peer)
    yield made
    await made.store.close()


async def person(world: World, who: str) -> str:
    return str(await world.read(lambda tx: tx.chat(Address("test", who)).person))


async def forgotten(world: World, who: str) -> None:
    await world.type(who, "/forget")
    await world.tap(who, "是，忘记我")


@pytest.mark.parametrize(
    "steps",
    [
        "poster link poster",
        "poster link visit",
        "visit link poster",
        "visit link visit",
        "poster visit link visit poster",
    ],
)
async def test_in_whichever_order_they_come_it_is_one_voice(world: World, steps: str) -> None:
    for step in steps.split():
        if step == "link":
            await world.open("her", "link-head")
        else:
            payload = "poster" if step == "poster" else await visit(world)
            await world.rate("her", *HAPPY, payload=payload)
    assert len(await world.ballots()) == len(await roll(world)) == 1
    tally = await world.close_wave(k=1)
    assert [cell.counts for cell in tally.cells if cell.indicator == "service"] == [(0, 0, 0, 0, 1)]


async def test_a_poster_rating_is_found_changed_and_forgotten_under_the_name(
    world: World, database_url: str
) -> None:
    for who in ("her", "him"):
        await world.rate(who, *HAPPY)
    before = await person(world, "her")
    await world.open("her", "link-head")
    assert before not in str(dumped(database_url))
    assert len(await world.ballots()) == len(await roll(world)) == 2
    assert "可以修改" in (await world.open("her", "poster")).text
    await world.tap("her", "修改我的回答")
    for answer in SOSO:
        await world.tap("her", answer)
    graded = sorted(sorted(each.ratings.items()) for each in await world.ballots())
    assert graded[0] != graded[1]
    await forgotten(world, "her")
    assert len(await world.ballots()) == 1
    assert len(await roll(world)) == 2, "the roll must not tell who answered"
    assert "head" not in {who for who, *_ in await roll(world)}
    assert len(await world.read(lambda tx: tx.people())) == 1  # he


async def test_what_was_begun_by_the_poster_is_gone_on_with_under_the_name(world: World) -> None:
    await world.rate("her", "非常满意")
    await world.open("her", "link-head")
    reply = await world.tap("her", "继续")
    assert reply.question
    for answer in HAPPY[1:]:
        await world.tap("her", answer)
    assert len(await world.ballots()) == len(await roll(world)) == 1


async def test_a_poster_rating_of_whom_the_roll_knows_by_name_is_taken_back(
    known: World, database_url: str
) -> None:
    await known.rate("her", *HAPPY)
    before = await person(known, "her")
    linked = await known.open("her", "link-colleague")
    assert "一个人只算一次" in linked.text
    assert "户籍窗口" in linked.text
    assert await known.ballots() == []
    assert len(await roll(known)) == 2, "the roll must not tell who answered"
    assert before not in str(dumped(database_url))
    for answer in ("开始", *SOSO):
        await known.tap("her", answer)
    (ballot,) = await known.ballots()
    assert ballot.group is RaterGroup.PEER
    await forgotten(known, "her")
    assert await known.ballots() == []


async def test_only_what_the_name_is_not_asked_about_goes_along(known: World) -> None:
    await known.rate("her", *HAPPY)
    await known.rate("her", *SOSO, payload="office")
    await known.open("her", "link-colleague")
    (ballot,) = await known.ballots()
    assert ballot.subject == "office"
    named = {(who, subject) for who, subject, _ in await roll(known) if who == "colleague"}
    assert named == {("colleague", "desk"), ("colleague", "office")}
    tally = await known.close_wave(k=1)
    assert {cell.subject for cell in tally.cells} == {"office"}


async def test_a_name_that_rated_in_a_chat_it_has_no_more_keeps_that_voice(known: World) -> None:
    await known.open("her", "link-head")
    await known.rate("her", *HAPPY, payload=await visit(known))
    await known.open("her", "link-colleague")  # the same chat is another name now
    again = [Invite("again", "staff", "head")]
    await known.store.write(lambda tx: tx.put_invites(again))
    for payload in ("poster", await visit(known)):
        await known.rate("new", *SOSO, payload=payload)
    await known.open("new", "again")
    assert len(await known.ballots()) == 1


async def test_somebody_who_still_talks_from_another_chat_stays_who_they_are(world: World) -> None:
    await world.rate("her", *HAPPY)
    before = await person(world, "her")
    second = Chat(Address("test", "also"), before, "zh")
    await world.store.write(lambda tx: tx.put_chat(second))
    await world.open("her", "link-head")
    assert await world.read(lambda tx: tx.person(before)) is not None
    assert [who for who, *_ in await roll(world)] == [before]
    assert len(await world.ballots()) == 1


async def test_what_is_counted_stays_as_it_was_counted(world: World) -> None:
    await world.rate("her", *HAPPY)
    await world.close_wave(k=1)
    cells = await world.read(lambda tx: tx.cells("2026Q4"))
    await world.open("her", "link-head")
    assert await world.read(lambda tx: tx.cells("2026Q4")) == cells
    assert [each.id for each in await world.read(lambda tx: tx.people())] == ["head"]
