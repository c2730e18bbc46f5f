"""One visit, one rating: a link that the first chat opens, and that names nobody."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from desk.audit import Act, seal_key
from desk.visiting import make_visit_link
from storage import SqlStore
from surveys.campaigns import INVITE
from surveys.cells import RaterGroup
from surveys.dispositions import Disposition
from surveys.people import Address, Chat, Relation
from surveys.phrasing import Press
from surveys.reply import Opened, Tapped
from tests.surveys.world import NOW, World, converse, found_world

HAPPY = ("非常满意", "满意", "满意")
SOSO = ("满意", "满意", "非常满意")


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """An open wave that asks those who were served, and nobody on its roll."""
    made = await found_world(database_url, tmp_path)
    yield made
    await made.store.close()


async def visit(world: World, unit: str = "desk", hours: int = 336) -> str:
    """The token of a new link."""
    key = world.keyring.app_key()
    act = Act("operator:test", "operator:test", "terminal", world.now, seal_key(key))
    made = await world.store.write(lambda tx: make_visit_link(tx, act, key, unit, hours))
    return made.invite.token


def start(token: str) -> Tapped:
    """The button that the link leads to."""
    return Tapped(Press("u", token).data())


async def roll(world: World) -> list[tuple[str, str, RaterGroup]]:
    found = await world.read(lambda tx: tx.roll("w"))
    return [(each.person, each.subject, each.group) for each in found]


def dumped(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as whoever has a copy of the database reads them."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = {
            table: [
                dict(row._mapping) for row in connection.execute(text(f'SELECT * FROM "{table}"'))
            ]
            for table in inspect(engine).get_table_names()
        }
    engine.dispose()
    return found


async def test_whoever_was_served_rates_the_office_once(world: World) -> None:
    token = await visit(world)
    first = await world.open("her", token)
    assert first.question
    assert "户籍窗口" in first.text
    end = await world.rate("her", *HAPPY, payload=token)
    assert "密封投入票箱" in end.text
    (ballot,) = await world.ballots()
    assert (ballot.subject, ballot.group) == ("desk", RaterGroup.RECIPIENT)
    ((_, subject, group),) = await roll(world)
    assert (subject, group) == ("desk", RaterGroup.RECIPIENT)
    assert await world.read(lambda tx: tx.relations()) == []


async def test_the_same_chat_comes_back_and_changes_its_answer_and_it_counts_once(
    world: World,
) -> None:
    token = await visit(world)
    await world.rate("her", "非常满意", payload=token)
    await world.type("her", "暂停")
    again = await world.open("her", token)  # by the link, in the middle
    assert again.question
    for answer in HAPPY[1:]:
        await world.tap("her", answer)
    back = await world.open("her", token)  # and when all is said
    assert "可以修改" in back.text
    await world.tap("her", "修改我的回答")
    for answer in SOSO:
        await world.tap("her", answer)
    (ballot,) = await world.ballots()
    assert sorted(ballot.ratings.values()) == [4, 4, 5]
    assert len(await roll(world)) == 1


async def test_another_chat_finds_the_link_used_whether_or_not_it_was_answered(
    world: World,
) -> None:
    token = await visit(world)
    await world.open("her", token)
    await world.open("him")
    begun = await world.open("him", token)
    assert "已经用过了" in begun.text
    await world.rate("her", *HAPPY, payload=token)
    done = await world.open("him", token)
    assert done.text == begun.text
    press = world.button("her", "修改我的回答")
    stolen = await world.press("him", press)
    assert not stolen.question
    assert len(await world.ballots()) == 1


async def test_an_old_link_and_an_unknown_one_are_told_apart(world: World) -> None:
    token = await visit(world, hours=1)
    world.now = NOW + timedelta(hours=1)
    assert "过期了，您不用再做什么" in (await world.open("her", token)).text
    assert "不认识这个链接" in (await world.open("her", token[:-1])).text
    assert "不认识这个链接" in (await world.open("her", "\ud800")).text
    assert await roll(world) == []


async def test_what_was_opened_in_time_can_be_finished_after_the_link_has_expired(
    world: World,
) -> None:
    token = await visit(world, hours=1)
    await world.open("her", token)
    world.now = NOW + timedelta(hours=5)
    await world.rate("her", *HAPPY, payload=token)
    assert len(await world.ballots()) == 1


async def test_a_link_keeps_while_nobody_asks_and_works_when_a_wave_is_open(world: World) -> None:
    token = await visit(world, hours=60 * 24)
    world.now = NOW + timedelta(days=15)  # the wave has closed
    early = await world.open("her", token)
    assert "现在没有征求意见" in early.text
    assert "2027年2月10日" in early.text.replace(" ", "")
    assert await roll(world) == []
    world.now = NOW
    assert (await world.open("her", token)).question


async def test_a_link_is_not_spent_where_the_keys_of_the_wave_are_away(world: World) -> None:
    token = await visit(world)
    world.keyring.destroy_wave("w")
    assert "现在没有征求意见" in (await world.open("her", token)).text
    assert await roll(world) == []


@pytest.mark.parametrize(
    ("hint", "begun", "ended"),
    [
        ("zh", "不答完，原来的仍然有效", "以最后一次为准"),
        ("en", "Until you finish, the earlier ones count", "the last one counts"),
    ],
)
async def test_two_visits_of_one_person_are_one_voice_and_the_later_stands(
    world: World, hint: str, begun: str, ended: str
) -> None:
    happy, soso = ((5, 4, 4), (4, 4, 5))
    await world.open("her", hint=hint)
    grades = {5: "非常满意", 4: "满意"} if hint == "zh" else {5: "Very satisfied", 4: "Satisfied"}
    await world.rate("her", *(grades[each] for each in happy), payload=await visit(world))
    again = await world.open("her", await visit(world))
    assert begun in again.text
    assert [sorted(each.ratings.values()) for each in await world.ballots()] == [[4, 4, 5]]
    first = [each.ratings for each in await world.ballots()]
    for grade in soso:
        again = await world.tap("her", grades[grade])
    assert ended in again.text
    (ballot,) = await world.ballots()
    assert ballot.ratings != first[0]
    assert [subject for _, subject, _ in await roll(world)] == ["desk"]


async def test_the_links_of_one_person_give_another_units_rating_beside_it(world: World) -> None:
    for unit in ("desk", "desk", "office"):
        await world.rate("her", *HAPPY, payload=await visit(world, unit))
    assert Counter(each.subject for each in await world.ballots()) == {"desk": 1, "office": 1}
    places = [person for person, *_ in await roll(world)]
    assert len(set(places)) == 2, "nothing joins what one person said of two offices"


async def test_whoever_makes_links_cannot_fill_up_k_with_themselves(world: World) -> None:
    for _ in range(4):
        await world.rate("maker", *SOSO, payload=await visit(world))
    await world.rate("her", *HAPPY, payload=await visit(world))
    tally = await world.close_wave(k=5)
    assert [cell for cell in tally.cells if cell.subject == "desk"] == []
    assert [each.answered for each in tally.turnout] == [None]


async def test_the_poster_and_a_visit_are_one_voice_whichever_came_first(world: World) -> None:
    await world.rate("her", *HAPPY)
    again = await world.open("her", await visit(world))
    assert "从头再答一遍" in again.text
    for answer in SOSO:
        await world.tap("her", answer)
    await world.rate("him", *HAPPY, payload=await visit(world))
    known = await world.open("him", "poster")
    assert "可以修改" in known.text
    assert len(await world.ballots()) == len(await roll(world)) == 2


async def test_whoever_is_asked_by_name_about_that_office_has_one_voice(
    database_url: str, tmp_path: Path
) -> None:
    peer = [Relation("colleague", "desk", RaterGroup.PEER)]
    world = await found_world(database_url, tmp_path, roll=peer)
    await world.store.write(lambda tx: tx.put_chat(Chat(Address("test", "her"), "colleague", "zh")))
    await world.rate("her", *HAPPY, payload=await visit(world))
    assert await roll(world) == [("colleague", "desk", RaterGroup.PEER)]
    assert [each.group for each in await world.ballots()] == [RaterGroup.PEER]
    await world.store.close()


async def test_before_the_press_a_used_link_and_a_new_one_look_alike_to_a_rater(
    world: World,
) -> None:
    used, new = await visit(world), await visit(world)
    await world.rate("him", *HAPPY, payload=used)
    own = await visit(world)

    async def seen() -> set[tuple[str, int]]:
        shown = [(await world.hear("maker", Opened(link)))[-1] for link in (used, new)]
        return {(each.text, len(each.rows)) for each in shown}

    await world.open("maker", own)
    assert len(await seen()) == 1
    for answer in HAPPY:
        await world.tap("maker", answer)
    assert len(await seen()) == 1


async def test_a_second_link_is_used_up_by_the_press_that_rates_anew(world: World) -> None:
    await world.rate("her", *HAPPY, payload=await visit(world))
    second = await visit(world)
    assert (await world.open("her", second)).question
    assert "已经用过了" in (await world.open("him", second)).text


async def test_two_chats_at_the_same_moment_get_one_rating(world: World, database_url: str) -> None:
    other = SqlStore(database_url)
    ways = (world.conversation, converse(other, world.keyring))
    for number in range(8):
        token = await visit(world)
        replies = await asyncio.gather(
            *(
                way.receive(Address("test", f"{number}.{side}"), start(token), NOW, hint="zh")
                for side, way in enumerate(ways * 2)
            )
        )
        asked = [each[-1].question for each in replies]
        assert sorted(asked) == [False, False, False, True]
    await other.close()
    assert len(await roll(world)) == 8


async def test_one_chat_that_taps_twice_at_the_same_moment_gets_its_interview(
    world: World, database_url: str
) -> None:
    other = SqlStore(database_url)
    ways = (world.conversation, converse(other, world.keyring))
    for number in range(5):
        token, her = await visit(world), f"her{number}"
        await world.open(her)
        replies = await asyncio.gather(
            *(way.receive(Address("test", her), start(token), NOW) for way in ways)
        )
        assert [each[-1].question for each in replies] == [True, True]
    await other.close()
    assert len(await roll(world)) == 5


async def test_a_copy_of_the_database_joins_neither_link_nor_person_to_a_rating(
    world: World, database_url: str
) -> None:
    tokens = [await visit(world) for _ in range(12)]
    for number, token in enumerate(tokens):
        world.now = NOW + timedelta(minutes=number)
        await world.rate(f"chat{number}", *(HAPPY if number % 2 else SOSO), payload=token)
    held = dumped(database_url)
    people = {row["id"] for row in held["people"]}
    chats = {value for row in held["chats"] for value in row.values()}
    links = {row["digest"] for row in held["visits"]}
    asked = {row["person"] for row in held["assignments"]}
    begun = {row["id"] for row in held["interviews"]}
    assert len(asked) == len(begun) == len(links) == 12
    assert {row["person"] for row in held["interviews"]} == asked
    assert not asked & (people | chats | links)
    assert not begun & (people | chats | links)  # nobody is in an interview any more
    assert held["relations"] == []
    assert held["deliveries"] == []
    whole = str(held)
    assert not [token for token in tokens if token in whole]
    moments = {str(row["touched_at"]) for row in held["interviews"]}
    assert len(moments) == 1  # the day
    assert len({str(row["expires_at"]) for row in held["visits"]}) == 1  # the full hour


async def test_nobody_is_written_to_because_of_a_visit(world: World) -> None:
    token = await visit(world)
    await world.rate("her", "非常满意", payload=token)
    person = await world.read(lambda tx: tx.chat(Address("test", "her")).person)
    await world.store.write(lambda tx: tx.put_chat(Chat(Address("telegram", "77"), person, "zh")))
    assert await world.store.write(lambda tx: tx.draw_deliveries("w", (INVITE, NOW))) == 0
    fates = await world.read(lambda tx: tx.dispositions("w"))
    assert fates == {Disposition.BREAK_OFF: 1}


async def test_who_is_asked_by_name_as_well_is_not_led_on_from_a_visit(
    database_url: str, tmp_path: Path
) -> None:
    peer = [Relation("colleague", "office", RaterGroup.PEER)]
    world = await found_world(database_url, tmp_path, roll=peer)
    await world.store.write(lambda tx: tx.put_chat(Chat(Address("test", "her"), "colleague", "zh")))
    (end,) = (await world.rate("her", *HAPPY, payload=await visit(world)),)
    assert not end.question
    assert end.thanks is None  # their own invitation stands as it was
    assert len(await world.ballots()) == 1
    assert len(await world.read(lambda tx: tx.open_assignments("colleague", NOW))) == 1
    await world.store.close()


async def test_whoever_is_forgotten_takes_their_visits_along(world: World) -> None:
    token, other = await visit(world), await visit(world)
    await world.rate("her", *HAPPY, payload=token)
    await world.rate("him", *HAPPY, payload=other)
    before = await roll(world)
    await world.type("her", "/forget")
    await world.tap("her", "是，忘记我")
    assert len(await world.ballots()) == 1
    after = await roll(world)
    assert len(after) == 2  # the roll must not tell who answered
    assert len({person for person, *_ in after} & {person for person, *_ in before}) == 1
    assert "已经用过了" in (await world.open("her", token)).text


async def test_a_forgotten_place_is_of_one_kind_with_a_visitors(world: World) -> None:
    await world.rate("her", *HAPPY, payload=await visit(world))
    await world.rate("him", *HAPPY)
    for who in ("her", "him"):
        await world.type(who, "/forget")
        await world.tap(who, "是，忘记我")
    await world.rate("guest", *HAPPY, payload=await visit(world))
    assert all(re.fullmatch("[0-9a-f]{32}", person) for person, *_ in await roll(world))
    assert len(await roll(world)) == 3


async def test_what_was_said_before_a_staff_link_is_forgotten_and_changed_after_it(
    world: World,
) -> None:
    for who, payload in (("her", await visit(world)), ("him", await visit(world))):
        await world.rate(who, *HAPPY, payload=payload)
    old = await roll(world)
    await world.open("her", "link-head")
    assert len(set(await roll(world)) & set(old)) == 1
    await world.rate("her", *SOSO, payload=await visit(world))
    assert len(await roll(world)) == 2
    counts = sorted(sorted(each.ratings.items()) for each in await world.ballots())
    assert counts[0] != counts[1]
    await world.type("her", "/forget")
    await world.tap("her", "是，忘记我")
    assert len(await world.ballots()) == 1
    assert len(await roll(world)) == 2


async def test_what_was_begun_before_a_staff_link_is_gone_on_with_after_it(world: World) -> None:
    token = await visit(world)
    await world.rate("her", "非常满意", payload=token)
    await world.open("her", "link-head")
    assert (await world.open("her", token)).question
    for answer in HAPPY[1:]:
        await world.tap("her", answer)
    tally = await world.close_wave(k=1)
    assert [cell.counts for cell in tally.cells if cell.indicator == "service"] == [(0, 0, 0, 0, 1)]


async def test_whom_a_staff_link_makes_known_as_asked_already_keeps_one_voice(
    database_url: str, tmp_path: Path
) -> None:
    peer = [Relation("colleague", "desk", RaterGroup.PEER)]
    world = await found_world(database_url, tmp_path, roll=peer)
    await world.rate("her", *HAPPY, payload=await visit(world))
    linked = await world.open("her", "link-colleague")
    assert "一个人只算一次" in linked.text
    assert "户籍窗口" in linked.text
    assert await world.ballots() == []
    assert len(await roll(world)) == 2  # it must not tell who answered
    for answer in ("开始", *HAPPY):
        await world.tap("her", answer)
    (ballot,) = await world.ballots()
    assert ballot.group is RaterGroup.PEER
    await world.store.close()


async def test_once_counted_each_visit_stands_in_the_cell_once_and_its_link_is_dead(
    world: World, database_url: str
) -> None:
    tokens = [await visit(world) for _ in range(7)]
    for number, token in enumerate(tokens):
        await world.rate(f"chat{number}", *HAPPY, payload=token)
        await world.rate(f"chat{number}", payload=token)  # again, and nothing comes of it
        await world.rate(f"thief{number}", payload=token)
    await world.rate("late", "非常满意", payload=await visit(world))  # does not finish
    tally = await world.close_wave(k=5)
    cells = {cell.indicator: cell.counts for cell in tally.cells if cell.subject == "desk"}
    assert cells["service"] == (0, 0, 0, 0, 7)
    (turnout,) = tally.turnout
    assert (turnout.subject, turnout.group, turnout.asked) == ("desk", RaterGroup.RECIPIENT, 8)
    held = dumped(database_url)
    assert held["interviews"] == held["assignments"] == held["ballots"] == []
    for who in ("chat0", "late", "new"):
        reply = await world.open(who, tokens[0])
        assert "现在没有征求意见" in reply.text, "not whether it was opened"
        assert not reply.question


async def test_a_program_that_opens_the_link_to_look_at_it_uses_nothing_up(world: World) -> None:
    token = await visit(world)
    seen = (await world.hear("scanner", Opened(token)))[-1]
    assert not seen.question
    assert "户籍窗口" in seen.text
    assert await roll(world) == []
    assert (await world.open("her", token)).question
    after = (await world.hear("scanner", Opened(token)))[-1]
    assert after.text == seen.text, "whether it was used is told only to whoever presses"
