"""Lots that can be drawn again: a number for everybody, the lowest of them, and fair shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from heapq import heappush, heapreplace

LAST = 1 << 128
"""Above every number."""


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> blake2b:
    """The digest under ``key`` before anything is said; to be copied."""
    return blake2b(key=key, digest_size=16)


def key_of(seed: str) -> bytes:
    """What is drawn under: a seed may have any length."""
    return blake2b(seed.encode("utf-8", "surrogatepass")).digest()


def drawn_number(key: bytes, *of: str) -> int:
    """What chance gave to ``of`` (a person, or a person and a subject); less than LAST."""
    digest = _keyed(key).copy()
    digest.update("\0".join(of).encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest())


class Lowest:
    """The ``most`` lowest numbers of those seen, and no others."""

    __slots__ = ("_heap", "most", "seen")

    def __init__(self, most: int) -> None:
        self.most, self.seen = most, 0
        self._heap: list[int] = []  # negative: the largest first

    def see(self, number: int) -> None:
        self.seen += 1
        if len(self._heap) < self.most:
            heappush(self._heap, -number)
        elif self._heap and number < -self._heap[0]:
            heapreplace(self._heap, -number)

    @property
    def limit(self) -> int:
        """The largest of them; -1 where there is none."""
        return -self._heap[0] if self._heap else -1


def shares(strata: Mapping[str, int], sample: int, chance: Callable[[str], int]) -> dict[str, int]:
    """``sample`` people shared out in proportion to ``strata`` by largest remainder (Hamilton).

    No stratum gets more than it has; equal remainders are settled by ``chance``.
    """
    whole = sum(strata.values())
    sample = min(sample, whole)
    if not whole:
        return {}
    found = {name: sample * people // whole for name, people in strata.items()}
    left = sorted(strata, key=lambda name: (-(sample * strata[name] % whole), chance(name)))
    for name in left[: sample - sum(found.values())]:
        found[name] += 1
    return found
