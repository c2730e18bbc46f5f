"""Campaigns at the desk: made in four pages, paused, resumed, closed, given other questions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from desk.campaigns.campaigning import create, set_paused
from desk.campaigns.drafting import FIELDS
from desk.roles import Role
from surveys.campaigns import Wave, WaveState
from tests.desk.asking import CONCERN, LEADERSHIP, SERVICE, furnish, wish
from tests.web.console.seats import Desk, post

KEY = "0123456789abcdef0123"
NEW = f"/desk/campaigns/new/{KEY}"
FIELD = re.compile(r"<(?:input|select|option)[^>]*>")
Typed = dict[str, str]

WHAT = {"form": SERVICE.hash, "title_zh": "窗口满意度", "title_en": "Window satisfaction"}
WHOM = {"SVC": "yes", "k": "5"}
WHEN = {"starts": "2026-11-23", "every": "quarter", "on": "day", "month_of_quarter": "3",
        "month_of_year": "12", "day": "10", "recurrence": "", "hour": "9", "zone": "Asia/Shanghai",
        "days": "14", "reminders": "3,7"}  # fmt: skip


@pytest.fixture
async def fit(desk: Desk) -> Desk:
    """A desk with a questionnaire and people to ask."""
    await desk.store.write(furnish)
    return desk


def standing_in(html: str) -> Typed:
    """What stands in a form's fields, as a browser would send it."""
    found: Typed = {}
    menu = ""
    for tag in FIELD.findall(html):
        told = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if tag.startswith("<select"):
            menu = told["name"]
        elif tag.startswith("<option"):
            if " selected" in tag:
                found[menu] = told["value"]
        elif told.get("type") in {"radio", "checkbox"}:
            if " checked" in tag:
                found[told["name"]] = told["value"]
        elif "name" in told and told["name"] != "proof":
            found[told["name"]] = told.get("value", "")
    return found


async def step(
    client: httpx.AsyncClient, page: int, fields: Mapping[str, str], go: str, new: str = NEW
) -> httpx.Response:
    at = f"{new}/{page}"
    return await post(client, at, {**fields, "go": go}, page=at)


async def walk(client: httpx.AsyncClient, new: str = NEW, **changed: str) -> None:
    """Fill in the first three pages."""
    for page, fields in enumerate((WHAT, WHOM, WHEN), 1):
        mine = {name: value for name, value in changed.items() if name in FIELDS[page]}
        answer = await step(client, page, {**fields, **mine}, str(page + 1), new)
        assert answer.headers["location"] == f"{new}/{page + 1}", answer.headers["location"]


async def make(desk: Desk, **changed: str) -> None:
    await desk.store.write(lambda tx: create(tx, desk.act(), wish(**changed)))


async def open_wave(desk: Desk, campaign: str = "window", **changed: Any) -> None:
    """A wave opened an hour ago, as the clock does it."""
    opened = desk.clock() - timedelta(hours=1)
    closes = opened + timedelta(days=14)
    wave = Wave(f"{campaign}.1", campaign, "2026Q4", opened, closes, b"k" * 32)
    wave = replace(wave, **changed)

    def work(tx: Any) -> None:
        tx.put_wave(wave)
        tx.open_wave(wave.id)
        tx.draw_assignments(wave, tx.campaign(campaign), wave.opens_at)

    await desk.store.write(work)


async def test_four_pages_make_a_campaign_and_the_audit_says_who_did(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    begun = await client.get("/desk/campaigns/new")
    assert re.fullmatch(r"/desk/campaigns/new/[0-9a-f]{20}/1", begun.headers["location"])
    await walk(client)
    last = (await client.get(f"{NEW}/4")).text
    for said in ("Window satisfaction", "12 people", "24 ratings", "6 of them", "Thu, Dec 10, 2026",
                 "09:00", "Sun, Dec 13, 2026", "Thu, Dec 24, 2026", "on the 10th of its last month",
                 "who get no invitation: 6"):  # fmt: skip
        assert said in last, said
    made = await step(client, 4, {"id": "window-2026"}, "create")
    assert made.headers["location"] == "/desk/campaigns/window-2026"
    shown = (await client.get("/desk/campaigns/window-2026")).text
    assert "The campaign is made." in shown
    assert "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=10" in shown
    assert "on the 10th of its last month" in shown
    assert "每季度" not in shown, "in the reader's language alone"
    (entry,) = await fit.audited("campaign")
    assert (entry.action, entry.what, entry.who) == (
        "campaign.created", "campaign:window-2026", "a-officer"
    )  # fmt: skip
    assert '"k":5' in entry.after


async def test_a_double_click_makes_one_campaign(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    await walk(client)
    clicks = [step(client, 4, {"id": "twice"}, "create") for _ in range(3)]
    answers = await asyncio.gather(*clicks)
    assert {answer.headers["location"] for answer in answers} == {"/desk/campaigns/twice"}
    assert len(await fit.audited("campaign")) == 1


async def test_what_was_typed_right_or_wrong_is_kept_in_any_order_and_after_a_reload(
    fit: Desk,
) -> None:
    client = await fit.seat(Role.OFFICER)
    odd = {1: {"form": "", "title_zh": "半\"截<名", "title_en": ""},
           2: {"PEER": "yes", "k": "两个"},
           3: WHEN | {"day": "三十", "zone": "Mars & Moon", "every": "year", "month_of_year": "2"},
           4: {"id": "bad id!"}}  # fmt: skip
    # forwards is refused where something is wrong; back and save never are
    for page in (3, 1, 4, 2):
        onward = "show" if page == 1 else str(page - 1)
        answer = await step(client, page, odd[page], onward)
        assert answer.status_code == 303
    for page, fields in odd.items():
        for look in ("", "?look=1"):
            html = (await client.get(f"{NEW}/{page}{look}")).text
            kept = standing_in(html)
            assert {name: kept.get(name, "") for name in fields} == fields
    assert (await step(client, 2, odd[2], "3")).headers["location"].endswith("/2?look=1")
    told = (await client.get(f"{NEW}/2?look=1")).text
    assert 'aria-invalid="true" aria-describedby="hint-k wrong-k"' in told
    chinese = await fit.seat(Role.OFFICER, language="zh")
    assert "请写 3 到 50 之间的整数" in (await chinese.get(f"{NEW}/2?look=1")).text
    check = (await client.get(f"{NEW}/4")).text
    assert "Create the campaign" not in check
    assert f'href="{NEW}/1?look=1"' in check
    refused = await step(client, 4, odd[4], "create")
    assert refused.headers["location"] == f"{NEW}/4?look=1"
    assert not await fit.audited("campaign")


async def test_a_draft_is_its_authors_alone(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    await walk(client)
    other = await fit.seat(Role.ADMINISTRATOR)
    assert "Window satisfaction" not in (await other.get(f"{NEW}/1")).text
    assert (await step(other, 1, WHAT, "2")).status_code == 404
    assert "Window satisfaction" in (await client.get(f"{NEW}/1")).text
    for path in ("/desk/campaigns/new/x/1", f"{NEW}/5", f"{NEW}/x", "/desk/campaigns/none"):
        assert (await client.get(path)).status_code == 404


async def test_the_questionnaires_own_titles_fill_in_for_none(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    await step(client, 1, {"form": SERVICE.hash, "title_zh": "", "title_en": " "}, "2")
    kept = standing_in((await client.get(f"{NEW}/1")).text)
    assert (kept["title_zh"], kept["title_en"]) == ("服务满意度", "Service satisfaction")


async def test_a_questionnaire_that_cannot_rate_is_marked(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    listed = (await client.get(f"{NEW}/1")).text
    service, concern = (listed.index(form.hash) for form in (SERVICE, CONCERN))
    assert min(service, concern) < listed.index("cannot rate")
    assert listed.count("cannot rate") == 1
    refused = await step(client, 1, {"form": CONCERN.hash, "title_zh": "x"}, "2")
    assert refused.headers["location"] == f"{NEW}/1?look=1"
    assert "would be counted" in (await client.get(f"{NEW}/1?look=1")).text


async def test_the_calendar_follows_the_form_with_and_without_javascript(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    last = WHEN | {"on": "last_working", "hour": "14"}
    fragment = await client.get("/desk/campaigns/coming", params=last)
    assert "<html" not in fragment.text
    assert "Thu, Dec 31, 2026 14:00" in fragment.text
    assert "Wed, Mar 31, 2027 14:00" in fragment.text
    shown = await step(client, 3, last, "show")
    page = (await client.get(shown.headers["location"])).text
    assert "Thu, Dec 31, 2026 14:00" in page
    own = WHEN | {"every": "own", "recurrence": "FREQ=HOURLY"}
    assert "more than once a day" in (await client.get("/desk/campaigns/coming", params=own)).text
    assert (await client.get("/desk/campaigns/coming")).status_code == 200


async def test_an_hour_already_past_opens_at_once_and_a_past_day_is_refused(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    once = {"every": "once", "hour": "8"}  # it is half past nine
    await walk(client, **once)
    last = (await client.get(f"{NEW}/4")).text
    assert "at once" in last
    assert "has passed, so the first wave opens at once" in last
    answer = await step(client, 3, WHEN | once | {"starts": "2026-11-22"}, "4")
    assert answer.headers["location"] == f"{NEW}/3?look=1"
    assert "should have opened on 2026-11-22" in (await client.get(f"{NEW}/3?look=1")).text


async def test_with_nobody_to_ask_it_says_what_to_import(desk: Desk) -> None:
    def only_form(tx: Any) -> None:
        tx.put_form(SERVICE.hash, SERVICE.title, SERVICE.source)

    await desk.store.write(only_form)
    client = await desk.seat(Role.OFFICER)
    await walk(client)
    assert "First import people, and who rates whom" in (await client.get(f"{NEW}/2")).text
    check = (await client.get(f"{NEW}/4")).text
    assert "who rates whom in these groups" in check
    assert 'href="/desk/roster"' in check


async def test_a_large_campaign_is_made_only_when_a_second_person_agrees(fit: Desk) -> None:
    from desk.approvals import decide

    object.__setattr__(fit.console, "approval_above", 11)
    client = await fit.seat(Role.OFFICER)
    await walk(client)
    assert "Nobody but you could approve it" in (await client.get(f"{NEW}/4")).text
    second = await fit.account(Role.ADMINISTRATOR)
    page = (await client.get(f"{NEW}/4")).text
    assert "Who can approve: Administrator." in page
    for _ in range(2):  # a double click asks once
        answer = await step(client, 4, {"id": "large"}, "create")
        assert answer.headers["location"].startswith("/desk/approvals/")
    assert await fit.store.read(lambda tx: tx.campaign("large")) is None
    (asked,) = await fit.store.read(lambda tx: tx.approvals())
    assert (asked.action, asked.what) == ("campaign.create", "campaign:large")
    act = replace(fit.act(second.id), name=second.name)
    await fit.store.write(lambda tx: decide(tx, act, second, asked.id, True, "", fit.clock()))
    made = await fit.store.read(lambda tx: tx.campaign("large"))
    assert made is not None
    done = [entry.action for entry in await fit.audited()][-2:]
    assert done == ["campaign.created", "campaign.agreed"]
    assert made.agreed == 12
    assert (await fit.audited("campaign"))[-1].who == second.id


async def test_what_changed_since_it_was_asked_for_is_checked_again(fit: Desk) -> None:
    from desk.approvals import ApprovalError, decide

    object.__setattr__(fit.console, "approval_above", 1)
    client = await fit.seat(Role.OFFICER)
    second = await fit.account(Role.ADMINISTRATOR)
    await walk(client, every="once")
    await step(client, 4, {"id": "late"}, "create")
    (asked,) = await fit.store.read(lambda tx: tx.approvals())
    fit.clock.on(days=1)
    with pytest.raises(ApprovalError, match="has passed"):
        await fit.store.write(
            lambda tx: decide(tx, fit.act(second.id), second, asked.id, True, "", fit.clock())
        )
    assert await fit.store.read(lambda tx: tx.campaign("late")) is None


async def test_the_list_shows_state_next_opening_and_open_wave_and_filters(fit: Desk) -> None:
    client = await fit.seat(Role.AUDITOR, language="zh")
    assert "还没有调查" in (await client.get("/desk/campaigns")).text
    await make(fit)
    await make(fit, id="peers", title_zh="同事互评", title_en="", groups="PEER")
    await fit.store.write(lambda tx: set_paused(tx, fit.act(), "peers", True))
    await open_wave(fit)
    listed = (await client.get("/desk/campaigns")).text
    for said in (
        "窗口满意度",
        "同事互评",
        "正在进行",
        "已暂停",
        "2026年12月10日周四 09:00",
        "到 2026年12月7日周一",
    ):
        assert said in listed, said
    assert "/desk/campaigns/new" not in listed, "an auditor changes nothing"
    for query, here, gone in (
        ("state=paused", "同事互评", "窗口满意度"),
        ("group=SVC", "窗口满意度", "同事互评"),
        ("text=互评", "同事互评", "窗口满意度"),
    ):
        listed = (await client.get(f"/desk/campaigns?{query}")).text
        assert here in listed
        assert gone not in listed
    assert "没有符合条件" in (await client.get("/desk/campaigns?text=zzz")).text


async def test_a_rule_is_shown_as_written_only_where_it_recurs(fit: Desk) -> None:
    await make(fit, id="often", recurrence="FREQ=MONTHLY;BYMONTHDAY=5")
    await make(fit, id="single", recurrence="FREQ=DAILY;COUNT=1")
    client = await fit.seat(Role.OFFICER)
    assert "FREQ=MONTHLY" in (await client.get("/desk/campaigns/often")).text
    page = (await client.get("/desk/campaigns/single")).text
    assert "FREQ=" not in page
    assert "COUNT=1" not in page


async def test_pausing_and_resuming_say_first_what_will_happen(fit: Desk) -> None:
    await make(fit)
    await open_wave(fit)
    client = await fit.seat(Role.OFFICER)
    one = "/desk/campaigns/window"
    asked = (await client.get(f"{one}/pause")).text
    assert "goes on until Mon, Dec 7, 2026" in asked
    for _ in range(2):
        assert (await post(client, f"{one}/pause", page=f"{one}/pause")).status_code == 303
    page = (await client.get(one)).text
    assert "no further wave opens" in page
    assert "paused" in page
    fit.clock.on(days=20)
    client = await fit.seat(Role.OFFICER)
    again = (await client.get(f"{one}/resume")).text
    assert "A wave should have opened on Thu, Dec 10, 2026" in again
    await post(client, f"{one}/resume", page=f"{one}/resume")
    actions = [entry.action for entry in await fit.audited("campaign")]
    assert actions == ["campaign.created", "campaign.paused", "campaign.resumed"]


async def test_a_campaign_without_a_further_wave_offers_only_what_its_open_one_can_take(
    fit: Desk,
) -> None:
    await make(fit, recurrence="FREQ=DAILY;COUNT=1")
    one = "/desk/campaigns/window"
    client = await fit.seat(Role.OFFICER)
    assert offered((await client.get(one)).text) == {
        "pause", "dry-run", "rehearse", "revise", "messages"
    }  # fmt: skip
    asked = await client.get(f"{one}/pause")
    await open_wave(fit, opens_at=fit.clock())
    assert offered((await client.get(one)).text) == {"messages", "extend", "close"}
    refused = await post(client, f"{one}/pause", page="/desk/campaigns")
    assert asked.status_code == 200
    assert refused.status_code == 409
    assert "no further wave, so this would change nothing" in refused.text
    for doing in ("pause", "resume", "revise"):
        page = (await client.get(f"{one}/{doing}")).text
        assert "no further wave will come" in page
        assert f'action="{one}/{doing}"' not in page
    fit.clock.on(days=20)
    client = await fit.seat(Role.OFFICER)
    assert offered((await client.get(one)).text) == set()
    assert [entry.action for entry in await fit.audited("campaign")] == ["campaign.created"]


def offered(page: str) -> set[str]:
    return set(re.findall(r'class="button[^"]*" href="/desk/campaigns/window/([\w-]+)"', page))


async def test_the_threshold_is_told_with_those_for_whom_it_does_not_hold(fit: Desk) -> None:
    await make(fit, id="plain")
    await make(fit, id="both", groups="SUP,SELF,SVC")
    client = await fit.seat(Role.OFFICER)
    told = ("Superiors rate in the organisation", "Self-assessments are published")
    for campaign, held in (("plain", False), ("both", True)):
        page = (await client.get(f"/desk/campaigns/{campaign}")).text
        assert [each in page for each in told] == [held, held]
    await walk(client, SELF="yes")
    page = (await client.get(f"{NEW}/4")).text
    assert [each in page for each in told] == [False, True]


async def test_closing_now_ends_the_open_wave_once_and_is_audited_with_before_and_after(
    fit: Desk,
) -> None:
    await make(fit)
    await open_wave(fit)
    client = await fit.seat(Role.OFFICER)
    one = "/desk/campaigns/window/close"
    assert "asks 10 people" in (await client.get(one)).text
    for _ in range(2):
        await post(client, one, page=one)
    wave = await fit.store.read(lambda tx: tx.wave("window.1"))
    assert wave is not None
    assert wave.closes_at == fit.clock()
    entry = (await fit.audited("campaign"))[-1]
    assert entry.action == "campaign.closed"
    assert '"paused":false' in entry.before
    assert '"window.1":"2026-11-23T01:30+00:00"' in entry.after
    assert len(await fit.audited("campaign")) == 2
    assert "No wave is open" in (await client.get(one)).text


async def test_closing_a_large_wave_needs_a_second_person(fit: Desk) -> None:
    from desk.approvals import decide

    object.__setattr__(fit.console, "approval_above", 11)
    await make(fit)
    await open_wave(fit)
    client = await fit.seat(Role.OFFICER)
    second = await fit.account(Role.ADMINISTRATOR)
    one = "/desk/campaigns/window/close"
    page = (await client.get(one)).text
    assert "Ask for approval" in page
    assert "Who can approve: Administrator." in page
    for _ in range(2):  # a double click asks once
        answer = await post(client, one, page=one)
        assert answer.headers["location"].startswith("/desk/approvals/")
    wave = await fit.store.read(lambda tx: tx.wave("window.1"))
    assert wave is not None
    assert wave.closes_at > fit.clock()
    other = await fit.seat(Role.ADMINISTRATOR)
    doubled = await post(other, one, page=one)
    assert doubled.status_code == 409
    assert "Officer has asked for the same already" in doubled.text
    (asked,) = await fit.store.read(lambda tx: tx.approvals())
    act = fit.act(second.id)
    await fit.store.write(lambda tx: decide(tx, act, second, asked.id, True, "", fit.clock()))
    wave = await fit.store.read(lambda tx: tx.wave("window.1"))
    assert wave is not None
    assert wave.closes_at == fit.clock()


async def test_an_open_wave_is_kept_open_longer_and_what_was_typed_wrong_stays(fit: Desk) -> None:
    await make(fit)
    client = await fit.seat(Role.OFFICER)
    one = "/desk/campaigns/window/extend"
    assert "No wave is open" in (await client.get(one)).text
    await open_wave(fit)
    assert f'href="{one}"' in (await client.get("/desk/campaigns/window")).text
    assert "asks 10 people and is open until Mon, Dec 7, 2026" in (await client.get(one)).text
    for typed, why in (("a week", "from 1 to 30"), ("31", "from 1 to 30"), ("", "from 1 to 30")):
        refused = await post(client, one, {"more": typed}, page=one)
        assert refused.status_code == 422
        assert why in refused.text
        assert f'value="{typed}"' in refused.text
    done = await post(client, one, {"more": "7"}, page=one)
    assert done.headers["location"] == "/desk/campaigns/window"
    assert "now open until Mon, Dec 14, 2026" in (await client.get("/desk/campaigns/window")).text
    [entry] = await fit.audited("wave.extended")
    assert (entry.who, entry.what) == ("a-officer", "wave:window.1")
    object.__setattr__(fit.console, "approval_above", 11)
    await fit.account(Role.ADMINISTRATOR)
    page = (await client.get(one)).text
    assert "before it stays open longer" in page
    assert "Who can approve: Administrator." in page
    asked = await post(client, one, {"more": "3"}, page=one)
    assert asked.headers["location"].startswith("/desk/approvals/")
    told = (await client.get(asked.headers["location"])).text
    for said in ("Keep an open wave open longer", "Days longer", "window.1", "People it asks"):
        assert said in told, said
    assert (await client.get("/desk/campaigns/none/extend")).status_code == 404
    missing = await client.post("/desk/campaigns/none/extend", data={"more": "3"})
    assert missing.status_code == 403, "and without a proof nothing is even looked for"


async def test_a_wave_that_is_held_says_why_and_where_it_is_decided(
    fit: Desk, tmp_path: Path
) -> None:
    from desk.campaigns.opening import Means, plan
    from storage import FileKeyring

    await fit.account(Role.OFFICER)
    await fit.store.write(lambda tx: create(tx, fit.act("a-officer"), wish()))
    fit.clock.on(days=18)  # 11 December
    act, means = fit.act("minyi"), Means(FileKeyring(tmp_path), lambda: "00", 11)
    await fit.store.write(lambda tx: plan(tx, act, fit.clock(), means))
    client = await fit.seat(Role.ADMINISTRATOR)
    assert "due, waiting" in (await client.get("/desk/campaigns?state=held")).text
    page = (await client.get("/desk/campaigns/window")).text
    assert "It would ask 12 people, so it does not open before a second person agrees." in page
    [asked] = await fit.store.read(lambda tx: tx.approvals())
    assert f'href="/desk/approvals/{asked.id}"' in page
    one = f"/desk/approvals/{asked.id}"
    told = (await client.get(one)).text
    for said in ("Let a wave open", "Minyi itself", "the campaign is paused until"):
        assert said in told, said
    mine = (await (await fit.seat(Role.OFFICER)).get(one)).text
    assert "You set this campaign up" in mine
    assert "Approve and do it" not in mine
    home = (await client.get("/desk")).text
    assert "is due and would ask 12 people. It waits for a second person" in home
    done = await post(client, f"{one}/decide", {"agree": "yes"}, page=one)
    assert done.headers["location"] == "/desk/approvals"
    report = await fit.store.write(lambda tx: plan(tx, act, fit.clock(), means))
    assert report.opened == 1
    assert "opened 1440 minutes late" not in (await client.get("/desk")).text
    assert "minutes late; reminders" in (await client.get("/desk")).text


async def test_another_questionnaire_is_asked_from_the_next_wave_on(fit: Desk) -> None:
    await make(fit)
    await open_wave(fit)
    client = await fit.seat(Role.OFFICER)
    one = "/desk/campaigns/window/revise"
    page = (await client.get(one)).text
    assert "keeps its own" in page
    assert "asked now" in page
    refused = await post(client, one, {"form": "zzz"}, page=one)
    assert refused.status_code == 422
    assert "is no questionnaire" in refused.text
    useless = await post(client, one, {"form": CONCERN.hash}, page=one)
    assert useless.status_code == 422
    assert "would be counted" in useless.text
    for _ in range(2):
        changed = await post(client, one, {"form": LEADERSHIP.hash}, page=one)
        assert changed.headers["location"] == "/desk/campaigns/window"
    made, wave = await fit.store.read(lambda tx: (tx.campaign("window"), tx.wave("window.1")))
    assert made is not None
    assert wave is not None
    assert (made.form, wave.form) == (LEADERSHIP.hash, SERVICE.hash)
    (entry,) = await fit.audited("campaign.revised")
    assert (SERVICE.hash in entry.before, LEADERSHIP.hash in entry.after) == (True, True)


async def test_the_page_tells_waves_roundly_and_what_was_promised(fit: Desk) -> None:
    await make(fit)
    await open_wave(fit)
    client = await fit.seat(Role.AUDITOR)
    page = (await client.get("/desk/campaigns/window")).text
    assert "few" in page
    assert "rounded numbers only" in page
    assert "never be changed" in page
    assert f'href="/desk/questionnaires/{SERVICE.hash}"' in page
    assert 'href="/desk/fieldwork/window.1"' in page
    assert page.count('class="open"') == 2, "the open wave lies in two months"
    assert "/pause" not in page
    tallied = partial(_tallied, "window.1")
    await fit.store.write(tallied)
    assert "counted" in (await client.get("/desk/campaigns/window")).text


def _tallied(wave: str, tx: Any) -> None:
    from surveys.cells import Tally

    tx.record_tally(
        wave, "2026Q4", Tally(cells=(), reasons=(), turnout=(), withheld=(), remarks={})
    )
    assert tx.wave(wave).state is WaveState.TALLIED


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_page_is_whole_in_both_languages_and_small(fit: Desk, language: str) -> None:
    await make(fit)
    await open_wave(fit)
    client = await fit.seat(Role.OFFICER, language=language)
    await walk(client)
    one = "/desk/campaigns/window"
    for path in ("/desk/campaigns", one, *(f"{one}/{do}" for do in ("pause", "resume", "close",
                 "revise")), *(f"{NEW}/{page}" for page in range(1, 5))):  # fmt: skip
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert len(answer.content) < 40_000, path
        assert answer.text.count("<h1") == 1, path
        for name in re.findall(r'<(?:input|select)[^>]* id="([^"]+)"', answer.text):
            assert f'for="{name}"' in answer.text, (path, name)
