"""/forget: asked once, done at once, and nothing of the person is found anywhere afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from storage import SqlStore
from surveys.campaigns import INVITE, Outcome
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Relation
from tests.surveys.test_dump import files
from tests.surveys.world import HEAD, NOW, World, found_world

HAPPY = ("非常满意", "满意", "满意")
ROLL = [Relation(f"colleague{n}", "office", RaterGroup.PEER) for n in range(6)]
CHAT = "7700123456"
WANG = "e0017"
NAME = "欧阳雪"
LINK = "link-e0017"
HER = "chat-of-her"


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """欧阳雪 and six colleagues on the roll; she has a chat in Telegram as well."""
    roll = [*ROLL, Relation(WANG, "office", RaterGroup.PEER),
            Relation(WANG, "desk", RaterGroup.PEER)]  # fmt: skip
    made = await found_world(database_url, tmp_path, roll=roll)

    def more(tx: Any) -> None:
        tx.put_people([replace(HEAD, id=WANG, name=NAME, unit="office", tags=("windows",))])
        tx.put_chat(Chat(Address("telegram", CHAT), WANG, "zh"))
        tx.put_chat(Chat(Address("test", HER), WANG, "zh"))
        tx.draw_deliveries("w", (INVITE, NOW))
        tx.draw_deliveries("w", ("remind-1", NOW + timedelta(days=3)))

    await made.store.write(more)
    yield made
    await made.store.close()


def everywhere(url: str, *needles: str) -> list[tuple[str, str]]:
    """(table, row) of every row, as text, in which one of ``needles`` stands."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    found = []
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                said = " ".join(
                    bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v)
                    for v in row
                )
                if any(each in said for each in needles):
                    found.append((table, said))
    engine.dispose()
    return found


async def asked(world: World) -> int:
    return int(await world.read(lambda tx: sum(tx.dispositions("w").values())))


async def test_it_asks_once_and_keeps_everything_for_whoever_says_no(world: World) -> None:
    await world.open(HER, LINK)
    reply = await world.type(HER, "/forget")
    assert "删除" in reply.text
    assert "/stop" in reply.text
    assert [button.label for row in reply.rows for button in row] == ["是，忘记我", "不，都留着"]
    kept = await world.tap(HER, "不，都留着")
    assert kept.text.startswith("好的，什么都没有删除。")
    assert await world.read(lambda tx: tx.person(WANG).name) == NAME


async def test_nothing_of_the_person_is_left_in_any_table(world: World, database_url: str) -> None:
    await world.rate(HER, "开始", *HAPPY, payload=LINK)
    for words in ("/concern", "其他", "监督部门", "没有人管", "跳过"):
        await world.type(HER, words)
    await world.type(HER, "/concern")  # and one that is never finished
    needles = (WANG, NAME, HER, CHAT)
    tables = {table for table, _ in everywhere(database_url, *needles)}
    assert {"people", "chats", "relations", "invites", "assignments", "interviews",
            "deliveries"} <= tables  # fmt: skip
    before = await asked(world)
    await world.type(HER, "忘记我")
    reply = await world.tap(HER, "是，忘记我")
    assert "已经忘记您" in reply.text
    assert everywhere(database_url, *needles) == []
    assert await world.read(lambda tx: tx.chat(Address("test", HER))) is None
    assert await asked(world) == before == 7
    (concern,) = await world.read(lambda tx: tx.concerns())
    assert len(await world.read(lambda tx: tx.entries(concern.id))) == 1
    assert await world.read(lambda tx: tx.loose_interviews("concern")) == []


async def test_her_ballots_go_and_those_of_others_are_counted(world: World) -> None:
    for number in range(6):
        await world.rate(f"c{number}", "开始", *HAPPY, payload=f"link-colleague{number}")
    await world.rate(HER, "开始", *HAPPY, *HAPPY, payload=LINK)
    assert len(await world.boxes()) == 8
    await world.type(HER, "/forget")
    await world.tap(HER, "是，忘记我")
    assert len(await world.boxes()) == 6
    counted = await world.close_wave()
    assert (counted.ballots, counted.spoiled) == (6, 0)
    (office,) = [each for each in counted.turnout if each.subject == "office"]
    assert (office.asked, office.answered) == (7, 6)


async def test_messages_not_sent_are_moot_and_one_being_sent_is_still_noted(world: World) -> None:
    (taken,) = await world.store.write(
        lambda tx: tx.claim_deliveries(NOW, NOW + timedelta(minutes=1), 10)
    )
    assert await world.store.write(lambda tx: tx.begin_delivery(taken.id, NOW))
    await world.open(HER, LINK)
    await world.type(HER, "/forget")
    await world.tap(HER, "是，忘记我")
    counts = await world.read(lambda tx: tx.delivery_counts("w"))
    assert sorted(counts) == [(INVITE, Outcome.DUE, 1), ("remind-1", Outcome.MOOT, 1)]
    later = NOW + timedelta(minutes=2)
    await world.store.write(lambda tx: tx.note_delivery(taken.id, Outcome.DUE, "429", at=later))
    claim = await world.store.write(
        lambda tx: tx.claim_deliveries(later, later + timedelta(minutes=1), 10)
    )
    assert claim == []


async def test_the_button_is_good_for_that_person_and_once(world: World) -> None:
    await world.open(HER, LINK)
    await world.type(HER, "/forget")
    yes = world.button(HER, "是，忘记我")
    await world.open("other", "link-colleague1")
    await world.press("other", yes)
    assert await world.read(lambda tx: tx.person("colleague1")) is not None
    await world.press(HER, yes)
    again = await world.press(HER, yes)
    assert "已经忘记您" not in again.text
    someone = await world.read(lambda tx: tx.person(tx.chat(Address("test", HER)).person))
    assert (someone.name, someone.opted_out) == ("", False)


async def test_a_window_can_be_rated_anew_by_somebody_new(world: World) -> None:
    await world.rate("guest", *HAPPY)
    await world.type("guest", "/forget")
    await world.tap("guest", "是，忘记我")
    assert await world.boxes() == []
    await world.rate("guest", *HAPPY)
    counted = await world.close_wave()
    assert (counted.ballots, counted.spoiled) == (1, 0)


async def test_nothing_lies_in_the_file_or_its_log_after_a_scrub(
    sqlite_url: str, tmp_path: Path
) -> None:
    world = await found_world(sqlite_url, tmp_path)
    name = "欧阳CANARY"
    await world.store.write(lambda tx: tx.put_people([replace(HEAD, name=name)]))
    await world.open(HER, "link-head")
    await world.type(HER, "/forget")
    await world.tap(HER, "是，忘记我")
    await world.store.scrub(people=True)
    dump = files(tmp_path)
    assert name.encode() not in dump
    assert b"link-head" not in dump
    await world.store.close()


async def test_postgres_rewrites_the_tables_on_a_scrub(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    await store.write(lambda tx: tx.put_people([HEAD]))
    await store.write(lambda tx: tx.drop_person("head"))
    await store.scrub(people=True)
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        size = connection.execute(text("SELECT pg_relation_size('people')")).scalar()
    engine.dispose()
    await store.close()
    assert size == 0
