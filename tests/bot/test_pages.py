from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.pages import LONGEST, pages, units
from surveys.reply import Button, Reply


def test_a_short_reply_is_one_page_with_its_buttons() -> None:
    rows = ((Button("满意", "1"),),)
    (page,) = pages(Reply("您满意吗？", rows))
    assert (page.text, page.rows) == ("您满意吗？", rows)


def test_a_reply_without_words_has_no_page() -> None:
    assert pages(Reply(" \n")) == ()


def test_a_long_reply_is_cut_after_a_sentence_and_the_buttons_stand_last() -> None:
    sentence = "这是一句不长不短的话，说给大家听。"
    first, second = pages(Reply(sentence * 300, ((Button("好", "1"),),)))
    assert first.text.endswith("听。")
    assert first.text + second.text == sentence * 300
    assert first.rows == ()
    assert second.rows == ((Button("好", "1"),),)


def test_nine_buttons_in_a_row_become_two_rows() -> None:
    row = tuple(Button(str(n), str(n)) for n in range(9))
    (page,) = pages(Reply("?", (row,)))
    assert [len(r) for r in page.rows] == [8, 1]


def test_length_is_counted_as_telegram_counts() -> None:
    assert units("a满😀") == 4
    assert len(pages(Reply("😀" * (LONGEST // 2)))) == 1
    assert len(pages(Reply("😀" * (LONGEST // 2) + "a"))) == 2


@given(st.text(st.sampled_from("a 。\n😀满."), min_size=1).map(lambda t: t * 400))
def test_no_page_is_too_long_or_empty_and_no_word_is_lost(text: str) -> None:
    laid = pages(Reply(text))
    assert all(0 < units(page.text) <= LONGEST for page in laid)
    assert "".join("".join(p.text.split()) for p in laid) == "".join(text.split())
