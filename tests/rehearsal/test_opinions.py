"""Simulated people read a screen rightly, and replay what was recorded exactly."""

from __future__ import annotations

import statistics

import pytest

from rehearsal.opinions import Names, RecordedOpinion, SeededOpinion, read_opinion
from rehearsal.reader import PlainReader
from rehearsal.refusals import StageMistake
from surveys.phrasing import WORDS

ZH = [["非常满意", "满意"], ["基本满意"], ["不满意", "非常不满意"], ["⬅️ 返回", "跳过"]]
EN = [
    ["Very satisfied"],
    ["Satisfied"],
    ["Fairly satisfied"],
    ["Dissatisfied"],
    ["Very dissatisfied"],
    ["Not applicable", "◀ Back"],
]


@pytest.mark.parametrize("rows", [ZH, EN])
def test_the_five_grades_are_told_apart_from_the_ways_around(rows: list[list[str]]) -> None:
    screen = PlainReader().read("How was it?", rows)
    flat = [label for row in rows for label in row]
    assert [screen.grades[grade] for grade in (5, 4, 3, 2, 1)] == flat[:5]
    assert screen.back in flat[5:]
    assert screen.choices == ()


def test_decorated_unknown_and_numbered_grades_are_read_by_word_position_or_number() -> None:
    read = PlainReader().read
    assert read("", [["😀 1. 非常满意", "🙂 满意", "😐 基本满意"]]).grades[5] == "😀 1. 非常满意"
    assert read("", [["always"], ["often"], ["sometimes"], ["rarely"], ["never"]]).grades == {
        5: "always",
        4: "often",
        3: "sometimes",
        2: "rarely",
        1: "never",
    }
    assert read("", [["1", "2", "3", "4", "5"]]).grades[1] == "1"
    nought_to_ten = [[str(number) for number in range(11)]]
    assert (read("", nought_to_ten).grades, len(read("", nought_to_ten).choices)) == ({}, 11)


@pytest.mark.parametrize(
    "labels",
    [
        ("5 非常满意", "4 满意", "3 基本满意", "2 不满意", "1 非常不满意"),
        (
            "5 Very satisfied",
            "4 Satisfied",
            "3 Fairly satisfied",
            "2 Dissatisfied",
            "1 Very dissatisfied",
        ),
    ],
)
def test_grades_with_their_number_before_them_are_grades(labels: tuple[str, ...]) -> None:
    screen = PlainReader().read("第 3 题，共 5 题\n态度", [[label] for label in labels])
    assert [screen.grades[grade] for grade in (5, 4, 3, 2, 1)] == list(labels)


def test_a_review_is_sent_and_not_changed() -> None:
    rows = [["提交"], ["改 1", "改 2", "改 3", "改 4"], ["改 5"]]
    screen = PlainReader().read("请最后看一遍您的回答：", rows)
    assert (screen.send, screen.grades) == ("提交", {})
    assert SeededOpinion({}, seed=1)("Please look over your answers", [["Send"], ["Change 1"]]) == (
        "Send"
    )
    assert RecordedOpinion({})("请最后看一遍", rows) == "提交"


def test_choices_with_boxes_are_ticked_even_before_anything_is_done() -> None:
    boxes = [["☐ 快"], ["☐ 近"], ["☐ 清楚"], ["☐ 友好"], ["☐ 便宜"]]
    screen = PlainReader().read("哪些方面好？", boxes)
    assert screen.gathers
    assert screen.grades == {}
    kind = SeededOpinion({}, seed=1)
    first = kind("哪些方面好？", boxes)
    assert first
    ticked = [[label.replace("☐", "☑") if label == first else label] for (label,) in boxes]
    again = [kind("哪些方面好？", [*ticked, ["完成"]]) for _ in range(6)]
    assert "完成" in again
    # refused once, something more is ticked
    assert any(label not in {None, "完成"} for label in again[again.index("完成") + 1 :])


def test_everything_is_put_in_order_one_by_one() -> None:
    kind, left = RecordedOpinion({}), ["快", "近", "清楚"]
    ranked: list[str] = []
    while left:
        rows = [[f"{n}. {x}"] for n, x in enumerate(ranked, 1)] + [[f"◦ {x}"] for x in left]
        pressed = kind("第 1 题，共 3 题\n排序", rows)
        assert pressed
        left.remove(pressed.removeprefix("◦ "))
        ranked.append(pressed.removeprefix("◦ "))
    assert sorted(ranked) == sorted(["快", "近", "清楚"])


def test_somebody_turns_the_page_once_and_then_chooses() -> None:
    rows = [[f"Street {n}"] for n in range(10)] + [["More choices"], ["Back"]]
    seen = [SeededOpinion({}, seed=seed) for seed in range(40)]
    first = [kind("Where do you live?", rows) for kind in seen]
    second = [kind("Where do you live?", rows) for kind in seen]
    assert 0 < first.count("More choices") < 40
    assert "More choices" not in second


def test_the_same_choice_to_the_same_words_is_not_made_for_ever() -> None:
    kind = SeededOpinion({}, seed=1)
    rows = [["有，填一个"], ["没有了"]]
    assert "没有了" in [kind("家庭成员：还有吗？", rows) for _ in range(4)]


@pytest.mark.parametrize(
    ("text", "rows", "asks"),
    [
        ("第 3 题，共 5 题\n您的年龄", [["返回"]], True),
        ("3 of 5\nYour age", [["Back"]], True),
        ("Sorry, this needs a whole number, for example 12.\n\nYour age", [], True),
        ("请发一段语音。", [], True),
        ("Your age?", [], True),
        ("Your age", [["Skip"]], True),
        ("Thank you! 3 of 5 people answered.", [["Raise a concern", "Help"]], False),
        ("谢谢！您的评价已经密封投入票箱。", [["修改我的回答"]], False),
    ],
)
def test_an_open_question_is_told_from_a_notice(
    text: str, rows: list[list[str]], asks: bool
) -> None:
    assert PlainReader().read(text, rows).asks_for_words is asks


def test_reasons_that_mention_satisfaction_are_reasons() -> None:
    screen = PlainReader().read("为什么？", [["对态度不满意"], ["✅ 等太久"], ["完成"]])
    assert screen.grades == {}
    assert screen.choices == ("对态度不满意", "✅ 等太久")
    assert screen.marked == ("✅ 等太久",)
    assert screen.done == "完成"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Rate Lecturer 123, please", "Lecturer 123"),
        ("Rate Lecturer 12.", "Lecturer 12"),
        ("Rate Lecturer 1234", None),
        ("XLecturer 12", None),
        ("请评价李老师的课", "李老师"),
        ("请评价李老师二的课", "李老师二"),
    ],
)
def test_the_longest_known_name_is_found_at_its_own_borders(text: str, found: str | None) -> None:
    assert Names(["Lecturer 12", "Lecturer 123", "李老师", "李老师二"]).find(text) == found


def test_a_recorded_grade_is_given_for_its_subject_and_question() -> None:
    opinion = RecordedOpinion(
        {("Lecturer 12", "clarity"): 5, ("Lecturer 12", "fairness"): 1, ("Lecturer 123", ""): 2}
    )
    assert opinion("Lecturer 12: clarity", EN) == "Very satisfied"
    assert opinion("Lecturer 12: fairness", EN) == "Very dissatisfied"
    assert opinion("Lecturer 123: anything", EN) == "Dissatisfied"
    assert opinion("Lecturer 7: clarity", EN) == "Not applicable"
    assert opinion("Lecturer 7: clarity", ZH) == "跳过"
    assert opinion("Welcome", [["Start"], ["Not now"]]) == "Start"
    assert opinion("Why?", [["Slow"], ["Rude"], ["Skip"]]) == "Skip"
    assert opinion("Anything to add?", [["Skip", "Back"]]) == "Skip"
    assert opinion("Thank you.", []) is None


def test_a_mood_shows_in_the_mean_and_the_same_words_get_the_same_grade() -> None:
    grades = {label: 5 - n for n, label in enumerate(row[0] for row in EN[:5])}
    kind = SeededOpinion({"Window 1": 4.5, "Window 2": 2.0}, seed=1)

    def mean(name: str) -> float:
        answers = (kind(f"{name}, visit {n}", EN) for n in range(400))
        return statistics.fmean(grades[answer] for answer in answers if answer)

    assert 4.2 < mean("Window 1") < 4.7
    assert 1.8 < mean("Window 2") < 2.3
    assert kind("Window 1", EN) == SeededOpinion({"Window 1": 4.5}, seed=1)("Window 1", EN)


def test_reasons_are_ticked_and_then_done() -> None:
    kind = SeededOpinion({}, seed=3)
    labels, pressed = ["Slow", "Rude", "Far"], list[str]()
    for _ in range(5):
        shown = [f"✅ {label}" if label in pressed else label for label in labels]
        answer = kind("Why?", [[label] for label in shown] + [["Done"]])
        assert answer
        if answer == "Done":
            break
        pressed.append(answer)
    assert answer == "Done"
    assert 1 <= len(set(pressed)) <= 2


def test_opinions_are_read_from_json_or_refused() -> None:
    assert read_opinion({"kind": "recorded", "grades": [["A", "", 5]]}, "en")("A?", EN)
    assert read_opinion({"kind": "seeded", "mood": {"A": 1.0}, "seed": 4}, "en")("A?", EN)
    for wrong in (
        {"kind": "seeded", "mod": {}},
        {"kind": "recorded", "grades": [["A", 5]]},
        {"kind": "recorded", "grades": [["A", "", 6]]},
        {},
    ):
        with pytest.raises(StageMistake):
            read_opinion(wrong, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "key", ["change", "change_other", "continue", "rejoin", "pause", "stop", "send", "start"]
)
def test_what_stands_below_every_talk_is_no_choice(key: str, language: str) -> None:
    label = WORDS.say(f"button.{key}", language)
    assert PlainReader().read("谢谢！", ((label,),)).choices == ()
