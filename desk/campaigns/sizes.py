"""How many people a campaign had better ask, from the precision that somebody wants."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from desk.campaigns.foreseeing import fitting
from desk.campaigns.wrongs import Wrong
from desk.store import DeskTransaction
from surveys.campaigns import Campaign
from surveys.cells import RaterGroup
from surveys.drawing import Draw, people_of
from surveys.sizing import Measure, Precision, Size, margin, size, size_in_each

_NUMBER = re.compile(r"[0-9]{1,3}([.,][0-9]{1,2})?")
_BOUNDS = {"points": (0.1, 50.0), "confidence": (50.0, 99.9), "response": (1.0, 100.0)}


@dataclass(frozen=True, slots=True)
class Advice:
    """``whole``: for a figure over everybody; ``each``: for one of every stratum as well, None
    where there are no strata. ``margin``: the points either way of the sample as it is typed,
    None where there is none.
    """

    whole: Size
    each: Size | None
    margin: float | None


def precision_of(fields: Mapping[str, str]) -> tuple[Precision | None, list[Wrong]]:
    """What the fields measure, points, confidence and response (both in per cent) mean."""
    wrongs: list[Wrong] = []
    numbers = {name: _number(name, fields[name], wrongs) for name in _BOUNDS}
    if fields["measure"] not in tuple(Measure):
        wrongs.append(Wrong("measure", "measure", {"text": fields["measure"][:40]}))
    if wrongs:
        return None, wrongs
    share = Measure(fields["measure"])
    found = Precision.of(
        share, numbers["points"], numbers["confidence"] / 100, numbers["response"] / 100
    )
    return found, []


def _number(name: str, text: str, wrongs: list[Wrong]) -> float:
    typed, (least, most) = text.strip(), _BOUNDS[name]
    if _NUMBER.fullmatch(typed):
        number = float(typed.replace(",", "."))
        if least <= number <= most:
            return number
    told = {"text": text[:40], "least": f"{least:g}", "most": f"{most:g}"}
    wrongs.append(Wrong(name, "precision", told))
    return least


def advise(tx: DeskTransaction, campaign: Campaign, wanted: Precision, now: datetime) -> Advice:
    """The sizes for those whom ``campaign`` may ask now, whatever its sample is.

    Whoever is asked about themselves is not drawn, and counts towards no score.
    """
    raters = tuple(group for group in campaign.groups if group is not RaterGroup.SELF)
    campaign = replace(campaign, groups=raters)
    population, sample = fitting(tx, campaign, now).people, campaign.audience.sample
    answers = int(min(sample, population) * wanted.response)
    expected = margin(population, answers, wanted) if answers else None
    return Advice(size(population, wanted), _each(tx, campaign, wanted, now), expected)


def _each(tx: DeskTransaction, campaign: Campaign, wanted: Precision, now: datetime) -> Size | None:
    if not campaign.audience.strata:
        return None
    key = Draw(b"", campaign.audience, ())
    people = people_of(tx.candidates(campaign, now))
    return size_in_each(Counter(key.stratum(one) for one in people), wanted)
