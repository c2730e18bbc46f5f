from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from storage import FileKeyring, SqlStore
from surveys.campaigns import WaveState
from surveys.cells import RaterGroup, Tally
from surveys.people import Address, Invite, Relation
from surveys.phrasing import WORDS
from surveys.reply import Opened, Tapped, Typed
from tests.surveys.forms import form_of, shipped
from tests.surveys.world import NOW, World, converse, found_world

GOOD = ("非常满意", "满意", "满意")


def words(key: str, language: str = "zh", **arguments: object) -> str:
    return WORDS.say(key, language, **arguments)


THANKS = words("finished")


async def test_a_poster_leads_from_the_first_question_to_a_sealed_ballot(world: World) -> None:
    first = await world.open("a", "poster")
    assert first.question
    assert "户籍窗口" in first.text
    assert words("privacy.short", k=5) in first.text
    last = await world.rate("a", *GOOD)
    assert last.text == THANKS
    (ballot,) = await world.ballots()
    assert (ballot.subject, ballot.group) == ("desk", RaterGroup.RECIPIENT)
    assert ballot.ratings == {"service": 5, "speed": 4, "attitude": 4}


async def test_the_dissatisfied_are_asked_why_and_typed_words_do(world: World) -> None:
    await world.rate(
        "a", "不满意", "等得太久", "窗口太少😀", "说不好", "返回", "不满意", "基本满意"
    )
    (ballot,) = await world.ballots()
    assert ballot.ratings == {"service": 2, "speed": 2, "attitude": 3}
    assert ballot.reasons == {"why": ("waiting",)}
    assert ballot.remark == "窗口太少😀"


async def test_an_unknown_link_still_leaves_somebody_to_talk_to(world: World) -> None:
    reply = await world.open("a", "nonsense")
    assert reply.text == words("link.unknown")
    assert (await world.tap("a", "反映问题")).question


@pytest.mark.parametrize("payload", ["\x00", "a\x00b", "x" * 5000, "😀", "../..", "poster\n"])
async def test_a_strange_payload_does_no_harm(world: World, payload: str) -> None:
    assert (await world.open("a", payload)).text


@pytest.mark.parametrize(
    "data",
    ["", ":", "a", "a:b:c:d", "a:x:²:0", "a:x:0:²", "g:\x00:0:0", "n:\x00:0:0", "a:x:-1:0",
     "a:x:" + "9" * 5000 + ":0", "zz:x:0:0", "g:w:0:0:0", "l:fr:0:0", "m:nonsense:0:0"],
)  # fmt: skip
async def test_a_forged_button_does_no_harm(world: World, data: str) -> None:
    await world.open("a", "poster")
    reply = await world.press("a", data)
    assert reply.question
    assert await world.boxes() == []


@pytest.mark.parametrize(
    "words", ["/", "/ @x", "/@bot", "//", "/\x00", "/nonsense", "\x00", "\ud800"]
)
async def test_strange_words_do_no_harm(world: World, words: str) -> None:
    assert (await world.type("a", words)).text
    await world.open("a", "poster")
    assert await world.hear("a", Typed(words))


async def test_whoever_makes_a_second_link_reads_and_answers_nothing_of_a_colleague(
    world: World,
) -> None:
    await world.open("a", "link-head")
    await world.rate("a", "非常满意", payload="poster")
    await world.store.write(lambda tx: tx.put_invites([Invite("again", "staff", "head")]))
    refused = await world.open("mallory", "again")
    assert refused.text == words("link.later")
    assert not refused.question, "nothing of the interview is shown"
    invite = await world.read(lambda tx: tx.invite("again"))
    assert invite is not None
    assert not invite.used, "it works once the survey has been counted"
    wave = await world.read(lambda tx: tx.wave("w"))
    await world.store.write(lambda tx: tx.put_wave(replace(wave, closes_at=NOW)))
    closed = await world.open("mallory", "again")
    assert closed.text == words("link.later"), "what was begun may still be gone on with"
    await world.store.write(lambda tx: tx.record_tally("w", wave.period, Tally()))
    assert "王芳" in (await world.open("mallory", "again")).text
    owners = await world.read(
        lambda tx: {who: tx.chat(Address("test", who)).person for who in ("a", "mallory")}
    )
    assert owners["mallory"] == "head"
    assert owners["a"] != "head", "the first chat has lost the name, and its owner notices"


async def test_a_personal_link_whose_time_is_over_binds_nobody(world: World) -> None:
    late = Invite("late", "staff", "head", expires_at=NOW)
    await world.store.write(lambda tx: tx.put_invites([late]))
    assert (await world.open("a", "late")).text == words("link.expired")
    chat = await world.read(lambda tx: tx.chat(Address("test", "a")))
    assert chat is None or chat.person != "head"


async def test_a_personal_link_binds_one_chat_and_no_second(world: World) -> None:
    first = await world.open("a", "link-head")
    assert "王芳" in first.text
    assert (await world.open("b", "link-head")).text == words("link.used")
    assert "王芳" in (await world.open("a", "link-head")).text
    found = await world.read(
        lambda tx: [tx.chat(Address("test", who)).person == "head" for who in "ab"]
    )
    assert found == [True, False]


async def test_stop_means_no_more_invitations_until_somebody_returns(world: World) -> None:
    await world.open("a", "poster")

    async def opted_out() -> bool:
        me = Address("test", "a")
        return bool(await world.read(lambda tx: tx.person(tx.chat(me).person).opted_out))

    assert (await world.type("a", "/stop")).text == words("stopped")
    assert await opted_out()
    assert words("rejoined") in (await world.tap("a", "重新参加")).text
    assert not await opted_out()
    await world.type("a", "/stop")
    await world.type("a", "/start")
    assert not await opted_out()


async def test_pause_and_resume_keep_every_answer(world: World) -> None:
    await world.rate("a", "非常满意", "满意")
    assert (await world.type("a", "暂停")).text == words("paused")
    assert not (await world.look("a")).question
    assert (await world.tap("a", "继续")).question
    await world.type("a", "以后再说")
    assert "态度" in (await world.type("a", "继续")).text
    await world.tap("a", "满意")
    assert (await world.ballots())[0].ratings == {"service": 5, "speed": 4, "attitude": 4}


async def test_changing_the_language_in_mid_interview_asks_the_same_question(world: World) -> None:
    await world.rate("a", "非常满意")
    reply = await world.type("a", "/language")
    assert [[button.label for button in row] for row in reply.rows] == [["中文", "English"]]
    asked = await world.tap("a", "English")
    assert words("language.chosen", "en") in asked.text
    assert "speed" in asked.text
    assert asked.language == "en"
    await world.tap("a", "Satisfied")
    await world.type("a", "很一般")
    await world.type("a", "满意")  # the other language is still understood
    assert (await world.ballots())[0].ratings == {"service": 5, "speed": 4, "attitude": 4}


async def test_a_stranger_is_met_in_the_language_of_the_client(world: World) -> None:
    assert (await world.open("a", "poster", hint="de-AT")).language == "en"
    assert (await world.open("b", "poster", hint="zh-Hant")).language == "zh"


async def test_help_in_mid_interview_is_followed_by_the_open_question(world: World) -> None:
    await world.rate("a", "非常满意")
    for words in ("帮助", "/help", "/privacy", "谁能看到"):
        told, asked = await world.hear("a", Typed(words))
        assert not told.question
        assert asked.question
        assert "速度" in asked.text


async def test_an_old_button_changes_nothing_and_the_open_question_is_asked(world: World) -> None:
    await world.open("a", "poster")
    old = world.button("a", "非常不满意")
    await world.tap("a", "非常满意")
    reply = await world.press("a", old)
    assert words("trouble.stale") in reply.text
    assert "速度" in reply.text
    await world.tap("a", "满意")
    await world.tap("a", "满意")
    assert THANKS in (await world.press("a", old)).text
    assert [ballot.ratings["service"] for ballot in await world.ballots()] == [5]


async def test_buttons_of_another_persons_interview_do_nothing(world: World) -> None:
    await world.rate("a", "非常满意", "满意")
    await world.open("b")
    for label in ("非常不满意", "返回"):
        reply = await world.press("b", world.button("a", label))
        assert not reply.question
    await world.tap("a", "满意")
    stolen = await world.press("b", world.button("a", "修改我的回答"))
    assert not stolen.question
    assert [b.ratings for b in await world.ballots()] == [{"service": 5, "speed": 4, "attitude": 4}]


async def test_after_the_close_nothing_is_recorded_and_it_is_said_once(world: World) -> None:
    await world.rate("a", "非常满意", "满意")
    last = world.button("a", "满意")
    world.now = NOW + timedelta(days=14)
    replies = await world.hear("a", Tapped(last))
    assert [reply.text for reply in replies] == [words("finished.closed")]
    assert await world.boxes() == []
    assert not (await world.open("b", "poster")).question
    assert (await world.look("a")).text == words("idle")


async def test_a_button_of_a_closed_wave_leaves_another_interview_open(world: World) -> None:
    await world.rate("a", "非常满意")
    old = world.button("a", "满意")
    await world.type("a", "/concern")
    world.now = NOW + timedelta(days=14)
    told, asked = await world.hear("a", Tapped(old))
    assert told.text == words("finished.closed")
    assert asked.question
    await world.type("a", "其他")
    assert (await world.look("a")).text != asked.text


async def test_after_the_tally_old_buttons_are_harmless(world: World) -> None:
    await world.rate("a", *GOOD)
    await world.close_wave()
    assert not (await world.tap("a", "修改我的回答")).question


async def test_changing_answers_overwrites_the_one_ballot(world: World) -> None:
    await world.rate("a", *GOOD)
    before = await world.boxes()
    assert (await world.tap("a", "修改我的回答")).question
    assert [b.ratings["service"] for b in await world.ballots()] == [5]  # until the last is given
    for label in ("非常不满意", "跳过", "跳过", "说不好", "说不好"):
        await world.tap("a", label)
    after = await world.boxes()
    assert [rid for rid, _ in after] == [rid for rid, _ in before]
    assert [b.ratings for b in await world.ballots()] == [{"service": 1}]


async def test_scanning_the_poster_again_does_not_vote_again(world: World) -> None:
    for _ in range(3):
        await world.rate("a", *GOOD)
        assert len(await world.boxes()) == 1
        world.drawn.clear()


async def test_a_poster_does_not_turn_a_peer_into_a_recipient(tmp_path: Path) -> None:
    roll = [Relation("peer", "desk", RaterGroup.PEER)]
    world = await found_world("sqlite://", tmp_path, roll=roll)
    await world.open("p", "link-peer")
    await world.rate("p", *GOOD)
    assert [ballot.group for ballot in await world.ballots()] == [RaterGroup.PEER]
    assert await world.read(lambda tx: tx.relations()) == roll
    (asked,) = await world.read(lambda tx: tx.roll("w"))
    assert (asked.subject, asked.group) == ("desk", RaterGroup.PEER)
    await world.store.close()


async def test_one_rating_follows_another_until_all_are_given(tmp_path: Path) -> None:
    roll = [Relation("peer", subject, RaterGroup.PEER) for subject in ("desk", "office")]
    world = await found_world("sqlite://", tmp_path, roll=roll)
    offer = await world.open("p", "link-peer")
    assert words("offer", count=2, title="满意度") in offer.text
    first = await world.tap("p", "开始")
    assert words("about.left", subject="户籍窗口", left=1) in first.text
    for _ in range(2):
        for label in GOOD:
            reply = await world.tap("p", label)
    assert reply.text == THANKS
    assert {ballot.subject for ballot in await world.ballots()} == {"desk", "office"}
    await world.store.close()


async def test_finishing_an_old_interview_leaves_typed_words_with_the_one_that_follows(
    tmp_path: Path,
) -> None:
    roll = [Relation("peer", subject, RaterGroup.PEER) for subject in ("desk", "office")]
    world = await found_world("sqlite://", tmp_path, roll=roll)
    await world.open("p", "link-peer")
    await world.rate("p", *GOOD, payload="poster")
    (again,) = [data for label, data in world.drawn["p"] if label == "5 非常满意"]
    assert again  # of the office, begun now
    await world.rate("p", "满意", "满意", payload="office")
    last = world.button("p", "满意")
    desk = await world.read(lambda tx: tx.interview_for("w", "peer", "desk"))
    assert (await world.press("p", f"r:{desk.id}:0:0")).question
    following = await world.press("p", last)
    assert "户籍窗口" in following.text
    assert "速度" in (await world.type("p", "满意")).text
    await world.store.close()


async def test_whom_a_form_asks_nothing_is_not_kept_waiting(tmp_path: Path) -> None:
    form = form_of("type | name | label | relevant\nhidden | group | |\n"
                   "text | q | Q | ${group} = 'SUP'")  # fmt: skip
    world = await found_world("sqlite://", tmp_path, form=form)
    assert (await world.open("a", "poster")).text == THANKS
    assert len(await world.boxes()) == 1
    await world.store.close()


@pytest.mark.parametrize("name", ["满意度调查", "a:b", "c" * 64])
async def test_a_wave_of_any_name_can_be_started_by_its_button(tmp_path: Path, name: str) -> None:
    roll = [Relation("peer", "desk", RaterGroup.PEER)]
    world = await found_world("sqlite://", tmp_path, roll=roll, wave=name)
    await world.open("p", "link-peer")
    start = world.button("p", "开始")
    assert start.isascii()
    assert len(start) <= 64
    assert (await world.press("p", start)).question
    await world.store.close()


async def test_a_superior_is_told_that_the_rating_is_marked_as_such(tmp_path: Path) -> None:
    roll = [Relation("boss", "desk", RaterGroup.SUPERIOR)]
    world = await found_world("sqlite://", tmp_path, shipped("leadership"), roll=roll)
    await world.open("p", "link-boss")
    asked = await world.tap("p", "开始")
    assert words("privacy.superior") in asked.text
    assert words("privacy.short", k=5) not in asked.text
    await world.store.close()


async def test_a_planned_wave_is_not_answered_yet(world: World) -> None:
    wave = await world.read(lambda tx: tx.wave("w"))
    planned = replace(wave, id="w2", state=WaveState.PLANNED)
    await world.store.write(lambda tx: tx.put_wave(planned))
    await world.store.write(lambda tx: tx.put_wave(replace(wave, closes_at=wave.opens_at)))
    assert not (await world.open("a", "poster")).question


async def test_looking_changes_nothing(world: World) -> None:
    await world.rate("a", "非常满意")
    rows = [await world.read(lambda tx: tx.interview(tx.chat(Address("test", "a")).interview))]
    first = await world.look("a")
    assert await world.look("a") == first
    rows.append(await world.read(lambda tx: tx.interview(tx.chat(Address("test", "a")).interview)))
    assert rows[0] == rows[1]


async def two_processes(url: str, world: World) -> list[SqlStore]:
    return [world.store] if url == "sqlite://" else [world.store, SqlStore(url), SqlStore(url)]


@pytest.mark.parametrize("what", ["the last tap", "the change", "one tap in the middle"])
async def test_twenty_taps_at_once_count_as_one(store_url: str, tmp_path: Path, what: str) -> None:
    world = await found_world(store_url, tmp_path)
    stores = await two_processes(store_url, world)
    talks = [converse(store, FileKeyring(tmp_path / "keys")) for store in stores]
    taps = {"the last tap": ("非常满意", "满意"), "the change": GOOD}.get(what, ("非常满意",))
    await world.rate("a", *taps)
    data = world.button("a", "修改我的回答" if what == "the change" else "满意")
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                talks[n % len(talks)].receive(Address("test", "a"), Tapped(data), NOW)
            )
            for n in range(20)
        ]
    assert all(task.result() for task in tasks)
    assert len(await world.boxes()) == (what != "one tap in the middle")
    if what == "one tap in the middle":
        assert "态度" in (await world.look("a")).text
        await world.tap("a", "满意")
    assert [b.ratings for b in await world.ballots()] == [{"service": 5, "speed": 4, "attitude": 4}]
    for store in stores:
        await store.close()


async def test_twenty_first_contacts_at_once_begin_one_interview(
    store_url: str, tmp_path: Path
) -> None:
    world = await found_world(store_url, tmp_path)
    stores = await two_processes(store_url, world)
    talks = [converse(store, FileKeyring(tmp_path / "keys")) for store in stores]
    await world.open("a")
    heard = Opened("poster")
    replies = await asyncio.gather(
        *(talks[n % len(talks)].receive(Address("test", "a"), heard, NOW) for n in range(20))
    )
    assert len({reply[-1].rows for reply in replies}) == 1
    assert await world.read(lambda tx: tx.interview_counts("w")) == (1, 0)
    for store in stores:
        await store.close()
