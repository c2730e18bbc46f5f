"""What an adversary tried: counting what nobody said, words that freeze or break the house."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from surveys.forms.form import Form, FormError, Kind
from surveys.forms.soundness import check_logic
from surveys.interview import Interview, view
from surveys.logic.patterns import pattern_of
from surveys.reply import Located, Typed
from tests.surveys.forms import NAMESPACE, form_of
from tests.surveys.world import World, found_world

PHOTO = Path(__file__).parents[1] / "data" / "media" / "photo.jpg"


async def world_of(form: Form, folder: Path) -> World:
    return await found_world("sqlite://", folder, form=form)


@pytest.mark.parametrize(
    "row",
    [
        "select_one grade | q | Q | i | yes | 5 |",
        "select_one grade | q | Q | i | | | 5",
        "select_one grade | q | Q | i | ${a} = 'y' | 5 |",
    ],
)
def test_what_is_locked_or_computed_is_never_counted(row: str) -> None:
    head = "type | name | label | bind::minyi:indicator | read_only | default | calculation"
    with pytest.raises(FormError, match="a person's own choice"):
        form_of(f"{head}\ntext | a | A | | | |\n{row}")


def test_peoples_own_words_are_no_reasons() -> None:
    with pytest.raises(FormError, match="a person's own choice"):
        form_of(
            "type | name | label | bind::minyi:reason\nbegin_repeat | p | P |\n"
            "text | what | What |\nend_repeat | | |\nselect_one ${what} | worst | Worst | yes"
        )


async def test_a_default_that_was_skipped_is_nobodys_rating(tmp_path: Path) -> None:
    head = "type | name | label | bind::minyi:indicator | default"
    form = form_of(f"{head}\nselect_one grade | q | Q | i | 5\ntext | t | T | |")
    world = await world_of(form, tmp_path)
    await world.open("a", "poster")
    await world.tap("a", "跳过")
    await world.tap("a", "跳过")
    assert (await world.ballots())[0].ratings == {}
    await world.store.close()


async def test_a_choice_with_a_space_in_its_name_is_one_reason(tmp_path: Path) -> None:
    form = form_of(
        "type | name | label | bind::minyi:reason\nselect_one s | q | Q | yes",
        "list_name | name | label\ns | a b | Both\ns | a | One",
    )
    world = await world_of(form, tmp_path)
    await world.open("a", "poster")
    await world.tap("a", "Both")
    assert (await world.ballots())[0].reasons == {"q": ("a b",)}
    await world.store.close()


@pytest.mark.parametrize("rule", ["(a+)+", r"(\d+ ?)+x", "(.*,)*end", "((ab)*c)*", "(?:x+|y)*z"])
def test_a_pattern_that_might_never_end_is_refused(rule: str) -> None:
    assert pattern_of(rule) is None


@pytest.mark.parametrize("rule", ["[0-9]{6}", r"^1[3-9]\d{9}$", "([0-9]{3}-)*[0-9]+", "(a|b)*c"])
def test_an_ordinary_pattern_is_read(rule: str) -> None:
    assert pattern_of(rule) is not None


@pytest.mark.parametrize(
    "survey",
    [
        "type | name | label | relevant\ntext | a | A | ${b} = ''\ntext | b | B | ${a} != ''",
        "type | name | label | calculation\ntext | q | Q |\n"
        "calculate | a | | ${b} + 1\ncalculate | b | | ${a} + 1",
    ],
)
def test_a_circle_is_refused(survey: str) -> None:
    with pytest.raises(FormError, match="in a circle"):
        check_logic(form_of(survey), "t.md")


def test_simplified_and_traditional_are_two_languages() -> None:
    form = form_of(
        "type | name | label::简体 (zh-CN) | label::繁體 (zh-TW) | label::English (en)\n"
        "text | q | 怎么样 | 怎麼樣 | How"
    )
    assert set(form.languages) == {"zh", "zh-tw", "en"}
    assert form.questions[0].label["zh"] == ("怎么样",)
    assert form.questions[0].label["zh-tw"] == ("怎麼樣",)


def large(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.stat().st_size > 60_000]


KINDS = (
    "integer",
    "date",
    "dateTime",
    "geopoint",
    "select_one grade",
    "select_multiple ab",
    "rank ab",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "words", ["选" * 1999, "万" * 1000, "吧" * 1999, "\ud800", "\x00", "\ufffe"]
)
async def test_no_words_freeze_or_break_the_house(tmp_path: Path, kind: str, words: str) -> None:
    world = await world_of(form_of(f"type | name | label\n{kind} | q | Q"), tmp_path)
    await world.open("a", "poster")
    reply = await world.type("a", words)
    assert reply.question
    assert reply.text.encode()
    await world.store.close()


async def test_words_sent_in_haste_are_cleaned_and_keep_to_the_rules(tmp_path: Path) -> None:
    form = form_of("type | name | label | constraint\ntext | q | Q | regex(., '[0-9]{6}')\n"
                   "text | r | R |")  # fmt: skip
    world = await world_of(form, tmp_path)
    await world.open("a", "poster")
    await world.hear("a", Typed("123456", 1))
    refused = await world.hear("a", Typed("hello\x00\ud800", 2, hasty=True))
    assert "不在允许的范围内" in refused[-1].text
    await world.store.close()


@pytest.mark.parametrize(
    "place",
    [(math.nan, 0, 0), (0, math.inf, 0), (95, 0, 0), (0, 500, 0), (0, 0, -5), (0, 0, 1e300)],
)
async def test_no_place_is_taken_that_is_none(
    tmp_path: Path, place: tuple[float, float, float]
) -> None:
    world = await world_of(form_of("type | name | label\ngeopoint | q | Q"), tmp_path)
    await world.open("a", "poster")
    assert (await world.hear("a", Located(*place)))[-1].question
    await world.store.close()


async def test_a_file_handed_over_in_a_rating_leaves_no_trace(tmp_path: Path) -> None:
    form = form_of("type | name | label\nimage | q | Q\ntext | r | R")
    world = await world_of(form, tmp_path)
    await world.open("a", "poster")
    reply = await world.hand("a", Kind.IMAGE, PHOTO.read_bytes())
    assert "R" in reply.text
    assert await world.read(lambda tx: tx.attachments()) == []
    assert large(tmp_path) == []
    await world.store.close()


def test_repeats_have_one_bound_together() -> None:
    form = form_of(
        "type | name | label | repeat_count\nbegin_repeat | a | A | 1000\n"
        "begin_repeat | b | B | 1000\ntext | q | Q |\nend_repeat | | |\nend_repeat | | |",
        settings=NAMESPACE,
    )
    now = datetime(2026, 12, 12, tzinfo=UTC)
    assert len(view(form, Interview(0, "zh"), now).spots) <= 200
