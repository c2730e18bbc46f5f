"""Both libraries, unmodified, over real HTTP: every method, every refusal, every shape."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import aiogram.methods
import aiogram.types as at
import aiohttp
import pytest
import telegram as pt
from aiogram import Bot
from aiogram import exceptions as ax
from pydantic import TypeAdapter
from telegram import error as px
from telegram.ext import ExtBot

from rehearsal.messages import User
from rehearsal.server import Served, serving
from rehearsal.telegram import Stage
from tests.rehearsal.conftest import TOKEN, UNHURRIED, Clock, aiogram_bot, ptb_bot
from tests.rehearsal.spec import SPECS, Spec

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 29, 31) + b"\x08\x00\x00\x00\x00"
AIOGRAM = {
    400: ax.TelegramBadRequest,
    401: ax.TelegramUnauthorizedError,
    403: ax.TelegramForbiddenError,
    404: ax.TelegramNotFound,
    409: ax.TelegramConflictError,
    429: ax.TelegramRetryAfter,
    500: ax.TelegramServerError,
    502: ax.TelegramServerError,
}
PTB = {
    400: px.BadRequest,
    401: px.InvalidToken,
    403: px.Forbidden,
    404: px.InvalidToken,
    409: px.Conflict,
    429: px.RetryAfter,
    500: px.NetworkError,
    502: px.NetworkError,
}


def aio_keys(*rows: list[tuple[str, str]]) -> at.InlineKeyboardMarkup:
    return at.InlineKeyboardMarkup(
        inline_keyboard=[
            [at.InlineKeyboardButton(text=text, callback_data=data) for text, data in row]
            for row in rows
        ]
    )


def ptb_keys(*rows: list[tuple[str, str]]) -> pt.InlineKeyboardMarkup:
    return pt.InlineKeyboardMarkup(
        [[pt.InlineKeyboardButton(text, callback_data=data) for text, data in row] for row in rows]
    )


async def tour_aiogram(bot: Bot, stage: Stage) -> None:
    """Every method once or more, each of which must succeed."""
    assert (await bot.get_me()).username == "rehearsal_bot"
    keys = aio_keys([("满意", "1:4"), ("不满意", "1:2")], [("返回", "1:b")])
    sent = await bot.send_message(1, "请评价 *窗口* 1_2", reply_markup=keys)
    assert sent.text == "请评价 *窗口* 1_2"
    assert sent.reply_markup
    assert sent.reply_markup.model_dump() == keys.model_dump()
    await bot.send_message(1, "<b>bold 😀</b> &amp; plain", parse_mode="HTML")
    edited = await bot.edit_message_text("Thank you", chat_id=1, message_id=sent.message_id)
    assert isinstance(edited, at.Message)
    assert edited.reply_markup is None
    await bot.edit_message_reply_markup(chat_id=1, message_id=sent.message_id, reply_markup=keys)
    photo = await bot.send_photo(1, at.BufferedInputFile(PNG, "qr.png"), caption="Scan me")
    assert photo.photo
    assert (photo.photo[0].width, photo.photo[0].height) == (29, 31)
    again = await bot.send_photo(1, photo.photo[0].file_id)
    assert again.photo
    assert again.photo[0].file_id == photo.photo[0].file_id
    document = await bot.send_document(1, at.BufferedInputFile("甲,1".encode(), "评分.csv"))
    assert document.document
    assert document.document.file_name == "评分.csv"
    file = await bot.get_file(document.document.file_id)
    assert file.file_path
    fetched = await bot.download_file(file.file_path)
    assert fetched
    assert fetched.read() == "甲,1".encode()
    audio = await bot.send_audio(1, at.BufferedInputFile(b"ID3", "题目.mp3"))
    assert audio.audio
    assert audio.audio.file_name == "题目.mp3"
    video = await bot.send_video(1, at.BufferedInputFile(b"ftyp", "film.mp4"))
    assert video.video
    assert (await bot.send_video(1, video.video.file_id)).video == video.video
    await bot.send_chat_action(1, "typing")
    stage.say(1, "/start u_abc")
    stage.press(1, label="满意")
    stage.block(1)
    stage.unblock(1)
    updates = await bot.get_updates(timeout=0)
    assert [update.event_type for update in updates] == [
        "message",
        "callback_query",
        "my_chat_member",
        "my_chat_member",
    ]
    query = updates[1].callback_query
    assert query
    assert query.data == "1:4"
    await query.answer("谢谢").as_(bot)
    commands = [at.BotCommand(command="help", description="帮助")]
    await bot.set_my_commands(commands, language_code="zh")
    known = await bot.get_my_commands(language_code="zh")
    assert [command.model_dump() for command in known] == [commands[0].model_dump()]
    assert await bot.get_my_commands() == []
    chat = await bot.get_chat(1)
    assert chat.first_name == "Wang Fang"
    assert await bot.delete_message(1, again.message_id)
    assert await bot.set_webhook("http://127.0.0.1:9/hook", secret_token="s")
    assert (await bot.get_webhook_info()).url == "http://127.0.0.1:9/hook"
    assert await bot.delete_webhook(drop_pending_updates=True)


async def tour_ptb(bot: ExtBot[None], stage: Stage) -> None:
    """The same tour for the other library."""
    assert (await bot.get_me()).username == "rehearsal_bot"
    keys = ptb_keys([("Satisfied", "1:4"), ("Dissatisfied", "1:2")], [("Back", "1:b")])
    sent = await bot.send_message(1, "How was it? 1_2", reply_markup=keys)
    assert sent.reply_markup == keys
    await bot.send_message(
        1, "entities 😀 bold", entities=[pt.MessageEntity(pt.MessageEntity.BOLD, 12, 4)]
    )
    edited = await bot.edit_message_text("Thank you", chat_id=1, message_id=sent.message_id)
    assert isinstance(edited, pt.Message)
    await bot.edit_message_reply_markup(chat_id=1, message_id=sent.message_id, reply_markup=keys)
    photo = await bot.send_photo(1, PNG, caption="Scan me")
    assert (photo.photo[0].width, photo.photo[0].height) == (29, 31)
    document = await bot.send_document(1, "甲,1".encode(), filename="评分.csv")
    assert document.document
    file = await bot.get_file(document.document.file_id)
    assert bytes(await file.download_as_bytearray()) == "甲,1".encode()
    audio = await bot.send_audio(1, b"ID3", filename="题目.mp3")
    assert audio.audio
    assert audio.audio.file_name == "题目.mp3"
    assert (await bot.send_video(1, b"ftyp", filename="film.mp4")).video
    await bot.send_chat_action(1, "typing")
    stage.say(1, "/start u_abc")
    stage.press(1, label="Satisfied")
    stage.block(1)
    stage.unblock(1)
    updates = await bot.get_updates(timeout=0)
    assert len(updates) == 4
    query = updates[1].callback_query
    assert query
    assert query.data == "1:4"
    assert await bot.answer_callback_query(query.id, "thanks")
    commands = [pt.BotCommand("help", "Help")]
    await bot.set_my_commands(commands)
    assert list(await bot.get_my_commands()) == commands
    chat = await bot.get_chat(1)
    assert chat.first_name == "Wang Fang"
    assert await bot.delete_message(1, sent.message_id)
    assert await bot.set_webhook("http://127.0.0.1:9/hook", secret_token="s")
    assert (await bot.get_webhook_info()).url == "http://127.0.0.1:9/hook"
    assert await bot.delete_webhook(drop_pending_updates=True)


async def test_aiogram_can_do_everything_it_needs(aio: Bot, stage: Stage) -> None:
    await tour_aiogram(aio, stage)


async def test_python_telegram_bot_can_do_everything_it_needs(
    ptb: ExtBot[None], stage: Stage
) -> None:
    await tour_ptb(ptb, stage)


PTB_TYPES: dict[str, type[pt.TelegramObject]] = {
    "getMe": pt.User,
    "getUpdates": pt.Update,
    "getWebhookInfo": pt.WebhookInfo,
    "sendMessage": pt.Message,
    "sendPhoto": pt.Message,
    "sendAudio": pt.Message,
    "sendVideo": pt.Message,
    "sendDocument": pt.Message,
    "editMessageText": pt.Message,
    "editMessageReplyMarkup": pt.Message,
    "getMyCommands": pt.BotCommand,
    "getFile": pt.File,
    "getChat": pt.ChatFullInfo,
}
EVERY_METHOD = {*PTB_TYPES, "setWebhook", "deleteWebhook", "sendChatAction", "deleteMessage"} | {
    "answerCallbackQuery",
    "setMyCommands",
}


def unknown_fields(decoded: pt.TelegramObject) -> list[str]:
    """What PTB's decoder did not know, at any depth."""
    found = list(decoded.api_kwargs)
    for name in decoded.to_dict(recursive=False):
        value = getattr(decoded, name, None)
        if isinstance(value, pt.TelegramObject):
            found += unknown_fields(value)
    return found


async def test_every_answer_fits_both_libraries_own_types(
    aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    await tour_aiogram(aio, stage)
    await tour_ptb(ptb, stage)
    calls = [call for call in stage.calls.kept if call.code == 200]
    assert {call.method for call in calls} == EVERY_METHOD
    for call in calls:
        name = call.method[0].upper() + call.method[1:]
        returning = getattr(aiogram.methods, name).__returning__
        TypeAdapter(returning).validate_json(call.result)
        raw = json.loads(call.result)
        if raw is True:
            assert call.method not in PTB_TYPES
            continue
        for item in raw if isinstance(raw, list) else [raw]:
            decoded = PTB_TYPES[call.method].de_json(item, ptb)
            assert decoded is not None
            assert unknown_fields(decoded) == []


@pytest.mark.parametrize("path", SPECS, ids=[path.name for path in SPECS])
async def test_every_call_and_answer_fits_the_specification(
    path: Path, aio: Bot, ptb: ExtBot[None], stage: Stage
) -> None:
    spec = Spec(path)
    await tour_aiogram(aio, stage)
    await tour_ptb(ptb, stage)
    faults = []
    for call in stage.calls.kept:
        faults += spec.parameter_faults(call.method, call.parameters)
        if call.code == 200:
            faults += spec.result_faults(call.method, json.loads(call.result))
    assert faults == []


@pytest.mark.parametrize("path", SPECS, ids=[path.name for path in SPECS])
def test_the_specification_check_sees_missing_unknown_and_wrong_fields(path: Path) -> None:
    spec = Spec(path)
    assert spec.result_faults("getMe", {"id": "1", "is_bot": True, "surprise": 1}) == [
        "getMe: first_name missing",
        "getMe.id: '1' is no Integer",
        "getMe: surprise unknown to User",
    ]
    assert spec.parameter_faults("sendMessage", {"chat_id": "1", "test": "x"}) == [
        "sendMessage: text missing",
        "sendMessage: test unknown",
    ]


LONG_ROWS = [[(f"{n}", f"{n}")] for n in range(101)]
REFUSALS: list[tuple[str, dict[str, Any], int, str]] = [
    ("send_message", {"chat_id": 99, "text": "x"}, 400, "chat not found"),
    ("send_message", {"chat_id": 2, "text": "x"}, 403, "bot can't initiate conversation"),
    ("send_message", {"chat_id": 3, "text": "x"}, 403, "bot was blocked by the user"),
    ("send_message", {"chat_id": 4, "text": "x"}, 403, "user is deactivated"),
    ("send_message", {"chat_id": 1, "text": " \n"}, 400, "message text is empty"),
    ("send_message", {"chat_id": 1, "text": "😀" * 2049}, 400, "message is too long"),
    ("send_message", {"chat_id": 1, "text": "a_b", "parse_mode": "Markdown"}, 400, "can't parse"),
    ("send_message", {"chat_id": 1, "text": "a.", "parse_mode": "MarkdownV2"}, 400, "reserved"),
    ("send_message", {"chat_id": 1, "text": "<x>", "parse_mode": "HTML"}, 400, "start tag"),
    ("send_message", {"chat_id": 1, "text": "k", "keys": [[("a", "满" * 22)]]}, 400, "BUTTON_DATA"),
    ("send_message", {"chat_id": 1, "text": "k", "keys": LONG_ROWS}, 400, "markup is too long"),
    (
        "send_message",
        {"chat_id": 1, "text": "k", "keys": [[("a", "a")] * 9]},
        400,
        "markup is too long",
    ),
    (
        "send_message",
        {"chat_id": 1, "text": "k", "keys": [[("满" * 4000, "a")]]},
        400,
        "markup is too long",
    ),
    ("edit_message_text", {"chat_id": 1, "message_id": 999, "text": "x"}, 400, "edit not found"),
    ("edit_message_text", {"chat_id": 1, "message_id": 1, "text": "hello"}, 400, "not modified"),
    ("edit_message_text", {"chat_id": 1, "message_id": 1, "text": "x" * 4097}, 400, "TOO_LONG"),
    ("edit_message_text", {"chat_id": 1, "message_id": 2, "text": "x"}, 400, "can't be edited"),
    ("edit_message_reply_markup", {"chat_id": 1, "message_id": 1}, 400, "not modified"),
    ("delete_message", {"chat_id": 1, "message_id": 999}, 400, "message to delete not found"),
    ("answer_callback_query", {"callback_query_id": "1"}, 400, "query is too old"),
    ("send_chat_action", {"chat_id": 1, "action": "dance"}, 400, "wrong parameter action"),
    ("send_chat_action", {"chat_id": 3, "action": "typing"}, 403, "blocked"),
    ("send_photo", {"chat_id": 1, "photo": "nowhere"}, 400, "wrong file identifier"),
    ("send_photo", {"chat_id": 1, "photo": "https://example.org/a.png"}, 400, "HTTP URL content"),
    ("send_audio", {"chat_id": 1, "audio": "nowhere"}, 400, "wrong file identifier"),
    ("get_file", {"file_id": "nothing"}, 400, "invalid file_id"),
    ("get_chat", {"chat_id": 99}, 400, "chat not found"),
    ("set_webhook", {"url": "https://example.org/hook"}, 400, "loopback"),
    ("set_webhook", {"url": "ftp://127.0.0.1/hook"}, 400, "invalid webhook URL"),
    ("set_webhook", {"url": "http://127.0.0.1:1/", "secret_token": "a b"}, 400, "unallowed"),
]


@pytest.mark.parametrize(("method", "given", "code", "text"), REFUSALS)
async def test_refusals_reach_both_libraries_as_their_own_exceptions(
    aio: Bot,
    ptb: ExtBot[None],
    stage: Stage,
    method: str,
    given: dict[str, Any],
    code: int,
    text: str,
) -> None:
    await aio.send_message(1, "hello")
    stage.say(1, "my own words")
    plain = {name: value for name, value in given.items() if name != "keys"}
    a, p = dict(plain), dict(plain)
    if "keys" in given:
        a["reply_markup"], p["reply_markup"] = aio_keys(*given["keys"]), ptb_keys(*given["keys"])
    with pytest.raises(AIOGRAM[code], match=text.replace("(", r"\(")):
        await getattr(aio, method)(**a)
    # PTB shortens what follows its own name of the status; upper or lower case as it comes.
    with pytest.raises(PTB[code], match=f"(?i){text}"):
        await getattr(ptb, method)(**p)


async def test_a_wrong_token_is_unauthorized_to_both(served: Served) -> None:
    aio, ptb = aiogram_bot(served.url, "123456:wrong"), ptb_bot(served.url, "123456:wrong")
    with pytest.raises(ax.TelegramUnauthorizedError, match="Unauthorized"):
        await aio.get_me()
    with pytest.raises(px.InvalidToken):
        await ptb.initialize()
    await aio.session.close()
    await ptb.request.shutdown()


async def test_an_unknown_method_is_not_found(aio: Bot, ptb: ExtBot[None]) -> None:
    with pytest.raises(ax.TelegramNotFound, match="method not found"):
        await aio.get_user_profile_photos(1)
    with pytest.raises(px.InvalidToken, match="method not found"):
        await ptb.get_user_profile_photos(1)


async def test_a_tap_can_be_answered_once_and_not_too_late(
    aio: Bot, stage: Stage, clock: Clock
) -> None:
    await aio.send_message(1, "grade?", reply_markup=aio_keys([("a", "a")]))
    first, second = stage.press(1, data="a"), stage.press(1, data="a")
    await aio.answer_callback_query(first)
    with pytest.raises(ax.TelegramBadRequest, match="query is too old"):
        await aio.answer_callback_query(first)
    clock.advance(200)
    with pytest.raises(ax.TelegramBadRequest, match="query is too old"):
        await aio.answer_callback_query(second)


async def test_parameters_may_come_by_query_form_multipart_or_json(
    served: Served, stage: Stage
) -> None:
    url = f"{served.url}/bot{TOKEN}/sendMessage"
    markup = {"inline_keyboard": [[{"text": "好", "callback_data": "1"}]]}
    told = {"chat_id": "1", "text": "你好 & 谢谢", "reply_markup": json.dumps(markup)}
    multipart = aiohttp.FormData(default_to_multipart=True)
    for name, value in told.items():
        multipart.add_field(name, value)
    async with aiohttp.ClientSession() as session:
        answers = [
            await (await session.get(url, params=told)).json(),
            await (await session.post(url, data=told)).json(),
            await (await session.post(url, data=multipart)).json(),
            await (await session.post(url, json={**told, "reply_markup": markup})).json(),
        ]
        headers = {"Content-Type": "application/json"}
        async with session.post(url, data=b"{", headers=headers) as broken:
            assert broken.status == 400
    for answer in answers:
        assert answer["ok"], answer
        assert answer["result"]["text"] == "你好 & 谢谢"
        assert answer["result"]["reply_markup"] == markup
    assert len(stage.chats[1].messages) == 4


async def test_too_many_messages_are_refused_with_the_seconds_to_wait(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    stage = Stage(TOKEN, clock)
    stage.add_user(User(1, "One", started=True))
    async with serving(stage) as served:
        aio, ptb = aiogram_bot(served.url), ptb_bot(served.url)
        await ptb.initialize()
        for _ in range(3):
            await aio.send_message(1, "burst")
        with pytest.raises(ax.TelegramRetryAfter) as refused:
            await aio.send_message(1, "one too many")
        assert refused.value.retry_after == 1
        with pytest.raises(px.RetryAfter) as delayed:
            await ptb.send_message(1, "one too many")
        assert str(delayed.value.retry_after) == "0:00:01"
        async with aiohttp.ClientSession() as session:
            url = f"{served.url}/bot{TOKEN}/sendMessage?chat_id=1&text=x"
            raw = await session.get(url)
            assert raw.headers["Retry-After"] == "1"
            assert await raw.json() == {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 1",
                "parameters": {"retry_after": 1},
            }
        clock.advance(1)
        await ptb.send_message(1, "after waiting")
        await aio.session.close()
        await ptb.shutdown()


async def test_the_stage_listens_on_loopback_only(clock: Clock) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        async with serving(Stage(TOKEN, clock, UNHURRIED), host="0.0.0.0"):
            pass


async def test_every_page_says_that_it_is_local_and_pretends(served: Served) -> None:
    async with aiohttp.ClientSession() as session:
        page = await (await session.get(served.url)).text()
        assert "on this machine only" in page
        assert "不是 Telegram" in page
        async with session.get(f"{served.url}/stage/counters") as counters:
            assert "local" in counters.headers["X-Rehearsal"]
        async with session.get(served.url, headers={"Host": "evil.example"}) as strange:
            assert strange.status == 400


async def test_many_callers_at_once_are_all_served(aio: Bot, stage: Stage) -> None:
    await asyncio.gather(*(aio.send_message(1, f"{n}") for n in range(100)))
    assert stage.calls.per_chat[1] == 100
    assert sorted(int(m.text) for m in stage.chats[1].messages.values()) == list(range(100))
