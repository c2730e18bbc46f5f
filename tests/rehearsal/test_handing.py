"""What people do besides typing and pressing: they edit, share places and hand over files."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import aiogram.types as at
import aiohttp
import pytest
import telegram as pt
from aiogram import Bot
from aiogram import exceptions as ax
from telegram.ext import ExtBot

from rehearsal.faults import Fault
from rehearsal.refusals import StageMistake
from rehearsal.samples import JPEG, SAMPLES
from rehearsal.server import Served
from rehearsal.stored import HANDED, Place
from rehearsal.telegram import Stage
from tests.rehearsal.spec import SPECS, Spec
from tests.rehearsal.test_bot_api import unknown_fields
from tests.rehearsal.test_stage_process import Director


def act_out(stage: Stage) -> None:
    """Everything once."""
    stage.say(1, "三")
    stage.edit(1, "/help 四")
    stage.locate(1, Place(31.2304, 121.4737, 12.5))
    stage.locate(1, Place(31.2304, 121.4737, title="People's Square"))
    walk = stage.locate(1, Place(31.2, 121.4, live=900))
    stage.locate(1, Place(31.3, 121.4, live=900), walk.message_id)
    for kind in HANDED:
        content = JPEG if kind == "photo" else f"a {kind}".encode()
        stage.hand(1, kind, content, name=f"我的.{kind}", caption="please")


@pytest.mark.parametrize("path", SPECS, ids=[path.name for path in SPECS])
async def test_every_act_fits_the_specification_and_both_libraries(
    path: Path, aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    act_out(stage)
    spec = Spec(path)
    waiting = [json.loads(update.body) for update in stage.updates.all()]
    assert spec.result_faults("getUpdates", waiting) == []
    theirs = await aio.get_updates(timeout=0)
    kinds = [u.event_type for u in theirs]
    assert kinds == ["message", "edited_message", *["message"] * 3, "edited_message"] + [
        "message" for _ in HANDED
    ]
    for raw in waiting:
        decoded = pt.Update.de_json(raw, ptb)
        assert unknown_fields(decoded) == []
        at.Update.model_validate(raw)


async def test_edits_places_and_files_reach_the_bot_as_they_are_sent(
    aio: Bot, stage: Stage
) -> None:
    act_out(stage)
    said, edited, place, venue, walk, moved, photo, *rest = [
        u.message or u.edited_message for u in await aio.get_updates(timeout=0)
    ]
    assert said
    assert edited
    assert place
    assert venue
    assert walk
    assert moved
    assert photo
    assert (said.message_id, said.text) == (edited.message_id, "三")
    assert (edited.text, bool(edited.edit_date)) == ("/help 四", True)
    assert edited.entities
    assert edited.entities[0].type == "bot_command"
    assert place.location
    assert place.location.horizontal_accuracy == 12.5
    assert venue.venue
    assert venue.content_type == "venue"
    assert walk.location
    assert walk.location.live_period == 900
    assert moved.location
    assert moved.location.latitude == 31.3
    assert photo.photo
    assert [size.width for size in photo.photo] == [1, 8]
    assert photo.caption == "please"
    assert [message.content_type for message in rest if message] == list(HANDED[1:])


@pytest.mark.parametrize("kind", HANDED)
async def test_a_file_comes_back_byte_for_byte_to_both_libraries(
    kind: str, aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    content = JPEG if kind == "photo" else bytes(range(256)) * 1000
    message = stage.hand(1, kind, content)
    assert message.file
    fetched = await aio.download(message.file.file_id)
    assert fetched
    assert fetched.read() == content
    file = await ptb.get_file(message.file.file_id)
    assert bytes(await file.download_as_bytearray()) == content


async def test_a_file_above_the_limit_is_announced_and_not_given(aio: Bot, stage: Stage) -> None:
    stage.hand(1, "document", b"x" * (stage.limits.download_bytes + 1), name="film.bin")
    (update,) = await aio.get_updates(timeout=0)
    assert update.message
    assert update.message.document
    assert update.message.document.file_size == 20 * 1024 * 1024 + 1
    with pytest.raises(ax.TelegramBadRequest, match="file is too big"):
        await aio.get_file(update.message.document.file_id)


async def test_a_download_can_fail_and_be_cut(aio: Bot, stage: Stage) -> None:
    message = stage.hand(1, "voice", b"OggS")
    assert message.file
    stage.faults.add(Fault("download", 502))
    stage.faults.add(Fault("download", drop_response=True))
    with pytest.raises(aiohttp.ClientResponseError):
        await aio.download(message.file.file_id)
    with pytest.raises(aiohttp.ClientPayloadError):
        await aio.download(message.file.file_id)
    fetched = await aio.download(message.file.file_id)
    assert fetched
    assert fetched.read() == b"OggS"


def test_what_no_app_lets_people_do_is_a_mistake(stage: Stage) -> None:
    photo = stage.hand(1, "photo", JPEG)
    for act in (
        lambda: stage.edit(1, "nothing said yet"),
        lambda: stage.edit(1, "a photo has no words", photo.message_id),
        lambda: stage.hand(1, "photo", b"no picture"),
        lambda: stage.hand(1, "hologram", b"x"),
        lambda: stage.hand(1, "document", b""),
        lambda: stage.locate(1, Place(31, 121), photo.message_id),
        lambda: Place(91, 0),
        lambda: Place(0, 0, accuracy=-1),
    ):
        with pytest.raises(StageMistake):
            act()


async def test_a_director_in_another_process_edits_locates_and_hands(served: Served) -> None:
    async with aiohttp.ClientSession() as session:
        director = Director(served.url, session)
        said = await director.post("say", {"user": 1, "text": "three"})
        assert await director.post("edit", {"user": 1, "text": "four"}) == said
        await director.post("locate", {"user": 1, "latitude": 31.2, "longitude": 121.5})
        picture = b64encode(JPEG).decode()
        await director.post("hand", {"user": 1, "kind": "photo", "content": picture})
        lines = (await director.get("transcript?user=1"))["messages"]
        assert [line["text"] for line in lines] == ["four", "", ""]
        assert lines[1]["place"] == [31.2, 121.5]
        assert lines[2]["file"] == {"kind": "photo", "name": "", "bytes": len(JPEG)}
        wrongs: list[tuple[str, dict[str, Any]]] = [
            ("edit", {"text": "whose?"}),
            ("locate", {"user": 1, "latitude": 31.2}),
            ("hand", {"user": 1, "kind": "photo", "content": "*"}),
            ("hand", {"user": 1, "kind": "song", "content": picture}),
        ]
        for path, body in wrongs:
            assert (await director.post(path, body))["error"]
            assert director.status == 400


def test_the_samples_are_what_they_say() -> None:
    starts = {
        "photo": b"\xff\xd8",
        "voice": b"OggS",
        "video": b"\0\0\0\x18ftyp",
        "document": b"%PDF",
    }
    assert {kind: SAMPLES[kind].content[: len(start)] for kind, start in starts.items()} == starts


async def test_a_chat_can_be_looked_at_with_its_pictures_files_places_and_buttons(
    served: Served, aio: Bot, stage: Stage
) -> None:
    keys = at.InlineKeyboardMarkup(
        inline_keyboard=[[at.InlineKeyboardButton(text="5 <非常满意>", callback_data="5")]]
    )
    await aio.send_photo(1, at.BufferedInputFile(JPEG, "map.jpg"))
    await aio.send_message(1, "a < b & c", reply_markup=keys)
    stage.hand(1, "document", b"%PDF-1.4", name="<letter>.pdf")
    stage.locate(1, Place(31.2304, 121.4737))
    stage.say(1, "three")
    stage.edit(1, "four")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{served.url}/stage/chat?user=1") as answer:
            shown = await answer.text()
        async with session.get(f"{served.url}/stage/chat?user=99") as nobody:
            assert nobody.status == 400
    for part in (
        "not Telegram",
        f"data:image/jpeg;base64,{b64encode(JPEG).decode()}",
        "a &lt; b &amp; c",
        "<span>5 &lt;非常满意&gt;</span>",
        "📄 &lt;letter&gt;.pdf",
        "📍 31.2304, 121.4737",
        "four <small>✎</small>",
    ):
        assert part in shown
