"""The constants of one comparison class, fixed before a quarter starts and published with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.canonical import dump, load
from surveys.cells import RaterGroup


@dataclass(frozen=True, slots=True)
class Constants:
    """What is known beforehand about one rater group's ratings of one indicator.

    ``mu`` mean of subject means (1..5); ``s2`` variance within a subject (squared grades);
    ``a0`` the number of ratings that the class mean is worth; ``shift`` what clipping alone adds
    to a mean of this class, on average (grades), to be taken off again.
    """

    mu: float
    s2: float
    a0: float
    shift: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Constants of a comparison class.

    ``sigma2`` is the variance of one rater's weighted composite, per group; ``tau2`` the variance
    of true composites between subjects, both in squared grades. ``tau2`` is None where fewer than
    the method's ``min_class`` subjects (counted in ``subjects``) could be compared. ``trial``
    (试运行): estimated from the very quarter that it scores, in a first quarter.
    """

    rating_class: str
    periods: tuple[str, ...]
    cells: Mapping[RaterGroup, Mapping[str, Constants]]
    sigma2: Mapping[RaterGroup, float]
    tau2: float | None
    subjects: int
    trial: bool

    def to_json(self) -> bytes:
        """UTF-8 JSON that keeps every float exactly."""
        return dump(self)

    @classmethod
    def from_json(cls, data: bytes) -> Calibration:
        """Read ``to_json`` back."""
        return load(cls, data)
