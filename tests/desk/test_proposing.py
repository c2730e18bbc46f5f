"""Officials propose in their own chat who rates them; a second person at the desk decides."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from desk.accounts import Account
from desk.approvals import ApprovalError, decide, name_of
from desk.audit import Act, verify
from desk.forgetting import forget
from desk.nominating import nominate
from desk.relating import RelationError, identify
from desk.roles import Grant, Role
from desk.store import Approval
from storage import FileKeyring, SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.reply import Button, Reply, Tapped
from tests.desk.test_chatting import KEY, NOW, Here, open_desk

HEAD, BROWSER, CLERK = (
    Address("telegram", "81"), Address("web", "82"), Address("telegram", "83"),
)  # fmt: skip


def furnished(tx: SqlTransaction) -> None:
    tx.put_subjects([
        Subject("north", {"zh": "北区", "en": "North"}),
        Subject("chief", {"zh": "北区主任", "en": "Chief of North"}, "official", "north"),
        Subject("deputy", {"zh": "北区副主任", "en": "Deputy"}, "official", "north"),
    ])  # fmt: skip
    tx.put_people([
        Person("p1", Kind.STAFF, "王芳", "north", "en"), Person("p2", Kind.STAFF, "李强", "north"),
        Person("p3", Kind.STAFF, "张三", "north"), Person("p4", Kind.STAFF, "李强", "north"),
    ])  # fmt: skip
    tx.put_relations([Relation("p1", "chief", RaterGroup.SELF)])
    tx.put_relations([Relation("p3", "chief", RaterGroup.SUBORDINATE)])
    for at, person in ((HEAD, "p1"), (BROWSER, "p1"), (CLERK, "p3")):
        tx.put_chat(Chat(at, person, "en"))


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[Here]:
    store = SqlStore("sqlite://")
    here = await open_desk(store, tmp_path)
    await store.write(furnished)
    for chat in (HEAD, BROWSER, CLERK):
        await here.meet(chat)
    yield here
    await store.close()


async def waiting(here: Here) -> list[Approval]:
    return list(await here.store.read(lambda tx: tx.approvals(open_only=True)))


async def button(here: Here, chat: Address) -> Button:
    """The one below what ``/nominate`` is answered."""
    [reply] = await here.heard("/nominate", chat)
    [[found]] = reply.rows
    return found


async def press(here: Here, found: Button, chat: Address, days: int = 0) -> list[Reply]:
    now = NOW + timedelta(days=days)
    return list(await here.core.receive(chat, Tapped(found.data), now, hint="en"))


async def decided(here: Here, by: Account, agree: bool, note: str = "") -> None:
    [asked] = await waiting(here)
    act = Act(by.id, by.name, "test", NOW, KEY)
    await here.store.write(lambda tx: decide(tx, act, by, asked.id, agree, note, NOW))


@pytest.mark.parametrize("chat", [HEAD, BROWSER], ids=["telegram", "browser"])
async def test_an_official_proposes_and_a_second_person_agrees(quick: Here, chat: Address) -> None:
    assert "Send:\n/nominate peer" in (await quick.say("/nominate", chat))[0]
    [said] = await quick.say("/nominate peer 张三、p2", chat)
    assert said.startswith("✓ Asked for: 李强, 张三 to rate Chief of North as peer.")
    [asked] = await waiting(quick)
    assert json.loads(asked.arguments["raters"]) == ["p2", "p3"]
    assert await quick.store.read(lambda tx: name_of(tx, asked.asked_by)) == "北区主任"
    assert "(peer: 李强, 张三) is waiting" in (await quick.say("/nominate", chat))[0]
    officer = await quick.account(Role.OFFICER)
    await decided(quick, officer, agree=True)
    assert "approved" in (await quick.say("/nominate", chat))[0]
    raters = await quick.store.read(lambda tx: tx.raters_as("chief", RaterGroup.PEER))
    assert raters == ["p2"]
    chain = await quick.store.read(lambda tx: list(tx.audit_chain()))
    assert verify(chain, KEY) == []
    assert all(f'"{who}"' not in each.after for each in chain for who in ("p2", "p3"))


async def test_who_rates_them_already_is_not_told(quick: Here) -> None:
    """The answer is the same for somebody who does and for somebody who does not."""
    [known] = await quick.say("/nominate peer p3", HEAD)
    officer = await quick.account(Role.OFFICER)
    await decided(quick, officer, agree=True)
    raters = await quick.store.read(lambda tx: tx.relations_from("p3"))
    assert raters == [Relation("p3", "chief", RaterGroup.SUBORDINATE)], "what stands, stays"
    [other] = await quick.say("/nominate peer p2", HEAD)
    assert other == known.replace("张三", "李强")


async def test_nobody_else_is_answered_differently_than_by_a_word_of_no_meaning(
    quick: Here,
) -> None:
    nonsense = await quick.say("/nosuch", CLERK)
    assert await quick.say("/nominate", CLERK) == nonsense
    assert await quick.say("/nominate peer p2", CLERK) == nonsense
    nonsense_too = await quick.say("/nosuch", HEAD)
    gone = Person("p1", Kind.STAFF, "王芳", "north", "en", left=True)
    await quick.store.write(lambda tx: tx.put_people([gone]))
    await quick.say("/nosuch", HEAD)  # their consent went with that edit: it is asked for again
    assert await quick.say("/nominate peer p2", HEAD) == nonsense_too
    assert await waiting(quick) == []


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("peer", "could not read that"),
        ("friends p2", "could not read that"),
        ("recipient p2", "could not read that"),
        ("self p2", "could not read that"),
        ("peer 赵六", "赵六"),
        ("peer 李强", "p2, p4"),
        ("peer ,", "1 to 30"),
        ("peer 王芳", "a self-assessment needs no proposal"),
        ("peer hr1 p2", "with commas between them"),
    ],
)
async def test_what_cannot_be_read_changes_nothing_and_says_how(
    quick: Here, typed: str, answer: str
) -> None:
    [said] = await quick.say(f"/nominate {typed}", HEAD)
    assert answer in said
    assert await waiting(quick) == []


async def test_chinese_names_may_stand_with_a_space_between_them(quick: Here) -> None:
    await quick.store.write(lambda tx: tx.put_people([Person("p5", Kind.STAFF, "赵敏", "north")]))
    assert "Asked for" in (await quick.say("/nominate 下级 张三 赵敏", HEAD))[0]
    [asked] = await waiting(quick)
    assert json.loads(asked.arguments["raters"]) == ["p3", "p5"]
    assert asked.arguments["group"] == "SUB"


async def test_one_who_holds_two_offices_says_for_which(quick: Here) -> None:
    second = Relation("p1", "deputy", RaterGroup.SELF)
    await quick.store.write(lambda tx: tx.put_relations([second]))
    [said] = await quick.say("/nominate peer p2", HEAD)
    assert "• deputy Deputy" in said
    await quick.say("/nominate deputy peer p2", HEAD)
    [asked] = await waiting(quick)
    assert asked.what == "subject:deputy"
    assert "waiting" not in (await quick.say("/nominate chief", HEAD))[0]


async def test_who_holds_the_office_next_is_not_told_what_was_proposed_before(quick: Here) -> None:
    await quick.say("/nominate peer p2", HEAD)
    await decided(quick, await quick.account(Role.OFFICER), agree=True)
    act = Act("a", "a", "test", NOW, KEY)
    await quick.store.write(lambda tx: identify(tx, act, "chief", "p3"))
    assert await quick.say("/nominate", HEAD) == await quick.say("/nosuch", HEAD)
    [said] = await quick.say("/nominate", CLERK)
    assert "Chief of North" in said
    assert "李强" not in said
    assert "approved" not in said


async def test_a_second_one_waits_until_the_first_is_decided(quick: Here) -> None:
    await quick.say("/nominate peer p2", HEAD)
    [said] = await quick.say("/nominate\npeer\n p4", HEAD)
    assert "othing was asked for now" in said
    assert len(await waiting(quick)) == 1
    officer = await quick.account(Role.OFFICER)
    await decided(quick, officer, agree=False, note="Too close.")
    assert "refused. Too close." in (await quick.say("/nominate", HEAD))[0]


async def test_who_has_an_account_is_no_second_person_to_what_they_propose(quick: Here) -> None:
    account = await quick.linked(Role.OFFICER, chat=HEAD)
    await quick.say("/nominate peer p2", HEAD)
    [asked] = await waiting(quick)
    assert asked.asked_by == account.id
    with pytest.raises(ApprovalError, match="asked for this yourself"):
        await decided(quick, account, agree=True)
    assert len(await waiting(quick)) == 1


async def test_nobody_decides_who_rates_themselves_whoever_asked(quick: Here) -> None:
    """Neither what they proposed from another chat of theirs, nor what an officer asked for."""
    by_chat = await quick.linked(Role.OFFICER, chat=HEAD)
    other = await quick.account(Role.OFFICER, login="other")
    await quick.say("/nominate peer p2", BROWSER)
    with pytest.raises(ApprovalError, match="about who rates you"):
        await decided(quick, by_chat, agree=True)
    await decided(quick, other, agree=True)
    act = Act(other.id, other.name, "test", NOW, KEY)
    await quick.store.write(lambda tx: nominate(tx, act, other, "chief", RaterGroup.SUPERIOR, "p4"))
    with pytest.raises(ApprovalError, match="about who rates you"):
        await decided(quick, by_chat, agree=False)
    assert len(await waiting(quick)) == 1


async def test_who_holds_the_role_of_being_rated_neither_decides_nor_nominates(
    quick: Here,
) -> None:
    by_role = await quick.account(Role.OFFICER, login="chief")
    rated = replace(by_role, grants=(*by_role.grants, Grant(Role.RATED, "chief")))
    await quick.store.write(lambda tx: tx.put_account(rated))
    await quick.say("/nominate peer p2", HEAD)
    with pytest.raises(ApprovalError, match="about who rates you"):
        await decided(quick, rated, agree=True)
    act = Act(rated.id, rated.name, "test", NOW, KEY)
    with pytest.raises(RelationError, match="not yours to nominate"):
        await quick.store.write(lambda tx: nominate(tx, act, rated, "chief", RaterGroup.PEER, "p4"))
    await quick.store.write(lambda tx: nominate(tx, act, rated, "deputy", RaterGroup.PEER, "p4"))


@pytest.mark.parametrize("chat", [HEAD, BROWSER], ids=["telegram", "browser"])
async def test_what_waits_is_taken_back_by_a_button_and_proposed_anew(
    quick: Here, chat: Address
) -> None:
    await quick.say("/nominate peer p2", chat)
    taking_back = await button(quick, chat)
    assert taking_back.label == "Take it back"
    [said] = await press(quick, taking_back, chat)
    assert "(peer: 李强) was taken back" in said.text
    assert said.text.startswith("✓ Taken back.")
    assert "You may propose who rates Chief of North" in said.text, "and how, anew"
    assert said.rows == ()
    assert await waiting(quick) == [], "nobody at the desk is asked any more"
    [entry] = await quick.audited("approval.withdrawn")
    [asked] = await quick.audited("approval.asked")
    assert (entry.who, entry.what) == (asked.who, asked.what)
    assert '"p2"' not in entry.after
    [anew] = await quick.say("/nominate peer p4", chat, NOW + timedelta(minutes=1))
    assert anew.startswith("✓ Asked for: 李强")
    chain = await quick.store.read(lambda tx: list(tx.audit_chain()))
    assert verify(chain, KEY) == []


async def test_who_proposes_while_their_own_waits_gets_the_button(quick: Here) -> None:
    await quick.say("/nominate peer p2", HEAD)
    [reply] = await quick.heard("/nominate peer p4", HEAD)
    assert "take it back and propose anew" in reply.text
    [[found]] = reply.rows
    await press(quick, found, HEAD)
    assert await waiting(quick) == []


@pytest.mark.parametrize(("agree", "word"), [(True, "approved"), (False, "refused")])
async def test_what_was_decided_meanwhile_is_not_taken_back(
    quick: Here, agree: bool, word: str
) -> None:
    await quick.say("/nominate peer p2", HEAD)
    taking_back = await button(quick, HEAD)
    await decided(quick, await quick.account(Role.OFFICER), agree)
    [said] = await press(quick, taking_back, HEAD)
    assert said.text.startswith("That one is no longer waiting")
    assert f"was {word}" in said.text
    assert said.rows == ()
    raters = await quick.store.read(lambda tx: tx.raters_as("chief", RaterGroup.PEER))
    assert raters == (["p2"] if agree else [])
    assert await quick.audited("approval.withdrawn") == []


async def test_an_old_button_takes_nothing_else_back(quick: Here) -> None:
    await quick.say("/nominate peer p2", HEAD)
    old = await button(quick, HEAD)
    await press(quick, old, HEAD)
    await quick.say("/nominate peer p4", HEAD, NOW + timedelta(minutes=1))
    [said] = await press(quick, old, HEAD, days=1)
    assert "nothing was taken back" in said.text
    assert len(await waiting(quick)) == 1


async def test_after_seven_days_there_is_nothing_to_take_back(quick: Here) -> None:
    """Also before the clock has come round to end it."""
    await quick.say("/nominate peer p2", HEAD)
    [said] = await press(quick, await button(quick, HEAD), HEAD, days=8)
    assert "nothing was taken back" in said.text
    assert "within seven days" in said.text
    assert said.rows == ()


async def test_nobody_else_takes_it_back_or_sees_it(quick: Here) -> None:
    """Neither by the button's data, nor as who holds the office next."""
    await quick.say("/nominate peer p2", HEAD)
    found = await button(quick, HEAD)
    nothing = await press(quick, Button("", "o:nosuch:0:0"), CLERK)
    assert await press(quick, found, CLERK) == nothing
    act = Act("a", "a", "test", NOW, KEY)
    await quick.store.write(lambda tx: identify(tx, act, "chief", "p3"))
    assert await press(quick, found, CLERK) == nothing
    assert await press(quick, found, HEAD) == nothing, "nor who held it"
    [reply] = await quick.heard("/nominate", CLERK)
    assert "李强" not in reply.text
    assert reply.rows == ()


@pytest.mark.parametrize("to", ["p3", ""], ids=["another", "nobody"])
async def test_what_was_proposed_lapses_with_the_office(quick: Here, to: str) -> None:
    """Nobody decides upon it, and who holds the office next may propose at once."""
    await quick.say("/nominate superior p2", HEAD)
    act = Act("a", "a", "test", NOW, KEY)
    await quick.store.write(lambda tx: identify(tx, act, "chief", to))
    assert await waiting(quick) == []
    assert len(await quick.audited("approval.expired")) == 1
    if to:
        assert "Asked for" in (await quick.say("/nominate peer p4", CLERK))[0]


async def test_what_was_proposed_lapses_with_a_person_who_is_forgotten(
    quick: Here, tmp_path: Path
) -> None:
    """At the desk, and by their own word."""
    await quick.say("/nominate peer p2", HEAD)
    act = Act("a", "a", "test", NOW, KEY)
    await quick.store.write(lambda tx: forget(tx, act, "p1", FileKeyring(tmp_path / "none")))
    assert await waiting(quick) == []
    await quick.store.write(lambda tx: identify(tx, act, "chief", "p3"))
    await quick.say("/nominate peer p2", CLERK)
    [asking] = await quick.heard("/forget", CLERK)
    await press(quick, asking.rows[0][0], CLERK)
    assert await quick.store.read(lambda tx: tx.person("p3")) is None
    assert await waiting(quick) == []
    assert len(await quick.audited("approval.expired")) == 2


async def test_of_two_offices_the_one_that_is_meant_asks(quick: Here) -> None:
    """Another office that comes later, and sorts before it, changes nothing."""
    offices = [Relation("p1", "deputy", RaterGroup.SELF)]
    await quick.store.write(lambda tx: tx.put_relations(offices))
    await quick.say("/nominate deputy peer p2", HEAD)
    [asked] = await waiting(quick)
    assert await quick.store.read(lambda tx: name_of(tx, asked.asked_by)) == "北区副主任"
    await quick.store.write(
        lambda tx: tx.put_subjects([Subject("aaa", {"zh": "新职"}, "official", "north")])
    )
    more = [Relation("p1", "aaa", RaterGroup.SELF)]
    await quick.store.write(lambda tx: tx.put_relations(more))
    [reply] = await quick.heard("/nominate deputy", HEAD)
    assert "(peer: 李强) is waiting" in reply.text
    [said] = await press(quick, reply.rows[0][0], HEAD)
    assert said.text.startswith("✓ Taken back.")


async def test_what_the_desk_asked_for_is_not_shown_to_the_official(quick: Here) -> None:
    clerk = await quick.account(Role.OFFICER)
    act = Act(clerk.id, clerk.name, "test", NOW, KEY)
    asked = await quick.store.write(
        lambda tx: nominate(tx, act, clerk, "chief", RaterGroup.PEER, "p2")
    )
    for typed in ("/nominate", "/nominate peer p4"):
        [reply] = await quick.heard(typed, HEAD)
        assert "李强" not in reply.text
        assert reply.rows == ()
    await press(quick, Button("", f"o:{asked.id}:0:0"), HEAD)
    assert [each.id for each in await waiting(quick)] == [asked.id]


async def test_in_an_interview_the_open_question_follows(quick: Here) -> None:
    await quick.say("/nominate peer p2", HEAD)
    found = await button(quick, HEAD)
    before = await quick.say("/concern", HEAD)
    said = await press(quick, found, HEAD)
    assert "was taken back" in said[0].text
    assert said[-1].question
    assert said[-1].text in before[-1]
