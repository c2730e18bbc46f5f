"""Made-up quarters to score: by hand for one case, by Hypothesis for any."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from evaluation.calibration import Calibration, Constants
from evaluation.method import Category, Method
from evaluation.method_file import shipped
from evaluation.quarter import QuarterInput
from evaluation.workload import Task
from surveys.cells import THIRD_PARTIES, Cell, RaterGroup, Turnout

METHOD = shipped("quarterly")
SUP, PEER, SUB, SVC = THIRD_PARTIES
GOOD = (0, 0, 2, 6, 4)
ALL_WORK = tuple(Task("a", category, 10) for category in Category)


def calibration(
    method: Method = METHOD, mu: Mapping[RaterGroup, float] | None = None, tau2: float | None = 0.1
) -> Calibration:
    """Constants as of an ordinary earlier quarter; ``mu`` per group where it matters."""
    return Calibration(
        rating_class="office",
        periods=("before",),
        cells={
            group: {
                each.id: Constants((mu or {}).get(group, 3.9), 0.7, 4.0, 0.05 * (group != SUP))
                for each in method.asked(group)
            }
            for group in method.groups
        },
        sigma2=dict.fromkeys(method.groups, 0.3),
        tau2=tau2,
        subjects=20,
        trial=False,
    )


def cells(
    subject: str, by_group: Mapping[RaterGroup, tuple[int, ...]], method: Method = METHOD
) -> tuple[Cell, ...]:
    """The same histogram on every indicator that a group is asked."""
    return tuple(
        Cell(subject, each.id, group, counts)
        for group, counts in by_group.items()
        for each in method.asked(group)
    )


def one_office(
    by_group: Mapping[RaterGroup, tuple[int, ...]],
    *,
    tasks: tuple[Task, ...] = ALL_WORK,
    turnout: tuple[Turnout, ...] = (),
    known: Calibration | None = None,
) -> QuarterInput:
    return QuarterInput(
        period="2026Q1",
        salt="s",
        rating_class={"a": "office"},
        cells=cells("a", by_group),
        turnout=turnout,
        tasks=tasks,
        calibrations=(known or calibration(),),
    )


@st.composite
def random_quarters(draw: st.DrawFn, method: Method = METHOD) -> QuarterInput:
    """A few subjects with any cells, gaps and tasks, in one or two classes, calibrated or not."""
    subjects = [f"s{number}" for number in range(draw(st.integers(0, 7)))]
    counts = st.one_of(st.none(), st.lists(st.integers(0, 15), min_size=5, max_size=5).map(tuple))
    made = [
        Cell(subject, each.id, group, found)
        for subject in subjects
        for group in method.groups
        if draw(st.integers(0, 5))
        for each in method.asked(group)
        if (found := draw(counts)) is not None
    ]
    tasks = [
        Task(subject, category, draw(st.floats(0, 1000)), draw(st.floats(0, 1)))
        for subject in subjects
        for category in Category
        if draw(st.booleans())
    ]
    return QuarterInput(
        period="2026Q1",
        salt="s",
        rating_class={
            each: draw(st.sampled_from(["office", "office", "hall"])) for each in subjects
        },
        cells=tuple(made),
        turnout=tuple(
            Turnout(subject, group, asked, draw(st.one_of(st.none(), st.integers(0, asked))))
            for subject in subjects
            for group in method.groups
            if (asked := draw(st.integers(0, 60)))
        ),
        tasks=tuple(tasks),
        calibrations=(calibration(),) if draw(st.booleans()) else (),
    )
