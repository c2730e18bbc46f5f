"""A wave closes: what was begun may be finished for a while, nothing begins, then it is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from minyi import steps
from minyi.house import House
from storage import SqlStore
from surveys.dispositions import Disposition
from surveys.people import Address, Invite
from surveys.reply import Heard, Looked, Opened, Reply, Tapped, Typed
from tests.minyi.test_steps import CLOSED, OPEN, answer_all, furnish, house_on

WAVE = "service.20261210"
GRACE = timedelta(hours=6)
IN_GRACE = CLOSED + timedelta(hours=1)
OVER = CLOSED + GRACE


async def opened(store: SqlStore, folder: Path, grace: timedelta = GRACE) -> House:
    """Twelve people rate five units; the wave is open."""
    house = await house_on(store, folder)
    await furnish(house)

    def work(tx: Any) -> None:
        tx.put_campaign(replace(tx.campaign("service"), grace=grace))

    await store.write(work)
    await steps.plan(house, OPEN)
    return house


async def tap(house: House, person: str, data: str, now: datetime) -> Reply:
    return (await house.conversation.receive(Address("web", person), Tapped(data), now))[0]


async def begin(house: House, person: str, now: datetime = OPEN) -> Reply:
    return await tap(house, person, f"g:{WAVE}:0:0", now)


def interview_of(reply: Reply) -> str:
    """Which interview the buttons of ``reply`` belong to; '' for none."""
    buttons = (button for row in reply.rows for button in row)
    return next((b.data.split(":")[1] for b in buttons if b.data[:2] in ("a:", "s:")), "")


async def finish(house: House, person: str, reply: Reply, now: datetime) -> Reply:
    """Go through this one interview to its end; what is said then."""
    begun = interview_of(reply)
    while reply.question and interview_of(reply) == begun:
        buttons = [button for row in reply.rows for button in row]
        grades = [b for b in buttons if b.data.startswith("a:") and "☐" not in b.label]
        others = [b for b in buttons if b.data.startswith("s:")]
        reply = await tap(house, person, (grades or others)[0].data, now)
    return reply


async def dispositions(house: House) -> dict[Disposition, int]:
    found = await house.store.read(lambda tx: tx.dispositions(WAVE))
    return {each: count for each, count in found.items() if count}


async def recorded(house: House) -> dict[Disposition, int]:
    found = await house.store.read(lambda tx: tx.recorded_dispositions(WAVE))
    return {each: count for each, count in found.items() if count}


async def test_what_was_begun_is_finished_in_the_grace_and_counted(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await opened(store, tmp_path)
    asked = await begin(house, "c0")
    assert asked.question
    ended = await finish(house, "c0", asked, IN_GRACE)
    assert not ended.question, "nothing begins after the close, so no next subject is asked"
    assert await dispositions(house) == {Disposition.PARTIAL: 1, Disposition.NON_CONTACT: 11}
    early = await steps.tally(house, OVER - timedelta(seconds=1))
    assert early.waves == 1, "the other campaign has no grace"
    assert (await steps.tally(house, OVER)).waves == 1
    assert await recorded(house) == {Disposition.PARTIAL: 1, Disposition.NON_CONTACT: 11}


@pytest.mark.parametrize("way", ["typed", "button", "resume", "link"])
async def test_every_way_back_leads_to_what_was_begun(
    store: SqlStore, tmp_path: Path, way: str
) -> None:
    house = await opened(store, tmp_path)
    asked = await begin(house, "c0")
    address = Address("web", "c0")
    hear = house.conversation.receive
    if way != "typed":
        await hear(address, Typed("/pause"), OPEN)
    ways: dict[str, Heard] = {
        "typed": Looked(), "button": Tapped(f"g:{WAVE}:0:0"), "resume": Typed("/resume"),
        "link": Opened(""),
    }  # fmt: skip
    reply = (await hear(address, ways[way], IN_GRACE))[-1]
    if way == "link":
        data = next(b.data for row in reply.rows for b in row if b.data.startswith("g:"))
        reply = await tap(house, "c0", data, IN_GRACE)
    assert reply.place == asked.place


async def test_after_the_close_nothing_begins(store: SqlStore, tmp_path: Path) -> None:
    house = await opened(store, tmp_path)
    assert not (await begin(house, "c1", CLOSED)).question
    assert await dispositions(house) == {Disposition.NON_CONTACT: 12}


async def test_after_the_grace_nothing_goes_on(store: SqlStore, tmp_path: Path) -> None:
    house = await opened(store, tmp_path)
    asked = await begin(house, "c0")
    choice = next(b.data for row in asked.rows for b in row if b.data.startswith("a:"))
    assert not (await tap(house, "c0", choice, OVER)).question
    assert await dispositions(house) == {Disposition.BREAK_OFF: 1, Disposition.NON_CONTACT: 11}
    await steps.tally(house, OVER)
    assert await recorded(house) == {Disposition.BREAK_OFF: 1, Disposition.NON_CONTACT: 11}


async def test_without_a_grace_the_wave_is_counted_as_it_closes(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await opened(store, tmp_path, timedelta())
    asked = await begin(house, "c0")
    choice = next(b.data for row in asked.rows for b in row if b.data.startswith("a:"))
    assert not (await tap(house, "c0", choice, CLOSED)).question
    assert (await steps.tally(house, CLOSED)).waves == 2


async def test_what_was_finished_is_changed_no_more_after_the_close(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await opened(store, tmp_path)
    await answer_all(house, "c0", WAVE, Random(1))

    def newest(tx: Any) -> Any:
        return next(iter(tx.finished_interviews("c0", [WAVE])), None)

    row = await store.read(newest)
    again = await tap(house, "c0", f"r:{row.id}:0:0", IN_GRACE)
    assert not again.question
    assert (await store.read(newest)).complete


async def test_an_answer_that_was_being_changed_counts_as_it_was_and_as_complete(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await opened(store, tmp_path)
    await answer_all(house, "c0", WAVE, Random(1))
    row = await store.read(lambda tx: next(iter(tx.finished_interviews("c0", [WAVE])), None))
    assert row is not None
    assert (await tap(house, "c0", f"r:{row.id}:0:0", OPEN)).question
    assert await dispositions(house) == {Disposition.PARTIAL: 1, Disposition.NON_CONTACT: 11}
    report = await steps.tally(house, OVER)
    assert report.ballots == 0, "five, rounded down to tens"
    assert await recorded(house) == {Disposition.COMPLETE: 1, Disposition.NON_CONTACT: 11}


async def test_half_an_answer_is_no_ballot(store: SqlStore, tmp_path: Path) -> None:
    house = await opened(store, tmp_path)
    for number in range(12):
        asked = await begin(house, f"c{number}")
        choice = next(b.data for row in asked.rows for b in row if b.data.startswith("a:"))
        await tap(house, f"c{number}", choice, OPEN)
    assert await store.read(lambda tx: tx.ballot_count(WAVE)) == 0
    report = await steps.tally(house, OVER)
    assert (report.ballots, report.cells) == (0, 0)
    assert await recorded(house) == {Disposition.BREAK_OFF: 12}
    dropped = await store.read(lambda tx: [r for r in tx.paradata("2026Q4") if r.wave == WAVE])
    assert sum(row.left or 0 for row in dropped) == 12, "where they left is counted still"


async def test_in_the_grace_a_staff_link_opens_nothing_that_a_colleague_has_begun(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await opened(store, tmp_path)
    await begin(house, "c0")
    invite = Invite("thief", "staff", "c0")
    await store.write(lambda tx: tx.put_invites([invite]))
    other = Address("web", "another")
    reply = (await house.conversation.receive(other, Opened("thief"), IN_GRACE))[0]
    chat = await store.read(lambda tx: tx.chat(other))
    assert chat is not None
    assert chat.person != "c0"
    assert not reply.question
    assert await store.read(lambda tx: tx.addresses("c0")) == [Address("web", "c0")]


async def test_a_wave_without_its_keys_says_so_to_administrators_until_they_are_back(
    store: SqlStore, tmp_path: Path
) -> None:
    from desk.campaigns.alarms import alarms
    from surveys.workdays import Workdays

    house = await opened(store, tmp_path)
    keys = house.keyring.wave_keys(WAVE)
    assert keys is not None
    house.keyring.destroy_wave(WAVE)
    with pytest.raises(steps.StepError, match=WAVE):
        await steps.tally(house, OVER)

    def missing(tx: Any) -> list[str]:
        return [each.name for each in alarms(tx, Workdays(), OVER) if each.key == "no_keys"]

    assert await store.read(missing) == [f"no_keys:{WAVE}"]
    house.keyring.keep_wave(WAVE, keys)
    assert (await steps.tally(house, OVER)).waves == 1
    assert await store.read(missing) == []
