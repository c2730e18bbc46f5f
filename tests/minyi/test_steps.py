"""One wave's life, step by step, on every store: planned, opened, answered, tallied, published."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from desk.audit import verify
from desk.campaigns.opening import PlanReport
from evaluation.method_file import shipped
from evaluation.publication import published_from_json
from evaluation.quarter import cards_from_json, cards_to_json, score, thaw
from evaluation.store import TaskRow
from minyi import scoring, steps
from minyi.conversing import QUESTIONNAIRES, settle
from minyi.house import House, Pace
from minyi.invitations import Invitations
from minyi.settings import Settings
from storage import FileKeyring, SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import QUARTERLY, Campaign, WaveState
from surveys.cells import RaterGroup
from surveys.forms.xlsform import load_form
from surveys.people import Address, Chat, Kind, Person, Relation, Subject
from surveys.reply import Reply, Tapped
from surveys.visit import Setting

BEFORE = datetime(2026, 12, 1, tzinfo=UTC)
OPEN = datetime(2026, 12, 10, 2, tzinfo=UTC)
CLOSED = datetime(2026, 12, 24, 1, tzinfo=UTC)
SUBJECTS, RATERS = 5, 12
STAFF = (RaterGroup.SUPERIOR, RaterGroup.PEER, RaterGroup.SUBORDINATE)


async def house_on(store: SqlStore, folder: Path) -> House:
    keys = FileKeyring(folder / "keys")
    settings = Settings.model_validate({"data_dir": folder})
    conversation = await settle(store, keys, Setting(settings.organisation))
    invitations = Invitations(settings.organisation, store, lambda: OPEN)
    return House(settings, store, keys, conversation, invitations, shipped("quarterly"), Pace())


async def furnish(house: House) -> None:
    """Five units; twelve citizens and twelve superiors who rate every one."""
    forms = [load_form(QUESTIONNAIRES / f"{name}.md") for name in ("service", "leadership")]

    def work(tx: Any) -> None:
        tx.put_subjects([Subject("top", {"zh": "中心"})])
        tx.put_subjects(
            Subject(f"u{n}", {"zh": f"窗口{n}", "en": f"Window {n}"}, parent="top")
            for n in range(SUBJECTS)
        )
        for side, group in (("c", RaterGroup.RECIPIENT), ("s", RaterGroup.SUPERIOR)):
            people = [Person(f"{side}{n}", Kind.CITIZEN, language="zh") for n in range(RATERS)]
            tx.put_people(people)
            for person in people:
                tx.put_chat(Chat(Address("web", person.id), person.id, "zh"))
                tx.put_relations(Relation(person.id, f"u{n}", group) for n in range(SUBJECTS))
        tasks = (("basic", 100.0), ("urgent", 40.0))
        tx.put_tasks(TaskRow(name, "u0", "2026Q4", name, points) for name, points in tasks)
        for form, groups in zip(forms, ((RaterGroup.RECIPIENT,), STAFF), strict=True):
            tx.put_form(form.hash, form.title, form.source)
            day = date(2026, 12, 1)
            tx.put_campaign(Campaign(form.id, form.titles, form.hash, groups, day, QUARTERLY))

    await house.store.write(work)


async def answer_all(house: House, person: str, wave: str, chance: Random) -> None:
    """Tap through everything that ``person`` is asked in ``wave``: any of the first five."""
    address = Address("web", person)

    async def tap(data: str) -> Reply:
        return (await house.conversation.receive(address, Tapped(data), OPEN))[0]

    reply = await tap(f"g:{wave}:0:0")
    while reply.question:
        buttons = [button for row in reply.rows for button in row]
        grades = [b for b in buttons if b.data.startswith("a:") and "☐" not in b.label]
        others = [b for b in buttons if b.data.startswith("s:")]
        reply = await tap((chance.choice(grades[:5]) if grades else others[0]).data)


async def test_a_wave_is_planned_answered_tallied_scored_and_published(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    assert (await steps.plan(house, BEFORE)).planned == 2
    assert await steps.plan(house, BEFORE) == PlanReport()
    opened = await steps.plan(house, OPEN)
    assert (opened.opened, opened.assignments) == (2, 2 * SUBJECTS * RATERS)
    chance = Random(1)
    for wave, side in (("service.20261210", "c"), ("leadership.20261210", "s")):
        for n in range(RATERS):
            await answer_all(house, f"{side}{n}", wave, chance)
    with pytest.raises(steps.StepError, match="not tallied"):
        await scoring.score(house, "2026Q4")
    assert (await steps.tally(house, CLOSED - timedelta(seconds=1))).waves == 0
    counted = await steps.tally(house, CLOSED)
    assert (counted.waves, counted.ballots, counted.spoiled) == (2, 2 * SUBJECTS * RATERS, 0)
    assert await steps.tally(house, CLOSED) == steps.TallyReport()
    assert house.keyring.wave_keys("service.20261210") is None, "the keys are destroyed"
    scored = await scoring.score(house, "2026Q4")
    assert (scored.scored, scored.withheld) == (SUBJECTS, 0)
    await scoring.publish(house, "2026Q4")
    publication = await store.read(lambda tx: tx.publication("2026Q4"))
    cards = published_from_json(publication or b"")
    assert [card.subject for card in cards] == [f"u{n}" for n in range(SUBJECTS)]
    await replays_to_the_byte(store)


async def replays_to_the_byte(store: SqlStore) -> None:
    run = await store.read(lambda tx: tx.score_run("2026Q4"))
    assert run is not None
    quarter, method = thaw(run.frozen)
    assert cards_to_json(score(quarter, method)) == run.cards
    assert len(cards_from_json(run.cards)) == SUBJECTS


async def test_a_tally_with_a_late_ballot_writes_nothing_and_succeeds_the_next_time(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    await steps.plan(house, BEFORE)
    await steps.plan(house, OPEN)
    await answer_all(house, "c0", "service.20261210", Random(2))
    late = [True]
    ballots = SqlTransaction.ballots

    def and_one_arrives(tx: SqlTransaction, wave: str) -> Iterator[tuple[bytes, bytes]]:
        boxes = list(ballots(tx, wave))
        if late[0] and boxes:
            tx.put_ballot(wave, b"a late ballot id", boxes[0][1])
        yield from boxes

    monkeypatch.setattr(SqlTransaction, "ballots", and_one_arrives)
    with pytest.raises(steps.StepError, match="arrived during the count"):
        await steps.tally(house, CLOSED)
    waves = {wave.id: wave.state for wave in await store.read(lambda tx: tx.waves())}
    assert waves["service.20261210"] is WaveState.OPEN
    undone = await store.read(lambda tx: tx.recorded_dispositions("service.20261210"))
    assert undone == {}, "nor what became of everybody"
    late[0] = False
    assert (await steps.tally(house, CLOSED)).waves == 1


async def test_a_paused_campaign_opens_no_wave(store: SqlStore, tmp_path: Path) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    await steps.plan(house, BEFORE)
    campaigns = await store.read(lambda tx: tx.campaigns())
    for campaign in campaigns:
        await store.write(partial(put_paused, campaign))
    assert (await steps.plan(house, OPEN)).opened == 0


async def test_what_the_clock_does_is_audited_with_rounded_counts(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    await steps.plan(house, OPEN)
    for n in range(RATERS):
        await answer_all(house, f"c{n}", "service.20261210", Random(n))
    await steps.tally(house, CLOSED)
    await scoring.score(house, "2026Q4")
    await scoring.publish(house, "2026Q4")
    entries = await store.read(lambda tx: list(tx.audit_chain()))
    assert verify(entries, house.act().key) == []
    assert {(entry.who, entry.origin) for entry in entries} == {("minyi", "clock")}
    told = {(entry.action, entry.what): json.loads(entry.after) for entry in entries}
    assert set(told) == {
        (action, f"wave:{name}.20261210")
        for action in ("wave.opened", "wave.tallied")
        for name in ("service", "leadership")
    } | {("score.published", "period:2026Q4")}
    assert told["wave.opened", "wave:service.20261210"]["assignments"] == SUBJECTS * RATERS
    assert told["wave.tallied", "wave:service.20261210"]["ballots"] == SUBJECTS * RATERS
    assert told["score.published", "period:2026Q4"]["cards"] == SUBJECTS
    await steps.plan(house, OPEN)
    await steps.tally(house, CLOSED)
    assert len(await store.read(lambda tx: list(tx.audit_chain()))) == len(entries)


async def test_a_wave_that_opens_late_owes_no_reminder_whose_day_has_passed(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    chats = [Chat(Address("telegram", str(n)), f"c{n}", "zh") for n in range(3)]
    for chat in chats:
        await house.store.write(partial(put_chat, chat))
    report = await steps.plan(house, OPEN + timedelta(days=5))
    assert (report.planned, report.opened) == (2, 2)
    owed = await store.read(lambda tx: tx.delivery_counts("service.20261210"))
    assert sorted(stage for stage, _, count in owed if count) == ["invite", "remind2"]


async def test_occurrences_whose_whole_window_went_by_are_left_out(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    await furnish(house)
    assert (await steps.plan(house, OPEN + timedelta(days=180))).planned == 2
    waves = await store.read(lambda tx: tx.waves())
    assert {wave.id.split(".")[1] for wave in waves} == {"20270610"}


def put_chat(chat: Chat, tx: Any) -> None:
    tx.put_chat(chat)


def put_paused(campaign: Campaign, tx: Any) -> None:
    tx.put_campaign(replace(campaign, paused=True))


async def test_two_processes_planning_at_once_open_each_wave_once(
    database_url: str, tmp_path: Path
) -> None:
    stores = [SqlStore(database_url) for _ in range(2)]
    houses = [await house_on(store, tmp_path) for store in stores]
    await furnish(houses[0])
    await asyncio.gather(*(steps.plan(house, BEFORE) for house in houses))
    await asyncio.gather(*(steps.plan(house, OPEN) for house in houses))
    waves = await stores[0].read(lambda tx: tx.waves())
    opened = [wave.id for wave in waves if wave.state is WaveState.OPEN]
    assert sorted(opened) == ["leadership.20261210", "service.20261210"]
    rolls = await stores[0].read(lambda tx: [row for wave in opened for row in tx.roll(wave)])
    assert len(rolls) == 2 * SUBJECTS * RATERS
    for store in stores:
        await store.close()


async def test_without_a_token_nothing_is_delivered_and_the_reason_is_said(
    store: SqlStore, tmp_path: Path
) -> None:
    house = await house_on(store, tmp_path)
    assert "MINYI_TELEGRAM_TOKEN" in (await steps.deliver(house, OPEN)).idle
