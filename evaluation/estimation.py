"""How a class's constants are estimated from earlier quarters, or from a first one itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from evaluation.calibration import Calibration, Constants
from evaluation.composite import Composite, composite
from evaluation.dossier import Dossier, calibrated, indicator_weights
from evaluation.method import Method
from evaluation.moments import (
    Sample,
    paule_mandel,
    variance_between,
    variance_in_all,
    variance_within,
)
from evaluation.robust import clipped_mean
from evaluation.sufficiency import shortfalls
from evaluation.workload import policy_weights
from surveys.cells import RaterGroup, Spread

ROUNDING = 1 / 12  # variance of rounding to whole grades: nobody can agree more closely than that
MOST_WORTH = 1000.0  # a class mean never counts for more ratings than this


def estimate(
    rating_class: str,
    dossiers: Sequence[Dossier],
    spreads: Iterable[Spread],
    method: Method,
    *,
    trial: bool,
) -> Calibration:
    """Constants of a class from its dossiers (a subject in two quarters counts as two).

    Per group x indicator: Bühlmann-Straub moments, then the anchor shift. Per group: the variance
    of a rater's composite from ``spreads`` of this class, or an upper bound where the ballot box
    gave none. Last, tau2 by Paule-Mandel from the composites of subjects with sufficient data,
    never below what shrinking with an estimated variance can justify (`_least_tau2`).
    """
    ordered = sorted(dossiers, key=lambda each: (each.period, each.subject))
    cells = {group: _group_constants(group, ordered, method) for group in method.groups}
    known = {group: constants for group, constants in cells.items() if constants}
    draft = Calibration(
        rating_class=rating_class,
        periods=tuple(sorted({each.period for each in ordered})),
        cells=known,
        sigma2=_composite_variances(
            known, [s for s in spreads if s.rating_class == rating_class], method
        ),
        tau2=None,
        subjects=0,
        trial=trial,
    )
    found = [composite(each, draft, method) for each in ordered]
    compared = [each for each in found if not shortfalls(each, method)]
    return Calibration(
        rating_class=rating_class,
        periods=draft.periods,
        cells=draft.cells,
        sigma2=draft.sigma2,
        tau2=_tau2(compared, method),
        subjects=len(compared),
        trial=trial,
    )


def _group_constants(
    group: RaterGroup, dossiers: Sequence[Dossier], method: Method
) -> dict[str, Constants]:
    """Constants of every indicator that at least two subjects were rated on."""
    clip = method.groups[group].clip
    found = {}
    for indicator in method.asked(group):
        key = (group, indicator.id)
        histograms = [d.cells[key].counts for d in dossiers if key in d.cells and d.cells[key].n]
        if len(histograms) >= 2:
            found[indicator.id] = _constants(histograms, clip)
    return found


def _constants(histograms: Sequence[tuple[int, ...]], clip: float) -> Constants:
    samples = [Sample.of(counts) for counts in histograms]
    mu = fmean(each.mean for each in samples)
    within = variance_within(samples)
    s2 = max(variance_in_all(samples) if within is None else within, ROUNDING)
    between = variance_between(samples, s2)
    a0 = min(s2 / between, MOST_WORTH) if between > 0 else MOST_WORTH
    shifts = (clipped_mean(counts, mu, s2, a0, clip) for counts in histograms)
    shift = 0.0 if math.isinf(clip) else fmean(shifts) - mu
    return Constants(mu, s2, a0, shift)


def _composite_variances(
    cells: Mapping[RaterGroup, Mapping[str, Constants]], spreads: Sequence[Spread], method: Method
) -> dict[RaterGroup, float]:
    found = {}
    for group, constants in cells.items():
        weights = indicator_weights(calibrated(method, group, cells), policy_weights(method))
        given = [each for each in spreads if each.group == group and each.ballots > 0]
        ballots = sum(each.ballots for each in given)
        if ballots:
            variance = math.fsum(each.variance * each.ballots for each in given) / ballots
        else:  # as if a rater's grades always rose and fell together: exact for one indicator
            variance = math.fsum(w * math.sqrt(constants[i].s2) for i, w in weights.items()) ** 2
        found[group] = max(variance, ROUNDING * math.fsum(w * w for w in weights.values()))
    return found


def _tau2(compared: Sequence[Composite], method: Method) -> float | None:
    if len(compared) < method.min_class:
        return None
    variances = [each.variance for each in compared]
    found = paule_mandel([each.deviation for each in compared], variances)
    return max(found, _least_tau2(variances))


def _least_tau2(variances: Sequence[float]) -> float:
    """The tau2 at which credibility is 2 / (S - 1), for S >= 4 subjects.

    Morris (1983) multiplies the estimated shrinkage by (S - 3) / (S - 1): even where noise seems to
    explain everything, this much belongs to the subject. Without it such a class would get one
    and the same score, and intervals of width 0.
    """
    return fmean(variances) * 2 / (len(variances) - 3)
