"""With the last answer that a wave asks for comes the thanks that may stand where it asked."""

from __future__ import annotations

from surveys.people import Address
from surveys.reply import Thanks
from tests.surveys.world import World


async def test_thanks_come_with_the_last_answer_of_a_wave_and_with_no_other(world: World) -> None:
    reply = await world.rate("a", payload="poster")
    assert reply.question
    while reply.question:
        assert reply.thanks is None
        before = reply.text
        reply = await world.type("a", "跳过" if "跳过" in before else "非常满意")
        assert reply.text != before, "it goes on"
    assert reply.thanks == Thanks("w", "满意度：您已答完，谢谢！")
    chat = await world.read(lambda tx: tx.chat(Address("test", "a")))
    assert await world.read(lambda tx: tx.assignments_left("w", chat.person)) == 0
