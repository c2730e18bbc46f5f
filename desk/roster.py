"""Who is on the roster: units as a tree, who is in them, and changes to one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from desk.audit import Act, record, someone
from desk.importing.columns import CellError, a_text, a_zone, some_tags
from desk.outcomes import STEP
from desk.saying import Saying, shown
from desk.store import DeskTransaction
from surveys.people import Person, Subject
from surveys.words import LANGUAGES


@dataclass(frozen=True, slots=True)
class Twig:
    """A unit or an official where it stands in the tree; ``depth`` 0 is the top.

    ``people`` name this unit as theirs, ``inside`` this one or one below it; ``officials`` and
    ``units`` stand directly below.
    """

    subject: Subject
    depth: int
    people: int = 0
    inside: int = 0
    units: int = 0
    officials: int = 0


@dataclass(frozen=True, slots=True)
class Wrong:
    """What cannot be stored of a change: the form's ``field``, and why."""

    field: str
    why: Saying


class RosterError(ValueError):
    """A change that was not made, with everything that is wrong with it."""

    def __init__(self, wrongs: Sequence[Wrong]) -> None:
        super().__init__("; ".join(f"{wrong.field}: {wrong.why.said('en')}" for wrong in wrongs))
        self.wrongs = tuple(wrongs)


def counts(tx: DeskTransaction) -> Mapping[str, int]:
    """How many rows there are of people (of whom ``unlisted``), subjects, relations and the rest.

    Whoever scans a window's code or opens a visit's link is a new person, whom no table lists.
    They, and their relations, are counted in tens, so that nobody sees one join.
    """
    found = dict(tx.count_rows())
    unlisted, theirs = found["unlisted"], found.pop("unlisted_relations")
    found["people"] -= unlisted % STEP
    found["unlisted"] -= unlisted % STEP
    found["relations"] -= theirs % STEP
    return found


def tree(
    subjects: Sequence[Subject],
    people: Mapping[str, int],
    within: frozenset[str] | None = None,
    top: str = "",
) -> list[Twig]:
    """What may be seen, from the top down, each unit followed by its officials and its units.

    ``people`` counts by unit; ``within`` are the subjects that the reader may see, None for all.
    With ``top``, only what lies below that one. What runs in a circle of parents stands at the top.
    """
    seen = [each for each in subjects if within is None or each.id in within]
    units = {each.id for each in seen if each.kind == "unit"}
    under: dict[str | None, list[Subject]] = {}
    for each in seen:
        under.setdefault(each.parent if each.parent in units else None, []).append(each)
    for below in under.values():
        below.sort(key=lambda each: each.kind == "unit")
    grown: set[str] = set()
    starts = under.get(top, []) if top else [*under.get(None, []), *seen]
    order: list[tuple[Subject, int]] = []
    for start in starts:
        waiting = [(start, 0)]
        while waiting:
            at, depth = waiting.pop()
            if at.id not in grown:
                grown.add(at.id)
                order.append((at, depth))
                waiting += [(each, depth + 1) for each in reversed(under.get(at.id, []))]
    return _counted(order, under, people)


def _counted(
    order: Sequence[tuple[Subject, int]],
    under: Mapping[str | None, Sequence[Subject]],
    people: Mapping[str, int],
) -> list[Twig]:
    """From the last one back, so that what is below was counted before what is above."""
    inside: dict[str, int] = {}
    twigs: list[Twig] = []
    for at, depth in reversed(order):
        below = under.get(at.id, ())
        own = people.get(at.id, 0)
        inside[at.id] = own + sum(inside.get(each.id, 0) for each in below)
        units = sum(each.kind == "unit" for each in below)
        twigs.append(Twig(at, depth, own, inside[at.id], units, len(below) - units))
    return twigs[::-1]


def trimmed(twigs: Sequence[Twig], most: int) -> list[Twig]:
    """As many whole levels of the tree, from the top, as have at most ``most`` twigs together."""
    depth = max((twig.depth for twig in twigs), default=0)
    kept = list(twigs)
    while len(kept) > most and depth > 0:
        depth -= 1
        kept = [twig for twig in kept if twig.depth <= depth]
    return kept[:most]


def chain(subjects: Mapping[str, Subject], subject: str) -> Iterator[Subject]:
    """``subject``'s parents, the nearest first."""
    met, at = {subject}, subjects[subject].parent
    while at is not None and at not in met and at in subjects:
        met.add(at)
        yield subjects[at]
        at = subjects[at].parent


# changes


def edit_person(
    tx: DeskTransaction,
    act: Act,
    person: str,
    *,
    name: str | None = None,
    unit: str | None = None,
    language: str | None = None,
    tags: str | None = None,
    zone: str | None = None,
    left: bool | None = None,
) -> Person | None:
    """Change what is known of ``person``; None where there is nobody of that id.

    What is None stays, '' clears. ``tags`` have commas between them, ``zone`` is an IANA name.
    RosterError with everything that is wrong.
    """
    old = tx.person(person)
    if old is None:
        return None
    wrongs = [*_bad_name("name", name or "")]
    found = tx.subject(unit) if unit else None
    if unit and unit != old.unit and (found is None or found.kind != "unit"):
        wrongs.append(Wrong("unit", Saying("roster.unit", {"cell": shown(unit)})))
    if language and language != old.language and language not in LANGUAGES:
        wrongs.append(Wrong("language", Saying("roster.language")))
    words = ",".join(old.tags)
    try:
        words = words if tags is None else some_tags(tags)
    except CellError:
        wrongs.append(Wrong("tags", Saying("mend.tags")))
    try:
        zone = a_zone(zone) if zone and zone != old.zone else zone
    except CellError:
        wrongs.append(Wrong("zone", Saying("mend.zone")))
    if wrongs:
        raise RosterError(wrongs)
    new = replace(
        old,
        name=old.name if name is None else name,
        unit=old.unit if unit is None else unit or None,
        language=old.language if language is None else language or None,
        tags=tuple(words.split(",")) if words else (),
        zone=old.zone if zone is None else zone or None,
        left=old.left if left is None else left,
    )
    if new != old:
        if not tx.change_people([(old, new)]):  # they, or somebody, changed it just now
            raise RosterError([Wrong("name", Saying("roster.meanwhile"))])
        before, after = _person(old), _person(new)
        fields = sorted(name for name in before if before[name] != after[name])
        # which, never what: an entry stays when the person has been forgotten
        record(tx, act, "person.edited", someone(act, person), None, {"fields": [*fields]})
    return new


def opt_out(tx: DeskTransaction, act: Act, person: str) -> Person | None:
    """Ask ``person`` no more, as they wished; only they themselves can undo it. None: nobody."""
    old = tx.person(person)
    if old is None or old.opted_out:
        return old
    if not tx.change_people([(old, replace(old, opted_out=True))]):
        return opt_out(tx, act, person)  # somebody changed them just now
    new = replace(old, opted_out=True)
    record(tx, act, "person.opted_out", someone(act, person), {"opted_out": False},
           {"opted_out": True})  # fmt: skip
    return new


def edit_subject(
    tx: DeskTransaction, act: Act, subject: str, *, zh: str, en: str, parent: str
) -> Subject | None:
    """Change a unit's or official's names and parent ('' for none); None where there is no such.

    RosterError with everything that is wrong: no unit of that id, or a circle of parents.
    """
    subjects = {each.id: each for each in tx.subjects()}
    old = subjects.get(subject)
    if old is None:
        return None
    wrongs = [*_bad_name("zh", zh), *_bad_name("en", en)]
    if not zh:
        wrongs.append(Wrong("zh", Saying("roster.unnamed")))
    above = subjects.get(parent)
    if parent and (above is None or above.kind != "unit"):
        wrongs.append(Wrong("parent", Saying("roster.unit", {"cell": shown(parent)})))
    elif parent:
        line = [subject, parent, *(each.id for each in chain(subjects, parent))]
        if subject in line[1:]:
            circle = " → ".join([*line[: line.index(subject, 1)][-11:], subject])
            wrongs.append(Wrong("parent", Saying("roster.circle", {"circle": circle})))
    if wrongs:
        raise RosterError(wrongs)
    kept = {language: name for language, name in old.name.items() if language not in LANGUAGES}
    name = {language: name for language, name in (("zh", zh), ("en", en)) if name}
    new = replace(old, name={**name, **kept}, parent=parent or None)
    if new != old:
        tx.put_subjects([new])
        record(tx, act, "subject.edited", f"subject:{subject}", _subject(old), _subject(new))
    return new


def _bad_name(field: str, name: str) -> Iterator[Wrong]:
    try:
        a_text(name)
    except CellError:
        yield Wrong(field, Saying("roster.name"))


def _person(person: Person) -> dict[str, str | None]:
    return {"name": person.name, "unit": person.unit, "language": person.language,
            "tags": ",".join(person.tags), "zone": person.zone,
            "left": "yes" if person.left else None}  # fmt: skip


def _subject(subject: Subject) -> dict[str, str | None]:
    return {
        "zh": subject.name.get("zh"),
        "en": subject.name.get("en"),
        "parent": subject.parent,
    }
