"""Relations that follow from the tree of units, and one that ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.audit import Act
from desk.relating import (
    RelationError,
    Rule,
    derive,
    derived,
    end,
    identify,
    look,
    own,
    raters,
)
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.cells import RaterGroup
from surveys.people import Kind, Person, Relation, Subject

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
ACT = Act("a1", "desk", "test", NOW, b"k" * 32)
SUBJECTS = [
    Subject("city", {"zh": "市局"}),
    Subject("north", {"zh": "北区"}, parent="city"),
    Subject("south", {"zh": "南区"}, parent="city"),
    Subject("desk", {"zh": "窗口"}, parent="north"),
    Subject("chief", {"zh": "北区主任"}, kind="official", parent="north"),
    Subject("mayor", {"zh": "局长"}, kind="official", parent="city"),
]
STAFF = {"city": ["c1"], "north": ["n1", "n2"], "south": ["s1"], "desk": ["d1"]}


def people() -> list[Person]:
    staff = [Person(who, Kind.STAFF, unit=unit) for unit, ids in STAFF.items() for who in ids]
    others = [Person("guest", Kind.CITIZEN, unit="north"), Person("gone", Kind.STAFF, unit="north",
              left=True)]  # fmt: skip
    return [*staff, *others]


def pairs(*rules: Rule) -> set[tuple[str, str, str]]:
    found = [relation for _, relation in derived(SUBJECTS, STAFF, rules)]
    return {(each.rater, each.subject, str(each.group)) for each in found}


def test_each_rule_asks_whom_it_says() -> None:
    assert pairs(Rule.BELOW) == {("n1", "city", "SUB"), ("n2", "city", "SUB"),
                                 ("s1", "city", "SUB"), ("d1", "north", "SUB")}  # fmt: skip
    assert pairs(Rule.BESIDE) == {("s1", "north", "PEER"), ("n1", "south", "PEER"),
                                  ("n2", "south", "PEER")}  # fmt: skip
    assert pairs(Rule.ABOVE) == {("c1", "north", "SUP"), ("c1", "south", "SUP"),
                                 ("n1", "desk", "SUP"), ("n2", "desk", "SUP")}  # fmt: skip
    assert pairs(Rule.MEMBERS) == {("n1", "chief", "SUB"), ("n2", "chief", "SUB"),
                                   ("c1", "mayor", "SUB")}  # fmt: skip
    assert pairs(Rule.LEADERS) == {("c1", "chief", "SUP")}


def test_officials_are_each_others_peers_before_they_are_anybodys_staff() -> None:
    """n1 is the chief of north, s1 the chief of south; n2 is no official."""
    subjects = [*SUBJECTS, Subject("head", {"zh": "南区主任"}, kind="official", parent="south")]
    selves = {"chief": "n1", "head": "s1", "mayor": "c1"}
    found = [relation for _, relation in derived(subjects, STAFF, tuple(Rule), selves)]
    sides = {(each.rater, each.subject): each.group for each in found}
    assert sides["s1", "chief"] is sides["n1", "head"] is RaterGroup.PEER
    assert sides["n2", "chief"] is RaterGroup.SUBORDINATE
    assert sides["c1", "chief"] is RaterGroup.SUPERIOR
    assert not {("n1", "chief"), ("s1", "head"), ("c1", "mayor")} & sides.keys()
    nobody = [r for _, r in derived(subjects, STAFF, [Rule.FELLOWS])]
    assert nobody == [], "while nobody has said who the officials are"


async def test_an_official_is_one_person_and_another_when_the_office_passes_on(
    store: SqlStore,
) -> None:
    def settle(tx: SqlTransaction) -> None:
        tx.put_subjects(SUBJECTS)
        tx.put_people([*people(), Person("n3", Kind.STAFF, "王芳", unit="north")])
        tx.put_relations([Relation("n1", "chief", RaterGroup.SUBORDINATE)])

    def as_chief(who: str) -> Callable[[SqlTransaction], Person | None]:
        return lambda tx: identify(tx, ACT, "chief", who)

    await store.write(settle)
    assert await store.read(lambda tx: own(tx, "chief")) is None
    first = await store.write(as_chief("n1"))
    assert first is not None
    assert await store.read(lambda tx: own(tx, "chief")) == "n1"
    assert await store.read(lambda tx: raters(tx, "chief")) == {}, "nobody else, and not oneself"
    assert await store.write(as_chief("n1")) == first, "twice is once"
    second = await store.write(as_chief("王芳"))
    assert second is not None
    assert second.id == "n3"
    assert await store.read(lambda tx: tx.raters_as("chief", RaterGroup.SELF)) == ["n3"]
    assert await store.read(lambda tx: tx.relations_from("n1")) == []
    assert await store.write(as_chief("")) is None
    assert await store.read(lambda tx: own(tx, "chief")) is None
    entries = await store.read(lambda tx: list(tx.audit_chain()))
    assert [each.action.partition(".")[2] for each in entries] == [
        "identified", "ended", "identified", "ended",
    ]  # fmt: skip
    assert entries[0].before == '{"group":"SUB"}'
    for wrong in ("guest", "gone", "nobody"):
        with pytest.raises(RelationError):
            await store.write(as_chief(wrong))
    with pytest.raises(RelationError, match="A unit does not assess itself"):
        await store.write(lambda tx: identify(tx, ACT, "north", "n1"))


names = st.sampled_from("abcdef")


@given(st.dictionaries(names, st.one_of(st.none(), names)), st.sets(st.sampled_from(Rule)))
def test_in_any_tree_nobody_rates_their_own_unit_and_no_pair_comes_twice(
    parents: dict[str, str | None], rules: set[Rule]
) -> None:
    """Circles, units under themselves and parents that are not there included."""
    units = [Subject(name, {"zh": name}, parent=parent) for name, parent in parents.items()]
    staff = {name: [f"p{name}"] for name in parents}
    found = [relation for _, relation in derived(units, staff, rules)]
    assert len({(each.rater, each.subject) for each in found}) == len(found)
    assert all(each.rater != f"p{each.subject}" for each in found)


async def test_what_is_missing_is_added_and_what_stands_stays(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> None:
        tx.put_subjects(SUBJECTS)
        tx.put_people(people())
        tx.put_relations([Relation("s1", "north", RaterGroup.PEER),
                          Relation("n1", "south", RaterGroup.SUPERIOR)])  # fmt: skip

    await store.write(settle)
    rules = [Rule.BESIDE]
    seen = await store.read(lambda tx: look(tx, rules))
    assert (seen.count, seen.already, seen.another) == (1, 1, 1)
    assert seen.first == [Relation("n2", "south", RaterGroup.PEER)]
    before = await store.read(lambda tx: set(tx.relations()))
    assert await store.write(lambda tx: derive(tx, ACT, rules)) == seen
    after = await store.read(lambda tx: set(tx.relations()))
    assert after - before == {Relation("n2", "south", RaterGroup.PEER)}
    assert before <= after
    again = await store.write(lambda tx: derive(tx, ACT, rules))
    assert (again.count, again.already) == (0, 2)
    entries = await store.read(lambda tx: list(tx.audit_chain()))
    assert [(each.action, each.after) for each in entries] == [
        ("relations.derived", '{"beside":1}')
    ]
    every = await store.write(lambda tx: derive(tx, ACT, tuple(Rule)))
    assert every.count == 12
    found = await store.read(lambda tx: {each.rater for each in tx.relations()})
    assert not found & {"guest", "gone"}


async def test_a_relation_ends_once_and_the_audit_names_nobody(store: SqlStore) -> None:
    def settle(tx: SqlTransaction) -> None:
        tx.put_subjects(SUBJECTS)
        tx.put_people(people())
        tx.put_relations([Relation("s1", "north", RaterGroup.PEER),
                          Relation("s1", "city", RaterGroup.SUBORDINATE)])  # fmt: skip

    await store.write(settle)
    assert await store.write(lambda tx: end(tx, ACT, "s1", "north")) is not None
    assert await store.write(lambda tx: end(tx, ACT, "s1", "north")) is None
    left = await store.read(lambda tx: tx.relations())
    assert left == [Relation("s1", "city", RaterGroup.SUBORDINATE)]
    [entry] = await store.read(lambda tx: list(tx.audit_chain()))
    assert entry.action == "relation.ended"
    assert entry.before == '{"group":"PEER","subject":"north"}'
    assert "s1" not in entry.what
