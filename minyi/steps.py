"""One wave's life: plan -> deliver -> (interviews) -> tally -> score -> publish.

Each step asks what is due at ``now``, does it once, and can be repeated: a crash between any two
of them loses nothing and doubles nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from random import SystemRandom
from secrets import token_hex
from typing import Any

from concerns import desk
from concerns.intake import notice, reply_address
from desk.audit import Act, record
from desk.campaigns import opening
from desk.campaigns.alarms import no_keys
from desk.campaigns.opening import Means, PlanReport
from desk.connections.hooks import announce
from evaluation.method import Method
from minyi import counting
from minyi.house import House
from surveys.ballots import Ballot, Opener, SpoiledError, ballot_id, open_ballot, tally_opener
from surveys.campaigns import Campaign, Outcome, Wave, WaveState, ends_at
from surveys.cells import RaterGroup
from surveys.dispositions import final
from surveys.keys import WaveKeys
from surveys.store import Assignment
from surveys.tally import Rules
from surveys.tally import tally as count


class StepError(Exception):
    """A step that cannot be taken yet. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """What one round of sending did; ``idle`` says why nothing could be sent."""

    sent: int = 0
    later: int = 0
    unknown: int = 0
    gone: int = 0
    notices: int = 0
    idle: str = ""


@dataclass(frozen=True, slots=True)
class TallyReport:
    """Waves counted: ballots, those spoiled, cells written, cells merged or dropped.

    ``ballots`` is rounded down to tens: less the turnouts that are shown, the exact total would
    give away one that is withheld.
    """

    waves: int = 0
    ballots: int = 0
    spoiled: int = 0
    cells: int = 0
    merged: int = 0
    dropped: int = 0


# ---- plan


async def plan(house: House, now: datetime) -> PlanReport:
    """Make each campaign's next wave, and open the waves whose time has come."""
    act, limit = house.act(), house.settings.approval_above
    means = Means(house.keyring, lambda: token_hex(16), limit)
    report: PlanReport = await house.store.write(lambda tx: opening.plan(tx, act, now, means))
    return report


# ---- deliver


async def deliver(house: House, now: datetime) -> DeliverReport:
    """Send what the ledger owes at ``now``, then announce answered concerns."""
    sender = house.sender()
    if sender is None:
        return DeliverReport(idle="no bot token is set (MINYI_TELEGRAM_TOKEN)")
    total = DeliverReport()
    while True:
        done = await sender.run_once(house.clock())
        total = replace(
            total,
            sent=total.sent + done.sent,
            later=total.later + done.later,
            unknown=total.unknown + done.unknown,
            gone=total.gone + done.gone,
        )
        if done.busy:
            return replace(total, idle="another process is sending")
        if done.resume_at is not None:
            return replace(total, idle=f"sending rests until {done.resume_at:%F %T %Z}")
        if not done.handled:
            break
    return replace(total, notices=await _announce(house))


async def _announce(house: House) -> int:
    """Tell people whose concern was answered that there is news; never what."""
    sender = house.sender()
    told = 0
    for concern, seq in await house.store.read(desk.unannounced):
        address, language = reply_address(concern, house.keyring)
        if sender is None or address.channel != "telegram":
            continue  # a browser shows the answer when its owner comes back
        verdict = await sender.notify(address.handle, notice(concern, language))
        if verdict.outcome is Outcome.DUE:
            continue
        await house.store.write(partial(desk.announced, concern=concern, seq=seq))
        told += verdict.outcome is Outcome.SENT
    return told


# ---- tally


async def tally(house: House, now: datetime) -> TallyReport:
    """Count every wave that is over, its grace too; destroy its ballots, and then its keys.

    One wave that cannot be counted does not hold up the others: StepError at the end names it.
    """
    report = TallyReport()
    refused: list[str] = []
    for wave, ended in await house.store.read(lambda tx: _waves(tx, now)):
        if ended:
            try:
                one = await _tally(house, wave)
            except StepError as error:
                refused.append(str(error))
                continue
            report = TallyReport(
                *(getattr(report, f) + getattr(one, f) for f in TallyReport.__slots__)
            )
        await _destroy_keys(house, wave.id)
    if refused:
        raise StepError("\n".join(refused))
    return report


def _waves(tx: Any, now: datetime) -> list[tuple[Wave, bool]]:
    """Every wave, and whether it is over and not counted."""
    campaigns: dict[str, Campaign] = {campaign.id: campaign for campaign in tx.campaigns()}
    return [
        (wave, wave.state is WaveState.OPEN and ends_at(wave, campaigns[wave.campaign]) <= now)
        for wave in tx.waves()
    ]


async def _destroy_keys(house: House, name: str) -> None:
    """Destroy the keys of a wave that has been counted, also where a crash came in between."""
    if house.keyring.wave_keys(name) is None:
        return
    wave = await house.store.read(lambda tx: tx.wave(name))
    if wave is not None and wave.state is WaveState.TALLIED:
        await house.store.scrub()
        house.keyring.destroy_wave(name)


async def _tally(house: House, wave: Wave) -> TallyReport:
    keys = house.keyring.wave_keys(wave.id)
    if keys is None:
        await house.store.write(lambda tx: tx.put_note(no_keys(wave.id), "yes"))
        raise StepError(
            f"The keys of wave {wave.id} are not in this data directory, so its ballots cannot be "
            "opened. Run this where they are (MINYI_DATA_DIR)."
        )
    await counting.keep(house)  # what this process has counted since it last did
    act = house.act()
    report: TallyReport = await house.store.write(
        lambda tx: _count(tx, act, wave, keys, house.method)
    )
    return report


def _opened(box: bytes, opener: Opener) -> Ballot | None:
    try:
        return open_ballot(box, opener)
    except SpoiledError:
        return None


def _count(tx: Any, act: Act, wave: Wave, keys: WaveKeys, method: Method) -> TallyReport:
    """Open, count and write in one unit of work: nothing can arrive in between unseen."""
    tx.audit_head()  # from here on nobody else writes: of two processes one counts
    if tx.wave(wave.id).state is WaveState.TALLIED:
        return TallyReport()  # another process was faster
    campaign = tx.campaign(wave.campaign)
    left = counting.stopped(tx, wave, campaign, keys.rid_key)
    tx.put_dispositions(wave.id, final(tx.dispositions(wave.id)))  # the rows go with the box
    tx.close_box(wave.id)
    roll: list[Assignment] = tx.roll(wave.id)
    places = {
        ballot_id(keys.rid_key, wave.id, asked.person, asked.subject): asked for asked in roll
    }
    opener = tally_opener(keys.tally_secret)
    given: list[tuple[Assignment, Ballot]] = []
    spoiled = 0
    for rid, box in tx.ballots(wave.id):
        ballot, asked = _opened(box, opener), places.get(rid)
        # whoever can write to the database can seal a ballot, but not name a place for it
        if ballot and asked and (ballot.subject, ballot.group) == (asked.subject, asked.group):
            given.append((asked, ballot))
        else:
            spoiled += 1
    ballots = [ballot for _, ballot in given]
    indicators = sorted({name for ballot in ballots for name in ballot.ratings})
    subjects = {subject.id: subject for subject in tx.subjects()}
    sides = Counter((asked.subject, asked.group) for asked in roll)
    found = count(
        ballots, [(*side, people) for side, people in sides.items()], subjects, indicators,
        Rules(campaign.k, weights_of(method)), SystemRandom(),
    )  # fmt: skip
    found = replace(found, spoiled=found.spoiled + spoiled)
    rows = counting.leaving(tx, wave, keys, given, found, left, campaign.k)
    tx.put_paradata(wave.period, rows)
    if tx.record_tally(wave.id, wave.period, found) != len(ballots) + spoiled:
        raise StepError(f"A ballot of {wave.id} arrived during the count. Nothing was written.")
    merged = sum(1 for held in found.withheld if held.fate == "merged")
    report = TallyReport(
        waves=1,
        ballots=found.ballots // 10 * 10,
        spoiled=found.spoiled,
        cells=len(found.cells),
        merged=merged,
        dropped=len(found.withheld) - merged,
    )
    counted = {name: getattr(report, name) for name in TallyReport.__slots__ if name != "waves"}
    record(tx, act, "wave.tallied", f"wave:{wave.id}", None, counted)
    announce(tx, "wave.tallied", {"wave": wave.id, "campaign": wave.campaign}, act.at)
    return report


def weights_of(method: Method) -> dict[RaterGroup, dict[str, float]]:
    """Each rater group's composite at policy weights: indicator -> weight."""
    return {
        group: {
            indicator.id: method.categories[indicator.category].weight * indicator.weight
            for indicator in method.asked(group)
        }
        for group in method.groups
    }
