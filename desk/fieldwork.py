"""How a wave stands while it is in the field: who was asked, reached, has answered, and why not.

In figures only. Two exact counts of answers taken a minute apart would tell who came between, so
whatever grows with answers is rounded down to tens, and below ten is not told; nor is it told that
all have answered, or all but a few. Whom a figure is about is never told at all. What became of
everybody, by person, is told by the rules of :mod:`desk.outcomes`: beside these figures it gives
nothing more away, since every number in either that an answer can change is in tens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from desk.outcomes import STEP, roll, tens
from surveys.campaigns import INVITE, Campaign, Outcome, Wave, WaveState
from surveys.cells import RaterGroup, Turnout
from surveys.store import Transaction


@dataclass(frozen=True, slots=True)
class Messages:
    """What became of one stage's messages. None: fewer than ten, or not to be told."""

    stage: str  # invite | remind1 | remind2
    sent: int | None
    due: int
    unknown: int
    gone: int
    moot: int | None
    late: int | None = 0  # not sent, because their moment had passed


@dataclass(frozen=True, slots=True)
class Side:
    """One subject as one rater group sees it; ``answered`` None: withheld, or not counted yet.

    Of a self-assessment it is never told here: the published card shows it, or its absence.

    ``asked`` is told as :func:`desk.outcomes.roll` says: 0 for fewer than ten recipients.
    """

    subject: str
    group: RaterGroup
    asked: int
    answered: int | None = None


@dataclass(frozen=True, slots=True)
class Fieldwork:
    """One wave. ``people`` are different people, ``asked`` what they are asked about in all, and
    ``by_group`` the same from each side, in the usual order.

    ``begun`` and ``complete`` are interviews, rounded down to tens, None below ten; after the
    tally ``complete`` is the sum of the turnouts that are told, and ``begun`` None.
    """

    wave: Wave
    campaign: Campaign
    people: int
    asked: int
    addressed: int  # people with a Telegram address
    begun: int | None
    complete: int | None
    sides: Sequence[Side]
    messages: Sequence[Messages]
    by_group: Sequence[tuple[RaterGroup, int]]

    @property
    def grows(self) -> bool:
        """Whether people join the roll while the wave is open, so that it is told in tens."""
        return RaterGroup.RECIPIENT in self.campaign.groups

    @property
    def unaddressed(self) -> int:
        """People of the open wave's roll to whom no invitation can go: a link must bring them in.

        Whether somebody can be reached does not tell whether they answered; whoever walks in at a
        window mostly does, so where people do the number is in tens, and at least so many.
        """
        count = max(self.people - self.addressed, 0)
        return count // STEP * STEP if self.grows else count


def fieldwork(tx: Transaction, name: str, within: frozenset[str] | None = None) -> Fieldwork | None:
    """The wave ``name``; None where there is none, or nothing to be told of it ``within``.

    ``within`` are the subjects that the reader may see (None: all). Figures that cannot be told
    apart by subject (messages, interviews) are left out for whoever sees only some.
    """
    wave = tx.wave(name)
    campaign = None if wave is None else tx.campaign(wave.campaign)
    if wave is None or campaign is None:
        return None
    sides = [side for side in _sides(tx, wave) if within is None or side.subject in within]
    told = sides
    if wave.state is not WaveState.TALLIED:
        told = [replace(each, asked=roll(each.asked, campaign, each.group)) for each in sides]
        # fewer than ten recipients are no line of their own: it would come with the first of them
        told = [side for side in told if side.asked]
    if within is not None and not told:
        return None
    asked, groups = _asked(wave, campaign, sides)
    if within is not None:
        return Fieldwork(wave, campaign, 0, asked, 0, None, _answered(told), told, (), groups)
    counts = tx.delivery_counts(name)
    messages = _messages(counts)
    invited = sum(count for stage, _, count in counts if stage == INVITE)
    if wave.state is WaveState.TALLIED:
        return Fieldwork(wave, campaign, 0, asked, invited, None, _answered(told), told, messages,
                         groups)  # fmt: skip
    begun, complete = (tens(each, asked, campaign.k) for each in tx.interview_counts(name))
    people = roll(tx.people_asked(name), campaign)
    return Fieldwork(wave, campaign, people, asked, invited, begun, complete, told, messages,
                     groups)  # fmt: skip


def _sides(tx: Transaction, wave: Wave) -> Sequence[Side]:
    """From the roll, exactly; after the tally, which empties it, from the published turnout."""
    if wave.state is not WaveState.TALLIED:
        return [Side(subject, group, asked) for subject, group, asked in tx.sides(wave.id)]
    told = tx.turnout(wave.period, wave.id)
    return [Side(each.subject, each.group, each.asked, _shown(each)) for each in told]


def _shown(turnout: Turnout) -> int | None:
    return None if turnout.group is RaterGroup.SELF else turnout.answered


def _asked(
    wave: Wave, campaign: Campaign, sides: Iterable[Side]
) -> tuple[int, Sequence[tuple[RaterGroup, int]]]:
    """What is asked for in all, and from each side: summed, and only then told in tens."""
    counted: Counter[RaterGroup] = Counter()
    for side in sides:
        counted[side.group] += side.asked
    if wave.state is WaveState.OPEN and RaterGroup.RECIPIENT in campaign.groups:
        counted[RaterGroup.RECIPIENT] += 0  # or the line would come with the first of them
    groups = [(group, counted[group]) for group in RaterGroup if group in counted]
    if wave.state is WaveState.TALLIED:
        return counted.total(), groups
    told = [(group, roll(count, campaign, group)) for group, count in groups]
    return sum(count for _, count in told), told


def _answered(sides: Iterable[Side]) -> int | None:
    told = [side.answered for side in sides if side.answered is not None]
    return sum(told) if told else None


def _messages(counts: Iterable[tuple[str, Outcome, int]]) -> Sequence[Messages]:
    """An invitation goes to everybody; whom a reminder goes to depends on who has answered."""
    stages: dict[str, Counter[Outcome]] = {}
    for stage, outcome, count in counts:
        stages.setdefault(stage, Counter())[outcome] += count
    return [_told(stage, stages[stage]) for stage in sorted(stages)]


def _told(stage: str, counts: Counter[Outcome]) -> Messages:
    """Whoever answered gets no reminder: how many were sent is rounded, how many were not needed
    is not told at all, since the two together would give the exact number.
    """
    sent, first = counts[Outcome.SENT], stage == INVITE
    return Messages(
        stage,
        sent if first else tens(sent),
        counts[Outcome.DUE],
        counts[Outcome.UNKNOWN],
        counts[Outcome.GONE],
        tens(counts[Outcome.MOOT]) if first else None,
        counts[Outcome.LATE] if first or not counts[Outcome.LATE] else tens(counts[Outcome.LATE]),
    )


def in_order(waves: Iterable[Wave], now: datetime) -> Sequence[Wave]:
    """Open waves first, by their closing; then those to come; then those that are over."""

    def place(wave: Wave) -> tuple[int, float]:
        if wave.state is WaveState.TALLIED:
            return 2, -wave.closes_at.timestamp()
        if wave.opens_at <= now:
            return 0, wave.closes_at.timestamp()
        return 1, wave.opens_at.timestamp()

    return sorted(waves, key=place)
