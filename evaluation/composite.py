"""One subject's ratings combined: how far from its class it stands, and how surely."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from evaluation.calibration import Calibration
from evaluation.dossier import Dossier, calibrated, indicator_weights
from evaluation.method import POINTS, Method
from evaluation.robust import clipped_mean
from evaluation.workload import policy_weights
from surveys.cells import Cell, RaterGroup


class Standing(StrEnum):
    """Whether a group counts for a subject this quarter, and if not, why not."""

    HEARD = "heard"
    ABSENT = "absent"  # too few belong to the group to be asked; nobody's fault
    SILENT = "silent"  # enough were asked, too few answered
    WEIGHTLESS = "weightless"  # asked only about work that the subject did not have
    UNCALIBRATED = "uncalibrated"  # the class has nothing to compare with


@dataclass(frozen=True, slots=True)
class Voice:
    """One rater group on one subject, in grades.

    ``baseline`` is the class mean at the dossier's policy weights, ``level`` at its own weights;
    ``weights`` of the indicators it was asked (sum 1) and ``used`` of those it answered (sum 1,
    empty unless heard); ``plain`` and ``clipped`` are deviations from the class mean per used
    indicator; ``variance`` is the error variance of its composite; ``n`` its least cell.
    """

    group: RaterGroup
    standing: Standing
    baseline: float
    level: float
    weights: Mapping[str, float]
    used: Mapping[str, float]
    plain: Mapping[str, float]
    clipped: Mapping[str, float]
    variance: float
    n: int


@dataclass(frozen=True, slots=True)
class Composite:
    """All voices on a subject: class baseline M, deviation D and error variance V, in grades.

    ``shares`` are the group weights that count (sum 1 where anyone was heard, else empty).
    """

    voices: tuple[Voice, ...]
    shares: Mapping[RaterGroup, float]
    baseline: float
    level: float
    deviation: float
    variance: float

    @property
    def heard(self) -> tuple[Voice, ...]:
        return tuple(each for each in self.voices if each.standing is Standing.HEARD)


def composite(dossier: Dossier, calibration: Calibration, method: Method) -> Composite:
    """Combine deviations, not means: then a harsh group that is missing helps nobody."""
    voices = tuple(_voice(dossier, group, calibration, method) for group in method.groups)
    known = [each for each in voices if each.standing is not Standing.UNCALIBRATED and each.weights]
    heard = [each for each in voices if each.standing is Standing.HEARD]
    shares = _shares([each.group for each in heard], method)
    among = _shares([each.group for each in known], method)
    return Composite(
        voices=voices,
        shares=shares,
        baseline=math.fsum(among[each.group] * each.baseline for each in known),
        level=math.fsum(among[each.group] * each.level for each in known),
        deviation=math.fsum(
            shares[v.group] * weight * v.clipped[i] for v in heard for i, weight in v.used.items()
        ),
        variance=math.fsum(shares[each.group] ** 2 * each.variance for each in heard),
    )


def _shares(groups: list[RaterGroup], method: Method) -> dict[RaterGroup, float]:
    total = math.fsum(method.groups[each].weight for each in groups)
    return {each: method.groups[each].weight / total for each in groups} if total > 0 else {}


def _voice(dossier: Dossier, group: RaterGroup, calibration: Calibration, method: Method) -> Voice:
    known = calibrated(method, group, calibration.cells)
    constants = calibration.cells.get(group, {})
    whole = indicator_weights(known, policy_weights(method))
    own = indicator_weights(known, dossier.weights)
    least = method.groups[group].least
    answered = {i: w for i, w in own.items() if w > 0 and dossier.ratings(group, i) >= least}
    share = math.fsum(answered.values())
    heard = share > 0 and share >= method.min_indicator_weight - 1e-12
    used = {i: w / share for i, w in answered.items()} if heard else {}
    cells = {i: dossier.cells[group, i] for i in used}
    # Where none of its work happened, the group stays in the baseline at the policy weights of all
    # work: leaving it out would raise the baseline of whoever loses a harsh group.
    policy = indicator_weights(known, dossier.policy) or whole
    weights = own or whole
    n = min((cell.n for cell in cells.values()), default=0)
    return Voice(
        group=group,
        standing=Standing.HEARD if heard else _why_not(dossier, group, method, bool(known)),
        baseline=math.fsum(w * constants[i].mu for i, w in policy.items()),
        level=math.fsum(w * constants[i].mu for i, w in weights.items()),
        weights=weights,
        used=used,
        plain={i: cell.mean - constants[i].mu for i, cell in cells.items()},
        clipped={i: _clipped(cell, calibration, method) for i, cell in cells.items()},
        variance=calibration.sigma2[group] / (n * share) if heard else 0.0,
        n=n,
    )


def _clipped(cell: Cell, calibration: Calibration, method: Method) -> float:
    c = calibration.cells[cell.group][cell.indicator]
    clip = method.groups[cell.group].clip
    return clipped_mean(cell.counts, c.mu, c.s2, c.a0, clip) - c.shift - c.mu


def _why_not(dossier: Dossier, group: RaterGroup, method: Method, known: bool) -> Standing:
    least = method.groups[group].least
    weighty = [i for i, w in indicator_weights(method.asked(group), dossier.weights).items() if w]
    if not weighty:
        return Standing.WEIGHTLESS
    if not known and any(dossier.ratings(group, i) >= least for i in weighty):
        return Standing.UNCALIBRATED
    if dossier.asked(group) >= least:
        return Standing.SILENT
    return Standing.ABSENT


def contributions(found: Composite, credibility: float, method: Method) -> dict[str, float]:
    """What each part adds to the score, in points; the parts sum to the score exactly.

    Every group x indicator counts its plain deviation at policy group weight; what renormalising
    and clipping change stands in terms of its own. For a linear score this is also the Shapley
    decomposition. Keys: baseline, workload, rating:GROUP:indicator, renormalisation, robust,
    credibility.
    """
    terms = {
        "baseline": POINTS * found.baseline,
        "workload": POINTS * (found.level - found.baseline),
    }
    counted, robust = 0.0, 0.0
    for voice in found.voices:
        policy = method.groups[voice.group].weight
        for i, weight in voice.weights.items():
            term = POINTS * policy * weight * voice.plain.get(i, 0.0)
            terms[f"rating:{voice.group}:{i}"] = term
            full = POINTS * found.shares.get(voice.group, 0.0) * voice.used.get(i, 0.0)
            counted += full * voice.plain.get(i, 0.0) - term
            robust += full * (voice.clipped.get(i, 0.0) - voice.plain.get(i, 0.0))
    terms["renormalisation"] = counted
    terms["robust"] = robust
    terms["credibility"] = -(1 - credibility) * POINTS * found.deviation
    return terms
