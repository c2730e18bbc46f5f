"""Relations derived at the desk: looked at, added, ended."""

from __future__ import annotations

import json

from desk.audit import Act
from desk.proposing import acting, offices, propose, retract
from desk.roles import Role
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from tests.web.console.seats import Desk, post

PAGE = "/desk/roster/derive"


async def settle(desk: Desk) -> None:
    await desk.store.write(lambda tx: tx.put_subjects([
        Subject("top", {"zh": "总局"}),
        Subject("left", {"zh": "东局"}, parent="top"),
        Subject("right", {"zh": "西局"}, parent="top"),
    ]))  # fmt: skip
    await desk.store.write(lambda tx: tx.put_people([
        Person("l1", Kind.STAFF, "王芳", "left"), Person("r1", Kind.STAFF, "李强", "right"),
    ]))  # fmt: skip


async def test_what_would_be_added_is_seen_and_then_added(desk: Desk) -> None:
    await settle(desk)
    client = await desk.seat(Role.OFFICER, language="zh")
    empty = (await client.get(PAGE)).text
    assert "会添上的关系" not in empty
    shown = (await client.get(f"{PAGE}?beside=on&below=on")).text
    assert "王芳" in shown
    assert "添上这 4 条" in shown
    assert await desk.store.read(lambda tx: tx.raters_of("right")) == {}, "only looked at"
    answer = await post(client, PAGE, {"beside": "on", "below": "on"})
    assert answer.status_code == 303
    raters = await desk.store.read(lambda tx: (tx.raters_of("right"), tx.raters_of("top")))
    assert raters == ({RaterGroup.PEER: 1}, {RaterGroup.SUBORDINATE: 2})
    assert "没有要添的" in (await client.get(f"{PAGE}?beside=on")).text


async def test_a_relation_is_ended_on_the_persons_page(desk: Desk) -> None:
    await settle(desk)
    relation = Relation("l1", "right", RaterGroup.PEER)
    await desk.store.write(lambda tx: tx.put_relations([relation]))
    client = await desk.seat(Role.OFFICER, language="en")
    assert "They rate 西局 no more" in (await client.get("/desk/roster/person?id=l1")).text
    fields = {"id": "l1", "subject": "right"}
    assert (await post(client, "/desk/roster/relation/end", fields)).status_code == 303
    assert await desk.store.read(lambda tx: tx.relations_from("l1")) == []
    assert (await post(client, "/desk/roster/relation/end", fields)).status_code == 404
    reader = await desk.seat(Role.AUDITOR, language="en")
    assert "no more" not in (await reader.get("/desk/roster/person?id=l1")).text


async def test_a_nomination_takes_a_second_person(desk: Desk) -> None:
    await settle(desk)
    twin = Person("l2", Kind.STAFF, "王芳", "left")
    await desk.store.write(lambda tx: tx.put_people([twin]))
    client = await desk.seat(Role.OFFICER, language="zh")
    page = "/desk/roster/nominate"
    empty = (await client.get(f"{page}?id=right")).text
    assert "提名评价人" in empty
    assert "现在没有别人能批准它" in empty
    unit = "/desk/roster/unit?id=right"
    assert "正等另一位同事批准" not in (await client.get(unit)).text
    wrong = {"id": "right", "group": "PEER", "people": "王芳"}
    refused = await post(client, page, wrong)
    assert refused.status_code == 422
    assert "l1, l2" in refused.text, "two of that name, told apart by id"
    assert ">王芳</textarea>" in refused.text, "nothing typed is lost"
    nobody = await post(client, page, {**wrong, "people": "赵六"})
    assert "赵六" in nobody.text
    assert (await post(client, page, {**wrong, "people": ""})).status_code == 422
    assert (await post(client, page, {**wrong, "group": "SVC"})).status_code == 422
    asked = await post(client, page, {**wrong, "people": "l1，\nl2"})
    assert asked.status_code == 303
    [request] = await desk.store.read(lambda tx: tx.approvals(open_only=True))
    assert await desk.store.read(lambda tx: tx.raters_of("right")) == {}
    assert "王芳" not in str(request), "what is kept names ids alone"
    second = await desk.seat(Role.ADMINISTRATOR, language="zh")
    shown = (await second.get(f"/desk/approvals/{request.id}")).text
    assert "王芳 (l1)、王芳 (l2)" in shown
    assert "西局" in shown
    assert "subject:right" not in shown
    assert "subject:right" not in (await second.get("/desk/approvals")).text
    assert "没有别人能批准" not in (await client.get(f"{page}?id=right")).text
    waits = (await client.get(unit)).text
    assert "正等另一位同事批准" in waits
    assert f"/desk/approvals/{request.id}" in waits
    other = await client.get("/desk/roster/unit?id=left")
    assert "正等另一位同事批准" not in other.text
    first = Relation("l1", "right", RaterGroup.PEER)
    assert "其中已经在评的" not in (await second.get(f"/desk/approvals/{request.id}")).text
    await desk.store.write(lambda tx: tx.put_relations([first]))
    page_of_it = (await second.get(f"/desk/approvals/{request.id}")).text
    assert "（不会改变）</dt><dd><bdi>" in page_of_it
    await desk.store.write(lambda tx: tx.drop_relations([first]))
    decided = await post(second, f"/desk/approvals/{request.id}/decide", {"agree": "yes"})
    assert decided.status_code == 303
    assert await desk.store.read(lambda tx: tx.raters_of("right")) == {RaterGroup.PEER: 2}
    assert "正等另一位同事批准" not in (await client.get(unit)).text
    again = await post(client, page, {**wrong, "people": "l1"})
    assert again.status_code == 422


async def test_a_refused_nomination_changes_nothing(desk: Desk) -> None:
    await settle(desk)
    client = await desk.seat(Role.OFFICER, language="en")
    fields = {"id": "right", "group": "SUB", "people": "l1"}
    assert (await post(client, "/desk/roster/nominate", fields)).status_code == 303
    assert (await post(client, "/desk/roster/nominate", fields)).status_code == 422
    [request] = await desk.store.read(lambda tx: tx.approvals(open_only=True))
    second = await desk.seat(Role.ADMINISTRATOR, language="en")
    await post(second, f"/desk/approvals/{request.id}/decide", {"agree": "no"})
    assert await desk.store.read(lambda tx: tx.raters_of("right")) == {}


async def test_a_nomination_goes_with_a_person_who_is_forgotten(desk: Desk) -> None:
    await settle(desk)
    client = await desk.seat(Role.OFFICER, language="en")
    for subject, who in (("right", "l1"), ("top", "r1"), ("left", "l1, r1")):
        fields = {"id": subject, "group": "SUB", "people": who}
        assert (await post(client, "/desk/roster/nominate", fields)).status_code == 303
    await desk.store.write(lambda tx: tx.drop_mentions(["l1"], files=False))
    left = await desk.store.read(lambda tx: tx.approvals(open_only=True))
    named = {each.what: json.loads(each.arguments["raters"]) for each in left}
    assert named == {"subject:top": ["r1"], "subject:left": ["r1"]}
    entries = await desk.store.read(lambda tx: list(tx.audit_chain()))
    asked = [each.after for each in entries if each.action == "approval.asked"]
    assert len(asked) == 3
    assert all("person:" in each and "l1" not in each and "r1" not in each for each in asked)


async def test_it_is_said_which_person_an_official_is(desk: Desk) -> None:
    await settle(desk)
    chief = Subject("chief", {"zh": "西局局长"}, "official", "right")
    await desk.store.write(lambda tx: tx.put_subjects([chief]))
    await desk.store.write(lambda tx: tx.put_relations([
        Relation("r1", "chief", RaterGroup.SUBORDINATE),
    ]))  # fmt: skip
    client = await desk.seat(Role.OFFICER, language="zh")
    page, form = "/desk/roster/unit?id=chief", "/desk/roster/self"
    assert "还没有写明" in (await client.get(page)).text
    assert "西局局长本人" in (await client.get(f"{form}?id=chief")).text
    refused = await post(client, form, {"id": "chief", "person": "赵六"})
    assert refused.status_code == 422
    assert "赵六" in refused.text
    assert (await post(client, form, {"id": "chief", "person": "李强"})).status_code == 303
    shown = (await client.get(page)).text
    assert "李强" in shown
    assert "还没有写明" not in shown
    assert "下级" not in shown.partition("可以来评价的人数")[2].partition("</dl>")[0]
    assert "本人（自评）" in (await client.get("/desk/roster/person?id=r1")).text
    reader = await desk.seat(Role.AUDITOR, language="zh")
    assert form not in (await reader.get(page)).text
    assert (await client.get(f"{form}?id=right")).status_code == 404, "a unit is nobody"
    assert (await post(client, form, {"id": "chief", "person": ""})).status_code == 303
    assert "还没有写明" in (await client.get(page)).text


async def test_what_an_official_proposed_in_the_chat_is_decided_at_the_desk(desk: Desk) -> None:
    await settle(desk)
    chief = Subject("chief", {"zh": "西局局长"}, "official", "right")
    chat = Address("telegram", "81")

    def met(tx: SqlTransaction) -> None:
        tx.put_subjects([chief])
        tx.put_relations([Relation("r1", "chief", RaterGroup.SELF)])
        tx.put_chat(Chat(chat, "r1", "zh"))

    await desk.store.write(met)

    def proposed(tx: SqlTransaction) -> str:
        held = offices(tx, chat)
        act = acting(tx, chat, Act("", "", "telegram", desk.clock(), b"k" * 32))
        return propose(tx, held, "同级 王芳", "zh", act).text

    said = await desk.store.write(proposed)
    assert "请王芳以同级的身份评西局局长" in said
    [request] = await desk.store.read(lambda tx: tx.approvals(open_only=True))
    second = await desk.seat(Role.OFFICER, language="zh")
    board = (await second.get("/desk/approvals")).text
    page = (await second.get(f"/desk/approvals/{request.id}")).text
    for shown in (board, page):
        assert "西局局长" in shown
        assert "official:" not in shown
    assert "王芳 (l1)" in page
    decided = await post(second, f"/desk/approvals/{request.id}/decide", {"agree": "yes"})
    assert decided.status_code == 303
    assert await desk.store.read(lambda tx: tx.raters_of("chief"))
    assert (await second.get(f"/desk/approvals/{request.id}")).status_code == 200


async def test_what_an_official_takes_back_in_the_chat_is_decided_by_nobody(desk: Desk) -> None:
    await settle(desk)
    chat = Address("web", "81")

    def proposed(tx: SqlTransaction) -> str:
        tx.put_subjects([Subject("chief", {"zh": "西局局长"}, "official", "right")])
        tx.put_relations([Relation("r1", "chief", RaterGroup.SELF)])
        tx.put_chat(Chat(chat, "r1", "zh"))
        held = offices(tx, chat)
        act = acting(tx, chat, Act("", "", "web", desk.clock(), b"k" * 32))
        propose(tx, held, "同级 王芳", "zh", act)
        [request] = tx.approvals(open_only=True)
        retract(tx, held, request.id, "zh", act)
        return request.id

    request = await desk.store.write(proposed)
    second = await desk.seat(Role.OFFICER, language="zh")
    assert f"/desk/approvals/{request}/decide" not in (await second.get("/desk/approvals")).text
    page = (await second.get(f"/desk/approvals/{request}")).text
    assert "撤回" in page
    assert "official:" not in page
    assert f"/desk/approvals/{request}/decide" not in page
    decided = await post(second, f"/desk/approvals/{request}/decide", {"agree": "yes"})
    assert decided.status_code != 303
    assert not await desk.store.read(lambda tx: tx.raters_as("chief", RaterGroup.PEER))
