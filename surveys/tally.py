"""The tally: opened ballots to what may leave. In memory, in one go, before anything is written.

Every histogram of fewer than k ratings is merged with its like in the parent unit or dropped, and
either fate is recorded. k of superiors is 1: they rate in the organisation's name and know it.
So it is of a self-assessment, which is its maker's; it stands apart from what others say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import fsum
from random import Random

from surveys.ballots import Ballot
from surveys.cells import (
    GRADES,
    NAMED,
    THIRD_PARTIES,
    Cell,
    RaterGroup,
    Reasons,
    Spread,
    Tally,
    Turnout,
    Withheld,
)
from surveys.people import Subject

REMARKS = 10  # comments leave only in shuffled batches of at least this many

Side = tuple[str, RaterGroup]
"""A subject as seen by one rater group."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What may leave. ``weights`` are the composite's: rater group -> indicator -> weight."""

    k: int
    weights: Mapping[RaterGroup, Mapping[str, float]] = field(default_factory=dict)

    def least(self, group: RaterGroup) -> int:
        """The smallest histogram that may leave for ``group``."""
        return 1 if group in NAMED else self.k


def tally(
    ballots: Iterable[Ballot],
    roll: Sequence[tuple[str, RaterGroup, int]],
    subjects: Mapping[str, Subject],
    indicators: Sequence[str],
    rules: Rules,
    chance: Random,
) -> Tally:
    """Count ``ballots`` against the ``roll`` of (subject, group, people asked).

    ``chance`` shuffles remarks; pass a cryptographic one. Ballots for anyone not on the roll are
    counted as spoiled: nobody was asked to give them. So is a side with more ballots than people
    asked: which of them are real cannot be told, and a choice would let forged ones in.
    """
    asked = {(subject, group): people for subject, group, people in roll}
    sides: dict[Side, list[Ballot]] = defaultdict(list)
    spoiled = 0
    for ballot in ballots:
        side = (ballot.subject, ballot.group)
        sides[side].append(ballot)
    for side in [side for side, given in sides.items() if len(given) > asked.get(side, 0)]:
        spoiled += len(sides.pop(side))
    cells, withheld = _cells(sides, asked, subjects, indicators, rules)
    shown = {(cell.subject, cell.group, cell.indicator) for cell in cells if not cell.pooled}
    return Tally(
        cells=cells,
        reasons=_reasons(sides, rules),
        turnout=tuple(_turnout(side, sides.get(side, []), asked[side], rules) for side in asked),
        spreads=_spreads(sides, shown, subjects, rules),
        withheld=withheld,
        remarks=_remarks(sides, chance),
        ballots=sum(map(len, sides.values())),
        spoiled=spoiled,
    )


def _turnout(side: Side, given: Sequence[Ballot], asked: int, rules: Rules) -> Turnout:
    subject, group = side
    shown = len(given) if len(given) >= rules.least(group) else None
    return Turnout(subject, group, asked, shown)


def _cells(
    sides: Mapping[Side, Sequence[Ballot]],
    asked: Mapping[Side, int],
    subjects: Mapping[str, Subject],
    indicators: Sequence[str],
    rules: Rules,
) -> tuple[tuple[Cell, ...], tuple[Withheld, ...]]:
    cells: list[Cell] = []
    small: dict[tuple[str | None, RaterGroup, str], list[Cell]] = defaultdict(list)
    for subject, group in asked:
        given = sides.get((subject, group), ())
        for indicator in indicators:
            cell = Cell(subject, indicator, group, _histogram(given, indicator))
            if cell.n >= rules.least(group):
                cells.append(cell)
            else:
                parent = subjects[subject].parent if subject in subjects else None
                small[parent, group, indicator].append(cell)
    withheld: list[Withheld] = []
    for (parent, group, indicator), pool in small.items():
        merged = _merge(parent, pool, rules.least(group))
        if merged is not None:
            cells.append(merged)
        fate, into = ("dropped", None) if merged is None else ("merged", parent)
        withheld += [Withheld(c.subject, group, indicator, fate, into) for c in pool]
    return tuple(cells), tuple(withheld)


def _merge(parent: str | None, pool: Sequence[Cell], least: int) -> Cell | None:
    """Small cells of one parent as one cell, where together they are enough; else None.

    The pool must hold ratings of two subjects or more: a pool of one would be that subject's
    small cell under another name. Sums are never shown beside their parts, so nothing follows by
    subtraction.
    """
    rated = [cell for cell in pool if cell.n]
    if parent is None or len(rated) < 2 or sum(cell.n for cell in rated) < least:
        return None
    counts = tuple(map(sum, zip(*(cell.counts for cell in rated), strict=True)))
    names = tuple(sorted(cell.subject for cell in pool))
    return Cell(parent, rated[0].indicator, rated[0].group, counts, pooled=names)


def _histogram(given: Iterable[Ballot], indicator: str) -> tuple[int, ...]:
    count = Counter(b.ratings[indicator] for b in given if indicator in b.ratings)
    return tuple(count[grade] for grade in range(1, GRADES + 1))


def _reasons(sides: Mapping[Side, Sequence[Ballot]], rules: Rules) -> tuple[Reasons, ...]:
    found: list[Reasons] = []
    for (subject, group), given in sides.items():
        for question in sorted({name for ballot in given for name in ballot.reasons}):
            named = [b.reasons[question] for b in given if b.reasons.get(question)]
            counts = Counter(choice for chosen in named for choice in chosen)
            # superiors and oneself too: a reason is words, not a grade
            kept = {choice: count for choice, count in counts.items() if count >= rules.k}
            if kept:  # n leaves out who named nothing that is kept: no difference gives them away
                n = sum(1 for chosen in named if not kept.keys().isdisjoint(chosen))
                found.append(Reasons(subject, question, group, n, kept))
    return tuple(found)


def _remarks(
    sides: Mapping[Side, Sequence[Ballot]], chance: Random
) -> Mapping[str, tuple[str, ...]]:
    """Comments by subject, whichever others they came from: a group beside a style is a name.

    What somebody wrote about themselves goes nowhere: it would be known among the others'.
    """
    pools: dict[str, list[str]] = defaultdict(list)
    for (subject, group), given in sides.items():
        if group in THIRD_PARTIES:
            pools[subject] += [ballot.remark for ballot in given if ballot.remark]
    kept = {subject: pool for subject, pool in pools.items() if len(pool) >= REMARKS}
    for pool in kept.values():
        chance.shuffle(pool)
    return {subject: tuple(pool) for subject, pool in kept.items()}


def _spreads(
    sides: Mapping[Side, Sequence[Ballot]],
    shown: Set[tuple[str, RaterGroup, str]],
    subjects: Mapping[str, Subject],
    rules: Rules,
) -> tuple[Spread, ...]:
    """Pooled within-subject variance of the raters' composites, per class and group.

    Over ratings whose own cell is ``shown``, and no others: what a spread holds beyond the cells
    beside it could be had by subtraction, and would be ratings of fewer than k.
    """
    squares: dict[tuple[str, RaterGroup], list[float]] = defaultdict(list)
    freedom: dict[tuple[str, RaterGroup], int] = defaultdict(int)
    count: dict[tuple[str, RaterGroup], int] = defaultdict(int)
    for (subject, group), given in sides.items():
        weights = {
            name: weight
            for name, weight in rules.weights.get(group, {}).items()
            if (subject, group, name) in shown
        }
        scores = [s for b in given if (s := composite(b.ratings, weights)) is not None]
        if not scores or subject not in subjects:
            continue
        stratum = (subjects[subject].rating_class, group)
        mean = fsum(scores) / len(scores)  # exact sums: the order of ballots leaves no trace
        squares[stratum] += [(score - mean) ** 2 for score in scores]
        freedom[stratum] += len(scores) - 1
        count[stratum] += len(scores)
    return tuple(
        Spread(rating_class, group, fsum(squares[rating_class, group]) / degrees, n)
        for (rating_class, group), degrees in freedom.items()
        if degrees > 0 and (n := count[rating_class, group]) >= rules.least(group)
    )


def composite(ratings: Mapping[str, int], weights: Mapping[str, float]) -> float | None:
    """One rater's weighted mean over what they answered, 1..5; None where nothing counts."""
    answered = {name: weights[name] for name in ratings if weights.get(name)}
    total = sum(answered.values())
    if not total:
        return None
    return sum(ratings[name] * weight for name, weight in answered.items()) / total
