"""What people do in Telegram arrives in the core as what they meant by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.files import TRIES
from rehearsal.faults import Fault
from rehearsal.samples import JPEG
from rehearsal.stored import Place
from rehearsal.telegram import Stage
from storage.store import SqlStore
from surveys.forms.form import Kind
from surveys.people import Address
from surveys.reply import Handed, Heard, Located, Tapped, Typed
from tests.bot.stage import Clock, Counting, people, polling, seen, until

Live = tuple[Stage, str]


def said(core: Counting) -> list[Heard]:
    return [heard for _, heard, _ in core.heard]


async def test_stickers_are_wordless_and_service_messages_groups_and_moves_are_nothing(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    sender = {"id": 7, "is_bot": False, "first_name": "P", "language_code": "en"}
    private = {"id": 7, "type": "private", "first_name": "P"}
    message = {"message_id": 5, "date": 1, "from": sender, "chat": private}
    group = {"id": -5, "type": "group", "title": "G"}
    dice = {"emoji": "🎲", "value": 3}
    async with polling(url, core, store, clock):
        stage.updates.put_raw({"message": {**message, "chat": group, "text": "/start"}})
        late = {**message, "chat": group, "edit_date": 2, "text": "late"}
        stage.updates.put_raw({"edited_message": late})
        stage.updates.put_raw({"message": {**message, "delete_chat_photo": True}})
        walk = stage.locate(7, Place(31.2, 121.5, live=900))
        stage.locate(7, Place(31.3, 121.5, live=900), walk.message_id)
        stage.updates.put_raw({"message": {**message, "dice": dice}})
        await until(lambda: len(core.heard) == 2)
    assert said(core) == [Located(31.2, 121.5), Typed("")]


async def test_an_edited_message_is_the_same_words_amended(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with polling(url, core, store, clock):
        first = stage.say(7, "three")
        await until(lambda: len(core.heard) == 1)
        stage.edit(7, "four")
        stage.edit(7, "/help@rehearsal_bot me")
        await until(lambda: len(core.heard) == 3)
    assert said(core) == [
        Typed("three"),
        Typed("four", amended=True),
        Typed("/help me", amended=True),
    ]
    assert {heard.event for heard in said(core) if isinstance(heard, Typed)} == {first.message_id}
    assert "edited_message" in (stage.updates.allowed or ())


async def test_a_place_and_a_venue_are_heard_with_their_accuracy(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with polling(url, core, store, clock):
        here = stage.locate(7, Place(31.2304, 121.4737, 12.5))
        stage.locate(7, Place(31.2304, 121.4737, title="People's Square"))
        await until(lambda: len(core.heard) == 2)
    assert said(core) == [Located(31.2304, 121.4737, 12.5), Located(31.2304, 121.4737)]
    first = said(core)[0]
    assert isinstance(first, Located)
    assert first.event == here.message_id


HANDED: list[tuple[str, str, str, Kind, str]] = [
    ("photo", "me.jpg", "", Kind.IMAGE, ""),
    ("voice", "", "", Kind.AUDIO, ""),
    ("audio", "song.mp3", "", Kind.AUDIO, "song.mp3"),
    ("video", "film.mp4", "", Kind.VIDEO, "film.mp4"),
    ("video_note", "", "", Kind.VIDEO, ""),
    ("animation", "cat.mp4", "", Kind.VIDEO, "cat.mp4"),
    ("document", "证明.pdf", "application/pdf", Kind.FILE, "证明.pdf"),
    ("document", "scan.png", "image/png", Kind.IMAGE, "scan.png"),
    ("document", "memo.ogg", "audio/ogg", Kind.AUDIO, "memo.ogg"),
    ("document", "clip.mov", "video/quicktime", Kind.VIDEO, "clip.mov"),
]


@pytest.mark.parametrize(("sent", "name", "mime", "kind", "named"), HANDED)
async def test_a_file_is_handed_over_with_its_kind_name_size_and_bytes(
    live: Live,
    store: SqlStore,
    clock: Clock,
    sent: str,
    name: str,
    mime: str,
    kind: Kind,
    named: str,
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    content = JPEG if sent == "photo" else bytes(range(256)) * 300
    async with polling(url, core, store, clock):
        message = stage.hand(7, sent, content, name=name, mime=mime, caption="here it is")
        await until(lambda: seen(stage, 7) == ["question 1"])
    (heard,) = said(core)
    assert isinstance(heard, Handed)
    assert (heard.kind, heard.name, heard.size) == (kind, named, len(content))
    assert heard.event == message.message_id
    assert core.fetched == [content]  # of a photo the large one
    assert stage.chats[7].actions == 1


async def test_more_than_was_asked_for_is_refused_unread(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    core.limit = 1000
    async with polling(url, core, store, clock):
        stage.hand(7, "document", b"x" * 1001)
        await until(lambda: core.fetched)
    assert core.fetched == ["1001 bytes; at most 1000"]
    assert ("getFile", 200) not in stage.calls.by


async def test_a_file_that_is_larger_than_telegram_said_is_cut_off(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    core.limit = 100_000
    stage.faults.add(Fault("download", delay=0.2))
    async with polling(url, core, store, clock):
        file = stage.hand(7, "document", b"small").file
        assert file
        await until(lambda: stage.faults.used)
        stage.files[file.file_id] = replace(file, content=b"x" * 1_000_000)
        await until(lambda: core.fetched)
    assert core.fetched == ["more than 100000 bytes"]


async def test_what_telegram_will_not_give_is_told_to_the_core(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    core.limit = 1 << 30
    stage.faults.add(Fault("download", 404))
    async with polling(url, core, store, clock):
        stage.hand(7, "video", b"x" * (20 * 1024 * 1024 + 1))
        stage.hand(7, "document", b"expired")
        await until(lambda: len(core.heard) == 2)
        lost = stage.hand(7, "document", b"lost")
        assert lost.file
        del stage.files[lost.file.file_id]
        await until(lambda: len(core.heard) == 3)
    assert core.fetched == [
        "20971521 bytes; at most 1073741824",
        "Telegram no longer has this file",
        "Telegram does not give this file",
    ]
    assert not await store.read(lambda tx: tx.dead_letters())


async def test_while_telegram_is_away_the_file_is_fetched_later_and_answered_once(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    stage.faults.add(Fault("getFile", 502, times=3))
    stage.faults.add(Fault("getFile", 429, retry_after=1))
    stage.faults.add(Fault("sendChatAction", 500))
    stage.faults.add(Fault("download", 503, times=3))
    stage.faults.add(Fault("download", drop_response=True))
    async with polling(url, core, store, clock):
        stage.hand(7, "photo", JPEG)
        await until(lambda: seen(stage, 7) == ["question 1"])
    assert core.fetched == [JPEG]
    assert len(core.heard) == 1
    assert not stage.updates.all()
    assert not await store.read(lambda tx: tx.dead_letters())


async def test_one_file_that_never_comes_does_not_hold_up_what_follows_for_ever(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    stage.faults.add(Fault("download", 503, times=0))
    async with polling(url, core, store, clock):
        stage.hand(7, "photo", JPEG)
        stage.say(7, "hello")
        await until(lambda: len(core.heard) == 2)
    assert core.fetched == [f"the file did not come in {TRIES} tries"]
    assert stage.faults.used == TRIES


async def test_of_two_messages_sent_before_the_reply_the_second_is_hasty(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    gate, inside = asyncio.Event(), asyncio.Event()

    async def hold(address: Address, heard: Heard) -> None:
        inside.set()
        await gate.wait()

    core.before = hold
    async with polling(url, core, store, clock):
        stage.say(7, "yes")
        await inside.wait()
        stage.say(7, "very much")
        stage.say(7, "/help")  # a command answers no question
        gate.set()
        await until(lambda: len(core.heard) == 3)
        await until(lambda: len(seen(stage, 7)) == 3)
        stage.say(7, "at leisure")
        await until(lambda: len(core.heard) == 4)
        stage.edit(7, "changed")
        await until(lambda: len(core.heard) == 5)
    assert said(core) == [
        Typed("yes"),
        Typed("very much", hasty=True),
        Typed("/help"),
        Typed("at leisure"),
        Typed("changed", amended=True),
    ]


async def test_words_written_before_a_press_put_another_question_into_its_place_are_not_hasty(
    live: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live
    people(stage, 7)
    core = Counting(store)
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: seen(stage, 7) == ["question 1"])
        stage.press(7, label="Next")
        stage.say(7, "who can tell")
        await until(lambda: len(core.heard) == 3)
    assert said(core)[1:] == [Tapped("1"), Typed("who can tell")]
