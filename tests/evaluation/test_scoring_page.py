"""The published page says what the shipped method does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evaluation.method import Category
from evaluation.method_file import shipped
from evaluation.workload import category_weights

PAGE = (Path(__file__).parents[2] / "docs" / "method" / "scoring.md").read_text("utf-8")
METHOD = shipped("quarterly")
WHO = {"SUP": "superiors", "PEER": "peers", "SUB": "subordinates", "SVC": "people served"}


def rows(pattern: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = re.findall(pattern, PAGE, re.MULTILINE)
    return found


def test_its_indicators_are_those_of_the_method() -> None:
    said = rows(r"^\| `(\w+)` (\S+) \| (\w+) \| ([\d.]+) \| ([a-z, ]+) \|$")
    assert [(i, zh, kind, float(weight), asked) for i, zh, kind, weight, asked in said] == [
        (i.id, i.names["zh"], i.category, i.weight, ", ".join(WHO[group] for group in i.asked))
        for i in METHOD.indicators
    ]


def test_its_groups_are_those_of_the_method() -> None:
    said = rows(r"^\| [a-z ]+ `(\w+)` \| ([\d.]+) \| (\d+) \| (none|[\d.]+) \|$")
    assert [
        (group, float(weight), int(least), float(clip.replace("none", "inf")))
        for group, weight, least, clip in said
    ] == [(g, rule.weight, rule.least, rule.clip) for g, rule in METHOD.groups.items()]


def test_its_examples_of_category_weights_are_what_comes_out() -> None:
    said = rows(r"^\| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$")
    assert len(said) == 4
    for row in said:
        load = dict(zip(Category, map(float, row[:3]), strict=True))
        found = list(category_weights(load, METHOD).values())
        assert found == pytest.approx([float(each) for each in row[3:]], abs=5.1e-4)
