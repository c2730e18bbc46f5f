"""What an import would write, compared with what is stored. Pure but for reading the store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from typing import Any, Generic, TypeVar

from desk.importing.records import MOST, Bad, Record, Records, duplicates
from desk.saying import shown
from desk.store import DeskTransaction
from evaluation.store import TaskRow
from surveys.cells import RaterGroup
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.words import LANGUAGES

E = TypeVar("E")
_TOLD = 12  # names of a circle of parents
SHOWN = 20
"""Changes, and additions, that a preview shows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row as it is and as it would be: only the fields that differ. ``before`` {}: it is new.

    The fields are those of the table's columns.
    """

    key: str
    before: Mapping[str, str]
    after: Mapping[str, str]


def _always(tx: DeskTransaction) -> bool:
    return True


@dataclass(slots=True)
class Draft(Generic[E]):
    """What would be written: ``change`` is the store's method that takes ``rows``.

    ``told`` gives a row's key and its fields as a preview shows them. ``rows`` are pairs: as it is
    (None: it is new) and as it would be. ``holds`` says of a later moment whether what the rows
    were checked against, beside themselves, is still so.
    """

    change: str
    told: Callable[[E], tuple[str, Mapping[str, str]]]
    holds: Callable[[DeskTransaction], bool] = _always
    rows: list[tuple[E | None, E]] = field(default_factory=list)
    chats: list[Chat] = field(default_factory=list)
    bads: list[Bad] = field(default_factory=list)
    added: int = 0
    unchanged: int = 0
    news: list[Change] = field(default_factory=list)  # at most SHOWN
    changes: list[Change] = field(default_factory=list)  # at most SHOWN
    left: int = 0
    leavers: list[str] = field(default_factory=list)  # what they are called; at most SHOWN
    _whole: Any = field(default_factory=sha256)

    def note(self, *bads: Bad) -> None:
        """Keep what is wrong; of more than MOST mistakes it is enough to know that there are."""
        self.bads += bads[: max(0, MOST + 1 - len(self.bads))]

    def take(self, new: E, old: E | None, bound: str = "") -> None:
        """Keep ``new`` where it differs from ``old`` or is ``bound`` to a chat; count which."""
        self.added += old is None
        if new == old and not bound:
            self.unchanged += 1
            return
        self.rows.append((old, new))
        change = self._change(new, old, bound)
        self._whole.update(repr(change).encode("utf-8", "surrogatepass"))
        kept = self.news if old is None else self.changes
        if len(kept) < SHOWN:
            kept.append(change)

    def leave(self, new: E, old: E) -> None:
        """Keep ``new`` for ``old``, who is in the file no more."""
        self.rows.append((old, new))
        self.left += 1
        key, told = self.told(new)
        self._whole.update(repr(("left", key)).encode("utf-8", "surrogatepass"))
        if len(self.leavers) < SHOWN:
            self.leavers.append(told.get("name") or key)

    @property
    def digest(self) -> str:
        """The same for two drafts that would change the same in the same way."""
        return str(self._whole.hexdigest())

    def _change(self, new: E, old: E | None, bound: str) -> Change:
        key, after = self.told(new)
        if bound:
            after = {**after, "telegram": bound}
        if old is None:
            return Change(key, {}, {name: value for name, value in after.items() if value})
        _, before = self.told(old)
        differ = [name for name in after if before.get(name, "") != after[name]]
        return Change(
            key, {name: before.get(name, "") for name in differ}, {n: after[n] for n in differ}
        )


def person_told(person: Person) -> tuple[str, Mapping[str, str]]:
    """A person's key and columns."""
    return person.id, {"name": person.name, "kind": person.kind.value, "unit": person.unit or "",
                       "language": person.language or "", "tags": ",".join(person.tags),
                       "zone": person.zone or "", "left": "yes" if person.left else ""}  # fmt: skip


def subject_told(subject: Subject) -> tuple[str, Mapping[str, str]]:
    """A subject's key and columns."""
    names = {f"name_{language}": subject.name.get(language, "") for language in LANGUAGES}
    return subject.id, {**names, "kind": subject.kind, "parent": subject.parent or "",
                        "class": subject.rating_class}  # fmt: skip


def relation_told(relation: Relation) -> tuple[str, Mapping[str, str]]:
    """A relation's key and columns."""
    return f"{relation.rater} → {relation.subject}", {"group": relation.group.value}


def task_told(task: TaskRow) -> tuple[str, Mapping[str, str]]:
    """A task's key and columns."""
    return task.id, {"subject": task.subject, "period": task.period, "category": task.category,
                     "points": f"{task.points:g}", "exposure": f"{task.exposure:g}"}  # fmt: skip


def draft_people(tx: DeskTransaction, records: Records) -> Draft[Person]:
    """Opting out is kept: no import asks again whoever said stop."""
    stored = {person.id: person for person in tx.people()}
    units = _units(tx)
    draft: Draft[Person] = Draft("change_people", person_told)
    draft.holds = lambda tx: _units(tx) == units and not _named(tx, draft.chats)
    draft.note(*islice(duplicates(records, ["id"]), MOST + 1))
    draft.note(*islice(duplicates(records, ["telegram"]), MOST + 1))
    bound = tx.handles("telegram") if "telegram" in records.headings else {}
    named = frozenset(bound.values())
    draft.note(*_strangers(records, "unit", units, "no-unit"))
    for record in _whole(records, "id", "kind"):
        old = stored.get(record.text("id"))
        before = old or Person(record.text("id"), Kind.CITIZEN)
        stays_left = before.left and not records.whole  # who is on the whole roster is back
        new = replace(
            before,
            kind=Kind(record.text("kind")),
            name=_kept(records, record, "name", before.name),
            unit=_kept(records, record, "unit", before.unit or "") or None,
            language=_kept(records, record, "language", before.language or "") or None,
            tags=_listed(_kept(records, record, "tags", ",".join(before.tags))),
            zone=_kept(records, record, "zone", before.zone or "") or None,
            left=bool(_kept(records, record, "left", "yes" if stays_left else "")),
        )
        draft.take(new, old, _bind(bound, named, records, record, new, draft))
    return draft


def _units(tx: DeskTransaction) -> Set[str]:
    return {subject.id for subject in tx.subjects() if subject.kind == "unit"}


def _named(tx: DeskTransaction, chats: Sequence[Chat]) -> bool:
    """Whether one of those who are to get a chat has one by now."""
    return bool(chats) and not set(tx.handles("telegram").values()).isdisjoint(
        chat.person for chat in chats
    )


def _bind(
    bound: Mapping[str, str],
    named: Set[str],
    records: Records,
    record: Record,
    person: Person,
    draft: Draft[Person],
) -> str:
    """Bind the row's Telegram chat to ``person``; its number where that is news.

    ``bound`` has the person of every chat there is, ``named`` whoever has a chat.
    """
    handle = record.text("telegram")
    if not handle:
        return ""
    if handle not in bound:
        if person.id in named:  # whoever imports could otherwise answer in their name
            draft.note(records.bad(record, "telegram", "chat-other", cell=handle))
            return ""
        chat = Chat(Address("telegram", handle), person.id, person.language or "zh")
        draft.chats.append(chat)
        return handle
    if bound[handle] != person.id:
        taken = {"cell": handle, "person": shown(bound[handle])}
        draft.note(records.bad(record, "telegram", "chat-taken", **taken))
    return ""


def draft_subjects(tx: DeskTransaction, records: Records) -> Draft[Subject]:
    """Parents may come later in the same file; a chain of parents that bites its tail may not."""
    stored = {subject.id: subject for subject in tx.subjects()}
    selves = _selves(tx)
    draft: Draft[Subject] = Draft("change_subjects", subject_told)
    draft.holds = lambda tx: (
        _selves(tx) == selves and {subject.id: subject for subject in tx.subjects()} == stored
    )
    draft.note(*islice(duplicates(records, ["id"]), MOST + 1))
    all_of_them = dict(stored)
    news = list(_whole(records, "id", "name_zh"))
    for record in news:
        old = stored.get(record.text("id"))
        new = _subject(records, record, old)
        all_of_them[new.id] = new
        draft.take(new, old)
        if new.kind == "unit" and new.id in selves:
            told_of = {"cell": shown(new.id), "person": shown(selves[new.id])}
            draft.note(records.bad(record, "kind", "somebody", **told_of))
    told = {r.text("id") for r in records.records} - {r.text("id") for r in news}
    rings = _rings(all_of_them)
    for record in news:
        parent = all_of_them[record.text("id")].parent
        if parent is None or parent in told:
            continue
        if parent not in all_of_them:
            draft.note(_unknown(records, record, "parent", "no-subject"))
        elif all_of_them[parent].kind != "unit":
            draft.note(records.bad(record, "parent", "official", cell=shown(parent)))
        elif ring := rings.get(record.text("id")):
            circle = " -> ".join(map(shown, ring))
            draft.note(records.bad(record, "parent", "circle", circle=circle))
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


def _rings(subjects: Mapping[str, Subject]) -> Mapping[str, Sequence[str]]:
    """For everybody who lies on a circle of parents: that circle, from themselves on."""
    rings: dict[str, Sequence[str]] = {}
    done: set[str] = set()
    for start in subjects:
        path: dict[str, int] = {}
        at: str | None = start
        while at is not None and at in subjects and at not in done and at not in path:
            path[at] = len(path)
            at = subjects[at].parent
        if at in path:
            ring = list(path)[path[at] :]
            twice, length = ring * 2, min(len(ring) + 1, _TOLD)
            rings |= {member: twice[i : i + length] for i, member in enumerate(ring)}
        done |= path.keys()
    return rings


def draft_relations(tx: DeskTransaction, records: Records) -> Draft[Relation]:
    """One rater sees one subject from one side; an official is one person at most."""
    stored = {(relation.rater, relation.subject): relation for relation in tx.relations()}
    people = {each.id: each.kind is Kind.STAFF and not each.left for each in tx.people()}
    subjects = {subject.id: subject.kind for subject in tx.subjects()}
    selves = _selves(tx)
    draft: Draft[Relation] = Draft("change_relations", relation_told)

    def holds(tx: DeskTransaction) -> bool:
        tx.audit_head()  # nobody says meanwhile who an official is
        return _selves(tx) == selves and subjects == {each.id: each.kind for each in tx.subjects()}

    draft.holds = holds
    first: dict[str, Record] = {}  # by official, where the file says who they are
    draft.note(*islice(duplicates(records, ["rater", "subject"]), MOST + 1))
    draft.note(*_strangers(records, "rater", people, "no-person"))
    draft.note(*_strangers(records, "subject", subjects, "no-subject"))
    for record in _whole(records, "rater", "subject", "group"):
        rater, subject = record.text("rater"), record.text("subject")
        new = Relation(rater, subject, RaterGroup(record.text("group")))
        if new.group is not RaterGroup.SELF and selves.get(subject) == rater:
            told = {"cell": shown(rater), "subject": shown(subject)}
            draft.note(records.bad(record, "group", "self-stays", **told))
        elif new.group is RaterGroup.SELF:
            if subjects.get(subject, "official") != "official":
                draft.note(records.bad(record, "subject", "self-unit", cell=shown(subject)))
            elif not people.get(rater, True):
                draft.note(records.bad(record, "rater", "self-nobody", cell=shown(rater)))
            elif (other := selves.get(subject, rater)) != rater:
                told = {"cell": shown(rater), "subject": shown(subject), "other": shown(other)}
                draft.note(records.bad(record, "rater", "self-taken", **told))
            elif (before := first.setdefault(subject, record)).text("rater") != rater:
                told = {"cell": shown(rater), "subject": shown(subject),
                        "other": shown(before.text("rater")), "row": str(before.row)}  # fmt: skip
                draft.note(records.bad(record, "rater", "self-twice", **told))
        elif rater == subject:
            draft.note(records.bad(record, "subject", "oneself", cell=shown(rater)))
        draft.take(new, stored.get((rater, subject)))
    return draft


def _selves(tx: DeskTransaction) -> Mapping[str, str]:
    """By official, the person that they are."""
    return {each.subject: each.rater for each in tx.relations() if each.group is RaterGroup.SELF}


def draft_tasks(tx: DeskTransaction, records: Records) -> Draft[TaskRow]:
    """A task keeps its quarter: moving it would change a list that may have been scored."""
    periods = {record.text("period") for record in _whole(records, "period")}
    near = sorted(set().union(*map(_near, periods)))
    stored = {task.id: task for period in near for task in tx.tasks(period)}
    subjects = {subject.id for subject in tx.subjects()}
    draft: Draft[TaskRow] = Draft("change_tasks", task_told)
    draft.note(*islice(duplicates(records, ["id"]), MOST + 1))
    draft.note(*_strangers(records, "subject", subjects, "no-subject"))
    for record in _whole(records, "id", "subject", "period", "category", "points"):
        old = stored.get(record.text("id"))
        if old is not None and old.period != record.text("period"):
            told = {"cell": shown(old.id), "period": old.period}
            draft.note(records.bad(record, "period", "task-moved", **told))
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


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(",")) if cell else ()


def _strangers(records: Records, name: str, known: Collection[str], code: str) -> Iterator[Bad]:
    """Rows whose ``name`` is none of ``known``, also of rows that have something else wrong."""
    found = (
        _unknown(records, record, name, code)
        for record in records.records
        if name in record.values and record.text(name) not in known
    )
    return islice(found, MOST + 1)


def _unknown(records: Records, record: Record, name: str, code: str) -> Bad:
    return records.bad(record, name, code, cell=shown(record.text(name), 70))


DRAFTS: Mapping[str, Callable[[DeskTransaction, Records], Draft[Any]]] = {
    "people": draft_people,
    "subjects": draft_subjects,
    "relations": draft_relations,
    "tasks": draft_tasks,
}
