"""From a score and its uncertainty to a grade, or to 待定 where the grade is not clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from evaluation.method import Band, Method


@dataclass(frozen=True, slots=True)
class Verdict:
    """Band ids from low to high: one is determined, two are undetermined (待定) between them.

    ``probabilities`` of all bands sum to 1 and are those of the score itself; ``capped`` says that
    a band above the cap was possible and is not given.
    """

    bands: tuple[str, ...]
    probabilities: Mapping[str, float]
    capped: bool = False

    @property
    def determined(self) -> bool:
        return len(self.bands) == 1


def verdict(score: float, error: float, method: Method, *, cap: bool) -> Verdict:
    """The band of a score with standard error ``error`` > 0, both in points.

    Determined where the whole interval of ``interval_level`` lies in one band and that band has
    at least ``band_probability``: what is drawn and what is said then never contradict each other.
    With ``cap``, whatever lies above the method's ``nonresponse_cap`` counts as that band.
    """
    chances = _probabilities(score, error, method.bands)
    allowed = _below_cap(chances, method) if cap else chances
    likely = sorted(allowed, key=lambda band: -allowed[band])
    chosen = likely[:1] if _sure(likely[0], allowed, method) else likely[:2]
    bands = tuple(band.id for band in method.bands if band.id in chosen)
    return Verdict(bands, chances, capped=allowed != chances)


def _probabilities(score: float, error: float, bands: tuple[Band, ...]) -> dict[str, float]:
    posterior = NormalDist(score, error)
    edges = [0.0, *(posterior.cdf(band.start) for band in bands[1:]), 1.0]
    return {band.id: high - low for band, (low, high) in zip(bands, pairwise(edges), strict=True)}


def _sure(band: str, chances: Mapping[str, float], method: Method) -> bool:
    before = list(chances).index(band)
    shares = list(chances.values())
    tail = (1 - method.interval_level) / 2
    inside = sum(shares[:before]) <= tail and sum(shares[before + 1 :]) <= tail
    return inside and chances[band] >= method.band_probability


def _below_cap(chances: Mapping[str, float], method: Method) -> dict[str, float]:
    ids = [band.id for band in method.bands]
    top = ids.index(method.nonresponse_cap)
    kept = {band: chances[band] for band in ids[:top]}
    return {**kept, ids[top]: 1 - sum(kept.values())} if top + 1 < len(ids) else dict(chances)
