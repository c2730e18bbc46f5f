"""What of a scorecard may be shown outside the sealed record, and how coarsely.

Ratings were given by few people who can be known one by one. If one of them leaves, the difference
between two exact publications tells what that one said; rounding to 5 points at fewer than 12
ratings, 2 at 12 to 29 and 1 from 30 on leaves an observer close to guessing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evaluation.canonical import dump, load_all
from evaluation.composite import Standing
from evaluation.method import POINTS, Category, Method
from evaluation.reason import Reason
from evaluation.scorecard import Evidence, Hearing, Scorecard
from evaluation.self_assessment import SelfAssessment, self_assessment
from surveys.cells import GRADES, Cell, RaterGroup, Turnout

LEAST_FOR_DETAIL = 30  # ratings from which a histogram and the share of dissatisfied may be shown
BANDS_OF_N = ((1, 4), (5, 9), (10, 19), (20, 49), (50, None))


@dataclass(frozen=True, slots=True)
class Answers:
    """How many of one group answered, as a band, and which share stayed silent.

    ``answered`` is from..to people (to is None for "and more"), None where it must not be said;
    ``silent`` is a range of whole percent of those asked, None where ``withheld`` says why.
    """

    group: RaterGroup
    standing: Standing
    asked: int | None
    answered: tuple[int, int | None] | None
    silent: tuple[int, int] | None
    withheld: Reason | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One cell of at least 30 ratings: its histogram, and the dissatisfied in whole percent."""

    group: RaterGroup
    indicator: str
    counts: tuple[int, ...]
    dissatisfied: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class PublishedCard:
    """A scorecard as the rated person and the public may see it.

    ``value`` is rounded to ``step`` points; ``interval`` is wide enough to cover that rounding;
    two ``bands`` mean undetermined between them; bands may stand without a value.
    ``contributions`` are rounded one by one (keys baseline, workload, indicator:ID, adjustment),
    so they add up to the value only nearly. What is left out has its reason in ``withheld`` (the
    whole score) or ``held_back`` (a detail).
    """

    subject: str
    period: str
    rating_class: str
    value: int | None
    step: int | None
    interval: tuple[int, int] | None
    bands: tuple[str, ...]
    capped: bool
    withheld: tuple[Reason, ...]
    category_weights: Mapping[Category, float]
    contributions: Mapping[str, int]
    answers: tuple[Answers, ...]
    details: tuple[Detail, ...]
    held_back: tuple[Reason, ...]
    flags: tuple[Reason, ...]
    method: str
    input_hash: str
    trial: bool
    self_assessment: SelfAssessment | None = None  # beside the score; older ones have none


def published_to_json(cards: Iterable[PublishedCard]) -> bytes:
    """Published cards as UTF-8 JSON."""
    return dump(tuple(cards))


def published_from_json(data: bytes) -> tuple[PublishedCard, ...]:
    """Read ``published_to_json`` back."""
    return load_all(PublishedCard, data)


def publish(card: Scorecard, method: Method, own: Iterable[Cell] = ()) -> PublishedCard:
    """Coarsen a scorecard; ``method`` must be the one that it was scored by (ValueError).

    What the official gave themselves, among the cells ``own``, is put beside it.
    """
    if card.method != method.version:
        raise ValueError(f"{card.subject} was scored by {card.method}, not by {method.version}")
    details, held_back = _details(card.evidence)
    step = _step(card) if card.value is not None else None
    if step and _all_alike(card.evidence):
        step = None
        held_back = (Reason("score_all_alike"), *held_back)
    value = _rounded(_possible(card.value), step) if card.value is not None and step else None
    return PublishedCard(
        subject=card.subject,
        period=card.period,
        rating_class=card.rating_class,
        value=value,
        step=step,
        interval=_interval(card, method, step) if step else None,
        bands=card.verdict.bands if card.verdict else (),
        capped=bool(card.verdict and card.verdict.capped),
        withheld=card.withheld,
        category_weights=card.category_weights,
        contributions=_by_indicator(card.contributions, step) if step else {},
        answers=tuple(_answers(each, card.turnout) for each in card.hearings),
        details=details,
        held_back=held_back,
        # How far clipping moved the score is computed from single cells: it stays sealed.
        flags=tuple(flag for flag in card.flags if flag.code == "nonresponse"),
        method=card.method,
        input_hash=card.input_hash,
        trial=card.trial,
        self_assessment=self_assessment(card.subject, own, method, card.category_weights, value),
    )


def _step(card: Scorecard) -> int:
    """Points to round to, governed by the smallest anonymous group that is in the score.

    One rating moves the score most through the smallest group, so that one decides. Superiors are
    left out: their rating is an attributable act of office, not anonymous.
    """
    anonymous = [
        each.n
        for each in card.hearings
        if each.standing is Standing.HEARD and each.group is not RaterGroup.SUPERIOR
    ]
    n = min(anonymous, default=0)
    return 5 if n < 12 else 2 if n < LEAST_FOR_DETAIL else 1


def _all_alike(evidence: tuple[Evidence, ...]) -> bool:
    """Whether all anonymous cells in the score are unanimous but for at most one rating each.

    Then the score would say what each person chose, and only the band is published.
    """
    return all(
        max(each.counts) >= each.dissatisfied.whole - 1
        for each in evidence
        if each.deviation is not None and each.group is not RaterGroup.SUPERIOR
    )


def _rounded(value: float, step: int) -> int:
    return step * math.floor(value / step + 0.5)


def _possible(value: float) -> float:
    """Deviations may add up to a little more than the scale has; nobody is shown above its end."""
    return min(max(value, POINTS), POINTS * GRADES)


def _interval(card: Scorecard, method: Method, step: int) -> tuple[int, int] | None:
    """The rounded value, give or take enough to cover the exact interval.

    Rounding each end by itself would give two more readings of the exact value. A determined band
    holds the whole exact interval, so it may bound the published one without telling more.
    """
    if card.value is None or card.interval is None or card.verdict is None:
        return None
    middle = _rounded(_possible(card.value), step)
    reach = step * math.ceil(((card.interval[1] - card.interval[0]) / 2 + step / 2) / step)
    low, high = max(middle - reach, round(POINTS)), min(middle + reach, round(POINTS * GRADES))
    if card.verdict.determined and not card.verdict.capped:
        starts = [*(band.start for band in method.bands), POINTS * GRADES]
        place = [band.id for band in method.bands].index(card.verdict.bands[0])
        low = max(low, math.floor(starts[place]))
        high = min(high, math.ceil(starts[place + 1]))
    return low, high


def _by_indicator(terms: Mapping[str, float], step: int) -> dict[str, int]:
    """Contributions per indicator over all groups: no one group's voice can be read off."""
    sums: dict[str, list[float]] = {"baseline": [], "workload": []}
    for key, points in terms.items():
        kind, _, place = key.partition(":")
        if kind == "rating":
            sums.setdefault(f"indicator:{place.partition(':')[2]}", []).append(points)
    sums["adjustment"] = [terms[key] for key in ("renormalisation", "robust", "credibility")]
    for key in ("baseline", "workload"):
        sums[key].append(terms[key])
    return {key: _rounded(math.fsum(parts), step) for key, parts in sums.items()}


def _answers(hearing: Hearing, turnouts: tuple[Turnout, ...]) -> Answers:
    turnout = next((each for each in turnouts if each.group == hearing.group), None)
    n = (turnout.answered if turnout else None) or hearing.n
    low, high = next((each for each in reversed(BANDS_OF_N) if n >= each[0]), (0, None))
    sayable = low >= 5 or (low == 1 and hearing.group is RaterGroup.SUPERIOR)
    silent = withheld = None
    if turnout is None or turnout.asked == 0:
        withheld = Reason("nobody_asked", {"group": hearing.group.value})
    elif turnout.answered is None or not sayable:
        withheld = Reason("too_few_answered", {"group": hearing.group.value})
    else:
        silent = _silent(turnout.asked, turnout.answered, (low, high))
    return Answers(
        group=hearing.group,
        standing=hearing.standing,
        asked=turnout.asked if turnout else None,
        answered=(low, high) if sayable else None,
        silent=silent,
        withheld=withheld,
    )


def _silent(asked: int, answered: int, band: tuple[int, int | None]) -> tuple[int, int]:
    """Silent share in percent: only what the band of ``answered`` implies, exact from 50 on."""
    low, high = band
    most, least = (answered, answered) if high is None else (high, low)
    return round(100 * max(0, 1 - most / asked)), round(100 * max(0, 1 - least / asked))


def _details(evidence: tuple[Evidence, ...]) -> tuple[tuple[Detail, ...], tuple[Reason, ...]]:
    details, held_back, few = [], [], []
    for each in evidence:
        share = each.dissatisfied
        place: dict[str, str | int | float] = {
            "group": each.group.value,
            "indicator": each.indicator,
        }
        if share.whole < LEAST_FOR_DETAIL:
            few.append(each.group)
        elif max(each.counts) >= share.whole - 1 or share.part >= share.whole - 1:
            # Everybody (or everybody else, to the one who differs) would be known to have said so.
            held_back.append(Reason("nearly_all_alike", place))
        else:
            rates = (round(100 * rate) for rate in (share.rate, share.low, share.high))
            details.append(Detail(each.group, each.indicator, each.counts, *rates))
    for group in dict.fromkeys(few):
        arguments = {"group": group.value, "needed": LEAST_FOR_DETAIL}
        held_back.append(Reason("too_few_for_detail", arguments))
    return tuple(details), tuple(held_back)
