"""The first page, waves in the field, results, and a rated person's own report."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desk.accounts import Account, Token
from desk.roles import Grant, Role
from desk.store import Approval
from storage.transaction import SqlTransaction
from surveys.campaigns import INVITE, WaveState
from surveys.cells import RaterGroup, Tally, Turnout
from surveys.dispositions import final
from surveys.people import Kind, Person, Relation, Subject
from tests.desk.asking import CONCERN, SERVICE, furnish
from tests.storage.rows import CAMPAIGN, NOW, WAVE, found_roll, interview
from tests.web.console.seats import Desk, desk_on
from tests.web.published import NAMED, publications
from web.console.console import Setting


def afield(tx: SqlTransaction) -> None:
    """A wave that opened two days ago with its invitations still unsent."""
    found_roll(tx, 12)
    tx.draw_deliveries(WAVE.id, (INVITE, WAVE.opens_at))


def published(tx: SqlTransaction) -> None:
    """A published quarter about six units."""
    tx.put_subjects(Subject(key, {"zh": zh, "en": en}) for key, (zh, en) in NAMED.items())
    for period, cards in publications().items():
        tx.put_publication(period, cards)


async def test_an_empty_house_says_what_to_do_first(desk: Desk) -> None:
    page = (await (await desk.seat(Role.ADMINISTRATOR)).get("/desk")).text
    assert "First step: import your units" in page
    seen = (await (await desk.seat(Role.AUDITOR)).get("/desk")).text
    assert "First step" not in seen
    assert "Nothing needs you" in seen
    chinese = (await (await desk.seat(Role.ADMINISTRATOR, language="zh")).get("/desk")).text
    assert "第一步：导入单位" in chinese


async def test_a_wave_that_sent_nothing_is_told_to_whom_it_concerns(desk: Desk) -> None:
    desk.clock.now = NOW
    await desk.store.write(afield)
    page = (await (await desk.seat(Role.OFFICER)).get("/desk")).text
    assert "none of 12 invitations was sent" in page
    assert page.index("none of 12") < page.index("opens on" if "opens on" in page else "Under way")
    handler = (await (await desk.seat(Role.HANDLER)).get("/desk")).text
    assert "invitations" not in handler


async def test_what_a_second_person_must_decide_is_told_to_the_others(desk: Desk) -> None:
    officer = await desk.account(Role.OFFICER)
    asked = Approval("x", "campaign.close", "campaign:q", {}, officer.id, desk.clock(),
                     desk.clock() + timedelta(days=7))  # fmt: skip
    await desk.store.write(lambda tx: tx.put_approval(asked))
    mine = (await (await desk.seat(Role.OFFICER)).get("/desk")).text
    assert "nobody has decided yet: 1" in mine
    theirs = (await (await desk.seat(Role.ADMINISTRATOR)).get("/desk")).text
    assert "wait for a second person: 1" in theirs


async def test_own_matters_are_told_in_time(desk: Desk) -> None:
    soon = desk.clock() + timedelta(days=3)
    account = Account("a-1", "lin", "Lin", desk.clock(), (Grant(Role.ADMINISTRATOR),),
                      password="x", totp=b"sealed", recovery=("one",))  # fmt: skip
    bare = Account("a-2", "bo", "Bo", desk.clock(), (Grant(Role.ADMINISTRATOR),), password="x")
    token = Token("d" * 64, "t1", "a-1", "kiosk", ("home",), desk.clock(), soon)

    def work(tx: SqlTransaction) -> None:
        tx.put_account(account)
        tx.put_account(bare)
        tx.put_token(token)

    await desk.store.write(work)
    page = (await (await desk.seat(Role.ADMINISTRATOR, login="lin")).get("/desk")).text
    assert "expire within a week: 1" in page
    assert "Recovery codes you have left: 1" in page
    assert "have none yet: 1" in page


async def test_a_planned_wave_of_a_paused_campaign_is_said_to_be_paused(desk: Desk) -> None:
    desk.clock.now = NOW
    await desk.store.write(afield)
    waits = replace(WAVE, id="q-next", state=WaveState.PLANNED)
    await desk.store.write(lambda tx: tx.put_wave(waits))
    client = await desk.seat(Role.OFFICER, language="zh")
    pages = ("/desk/fieldwork", "/desk/fieldwork/q-next")
    for page in pages:
        assert "已安排" in (await client.get(page)).text
    await desk.store.write(lambda tx: tx.put_campaign(replace(CAMPAIGN, paused=True)))
    for page in pages:
        shown = (await client.get(page)).text
        assert "已安排" not in shown
        assert "已暂停，到时不会开始" in shown
    goes_on = (await client.get(f"/desk/fieldwork/{WAVE.id}")).text
    assert "已暂停" not in goes_on


async def test_an_open_wave_is_drawn_and_looks_again(desk: Desk) -> None:
    desk.clock.now = NOW
    await desk.store.write(afield)
    client = await desk.seat(Role.OFFICER)
    assert "Satisfaction" in (await client.get("/desk/fieldwork")).text
    page = (await client.get(f"/desk/fieldwork/{WAVE.id}")).text
    assert f'hx-get="/desk/fieldwork/{WAVE.id}/now"' in page
    assert "12 of 12" in page
    assert "fewer than 10" in page
    part = (await client.get(f"/desk/fieldwork/{WAVE.id}/now")).text
    assert "<html" not in part
    assert "12 of 12" in part


async def test_what_became_of_everybody_is_drawn_in_tens_and_then_as_rates(desk: Desk) -> None:
    desk.clock.now = NOW

    def begun(tx: SqlTransaction) -> None:
        found_roll(tx, 40)
        for number in range(27):
            tx.open_interview(interview(number, complete=number < 21))

    def counted(tx: SqlTransaction) -> None:
        tx.put_dispositions(WAVE.id, final(tx.dispositions(WAVE.id)))
        tx.record_tally(WAVE.id, WAVE.period, Tally(turnout=(
            Turnout("s1", RaterGroup.PEER, 40, 21),
        )))  # fmt: skip

    await desk.store.write(begun)
    client = await desk.seat(Role.AUDITOR)
    page = (await client.get(f"/desk/fieldwork/{WAVE.id}")).text
    assert "40 people are on the roll" in page
    assert "at least 20" in page
    assert "began, finished nothing" in page
    assert "I / (I + P" not in page, "no rate while it is open"
    await desk.store.write(counted)
    page = (await client.get(f"/desk/fieldwork/{WAVE.id}")).text
    assert "I / (I + P + R + NC + UO)" in page
    assert "52.5" in page
    assert "not told yet" not in page
    mine = (await (await desk.seat(Role.SUPERVISOR, "s1")).get(f"/desk/fieldwork/{WAVE.id}")).text
    assert "What became of everybody" not in mine


async def test_a_wave_in_its_grace_says_until_when(desk: Desk) -> None:
    def graced(tx: SqlTransaction) -> None:
        afield(tx)
        tx.put_campaign(replace(CAMPAIGN, grace=timedelta(hours=6)))

    await desk.store.write(graced)
    desk.clock.now = WAVE.closes_at + timedelta(hours=1)
    page = (await (await desk.seat(Role.AUDITOR)).get(f"/desk/fieldwork/{WAVE.id}")).text
    assert "closed, to be counted" in page
    assert "whoever has begun may finish until December 24, 2026 18:00" in page


async def test_a_supervisor_sees_the_own_unit_in_the_field_and_no_other(desk: Desk) -> None:
    desk.clock.now = NOW
    await desk.store.write(afield)
    mine = await desk.seat(Role.SUPERVISOR, "s2")
    page = (await mine.get(f"/desk/fieldwork/{WAVE.id}")).text
    assert "一科" in page  # below s2
    assert "Invitation sent" not in page
    other = await desk.seat(Role.SUPERVISOR, "elsewhere", login="other")
    assert (await other.get(f"/desk/fieldwork/{WAVE.id}")).status_code == 404


async def test_results_are_what_was_published(desk: Desk) -> None:
    await desk.store.write(published)
    client = await desk.seat(Role.AUDITOR)
    page = (await client.get("/desk/results")).text
    assert "Land registry" in page
    mine = (await (await desk.seat(Role.SUPERVISOR, "land")).get("/desk/results")).text
    assert "Land registry" in mine
    assert "Tax office" not in mine
    assert "Download" not in mine


async def test_a_rated_person_reads_the_own_report_and_nothing_else(desk: Desk) -> None:
    await desk.store.write(published)
    client = await desk.seat(Role.RATED, "tax")
    page = (await client.get("/desk/report")).text
    assert "Tax office" in page
    assert "Land registry" not in page
    assert (await client.get("/desk/results")).status_code == 403
    nobody = await desk.seat(Role.RATED, "unheard-of", login="new")
    assert "Nothing about you" in (await nobody.get("/desk/report")).text


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
async def test_tables_are_taken_along_as_files(desk: Desk, kind: str) -> None:
    await desk.store.write(published)
    client = await desk.seat(Role.OFFICER)
    answer = await client.get(f"/desk/results/2026Q1/scorecards.{kind}")
    assert answer.status_code == 200
    assert f'filename="minyi-scorecards-2026Q1.{kind}"' in answer.headers["content-disposition"]
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert {row["subject"] for row in rows} == set(NAMED)
    [taken] = await desk.audited("results.exported")
    assert (taken.who, taken.what) == ("a-officer", "results:2026Q1")
    assert json.loads(taken.after) == {
        "tables": ["scorecards"], "periods": ["2026Q1"], "format": kind,
    }  # fmt: skip
    auditor = await desk.seat(Role.AUDITOR)
    assert (await auditor.get(f"/desk/results/2026Q1/scorecards.{kind}")).status_code == 200
    assert (await desk.audited("results.exported"))[-1].who == "a-auditor"


async def test_no_other_table_and_no_crooked_address_gives_a_file(desk: Desk) -> None:
    client = await desk.seat(Role.ADMINISTRATOR)
    for path in ("2026Q1/full-record.csv", "2026Q1/cells.exe", "..%2F..%2Fetc/cells.csv"):
        assert (await client.get(f"/desk/results/{path}")).status_code == 404
    within = await desk.seat(Role.SUPERVISOR, "land")
    assert (await within.get("/desk/results/2026Q1/cells.csv")).status_code == 403
    assert await desk.audited("results.exported") == []


async def test_groups_have_their_names_in_both_languages(desk: Desk) -> None:
    desk.clock.now = NOW
    await desk.store.write(afield)
    for language, name in (("zh", "同级"), ("en", "peers")):
        client = await desk.seat(Role.OFFICER, language=language, login=f"officer-{language}")
        page = (await client.get(f"/desk/fieldwork/{WAVE.id}")).text
        assert name in page.lower(), RaterGroup.PEER


async def test_a_questionnaire_that_rates_nobody_is_no_first_step_done(desk: Desk) -> None:
    def brought(tx: SqlTransaction) -> None:
        furnish(tx, forms=(CONCERN,))

    await desk.store.write(brought)
    client = await desk.seat(Role.ADMINISTRATOR)
    assert "no questionnaire that can rate yet" in (await client.get("/desk")).text
    assert "<details" in (page := (await client.get("/desk/questionnaires")).text)
    assert " open>" in page.partition("<details")[2].partition("\n")[0], "where one is brought"
    await desk.store.write(lambda tx: tx.put_form(SERVICE.hash, SERVICE.title, SERVICE.source))
    page = (await client.get("/desk")).text
    assert "can rate yet" not in page
    assert "schedule your first campaign" in page


async def test_an_address_that_only_this_machine_opens_is_told_where_links_are(desk: Desk) -> None:
    local = desk_on(desk.store, public_url="http://127.0.0.1:8080")
    client = await local.seat(Role.ADMINISTRATOR)
    for path in ("/desk", "/desk/roster/links", "/desk/roster/links?kind=staff"):
        assert "MINYI_PUBLIC_URL" in (await client.get(path)).text, path
        assert (
            "MINYI_PUBLIC_URL" not in (await (await desk.seat(Role.ADMINISTRATOR)).get(path)).text
        ), path
    for opened in local.opened:
        await opened.aclose()


async def test_an_organisation_without_a_name_is_told_to_whom_it_concerns(desk: Desk) -> None:
    said = "Your organisation has no name here yet"
    for source, told in (("default", True), ("", True), ("the environment", False)):
        named = Setting("MINYI_ORGANISATION_ZH", "本单位", source, "")
        other = desk_on(desk.store, settings=[named])
        page = (await (await other.seat(Role.ADMINISTRATOR)).get("/desk")).text
        assert (said in page) is told, source
        assert said not in (await (await other.seat(Role.HANDLER)).get("/desk")).text
        for client in other.opened:
            await client.aclose()


async def test_a_wave_that_closes_at_midnight_has_the_day_before_as_its_last(desk: Desk) -> None:
    desk.clock.now = NOW
    midnight = datetime(2026, 12, 13, 16, tzinfo=UTC)  # 00:00 of the 14th in Shanghai

    def closing(tx: SqlTransaction) -> None:
        afield(tx)
        tx.put_wave(replace(WAVE, closes_at=midnight))

    await desk.store.write(closing)
    client = await desk.seat(Role.OFFICER)
    page = (await client.get("/desk")).text
    assert "Last day: December 13, 2026 (closes at midnight that night)" in page
    assert "closes on December 13, 2026" in page
    chinese = await desk.seat(Role.OFFICER, language="zh", login="zhang")
    assert "最后一天：2026年12月13日（当天 24:00 截止）" in (await chinese.get("/desk")).text
    assert "December 13, 2026 24:00" in (await client.get(f"/desk/fieldwork/{WAVE.id}")).text
    assert "December 14" not in page


async def test_people_whom_no_invitation_reaches_are_counted_with_what_to_do(desk: Desk) -> None:
    desk.clock.now = NOW

    def walled(groups: tuple[RaterGroup, ...]) -> Callable[[SqlTransaction], None]:
        def work(tx: SqlTransaction) -> None:
            tx.put_campaign(replace(CAMPAIGN, groups=groups))

        return work

    def afield_and_apart(tx: SqlTransaction) -> None:
        found_roll(tx, 12)
        tx.put_people(Person(f"q{n}", Kind.STAFF, f"无{n}") for n in range(13))
        tx.put_relations(Relation(f"q{n}", "s1", RaterGroup.PEER) for n in range(13))
        tx.draw_assignments(WAVE, CAMPAIGN, NOW)
        tx.draw_deliveries(WAVE.id, (INVITE, NOW))

    await desk.store.write(afield_and_apart)
    await desk.store.write(walled((RaterGroup.PEER,)))
    client = await desk.seat(Role.OFFICER)
    page = (await client.get("/desk")).text
    assert "no Telegram: 13." in page
    assert "/desk/roster/links?kind=staff" in page
    await desk.store.write(walled((RaterGroup.PEER, RaterGroup.RECIPIENT)))
    page = (await client.get("/desk")).text
    assert "no Telegram: 13" not in page, "whoever walks in at a window joins this roll"


async def test_a_wave_that_has_closed_is_not_said_to_be_open(desk: Desk) -> None:
    await desk.store.write(lambda tx: found_roll(tx, 12))
    campaign = replace(CAMPAIGN, grace=timedelta(hours=1))
    await desk.store.write(lambda tx: tx.put_campaign(campaign))

    async def told(now: datetime) -> str:
        desk.clock.now = now
        client = await desk.seat(Role.OFFICER, login=f"o{now.timestamp():.0f}")
        return (await client.get("/desk")).text

    assert "Last day: " in await told(WAVE.closes_at - timedelta(minutes=1))
    page = await told(WAVE.closes_at)
    assert "whoever had begun may finish until" in page
    assert "Last day: " not in page
    assert "Closed, to be counted within minutes." in await told(WAVE.closes_at + campaign.grace)
