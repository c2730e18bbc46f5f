"""Sharing out raters who know more subjects than one person is asked about.

A side (a subject and a rater group) is shown where it has enough raters, so they go first to where
they are needed: a b-matching of raters to sides, made larger along augmenting paths (Ford and
Fulkerson 1956; Schrijver, Combinatorial Optimization, 2003, chapter 21). To have the most sides
complete at once is NP-hard from three raters a side on; the scarcest sides are completed first,
none at another's cost, and then as many places of the rest are filled as can be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from heapq import nsmallest

from surveys.tally import Side

Chance = Callable[[str, str], int]
"""The number that chance gave to a person and a subject; the lowest come first."""


def allotted(
    crowded: Mapping[str, Sequence[Side]],
    others: Mapping[Side, int],
    most: int,
    need: Callable[[Side], int],
    chance: Chance,
) -> dict[str, set[Side]]:
    """For each rater of ``crowded``, who knows more sides than ``most``, ``most`` of them.

    ``others`` is how many other raters a side has for certain; ``need`` how many it needs.
    """
    matching = _Matching(crowded, most, chance)
    wanting = {
        side: min(need(side) - others.get(side, 0), len(know))
        for side, know in matching.know.items()
    }
    whole = [side for side, count in wanting.items() if count == need(side) - others.get(side, 0)]
    for side in sorted(whole, key=matching.scarcity):
        matching.complete(side, wanting[side])
    for side in sorted(wanting, key=matching.scarcity):
        while len(matching.held[side]) < wanting[side] and matching.augment(side):
            pass
    matching.spread(others)
    return matching.of


class _Matching:
    """Who was given which side so far; nobody more than ``most``."""

    __slots__ = ("_chance", "_dead", "held", "know", "most", "of")

    def __init__(self, crowded: Mapping[str, Sequence[Side]], most: int, chance: Chance) -> None:
        self.most, self._chance = most, chance
        self.of: dict[str, set[Side]] = {rater: set() for rater in crowded}
        self.know: dict[Side, list[str]] = {}
        for rater, sides in crowded.items():
            for side in sides:
                self.know.setdefault(side, []).append(rater)
        for side, raters in self.know.items():
            raters.sort(key=partial(self._number, side[0]))
        self.held: dict[Side, set[str]] = {side: set() for side in self.know}
        self._dead: set[str] = set()

    def _number(self, subject: str, rater: str) -> int:
        return self._chance(rater, subject)

    def scarcity(self, side: Side) -> tuple[int, int]:
        """The sides that fewest raters know come first; chance settles the rest."""
        return len(self.know[side]), self._chance(side[1].value, side[0])

    def complete(self, side: Side, wanted: int) -> None:
        """``wanted`` raters for ``side``, or none at all."""
        while len(self.held[side]) < wanted:
            if not self.augment(side):
                for rater in self.held[side]:
                    self.of[rater].discard(side)
                if self.held[side]:
                    self._dead.clear()  # they are free again
                self.held[side].clear()
                return

    def augment(self, side: Side) -> bool:
        """One more rater for ``side``; another side may have to exchange its own. False: none.

        No side has fewer afterwards. Raters whom a search without success came by stay out of
        reach for as long as nobody becomes free, so no other search visits them.
        """
        came: dict[str, Side] = {}  # rater -> the side that wants them
        gave: dict[Side, str] = {}  # side -> the rater that another side wants of it
        waiting = deque([side])
        while waiting:
            wanting = waiting.popleft()
            for rater in self.know[wanting]:
                if rater in came or rater in self._dead or rater in self.held[wanting]:
                    continue
                came[rater] = wanting
                if len(self.of[rater]) < self.most:
                    self._exchange(rater, came, gave, side)
                    return True
                for held in sorted(self.of[rater]):
                    if held not in gave and held != side:
                        gave[held] = rater
                        waiting.append(held)
        self._dead.update(came)
        return False

    def spread(self, others: Mapping[Side, int]) -> None:
        """Give everybody as many as they may have, where there are fewest raters so far."""
        count = {side: others.get(side, 0) + len(held) for side, held in self.held.items()}
        known: dict[str, list[Side]] = {rater: [] for rater in self.of}
        for side, raters in self.know.items():
            for rater in raters:
                if rater not in self.held[side]:
                    known[rater].append(side)
        for rater in sorted(self.of, key=lambda rater: self._chance(rater, "")):
            left = self.most - len(self.of[rater])
            for side in nsmallest(left, known[rater], partial(self._order, count, rater)):
                self.of[rater].add(side)
                self.held[side].add(rater)
                count[side] += 1

    def _order(self, count: Mapping[Side, int], rater: str, side: Side) -> tuple[int, int]:
        return count[side], self._chance(rater, side[0])

    def _exchange(
        self, rater: str, came: Mapping[str, Side], gave: Mapping[Side, str], side: Side
    ) -> None:
        """``rater`` goes to who wants them; whom that one gives up, to the next, and so on."""
        while True:
            wanting = came[rater]
            self.of[rater].add(wanting)
            self.held[wanting].add(rater)
            if wanting == side:
                return
            rater = gave[wanting]
            self.of[rater].discard(wanting)
            self.held[wanting].discard(rater)
