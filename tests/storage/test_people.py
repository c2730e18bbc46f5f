from __future__ import annotations

from dataclasses import replace

from evaluation.store import TaskRow
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Invite, Kind, Person, Relation, Subject
from tests.storage.rows import NOW, WAVE, found_roll, telegram


async def test_a_person_comes_back_as_they_were_put(store: SqlStore) -> None:
    known = Person("p1", Kind.STAFF, "王芳", "s1", "zh", opted_out=True)
    unknown = Person("p2", Kind.CITIZEN)
    await store.write(lambda tx: tx.put_people([known, unknown]))
    assert await store.read(lambda tx: tx.person("p1")) == known
    assert await store.read(lambda tx: tx.people()) == [known, unknown]
    assert await store.read(lambda tx: tx.person("p3")) is None


async def test_putting_a_person_again_replaces_them(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_people([Person("p1", Kind.STAFF, "before")]))
    await store.write(lambda tx: tx.put_people([Person("p1", Kind.STAFF, "after")]))
    assert await store.read(lambda tx: tx.people()) == [Person("p1", Kind.STAFF, "after")]


async def test_an_import_longer_than_a_batch_arrives_whole(store: SqlStore) -> None:
    crowd = (Person(f"p{number:05}", Kind.CITIZEN) for number in range(3_456))
    await store.write(lambda tx: tx.put_people(crowd))
    assert len(await store.read(lambda tx: tx.people())) == 3_456


async def test_only_what_still_stands_as_it_was_is_changed(store: SqlStore) -> None:
    one, two = (Person(each, Kind.STAFF, "甲", "u", "zh", tags=("党员",)) for each in ("p1", "p2"))
    unit = Subject("u", {"zh": "处", "en": "Office"})
    relation, task = Relation("p1", "u", RaterGroup.PEER), TaskRow("t", "u", "2026Q4", "basic", 2.5)
    chat = Chat(Address("telegram", "77"), "p1", "zh")

    def settle(tx: SqlTransaction) -> None:
        tx.put_people([one, two])
        tx.put_subjects([unit])
        tx.put_relations([relation])
        tx.put_tasks([task])
        tx.put_chat(chat)
        tx.put_people([replace(two, opted_out=True)])  # said stop meanwhile

    def change(tx: SqlTransaction) -> list[int]:
        named, new = replace(one, name="乙"), Person("p3", Kind.CITIZEN)
        return [
            tx.change_people([(one, named), (two, replace(two, name="乙")), (None, new)]),
            tx.change_people([(None, replace(one, name="丙"))]),
            tx.change_subjects([(unit, replace(unit, name={"zh": "局"}))]),
            tx.change_relations([(relation, replace(relation, group=RaterGroup.SUPERIOR))]),
            tx.change_tasks([(task, replace(task, points=3.0)), (None, task)]),
            tx.add_chats([chat, replace(chat, address=Address("telegram", "78"), person="p3")]),
        ]

    await store.write(settle)
    assert await store.write(change) == [2, 0, 1, 1, 1, 1]
    people = await store.read(lambda tx: tx.people())
    assert [person.name for person in people] == ["乙", "甲", ""]
    assert people[1].opted_out
    assert await store.read(lambda tx: tx.handles("telegram")) == {"77": "p1", "78": "p3"}


async def test_a_chat_is_found_by_its_address_and_its_person(store: SqlStore) -> None:
    phone = Chat(Address("telegram", "77"), "p1", "zh", "i1")
    laptop = Chat(Address("browser", "ab"), "p1", "en")

    def settle(tx: SqlTransaction) -> None:
        tx.put_people([Person("p1", Kind.CITIZEN)])
        tx.put_chat(phone)
        tx.put_chat(laptop)

    await store.write(settle)
    assert await store.read(lambda tx: tx.chat(phone.address)) == phone
    assert await store.read(lambda tx: tx.chat(Address("browser", "77"))) is None
    assert await store.read(lambda tx: tx.addresses("p1")) == [laptop.address, phone.address]


async def test_subjects_keep_both_languages_and_relations_their_group(store: SqlStore) -> None:
    office = Subject(
        "s1", {"zh": "行政审批局", "en": "Permits"}, parent="s0", rating_class="window"
    )
    relation = Relation("p1", "s1", RaterGroup.RECIPIENT)

    def settle(tx: SqlTransaction) -> None:
        tx.put_people([Person("p1", Kind.CITIZEN)])
        tx.put_subjects([office])
        tx.put_relations([Relation("p1", "s1", RaterGroup.PEER), relation])

    await store.write(settle)
    assert await store.read(lambda tx: tx.subject("s1")) == office
    assert await store.read(lambda tx: tx.subjects()) == [office]
    assert await store.read(lambda tx: tx.relations()) == [relation]


async def test_a_staff_invite_is_spent_once(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_invites([Invite("tok", "staff", "p1")]))
    spent = [await store.write(lambda tx: tx.spend_invite("tok")) for _ in range(3)]
    assert spent == [True, False, False]
    assert await store.read(lambda tx: tx.invite("tok")) == Invite("tok", "staff", "p1", used=True)
    assert await store.read(lambda tx: tx.invites()) == [Invite("tok", "staff", "p1", used=True)]
    assert not await store.write(lambda tx: tx.spend_invite("another"))


async def test_whoever_blocked_the_bot_is_owed_no_message_until_they_are_back(
    store: SqlStore,
) -> None:
    def settle(tx: SqlTransaction) -> tuple[int, ...]:
        found_roll(tx, 2)
        tx.set_reachable(telegram(1).address, False)
        return (tx.draw_deliveries(WAVE.id, ("invite", NOW)),)

    def back(tx: SqlTransaction) -> int:
        tx.set_reachable(telegram(1).address, True)
        return tx.draw_deliveries(WAVE.id, ("invite", NOW))

    assert await store.write(settle) == (1,)
    assert await store.write(back) == 1
