"""People and units at the desk: seen within one's reach, changed by whoever may."""

from __future__ import annotations

from desk.audit import someone
from desk.roles import Role
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.consenting import keep_text, version
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from tests.web.console.seats import Desk, post


def rolled(tx: SqlTransaction) -> None:
    """A city with two districts; one has a window and an official."""
    tx.put_subjects(
        [
            Subject("city", {"zh": "市", "en": "City"}),
            Subject("east", {"zh": "东区", "en": "East"}, parent="city"),
            Subject("west", {"zh": "西区", "en": "West"}, parent="city"),
            Subject("win", {"zh": "窗口", "en": "Window"}, parent="east"),
            Subject("li", {"zh": "李主任"}, "official", "east", "official"),
        ]
    )
    tx.put_people(
        [
            Person("P1", Kind.STAFF, "李四", "east"),
            Person("P2", Kind.STAFF, "王五", "west"),
            Person("P3", Kind.CITIZEN, "孙七", opted_out=True),
            Person("P4", Kind.STAFF, "赵_六", "win"),
        ]
    )
    tx.put_relations(
        [
            Relation("P1", "li", RaterGroup.SUBORDINATE),
            Relation("P1", "west", RaterGroup.PEER),
            Relation("P4", "li", RaterGroup.SUBORDINATE),
        ]
    )
    tx.put_chat(Chat(Address("telegram", "1001"), "P1", "zh"))
    tx.put_chat(Chat(Address("web", "f" * 64), "P4", "zh"))


async def test_an_empty_roster_says_what_to_do_first_with_samples(desk: Desk) -> None:
    page = (await (await desk.seat(Role.OFFICER)).get("/desk/roster")).text
    assert "still empty" in page
    assert "/desk/roster/samples/subjects.zh.csv" in page
    assert "/desk/roster/samples/tasks.en.csv" in page
    assert page.index("samples/subjects") < page.index("samples/people") < page.index("samples/rel")
    auditor = (await (await desk.seat(Role.AUDITOR)).get("/desk/roster")).text
    assert "samples" not in auditor


async def test_units_stand_as_a_tree_with_their_numbers(desk: Desk) -> None:
    await desk.store.write(rolled)
    page = (await (await desk.seat(Role.OFFICER)).get("/desk/roster")).text
    assert (
        page.index(">City<") < page.index(">East<") < page.index("李主任") < page.index(">Window<")
    )
    assert 'class="deep2"><a href="/desk/roster/unit?id=win"' in page
    assert "5 units and officials, 4 people, 3 relations" in page
    found = (await (await desk.seat(Role.OFFICER)).get("/desk/roster?q=win")).text
    assert ">Window<" in found
    assert ">East<" not in found


async def test_a_supervisor_sees_the_own_unit_and_below_and_nothing_else(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.SUPERVISOR, "east")
    tree = (await client.get("/desk/roster")).text
    assert ">East<" in tree
    assert ">Window<" in tree
    assert "West" not in tree
    assert "City" not in tree
    people = (await client.get("/desk/roster/people")).text
    assert "李四" in people
    assert "赵_六" in people
    assert "王五" not in people
    assert ">P3<" not in people
    assert "id=P3" not in people
    for path in ("person?id=P2", "person?id=P3", "unit?id=west", "unit?id=city", "person?id=no"):
        assert (await client.get(f"/desk/roster/{path}")).status_code == 404, path
    unit = (await client.get("/desk/roster/unit?id=east")).text
    assert "City" not in unit
    person = (await client.get("/desk/roster/person?id=P1")).text
    assert "李主任" in person
    assert "West" not in person
    assert "1 more are not listed" in person
    assert "<form" not in person.split("<main")[1]
    links = (await client.get("/desk/roster/links?kind=unit")).text
    assert "West" not in links
    assert (await client.get("/desk/roster/links?kind=campaign")).status_code == 404


async def test_people_are_searched_filtered_sorted_and_paged(desk: Desk) -> None:
    await desk.store.write(rolled)
    more = [Person(f"C{n:03}", Kind.CITIZEN, f"N{n}") for n in range(120)]
    await desk.store.write(lambda tx: tx.put_people(more))
    client = await desk.seat(Role.AUDITOR)

    async def seen(query: str) -> str:
        return (await client.get(f"/desk/roster/people?{query}")).text

    assert "1 to 50 of 124" in await seen("")
    last = await seen("page=3&order=id")
    assert "101 to 124 of 124" in last
    assert "P4" in last
    assert "page=2&amp;" in last or "page=2" in last
    backwards = await seen("order=-id")
    assert backwards.index("id=P4") < backwards.index("id=P1")
    assert "1 to 3 of 3" in await seen("kind=staff")
    assert "1 to 1 of 1" in await seen("out=yes")
    assert "1 to 1 of 1" in await seen("unit=win")
    assert "1 to 1 of 1" in await seen("q=%E6%9D%8E")
    assert "1 to 1 of 1" in await seen("q=_")  # no wildcard
    assert "Nothing found" in await seen("q=%25%25")
    for odd in ("page=0", "page=-1", "page=x", "page=99999999", "order=drop", "kind=cat"):
        assert "1 to 50 of 124" in await seen(odd), odd
    assert "Nothing found" in await seen("page=9")


async def test_a_persons_page_never_tells_whether_they_came(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    page = (await client.get("/desk/roster/person?id=P1")).text
    assert "can be reached" in page
    assert "subordinates" in page
    browser = (await client.get("/desk/roster/person?id=P4")).text
    assert "cannot be reached" in browser
    assert "rowser" not in browser.split("<main")[1]


async def test_the_version_somebody_was_told_is_hidden_of_whoever_a_table_lists(desk: Desk) -> None:
    def told(tx: SqlTransaction) -> None:
        rolled(tx)
        keep_text(tx)
        tx.put_people(
            [Person("P1", Kind.STAFF, "李四", "east", consent=version()),
             Person("P3", Kind.CITIZEN, consent=version()), Person("P5", Kind.CITIZEN)]
        )  # fmt: skip

    await desk.store.write(told)
    client = await desk.seat(Role.OFFICER)
    listed = [(await client.get(f"/desk/roster/person?id={key}")).text for key in ("P1", "P2")]
    assert all("Which version is not shown here" in page for page in listed)
    assert not any(version() in page for page in listed)
    guest = (await client.get("/desk/roster/person?id=P3")).text
    assert f"/desk/roster/privacy?version={version()}" in guest
    assert "None yet, or withdrawn" in (await client.get("/desk/roster/person?id=P5")).text


async def test_what_a_version_of_the_privacy_text_said_is_shown(desk: Desk) -> None:
    await desk.store.write(keep_text)
    await desk.store.write(
        lambda tx: tx.put_note("privacy:0badc0de", '{"en":"All <b>is</b> read"}')
    )
    client = await desk.seat(Role.OFFICER)
    today = (await client.get("/desk/roster/privacy")).text
    assert "Ratings lie sealed" in today
    assert "评价：截止前密封存放" in today
    assert "what people are told now" in today
    then = (await client.get("/desk/roster/privacy?version=0badc0de")).text
    assert "All &lt;b&gt;is&lt;/b&gt; read" in then
    assert "it has changed since" in then
    for unknown in ("12345678", "%00", "x" * 300):
        assert (await client.get(f"/desk/roster/privacy?version={unknown}")).status_code == 404


async def test_a_person_is_changed_and_the_audit_says_which_fields_but_no_name(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    fields = {"id": "P1", "name": "李思", "unit": "win", "language": "en"}
    page = "/desk/roster/person?id=P1"
    answer = await post(client, "/desk/roster/person", fields, page=page)
    assert answer.headers["location"] == page
    assert await desk.store.read(lambda tx: tx.person("P1")) == Person(
        "P1", Kind.STAFF, "李思", "win", "en"
    )
    [entry] = await desk.audited("person")
    assert (entry.action, entry.what) == ("person.edited", someone(desk.act(), "P1"))
    assert (entry.before, entry.after) == ("", '{"fields":["language","name","unit"]}')
    await post(client, "/desk/roster/person", fields, page=page)
    assert len(await desk.audited("person")) == 1  # nothing changed, nothing told


async def test_tags_zone_and_having_left_are_kept_and_people_found_by_a_tag(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    fields = {"id": "P1", "name": "李四", "unit": "win", "language": "", "tags": "night，Win",
              "zone": "Asia/Urumqi", "left": "yes"}  # fmt: skip
    page = "/desk/roster/person?id=P1"
    assert (await post(client, "/desk/roster/person", fields, page=page)).status_code == 303
    kept = await desk.store.read(lambda tx: tx.person("P1"))
    assert kept is not None
    assert (kept.tags, kept.zone, kept.left) == (("Win", "night"), "Asia/Urumqi", True)
    shown = (await client.get(page)).text
    assert 'value="Win, night"' in shown
    assert 'value="yes" checked' in shown
    for tag, found in (("night", True), ("Night", False), ("nig", False), ("win", False)):
        listed = (await client.get(f"/desk/roster/people?tag={tag}")).text
        assert ("李四" in listed) is found, tag
    wrong = {**fields, "zone": "Peking", "tags": 'a"b', "left": ""}
    refused = await post(client, "/desk/roster/person", wrong, page=page)
    assert refused.status_code == 422
    assert 'value="Peking"' in refused.text
    assert "such as Asia/Shanghai; leave it blank" in refused.text
    assert "without quotation marks" in refused.text


async def test_what_cannot_be_kept_is_told_beside_its_field_and_stays_typed(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    fields = {"id": "P1", "name": "x\ny", "unit": "li", "language": "fr"}
    answer = await post(client, "/desk/roster/person", fields)
    assert answer.status_code == 422
    assert 'id="wrong-unit"' in answer.text
    assert 'id="wrong-name"' in answer.text
    assert 'id="wrong-language"' in answer.text
    assert 'name="unit" value="li"' in answer.text
    assert not await desk.audited("person")
    assert (await post(client, "/desk/roster/person", {"id": "nobody"})).status_code == 404


async def test_opting_out_is_noted_and_cannot_be_undone_here(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.OFFICER)
    await post(client, "/desk/roster/person/stop", {"id": "P1"})
    page = (await client.get("/desk/roster/person?id=P1")).text
    assert "Only they can undo it" in page
    assert "person/stop" not in page
    again = {"id": "P1", "name": "李四", "unit": "east", "language": "", "opted_out": ""}
    await post(client, "/desk/roster/person", again)
    kept = await desk.store.read(lambda tx: tx.person("P1"))
    assert kept is not None
    assert kept.opted_out
    await post(client, "/desk/roster/person/stop", {"id": "P1"})
    assert [entry.action for entry in await desk.audited("person")] == ["person.opted_out"]
    assert (await post(client, "/desk/roster/person/stop", {"id": "no"})).status_code == 404


async def test_a_unit_is_renamed_and_moved_but_never_into_a_circle(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.ADMINISTRATOR)
    fields = {"id": "win", "zh": "新窗口", "en": "", "parent": "west"}
    await post(client, "/desk/roster/unit", fields)
    assert await desk.store.read(lambda tx: tx.subject("win")) == Subject(
        "win", {"zh": "新窗口"}, parent="west"
    )
    [entry] = await desk.audited("subject")
    assert entry.before == '{"en":"Window","parent":"east","zh":"窗口"}'
    assert entry.after == '{"en":null,"parent":"west","zh":"新窗口"}'
    ring = {"id": "city", "zh": "市", "en": "City", "parent": "win"}
    refused = await post(client, "/desk/roster/unit", ring)
    assert refused.status_code == 422
    assert "city → win → west → city" in refused.text
    for parent in ("city", "nowhere", "li"):
        wrong = await post(client, "/desk/roster/unit", {**ring, "parent": parent})
        assert wrong.status_code == 422, parent
    nameless = await post(client, "/desk/roster/unit", {**ring, "zh": "", "parent": ""})
    assert "Give it a Chinese name" in nameless.text
    assert len(await desk.audited("subject")) == 1


async def test_ids_with_odd_characters_have_pages_of_their_own(desk: Desk) -> None:
    odd = "a/b?c&d#é"
    await desk.store.write(lambda tx: tx.put_people([Person(odd, Kind.STAFF, "<b>x</b>")]))
    client = await desk.seat(Role.OFFICER)
    page = (await client.get("/desk/roster/people")).text
    assert "<b>x</b>" not in page
    link = page.split('class="mono"><a href="')[1].split('"')[0]
    assert (await client.get(link.replace("&amp;", "&"))).status_code == 200


async def test_an_auditor_reads_and_finds_nothing_to_press(desk: Desk) -> None:
    await desk.store.write(rolled)
    client = await desk.seat(Role.AUDITOR)
    for path in ("", "/people", "/person?id=P1", "/unit?id=east", "/links", "/links?kind=staff"):
        main = (await client.get(f"/desk/roster{path}")).text.split("<main")[1]
        assert 'method="post"' not in main, path
