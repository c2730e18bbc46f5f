from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from statistics import mean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.ballots import Ballot
from surveys.cells import THIRD_PARTIES, Cell, RaterGroup, Tally
from surveys.people import Subject
from surveys.tally import REMARKS, Rules, composite, tally

SUP, PEER, SUB = RaterGroup.SUPERIOR, RaterGroup.PEER, RaterGroup.SUBORDINATE
SUBJECTS = {
    s.id: s
    for s in (
        Subject("a", {}, parent="house"),
        Subject("b", {}, parent="house"),
        Subject("c", {}, parent="house", rating_class="window"),
        Subject("d", {}, parent="yard", rating_class="window"),
        Subject("e", {}),
    )
}
INDICATORS = ("i", "j")
WEIGHTS = {group: {"i": 2.0, "j": 1.0} for group in THIRD_PARTIES}


@dataclass(frozen=True)
class Poll:
    """A roll and what was cast against it."""

    roll: tuple[tuple[str, RaterGroup, int], ...]
    ballots: tuple[Ballot, ...]
    k: int

    def count(self, seed: int = 1) -> Tally:
        rules = Rules(self.k, WEIGHTS)
        return tally(self.ballots, self.roll, SUBJECTS, INDICATORS, rules, Random(seed))


@st.composite
def polls(draw: Callable[..., Any]) -> Poll:
    sides = [(s, g) for s in SUBJECTS for g in (SUP, PEER, SUB)]
    asked = {side: draw(st.integers(1, 14)) for side in sides if draw(st.booleans())}
    ballots: list[Ballot] = []
    for (subject, group), people in asked.items():
        ballots += [
            Ballot(
                subject,
                group,
                draw(st.dictionaries(st.sampled_from(INDICATORS), st.integers(1, 5))),
                draw(st.sampled_from([{}, {"why": ("x",)}, {"why": ("x", "y")}])),
                draw(st.sampled_from(["", "say"])),
            )
            for _ in range(draw(st.integers(0, people)))
        ]
    ballots = draw(st.permutations(ballots))
    return Poll(tuple((s, g, n) for (s, g), n in asked.items()), tuple(ballots), draw(K))


K = st.sampled_from([3, 5, 8])


def given_to(poll: Poll, subject: str, group: RaterGroup) -> list[Ballot]:
    return [b for b in poll.ballots if (b.subject, b.group) == (subject, group)]


def histogram(ballots: list[Ballot], indicator: str) -> tuple[int, ...]:
    found = Counter(b.ratings[indicator] for b in ballots if indicator in b.ratings)
    return tuple(found[grade] for grade in range(1, 6))


@settings(deadline=None, max_examples=40)
@given(polls())
def test_nothing_below_k_leaves(poll: Poll) -> None:
    found = poll.count()
    for cell in found.cells:
        assert cell.n >= (1 if cell.group is SUP else poll.k)
    for reasons in found.reasons:
        assert reasons.n >= poll.k
    for turnout in found.turnout:
        assert turnout.answered is None or turnout.group is SUP or turnout.answered >= poll.k
    for spread in found.spreads:
        assert spread.group is SUP or spread.ballots >= poll.k
    assert all(len(remarks) >= REMARKS for remarks in found.remarks.values())


@settings(deadline=None, max_examples=40)
@given(polls())
def test_every_rating_is_in_a_cell_a_pool_or_was_dropped_and_says_which(poll: Poll) -> None:
    found = poll.count()
    fates = {(w.subject, w.group, w.indicator): w for w in found.withheld}
    assert len(fates) == len(found.withheld)
    pools: dict[tuple[str, RaterGroup, str], list[Cell]] = {}
    for subject, group, _ in poll.roll:
        for indicator in INDICATORS:
            own = histogram(given_to(poll, subject, group), indicator)
            cells = [
                cell
                for cell in found.cells
                if (cell.subject, cell.group, cell.indicator) == (subject, group, indicator)
                and not cell.pooled
            ]
            held = fates.get((subject, group, indicator))
            assert bool(cells) != bool(held)
            if cells:
                assert [cell.counts for cell in cells] == [own]
            elif held is not None and held.fate == "merged":
                assert held.into is not None
                key = held.into, group, indicator
                pools.setdefault(key, []).append(Cell(subject, indicator, group, own))
    for (parent, group, indicator), parts in pools.items():
        (pool,) = [
            cell
            for cell in found.cells
            if cell.pooled
            and (cell.subject, cell.group, cell.indicator) == (parent, group, indicator)
        ]
        assert set(pool.pooled) == {part.subject for part in parts}
        assert pool.counts == tuple(map(sum, zip(*(p.counts for p in parts), strict=True)))
        assert sum(1 for part in parts if part.n) >= 2
    assert sum(1 for cell in found.cells if cell.pooled) == len(pools)
    assert found.ballots == len(poll.ballots)
    assert found.spoiled == 0


@settings(deadline=None, max_examples=40)
@given(polls(), st.randoms(use_true_random=False))
def test_the_order_of_ballots_does_not_matter(poll: Poll, chance: Random) -> None:
    mixed = list(poll.ballots)
    chance.shuffle(mixed)
    one, other = poll.count(), Poll(poll.roll, tuple(mixed), poll.k).count()
    assert set(one.cells) == set(other.cells)
    assert one.turnout == other.turnout
    assert one.withheld == other.withheld
    assert sorted(map(repr, one.reasons)) == sorted(map(repr, other.reasons))
    assert set(one.spreads) == set(other.spreads)


@settings(deadline=None, max_examples=40)
@given(polls())
def test_a_spread_is_the_pooled_variance_of_what_its_cells_show_and_no_more(poll: Poll) -> None:
    found = poll.count()
    open_cells = {(c.subject, c.group, c.indicator) for c in found.cells if not c.pooled}
    for rating_class in ("unit", "window"):
        for group in (SUP, PEER, SUB):
            squares, freedom, ballots = 0.0, 0, 0
            for subject in (s for s in SUBJECTS.values() if s.rating_class == rating_class):
                shown = [i for i in INDICATORS if (subject.id, group, i) in open_cells]
                scores = [
                    sum(b.ratings[i] * WEIGHTS[group][i] for i in shown if i in b.ratings)
                    / sum(WEIGHTS[group][i] for i in shown if i in b.ratings)
                    for b in given_to(poll, subject.id, group)
                    if any(i in b.ratings for i in shown)
                ]
                if scores:
                    squares += sum((score - mean(scores)) ** 2 for score in scores)
                    freedom += len(scores) - 1
                    ballots += len(scores)
            spreads = [
                s for s in found.spreads if (s.rating_class, s.group) == (rating_class, group)
            ]
            if freedom > 0 and ballots >= (1 if group is SUP else poll.k):
                assert spreads[0].ballots == ballots
                assert spreads[0].variance == pytest.approx(squares / freedom)
            else:
                assert not spreads


def peers(subject: str, *grades: int, indicator: str = "i") -> list[Ballot]:
    return [Ballot(subject, PEER, {indicator: grade}) for grade in grades]


def poll_of(*ballots: Ballot, k: int = 5, asked: int = 20) -> Tally:
    roll = tuple((subject, group, asked) for subject in SUBJECTS for group in (SUP, PEER))
    return Poll(roll, ballots, k).count()


def test_a_spread_never_hides_the_ratings_of_a_cell_that_was_withheld() -> None:
    """With one big cell beside it, two ratings of b would follow from variance and count."""
    alone = poll_of(*peers("a", 3, 4, 4, 5, 5, 5))
    beside = poll_of(*peers("a", 3, 4, 4, 5, 5, 5), *peers("b", 1, 5))
    assert beside.spreads == alone.spreads
    assert beside.spreads[0].ballots == 6


def test_a_spread_never_hides_an_indicator_that_too_few_answered() -> None:
    both = [Ballot("a", PEER, {"i": 5, "j": grade}) for grade in (1, 2)]
    found = poll_of(*peers("a", 5, 5, 5, 5), *both)
    assert [cell.indicator for cell in found.cells] == ["i"]
    assert [spread.variance for spread in found.spreads] == [0.0]


def test_a_pool_takes_two_rated_subjects_at_least() -> None:
    assert poll_of(*peers("a", 1, 2, 3), k=3, asked=9).cells[0].subject == "a"
    alone = poll_of(*peers("a", 1, 2, 3, 4))
    assert alone.cells == ()
    assert {w.fate for w in alone.withheld} == {"dropped"}
    two = poll_of(*peers("a", 1, 2, 3, 4), *peers("b", 5))
    (pool,) = two.cells
    assert (pool.subject, pool.counts, pool.pooled) == ("house", (1, 1, 1, 1, 1), ("a", "b", "c"))


def test_small_cells_of_different_parents_or_none_are_never_pooled() -> None:
    found = poll_of(*peers("a", 1, 2, 3), *peers("d", 1, 2, 3), *peers("e", 1, 2, 3))
    assert found.cells == ()


def test_a_cell_that_stands_alone_is_no_part_of_a_pool_beside_it() -> None:
    found = poll_of(*peers("a", 1, 2, 3, 4, 5), *peers("b", 1, 1), *peers("c", 2, 2, 2))
    own, pool = found.cells
    assert (own.subject, own.n, own.pooled) == ("a", 5, ())
    assert (pool.counts, pool.pooled) == ((2, 3, 0, 0, 0), ("b", "c"))


def test_superiors_are_counted_from_one_but_their_reasons_only_from_k() -> None:
    boss = Ballot("a", SUP, {"i": 2}, {"why": ("x",)}, "words")
    found = poll_of(boss)
    assert [(cell.group, cell.counts) for cell in found.cells] == [(SUP, (0, 1, 0, 0, 0))]
    assert found.reasons == ()
    assert found.remarks == {}


@settings(deadline=None, max_examples=60)
@given(polls(), st.data())
def test_what_others_say_is_the_same_with_and_without_self_assessments(
    poll: Poll, data: st.DataObject
) -> None:
    own = RaterGroup.SELF
    assessed = [subject for subject in SUBJECTS if data.draw(st.booleans())]
    ballots = tuple(
        Ballot(subject, own, {"i": data.draw(st.integers(1, 5))}, {"why": ("x",)}, "I, I, I")
        for subject in assessed if data.draw(st.booleans())
    )  # fmt: skip
    roll = (*poll.roll, *((subject, own, 1) for subject in assessed))
    with_them = Poll(roll, (*poll.ballots, *ballots), poll.k).count()
    without = poll.count()
    assert [c for c in with_them.cells if c.group is not own] == list(without.cells)
    assert [t for t in with_them.turnout if t.group is not own] == list(without.turnout)
    assert [w for w in with_them.withheld if w.group is not own] == list(without.withheld)
    assert with_them.reasons == without.reasons
    assert with_them.spreads == without.spreads
    assert with_them.remarks == without.remarks
    given = {ballot.subject: ballot.ratings["i"] for ballot in ballots}
    marks = {c.subject: c.counts.index(1) + 1 for c in with_them.cells if c.group is own}
    assert marks == given
    assert all(c.n == 1 and not c.pooled for c in with_them.cells if c.group is own)


def test_ballots_of_nobody_on_the_roll_are_spoiled() -> None:
    found = poll_of(*peers("a", 5, 5, 5, 5, 5), Ballot("a", SUB, {"i": 1}), *peers("nobody", 1))
    assert (found.ballots, found.spoiled) == (5, 2)
    assert [cell.counts for cell in found.cells] == [(0, 0, 0, 0, 5)]


@pytest.mark.parametrize("first", [1, 5])
def test_a_stuffed_side_is_spoiled_whole_whichever_ballots_come_first(first: int) -> None:
    stuffed = [*peers("a", *[first] * 5), *peers("a", *[6 - first] * 5)]
    found = poll_of(*stuffed, *peers("b", 4, 4, 4, 4, 4), asked=9)
    assert (found.ballots, found.spoiled) == (5, 10)
    assert [cell.subject for cell in found.cells] == ["b"]
    assert {t.subject: t.answered for t in found.turnout if t.group is PEER}["a"] is None


def test_an_empty_ballot_is_turnout_and_nothing_else() -> None:
    found = poll_of(*[Ballot("a", PEER)] * 6)
    assert found.cells == ()
    assert {t.subject: t.answered for t in found.turnout if t.group is PEER}["a"] == 6


def test_remarks_leave_in_tens_from_all_groups_together_and_in_no_order() -> None:
    words = [f"remark {n}" for n in range(REMARKS)]
    ballots = [Ballot("a", SUP if n % 2 else PEER, remark=w) for n, w in enumerate(words)]
    assert poll_of(*ballots[1:]).remarks == {}
    kept = poll_of(*ballots).remarks["a"]
    assert sorted(kept) == sorted(words)
    assert kept not in (tuple(words), tuple(words[0::2] + words[1::2]))


def test_reasons_named_by_fewer_than_k_are_left_out_and_cannot_be_told_by_subtraction() -> None:
    ballots = [Ballot("a", PEER, reasons={"why": chosen})
               for chosen in [("x",)] * 3 + [("x", "y")] * 2 + [()] * 4]  # fmt: skip
    (found,) = poll_of(*ballots).reasons
    assert (found.n, found.counts) == (5, {"x": 5})
    lone = [*ballots, Ballot("a", PEER, reasons={"why": ("z",)})]
    assert poll_of(*lone).reasons == (found,)
    assert poll_of(*ballots[1:]).reasons == ()


def test_a_composite_weighs_what_was_answered() -> None:
    assert composite({"i": 5, "j": 2}, {"i": 2, "j": 1}) == 4
    assert composite({"j": 2, "unknown": 5}, {"i": 2, "j": 1}) == 2
    assert composite({"i": 5}, {"i": 0}) is None
    assert composite({}, {"i": 1}) is None
