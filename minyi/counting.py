"""How a questionnaire fares: this process's counts put away in time, and all of them at a tally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from minyi.house import House
from surveys.ballots import STATE, Ballot, SpoiledError, unseal
from surveys.campaigns import Campaign, Wave, WaveState, ends_at
from surveys.cells import Tally
from surveys.dropoff import REVIEW, Row, beside, disclose
from surveys.forms.form import Form
from surveys.forms.xform import read_xform
from surveys.interview import restore, view
from surveys.keys import WaveKeys
from surveys.paradata import Counts, open_draft, seal_draft
from surveys.store import Assignment, SealedInterview

EVERY = timedelta(minutes=1)
"""How much of the counts a crash may take away. No answer depends on them."""


async def keep_in_time(house: House, now: datetime) -> None:
    """Put the counts away once a minute; in a wave's last minute whenever this is called."""
    closing = await house.store.read(lambda tx: _ending(tx, now))
    if closing or house.counted_at is None or not now - house.counted_at < EVERY:
        house.counted_at = now
        await keep(house)


async def keep(house: House) -> None:
    """Seal this process's counts of every open wave anew, whether or not anything was counted."""
    paradata = house.conversation.paradata
    counted = paradata.counted()  # before: the store works in another thread
    waves: Sequence[Wave] = await house.store.write(lambda tx: _keep(house, tx, counted))
    paradata.forget_all_but(wave.id for wave in waves)


def _keep(house: House, tx: Any, counted: Mapping[str, Counts]) -> Sequence[Wave]:
    tx.drop_stale_drafts()
    waves = open_waves(tx)
    for wave in waves:
        keys = house.keyring.wave_keys(wave.id)
        if keys is not None:
            counts = counted.get(wave.id, Counter())
            box = seal_draft(house.shelf.get(tx, wave.form), counts, house.name, keys.rid_key)
            tx.put_draft(wave.id, house.name, box)
    return waves


def _ending(tx: Any, now: datetime) -> bool:
    ends = (ends_at(wave, tx.campaign(wave.campaign)) for wave in open_waves(tx))
    return any(end - now <= EVERY for end in ends)


def open_waves(tx: Any) -> Sequence[Wave]:
    """The waves that are open or wait for their tally."""
    return [wave for wave in tx.waves() if wave.state is WaveState.OPEN]


# ---- at the tally


def stopped(tx: Any, wave: Wave, campaign: Campaign, key: bytes) -> Sequence[tuple[str, str]]:
    """(person, question path) of every interview that stands unfinished; ``key`` opens states.

    A state that stands in two rows counts once: somebody with the database copied it, to make a
    few people look like many. Changing a finished interview is not leaving it: its earlier ballot
    counts, and it is finished again from here on.
    """
    form = _form(tx, wave)
    local = wave.closes_at.astimezone(ZoneInfo(campaign.zone))
    found: dict[tuple[str, int], tuple[str, str]] = {}
    again: list[SealedInterview] = []
    for row in tx.unfinished(wave.id):
        try:
            interview = restore(unseal(row.state, key, STATE), row.turn)
        except (SpoiledError, ValueError, TypeError):
            continue
        if interview.again:
            again.append(replace(row, complete=True, state=b""))
        else:
            place = view(form, interview, local).place
            at = (row.person, place.question.path if place else REVIEW)
            found.setdefault((interview.began, interview.seed), at)
    for row in again:
        tx.keep(row, row.turn)
    return list(found.values())


def leaving(
    tx: Any,
    wave: Wave,
    keys: WaveKeys,
    given: Sequence[tuple[Assignment, Ballot]],
    found: Tally,
    left: Sequence[tuple[str, str]],
    k: int,
) -> tuple[Row, ...]:
    """What may leave of the counts of ``wave``, beside the rest of its tally."""
    form = _form(tx, wave)
    counts = sum(_drafts(tx, wave, form, keys), Counter())
    people = [(asked.person, ballot) for asked, ballot in given]
    return disclose(form, wave.id, counts, left, beside(form, people, found, k))


def _form(tx: Any, wave: Wave) -> Form:
    return read_xform(tx.form(wave.form), wave.form)


def _drafts(tx: Any, wave: Wave, form: Form, keys: WaveKeys) -> Iterator[Counts]:
    for process, box in tx.drafts(wave.id):
        try:
            yield open_draft(form, box, process, keys.rid_key)
        except SpoiledError:
            continue
