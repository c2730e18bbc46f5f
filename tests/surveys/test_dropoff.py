"""What may leave of the counts, and what an adversary makes of it who knows everything else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.ballots import Ballot
from surveys.cells import RaterGroup, Tally
from surveys.dropoff import REVIEW, Beside, Row, beside, conditions, disclose
from surveys.forms.form import Form
from surveys.paradata import Counts, What
from surveys.people import Subject
from surveys.tally import Rules, tally
from tests.surveys.forms import form_of, shipped

SERVICE = shipped("service")
OVERALL, WHY, WORD, SPEED, ATTITUDE = (
    f"/data/{name}" for name in ("overall", "why", "word", "speed", "attitude")
)
SVC = RaterGroup.RECIPIENT
REASONS = ("waiting", "trips", "manner")


@dataclass(frozen=True)
class Said:
    """One finished interview: its person, the unit, and each answer ('' = skipped)."""

    person: str
    unit: str
    overall: int
    why: str
    word: str
    speed: str

    @property
    def ballot(self) -> Ballot:
        ratings = {"service": self.overall, "attitude": 5}
        if self.speed.isdigit():
            ratings["speed"] = int(self.speed)
        return Ballot(self.unit, SVC, ratings, {"why": (self.why,)} if self.why else {}, self.word)

    @property
    def unhappy(self) -> bool:
        return self.overall <= 2

    def counted(self) -> Iterator[tuple[str, What]]:
        yield "", What.FINISHED
        for path, value in ((OVERALL, "x"), (SPEED, self.speed), (ATTITUDE, "5")):
            yield path, What.ANSWERED if value else What.SKIPPED
        if self.unhappy:
            for path, value in ((WHY, self.why), (WORD, self.word)):
                yield path, What.ANSWERED if value else What.SKIPPED


def drawn(chance: Random, units: Sequence[int], loads: int = 1) -> list[Said]:
    """Interviews at units of these sizes; everybody gives up to ``loads`` of them."""
    anger, silence = chance.random(), chance.random() / 2
    said = []
    for unit, size in enumerate(units):
        for number in range(size):
            overall = chance.choice((1, 2)) if chance.random() < anger else chance.choice((3, 4, 5))
            unhappy = overall <= 2
            why = chance.choice(REASONS) if unhappy and chance.random() > silence else ""
            word = "w" if unhappy and chance.random() > silence else ""
            speed = "" if chance.random() < silence else chance.choice(("na", "1", "5"))
            person = f"p{number if loads > 1 else (unit, number)}"
            said.append(Said(person, f"u{unit}", overall, why, word, speed))
    return said


def published(said: Sequence[Said], k: int, units: int) -> tuple[Tally, dict[str, Row], Beside]:
    """The tally and the rows of a wave, as they leave. Every other unit has another parent."""
    subjects = {f"u{n}": Subject(f"u{n}", {}, parent=f"top{n % 2}") for n in range(units)}
    roll = [(unit, SVC, 100) for unit in subjects]
    found = tally(
        [one.ballot for one in said], roll, subjects, ["service", "speed", "attitude"],
        Rules(k), Random(0),
    )  # fmt: skip
    known = beside(SERVICE, [(one.person, one.ballot) for one in said], found, k)
    return found, rows_of(said, known), known


def rows_of(said: Sequence[Said], known: Beside) -> dict[str, Row]:
    counts: Counts = Counter(slot for one in said for slot in one.counted())
    return {row.question: row for row in disclose(SERVICE, "w", counts, [], known)}


def remainders(said: Sequence[Said], found: Tally, rows: dict[str, Row]) -> Iterator[set[str]]:
    """Of whom the adversary learns by subtracting what is published from a row's totals."""
    if rows[OVERALL].shown is not None:
        shown = {side.subject for side in found.turnout if side.answered is not None}
        yield {one.person for one in said if one.unit not in shown}
    for question, indicator in ((WHY, "service"), (OVERALL, "service"), (SPEED, "speed")):
        if rows[question].shown is not None:
            dropped = {c.subject for c in found.withheld
                       if c.indicator == indicator and c.fate == "dropped"}  # fmt: skip
            yield {one.person for one in said if one.unit in dropped}


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_subtracting_everything_published_leaves_nobody_or_k_people(seed: int) -> None:
    chance = Random(seed)
    k = chance.choice((2, 3, 5))
    units = [chance.choice((0, 1, 2, 4, 6, 12, 30)) for _ in range(chance.randint(1, 6))]
    said = drawn(chance, units, chance.choice((1, 1, 5)))
    found, rows, _ = published(said, k, len(units))
    assert all(len(people) == 0 or len(people) >= k for people in remainders(said, found, rows))


def test_without_the_rule_about_withheld_units_one_persons_displeasure_follows() -> None:
    happy = [Said(f"h{n}", "u0", 4, "", "", "5") for n in range(7)]
    sour = [Said(f"s{n}", "u0", 2, "waiting", "w", "5") for n in range(7)]
    alone = Said("alone", "u1", 1, "waiting", "w", "5")
    found, rows, known = published([*happy, *sour, alone], 5, 2)
    unhappy_shown = sum(sum(c.counts[:2]) for c in found.cells if c.indicator == "service")
    naive = rows_of([*happy, *sour, alone], replace(known, held=()))
    assert (naive[WHY].shown or 0) - unhappy_shown == 1, "the attack works on bare counts"
    assert all(row.shown is None and row.answered is None for row in rows.values())


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_numbers_of_one_table_differ_by_nobody_or_by_k_people(seed: int) -> None:
    chance = Random(seed)
    k = chance.choice((2, 3, 5))
    said = drawn(chance, [chance.choice((6, 12, 30, 60))], 1)
    found, rows, _ = published(said, k, 1)
    for smaller, larger in nested(rows):
        if smaller is not None and larger is not None:
            assert larger == smaller or larger - smaller >= k, (smaller, larger)
    for row in rows.values():
        for number in (row.answered, row.skipped, row.troubled):
            assert not number or number >= k
    named = sum(each.n for each in found.reasons)
    answered = rows[WHY].answered
    assert answered is None or answered == named or answered - named >= k


def nested(rows: dict[str, Row]) -> Iterator[tuple[int | None, int | None]]:
    everybody, branch = rows[OVERALL].shown, rows[WHY].shown
    yield branch, everybody
    for row in rows.values():
        yield row.answered, row.shown
        yield row.skipped, row.shown


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_branch_is_shown_only_where_k_people_are_in_it_and_k_are_not(seed: int) -> None:
    chance = Random(seed)
    loads = chance.choice((1, 4))
    said = drawn(chance, [chance.choice((8, 15, 40))] * loads, loads)
    _, rows, _ = published(said, 5, loads)
    if rows[WHY].shown is not None:
        unhappy = {one.person for one in said if one.unhappy}
        others = {one.person for one in said if not one.unhappy}
        assert len(unhappy) >= 5
        assert len(others) >= 5


def test_of_branches_that_may_differ_by_a_few_only_the_first_is_shown() -> None:
    form = form_of(
        "type | name | label | relevant\n"
        "select_one grade | overall | 总体？ |\n"
        "text | why | 为什么？ | ${overall} <= 2\n"
        "text | worst | 最差？ | ${overall} = 1\n"
        "text | wish | 希望？ | ${overall} <= 2"
    )
    counts: Counts = Counter({("", What.FINISHED): 40, ("/data/overall", What.ANSWERED): 40})
    for name, number in (("why", 12), ("worst", 10), ("wish", 12)):
        counts[f"/data/{name}", What.ANSWERED] = number
    rows = {r.question: r for r in disclose(form, "w", counts, [], Beside(5, [1] * 40))}
    assert [rows[f"/data/{name}"].shown for name in ("overall", "why", "worst", "wish")] == [
        40, 12, None, 12,
    ]  # fmt: skip


def test_a_branch_close_to_the_number_who_skipped_something_is_withheld() -> None:
    counts = full(40, skipped={SPEED: 12})
    for size, shown in ((12, 12), (14, None), (17, 17)):
        counts[WHY, What.ANSWERED] = counts[WORD, What.ANSWERED] = size
        known = Beside(5, [1] * 40, told={WHY: size})
        rows = {row.question: row for row in disclose(SERVICE, "w", counts, [], known)}
        assert rows[WHY].shown == shown


def full(total: int, skipped: dict[str, int]) -> Counts:
    counts: Counts = Counter({("", What.FINISHED): total})
    for path in (OVERALL, SPEED, ATTITUDE):
        counts[path, What.SKIPPED] = skipped.get(path, 0)
        counts[path, What.ANSWERED] = total - skipped.get(path, 0)
    return counts


def test_one_person_with_many_interviews_does_not_count_as_many() -> None:
    counts = full(30, skipped={SPEED: 8})
    spread = disclose(SERVICE, "w", counts, [], Beside(5, [1] * 30))
    lumped = disclose(SERVICE, "w", counts, [], Beside(5, [8, 8, 4, 4, 3, 3]))
    few = disclose(SERVICE, "w", counts, [], Beside(5, [10, 10, 10]))
    assert [row.skipped for row in spread if row.question == SPEED] == [8]
    assert [row.skipped for row in lumped if row.question == SPEED] == [None]
    assert {row.shown for row in few} == {None}


def test_trouble_of_a_few_is_withheld_and_none_is_told() -> None:
    counts = full(30, skipped={})
    counts[OVERALL, What.TROUBLED] = 4
    counts[SPEED, What.TROUBLED] = 9
    rows = {r.question: r for r in disclose(SERVICE, "w", counts, [], Beside(5, [1] * 30))}
    assert [rows[path].troubled for path in (OVERALL, SPEED, ATTITUDE)] == [None, 9, 0]


def test_where_people_left_is_told_for_questions_of_everybody_with_their_branches() -> None:
    nowhere = dict.fromkeys((OVERALL, SPEED, ATTITUDE), 0)
    assert left({}, 5) == nowhere
    assert left({SPEED: 6, ATTITUDE: 7}, 5) == nowhere | {SPEED: 6, ATTITUDE: 7}
    assert left({SPEED: 9, OVERALL: 3, WHY: 1, WORD: 2}, 5) == nowhere | {SPEED: 9, OVERALL: 6}
    assert left({SPEED: 9, WHY: 1, ATTITUDE: 4}, 5) == {SPEED: 9}


def test_where_too_few_left_a_larger_number_goes_with_them() -> None:
    assert left({SPEED: 9, ATTITUDE: 6, WHY: 1}, 5) == {SPEED: 9}
    assert left({SPEED: 9, OVERALL: 1}, 5) == {}
    assert left({SPEED: 4}, 5) == {}


def test_a_branch_that_begins_a_form_counts_with_the_first_question_of_everybody() -> None:
    form = form_of(
        "type | name | label | relevant\n"
        "hidden | group | |\n"
        "text | a | A? | ${group} = 'x'\n"
        "text | b | B? |"
    )
    stopped = [(f"p{n}", "/data/a" if n < 3 else "/data/b") for n in range(6)]
    rows = disclose(form, "w", Counter(), stopped, Beside(5, []))
    assert [row.left for row in rows] == [None, 6]


def left(where: dict[str, int], k: int) -> dict[str, int]:
    """What is told of ``where`` unfinished interviews stand; every one another person's."""
    paths = [path for path, number in where.items() for _ in range(number)]
    stopped = [(f"p{number}", path) for number, path in enumerate(paths)]
    rows = disclose(SERVICE, "w", Counter(), stopped, Beside(k, []))
    return {row.question: row.left for row in rows if row.left is not None}


@pytest.mark.parametrize("k", [2, 3])
def test_an_adversary_who_knows_how_many_left_cannot_fill_in_what_is_withheld(k: int) -> None:
    """Every table of up to 8 people at 4 questions, and what is told of it."""
    worlds: dict[tuple[int, tuple[tuple[str, int], ...]], list[dict[str, int]]]
    worlds = defaultdict(list)
    places = (OVERALL, WHY, WORD, SPEED, ATTITUDE)
    for numbers in product(range(9), repeat=len(places)):
        if 0 < sum(numbers) <= 8:
            where = dict(zip(places, numbers, strict=True))
            worlds[sum(numbers), tuple(sorted(left(where, k).items()))].append(where)
    for (_, key), possible in worlds.items():
        shown = dict(key)
        for place in places:
            if place in shown:
                assert shown[place] == 0 or shown[place] >= k
            else:
                values = {world[place] for world in possible}
                assert len(values) > 1 or shown.get(OVERALL) == 0, (key, place, possible)
        inside = {world[WHY] + world[WORD] for world in possible}
        assert 0 in inside, (key, inside)


@pytest.mark.parametrize("people", range(6, 13))
def test_an_adversary_who_knows_how_many_finished_cannot_fill_in_either(people: int) -> None:
    """Every split of displeasure and silence, k = 3."""
    worlds: dict[tuple[Row, ...], list[tuple[int, int, int]]] = defaultdict(list)
    for unhappy, silent, slow in product(range(people + 1), repeat=3):
        if silent <= unhappy:
            counts = full(people, skipped={SPEED: slow})
            counts[WHY, What.SKIPPED], counts[WHY, What.ANSWERED] = silent, unhappy - silent
            counts[WORD, What.ANSWERED] = unhappy
            rows = disclose(SERVICE, "w", counts, [], Beside(3, [1] * people))
            worlds[rows].append((unhappy, silent, slow))
    for rows, possible in worlds.items():
        table = {row.question: row for row in rows}
        if table[WHY].shown is None:
            assert len({unhappy for unhappy, _, _ in possible}) > 1
        if table[WHY].skipped is None:
            assert len({silent for _, silent, _ in possible}) > 1
        if table[SPEED].skipped is None:
            assert len({slow for _, _, slow in possible}) > 1


def test_conditions_are_those_of_every_group_around_a_question() -> None:
    form: Form = form_of(
        "type | name | label | relevant | calculation\n"
        "select_one ab | a | A? | |\n"
        "begin_group | g | G | ${a} = 'a' |\n"
        "text | b | B? | |\n"
        "text | c | C? | ${b} = 'x' |\n"
        "end_group | | | |\n"
        "begin_repeat | r | R | |\n"
        "text | d | D? | |\n"
        "end_repeat | | | |\n"
        "text | e | E? | |"
    )
    found = conditions(form)
    assert {path.rsplit("/", 1)[-1]: len(rule) for path, rule in found.items()} == {
        "a": 0, "b": 1, "c": 2, "r": 0, "d": 1, "e": 0,
    }  # fmt: skip


def test_the_review_has_a_row_of_its_own_only_where_there_is_one() -> None:
    rows = disclose(replace(SERVICE, review=True), "w", Counter(), [], Beside(5, []))
    assert rows[-1] == Row("w", REVIEW, left=0)
    assert REVIEW not in {r.question for r in disclose(SERVICE, "w", Counter(), [], Beside(5, []))}
