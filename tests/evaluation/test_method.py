"""Methods are read from TOML, and every mistake is addressed."""

from __future__ import annotations

import math
from importlib.resources import files

import pytest

from evaluation.method import Category
from evaluation.method_file import MethodFileError, read_method, shipped
from surveys.cells import RaterGroup

TEXT = (files("evaluation") / "methods" / "quarterly.toml").read_text("utf-8")


def troubles(text: str) -> tuple[str, ...]:
    with pytest.raises(MethodFileError) as caught:
        read_method(text)
    return caught.value.troubles


def test_the_quarterly_method_asks_staff_eight_things_and_people_served_three() -> None:
    method = shipped("quarterly")
    staff = {"duty", "fairness", "response", "integrity", "teamwork", "care", "progress", "urgent"}
    for group in (RaterGroup.SUPERIOR, RaterGroup.PEER, RaterGroup.SUBORDINATE):
        assert {each.id for each in method.asked(group)} == staff
    recipients = [each.id for each in method.asked(RaterGroup.RECIPIENT)]
    assert recipients == ["service", "speed", "attitude"]


def test_the_quarterly_method_has_the_published_constants() -> None:
    method = shipped("quarterly")
    rules = {str(g): (r.weight, r.least, r.clip) for g, r in method.groups.items()}
    assert rules == {
        "SUP": (0.3, 1, math.inf),
        "PEER": (0.2, 5, 1.345),
        "SUB": (0.2, 5, 1.345),
        "SVC": (0.3, 10, 2.0),
    }
    assert method.categories[Category.URGENT].urgency == 1.5
    assert [(band.start, band.names["zh"]) for band in method.bands] == [
        (0, "不称职"),
        (60, "基本称职"),
        (75, "称职"),
        (90, "优秀"),
    ]


def test_the_version_is_stable_and_changes_with_the_content() -> None:
    method = shipped("quarterly")
    assert method.version == read_method("# a comment\n" + TEXT).version
    assert method.version != read_method(TEXT.replace("gamma = 0.3", "gamma = 0.2")).version
    assert method.version.startswith("quarterly@")


def test_indicators_from_data_are_basic_and_equally_weighted() -> None:
    method = shipped("single_group").with_indicators(["a", "b"])
    assert [(each.id, each.category, each.weight) for each in method.indicators] == [
        ("a", Category.BASIC, 0.5),
        ("b", Category.BASIC, 0.5),
    ]
    assert method.indicators[0].asked == (RaterGroup.RECIPIENT,)
    assert method.version != shipped("single_group").version


@pytest.mark.parametrize("ids", [[], ["a", "a"]])
def test_no_indicators_or_the_same_twice_are_refused(ids: list[str]) -> None:
    with pytest.raises(ValueError, match="distinct and at least one"):
        shipped("single_group").with_indicators(ids)


@pytest.mark.parametrize(
    ("wrong", "right", "trouble"),
    [
        ("gamma = 0.3 ", "gamma = 3 ", "gamma: is 3; write a number from 0 to 1"),
        ("gamma = 0.3 ", "", "gamma: is missing; write a number from 0 to 1"),
        ("gamma = 0.3 ", "gama = 0.3 ", "gama: is not known here"),
        ("min_groups = 2", 'min_groups = "two"', "min_groups: is 'two'; write a whole number"),
        ("min_class = 4", "min_class = 2", "min_class: is 2; write a whole number of at least 4"),
        ("[groups.SUP]", "[groups.BOSS]", "groups.BOSS: is no rater group; write one of SUP, PEER"),
        ('["SUB", "SVC"]', '["SUB", "X"]', "needs_one_of: 'X' is no rater group"),
        ("clip = inf", "clip = true", "groups.SUP.clip: is True; write a number"),
        ("0.3\nleast = 1\n", "0.5\nleast = 1\n", "groups.SUP.weight: is 0.5, above"),
        ("0.3\nleast = 1\n", "0.2\nleast = 1\n", "groups.*.weight: they add up to 0.9"),
        ("weight = 0.15", "weight = 0.25", "indicators with category basic: weight: they add up"),
        ('id = "duty"', 'id = "care"', "indicators.1.id: 'care' is used twice"),
        ('id = "duty"', 'id = "Duty!"', "indicators.1.id: is 'Duty!'; write a short id"),
        ('category = "phased"', 'category = "later"', "indicators.10.category: is 'later'; write"),
        ("start = 60", "start = 80", "bands: write them from the lowest up"),
        ('zh = "不称职"\n', "", "bands.1.zh: is missing; write the name in zh, in quotes"),
        ('cap = "competent"', 'cap = "good"', "nonresponse_cap: is 'good'; write one"),
        ('asked = ["SVC"]', 'asked = ["SUB"]', "groups.SVC: no indicator asks this group"),
        ('name = "quarterly"', "name = ", "this is not TOML"),
        ("[categories.urgent]", "[categories.later]", "categories.later: is no category of work"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_key_what_is_wrong_and_how_to_mend_it(
    wrong: str, right: str, trouble: str
) -> None:
    assert wrong in TEXT
    found = troubles(TEXT.replace(wrong, right))
    assert any(each.startswith(trouble) for each in found), found


def test_all_mistakes_are_named_at_once() -> None:
    assert len(troubles(TEXT.replace("gamma = 0.3 ", "gamma = 3 ").replace("delta", "delt"))) == 3
