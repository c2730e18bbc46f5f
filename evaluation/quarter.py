"""A quarter's frozen inputs, and the steps from them to scorecards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from evaluation.calibration import Calibration
from evaluation.canonical import dump, load, load_all
from evaluation.dossier import Dossier
from evaluation.estimation import estimate
from evaluation.method import Category, Method
from evaluation.scorecard import Scorecard, scorecard
from evaluation.workload import Task, category_weights, loads, policy_weights
from surveys.cells import THIRD_PARTIES, Cell, RaterGroup, Spread, Turnout

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class QuarterInput:
    """All that a quarter's scores depend on, besides the method.

    ``rating_class`` gives each subject its comparison class and is the roster: who is not in it is
    not scored. ``calibrations`` of earlier quarters, one per class; a class without one is
    calibrated from this quarter and its scorecards are marked ``trial``. ``salt`` is a random
    secret, kept with the frozen bytes: without it whoever knows all but one cell could find that
    cell by trying which counts give the published hash.

    ValueError with a self-assessment: nobody's own marks are an input of a score.
    """

    period: str
    salt: str
    rating_class: Mapping[str, str]
    cells: tuple[Cell, ...] = ()
    turnout: tuple[Turnout, ...] = ()
    tasks: tuple[Task, ...] = ()
    spreads: tuple[Spread, ...] = ()
    calibrations: tuple[Calibration, ...] = ()

    def __post_init__(self) -> None:
        given: tuple[Cell | Turnout | Spread, ...] = (*self.cells, *self.turnout, *self.spreads)
        for each in given:
            if each.group not in THIRD_PARTIES:
                raise ValueError(f"{each} is a self-assessment, which no score depends on")


@dataclass(frozen=True, slots=True)
class _Frozen:
    quarter: QuarterInput
    method: Method


def freeze(quarter: QuarterInput, method: Method) -> bytes:
    """Inputs and method as bytes: the same bytes however the inputs were ordered."""
    ordered = QuarterInput(
        period=quarter.period,
        salt=quarter.salt,
        rating_class=dict(sorted(quarter.rating_class.items())),
        cells=_sorted(quarter.cells),
        turnout=_sorted(quarter.turnout),
        tasks=_sorted(quarter.tasks),
        spreads=_sorted(quarter.spreads),
        calibrations=_sorted(quarter.calibrations),
    )
    # Once through reading, so that a whole number given for a float is spelled as a float.
    return dump(load(_Frozen, dump(_Frozen(ordered, method))))


def thaw(frozen: bytes) -> tuple[QuarterInput, Method]:
    """What was frozen, to score it again."""
    found = load(_Frozen, frozen)
    return found.quarter, found.method


def _sorted(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(items, key=dump))


def score(quarter: QuarterInput, method: Method) -> tuple[Scorecard, ...]:
    """Score every subject of the roster, in order of subject.

    freeze(inputs, method) -> dossiers(quarter, method) -> constants(dossiers, spreads, method)
    -> scorecard(dossier, constants, method, hash). ValueError where two cells claim one place, a
    cell, turnout or task names a subject outside the roster, a task's category is not weighed, or
    the method has no indicators.
    """
    if not method.indicators:
        raise ValueError(f"the method {method.name} has no indicators; give it some")
    frozen = freeze(quarter, method)
    quarter, method = thaw(frozen)
    input_hash = sha256(frozen).hexdigest()
    by_class = dossiers(quarter, method)
    constants = {each.rating_class: each for each in quarter.calibrations}
    for rating_class, members in by_class.items():
        if rating_class not in constants:
            constants[rating_class] = estimate(
                rating_class, members, quarter.spreads, method, trial=True
            )
    cards = (
        scorecard(dossier, constants[rating_class], method, input_hash)
        for rating_class, members in by_class.items()
        for dossier in members
    )
    return tuple(sorted(cards, key=lambda card: card.subject))


def cards_to_json(cards: Iterable[Scorecard]) -> bytes:
    """A run's scorecards as UTF-8 JSON that keeps every float exactly."""
    return dump(tuple(cards))


def cards_from_json(data: bytes) -> tuple[Scorecard, ...]:
    """Read ``cards_to_json`` back."""
    return load_all(Scorecard, data)


def calibrate(history: Sequence[QuarterInput], method: Method) -> tuple[Calibration, ...]:
    """Constants for a coming quarter from the one to four before it, one per comparison class."""
    if not 1 <= len(history) <= 4:
        raise ValueError(f"calibrate from one to four quarters, not {len(history)}")
    by_class: dict[str, list[Dossier]] = {}
    for quarter in history:
        for rating_class, members in dossiers(quarter, method).items():
            by_class.setdefault(rating_class, []).extend(members)
    spreads = [each for quarter in history for each in quarter.spreads]
    return tuple(
        estimate(rating_class, members, spreads, method, trial=False)
        for rating_class, members in sorted(by_class.items())
    )


def dossiers(quarter: QuarterInput, method: Method) -> dict[str, tuple[Dossier, ...]]:
    """Every subject's ordinary cells, turnout and category weights, by comparison class."""
    cells = _cells_by_subject(quarter)
    turnout: dict[str, dict[RaterGroup, Turnout]] = {each: {} for each in quarter.rating_class}
    for row in quarter.turnout:
        _listed(quarter, row.subject, turnout)[row.group] = row
    work = _loads_by_subject(quarter, method)
    found: dict[str, list[Dossier]] = {}
    for subject, rating_class in sorted(quarter.rating_class.items()):
        dossier = Dossier(
            subject=subject,
            period=quarter.period,
            cells=cells[subject],
            turnout=turnout[subject],
            policy=policy_weights(method, work[subject]),
            weights=category_weights(work[subject], method),
        )
        found.setdefault(rating_class, []).append(dossier)
    return {rating_class: tuple(members) for rating_class, members in found.items()}


def _cells_by_subject(quarter: QuarterInput) -> dict[str, dict[tuple[RaterGroup, str], Cell]]:
    found: dict[str, dict[tuple[RaterGroup, str], Cell]] = {s: {} for s in quarter.rating_class}
    for cell in quarter.cells:
        if cell.pooled:  # describes a pool, never one subject
            continue
        place = (cell.group, cell.indicator)
        mine = _listed(quarter, cell.subject, found)
        if place in mine:
            raise ValueError(f"two cells for {cell.subject}, {cell.group}, {cell.indicator}")
        mine[place] = cell
    return found


def _loads_by_subject(quarter: QuarterInput, method: Method) -> dict[str, dict[Category, float]]:
    tasks: dict[str, list[Task]] = {each: [] for each in quarter.rating_class}
    for task in quarter.tasks:
        _listed(quarter, task.subject, tasks).append(task)
    return {subject: loads(mine, method) for subject, mine in tasks.items()}


def _listed(quarter: QuarterInput, subject: str, by_subject: dict[str, T]) -> T:
    if subject not in by_subject:
        raise ValueError(f"{subject} has no rating class in {quarter.period}")
    return by_subject[subject]
