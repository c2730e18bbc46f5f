"""What somebody has given can be changed while its wave is open, each rating of several."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from surveys.cells import RaterGroup
from surveys.people import Relation
from surveys.phrasing import WORDS
from tests.surveys.world import World, found_world

WANG = "wang"
SATISFIED = ("满意", "满意", "满意")


def words(key: str, **arguments: object) -> str:
    return WORDS.say(key, "zh", **arguments)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    roll = [
        Relation(WANG, "desk", RaterGroup.SELF),
        Relation(WANG, "office", RaterGroup.PEER),
        Relation("li", "desk", RaterGroup.SELF),
    ]
    found = await found_world("sqlite://", tmp_path, groups=tuple(RaterGroup), roll=roll)
    yield found
    await found.store.close()


async def test_each_of_several_can_be_changed(world: World) -> None:
    last = await world.rate("w", "开始", *SATISFIED, *SATISFIED, payload=f"link-{WANG}")
    assert any(said.startswith(words("finished.next_self")) for said in world.heard) or (
        words("finished.self") in last.text
    )
    assert [button.label for row in last.rows for button in row] == [
        words("button.change"), words("button.change_other"),
    ]  # fmt: skip
    both = await world.tap("w", words("button.change_other"))
    assert both.text == words("given", count=2)
    assert [row[0].label for row in both.rows] == ["办公室", "户籍窗口"]
    assert (await world.type("w", "/change")).text == both.text
    before = await graded(world)
    for place, subject in (("户籍窗口", "desk"), ("办公室", "office")):
        await world.type("w", "/change")
        await world.tap("w", place)
        await world.tap("w", "不满意")
        while any(label == "跳过" for label, _ in world.drawn["w"]):
            await world.tap("w", "跳过")
        after = await graded(world)
        assert {each for each in after if after[each] != before[each]} == {subject}
        before = after


async def graded(world: World) -> dict[str, Mapping[str, int]]:
    """What the box holds, by subject."""
    return {ballot.subject: ballot.ratings for ballot in await world.ballots()}


async def test_a_self_assessment_is_never_said_to_be_secret(world: World) -> None:
    done = await world.rate("l", "开始", *SATISFIED, payload="link-li")
    assert words("finished.self") in done.text
    for said in ("/rate", "/change", "你好"):
        assert (await world.type("l", said)).text == words("finished.self")
