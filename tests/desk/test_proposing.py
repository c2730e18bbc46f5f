"""Officials propose in their own chat who rates them; a second person at the desk decides."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.accounts import Account
from desk.approvals import ApprovalError, decide, name_of
from desk.audit import Act, verify
from desk.relating import identify
from desk.roles import Role
from desk.store import Approval
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
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
    assert "waiting for a decision, so nothing was asked for now" in said
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
