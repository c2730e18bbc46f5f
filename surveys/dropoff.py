"""Where people stop and what they leave out, question by question: what of it may leave a tally.

The rule and its reasons: docs/method/anonymity.md. None stands for what is withheld.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from surveys.ballots import Ballot
from surveys.cells import RaterGroup, Tally
from surveys.forms.form import Form, Node, Question, Repeat
from surveys.paradata import Counts, What

REVIEW = ""
"""Stands as the question of those who stopped when everything was answered, but not sent."""

Condition = tuple[str, ...]
"""What has to hold for a question to be asked, from the outside in; () is asked of everybody."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question of one wave. ``shown`` = ``answered`` + ``skipped``, of finished interviews.

    ``troubled`` counts moves that were refused there, ``left`` the interviews that stand unfinished
    there or in the branches below, up to the next question of everybody. None is withheld.
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
    places = {**asked, REVIEW: ()} if form.review else asked
    left = _left(places, stopped, beside.k)
    return tuple(replace(rows.get(path, Row(wave, path)), left=left.get(path)) for path in places)


def beside(form: Form, given: Sequence[tuple[str, Ballot]], found: Tally, k: int) -> Beside:
    """What leaves by the tally ``found`` of the ballots ``given`` by (person, ballot)."""
    people: dict[tuple[str, RaterGroup], set[str]] = defaultdict(set)
    for person, ballot in given:
        people[ballot.subject, ballot.group].add(person)
    held: dict[str, set[str]] = defaultdict(set)
    for side in found.turnout:
        if side.answered is None:
            held[""] |= people[side.subject, side.group]
    for cell in found.withheld:
        if cell.fate == "dropped":
            held[cell.indicator] |= people[cell.subject, cell.group]
    finished = Counter(person for person, _ in given).values()
    return Beside(k, finished, [len(each) for each in held.values()], _told(form, found))


def _told(form: Form, found: Tally) -> Mapping[str, int]:
    """Answers that leave as named reasons or as words."""
    named: Counter[str] = Counter()
    for reasons in found.reasons:
        named[reasons.question] += reasons.n
    words = sum(map(len, found.remarks.values()))
    marked = [question for question in form.questions if question.reason or question.remark]
    return {q.path: named[q.name] if q.reason else words for q in marked}


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
    if total < enough or any(0 < n < beside.k for n in beside.held):
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


def _enough(interviews: Collection[int], k: int) -> int:
    """So many interviews are at least k people's, given each one's number: more than k - 1 gave.

    Where there are fewer than k people it is more than there are interviews.
    """
    return 1 + sum(sorted(interviews, reverse=True)[: k - 1])


# ---- unfinished ones


def _left(
    places: Mapping[str, Condition], stopped: Sequence[tuple[str, str]], k: int
) -> Mapping[str, int]:
    """How many stand where; what is withheld is left out.

    Who stands in a branch has said what leads there: they count at the question of everybody
    before it. Told is where at least k people stand; elsewhere none and few look alike, and
    together they are nobody or k people.
    """
    hosts = _hosts(places)
    left = Counter(hosts[path] for _, path in stopped if path in hosts)
    total = sum(left.values())
    if not total:
        return dict.fromkeys(hosts.values(), 0)
    enough = _enough(Counter(person for person, _ in stopped).values(), k)
    told = {path: n for path, n in left.items() if n >= enough}
    rest, hidden = total - sum(told.values()), len(set(hosts.values())) - len(told)
    if 0 < rest < enough or (rest and rest == hidden * (enough - 1)):  # few, or all as many as few
        least = min(told.values(), default=0)
        told = {path: n for path, n in told.items() if n > least}  # equals too: else order tells
    if sum(told.values()) == total:
        return {path: left[path] for path in hosts.values()}
    return told


def _hosts(places: Mapping[str, Condition]) -> Mapping[str, str]:
    """Each place -> the question of everybody that it is counted with: itself or one before.

    A branch that begins a form goes with the first question of everybody; {} without any.
    """
    host = next((path for path, condition in places.items() if not condition), None)
    hosts: dict[str, str] = {}
    for path, condition in places.items():
        host = path if not condition else host
        if host is not None:
            hosts[path] = host
    return hosts
