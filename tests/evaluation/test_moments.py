"""Moment estimators against published results."""

from __future__ import annotations

import math

import pytest

from evaluation.moments import (
    Sample,
    paule_mandel,
    variance_between,
    variance_in_all,
    variance_within,
)

# Hachemeister (1975): bodily injury claims by state, 12 quarters; as in R's package actuar.
RATIOS = (
    (1738, 1642, 1794, 2051, 2079, 2234, 2032, 2035, 2115, 2262, 2267, 2517),
    (1364, 1408, 1597, 1444, 1342, 1675, 1470, 1448, 1464, 1831, 1612, 1471),
    (1759, 1685, 1479, 1763, 1674, 2103, 1502, 1622, 1828, 2155, 2233, 2059),
    (1223, 1146, 1010, 1257, 1426, 1532, 1953, 1123, 1343, 1243, 1762, 1306),
    (1456, 1499, 1609, 1741, 1482, 1572, 1606, 1735, 1607, 1573, 1613, 1690),
)
CLAIMS = (
    (7861, 9251, 8706, 8575, 7917, 8263, 9456, 8003, 7365, 7832, 7849, 9077),
    (1622, 1742, 1523, 1515, 1622, 1602, 1964, 1515, 1527, 1748, 1654, 1861),
    (1147, 1357, 1329, 1204, 998, 1077, 1277, 1218, 896, 1003, 1108, 1121),
    (407, 396, 348, 341, 315, 328, 352, 331, 287, 384, 321, 342),
    (2902, 3172, 3046, 3068, 2693, 2910, 3275, 2697, 2663, 3017, 3242, 3425),
)
# Efron and Morris (1975): batting averages after 45 at bats, and over the rest of 1970.
EARLY = (0.4, 0.378, 0.356, 0.333, 0.311, 0.311, 0.289, 0.267, 0.244,
         0.244, 0.222, 0.222, 0.222, 0.222, 0.222, 0.2, 0.178, 0.156)  # fmt: skip
LATER = (0.346, 0.298, 0.276, 0.222, 0.273, 0.27, 0.263, 0.21, 0.269,
         0.23, 0.264, 0.256, 0.303, 0.264, 0.226, 0.285, 0.316, 0.2)  # fmt: skip


def state(ratios: tuple[int, ...], claims: tuple[int, ...]) -> Sample:
    pairs = list(zip(ratios, claims, strict=True))
    mean = sum(x * w for x, w in pairs) / sum(claims)
    return Sample(sum(claims), mean, sum(w * (x - mean) ** 2 for x, w in pairs), len(pairs) - 1)


def test_hachemeisters_credibilities_and_premiums() -> None:
    states = [state(ratios, claims) for ratios, claims in zip(RATIOS, CLAIMS, strict=True)]
    within = variance_within(states)
    assert within == pytest.approx(139120025.9, rel=1e-9)
    assert within is not None
    between = variance_between(states, within)
    assert between == pytest.approx(89638.72623, rel=1e-9)
    credibility = [each.weight / (each.weight + within / between) for each in states]
    assert credibility == pytest.approx([0.98474, 0.92764, 0.89848, 0.72791, 0.95879], abs=5e-6)
    means = [each.mean for each in states]
    collective = sum(z * x for z, x in zip(credibility, means, strict=True)) / sum(credibility)
    premiums = [z * x + (1 - z) * collective for z, x in zip(credibility, means, strict=True)]
    expected = [2055.165350, 1523.706278, 1793.443604, 1442.966549, 1603.285404]
    assert premiums == pytest.approx(expected, abs=1e-6)
    assert collective == pytest.approx(1683.713437, abs=1e-6)


def test_efron_and_morris_factor_and_gain() -> None:
    early = [math.sqrt(45) * math.asin(2 * y - 1) for y in EARLY]
    later = [math.sqrt(45) * math.asin(2 * p - 1) for p in LATER]
    tau2 = paule_mandel(early, [1.0] * 18)
    # Morris' correction (S - 3) / (S - 1) of the estimated shrinkage gives the James-Stein factor.
    factor = 1 - (15 / 17) / (1 + tau2)
    assert factor == pytest.approx(0.2092, abs=5e-5)
    mean = sum(early) / 18
    shrunk = [mean + factor * (x - mean) for x in early]
    plain_error = sum((x - t) ** 2 for x, t in zip(early, later, strict=True))
    error = sum((x - t) ** 2 for x, t in zip(shrunk, later, strict=True))
    assert (plain_error, error) == pytest.approx((17.578, 5.000), abs=1e-3)


def test_no_difference_beyond_noise_gives_no_variance_between() -> None:
    assert paule_mandel([1.0, 1.1, 0.9, 1.0], [1.0] * 4) == 0.0
    assert paule_mandel([1.0], [1.0]) == 0.0


def test_one_rating_each_tells_nothing_about_the_variance_within() -> None:
    samples = [Sample.of((0, 0, 0, 1, 0)), Sample.of((0, 0, 0, 0, 1))]
    assert variance_within(samples) is None
    assert variance_in_all(samples) == 0.5


def test_a_single_subject_has_no_variance_between() -> None:
    with pytest.raises(ValueError, match="at least two"):
        variance_between([Sample.of((0, 0, 1, 1, 0))], 0.5)
