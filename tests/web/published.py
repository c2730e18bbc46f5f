"""Published quarters for layout: the golden quarter, really scored, and one card of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evaluation.method import Method
from evaluation.method_file import shipped
from evaluation.publication import PublishedCard, publish, published_to_json
from evaluation.quarter import QuarterInput, score
from surveys.cells import Cell, RaterGroup, Reasons, Spread, Turnout

METHOD: Method = shipped("quarterly")
SHAPES = {  # counts of grades 1..5 per rater, scaled to the number of answers
    "tax": (1, 2, 5, 14, 18),
    "land": (0, 1, 6, 16, 17),
    "clinic": (4, 9, 12, 10, 5),
    "school": (0, 0, 2, 10, 28),
    "water": (2, 3, 10, 15, 10),
    "permits": (0, 2, 8, 18, 12),
}
NAMED = {
    "tax": ("税务大厅", "Tax office"),
    "land": ("不动产登记窗口", "Land registry"),
    "clinic": ("社区卫生服务中心", "Community health centre"),
    "school": ("学校招生服务处", "School admissions"),
    "water": ("供水服务窗口", "Water supply"),
    "permits": (
        "施工许可与规划审批综合服务窗口",
        "Building permits and planning consent, joint desk",
    ),
}
ASKED = {"SUP": 3, "PEER": 12, "SUB": 20, "SVC": 80}


def _counts(shape: tuple[int, ...], n: int) -> tuple[int, ...]:
    """``shape`` scaled to ``n`` ratings."""
    counts = [each * n // sum(shape) for each in shape]
    counts[shape.index(max(shape))] += n - sum(counts)
    return tuple(counts)


def _answered(subject: str, group: str) -> int:
    """Most answer well; the clinic's subordinates stay silent; hardly anyone rates permits."""
    if subject == "permits":
        return {"SUP": 3, "PEER": 2, "SUB": 3, "SVC": 7}[group]
    if subject == "clinic" and group == "SUB":
        return 2
    return {"SUP": 3, "PEER": 8, "SUB": 13, "SVC": 40}[group]


def quarter() -> QuarterInput:
    """Six subjects of one class, as a tally would leave them."""
    cells, turnout = [], []
    for subject, shape in SHAPES.items():
        for group in METHOD.groups:
            n = _answered(subject, group.value)
            least = 1 if group is RaterGroup.SUPERIOR else 5
            turnout.append(Turnout(subject, group, ASKED[group.value], n if n >= least else None))
            if n >= least:
                cells += [
                    Cell(subject, each.id, group, _counts(shape, n)) for each in METHOD.asked(group)
                ]
    spreads = [Spread("unit", group, 0.4, 100) for group in METHOD.groups]
    return QuarterInput(
        "2026Q1", "salt", dict.fromkeys(SHAPES, "unit"), tuple(cells), tuple(turnout), (),
        tuple(spreads),
    )  # fmt: skip


def cards(own: Sequence[Cell] = ()) -> tuple[PublishedCard, ...]:
    """The quarter, scored and published by the real thing; ``own`` are self-assessments."""
    return tuple(publish(card, METHOD, own) for card in score(quarter(), METHOD))


def publications() -> dict[str, bytes]:
    """Two quarters, newest and one before."""
    now = cards()
    before = tuple(replace(card, period="2025Q4", trial=False) for card in now)
    return {"2026Q1": published_to_json(now), "2025Q4": published_to_json(before)}


REASONS = (
    Reasons("clinic", "why", RaterGroup.RECIPIENT, 34, {"waiting": 21, "manner": 11, "other": 2}),
    Reasons("water", "why", RaterGroup.RECIPIENT, 9, {"manner": 6, "waiting": 3}),
)
