"""Who rates whom, as it follows from the tree of units; and a relation that ends.

A superior, a peer or a subordinate of a unit is whoever works above, beside or below it. What
somebody entered or imported always stands: deriving adds what is missing and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from desk.audit import Act, record, someone
from desk.store import DeskTransaction
from surveys.cells import RaterGroup
from surveys.people import Kind, Relation, Subject

SHOWN = 50  # relations that a preview lists


class Rule(StrEnum):
    """Whose staff rates a unit (the first three) or an official."""

    BELOW = "below"  # the units directly below it: as subordinates
    BESIDE = "beside"  # the other units directly below its own parent: as peers
    ABOVE = "above"  # the unit directly above it: as superiors
    MEMBERS = "members"  # an official's own unit: as subordinates
    LEADERS = "leaders"  # the unit directly above an official's own: as superiors


SIDES: Mapping[Rule, RaterGroup] = {
    Rule.BELOW: RaterGroup.SUBORDINATE,
    Rule.BESIDE: RaterGroup.PEER,
    Rule.ABOVE: RaterGroup.SUPERIOR,
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
    subjects: Sequence[Subject], staff: Mapping[str, Sequence[str]], rules: Collection[Rule]
) -> Iterator[tuple[Rule, Relation]]:
    """Every relation that ``rules`` lead to, by subject; ``staff`` are people's ids by unit.

    Nobody is derived as a rater of the unit they work in. A pair of person and subject comes once.
    """
    units = {each.id: each for each in subjects if each.kind == "unit"}
    below: dict[str, list[str]] = {}
    for each in units.values():
        if each.parent in units:
            below.setdefault(each.parent, []).append(each.id)
    for subject in subjects:
        met: set[str] = {subject.id} if subject.kind == "unit" else set()
        for rule, places in _places(subject, units, below):
            if rule in rules:
                for place in places:
                    if place not in met:
                        met.add(place)
                        for person in staff.get(place, ()):
                            yield rule, Relation(person, subject.id, SIDES[rule])


def _places(
    subject: Subject, units: Mapping[str, Subject], below: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Rule, Sequence[str]]]:
    """By rule, the units whose staff it is about."""
    above = subject.parent if subject.parent in units else None
    if subject.kind == "unit":
        yield Rule.BELOW, below.get(subject.id, ())
        yield Rule.ABOVE, [above] if above else ()
        yield Rule.BESIDE, below.get(above, ()) if above else ()
    elif above:
        higher = units[above].parent
        yield Rule.MEMBERS, [above]
        yield Rule.LEADERS, [higher] if higher is not None and higher in units else ()


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
    for person in tx.people():
        if person.kind is Kind.STAFF and person.unit and not person.left:
            staff.setdefault(person.unit, []).append(person.id)
    for rule, relation in derived(tx.subjects(), staff, rules):
        yield rule, relation, stored.get((relation.rater, relation.subject))


def raters(tx: DeskTransaction, subject: str) -> Mapping[RaterGroup, int]:
    """How many may rate ``subject`` from each side; recipients in tens, 0 for fewer.

    Whoever scans a window's code becomes one at that moment, and mostly answers.
    """
    found = dict(tx.raters_of(subject))
    if RaterGroup.RECIPIENT in found:
        found[RaterGroup.RECIPIENT] = found[RaterGroup.RECIPIENT] // 10 * 10
    return found


def end(tx: DeskTransaction, act: Act, rater: str, subject: str) -> Relation | None:
    """``rater`` is asked about ``subject`` no more, from the next wave on; None: no such relation.

    A wave that is open goes on as it was drawn.
    """
    tx.audit_head()
    found = next((each for each in tx.relations_from(rater) if each.subject == subject), None)
    if found is not None:
        tx.drop_relations([found])
        before = {"subject": subject, "group": str(found.group)}
        record(tx, act, "relation.ended", someone(act, rater), before, None)
    return found
