"""Who of those who may be asked is asked, and about whom: by chance that can be repeated.

Every person has a number: a keyed digest (BLAKE2b) of their id under the wave's seed. Whoever has
the smaller number comes first, in whatever order the rows are read, so the same seed always draws
the same people. What is remembered of a draw are limits (the largest number that is still asked)
and whom those are asked about who stand in more relations than a person is asked about: memory
grows with the sample and with those, not with the audience.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from surveys.audience import Audience, Candidate, Quota, below
from surveys.campaigns import Campaign, Wave
from surveys.cells import RaterGroup
from surveys.lots import LAST, Lowest, drawn_number, key_of, shares
from surveys.matching import allotted
from surveys.people import Subject
from surveys.store import Assignment
from surveys.tally import Rules, Side

Source = Callable[[], Iterable[Candidate]]
"""Who may be asked, by person and then subject; the same each time it is called."""
Asking = Sequence[Candidate]
"""Everything that one person may be asked."""


class Fate(StrEnum):
    """What the draw means for one person."""

    ASKED = "asked"
    NOT_DRAWN = "not_drawn"
    QUOTA_FULL = "quota_full"
    ENOUGH_RATERS = "enough_raters"  # the caps left them nobody to rate


class Drawing(Protocol):
    """The unit of work that a roll is drawn in."""

    def candidates(self, campaign: Campaign, now: datetime) -> Iterator[Candidate]: ...
    def subjects(self) -> Sequence[Subject]: ...
    def draw_assignments(self, wave: Wave, campaign: Campaign, now: datetime) -> int: ...
    def put_assignments(self, assignments: Iterable[Assignment]) -> None: ...


def fill(tx: Drawing, wave: Wave, campaign: Campaign, now: datetime) -> int:
    """Put everybody who is asked on the wave's roll, as its seed says; the rows written.

    Where chance has no say it is one statement over sets.
    """
    if not campaign.audience.drawn:
        return tx.draw_assignments(wave, campaign, now)
    rows = 0

    def asked() -> Iterator[Assignment]:
        nonlocal rows
        for one in draw(lambda: tx.candidates(campaign, now), campaign, wave.seed, tx.subjects()):
            rows += 1
            yield Assignment(wave.id, one.person, one.subject, one.group)

    tx.put_assignments(asked())
    return rows


def draw(
    source: Source, campaign: Campaign, seed: str, subjects: Iterable[Subject]
) -> Iterator[Candidate]:
    """Those of ``source`` who are asked, by person and subject, read as they are asked for.

    ``subjects`` are the tree that units lie in.
    """
    drawn = Draw.of(source, campaign, seed, subjects)
    for asking in by_person(source()):
        yield from drawn.fate(asking)[1]


def by_person(candidates: Iterable[Candidate]) -> Iterator[Asking]:
    """``candidates``, by person already, a person at a time."""
    for _, asking in groupby(candidates, attrgetter("person")):
        yield tuple(asking)


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw that has been made. ``full`` by cell and ``limits`` by stratum are the largest
    numbers still asked (none: no limit); ``edges`` by side likewise, of those with few relations.

    ``allotted`` are the subjects of everybody who stands in more than ``audience.per_rater``.
    """

    seed: bytes
    audience: Audience
    units: tuple[frozenset[str], ...]  # of each quota: its unit and all below
    full: Mapping[int, int] = field(default_factory=dict)
    limits: Mapping[str, int] | None = None
    edges: Mapping[Side, int] = field(default_factory=dict)
    allotted: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source, campaign: Campaign, seed: str, subjects: Iterable[Subject]) -> Draw:
        """Make the draw; ``source`` is read up to four times."""
        audience, tree = campaign.audience, tuple(subjects)
        units = tuple(below([quota.unit], tree) for quota in audience.quotas)
        key = key_of(seed)
        made = cls(key, audience, units)
        if audience.quotas:
            made = replace(made, full=_limits_of_quotas(made, source))
        if audience.sample:
            made = replace(made, limits=_limits_of_sample(made, source))
        if audience.per_rater or audience.per_subject:
            made = _shared_out(made, source, campaign.k)
        return made

    def fate(self, asking: Asking) -> tuple[Fate, Asking]:
        """What becomes of one person, and what they are asked."""
        fate = self.drawn(asking[0])
        mine = self.allotted.get(asking[0].person)
        kept = tuple(
            one for one in asking
            if apart(one)
            or (fate is Fate.ASKED and (self._within(one) if mine is None else one.subject in mine))
        )  # fmt: skip
        if kept:
            return Fate.ASKED, kept
        return (Fate.ENOUGH_RATERS if fate is Fate.ASKED else fate), kept

    def drawn(self, one: Candidate) -> Fate:
        """Whether the person is asked at all."""
        if not self.full and self.limits is None:
            return Fate.ASKED
        number = self.number(one.person)
        cell = self.cell(one)
        if cell is not None and number > self.full.get(cell, number):
            return Fate.QUOTA_FULL
        if self.limits is not None and number > self.limits.get(self.stratum(one), -1):
            return Fate.NOT_DRAWN
        return Fate.ASKED

    def number(self, *of: str) -> int:
        """What chance gave to a person, or to a person and a subject."""
        return drawn_number(self.seed, *of)

    def cell(self, one: Candidate) -> int | None:
        """The first quota that the person fits; None for none."""
        fitting = (at for at, quota in enumerate(self.audience.quotas)
                   if self._fits(one, quota, self.units[at]))  # fmt: skip
        return next(fitting, None)

    def stratum(self, one: Candidate) -> str:
        """The stratum of the person: by tag, the first of the audience's tags that they bear."""
        match self.audience.strata:
            case "unit":
                return one.unit or ""
            case "kind":
                return one.kind.value
            case "tag":
                wanted = self.audience.tags or one.tags
                return next((tag for tag in wanted if tag in one.tags), "")
        return ""

    def _fits(self, one: Candidate, quota: Quota, units: frozenset[str]) -> bool:
        return (not quota.unit or one.unit in units) and (not quota.tag or quota.tag in one.tags)

    def _within(self, one: Candidate) -> bool:
        limit = self.edges.get((one.subject, one.group))
        return limit is None or self.number(one.person, one.subject) <= limit


def apart(one: Candidate) -> bool:
    """Whether it is a self-assessment: chance and caps are for those who rate others."""
    return one.group is RaterGroup.SELF


def _limits_of_quotas(made: Draw, source: Source) -> dict[int, int]:
    lowest = [Lowest(quota.people) for quota in made.audience.quotas]
    for one in people_of(source()):
        cell = made.cell(one)
        if cell is not None:
            lowest[cell].see(made.number(one.person))
    return {at: each.limit for at, each in enumerate(lowest) if each.seen > each.most}


def _limits_of_sample(made: Draw, source: Source) -> dict[str, int]:
    """Largest remainder: every stratum its whole part, then one each by the largest fraction."""
    sample = made.audience.sample
    sizes = {"": sample}
    if made.audience.strata:
        passed = (one for one in people_of(source()) if made.drawn(one) is Fate.ASKED)
        sizes = shares(Counter(made.stratum(one) for one in passed), sample, made.number)
    lowest = {name: Lowest(people) for name, people in sizes.items()}
    for one in people_of(source()):
        if made.drawn(one) is Fate.ASKED:
            lowest[made.stratum(one)].see(made.number(one.person))
    return {name: each.limit for name, each in lowest.items()}


def people_of(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """One row of each person who may rate another."""
    others = (one for one in candidates if not apart(one))
    for _, asking in groupby(others, attrgetter("person")):
        yield next(asking)


def _shared_out(made: Draw, source: Source, k: int) -> Draw:
    """The caps. Who knows no more sides than one rates keeps them; the others are shared out; of
    a side that then has too many the lowest numbers stay, and who thereby rates less may rate
    elsewhere.
    """
    most, each_side = made.audience.per_rater, made.audience.per_subject
    crowded: dict[str, list[Side]] = {}
    raters: dict[Side, Lowest] = {}
    for asking in by_person(source()):
        if made.drawn(asking[0]) is not Fate.ASKED:
            continue
        person, rated = asking[0].person, [one for one in asking if not apart(one)]
        if most and len(rated) > most:
            crowded[person] = [(one.subject, one.group) for one in rated]
            continue
        for one in rated:
            lowest = raters.setdefault((one.subject, one.group), Lowest(each_side))
            lowest.see(made.number(person, one.subject))
    sure = {side: each.seen for side, each in raters.items()}
    least = Rules(k).least
    given = allotted(crowded, sure, most, lambda side: least(side[1]), made.number)
    if not each_side:
        return replace(made, allotted=_subjects(given))
    limits = _trimmed(made, crowded, given, raters)
    return replace(made, edges=limits, allotted=_subjects(given))


def _trimmed(
    made: Draw, crowded: Mapping[str, Sequence[Side]], given: Mapping[str, set[Side]],
    raters: dict[Side, Lowest],
) -> dict[Side, int]:  # fmt: skip
    """Take ``given`` away where a side has too many, and give what has room instead; the limits.

    ``raters`` are those of each side who are not crowded.
    """
    most, each_side = made.audience.per_rater, made.audience.per_subject
    for person, sides in given.items():
        for side in sides:
            raters.setdefault(side, Lowest(each_side)).see(made.number(person, side[0]))
    limits = {side: each.limit for side, each in raters.items() if each.seen > each_side}
    taken = Counter({side: each.seen for side, each in raters.items()})
    for person in sorted(given, key=made.number):
        sides = given[person]
        sides -= {one for one in sides if made.number(person, one[0]) > limits.get(one, LAST)}
        for side in sorted(crowded[person], key=lambda side: made.number(person, side[0])):
            if len(sides) < most and side not in sides and taken[side] < each_side:
                taken[side] += 1
                sides.add(side)
    return limits


def _subjects(given: Mapping[str, set[Side]]) -> dict[str, frozenset[str]]:
    return {person: frozenset(subject for subject, _ in sides) for person, sides in given.items()}
