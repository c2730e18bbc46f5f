"""Who rates whom, as it follows from the tree of units; who an official is; a relation that ends.

A superior, a peer or a subordinate of a unit is whoever works above, beside or below it. What
somebody entered or imported always stands: deriving adds what is missing and changes nothing.

An official is rated, a person rates. Which person an official is, is a relation as well: the one
by which they assess themselves. Who has one is a peer to other officials, and nobody derived rates
themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from desk.approvals import lapse
from desk.audit import Act, record, someone
from desk.saying import Saying, SpokenError, shown
from desk.store import DeskTransaction, PeopleSought
from surveys.cells import RaterGroup
from surveys.people import Kind, Person, Relation, Subject

NOMINATE = "relations.nominate"
SHOWN = 50  # relations that a preview lists
SOUGHT = 1000  # people whose names hold what was typed


class RelationError(SpokenError):
    """It cannot be so; ``saying`` tells why and how to mend it."""


class Rule(StrEnum):
    """Whose staff rates a unit (the first three) or an official."""

    BELOW = "below"  # the units directly below it: as subordinates
    BESIDE = "beside"  # the other units directly below its own parent: as peers
    ABOVE = "above"  # the unit directly above it: as superiors
    FELLOWS = "fellows"  # the officials of their own unit and of the units beside it: as peers
    MEMBERS = "members"  # an official's own unit: as subordinates
    LEADERS = "leaders"  # the unit directly above an official's own: as superiors


SIDES: Mapping[Rule, RaterGroup] = {
    Rule.BELOW: RaterGroup.SUBORDINATE,
    Rule.BESIDE: RaterGroup.PEER,
    Rule.ABOVE: RaterGroup.SUPERIOR,
    Rule.FELLOWS: RaterGroup.PEER,
    Rule.MEMBERS: RaterGroup.SUBORDINATE,
    Rule.LEADERS: RaterGroup.SUPERIOR,
}


@dataclass(frozen=True, slots=True)
class Derivation:
    """What the rules lead to: relations ``new`` by rule; as many as stand ``already``, and as stand
    with ``another`` side and keep it. ``first`` are some of the new ones.
    """

    new: Mapping[Rule, int]
    already: int
    another: int
    first: Sequence[Relation] = field(default=())

    @property
    def count(self) -> int:
        """How many relations are new."""
        return sum(self.new.values())


def derived(
    subjects: Sequence[Subject],
    staff: Mapping[str, Sequence[str]],
    rules: Collection[Rule],
    selves: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[Rule, Relation]]:
    """Every relation that ``rules`` lead to, by subject; ``staff`` are people's ids by unit and
    ``selves`` the person that an official is.

    Nobody is derived as a rater of the unit they work in, or of themselves. A pair of person and
    subject comes once, by the first rule: an official is a peer before being one of the staff.
    """
    tree = _Tree.of(subjects, selves)
    for subject in subjects:
        own = staff.get(subject.id, ()) if subject.kind == "unit" else (selves.get(subject.id),)
        met: set[str | None] = {*own}
        for rule, places in tree.places(subject):
            if rule in rules:
                of = tree.officials if rule is Rule.FELLOWS else staff
                for person in (each for place in places for each in of.get(place, ())):
                    if person not in met:
                        met.add(person)
                        yield rule, Relation(person, subject.id, SIDES[rule])


@dataclass(frozen=True, slots=True)
class _Tree:
    """``units`` by id, the ids of those directly ``below`` each, and the people who are its
    ``officials``.
    """

    units: Mapping[str, Subject]
    below: Mapping[str, Sequence[str]]
    officials: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, subjects: Sequence[Subject], selves: Mapping[str, str]) -> _Tree:
        units = {each.id: each for each in subjects if each.kind == "unit"}
        below: dict[str, list[str]] = {}
        officials: dict[str, list[str]] = {}
        for each in subjects:
            if each.parent in units:
                if each.id in units:
                    below.setdefault(each.parent, []).append(each.id)
                elif each.id in selves:
                    officials.setdefault(each.parent, []).append(selves[each.id])
        return cls(units, below, officials)

    def places(self, subject: Subject) -> Iterator[tuple[Rule, Sequence[str]]]:
        """By rule, the units whose people it is about."""
        above = subject.parent if subject.parent in self.units else None
        higher = self.units[above].parent if above else None
        if subject.kind == "unit":
            yield Rule.BELOW, self.below.get(subject.id, ())
            yield Rule.ABOVE, [above] if above else ()
            yield Rule.BESIDE, self.below.get(above, ()) if above else ()
        elif above:
            yield Rule.FELLOWS, [above, *(self.below.get(higher, ()) if higher else ())]
            yield Rule.MEMBERS, [above]
            yield Rule.LEADERS, [higher] if higher is not None and higher in self.units else ()


def look(tx: DeskTransaction, rules: Collection[Rule]) -> Derivation:
    """What :func:`derive` would do now."""
    new, stand = Counter[Rule](), Counter[bool]()
    first: list[Relation] = []
    for rule, relation, found in _met(tx, rules):
        if found is not None:
            stand[found is relation.group] += 1
            continue
        new[rule] += 1
        if len(first) < SHOWN:
            first.append(relation)
    ordered = {rule: new[rule] for rule in Rule if rule in rules}
    return Derivation(ordered, stand[True], stand[False], first)


def derive(tx: DeskTransaction, act: Act, rules: Collection[Rule]) -> Derivation:
    """Add what follows from the tree and is not there; a roll that was drawn stays as it is."""
    tx.audit_head()
    seen = look(tx, rules)
    if seen.count:
        missing = ((None, relation) for _, relation, found in _met(tx, rules) if found is None)
        tx.change_relations(missing)
        told = {str(rule): count for rule, count in seen.new.items()}
        record(tx, act, "relations.derived", "table:relations", None, told)
    return seen


def _met(
    tx: DeskTransaction, rules: Collection[Rule]
) -> Iterator[tuple[Rule, Relation, RaterGroup | None]]:
    """(rule, relation, the side that the pair has already)."""
    stored = {(each.rater, each.subject): each.group for each in tx.relations()}
    staff: dict[str, list[str]] = {}
    here = set()
    for person in tx.people():
        if person.kind is Kind.STAFF and not person.left:
            here.add(person.id)
            if person.unit:
                staff.setdefault(person.unit, []).append(person.id)
    selves = {subject: person for (person, subject), group in stored.items()
              if group is RaterGroup.SELF and person in here}  # fmt: skip
    for rule, relation in derived(tx.subjects(), staff, rules, selves):
        yield rule, relation, stored.get((relation.rater, relation.subject))


def raters(tx: DeskTransaction, subject: str) -> Mapping[RaterGroup, int]:
    """How many others may rate ``subject`` from each side; recipients in tens, 0 for fewer.

    Whoever scans a window's code becomes one at that moment, and mostly answers: so of a window it
    is not told either whether it has any.
    """
    found = dict(tx.raters_of(subject))
    found.pop(RaterGroup.SELF, None)
    seen = tx.subject(subject)
    if RaterGroup.RECIPIENT in found or (seen is not None and seen.kind == "unit"):
        found[RaterGroup.RECIPIENT] = found.get(RaterGroup.RECIPIENT, 0) // 10 * 10
    return found


def end(tx: DeskTransaction, act: Act, rater: str, subject: str) -> Relation | None:
    """``rater`` is asked about ``subject`` no more, from the next wave on; None: no such relation.

    A wave that is open goes on as it was drawn. Where it was whose office it is, nobody decides any
    more upon whom they proposed.
    """
    tx.audit_head()
    found = next((each for each in tx.relations_from(rater) if each.subject == subject), None)
    if found is not None:
        tx.drop_relations([found])
        if found.group is RaterGroup.SELF:
            lapse(tx, act, NOMINATE, f"subject:{subject}", act.at)
        before = {"subject": subject, "group": str(found.group)}
        record(tx, act, "relation.ended", someone(act, rater), before, None)
    return found


def member(tx: DeskTransaction, word: str) -> Person:
    """The one member of staff of that id, else of that name; RelationError for nobody, or more."""
    known = tx.person(word)
    if known is None:
        sought = PeopleSought(text=word, kind=Kind.STAFF)
        found, _ = tx.seek_people(sought, 0, SOUGHT)
        same = [each for each in found if each.name == word]
        if len(same) > 1:
            ids = ", ".join(each.id for each in same)
            raise RelationError(Saying("relation.several", {"who": shown(word), "ids": ids}))
        known = same[0] if same else None
    if known is None or known.kind is not Kind.STAFF or known.left:
        raise RelationError(Saying("relation.nobody", {"who": shown(word)}))
    return known


def numbered(tx: DeskTransaction, person: str) -> Person:
    """The member of staff of that id, as a program says it; RelationError where there is none."""
    known = tx.person(person)
    if known is None:
        raise RelationError(Saying("relation.no_id", {"who": shown(person)}))
    return known


def own(tx: DeskTransaction, subject: str) -> str | None:
    """The id of the person that the official ``subject`` is; None where nobody said so."""
    return next(iter(tx.raters_as(subject, RaterGroup.SELF)), None)


def held(tx: DeskTransaction, person: str) -> Sequence[str]:
    """The ids of the officials that ``person`` is; mostly one, for most people none."""
    return [r.subject for r in tx.relations_from(person) if r.group is RaterGroup.SELF]


def vacate(tx: DeskTransaction, act: Act, person: str) -> None:
    """Nobody decides any more upon what waits for the offices of ``person``, who is forgotten."""
    tx.audit_head()
    for subject in held(tx, person):
        lapse(tx, act, NOMINATE, f"subject:{subject}", act.at)


def identify(tx: DeskTransaction, act: Act, subject: str, typed: str) -> Person | None:
    """The official ``subject`` is the person ``typed`` (id or name; '': nobody) from now on.

    That person assesses themselves from the next wave on and rates this official from no other
    side; whoever it was before does so no more. RelationError where it is no official.
    """
    tx.audit_head()
    official = tx.subject(subject)
    if official is None or official.kind != "official":
        key = "relation.no_official" if official is None else "relation.is_unit"
        raise RelationError(Saying(key, {"subject": shown(subject)}))
    person = member(tx, typed) if typed else None
    before = own(tx, subject)
    if person is not None and person.id == before:
        return person
    if before is not None:
        end(tx, act, before, subject)
    if person is not None:
        old = next((r for r in tx.relations_from(person.id) if r.subject == subject), None)
        new = Relation(person.id, subject, RaterGroup.SELF)
        if not tx.change_relations([(old, new)]):
            return identify(tx, act, subject, typed)  # a poster was scanned at this very moment
        told = {"subject": subject, "group": str(RaterGroup.SELF)}
        before_it = None if old is None else {**told, "group": str(old.group)}
        record(tx, act, "relation.identified", someone(act, person.id), before_it, told)
    return person
