"""One line of the results: ours and a baseline's repetitions, their ratio, and the goal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Line:
    """``ours`` and ``theirs`` are repetitions taken by turns, in ``unit``.

    ``theirs`` is empty where the baseline could not be had, and a note says why: no ratio then, and
    a goal that is neither met nor missed.

    ``least`` is the ratio to reach; ``most`` the largest figure of ours allowed (for seconds and
    megabytes, where less is better). ``notes`` explain the line under the table, ``why`` a
    missed goal.
    """

    what: str
    unit: str
    ours: Sequence[float]
    baseline: str
    theirs: Sequence[float]
    least: float | None = None
    most: float | None = None
    notes: tuple[str, ...] = field(default=())
    why: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, repetition by repetition; none without a baseline."""
        if not self.theirs:
            return []
        return [one / other for one, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None where there is none, or nothing to measure by."""
        if self.least is not None:
            return None if not self.ratios else median(self.ratios) >= self.least
        if self.most is not None:
            return median(self.ours) <= self.most
        return None


def figure(value: float) -> str:
    """Three significant digits, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """Median, with the smallest and the largest; a dash for nothing."""
    if not values:
        return "–"
    if min(values) == max(values):
        return figure(median(values))
    return f"{figure(median(values))} ({figure(min(values))}–{figure(max(values))})"


def goal(line: Line) -> str:
    """What was to be reached, and whether it was."""
    if line.least is None and line.most is None:
        return ""
    wanted = f"≥ {line.least:g} ×" if line.least is not None else f"≤ {line.most:g} {line.unit}"
    outcome = {True: "met", False: "**missed**", None: "not measured"}[line.met]
    return f"{wanted} {outcome}"


def explained(line: Line) -> tuple[str, ...]:
    """The notes, and why the goal was missed where it was."""
    return (*line.notes, f"missed: {line.why}") if line.met is False and line.why else line.notes


def markdown(title: str, lines: Iterable[Line]) -> str:
    """A section: its table, then the notes."""
    lines = list(lines)
    rows = [
        "| what | ours | baseline | baseline's | ratio | goal |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {x.what} | {spread(x.ours)} {x.unit} | {x.baseline} "
        f"| {spread(x.theirs)}{f' {x.unit}' if x.theirs else ''} "
        f"| {spread(x.ratios)} | {goal(x)} |"
        for x in lines
    ]
    noted = [f"- {x.what} / {x.baseline}: {note}" for x in lines for note in explained(x)]
    return "\n".join((f"## {title}", "", *rows, *(("", *noted) if noted else ()), ""))
