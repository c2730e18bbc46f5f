from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from desk.audit import Act
from desk.importing.bringing import (
    Imported,
    MovedError,
    Plan,
    Rejected,
    bring_in,
    carried_out,
    compared,
    planned,
)
from desk.importing.columns import TABLES
from desk.importing.drafts import Change
from desk.importing.records import Records, understand
from desk.importing.samples import sample
from desk.importing.sheets import read, table
from desk.store import Sought
from evaluation.store import TaskRow
from storage import SqlStore
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject

ACT = Act("operator:test", "test", "terminal", datetime(2026, 11, 23, tzinfo=UTC), bytes(32))
SUBJECTS = "id,name_zh,kind,parent\nD1,政务中心,unit,\nW1,户籍窗口,unit,D1\nO1,张三,official,D1\n"
PEOPLE = "编号,姓名,类别,单位,电报\nP1,李四,干部,D1,1001\nP2,王五,staff,W1,\nC1,,群众,,1002\n"


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    kept = SqlStore("sqlite://")
    yield kept
    await kept.close()


async def bring(
    store: SqlStore, name: str, text: str, folder: Path, *, dry_run: bool = False
) -> Imported | Rejected:
    file = folder / f"{name}.csv"
    file.write_text(text, "utf-8")
    table = TABLES[name]
    return await bring_in(store, understand(table, read(file)), None if dry_run else ACT)


async def test_a_table_brought_as_another_is_told_and_none_of_it_is_written(
    store: SqlStore, tmp_path: Path
) -> None:
    for name, text in (("subjects", PEOPLE), ("relations", SUBJECTS), ("people", SUBJECTS)):
        outcome = await bring(store, name, text, tmp_path)
        assert isinstance(outcome, Rejected)
        [only] = outcome.bads
        assert "by its column names this is the table of" in only.what
    for name in TABLES:
        for language in ("zh", "en"):
            file = tmp_path / f"{name}-{language}.csv"
            file.write_bytes(sample(name, language) or b"")
            assert understand(TABLES[name], read(file)).bads == (), "a table is itself"


async def bad(store: SqlStore, name: str, text: str, folder: Path) -> list[tuple[int, str, str]]:
    outcome = await bring(store, name, text, folder)
    assert isinstance(outcome, Rejected)
    assert all(each.mend and each.file == f"{name}.csv" for each in outcome.bads)
    return [(each.row, each.column, each.what) for each in outcome.bads]


async def test_people_subjects_and_relations_come_in_with_titles_in_either_language(
    store: SqlStore, tmp_path: Path
) -> None:
    assert await bring(store, "subjects", SUBJECTS, tmp_path) == Imported(3, 0, 0, True)
    assert await bring(store, "people", PEOPLE, tmp_path) == Imported(3, 0, 0, True)
    relations = "rater,subject,group\nP1,O1,上级\nP2,O1,peer\nC1,W1,SVC\n"
    assert await bring(store, "relations", relations, tmp_path) == Imported(3, 0, 0, True)
    people = await store.read(lambda tx: {person.id: person for person in tx.people()})
    assert people["P1"] == Person("P1", Kind.STAFF, "李四", "D1")
    assert people["C1"] == Person("C1", Kind.CITIZEN)
    chat = await store.read(lambda tx: tx.chat(Address("telegram", "1001")))
    assert chat is not None
    assert chat.person == "P1"
    subjects = await store.read(lambda tx: {subject.id: subject for subject in tx.subjects()})
    assert subjects["O1"] == Subject("O1", {"zh": "张三"}, "official", "D1", "official")
    found = await store.read(lambda tx: set(tx.relations()))
    assert Relation("P1", "O1", RaterGroup.SUPERIOR) in found
    assert len(found) == 3


async def test_importing_the_same_file_again_changes_nothing(
    store: SqlStore, tmp_path: Path
) -> None:
    for name, text in (("subjects", SUBJECTS), ("people", PEOPLE)):
        await bring(store, name, text, tmp_path)
        assert await bring(store, name, text, tmp_path) == Imported(0, 0, 3, True)


async def test_a_dry_run_counts_and_writes_nothing(store: SqlStore, tmp_path: Path) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    changed = SUBJECTS.replace("户籍窗口", "户政窗口") + "W2,社保窗口,unit,D1\n"
    outcome = await bring(store, "subjects", changed, tmp_path, dry_run=True)
    assert outcome == Imported(1, 1, 2, False)
    names = await store.read(lambda tx: [subject.name["zh"] for subject in tx.subjects()])
    assert "户政窗口" not in names
    assert len(names) == 3


async def test_no_import_asks_again_whoever_opted_out_and_missing_columns_keep_values(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    await bring(store, "people", PEOPLE, tmp_path)
    before = Person("P1", Kind.STAFF, "李四", "D1", opted_out=True)
    await store.write(lambda tx: tx.put_people([before]))
    assert await bring(store, "people", "id,kind,name\nP1,staff,李思\n", tmp_path) == Imported(
        0, 1, 0, True
    )
    assert await store.read(lambda tx: tx.person("P1")) == replace(before, name="李思")
    await bring(store, "people", "id,kind,unit\nP1,staff,\n", tmp_path)
    assert await store.read(lambda tx: tx.person("P1")) == replace(before, name="李思", unit=None)


async def test_tags_zone_and_leaving_come_in_and_a_file_without_them_keeps_them(
    store: SqlStore, tmp_path: Path
) -> None:
    text = '编号,类别,标签,时区,已离开\nP1,干部,"窗口，党员,窗口",Europe/Berlin,是\n'
    await bring(store, "people", text, tmp_path)
    made = Person("P1", Kind.STAFF, left=True, zone="Europe/Berlin", tags=("党员", "窗口"))
    assert await store.read(lambda tx: tx.person("P1")) == made
    await bring(store, "people", "id,kind\nP1,staff\n", tmp_path)
    assert await store.read(lambda tx: tx.person("P1")) == made
    await bring(store, "people", "id,kind,tags,left\nP1,staff,,no\n", tmp_path)
    assert await store.read(lambda tx: tx.person("P1")) == replace(made, left=False, tags=())
    wrong = 'id,kind,tags,zone,left\nP1,staff,a"b,Beijing,maybe\n'
    found = await bad(store, "people", wrong, tmp_path)
    assert [column for _, column, _ in found] == ["tags", "zone", "left"]


async def test_every_bad_cell_of_people_is_addressed_and_nothing_is_taken(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    await bring(store, "people", PEOPLE, tmp_path)
    text = (
        "id,kind,unit,telegram,language\n"
        "P9,staff,D1,1009,zh\n"
        "P8,staff,D9,1002,\n"
        "P9,boss,O1,,\n"
        ",staff,,,fr\n"
        "A B,staff,,@name,,extra\n"
        "P7,staff,#REF!,1009,\n"
    )
    assert await bad(store, "people", text, tmp_path) == [
        (3, "unit", "there is no unit 'D9'"),
        (3, "telegram", "1002 is the chat of 'C1' already"),
        (4, "kind", "'boss' is not known here"),
        (4, "id", "'P9' stands in row 2 already"),
        (4, "unit", "there is no unit 'O1'"),
        (5, "id", "this cell is empty"),
        (5, "language", "'fr' is not known here"),
        (6, "", "'extra' stands outside the table"),
        (6, "id", "'A B' cannot be an id"),
        (6, "telegram", "'@name' is not a Telegram user number"),
        (7, "unit", "the formula here failed (#REF!)"),
        (7, "telegram", "'1009' stands in row 2 already"),
    ]
    assert await store.read(lambda tx: len(tx.people())) == 3


async def test_parents_are_checked_and_a_circle_is_shown(store: SqlStore, tmp_path: Path) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    text = "id,name_zh,parent\nA,a,B\nB,b,C\nC,c,A\nD,d,O1\nE,e,nowhere\nF,f,A\nG,,\nH,h,G\n"
    assert await bad(store, "subjects", text, tmp_path) == [
        (2, "parent", "the parents run in a circle: A -> B -> C -> A"),
        (3, "parent", "the parents run in a circle: B -> C -> A -> B"),
        (4, "parent", "the parents run in a circle: C -> A -> B -> C"),
        (5, "parent", "'O1' is an official, and only a unit has others under it"),
        (6, "parent", "there is no subject 'nowhere'"),
        (8, "name_zh", "this cell is empty"),
    ]


async def test_a_circle_through_what_is_stored_already_is_found(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    found = await bad(store, "subjects", "id,name_zh,parent\nD1,政务中心,W1\n", tmp_path)
    assert found == [(2, "parent", "the parents run in a circle: D1 -> W1 -> D1")]


async def test_relations_name_both_rows_of_a_duplicate_and_refuse_strangers(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    await bring(store, "people", PEOPLE + "O1,张三,staff,,\n", tmp_path)
    text = "rater,subject,group\nP1,O1,SUP\nP1,O1,PEER\nX1,O1,SUB\nP1,X2,SVC\nO1,O1,PEER\n"
    assert await bad(store, "relations", text, tmp_path) == [
        (3, "rater", "'P1 + O1' stands in row 2 already"),
        (4, "rater", "there is no person 'X1'"),
        (5, "subject", "there is no subject 'X2'"),
        (6, "subject", "'O1' would rate themselves"),
    ]


async def test_an_official_is_one_person_and_a_unit_is_nobody(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS + "F1,王主任,official,D1\n", tmp_path)
    await bring(store, "people", PEOPLE + "F1,王芳,staff,,\nP9,李强,staff,,\n", tmp_path)
    text = "rater,subject,group\nP1,F1,SELF\nP9,F1,本人\nP1,W1,self\nC1,F1,SELF\n"
    assert await bad(store, "relations", text, tmp_path) == [
        (3, "rater", "the official 'F1' is 'P1' in row 2 and 'P9' here"),
        (4, "subject", "'W1' is a unit, not an official"),
        (5, "rater", "'C1' is no member of staff who works here, and cannot be an official"),
    ]
    good = "rater,subject,group\nF1,F1,自评\nP9,F1,SUB\n"  # ids of people and subjects may agree
    assert await bring(store, "relations", good, tmp_path) == Imported(2, 0, 0, True)
    assert await store.read(lambda tx: tx.raters_as("F1", RaterGroup.SELF)) == ["F1"]
    made_unit = "id,name_zh,kind,parent\nF1,王主任,unit,D1\n"
    assert await bad(store, "subjects", made_unit, tmp_path) == [
        (2, "kind", "'F1' is an official, namely 'F1', and cannot become a unit"),
    ]
    again = "rater,subject,group\nP1,F1,SELF\n"
    assert await bad(store, "relations", again, tmp_path) == [
        (2, "rater", "the official 'F1' is 'F1' already and cannot be 'P1' as well"),
    ]
    aside = "rater,subject,group\nF1,F1,PEER\n"  # it would quietly leave the office empty
    assert await bad(store, "relations", aside, tmp_path) == [
        (2, "group", "'F1' is the official 'F1' and cannot rate themselves from another side"),
    ]


async def test_a_changed_side_replaces_the_old_one(store: SqlStore, tmp_path: Path) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    await bring(store, "people", PEOPLE, tmp_path)
    await bring(store, "relations", "rater,subject,group\nP1,O1,SUP\n", tmp_path)
    outcome = await bring(store, "relations", "rater,subject,group\nP1,O1,PEER\n", tmp_path)
    assert outcome == Imported(0, 1, 0, True)
    assert await store.read(lambda tx: list(tx.relations())) == [
        Relation("P1", "O1", RaterGroup.PEER)
    ]


async def test_tasks_take_chinese_words_percent_and_thousands(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    text = (
        "编号,对象,季度,类别,分值,占比\n"
        "T1,W1,2026年第四季度,急难险重性,\"1,200\",50%\n"
        "T2,W1,2026-q4,phased,3.5,\n"
    )  # fmt: skip
    assert await bring(store, "tasks", text, tmp_path) == Imported(2, 0, 0, True)
    assert set(await store.read(lambda tx: tx.tasks("2026Q4"))) == {
        TaskRow("T1", "W1", "2026Q4", "urgent", 1200.0, 0.5),
        TaskRow("T2", "W1", "2026Q4", "phased", 3.5, 1.0),
    }


async def test_bad_tasks_are_addressed_and_none_moves_to_another_quarter(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    header = "id,subject,period,category,points,exposure\n"
    await bring(store, "tasks", f"{header}T1,W1,2026Q3,basic,1,1\n", tmp_path)
    text = (
        f"{header}T1,W1,2026Q4,basic,1,1\nT2,W9,2026Q5,basic,-1,2\n"
        "T3,W1,2026Q4,basic,nan,\nT4,W1,2026Q4,basic,\"1,5\",\n"
    )  # fmt: skip
    assert await bad(store, "tasks", text, tmp_path) == [
        (2, "period", "task 'T1' belongs to 2026Q3 already"),
        (3, "period", "'2026Q5' is not a quarter"),
        (3, "points", "'-1' is out of range"),
        (3, "exposure", "'2' is out of range"),
        (3, "subject", "there is no subject 'W9'"),
        (4, "points", "'nan' is out of range"),
        (5, "points", "'1,5' is not a number"),
    ]


async def test_columns_missing_doubled_and_unknown_are_named(
    store: SqlStore, tmp_path: Path
) -> None:
    found = await bad(store, "people", "姓名,name,colour\nx,y,z\n", tmp_path)
    assert [(row, column) for row, column, _ in found] == [(0, "name"), (0, "id"), (0, "kind")]
    outcome = await bring(store, "people", "id,kind,colour\nP1,staff,red\n", tmp_path)
    assert isinstance(outcome, Imported)
    [warning] = outcome.warnings
    assert warning.said("en") == "column 'colour' is not known here and was not read"
    assert "没有读" in warning.said("zh")
    [nothing] = await bad(store, "people", "id,kind\n", tmp_path)
    assert nothing[2] == "there are no rows below"


async def test_a_large_file_is_one_transaction_with_progress(
    store: SqlStore, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("id,kind\n" + "".join(f"C{n},citizen\n" for n in range(5000)))
    seen: list[tuple[int, int]] = []
    records = understand(TABLES["people"], read(file))
    outcome = await bring_in(store, records, ACT, progress=lambda done, of: seen.append((done, of)))
    assert outcome == Imported(5000, 0, 0, True)
    assert seen == [(2000, 5000), (4000, 5000), (5000, 5000)]


async def test_a_long_chain_of_units_is_checked_at_once_and_a_long_circle_is_cut(
    store: SqlStore, tmp_path: Path
) -> None:
    rows = "".join(f"U{n},n,U{n + 1}\n" for n in range(5000))
    whole = await bring(store, "subjects", f"id,name_zh,parent\n{rows}U5000,n,\n", tmp_path)
    assert whole == Imported(5001, 0, 0, True)
    found = await bad(store, "subjects", "id,name_zh,parent\nU5000,n,U0\n", tmp_path)
    assert found[0][2].startswith("the parents run in a circle: U5000 -> U0 -> U1")
    assert "U50 ->" not in found[0][2]


async def test_what_is_wrong_everywhere_is_noted_up_to_a_bound(
    store: SqlStore, tmp_path: Path
) -> None:
    for text in ("id,kind\n" + "P,boss\n" * 30_000, "id,kind\n" + "P,staff\n" * 30_000):
        outcome = await bring(store, "people", text, tmp_path)
        assert isinstance(outcome, Rejected)
        assert (len(outcome.bads), outcome.more) == (20_000, True)


async def test_an_import_stands_in_the_audit_and_a_dry_run_does_not(
    store: SqlStore, tmp_path: Path
) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path, dry_run=True)
    assert (await store.read(lambda tx: tx.audit_head()))[0] == 0
    await bring(store, "subjects", SUBJECTS, tmp_path)
    [entry] = await store.read(lambda tx: tx.audit(Sought()))
    facts = json.loads(entry.after)
    assert facts["sha256"] == hashlib.sha256(SUBJECTS.encode()).hexdigest()
    assert (facts["file"], facts["added"], facts["changed"]) == ("subjects.csv", 3, 0)


async def test_changes_tell_only_what_differs(store: SqlStore, tmp_path: Path) -> None:
    await bring(store, "subjects", SUBJECTS, tmp_path)
    await bring(store, "people", PEOPLE, tmp_path)
    text = "id,kind,name,telegram\nP1,staff,李思,1001\nP2,staff,王五,1003\nP9,citizen,新,\n"
    outcome = await bring(store, "people", text, tmp_path, dry_run=True)
    assert isinstance(outcome, Imported)
    assert outcome.changes == (
        Change("P1", {"name": "李四"}, {"name": "李思"}),
        Change("P2", {"telegram": ""}, {"telegram": "1003"}),
    )
    assert outcome.news == (Change("P9", {}, {"name": "新", "kind": "citizen"}),)


def rows(name: str, text: str) -> Records:
    return understand(TABLES[name], table(f"{name}.csv", text.encode()))


async def test_whoever_says_stop_while_a_table_is_compared_stays_out(store: SqlStore) -> None:
    await store.write(lambda tx: tx.put_people([Person("P1", Kind.STAFF, "李四")]))
    plans: list[Plan] = []

    async def write(plan: Plan) -> object:
        plans.append(plan)
        if len(plans) == 1:
            stopped = Person("P1", Kind.STAFF, "李四", opted_out=True)
            await store.write(lambda tx: tx.put_people([stopped]))
        return await store.write(lambda tx: carried_out(tx, ACT, plan))

    text = rows("people", "id,kind,name\nP1,staff,李思\nP2,staff,\n")
    assert await compared(store.read, text, write) == Imported(1, 1, 0, True)
    assert len(plans) == 2  # compared anew, and nothing of the first stayed
    assert await store.read(lambda tx: tx.person("P1")) == Person(
        "P1", Kind.STAFF, "李思", opted_out=True
    )
    assert len(await store.read(lambda tx: tx.audit(Sought()))) == 1


@pytest.mark.parametrize(
    ("name", "text", "meanwhile"),
    [
        ("people", "id,kind\nP1,staff\n", lambda tx: tx.put_people([Person("P1", Kind.CITIZEN)])),
        (
            "people",
            "id,kind,unit\nP1,staff,D1\n",
            lambda tx: tx.put_subjects([Subject("D1", {"zh": "x"}, "official")]),
        ),
        (
            "people",
            "id,kind,telegram\nP0,staff,1001\n",
            lambda tx: tx.put_chat(Chat(Address("telegram", "9"), "P0", "zh")),
        ),
        (
            "people",
            "id,kind,telegram\nP1,staff,1001\n",
            lambda tx: tx.put_chat(Chat(Address("telegram", "1001"), "P0", "zh")),
        ),
        (
            "subjects",
            "id,name_zh,parent\nW1,x,D1\n",
            lambda tx: tx.put_subjects([Subject("D1", {"zh": "x"}, parent="W1")]),
        ),
        (
            "relations",
            "rater,subject,group\nP0,D1,SUP\n",
            lambda tx: tx.put_relations([Relation("P0", "D1", RaterGroup.PEER)]),
        ),
        (
            "tasks",
            "id,subject,period,category,points\nT,D1,2026Q4,basic,1\n",
            lambda tx: tx.put_tasks([TaskRow("T", "D1", "2026Q4", "basic", 2.0)]),
        ),
    ],
)
async def test_nothing_is_written_where_what_a_table_was_compared_with_has_changed(
    store: SqlStore, name: str, text: str, meanwhile: Callable[[Any], None]
) -> None:
    def settle(tx: Any) -> None:
        tx.put_subjects([Subject("D1", {"zh": "x"})])
        tx.put_people([Person("P0", Kind.STAFF)])

    await store.write(settle)
    plan = await store.read(lambda tx: planned(tx, rows(name, text)))
    await store.write(meanwhile)
    with pytest.raises(MovedError, match="kept changing"):
        await store.write(lambda tx: carried_out(tx, ACT, plan))
    assert not await store.read(lambda tx: tx.audit(Sought()))


async def test_a_roster_that_never_holds_still_is_told_after_three_comparisons(
    store: SqlStore,
) -> None:
    tries: list[Plan] = []

    async def write(plan: Plan) -> None:
        tries.append(plan)
        raise MovedError

    with pytest.raises(MovedError):
        await compared(store.read, rows("people", "id,kind\nP1,staff\n"), write)
    assert len(tries) == 3


ROSTER = [Person(f"P{n}", Kind.STAFF, f"name {n}") for n in range(1, 5)]


async def whole(store: SqlStore, text: str, *, many_left: bool = False) -> Imported | Rejected:
    records = replace(rows("people", text), whole=True, many_left=many_left)
    return await bring_in(store, records, ACT)


async def test_whoever_the_whole_roster_leaves_out_has_left_and_comes_back_with_it(
    store: SqlStore,
) -> None:
    guest = Person("guest", Kind.CITIZEN)
    await store.write(lambda tx: tx.put_people([*ROSTER, guest]))
    three = "id,kind\nP1,staff\nP2,staff\nP3,staff\n"
    outcome = await whole(store, three)
    assert outcome == Imported(0, 0, 3, True, left=1)
    assert isinstance(outcome, Imported)
    assert outcome.leavers == ("name 4",)
    people = await store.read(lambda tx: tx.people())
    assert {person.id for person in people if person.left} == {"P4"}
    again = await whole(store, three)
    assert again == Imported(0, 0, 3, True)
    back = await whole(store, f"{three}P4,staff\n")
    assert back == Imported(0, 1, 3, True)
    assert not any(person.left for person in await store.read(lambda tx: tx.people()))


async def test_a_file_that_would_empty_the_roster_is_asked_about_once_more(
    store: SqlStore,
) -> None:
    await store.write(lambda tx: tx.put_people(ROSTER))
    two = "id,kind\nP1,staff\nP2,staff\n"
    refused = await whole(store, two)
    assert isinstance(refused, Rejected)
    assert "2 of the 4 people" in refused.bads[0].what
    assert "name 3, name 4" in refused.bads[0].what
    assert not any(person.left for person in await store.read(lambda tx: tx.people()))
    assert await whole(store, two, many_left=True) == Imported(0, 0, 2, True, left=2)


async def test_only_people_can_be_a_whole_roster(store: SqlStore) -> None:
    records = replace(rows("subjects", "id,name_zh\nS1,窗口\n"), whole=True)
    refused = await bring_in(store, records, ACT)
    assert isinstance(refused, Rejected)
    assert [bad.code for bad in refused.bads] == ["whole-table"]
