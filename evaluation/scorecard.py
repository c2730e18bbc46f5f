"""A subject's result for a quarter, as the sealed record keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

from evaluation.bands import Verdict, verdict
from evaluation.calibration import Calibration
from evaluation.canonical import dump, load
from evaluation.composite import Composite, Standing, composite, contributions
from evaluation.dossier import Dossier
from evaluation.method import POINTS, Category, Method
from evaluation.reason import Reason
from evaluation.robust import Share, dissatisfied
from evaluation.sufficiency import shortfalls
from surveys.cells import RaterGroup, Turnout


@dataclass(frozen=True, slots=True)
class Evidence:
    """One ordinary cell as it was counted. ``deviation`` from the class mean after clipping, in
    grades; None where the cell did not count. ``dissatisfied`` is never clipped."""

    group: RaterGroup
    indicator: str
    counts: tuple[int, ...]
    deviation: float | None
    dissatisfied: Share


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one rater group stands: whether it counted, its least number of ratings, its weight."""

    group: RaterGroup
    standing: Standing
    n: int
    weight: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The full result of one subject and quarter, sealed: `evaluation.publication` publishes.

    ``value`` in points (grade x 20) or None, and then ``withheld`` says why and nothing that is
    computed from the value is given. ``contributions`` sum to the value. ``value_at_policy`` is the
    score had the task list not moved any weight. ``flags`` ask people to look: a group that was
    asked and stayed silent, or a score that clipping moved far. ``trial``: constants come from
    this very quarter.
    """

    subject: str
    period: str
    rating_class: str
    value: float | None
    withheld: tuple[Reason, ...]
    interval: tuple[float, float] | None
    verdict: Verdict | None
    credibility: float | None
    value_at_policy: float | None
    hearings: tuple[Hearing, ...]
    category_weights: Mapping[Category, float]
    contributions: Mapping[str, float]
    evidence: tuple[Evidence, ...]
    turnout: tuple[Turnout, ...]
    flags: tuple[Reason, ...]
    method: str
    input_hash: str
    trial: bool

    def to_json(self) -> bytes:
        """UTF-8 JSON that keeps every float exactly."""
        return dump(self)

    @classmethod
    def from_json(cls, data: bytes) -> Scorecard:
        """Read ``to_json`` back."""
        return load(cls, data)


@dataclass(frozen=True, slots=True)
class Posterior:
    """A composite shrunk once towards its class: score and standard error in points."""

    score: float
    error: float
    credibility: float


def posterior(found: Composite, tau2: float, method: Method) -> Posterior:
    """Empirical-Bayes estimate S = 20 (M + B D), B = tau2 / (tau2 + V), variance 400 B V."""
    credibility = tau2 / (tau2 + found.variance)
    return Posterior(
        score=POINTS * (found.level + credibility * found.deviation),
        error=method.se_inflation * POINTS * math.sqrt(credibility * found.variance),
        credibility=credibility,
    )


def scorecard(
    dossier: Dossier, calibration: Calibration, method: Method, input_hash: str
) -> Scorecard:
    """Judge one dossier: a score where the data suffice, otherwise why there is none."""
    found = composite(dossier, calibration, method)
    missing = shortfalls(found, method) or _class_shortfall(calibration, method)
    silent = [each.group for each in found.voices if each.standing is Standing.SILENT]
    result = None
    if not missing and calibration.tau2 is not None:
        result = posterior(found, calibration.tau2, method)
    terms = contributions(found, result.credibility, method) if result else {}
    reach = NormalDist().inv_cdf((1 + method.interval_level) / 2) * result.error if result else 0.0
    return Scorecard(
        subject=dossier.subject,
        period=dossier.period,
        rating_class=calibration.rating_class,
        value=result.score if result else None,
        withheld=missing,
        interval=(result.score - reach, result.score + reach) if result else None,
        verdict=verdict(result.score, result.error, method, cap=bool(silent)) if result else None,
        credibility=result.credibility if result else None,
        value_at_policy=_at_policy(dossier, calibration, method) if result else None,
        hearings=tuple(
            Hearing(v.group, v.standing, v.n, found.shares.get(v.group, 0.0)) for v in found.voices
        ),
        category_weights=dossier.weights,
        contributions=terms,
        evidence=_evidence(dossier, found, method),
        turnout=tuple(dossier.turnout[each] for each in method.groups if each in dossier.turnout),
        flags=_flags(silent, terms, result, method),
        method=method.version,
        input_hash=input_hash,
        trial=calibration.trial,
    )


def _class_shortfall(calibration: Calibration, method: Method) -> tuple[Reason, ...]:
    if calibration.tau2 is not None:
        return ()
    arguments: dict[str, str | int | float] = {
        "rating_class": calibration.rating_class,
        "subjects": calibration.subjects,
        "needed": method.min_class,
    }
    return (Reason("class_too_small", arguments),)


def _at_policy(dossier: Dossier, calibration: Calibration, method: Method) -> float | None:
    found = composite(replace(dossier, weights=dossier.policy), calibration, method)
    if calibration.tau2 is None or shortfalls(found, method):
        return None
    return posterior(found, calibration.tau2, method).score


def _evidence(dossier: Dossier, found: Composite, method: Method) -> tuple[Evidence, ...]:
    cells = []
    for voice in found.voices:
        for each in method.asked(voice.group):
            cell = dossier.cells.get((voice.group, each.id))
            if cell and cell.n:
                deviation = voice.clipped.get(each.id)
                unhappy = dissatisfied(cell.counts, method.interval_level)
                cells.append(Evidence(voice.group, each.id, cell.counts, deviation, unhappy))
    return tuple(cells)


def _flags(
    silent: list[RaterGroup],
    terms: Mapping[str, float],
    result: Posterior | None,
    method: Method,
) -> tuple[Reason, ...]:
    flags = [Reason("nonresponse", {"group": group.value}) for group in silent]
    moved = result.credibility * terms["robust"] if result else 0.0
    if abs(moved) > method.review_gap:
        flags.append(Reason("clipping_matters", {"points": round(moved, 1)}))
    return tuple(flags)
