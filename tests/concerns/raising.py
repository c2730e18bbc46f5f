"""How people in these tests raise a concern."""

from __future__ import annotations

import re

from concerns.store import StoredConcern
from tests.surveys.forms import shipped
from tests.surveys.world import World

STORY = "主任让我们交“份子钱”😡"


def choice(question: str, name: str) -> str:
    """What the button of this choice says."""
    choices = shipped("concern").question(f"/data/{question}").choices
    return next(choice.label["zh"] for choice in choices if choice.name == name)


async def begin(world: World, who: str = "a") -> None:
    """From the first button to the question for words."""
    await world.type(who, "/concern")
    await world.tap(who, choice("kind", "other"))
    await world.tap(who, choice("reader", "oversight"))


async def raise_concern(world: World, who: str = "a", words: str = STORY) -> str:
    """From the first button to the receipt, as shown; without a file."""
    await begin(world, who)
    await world.type(who, words)
    reply = await world.type(who, "跳过")
    (receipt,) = re.findall(r"\d{4}-\d{4}-\d{4}-\d{4}", reply.text)
    return str(receipt)


async def only(world: World) -> StoredConcern:
    """The one concern in the store."""
    (concern,) = await world.read(lambda tx: tx.concerns())
    assert isinstance(concern, StoredConcern)
    return concern
