"""Whom a campaign asks, of all who stand in relation to what it rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveys.cells import RaterGroup
from surveys.people import Kind, Person, Subject

STRATA = ("", "unit", "tag", "kind")


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``people`` of one interlocked cell: those of ``unit`` (and below) with ``tag``.

    '' asks for nothing. A person counts in the first quota that they fit; whoever fits none is
    not counted, so a last quota without unit and tag is for everybody else.
    """

    unit: str
    tag: str
    people: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """``person`` may be asked about ``subject`` as ``group``; and what chance is to know of them.

    ``unit``, ``tags`` and ``kind`` are the person's own.
    """

    person: str
    subject: str
    group: RaterGroup
    unit: str | None
    tags: tuple[str, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Audience:
    """Who of the raters is asked; the empty audience asks all of them.

    First who may be asked: of ``units`` (or below one of them), with one of ``tags``, not invited
    by another campaign within ``rest_days``. Then who is: ``sample`` people drawn by chance from a
    recorded seed (0: all), in proportion to ``strata`` ('' | unit | tag | kind), within
    ``quotas``. Then about whom: at most ``per_rater`` subjects each (0: all) and ``per_subject``
    raters from each side, such that as many sides as can be have k raters. ``at_most`` people are
    asked in all (0: no cap); a wave above it does not open.
    """

    units: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rest_days: int = 0
    sample: int = 0
    strata: str = ""
    quotas: tuple[Quota, ...] = ()
    per_rater: int = 0
    per_subject: int = 0
    at_most: int = 0

    @property
    def drawn(self) -> bool:
        """Whether chance has a say: otherwise whoever may be asked is."""
        return bool(self.sample or self.quotas or self.per_rater or self.per_subject)

    def packed(self) -> Mapping[str, object]:
        """As plain data; only what differs from asking all."""
        told: dict[str, object] = {
            "units": list(self.units),
            "tags": list(self.tags),
            "quotas": [[each.unit, each.tag, each.people] for each in self.quotas],
            "strata": self.strata,
        }
        numbers = ("rest_days", "sample", "per_rater", "per_subject", "at_most")
        told |= {name: getattr(self, name) for name in numbers}
        return {name: value for name, value in told.items() if value}

    @classmethod
    def unpacked(cls, told: Mapping[str, object]) -> Audience:
        """The reverse of :meth:`packed`."""
        known: dict[str, Any] = dict(told)
        for name in ("units", "tags"):
            known[name] = tuple(known.get(name, ()))
        known["quotas"] = tuple(Quota(*each) for each in known.get("quotas", ()))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Prospect:
    """Somebody whom a campaign is about, and what may stand in the way.

    ``lately``: another campaign asked them within the days of rest. ``telegram``: an invitation
    can reach them.
    """

    candidate: Candidate
    name: str
    zone: str | None
    opted_out: bool
    left: bool
    lately: bool
    telegram: bool

    @property
    def listed(self) -> bool:
        """Whether a table that somebody brought may hold them."""
        one = self.candidate
        return Person(one.person, one.kind, self.name, one.unit, tags=one.tags).listed


def swallowed(
    quotas: Iterable[Quota], subjects: Iterable[Subject]
) -> Sequence[tuple[Quota, Quota]]:
    """(a quota in which nobody ever counts, the first before it that takes all of its people).

    ``subjects`` are the tree that units lie in.
    """
    tree, found, before = tuple(subjects), list[tuple[Quota, Quota]](), list[Quota]()
    inside: dict[str, frozenset[str]] = {}
    for late in quotas:
        taking = (
            each
            for each in before
            if each.tag in ("", late.tag) and (not each.unit or late.unit in inside[each.unit])
        )
        first = next(taking, None)
        if first is not None:
            found.append((late, first))
        before.append(late)
        inside.setdefault(late.unit, below([late.unit], tree) if late.unit else frozenset())
    return found


def below(units: Iterable[str], subjects: Iterable[Subject]) -> frozenset[str]:
    """``units`` and everything that lies below one of them."""
    children: dict[str, list[str]] = {}
    for subject in subjects:
        if subject.parent is not None:
            children.setdefault(subject.parent, []).append(subject.id)
    found: set[str] = set()
    waiting = list(units)
    while waiting:
        unit = waiting.pop()
        if unit not in found:  # a circle in the tree ends here
            found.add(unit)
            waiting += children.get(unit, [])
    return frozenset(found)
