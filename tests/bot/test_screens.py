"""What stands on the screen: one message with live buttons, pictures once, nothing twice."""

from __future__ import annotations

import pytest

from bot.screens import Screen, Screens
from rehearsal.faults import Fault
from rehearsal.limits import Limits
from rehearsal.messages import Message, User
from rehearsal.samples import JPEG
from rehearsal.telegram import Stage
from storage.store import SqlStore
from surveys.reply import Medium
from tests.bot.stage import Clock, Counting, buttoned, people, polling, seen, telegram, until

Live = tuple[Stage, str]
PHOTO = Medium("image", "form", "map.jpg")


def bots(stage: Stage, person: int = 7) -> list[Message]:
    return [m for m in stage.chats[person].messages.values() if m.from_bot]


def shown(stage: Stage, person: int = 7) -> list[str]:
    """The bot's messages, top to bottom: words, or the kind of file."""
    return [m.file.kind if m.file else m.text for m in bots(stage, person)]


async def settled(stage: Stage) -> None:
    """Wait until the bot has confirmed, and so answered, everything."""
    await until(lambda: not stage.updates.all())


async def test_typing_leaves_no_wall_of_old_buttons(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    async with polling(url, Counting(store), store, clock):
        for number in range(1, 5):
            stage.say(7, f"answer {number}")
            await until(lambda n=number: len(seen(stage, 7)) == n)  # type: ignore[misc]
            await settled(stage)
            assert buttoned(stage, 7) == [bots(stage)[-1].message_id]
    assert seen(stage, 7) == [f"question {n}" for n in range(1, 5)]


async def test_a_question_asked_again_after_words_not_understood_has_the_only_buttons(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    core = Counting(store)
    core.unclear = {"hm"}
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: bots(stage))
        stage.say(7, "hm")
        await until(lambda: len(bots(stage)) == 2)
        await settled(stage)
        assert seen(stage, 7) == ["question 1", "question 1"]
        assert buttoned(stage, 7) == [bots(stage)[1].message_id]
        stage.press(7, label="Next")
        await settled(stage)
    assert seen(stage, 7) == ["question 1", "question 2"]  # what is live is edited in place
    assert buttoned(stage, 7) == [bots(stage)[1].message_id]


async def test_a_stale_press_is_answered_below_and_leaves_one_question_live(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    async with polling(url, Counting(store), store, clock):
        stage.say(7, "/start")
        await until(lambda: bots(stage))
        first = bots(stage)[0].message_id
        stage.say(7, "typed")
        await until(lambda: len(bots(stage)) == 2)
        await settled(stage)
        stage.press(7, data="1", message_id=first, stale=True)  # a slow client still shows it
        await until(lambda: len(bots(stage)) == 3)
        await settled(stage)
        assert seen(stage, 7) == ["question 1", "question 2", "question 2"]
        assert buttoned(stage, 7) == [bots(stage)[2].message_id]
        stage.press(7, label="Next")
        await settled(stage)
    assert seen(stage, 7) == ["question 1", "question 2", "question 3"]


async def test_an_old_message_that_kept_its_buttons_loses_them_when_pressed(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    stage.faults.add(Fault("editMessageReplyMarkup", 400))
    async with polling(url, Counting(store), store, clock):
        stage.say(7, "/start")
        await until(lambda: bots(stage))
        stage.say(7, "typed")
        await until(lambda: len(bots(stage)) == 2)
        await settled(stage)
        first, second = (m.message_id for m in bots(stage))
        assert buttoned(stage, 7) == [first, second]  # Telegram refused: it is let go
        stage.press(7, data="1", message_id=first)
        await until(lambda: len(bots(stage)) == 3)
        await settled(stage)
    assert buttoned(stage, 7) == [bots(stage)[2].message_id]


async def test_buttons_that_telegram_could_not_take_off_now_are_taken_off_next_time(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    stage.faults.add(Fault("editMessageReplyMarkup", 429, retry_after=3))
    async with polling(url, Counting(store), store, clock):
        for words in ("/start", "typed"):
            stage.say(7, words)
            await until(lambda w=words: len(bots(stage)) == 1 + (w == "typed"))  # type: ignore[misc]
            await settled(stage)
        assert len(buttoned(stage, 7)) == 2
        stage.press(7, data="2")
        await settled(stage)
    assert seen(stage, 7) == ["question 1", "question 3"]
    assert buttoned(stage, 7) == [bots(stage)[1].message_id]


async def test_a_message_from_elsewhere_below_is_edited_and_the_older_one_loses_its_buttons(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    core = Counting(store)
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: bots(stage))
        await settled(stage)
        # an invitation, sent by another process
        invitation = stage.new_message(stage.chats[7], from_bot=True, text="Please rate")
        invitation.keyboard = bots(stage)[0].keyboard
        stage.press(7, data="1", message_id=invitation.message_id)
        await settled(stage)
    assert seen(stage, 7) == ["question 1", "question 2"]
    assert buttoned(stage, 7) == [invitation.message_id]


async def test_a_long_reply_carries_its_buttons_at_the_end_only(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    core = Counting(store)
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: bots(stage))
        core.words = "A long sentence, question {turn}. " * 200
        stage.press(7, label="Next")
        await until(lambda: len(bots(stage)) == 2)
        await settled(stage)
        assert buttoned(stage, 7) == [bots(stage)[1].message_id]
        core.words = "question {turn}"
        stage.press(7, label="Next")
        await settled(stage)
    assert seen(stage, 7)[1] == "question 3"
    assert buttoned(stage, 7) == [bots(stage)[1].message_id]


async def test_a_question_s_media_stand_above_its_words_once_and_go_over_the_line_once(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    stage.add_user(User(8, "Li", "en", started=True))
    core = Counting(store)
    core.unclear = {"hm"}
    core.shows = {1: (PHOTO, Medium("audio", "form", "it.mp3"), Medium("video", "form", "it.mp4"))}
    core.kept = {("form", "map.jpg"): JPEG, ("form", "it.mp3"): b"ID3", ("form", "it.mp4"): b"ftyp"}
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: shown(stage) == ["photo", "audio", "video", "question 1"])
        stage.say(7, "hm")  # the same place: the same question again
        await until(lambda: shown(stage)[4:] == ["question 1"])
        stage.say(8, "/start")
        await until(lambda: shown(stage, 8) == ["photo", "audio", "video", "question 1"])
    names = [m.file.name for m in bots(stage) if m.file]
    assert names == ["map.jpg", "it.mp3", "it.mp4"]
    assert len(stage.files) == 3  # for the second person by their ids
    assert bots(stage)[0].file == bots(stage, 8)[0].file
    assert bots(stage)[0].file.content == JPEG  # type: ignore[union-attr]


async def test_a_press_that_leads_to_a_picture_goes_on_below_it(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    core = Counting(store)
    core.shows, core.kept = {2: (PHOTO,)}, {("form", "map.jpg"): JPEG}
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: bots(stage))
        stage.press(7, label="Next")
        await until(lambda: len(bots(stage)) == 3)
        await settled(stage)
        assert shown(stage) == ["question 1", "photo", "question 2"]
        assert buttoned(stage, 7) == [bots(stage)[2].message_id]
        stage.press(7, data="1", message_id=bots(stage)[0].message_id, stale=True)
        await until(lambda: len(bots(stage)) == 4)
        await settled(stage)
    assert shown(stage) == ["question 1", "photo", "question 2", "question 2"]


async def test_a_picture_that_telegram_cannot_draw_is_sent_as_a_file_and_a_lost_one_is_left_out(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    core = Counting(store)
    core.shows = {1: (Medium("image", "form", "plan.svg"), Medium("image", "form", "lost.png"))}
    core.kept = {("form", "plan.svg"): b"<svg/>"}
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: shown(stage) == ["document", "question 1"])


async def test_a_file_id_that_telegram_has_forgotten_is_replaced(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    stage.add_user(User(8, "Li", "en", started=True))
    core = Counting(store)
    core.shows, core.kept = {1: (PHOTO,)}, {("form", "map.jpg"): JPEG}
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: len(shown(stage)) == 2)
        stage.files.clear()
        stage.say(8, "/start")
        await until(lambda: shown(stage, 8) == ["photo", "question 1"])


async def test_too_many_requests_in_the_middle_repeat_nothing_that_was_said(
    store: SqlStore, clock: Clock
) -> None:
    core = Counting(store)
    core.words = "A long sentence, question {turn}. " * 300
    core.shows, core.kept = {1: (PHOTO,)}, {("form", "map.jpg"): JPEG}
    async with telegram(clock, Limits(overall=0, per_chat=1.0, chat_burst=2)) as (stage, url):
        people(stage, 7)
        async with polling(url, core, store, clock, sleep=clock.sleep):
            stage.say(7, "/start")
            await until(lambda: len(bots(stage)) == 4)
            await settled(stage)
        refused = [call for call in stage.calls.kept if call.code == 429]
    assert refused
    assert clock.slept
    assert [m.file.kind if m.file else "words" for m in bots(stage)] == ["photo", *["words"] * 3]
    assert "".join(m.text for m in bots(stage)).count("question 1") == 300
    assert len(core.heard) == 1


async def test_after_a_restart_nothing_is_known_and_everything_works(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    core = Counting(store)
    core.unclear = {"hm"}
    async with polling(url, core, store, clock):
        stage.say(7, "/start")
        await until(lambda: bots(stage))
    async with polling(url, core, store, clock):
        stage.say(7, "hm")
        await until(lambda: len(bots(stage)) == 2)
        await settled(stage)
        first, second = buttoned(stage, 7)  # nobody remembers the first
        stage.press(7, data="1", message_id=second)
        await until(lambda: seen(stage, 7)[1] == "question 2")
        stage.press(7, data="1", message_id=first)
        await until(lambda: len(bots(stage)) == 3)
        await settled(stage)
    assert seen(stage, 7) == ["question 1", "question 2", "question 2"]
    assert buttoned(stage, 7) == [bots(stage)[2].message_id]
    async with polling(url, core, store, clock):
        stage.press(7, data="2", message_id=bots(stage)[2].message_id)
        await settled(stage)
    assert seen(stage, 7)[2] == "question 3"
    assert buttoned(stage, 7) == [bots(stage)[2].message_id]


async def test_any_order_of_typing_pressing_and_stale_presses_leaves_one_live_keyboard(
    live_url: Live, store: SqlStore, clock: Clock
) -> None:
    stage, url = live_url
    core = Counting(store)
    core.unclear = {"hm"}
    acts = "tptsuptssptuspsut"
    async with polling(url, core, store, clock):
        for act in acts:
            match act:
                case "t":
                    stage.say(7, "words")
                case "u":
                    stage.say(7, "hm")
                case "p":
                    stage.press(7, label="Next")
                case "s":
                    oldest = next(m for m in bots(stage) if m.former or m.keyboard)
                    stage.press(7, label="Next", message_id=oldest.message_id, stale=True)
            await settled(stage)
            assert buttoned(stage, 7) == [max(buttoned(stage, 7))], act
    assert len(core.heard) == len(acts)


def test_the_record_is_bounded_and_forgets_who_was_heard_longest_ago() -> None:
    screens = Screens(most=2)
    for chat in (1, 2, 1, 3):
        screens.keep(chat, Screen((chat,)))
    assert len(screens) == 2
    assert screens.of(2) == Screen()
    assert screens.of(1).live == (1,)


@pytest.mark.parametrize(
    ("screen", "message", "past"),
    [(Screen(), 5, False), (Screen((6,)), 5, True), (Screen((5,)), 5, False)],
)
def test_a_message_is_past_only_where_newer_buttons_are_known(
    screen: Screen, message: int, past: bool
) -> None:
    assert screen.is_past(message) is past


@pytest.fixture
def live_url(live: Live) -> Live:
    people(live[0], 7)
    return live
