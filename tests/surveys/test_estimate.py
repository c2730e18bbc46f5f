from __future__ import annotations

import pytest

from surveys.lint.estimate import estimate, reading, seconds
from tests.surveys.forms import form_of, shipped

LISTS = "list_name | name | label\nab | a | 是\nab | b | 否"


def test_reading_counts_chinese_characters_and_other_words() -> None:
    assert reading("满意" * 150) == pytest.approx(60)  # 300 characters
    assert reading("very well " * 100) == pytest.approx(60)  # 200 words
    assert reading("don't say 满意。") == pytest.approx(60 * (2 / 200 + 2 / 300))
    assert reading("") == 0


def test_a_question_is_read_with_its_hint_and_choices_and_answered() -> None:
    form = form_of("type | name | label | hint\nselect_one ab | q | 办得怎么样？ | 请选一个", LISTS)
    # 6 + 4 + 1 + 1 = 11 characters at 5 a second (？ is none), and 3 seconds to press
    assert seconds(form.questions[0], "zh") == pytest.approx(11 / 5 + 3)


def test_what_is_conditional_counts_in_the_longer_estimate_only() -> None:
    form = form_of(
        "type | name | label | relevant\nselect_one ab | q | 好吗？ |\n"
        "text | p | 为什么？ | ${q} = 'b'",
        LISTS,
    )
    first, second = (seconds(question, "zh") for question in form.questions)
    whole = estimate(form, "zh")
    assert whole.least == pytest.approx(first)
    assert whole.most == pytest.approx(first + second)


def test_a_repeat_counts_once_and_may_be_declined() -> None:
    form = form_of(
        "type | name | label\nbegin repeat | r |\ninteger | q | 几岁？\nend repeat", LISTS
    )
    whole = estimate(form, "zh")
    once = 2 / 5 + 6
    assert whole.least == 3  # "another one?", before the first and after it
    assert whole.most == pytest.approx(once + 6)


def test_the_shipped_ones_take_a_minute_or_two() -> None:
    for name in ("service", "leadership"):
        for language in ("zh", "en"):
            least, most = estimate(shipped(name), language).minutes()
            assert 1 <= least <= most <= 3
