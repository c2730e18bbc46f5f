"""Where people stop and what they leave out, question by question: what of it may leave a tally.

The rule and its reasons: docs/method/anonymity.md. None stands for what is withheld.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from surveys.form import Form, Node, Question, Repeat
from surveys.paradata import Counts, What

REVIEW = ""
"""Stands as the question of those who stopped when everything was answered, but not sent."""

Condition = tuple[str, ...]
"""What has to hold for a question to be asked, from the outside in; () is asked of everybody."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question of one wave. ``shown`` = ``answered`` + ``skipped``, of finished interviews.

    ``troubled`` counts moves that were refused there, ``left`` the interviews that stand there
    unfinished. None where it is withheld.
    """

    wave: str
    question: str
    shown: int | None = None
    answered: int | None = None
    skipped: int | None = None
    troubled: int | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What else leaves of the same wave, or must not.

    ``finished`` is how many ballots each person gave, one number a person. ``held``: for each
    published total, how many people are in it whose own part of it is withheld. ``told`` maps a
    question to how many answers to it leave by another way.
    """

    k: int
    finished: Collection[int]
    held: Collection[int] = ()
    told: Mapping[str, int] = field(default_factory=dict)


def disclose(
    form: Form, wave: str, counts: Counts, stopped: Sequence[tuple[str, str]], beside: Beside
) -> tuple[Row, ...]:
    """The rows that may leave, in the form's order, one for each question that asks.

    ``stopped`` holds (person, question path) of every unfinished interview.
    """
    asked = conditions(form)
    rows = _finished(wave, counts, asked, beside)
    left = _left(asked, stopped, beside.k)
    places = [*asked, REVIEW] if form.review else [*asked]
    return tuple(
        replace(rows.get(path, Row(wave, path)), left=None if left is None else left.get(path))
        for path in places
    )


def conditions(form: Form) -> Mapping[str, Condition]:
    """Question path -> its condition, for every question that asks."""
    return dict(_conditions(form.body, ()))


def _conditions(nodes: Sequence[Node], outer: Condition) -> Iterator[tuple[str, Condition]]:
    for node in nodes:
        here = (*outer, node.relevant) if node.relevant else outer
        if isinstance(node, Question):
            fixed = node.calculate if node.trigger is None else None
            own = [rule for rule in (node.readonly, fixed) if rule]
            if node.asks:
                yield node.path, (*here, *own)
            continue
        if isinstance(node, Repeat):
            if node.more is not None:
                yield node.more.path, here
            here = (*here, node.path)
        yield from _conditions(node.children, here)


# ---- finished interviews


def _finished(
    wave: str, counts: Counts, asked: Mapping[str, Condition], beside: Beside
) -> Mapping[str, Row]:
    enough, total = _enough(beside.finished, beside.k), counts["", What.FINISHED]
    if enough is None or total < enough or any(0 < n < beside.k for n in beside.held):
        return {}
    whole = {q: _row(wave, q, counts, enough, beside) for q, rule in asked.items() if not rule}
    # a question of everybody that was not shown to everybody was miscounted: processes were killed
    whole = {q: row for q, row in whole.items() if row.shown == total}
    parts = {n for row in whole.values() for n in (row.answered, row.skipped) if n is not None}
    for rule in dict.fromkeys(rule for rule in asked.values() if rule):
        branch = {q: _row(wave, q, counts, enough, beside) for q in asked if asked[q] == rule}
        sizes = {row.shown or 0 for row in branch.values()}
        apart = all(_apart(a, b, enough) for a in sizes for b in parts)
        if len(sizes) == 1 and apart and enough <= min(sizes) <= total - enough:
            return whole | branch  # one branch at most: two may differ by a few people
    return whole


def _row(wave: str, question: str, counts: Counts, enough: int, beside: Beside) -> Row:
    answered, skipped = counts[question, What.ANSWERED], counts[question, What.SKIPPED]
    troubled = counts[question, What.TROUBLED]
    row = Row(wave, question, answered + skipped)
    if troubled == 0 or troubled >= enough:
        row = replace(row, troubled=troubled)
    told = beside.told.get(question)
    if answered < enough or 0 < skipped < enough:
        return row
    if told is not None and not _apart(answered, told, enough):
        return row
    return replace(row, answered=answered, skipped=skipped)


def _apart(one: int, other: int, enough: int) -> bool:
    return one == other or abs(one - other) >= enough


def _enough(interviews: Collection[int], k: int) -> int | None:
    """So many interviews are at least k people's, given each one's number; None for too few."""
    if len(interviews) < k:
        return None
    return 1 + sum(sorted(interviews, reverse=True)[: k - 1])


# ---- unfinished ones


def _left(
    asked: Mapping[str, Condition], stopped: Sequence[tuple[str, str]], k: int
) -> Mapping[str, int] | None:
    """How many stand where; what is withheld is left out. None where everything is."""
    if not stopped:
        return dict.fromkeys([*asked, REVIEW], 0)
    enough = _enough(Counter(person for person, _ in stopped).values(), k)
    if enough is None or len(stopped) < enough:
        return None
    left = Counter(path for _, path in stopped)
    inside = sum(n for path, n in left.items() if asked.get(path))
    if inside and not enough <= inside <= len(stopped) - enough:
        return None  # who stands in a branch has said what leads there
    hidden = [path for path, n in left.items() if n < enough]
    for path in sorted(left.keys() - hidden, key=lambda path: left[path]):
        together = sum(left[path] for path in hidden)
        if not hidden or (len(hidden) > 1 and together >= enough):
            break
        hidden.append(path)
    shown = {path: left[path] for path in (*asked, REVIEW) if path not in hidden}
    return shown if len(hidden) != 1 else None
