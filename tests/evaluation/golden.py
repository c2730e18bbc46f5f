"""The golden quarter: one class of 24 subjects, scored by an independent implementation."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from evaluation.calibration import Calibration, Constants
from evaluation.composite import Composite, composite
from evaluation.dossier import Dossier
from evaluation.method import Band, Category, CategoryRule, GroupRule, Indicator, Method
from evaluation.quarter import QuarterInput, dossiers
from evaluation.workload import Task
from surveys.cells import Cell, RaterGroup, Spread

PATH = Path(__file__).parent.parent / "data" / "golden_quarter.json"
GOLDEN: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
GROUPS = tuple(RaterGroup(each) for each in GOLDEN["config"]["groups"])
SUBJECTS = tuple(f"s{number:02}" for number in range(len(GOLDEN["output"])))


def golden_method() -> Method:
    config = GOLDEN["config"]
    urgency = {"basic": 1.0, "phased": 1.0, "urgent": 1.0}  # its workload is already multiplied
    starts = [0, *(edge for _, edge in config["edges"])]
    return Method(
        name="golden",
        groups={
            g: GroupRule(
                config["groups"][g],
                config["kmin"][g],
                math.inf if config["c"][g] > 50 else config["c"][g],
            )
            for g in GROUPS
        },
        categories={
            Category(c): CategoryRule(weight, urgency[c], {}) for c, weight in config["pi"].items()
        },
        bands=tuple(
            Band(name, start, {})
            for (name, _), start in zip(config["edges"], starts[:-1], strict=True)
        ),
        indicators=tuple(
            Indicator(i, Category(category), weight, {}, GROUPS)
            for i, category, weight in config["indicators"]
        ),
        gamma=config["gamma"],
        delta=config["delta"],
        urgent_floor=config["floorU"],
        interval_level=config["level"],
        band_probability=0.9,
        max_group_weight=0.4,
        min_group_weight=config["min_weight"],
        min_groups=2,
        needs_one_of=(RaterGroup.SUBORDINATE, RaterGroup.RECIPIENT),
        min_indicator_weight=0.6,
        min_class=4,
        se_inflation=1.0,
        review_gap=3.0,
        nonresponse_cap="称职",
    )


def golden_calibration() -> Calibration:
    given = GOLDEN["calibration"]
    cells: dict[RaterGroup, dict[str, Constants]] = {group: {} for group in GROUPS}
    for place, numbers in given["cells"].items():
        group, indicator = place.split(":")
        cells[RaterGroup(group)][indicator] = Constants(**numbers)
    sigma2 = {RaterGroup(group): value for group, value in given["sg2"].items()}
    return Calibration("class", ("before",), cells, sigma2, given["tau2"], 24, trial=False)


def golden_quarter(*calibrations: Calibration) -> QuarterInput:
    return QuarterInput(
        period="2026Q1",
        salt="golden",
        rating_class=dict.fromkeys(SUBJECTS, "class"),
        cells=tuple(
            Cell(subject, indicator, RaterGroup(group), tuple(counts))
            for group, by_indicator in GOLDEN["input"]["hist"].items()
            for indicator, rows in by_indicator.items()
            for subject, counts in zip(SUBJECTS, rows, strict=True)
            if sum(counts)
        ),
        tasks=tuple(
            Task(subject, category, points)
            for subject, row in zip(SUBJECTS, GOLDEN["input"]["workload"], strict=True)
            for category, points in zip(Category, row, strict=True)
        ),
        spreads=tuple(
            Spread("class", RaterGroup(group), variance, 100)
            for group, variance in GOLDEN["calibration"]["sg2"].items()
        ),
        calibrations=calibrations,
    )


def golden_composites() -> list[tuple[Dossier, Composite]]:
    method, calibration = golden_method(), golden_calibration()
    members = dossiers(golden_quarter(calibration), method)["class"]
    return [(each, composite(each, calibration, method)) for each in members]
