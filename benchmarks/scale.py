"""How much is measured: for a table to keep, for a quick look, or just to see that it works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """``repetitions`` of each side by turns; sizes are divided by ``divisor``."""

    repetitions: int
    divisor: int

    def of(self, size: int, least: int = 1) -> int:
        """``size`` at this scale."""
        return max(least, size // self.divisor)


FULL = Scale(repetitions=5, divisor=1)
QUICK = Scale(repetitions=3, divisor=10)
TINY = Scale(repetitions=1, divisor=1000)

Side = Callable[[], Awaitable[float]]
"""One repetition of one side; the figure it reached."""


async def by_turns(repetitions: int, sides: Sequence[Side]) -> list[list[float]]:
    """Repeat ``sides`` one after the other, so that a busy moment of the machine meets them all.

    Returns the figures of each side, in order.
    """
    figures: list[list[float]] = [[] for _ in sides]
    for _ in range(repetitions):
        for kept, side in zip(figures, sides, strict=True):
            kept.append(await side())
    return figures
