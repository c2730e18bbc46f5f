"""Draws: repeatable, in proportion, within quotas and caps, and as fair as they can be."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.audience import Audience, Candidate, Quota, below, swallowed
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.drawing import Draw, Fate, by_person, draw
from surveys.lots import shares
from surveys.people import Kind, Subject
from surveys.tally import Rules, Side

PEER, SVC, SUP = RaterGroup.PEER, RaterGroup.RECIPIENT, RaterGroup.SUPERIOR
TREE = [Subject("a", {"en": "A"}), Subject("a1", {"en": "A1"}, parent="a"),
        Subject("a11", {"en": "A11"}, parent="a1"), Subject("b", {"en": "B"})]  # fmt: skip
K = 3
Node = str | Side


def campaign(k: int = K, **audience: Any) -> Campaign:
    return Campaign("c", {"en": "C"}, "f", (PEER,), date(2026, 12, 1), k=k,
                    audience=Audience(**audience))  # fmt: skip


def crowd(people: int, unit: str = "a") -> list[Candidate]:
    return [Candidate(f"{unit}-{n}", "s", PEER, unit, (), Kind.STAFF) for n in range(people)]


def drawn(rows: Sequence[Candidate], made: Campaign, seed: str = "seed") -> list[Candidate]:
    return list(draw(lambda: rows, made, seed, TREE))


def people(rows: Sequence[Candidate]) -> set[str]:
    return {one.person for one in rows}


candidates = st.builds(
    lambda edges, about: [
        Candidate(f"p{person:02}", f"s{subject}", (PEER, SVC, SUP)[subject % 3], *about[person])
        for person, subject in sorted(edges)
    ],
    st.sets(st.tuples(st.integers(0, 15), st.integers(0, 7)), max_size=70),
    st.lists(
        st.tuples(st.sampled_from(["a", "a1", "a11", "b", None]),
                  st.sampled_from([(), ("x",), ("x", "y"), ("y",)]), st.sampled_from(Kind)),
        min_size=16, max_size=16,
    ),
)  # fmt: skip
quotas = st.lists(
    st.builds(Quota, st.sampled_from(["", "a", "a1", "b"]), st.sampled_from(["", "x", "y"]),
              st.integers(0, 6)),
    max_size=3, unique_by=lambda quota: (quota.unit, quota.tag),
).map(tuple)  # fmt: skip
audiences = st.fixed_dictionaries({
    "sample": st.integers(0, 12), "strata": st.sampled_from(["", "unit", "tag", "kind"]),
    "quotas": quotas, "per_rater": st.integers(0, 4),
    "per_subject": st.sampled_from([0, K, K + 1, K + 3]),
})  # fmt: skip
seeds = st.text(max_size=8)


# ---- who


@settings(deadline=None)
@given(candidates, audiences, seeds, st.randoms(use_true_random=False))
def test_the_same_seed_draws_the_same_in_whatever_order_people_are_read(
    rows: list[Candidate], audience: dict[str, Any], seed: str, chance: random.Random
) -> None:
    made = campaign(**audience)
    first = drawn(rows, made, seed)
    blocks = [list(asking) for asking in by_person(rows)]
    chance.shuffle(blocks)
    again = drawn([one for block in blocks for one in block], made, seed)
    assert sorted(again, key=lambda one: (one.person, one.subject)) == first
    assert set(first) <= set(rows)


def test_another_seed_draws_others_and_everybody_is_as_likely() -> None:
    rows, made = crowd(40), campaign(sample=10)
    found = Counter[str]()
    draws = {frozenset(people(drawn(rows, made, f"{seed}"))) for seed in range(2000)}
    for each in draws:
        found.update(each)
    assert len(draws) > 1990
    assert len(found) == 40
    # binomial(2000, 1/4): mean 500, standard deviation 19.4
    assert max(abs(count - 500) for count in found.values()) < 5 * 19.4


@settings(deadline=None)
@given(candidates, seeds, st.integers(1, 20))
def test_a_sample_has_the_size_that_was_asked_for_and_whole_people(
    rows: list[Candidate], seed: str, sample: int
) -> None:
    found = drawn(rows, campaign(sample=sample), seed)
    assert len(people(found)) == min(sample, len(people(rows)))
    assert found == [one for one in rows if one.person in people(found)]


@settings(deadline=None)
@given(candidates, seeds, st.integers(1, 20), st.sampled_from(["unit", "tag", "kind"]))
def test_strata_are_drawn_in_proportion(
    rows: list[Candidate], seed: str, sample: int, strata: str
) -> None:
    made = campaign(sample=sample, strata=strata)
    key = Draw(b"", made.audience, ())
    there = Counter(key.stratum(asking[0]) for asking in by_person(rows))
    got = Counter(key.stratum(asking[0]) for asking in by_person(drawn(rows, made, seed)))
    assert got.total() == min(sample, there.total())
    for stratum, count in there.items():
        assert abs(got[stratum] - min(sample, there.total()) * count / there.total()) < 1


def test_remainders_are_shared_out_from_the_largest() -> None:
    # 7 of 20: 7/2 = 3.5, 14/5 = 2.8, 7/10 = 0.7 -> 3 + 2 + 0, then one each to .8 and .7
    assert shares({"a": 10, "b": 8, "c": 2}, 7, hash) == {"a": 3, "b": 3, "c": 1}
    assert shares({"a": 3}, 5, hash) == {"a": 3}
    assert shares({}, 5, hash) == {}


@settings(deadline=None)
@given(candidates, quotas, seeds)
def test_quotas_are_filled_and_never_exceeded(
    rows: list[Candidate], given: tuple[Quota, ...], seed: str
) -> None:
    made = campaign(quotas=given)
    key = Draw.of(lambda: rows, made, seed, TREE)
    cells = {asking[0].person: key.cell(asking[0]) for asking in by_person(rows)}
    there, got = Counter(cells.values()), Counter(cells[p] for p in people(drawn(rows, made, seed)))
    assert got[None] == there[None]
    for at, quota in enumerate(given):
        assert got[at] == min(quota.people, there[at])


def test_a_quota_reaches_down_the_tree_and_a_person_counts_in_the_first_that_fits() -> None:
    made = campaign(quotas=(Quota("a1", "", 2), Quota("", "x", 2), Quota("a", "", 2)))
    key = Draw.of(list, made, "s", TREE)
    about = [("a11", ("x",)), ("a", ("x",)), ("a", ()), ("b", ()), (None, ())]
    cells = [key.cell(Candidate("p", "s", PEER, unit, tags, Kind.STAFF)) for unit, tags in about]
    assert cells == [0, 1, 2, None, None]


@settings(deadline=None)
@given(quotas)
def test_a_quota_that_one_line_before_it_takes_whole_is_named_and_no_other(
    given: tuple[Quota, ...],
) -> None:
    key = Draw.of(list, campaign(quotas=given), "s", TREE)
    everybody = [
        Candidate("p", "s", PEER, unit, tags, Kind.STAFF)
        for unit in ("a", "a1", "a11", "b", None) for tags in ((), ("x",), ("y",), ("x", "y"))
    ]  # fmt: skip
    alone = [
        {n for n, one in enumerate(everybody) if Draw.cell(replace_quotas(key, at), one) == 0}
        for at in range(len(given))
    ]
    expected = [
        (late, given[first]) for at, late in enumerate(given)
        if (first := next((n for n in range(at) if alone[at] <= alone[n]), None)) is not None
    ]  # fmt: skip
    assert list(swallowed(given, TREE)) == expected


def replace_quotas(key: Draw, at: int) -> Draw:
    """The same with its ``at``-th quota alone."""
    alone = replace(key.audience, quotas=(key.audience.quotas[at],))
    return replace(key, audience=alone, units=(key.units[at],))


def test_a_unit_takes_all_of_those_below_it_but_not_the_other_way_round() -> None:
    above, beneath, tagged = Quota("a", "", 2), Quota("a11", "", 1), Quota("a1", "x", 3)
    assert swallowed((above, beneath, tagged), TREE) == [(beneath, above), (tagged, above)]
    assert swallowed((beneath, tagged, above), TREE) == []
    assert swallowed((Quota("", "", 0), above), TREE) == [(above, Quota("", "", 0))]


def test_a_last_quota_for_everybody_else_closes_the_door() -> None:
    rows = crowd(5, "a") + crowd(5, "b")
    found = drawn(rows, campaign(quotas=(Quota("a", "", 3), Quota("", "", 0))))
    assert Counter(one.unit for one in found) == {"a": 3}


def test_a_sample_within_quotas_takes_people_as_chance_calls_them_while_there_is_room() -> None:
    rows = crowd(30, "a") + crowd(30, "b")
    made = campaign(sample=20, quotas=(Quota("a", "", 5),))
    key = Draw.of(lambda: rows, made, "s", TREE)
    called = sorted(rows, key=lambda one: key.number(one.person))
    expected: list[str] = []
    for one in called:
        room = one.unit != "a" or sum(name.startswith("a") for name in expected) < 5
        if room and len(expected) < 20:
            expected.append(one.person)
    assert people(drawn(rows, made, "s")) == set(expected)
    fates = Counter(key.fate([one])[0] for one in rows)
    assert fates[Fate.ASKED] == 20
    assert fates[Fate.QUOTA_FULL] > 0
    assert fates[Fate.NOT_DRAWN] > 0


def test_a_tree_in_a_circle_ends() -> None:
    circle = [Subject("x", {"en": "x"}, parent="y"), Subject("y", {"en": "y"}, parent="x")]
    assert below(["x"], circle) == {"x", "y"}


def test_a_draw_remembers_the_sample_and_not_the_audience() -> None:
    def many() -> Iterator[Candidate]:
        for n in range(30_000):
            yield Candidate(f"p{n:06}", "s", PEER, f"u{n % 10}", (), Kind.CITIZEN)

    made = campaign(sample=100, strata="unit", per_rater=3, per_subject=50,
                    quotas=(Quota("a", "", 9),))  # fmt: skip
    tracemalloc.start()
    found = sum(1 for _ in draw(many, made, "s", TREE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 50
    assert peak < 500_000  # the rows alone would be some 6 MB


# ---- about whom


def most_places(rows: Sequence[Candidate], most: int, wanted: Mapping[Side, int]) -> int:
    """Of ``wanted`` raters for each side, as many as can be had at once: the value of a maximum
    flow source -> raters (``most``) -> sides (1 each) -> sink, by Edmonds and Karp.
    """
    left: dict[Node, Counter[Node]] = defaultdict(Counter)
    for one in rows:
        side = (one.subject, one.group)
        if side in wanted:
            left["source"][one.person] = most
            left[one.person][side] = 1
            left[side]["sink"] = wanted[side]
    flow = 0
    while True:
        came: dict[Node, Node] = {"source": "source"}
        waiting: deque[Node] = deque(["source"])
        while waiting and "sink" not in came:
            node = waiting.popleft()
            for onward in [each for each, room in left[node].items() if room > 0]:
                if onward not in came:
                    came[onward] = node
                    waiting.append(onward)
        if "sink" not in came:
            return flow
        at: Node = "sink"
        while at != "source":
            left[came[at]][at] -= 1
            left[at][came[at]] += 1
            at = came[at]
        flow += 1


def held(rows: Sequence[Candidate]) -> Counter[Side]:
    return Counter((one.subject, one.group) for one in rows)


@settings(deadline=None, max_examples=300)
@given(candidates, seeds, st.integers(1, 4), st.sampled_from([0, K, K + 1, K + 3]))
def test_as_many_places_are_filled_as_a_maximum_flow_fills_and_no_cap_is_exceeded(
    rows: list[Candidate], seed: str, most: int, per_subject: int
) -> None:
    found = drawn(rows, campaign(per_rater=most, per_subject=per_subject), seed)
    got, there, least = held(found), held(rows), Rules(K).least
    assert max(Counter(one.person for one in found).values(), default=0) <= most
    assert not per_subject or max(got.values(), default=0) <= per_subject
    wanted = {side: min(least(side[1]), count) for side, count in there.items()}
    filled = sum(min(got[side], count) for side, count in wanted.items())
    assert filled == most_places(rows, most, wanted)
    # no further side could have its k raters without another that has them losing some
    whole = {side: least(side[1]) for side, count in there.items() if got[side] >= least(side[1])}
    for side, count in there.items():
        need = least(side[1])
        if got[side] < need <= count:
            both = {**whole, side: need}
            assert most_places(rows, most, both) < sum(both.values())


@settings(deadline=None)
@given(candidates, seeds, st.integers(1, 4))
def test_nobody_is_asked_less_than_they_may_be(rows: list[Candidate], seed: str, most: int) -> None:
    found = Counter(one.person for one in drawn(rows, campaign(per_rater=most), seed))
    for person, known in Counter(one.person for one in rows).items():
        assert found[person] == min(most, known)


@settings(deadline=None)
@given(candidates, seeds, st.sampled_from([0, 1, 2, 4]), st.sampled_from([K, K + 2]))
def test_a_full_side_is_as_full_as_it_may_be(
    rows: list[Candidate], seed: str, most: int, per_subject: int
) -> None:
    found = drawn(rows, campaign(per_rater=most, per_subject=per_subject), seed)
    got, there = held(found), held(rows)
    busy = Counter(one.person for one in found)
    taken = {(one.person, one.subject) for one in found}
    if not most:
        assert got == Counter({side: min(count, per_subject) for side, count in there.items()})
    for one in rows:  # who has time left knows only sides that are full
        if (one.person, one.subject) not in taken and (not most or busy[one.person] < most):
            assert got[one.subject, one.group] == per_subject


def test_sides_that_can_all_be_shown_all_are_though_a_hasty_choice_would_starve_one() -> None:
    # three know both subjects, three only the first; one subject each
    rows = [Candidate(f"both{n}", s, PEER, None, (), Kind.STAFF) for n in range(6) for s in "12"]
    rows += [Candidate(f"one{n}", s, PEER, None, (), Kind.STAFF) for n in range(3) for s in "13"]
    rows.sort(key=lambda one: (one.person, one.subject))
    for seed in range(50):
        got = held(drawn(rows, campaign(per_rater=1), f"{seed}"))
        assert got == {("1", PEER): 3, ("2", PEER): 3, ("3", PEER): 3}


def test_chance_decides_whom_a_crowded_rater_rates() -> None:
    rows = [Candidate(f"p{n:02}", f"s{s:02}", PEER, None, (), Kind.STAFF)
            for n in range(30) for s in range(30)]  # fmt: skip
    first, second = (drawn(rows, campaign(per_rater=5), seed) for seed in ("1", "2"))
    assert first != second
    for found in (first, second):
        spread = held(found).values()
        assert len(spread) == 30
        assert max(spread) - min(spread) <= 2, "nearly even: 5 each"
    pairs = {(one.person, one.subject) for one in first}
    along = sum((f"p{n:02}", f"s{m:02}") in pairs for n, m in pairwise(range(30)))
    assert along < 15  # no band along the diagonal


def test_self_assessments_are_apart_from_chance_and_caps() -> None:
    own = RaterGroup.SELF
    rows = [Candidate("p1", f"s{n}", PEER, None, (), Kind.STAFF) for n in range(5)]
    rows.append(Candidate("p1", "s9", own, None, (), Kind.STAFF))
    rows.append(Candidate("p2", "s8", own, None, (), Kind.STAFF))
    found = drawn(rows, campaign(per_rater=2, per_subject=3))
    assert Counter(one.group for one in found) == {PEER: 2, own: 2}
    nobody = drawn(rows, campaign(quotas=(Quota("", "", 0),)))
    assert [one.subject for one in nobody] == ["s9", "s8"]
