"""How a questionnaire fares is counted as sums, in memory, and only of what is on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.ballots import SpoiledError
from surveys.paradata import (
    Counts,
    Noticed,
    Paradata,
    What,
    dump,
    open_draft,
    restore,
    seal_draft,
)
from tests.surveys.forms import form_of, shipped
from tests.surveys.world import World, converse, found_world

FORM = shipped("service")
KEY, OTHER = bytes(32), bytes([1]) * 32
PATHS = {name: f"/data/{name}" for name in ("overall", "why", "word", "speed", "attitude")}
SLOTS = [("", What.FINISHED)] + [
    (path, what) for path in PATHS.values() for what in What if what is not What.FINISHED
]
HAPPY = ("非常满意", "满意", "满意")
UNHAPPY = ("不满意", "态度不好", "跳过", "不满意", "非常不满意")

some_counts = st.dictionaries(st.sampled_from(SLOTS), st.integers(1, 2**32 - 1)).map(Counter)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await found_world("sqlite://", tmp_path)
    yield made
    await made.store.close()


def of(world: World) -> Counts:
    return Counter(world.conversation.paradata.counted().get("w", Counter()))


def at(world: World, name: str) -> tuple[int, int, int]:
    """answered, skipped, troubled"""
    counts = of(world)
    whats = (What.ANSWERED, What.SKIPPED, What.TROUBLED)
    return tuple(counts[PATHS[name], what] for what in whats)  # type: ignore[return-value]


@given(some_counts, some_counts, some_counts)
def test_what_processes_counted_adds_up_in_any_order(a: Counts, b: Counts, c: Counts) -> None:
    assert (a + b) + c == a + (b + c) == (c + a) + b
    assert a + Counter() == a


@given(some_counts)
def test_counts_come_back_from_their_bytes(counts: Counts) -> None:
    assert restore(FORM, dump(FORM, counts)) == counts
    box = seal_draft(FORM, counts, "p", KEY)
    assert open_draft(FORM, box, "p", KEY) == counts


@given(some_counts, some_counts)
def test_all_drafts_of_a_form_have_one_length_and_never_look_alike(a: Counts, b: Counts) -> None:
    boxes = [seal_draft(FORM, counts, "p", KEY) for counts in (a, a, b, Counter())]
    assert len({len(box) for box in boxes}) == 1
    assert len({box[:64] for box in boxes}) == 4


def test_a_draft_opens_only_for_its_process_its_key_and_its_form() -> None:
    box = seal_draft(FORM, Counter({SLOTS[1]: 3}), "p", KEY)
    for wrong in (("q", KEY, FORM), ("p", OTHER, FORM), ("p", KEY, shipped("leadership"))):
        process, key, form = wrong
        with pytest.raises(SpoiledError):
            open_draft(form, box, process, key)


def test_more_than_fits_is_cut_off_and_what_is_not_the_forms_is_left_out() -> None:
    counts: Counts = Counter({("", What.FINISHED): 2**40, ("/data/gone", What.SKIPPED): 1})
    assert restore(FORM, dump(FORM, counts)) == {("", What.FINISHED): 2**32 - 1}


def test_the_keeper_hands_out_copies_and_forgets_waves_that_are_over() -> None:
    paradata = Paradata()
    paradata.add([Noticed("a", "", What.FINISHED), Noticed("b", "", What.FINISHED)])
    paradata.counted()["a"].clear()
    paradata.forget_all_but(["a", "c"])
    assert paradata.counted() == {"a": {("", What.FINISHED): 1}}


async def test_a_finished_interview_counts_each_question_once(world: World) -> None:
    await world.rate("a", *HAPPY)
    await world.rate("b", *UNHAPPY)
    assert of(world)["", What.FINISHED] == 2
    assert [at(world, name) for name in PATHS] == [
        (2, 0, 0), (1, 0, 0), (0, 1, 0), (2, 0, 0), (2, 0, 0),
    ]  # fmt: skip


async def test_nothing_is_counted_before_the_end(world: World) -> None:
    await world.rate("a", *UNHAPPY[:-1])
    assert of(world) == {}


async def test_going_back_and_another_answer_count_as_it_ended(world: World) -> None:
    await world.rate("a", "不满意", "态度不好")
    for _ in range(2):
        await world.type("a", "/back")
    for tap in HAPPY:
        await world.tap("a", tap)
    assert of(world)["", What.FINISHED] == 1
    assert at(world, "why") == (0, 0, 0)
    assert at(world, "overall") == (1, 0, 0)


async def test_changing_a_finished_answer_is_not_counted_again(world: World) -> None:
    await world.rate("a", *HAPPY)
    before = of(world)
    await world.tap("a", "修改我的回答")
    for tap in UNHAPPY:
        await world.tap("a", tap)
    assert (await world.ballots())[0].ratings["service"] == 2
    assert of(world) == before


async def test_trouble_counts_each_refused_answer_and_not_old_buttons(world: World) -> None:
    await world.open("a", "poster")
    old = world.drawn["a"][0][1]
    for words in ("嗯嗯嗯", "？？？"):
        await world.type("a", words)
    assert at(world, "overall") == (0, 0, 2)
    await world.tap("a", "满意")
    await world.press("a", old)
    await world.look("a")
    assert at(world, "overall") == (0, 0, 2)
    assert at(world, "speed") == (0, 0, 0)


async def test_a_concern_leaves_nothing(world: World) -> None:
    for words in ("/concern", "嗯？", "其他", "监督部门", "有人收了红包", "跳过"):
        await world.type("a", words)
    assert await world.read(lambda tx: len(tx.concerns())) == 1
    assert world.conversation.paradata.counted() == {}


class Twice:
    """A store whose every unit of work fails once at its commit, and is run again."""

    def __init__(self, store: Any) -> None:
        self.read = store.read
        self._store = store
        self.undone = 0

    async def write(self, work: Callable[[Any], Any]) -> Any:
        def fails(tx: Any) -> None:
            work(tx)
            raise ConnectionError("lost before the commit")

        with pytest.raises(ConnectionError):
            await self._store.write(fails)
        self.undone += 1
        return await self._store.write(work)


async def test_a_unit_of_work_that_is_run_twice_counts_once(world: World) -> None:
    twice = Twice(world.store)
    world.conversation = converse(twice, world.keyring)  # type: ignore[arg-type]
    await world.rate("a", "嗯？", *UNHAPPY)
    assert twice.undone > len(UNHAPPY)
    assert of(world)["", What.FINISHED] == 1
    assert at(world, "overall") == (1, 0, 1)


async def test_a_question_in_a_repeat_counts_once_an_interview(tmp_path: Path) -> None:
    form = form_of(
        "type | name | label | bind::minyi:indicator\n"
        "select_one grade | overall | 总体？ | service\n"
        "begin_repeat | child | 孩子 | \n"
        "integer | age | 多大？ | \n"
        "end_repeat | | | "
    )
    world = await found_world("sqlite://", tmp_path, form)
    await world.rate("a", "满意", "有", "7", "有", "跳过", "没有了")
    counts = of(world)
    assert counts["", What.FINISHED] == 1, world.drawn
    assert counts["/data/child/age", What.ANSWERED] == 1
    assert counts["/data/child/age", What.SKIPPED] == 0
    assert counts["/data/child", What.ANSWERED] == 1
    await world.store.close()
