"""Who rates whom, as programs say it."""

from __future__ import annotations

from surveys.cells import RaterGroup
from surveys.people import Kind, Person, Relation, Subject
from tests.web.api.stocked import program
from tests.web.console.seats import Desk


async def test_a_relation_is_ended_once(desk: Desk) -> None:
    client = await program(desk)
    relation = Relation("w1", "city", RaterGroup.PEER)
    await desk.store.write(lambda tx: tx.put_people([Person("w1", Kind.STAFF, "王芳")]))
    await desk.store.write(lambda tx: tx.put_relations([relation]))
    told = (await client.get("/relations?rater=w1")).json()["items"]
    assert told == [{"rater": "w1", "subject": "city", "group": "PEER"}]
    assert (await client.send("DELETE", "/relations/w1/city")).status_code == 204
    assert (await client.send("DELETE", "/relations/w1/city")).status_code == 404
    assert (await client.get("/relations?rater=w1")).json()["items"] == []


async def test_raters_are_proposed_and_wait_for_a_second_person(desk: Desk) -> None:
    client = await program(desk)
    await desk.store.write(lambda tx: tx.put_people([Person("w1", Kind.STAFF, "王芳")]))
    wish = {"group": "PEER", "people": ["w1"]}
    path = "/subjects/city/nominations"
    asked = await client.send("POST", path, json=wish)
    assert asked.status_code == 202, asked.text
    assert asked.json()["decision"] == "open"
    assert (await client.send("POST", path, json=wish)).status_code == 409
    assert (await client.get("/relations?rater=w1")).json()["items"] == []
    wrong = await client.send("POST", path, json={"group": "PEER", "people": ["nobody"]})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "#/people"
    named = await client.send("POST", path, json={"group": "PEER", "people": ["王芳"]})
    assert named.status_code == 422, "a program says who by id"
    citizen = {"group": "SVC", "people": ["w1"]}
    assert (await client.send("POST", path, json=citizen)).status_code == 400
    assert (await client.send("POST", "/subjects/none/nominations", json=wish)).status_code == 404


async def test_an_official_is_said_to_be_a_person(desk: Desk) -> None:
    client = await program(desk)
    chief = Subject("chief", {"zh": "局长"}, "official", "city")
    await desk.store.write(lambda tx: tx.put_subjects([chief]))
    await desk.store.write(lambda tx: tx.put_people([Person("w1", Kind.STAFF, "王芳")]))
    path = "/subjects/chief/self"
    assert (await client.send("PUT", path, json={"person": "w1"})).status_code == 204
    told = (await client.get("/relations?rater=w1")).json()["items"]
    assert told == [{"rater": "w1", "subject": "chief", "group": "SELF"}]
    wrong = await client.send("PUT", path, json={"person": "nobody"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "#/person"
    named = await client.send("PUT", path, json={"person": "王芳"})
    assert named.status_code == 422, "a program says who by id"
    assert "Write the id" in named.text
    for nobody in ("city", "none"):  # a unit is nobody either
        answer = await client.send("PUT", f"/subjects/{nobody}/self", json={"person": "w1"})
        assert answer.status_code == 404
    assert (await client.send("PUT", path, json={"person": None})).status_code == 204
    assert (await client.get("/relations?rater=w1")).json()["items"] == []
