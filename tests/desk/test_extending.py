"""An open wave stays open longer: within bounds, by two above a size, and on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desk.accounts import Account
from desk.approvals import decide
from desk.audit import Act, seal_key
from desk.campaigns.extending import LONGEST, MOST, days_of, extend
from desk.campaigns.seconding import extend_or_ask
from desk.campaigns.wrongs import CampaignError
from desk.roles import Grant, Role
from desk.store import Approval, Sought
from storage import SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import Wave, WaveState
from tests.storage.rows import CAMPAIGN, NOW, WAVE, found_roll

KEY = seal_key(b"k" * 32)
ACT = Act("anna", "Anna", "203.0.113.7", NOW, KEY)


def account(name: str) -> Account:
    return Account(name, name, name.title(), NOW, (Grant(Role.OFFICER),))


@pytest.mark.parametrize("text", ["1", " 7 ", str(MOST)])
def test_days_are_a_whole_number(text: str) -> None:
    assert days_of(text) == int(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "seven", str(MOST + 1), "٣", "9999"])
def test_other_days_are_refused_with_how_many_there_may_be(text: str) -> None:
    with pytest.raises(CampaignError, match="from 1 to 30"):
        days_of(text)


async def test_it_closes_later_and_the_audit_says_so(store: SqlStore) -> None:
    await store.write(lambda tx: found_roll(tx, 3))
    after = await store.write(lambda tx: extend(tx, ACT, CAMPAIGN.id, 7))
    assert after.closes_at == WAVE.closes_at + timedelta(days=7)
    assert await store.read(lambda tx: tx.wave(WAVE.id)) == replace(WAVE, closes_at=after.closes_at)
    [entry] = await store.read(lambda tx: tx.audit(Sought(action="wave.extended")))
    assert entry.what == f"wave:{WAVE.id}"
    assert "2026-12-24" in entry.before
    assert "2026-12-31" in entry.after


def refused(name: str, days: int, now: datetime = NOW) -> Any:
    return lambda tx: extend(tx, replace(ACT, at=now), name, days)


async def test_what_cannot_be_extended_is_refused_in_words(store: SqlStore) -> None:
    def two(tx: SqlTransaction) -> None:
        found_roll(tx, 3)
        soon = WAVE.closes_at + timedelta(days=5)
        tx.put_wave(
            Wave("q-next", CAMPAIGN.id, "2027Q1", soon, soon + timedelta(days=9), b"t" * 32)
        )

    await store.write(two)
    with pytest.raises(CampaignError, match="no campaign 'nowhere'"):
        await store.write(refused("nowhere", 3))
    with pytest.raises(CampaignError, match="cannot be opened again"):
        await store.write(refused(CAMPAIGN.id, 3, WAVE.closes_at))
    with pytest.raises(CampaignError, match="The next wave opens on 2026-12-29"):
        await store.write(refused(CAMPAIGN.id, 6))
    assert (await store.write(refused(WAVE.id, 5))).closes_at == WAVE.closes_at + timedelta(days=5)


async def test_nobody_is_asked_for_longer_than_a_wave_may_be_made(store: SqlStore) -> None:
    def long(tx: SqlTransaction) -> None:
        found_roll(tx, 3)
        tx.put_wave(replace(WAVE, closes_at=WAVE.opens_at + LONGEST - timedelta(days=2)))

    await store.write(long)
    with pytest.raises(CampaignError, match="more than 90 days"):
        await store.write(refused(CAMPAIGN.id, 3))
    await store.write(refused(CAMPAIGN.id, 2))


async def test_of_two_open_waves_the_one_is_named(store: SqlStore) -> None:
    def two(tx: SqlTransaction) -> None:
        found_roll(tx, 3)
        tx.put_wave(replace(WAVE, id="q-other", state=WaveState.OPEN))

    await store.write(two)
    with pytest.raises(CampaignError, match=r"Several waves are open: q-2026Q4, q-other"):
        await store.write(refused(CAMPAIGN.id, 3))
    await store.write(refused("q-other", 3))
    assert await store.read(lambda tx: tx.wave(WAVE.id)) == WAVE


async def test_a_large_wave_takes_two_and_is_looked_at_again_when_they_agree(
    store: SqlStore,
) -> None:
    anna, bo = account("anna"), account("bo")

    def begin(tx: SqlTransaction) -> None:
        found_roll(tx, 12)
        tx.put_account(anna)
        tx.put_account(bo)

    await store.write(begin)
    asked = await store.write(lambda tx: extend_or_ask(tx, ACT, anna, CAMPAIGN.id, 7, 11))
    assert isinstance(asked, Approval)
    assert dict(asked.arguments) == {"wave": WAVE.id, "more": "7", "people": "10"}, (
        "whoever comes by a window's code makes it grow: in tens"
    )
    again = await store.write(lambda tx: extend_or_ask(tx, ACT, anna, CAMPAIGN.id, 7, 11))
    assert again == asked, "a second click"
    late = WAVE.closes_at + timedelta(minutes=1)

    def agree(at: datetime) -> Any:
        act = Act("bo", "Bo", "203.0.113.8", at, KEY)
        return lambda tx: decide(tx, act, bo, asked.id, True, "", at)

    with pytest.raises(ValueError, match=r"this request has ended|cannot be opened again"):
        await store.write(agree(late))
    await store.write(agree(NOW + timedelta(days=1)))
    wave = await store.read(lambda tx: tx.wave(WAVE.id))
    assert wave is not None
    assert wave.closes_at == WAVE.closes_at + timedelta(days=7)
    small = await store.write(lambda tx: extend_or_ask(tx, ACT, anna, WAVE.id, 1, 12))
    assert isinstance(small, Wave)
    assert small.closes_at.tzinfo is UTC
