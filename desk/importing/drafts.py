"""What an import would write, compared with what is stored. Pure but for reading the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from desk.importing.records import Bad, Record, Records, duplicates
from evaluation.store import ScoreTransaction, TaskRow
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.store import Transaction

E = TypeVar("E")


class Ledger(Transaction, ScoreTransaction, Protocol):
    """The unit of work that an import needs: people and subjects, and the task list."""


@dataclass(slots=True)
class Draft(Generic[E]):
    """What would be written: ``put`` is the ledger's method that takes ``rows``."""

    put: str
    rows: list[E] = field(default_factory=list)
    chats: list[Chat] = field(default_factory=list)
    bads: list[Bad] = field(default_factory=list)
    added: int = 0
    unchanged: int = 0

    def take(self, new: E, old: E | None, *, anyway: bool = False) -> None:
        """Keep ``new`` where it differs from ``old`` (or ``anyway``), and count which it was."""
        self.added += old is None
        if new != old or anyway:
            self.rows.append(new)
        else:
            self.unchanged += 1


def draft_people(tx: Ledger, records: Records) -> Draft[Person]:
    """Opting out is kept: no import asks again whoever said stop."""
    stored = {person.id: person for person in tx.people()}
    units = {subject.id for subject in tx.subjects() if subject.kind == "unit"}
    draft: Draft[Person] = Draft("put_people")
    draft.bads += duplicates(records, ["id"])
    draft.bads += duplicates(records, ["telegram"])
    for record in _whole(records, "id", "kind"):
        old = stored.get(record.text("id"))
        before = old or Person(record.text("id"), Kind.CITIZEN)
        if "unit" in record.values and record.text("unit") not in units:
            draft.bads.append(_unknown(records, record, "unit", "unit", "subjects"))
        new = replace(
            before,
            kind=Kind(record.text("kind")),
            name=_kept(records, record, "name", before.name),
            unit=_kept(records, record, "unit", before.unit or "") or None,
            language=_kept(records, record, "language", before.language or "") or None,
        )
        draft.take(new, old, anyway=_bind(tx, records, record, new, draft))
    return draft


def _bind(
    tx: Ledger, records: Records, record: Record, person: Person, draft: Draft[Person]
) -> bool:
    """Bind the row's Telegram chat to ``person``; True where that is news."""
    if "telegram" not in record.values:
        return False
    address = Address("telegram", record.text("telegram"))
    chat = tx.chat(address)
    if chat is None:
        draft.chats.append(Chat(address, person.id, person.language or "zh"))
        return True
    if chat.person != person.id:
        what = f"{address.handle} is the chat of {chat.person!r} already"
        draft.bads.append(records.bad(record, "telegram", what, "Check which of the two it is."))
    return False


def draft_subjects(tx: Ledger, records: Records) -> Draft[Subject]:
    """Parents may come later in the same file; a chain of parents that bites its tail may not."""
    stored = {subject.id: subject for subject in tx.subjects()}
    draft: Draft[Subject] = Draft("put_subjects")
    draft.bads += duplicates(records, ["id"])
    all_of_them = dict(stored)
    news = list(_whole(records, "id", "name_zh"))
    for record in news:
        old = stored.get(record.text("id"))
        new = _subject(records, record, old)
        all_of_them[new.id] = new
        draft.take(new, old)
    told = {r.text("id") for r in records.records} - {r.text("id") for r in news}
    for record in news:
        parent = all_of_them[record.text("id")].parent
        if parent is None or parent in told:
            continue
        if parent not in all_of_them:
            draft.bads.append(_unknown(records, record, "parent", "subject", "subjects"))
        elif all_of_them[parent].kind != "unit":
            what = f"{parent!r} is an official, and only a unit has others under it"
            draft.bads.append(records.bad(record, "parent", what, "Name the unit."))
        elif ring := _ring(record.text("id"), all_of_them):
            what = f"the parents run in a circle: {' -> '.join(ring)}"
            draft.bads.append(records.bad(record, "parent", what, "Leave the topmost one empty."))
    return draft


def _subject(records: Records, record: Record, old: Subject | None) -> Subject:
    names = dict(old.name if old else {}) | {"zh": record.text("name_zh")}
    names["en"] = _kept(records, record, "name_en", names.get("en", ""))
    kind = _kept(records, record, "kind", old.kind if old else "unit") or "unit"
    return Subject(
        record.text("id"),
        {language: name for language, name in names.items() if name},
        kind,
        _kept(records, record, "parent", (old.parent or "") if old else "") or None,
        _kept(records, record, "class", old.rating_class if old else kind) or kind,
    )


def _ring(start: str, subjects: Mapping[str, Subject]) -> list[str]:
    """The circle of parents that ``start`` itself lies on, or nothing."""
    chain = [start]
    while (parent := subjects[chain[-1]].parent) is not None and parent in subjects:
        if parent == start:
            return [*chain, start]
        if parent in chain:
            return []  # a circle further up; its own rows are told
        chain.append(parent)
    return []


def draft_relations(tx: Ledger, records: Records) -> Draft[Relation]:
    """One rater sees one subject from one side."""
    stored = {(relation.rater, relation.subject): relation for relation in tx.relations()}
    people = {person.id for person in tx.people()}
    subjects = {subject.id for subject in tx.subjects()}
    draft: Draft[Relation] = Draft("put_relations")
    draft.bads += duplicates(records, ["rater", "subject"])
    for record in _whole(records, "rater", "subject", "group"):
        rater, subject = record.text("rater"), record.text("subject")
        if rater not in people:
            draft.bads.append(_unknown(records, record, "rater", "person", "people"))
        if subject not in subjects:
            draft.bads.append(_unknown(records, record, "subject", "subject", "subjects"))
        if rater == subject:
            what = f"{rater!r} would rate themselves"
            draft.bads.append(records.bad(record, "subject", what, "Remove the row."))
        new = Relation(rater, subject, RaterGroup(record.text("group")))
        draft.take(new, stored.get((rater, subject)))
    return draft


def draft_tasks(tx: Ledger, records: Records) -> Draft[TaskRow]:
    """A task keeps its quarter: moving it would change a list that may have been scored."""
    periods = {record.text("period") for record in _whole(records, "period")}
    near = sorted(set().union(*map(_near, periods)))
    stored = {task.id: task for period in near for task in tx.tasks(period)}
    subjects = {subject.id for subject in tx.subjects()}
    draft: Draft[TaskRow] = Draft("put_tasks")
    draft.bads += duplicates(records, ["id"])
    for record in _whole(records, "id", "subject", "period", "category", "points"):
        old = stored.get(record.text("id"))
        if record.text("subject") not in subjects:
            draft.bads.append(_unknown(records, record, "subject", "subject", "subjects"))
        if old is not None and old.period != record.text("period"):
            what = f"task {old.id!r} belongs to {old.period} already"
            draft.bads.append(records.bad(record, "period", what, "Give the new task its own id."))
        exposure = record.values.get("exposure")
        if exposure is None:
            exposure = old.exposure if old and "exposure" not in records.headings else 1.0
        new = TaskRow(
            record.text("id"),
            record.text("subject"),
            record.text("period"),
            record.text("category"),
            float(str(record.values["points"])),
            float(str(exposure)),
        )
        draft.take(new, old)
    return draft


def _near(period: str) -> set[str]:
    """The quarters up to two years around ``period``, where the same task might stand."""
    year = int(period[:4])
    return {f"{y}Q{q}" for y in range(year - 2, year + 3) for q in range(1, 5)}


def _whole(records: Records, *fields: str) -> Iterator[Record]:
    """The records that have all ``fields``; the others were told already."""
    return (r for r in records.records if all(name in r.values for name in fields))


def _kept(records: Records, record: Record, name: str, old: str) -> str:
    """The cell's text; what is stored where the file has no such column."""
    return record.text(name) if name in records.headings else old


def _unknown(records: Records, record: Record, name: str, what: str, table: str) -> Bad:
    value = record.text(name)
    mend = f"Correct it, or import it first (`minyi import {table}`)."
    return records.bad(record, name, f"there is no {what} {value!r}", mend)


DRAFTS: Mapping[str, Callable[[Ledger, Records], Draft[Any]]] = {
    "people": draft_people,
    "subjects": draft_subjects,
    "relations": draft_relations,
    "tasks": draft_tasks,
}
