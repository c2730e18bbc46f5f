from __future__ import annotations

import pytest
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from concerns import desk
from concerns.intake import RECEIPT, WORDS, grouped, notice, receipt_hash, reply_address
from concerns.store import State
from storage import FileKeyring
from surveys.people import Address
from surveys.typed.understand import TEXT_LIMIT
from tests.concerns.raising import STORY, begin, choice, only, raise_concern
from tests.surveys.world import World


async def answer(world: World, text: str = "正在核实，谢谢。") -> None:
    concern = await only(world)
    await world.store.write(lambda tx: desk.answer(tx, world.keyring, concern, text))


async def test_before_a_word_is_written_it_is_said_who_may_read_it(world: World) -> None:
    reply = await world.type("a", "反映问题")
    assert reply.question
    assert reply.text.startswith(WORDS.say("preface", "zh"))


async def test_a_concern_is_sealed_to_the_reader_that_was_chosen(world: World) -> None:
    await raise_concern(world)
    concern = await only(world)
    assert (concern.reader, concern.state) == ("oversight", State.RECEIVED)
    (entry,) = await world.read(lambda tx: tx.entries(concern.id))
    assert STORY.encode() not in entry.box
    for reader in ("handler", "leader"):
        with pytest.raises(CryptoError):
            SealedBox(PrivateKey(world.keyring.reader_secret(reader))).decrypt(entry.box)
    (statement,) = await world.read(lambda tx: desk.read(tx, world.keyring, concern))
    assert (statement.author, statement.text) == ("person", STORY)


async def test_short_and_long_concerns_lie_in_boxes_of_one_size(world: World) -> None:
    for who, words in (("a", "短"), ("b", "长" * TEXT_LIMIT), ("c", "😀" * TEXT_LIMIT)):
        await raise_concern(world, who, words)
    sizes = await world.read(
        lambda tx: {len(e.box) for c in tx.concerns() for e in tx.entries(c.id)}
    )
    assert len(sizes) == 1


async def test_words_too_long_are_asked_for_again_and_nothing_is_lost(world: World) -> None:
    await begin(world)
    assert (await world.type("a", "字" * (TEXT_LIMIT + 1))).question
    assert await world.read(lambda tx: tx.concerns()) == []
    await world.type("a", "字" * TEXT_LIMIT)
    assert "-" in (await world.tap("a", "跳过")).text


async def test_the_receipt_finds_the_answer_from_another_chat(world: World) -> None:
    receipt = await raise_concern(world)
    waiting = (await world.type("b", receipt)).text
    assert waiting == WORDS.say("state.received", "zh")
    await answer(world)
    assert "正在核实，谢谢。" in (await world.type("b", receipt)).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("-", ""),
        ("-", " "),
        ("-", " - "),
        ("-", "—"),
        ("0123456789-", "０１２３４５６７８９－"),
    ],
)
async def test_a_receipt_is_understood_however_it_is_typed(
    world: World, before: str, after: str
) -> None:
    receipt = await raise_concern(world)
    await answer(world)
    typed = "".join(
        after[before.index(c)] if len(before) > 1 and c in before else after if c == before else c
        for c in receipt
    )
    assert "正在核实" in (await world.type("b", f" {typed}\n")).text


async def test_nobody_finds_a_concern_without_its_receipt(world: World) -> None:
    receipt = await raise_concern(world)
    await answer(world)
    concern = await only(world)
    last = "1" if receipt.endswith("0") else "0"
    for guess in (
        receipt[:-1] + last,
        concern.id,
        concern.receipt_hash.hex(),
        "0" * 16,
        receipt[:9],
    ):
        for heard in (await world.type("b", guess), await world.press("b", f"n:{guess}:0:0")):
            assert "正在核实" not in heard.text


async def test_the_notice_says_only_that_there_is_news_and_its_button_shows_it(
    world: World,
) -> None:
    await raise_concern(world)
    await answer(world, "纪检组已介入")
    concern = await only(world)
    told = notice(concern, "zh")
    assert told.text == WORDS.say("notice.text", "zh")
    ((button,),) = told.rows
    for word in ("纪检", concern.kind, concern.reader, STORY):
        assert word not in told.text + button.label + button.data
    assert "纪检组已介入" in (await world.press("a", button.data)).text
    assert "纪检组已介入" not in (await world.press("b", button.data)).text


async def test_the_address_is_sealed_and_opens_with_our_key(world: World) -> None:
    await raise_concern(world, "chat-of-a")
    concern = await only(world)
    assert b"chat-of-a" not in concern.reply_to
    assert reply_address(concern, world.keyring) == (Address("test", "chat-of-a"), "zh")


async def test_a_concern_in_mid_interview_leaves_the_interview_as_it_was(world: World) -> None:
    await world.rate("a", "非常满意", "满意")
    await raise_concern(world)
    assert (await world.type("a", "继续")).question
    await world.type("a", "满意")
    assert (await world.ballots())[0].ratings == {"service": 5, "speed": 4, "attitude": 4}


async def test_a_concern_needs_words_and_can_be_put_off(world: World) -> None:
    await begin(world)
    assert (await world.type("a", "跳过")).question
    await world.type("a", "暂停")
    assert await world.read(lambda tx: tx.concerns()) == []
    await world.tap("a", "继续")
    await world.type("a", STORY)
    assert "-" in (await world.tap("a", "跳过")).text
    assert len(await world.read(lambda tx: tx.concerns())) == 1


async def test_somebody_elses_unfinished_concern_cannot_be_touched(world: World) -> None:
    await world.type("a", "/concern")
    data = world.button("a", choice("kind", "other"))
    await world.open("b")
    assert not (await world.press("b", data)).question
    assert (await world.press("a", data)).question


async def test_an_answer_that_no_longer_opens_is_said_to_be_so(world: World) -> None:
    receipt = await raise_concern(world)
    concern = await only(world)
    await world.store.write(lambda tx: tx.add_entry(concern.id, "handler", b"damaged"))
    assert WORDS.say("unreadable", "zh") in (await world.type("a", receipt)).text


def test_a_receipt_is_sixteen_digits_in_fours_and_its_hash_needs_our_key(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    assert grouped("1234567890123456") == "1234-5678-9012-3456"
    assert RECEIPT.fullmatch("1234567890123456")
    one, other = (FileKeyring(tmp_path_factory.mktemp("keys")) for _ in range(2))
    hashes = {receipt_hash(r, keys) for r in ("1" * 16, "2" * 16) for keys in (one, other)}
    assert len(hashes) == 4
