"""Photos, recordings and documents that go with a concern, from the chat to the reader's folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from concerns import desk
from concerns.intake import WORDS
from concerns.statement import Statement, packed, statement, unpacked
from minyi.saving import save
from surveys.files.attachments import KEEP, opened, read, sweep
from surveys.forms.form import Kind
from surveys.forms.xform import read_xform
from surveys.forms.xlsform import compile_xlsform
from tests.concerns.raising import STORY, begin, only, raise_concern
from tests.surveys.handing import medium, pdf, photo
from tests.surveys.world import NOW, World


async def with_file(world: World, kind: Kind, content: bytes, who: str = "a") -> None:
    await begin(world, who)
    await world.type(who, STORY)
    assert "-" in (await world.hand(who, kind, content)).text


async def said(world: World) -> Statement:
    concern = await only(world)
    (found,) = await world.read(lambda tx: desk.read(tx, world.keyring, concern))
    assert isinstance(found, Statement)
    return found


@pytest.mark.parametrize(
    ("kind", "content", "ext"),
    [
        (Kind.IMAGE, photo(), "jpg"),
        (Kind.AUDIO, medium("sound.ogg"), "ogg"),
        (Kind.VIDEO, medium("film.mp4"), "mp4"),
        (Kind.FILE, pdf(b"1 0 obj <<>> endobj"), "pdf"),
        (Kind.FILE, photo(), "jpg"),
    ],
)
async def test_evidence_reaches_the_reader_and_the_reader_alone(
    world: World, kind: Kind, content: bytes, ext: str
) -> None:
    await with_file(world, kind, content)
    found = await said(world)
    assert found.text == STORY
    ((name, token),) = desk.files(await only(world), [found])
    assert name == f"{(await only(world)).id}-1.{ext}"
    clean = await opened(world.vault, token)
    assert clean
    assert b"CANARY" not in clean
    (entry,) = await world.read(lambda tx: tx.entries(tx.concerns()[0].id))
    assert token.encode() not in entry.box
    with pytest.raises(CryptoError):
        SealedBox(PrivateKey(world.keyring.reader_secret("handler"))).decrypt(entry.box)


async def test_evidence_stays_when_what_nobody_sent_is_swept_away(world: World) -> None:
    await with_file(world, Kind.IMAGE, photo())
    await begin(world, "b")
    await world.type("b", STORY)
    later = (world.now + KEEP + timedelta(days=1)).date()
    assert await sweep(world.vault, world.store, later) == 0
    assert await opened(world.vault, (await said(world)).files[0])


async def test_a_file_swept_away_before_the_concern_was_sent_is_said_to_be_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep comes between the file and the end of its interview, a month later."""
    keep: Any = type(await world.read(lambda tx: tx)).keep_attachment

    def swept_first(tx: Any, attachment: str) -> bool:
        assert tx.drop_stale_attachments((NOW + KEEP).date()) == [attachment]
        return bool(keep(tx, attachment))

    monkeypatch.setattr("storage.transaction.SqlTransaction.keep_attachment", swept_first)
    await begin(world)
    await world.type("a", STORY)
    reply = await world.hand("a", Kind.IMAGE, photo())
    assert WORDS.say("lost", "zh") in reply.text
    assert "-" in reply.text, "the words went all the same"
    assert await said(world) == Statement("person", STORY)


async def test_a_box_does_not_tell_whether_a_file_lies_with_it(world: World) -> None:
    await raise_concern(world, "a", "短")
    await with_file(world, Kind.IMAGE, photo(), "b")
    await begin(world, "c")
    await world.type("c", "😀" * 1000)
    await world.hand("c", Kind.FILE, photo())
    sizes = await world.read(
        lambda tx: {len(e.box) for c in tx.concerns() for e in tx.entries(c.id)}
    )
    assert len(sizes) == 1


async def test_what_cannot_be_taken_is_asked_for_again_and_the_words_are_not_lost(
    world: World,
) -> None:
    await begin(world)
    await world.type("a", STORY)
    for content in (b"MZ\x90\0", b"", photo()[:100], bytes(10_000_001)):
        reply = await world.hand("a", Kind.FILE, content)
        assert reply.question
        assert reply.wants is Kind.FILE
    assert await world.read(lambda tx: (tx.concerns(), tx.attachments())) == ([], [])
    await world.hand("a", Kind.FILE, photo())
    assert (await said(world)).text == STORY


async def test_a_file_where_words_were_asked_for_is_not_kept(world: World) -> None:
    await begin(world)
    assert (await world.hand("a", Kind.IMAGE, photo())).question
    assert await world.read(lambda tx: tx.attachments()) == []


async def test_files_are_written_out_and_nothing_is_overwritten(
    world: World, tmp_path: Path
) -> None:
    await with_file(world, Kind.IMAGE, photo())
    concern, folder = await only(world), tmp_path / "out"
    found = [*desk.files(concern, [await said(world)])]
    await save(world.vault, found, folder)
    assert contents(folder) == {found[0][0]: await opened(world.vault, found[0][1])}
    before = contents(folder)
    with pytest.raises(FileExistsError):
        await save(world.vault, [("first.jpg", found[0][1]), *found], folder)
    assert contents(folder) == before, "all or none"
    gone = replace(read(found[0][1]), id="0" * 32).token
    with pytest.raises(LookupError):
        await save(world.vault, [("first.jpg", found[0][1]), ("gone.jpg", gone)], folder)
    assert contents(folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


TABLE = """
| survey | | | | |
| | type | name | label::中文 (zh) | label::English (en) |
| | text | words | 怎么了？ | What happened? |
| | select_one reader | reader | 谁看？ | Who reads? |
| | begin_repeat | person | 人 | Person |
| | integer | age | 年龄： | Age: |
| | select_multiple what | what | 什么？ | What? |
| | image | seen | 照片 | Photo |
| | end_repeat | | | |
| | hidden | secret | | |
| choices | | | | |
| | list_name | name | label::中文 (zh) | label::English (en) |
| | reader | handler | 专员 | Handler |
| | what | money | 钱 | Money |
| | what | time | 时间 | Time |
| settings | | |
| | form_title | default_language |
| | F | 中文 (zh) |
"""


def test_every_answer_and_every_file_goes_along() -> None:
    form = read_xform(compile_xlsform(TABLE.encode(), ".md", "f"), "f")
    values = {
        "/data/words": "两行\n字",
        "/data/reader": "handler",
        "/data/person[1]": "1",
        "/data/person[1]/age": "40",
        "/data/person[1]/what": "money time",
        "/data/person[1]/seen": "token1",
        "/data/person[2]/age": "",
        "/data/person[2]/seen": "token2",
        "/data/secret": "x",
        "/data/meta/instanceID": "y",
    }
    zh = statement(form, values, "zh")
    assert zh == Statement("person", "两行\n字\n年龄: 40\n什么？: 钱, 时间", ("token1", "token2"))
    assert statement(form, values, "en").text.endswith("Age: 40\nWhat?: Money, Time")
    assert unpacked(packed(zh)) == zh
    assert statement(form, {}, "zh") == Statement("person", "")


@pytest.mark.parametrize("plain", [b"", b"{}", b"[1]", "只是字".encode()])
def test_what_is_no_statement_is_told(plain: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        unpacked(plain)


async def test_a_box_that_holds_something_else_is_a_plain_sentence_at_the_desk(
    world: World,
) -> None:
    await raise_concern(world)
    concern = await only(world)
    await world.store.write(lambda tx: tx.add_entry(concern.id, "person", b"damaged"))
    with pytest.raises(desk.DeskError, match="does not open"):
        await world.read(lambda tx: desk.read(tx, world.keyring, concern))
