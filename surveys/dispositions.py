"""What became of everybody on a wave's roll, and the response rates that follow.

Terms and formulas are those of AAPOR, Standard Definitions (10th edition, 2023), for surveys of
named people: by person, each counted once. Who is eligible was settled when the roll was drawn, so
all on it are; the letters I, P, R, NC and UO are AAPOR's groups. Participation is never told of a
single person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Disposition(StrEnum):
    """What became of one person in one wave. The first that fits, in this order.

    An interview counts where it is finished; one that was begun and not finished leaves nothing
    that is counted, so somebody who has only such ones broke off: AAPOR puts a partial interview
    without enough to be used (2.12) beside the refusals, not among the responses.
    """

    COMPLETE = "complete"  # I, 1.1: finished everything asked
    PARTIAL = "partial"  # P, 1.2: finished some of it, at least one subject
    REFUSED = "refused"  # R, 2.11: asked to be left alone
    BREAK_OFF = "break_off"  # R, 2.12: began, and finished nothing
    NO_ANSWER = "no_answer"  # NC, 2.2: the message arrived, nothing came back
    NON_CONTACT = "non_contact"  # NC, 2.2: blocked, deactivated, or no address we could use
    UNKNOWN = "unknown"  # UO, 3.1: it may have arrived
    WAITING = "waiting"  # no final code: its message is still owed


Counts = Mapping[Disposition, int]

RESPONSES = (Disposition.COMPLETE, Disposition.PARTIAL)
REFUSALS = (Disposition.REFUSED, Disposition.BREAK_OFF)


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of all who were asked, 0..1, or None where nobody was."""

    response: float | None  # RR1 = I / (I + P + R + NC + UO)
    with_partial: float | None  # RR2 = (I + P) / same
    refusal: float | None  # REF1 = R / same
    contact: float | None  # CON1 = (I + P + R) / same: whoever gave a sign of themselves


def rates(counts: Counts, people: int | None = None) -> Rates:
    """The rates that follow from ``counts``; people still waiting have not been asked and do not
    count against anybody.

    ``people`` are those who were asked where ``counts``, rounded down, no longer say; the rates
    are then at least so much.
    """

    def sum_of(chosen: tuple[Disposition, ...]) -> int:
        return sum(counts.get(each, 0) for each in chosen)

    asked = tuple(each for each in Disposition if each is not Disposition.WAITING)
    base = sum_of(asked) if people is None else people
    if not base:
        return Rates(None, None, None, None)
    return Rates(
        sum_of(RESPONSES[:1]) / base,
        sum_of(RESPONSES) / base,
        sum_of(REFUSALS) / base,
        sum_of(RESPONSES + REFUSALS) / base,
    )


def final(counts: Counts) -> dict[Disposition, int]:
    """``counts`` once the wave is over: a message that was still owed reached nobody."""
    over = {each: counts.get(each, 0) for each in Disposition}
    over[Disposition.NON_CONTACT] += over[Disposition.WAITING]
    over[Disposition.WAITING] = 0
    return over
