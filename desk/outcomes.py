"""What became of everybody on a wave's roll, as it may be told: in numbers that tell nobody apart.

While a wave is open every number here changes as people answer, even that of those who have not
(each answer takes one from it). So all are rounded down to tens, none is told below ten, and none
within k of everybody: that all of twenty have answered would tell it of each of them.

After the tally the exact numbers could be set against the turnouts that are told subject by
subject: whoever adds those up and finds three missing knows what was withheld there. So numbers
are exact only where nothing was withheld, where whatever is not nobody is at least k, and where
no one thing became of everybody; else they stay in tens. The rates are reckoned from the numbers
told, never from others, and are then at least so much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.dispositions import Counts, Disposition, Rates, rates
from surveys.store import Transaction
from surveys.words import Words

WORDS = Words.of("desk", "outcomes")
STEP = 10
LARGE = 20_000  # people from whom on they are not counted in passing: about 0.1 s
FORMULAS: Mapping[str, tuple[str, str]] = {
    "response": ("RR1", "I / (I + P + R + NC + UO)"),
    "with_partial": ("RR2", "(I + P) / (I + P + R + NC + UO)"),
    "refusal": ("REF1", "R / (I + P + R + NC + UO)"),
    "contact": ("CON1", "(I + P + R) / (I + P + R + NC + UO)"),
}
"""By field of Rates: AAPOR's name and formula."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """``people`` were on the roll. A number is None where it is not told, and at least so much
    unless they are ``exact``. ``rates`` only after the tally.
    """

    people: int
    numbers: Mapping[Disposition, int | None]
    exact: bool = False
    rates: Rates | None = None

    @property
    def shares(self) -> Sequence[tuple[str, str, float | None]]:
        """(AAPOR's name, field of Rates, percent to one decimal), none while the wave is open."""
        if self.rates is None:
            return []
        found = ((name, field, getattr(self.rates, field))
                 for field, (name, _) in FORMULAS.items())  # fmt: skip
        return [(name, field, None if one is None else round(100 * one, 1))
                for name, field, one in found]  # fmt: skip


def tens(count: int, whole: int | None = None, k: int = 0) -> int | None:
    """``count`` rounded down to tens, at most ``whole`` - k; None below ten and below ``k``."""
    most = count if whole is None else min(count, whole - k)
    return most // STEP * STEP if most >= max(STEP, k) else None


def roll(count: int, campaign: Campaign, group: RaterGroup | None = None) -> int:
    """How many are on the roll of an open wave, as it may be told; 0 for fewer than ten.

    Whoever scans a window's code joins the roll at that moment, and mostly answers: the number of
    recipients, or of everybody where recipients are asked, is told in tens. Others are drawn when
    the wave opens, and do not grow.
    """
    grows = group is RaterGroup.RECIPIENT if group else RaterGroup.RECIPIENT in campaign.groups
    return count // STEP * STEP if grows else count


def outcomes(tx: Transaction, wave: Wave, campaign: Campaign) -> Outcomes | None:
    """Of a wave that has opened; None where there is nothing to tell."""
    if wave.state is WaveState.PLANNED:
        return None
    over = wave.state is WaveState.TALLIED
    counts = tx.recorded_dispositions(wave.id) if over else tx.dispositions(wave.id)
    people = sum(counts.values())
    if not people:
        return None
    if not over:
        return Outcomes(roll(people, campaign), _rounded(counts, people, campaign.k))
    whole = all(each.answered is not None for each in tx.turnout(wave.period, wave.id))
    told = [count for count in counts.values() if count]
    exact = whole and len(told) > 1 and min(told) >= campaign.k
    numbers = dict(counts) if exact else _rounded(counts, people, campaign.k)
    known = {each: count or 0 for each, count in numbers.items()}
    return Outcomes(people, numbers, exact, rates(known, people))


def _rounded(counts: Counts, people: int, k: int) -> dict[Disposition, int | None]:
    return {each: tens(counts.get(each, 0), people, k) for each in Disposition}


def label(disposition: Disposition, language: str) -> str:
    """What it is called."""
    return WORDS.say(f"is.{disposition}", language)


def number(outcomes: Outcomes, disposition: Disposition, language: str) -> str:
    """One number as it may be told: 40, at least 40, fewer than 10."""
    count = outcomes.numbers.get(disposition)
    if count is None:
        return WORDS.say("untold", language)
    return str(count) if outcomes.exact else WORDS.say("at_least", language, count=count)


def rate(outcomes: Outcomes, name: str, percent: float | None, language: str) -> str:
    """One rate: RR1 71.3 %, or at least that."""
    if percent is None:
        return ""
    key = "rate" if outcomes.exact else "rate.at_least"
    return WORDS.say(key, language, name=name, percent=percent)


def in_a_line(outcomes: Outcomes, language: str) -> str:
    """All that is known, in one line; what is not told is left out."""
    said = [
        WORDS.say("one", language, what=label(each, language),
                  number=number(outcomes, each, language))
        for each, count in outcomes.numbers.items() if count
    ]  # fmt: skip
    said += [rate(outcomes, name, percent, language)
             for name, _, percent in outcomes.shares if percent]  # fmt: skip
    listed = WORDS.say("comma", language).join(said) or WORDS.say("little", language)
    return WORDS.say("line", language, people=outcomes.people, listed=listed)
