"""The page on which a second person agrees."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from desk import approvals
from desk.accounts import Account
from desk.campaigns.seconding import CLOSE, CREATE, close_or_ask, extend_or_ask
from desk.campaigns.wishing import Wish
from desk.entry.welcoming import link
from desk.roles import Role
from desk.store import Approval, Decision
from surveys.forms.xlsform import load_form
from tests.storage.rows import CAMPAIGN, WAVE, found_roll
from tests.web.console.seats import Desk, post, proof

SERVICE = Path(__file__).parents[3] / "questionnaires" / "service.md"
PAGE = "/desk/approvals"


async def asked(
    desk: Desk, by: Account, action: str = CLOSE, what: str = "window", **arguments: str
) -> Approval:
    act = desk.act(by.id)

    def work(tx: Any) -> Approval:
        given = arguments or {"campaign": what}
        return approvals.ask(tx, act, by, action, f"campaign:{what}", given, desk.clock())

    made: Approval = await desk.store.write(work)
    return made


async def decision(desk: Desk, request: Approval) -> Approval:
    found: Approval | None = await desk.store.read(lambda tx: tx.approval(request.id))
    assert found is not None
    return found


@pytest.fixture
async def two(desk: Desk) -> tuple[Account, httpx.AsyncClient]:
    """Who asks, and the browser of a second officer."""
    one = await desk.account(Role.OFFICER, login="anna")
    return one, await desk.seat(Role.OFFICER, login="bo")


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was closed; closing "gone" cannot be done."""
    calls: list[str] = []

    def execute(tx: Any, act: Any, arguments: Any) -> None:
        if arguments["campaign"] == "gone":
            raise ValueError("There is no campaign 'gone'.")
        calls.append(f"{arguments['campaign']} by {act.who}")

    kind = approvals.Kind(approvals.ACTIONS[CLOSE].permission, execute)
    monkeypatch.setitem(approvals.ACTIONS, CLOSE, kind)
    return calls


async def test_a_second_person_reads_what_will_happen_agrees_and_it_is_done(
    desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, client = two
    request = await asked(desk, asker)
    page = (await client.get(PAGE)).text
    assert "end its open wave early" in page
    assert "Anna" in page
    assert "November 30, 2026 09:30" in page, "when it ends by itself"
    fields = {"agree": "yes", "note": "放心"}
    answer = await post(client, f"{PAGE}/{request.id}/decide", fields, page=PAGE)
    assert answer.headers["location"] == PAGE
    assert executed == ["window by a-bo"]
    after = (await client.get(PAGE)).text
    assert "Approved, and done." in after
    assert "Nothing waits." in after
    assert "放心" in after
    again = await client.post(
        f"{PAGE}/{request.id}/decide", data=fields | {"proof": await proof(client, "/desk")}
    )
    assert again.status_code == 409
    assert "done once" in again.text
    assert len(executed) == 1
    assert [e.action for e in await desk.audited("approval")] == [
        "approval.asked", "approval.approved",
    ]  # fmt: skip


async def test_refusing_does_nothing_and_says_why(
    desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, client = two
    request = await asked(desk, asker)
    fields = {"agree": "no", "note": "too early"}
    await post(client, f"{PAGE}/{request.id}/decide", fields, page=PAGE)
    assert executed == []
    page = (await client.get(f"{PAGE}/{request.id}")).text
    assert "too early" in page
    assert "refused" in page
    assert "Approve and do it" not in page


async def test_where_it_cannot_be_done_the_reason_is_told_and_the_note_is_kept(
    desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, client = two
    request = await asked(desk, asker, what="gone")
    fields = {"agree": "yes", "note": "kept words"}
    answer = await post(client, f"{PAGE}/{request.id}/decide", fields, page=PAGE)
    assert answer.status_code == 409
    assert "There is no campaign" in answer.text
    assert "kept words" in answer.text
    assert (await decision(desk, request)).decision is Decision.OPEN
    answer = await post(client, f"{PAGE}/{request.id}/decide", {"agree": "perhaps"}, page=PAGE)
    assert answer.status_code == 422


async def test_the_asker_is_told_who_can_agree_cannot_do_so_and_may_take_it_back(
    desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, _ = two
    request = await asked(desk, asker)
    client = await desk.seat(Role.OFFICER, login="anna")
    page = (await client.get(PAGE)).text
    assert "These people can: Bo" in page
    assert "Approve and do it" not in page
    own = await post(client, f"{PAGE}/{request.id}/decide", {"agree": "yes"}, page=PAGE)
    assert own.status_code == 409
    assert "Somebody else has to approve" in own.text
    answer = await post(client, f"{PAGE}/{request.id}/withdraw", page=PAGE)
    assert answer.status_code == 303
    assert (await decision(desk, request)).decision is Decision.WITHDRAWN
    assert executed == []


async def test_whom_the_asker_gave_a_new_link_is_told_why_somebody_else_has_to_decide(
    desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, _ = two
    await desk.account(Role.OFFICER, login="chen")
    await desk.store.write(lambda tx: link(tx, desk.act(asker.id), "a-bo", clear_factor=True))
    request = await asked(desk, asker)
    client = await desk.seat(Role.OFFICER, login="bo")
    page = (await client.get(f"{PAGE}/{request.id}")).text
    assert "Another person has to decide" in page
    assert "<textarea" not in page
    assert "These people can decide: Chen." in page
    fields = {"agree": "yes"}
    answer = await post(client, f"{PAGE}/{request.id}/decide", fields)
    assert answer.status_code == 409
    assert "Another person has to decide" in answer.text
    assert executed == []
    other = await desk.seat(Role.OFFICER, login="chen")
    assert (await post(other, f"{PAGE}/{request.id}/decide", fields)).status_code == 303
    assert len(executed) == 1


async def test_a_note_turns_no_letters_around(
    desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, client = two
    request = await asked(desk, asker)
    fields = {"agree": "no", "note": "not\n\u202eyet"}
    await post(client, f"{PAGE}/{request.id}/decide", fields, page=PAGE)
    assert "<bdi>not \ufffdyet</bdi>" in (await client.get(PAGE)).text


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CUSTODIAN])
async def test_whoever_only_reads_sees_all_and_decides_nothing(
    role: Role, desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, _ = two
    request = await asked(desk, asker)
    client = await desk.seat(role)
    page = (await client.get(f"{PAGE}/{request.id}")).text
    assert "Your role reads only" in page
    assert "<textarea" not in page
    for deed, status in (("decide", 403), ("withdraw", 409)):
        answer = await post(client, f"{PAGE}/{request.id}/{deed}", {"agree": "yes"})
        assert answer.status_code == status
        answer = await post(client, f"{PAGE}/nowhere/{deed}", {"agree": "yes"})
        assert answer.status_code == 404
    assert (await decision(desk, request)).decision is Decision.OPEN
    assert executed == []


async def test_where_nobody_else_could_agree_the_page_says_so_and_how_to_mend_it(
    desk: Desk,
) -> None:
    client = await desk.seat(Role.ADMINISTRATOR)
    page = (await client.get(PAGE)).text
    assert "Only Administrator holds the permission" in page
    assert "invite a second person" in page
    assert 'href="/desk/accounts"' in page
    await desk.account(Role.OFFICER)
    assert "Only Administrator" not in (await client.get(PAGE)).text


async def test_a_campaign_that_is_asked_for_is_laid_out_in_words(
    desk: Desk, two: tuple[Account, httpx.AsyncClient]
) -> None:
    asker, client = two
    wish = Wish("window", "f" * 64, "窗口满意度", "", "SVC,SUP", "2026-12-01", "", "Asia/Shanghai",
                "9", "14", "3,7", "5")  # fmt: skip
    await asked(desk, asker, CREATE, wish=wish.packed())
    page = (await client.get(PAGE)).text
    assert "Make a campaign" in page
    assert "窗口满意度" in page
    assert "Service recipients, Superiors" in page
    assert "People it would ask now" in page
    assert "{" not in page.split("<main")[1].split("</main>")[0], "no raw data"
    chinese = await desk.seat(Role.OFFICER, login="bo", language="zh")
    assert "服务对象、上级" in (await chinese.get(PAGE)).text


async def test_who_agrees_sees_which_day_was_and_which_would_be_the_last(
    desk: Desk, two: tuple[Account, httpx.AsyncClient]
) -> None:
    asker, _ = two
    await desk.store.write(lambda tx: found_roll(tx, 12))
    campaign = replace(CAMPAIGN, grace=timedelta(hours=1))
    await desk.store.write(lambda tx: tx.put_campaign(campaign))
    desk.clock.now = WAVE.closes_at - timedelta(days=1)
    client = await desk.seat(Role.OFFICER, login="cy", language="zh")
    act = desk.act(asker.id)
    await desk.store.write(lambda tx: extend_or_ask(tx, act, asker, WAVE.id, 7, 11))
    await desk.store.write(lambda tx: close_or_ask(tx, act, asker, CAMPAIGN.id, 11))
    longer, closing = sorted(await desk.store.read(lambda tx: tx.approvals(open_only=True)),
                             key=lambda each: each.action, reverse=True)  # fmt: skip
    page = (await client.get(f"{PAGE}/{longer.id}")).text
    assert "满意度 / Satisfaction (q)" in page
    ends = [
        re.sub("<[^>]*>", "", found) for found in re.findall("截止时间</dt><dd>(.*?)</dd>", page)
    ]
    closes = WAVE.closes_at.astimezone(ZoneInfo("Asia/Shanghai"))
    assert [
        f"{day.day}日" in end
        for day, end in zip((closes, closes + timedelta(days=7)), ends, strict=True)
    ] == [True, True]
    page = (await client.get(f"{PAGE}/{closing.id}")).text
    assert "批准的那一刻；以后不能再打开。已经开始答的，还可以答完" in page
    assert "<bdi>10</bdi>" in page, "people on its roll, in tens"
    await post(client, f"{PAGE}/{longer.id}/decide", {"agree": "yes"})
    decided = (await client.get(f"{PAGE}/{longer.id}")).text
    assert "现在的截止时间" not in decided, "it tells what was decided, not how things stand"


async def test_what_is_over_cannot_be_decided_though_the_clock_has_not_come_round(
    desk: Desk, two: tuple[Account, httpx.AsyncClient], executed: list[str]
) -> None:
    asker, _ = two
    request = await asked(desk, asker)
    desk.clock.on(days=7)
    client = await desk.seat(Role.OFFICER, login="bo")
    page = (await client.get(PAGE)).text
    assert "ended undecided" in page
    assert "Nothing waits." in page
    answer = await post(client, f"{PAGE}/{request.id}/decide", {"agree": "yes"})
    assert answer.status_code == 409
    assert "seven days" in answer.text
    assert executed == []


async def test_an_asker_whose_account_was_disabled_since_is_marked(
    desk: Desk, two: tuple[Account, httpx.AsyncClient]
) -> None:
    asker, client = two
    await asked(desk, asker)
    await desk.store.write(lambda tx: tx.put_account(replace(asker, disabled=True)))
    assert "account disabled" in (await client.get(PAGE)).text


async def test_a_campaign_is_made_by_the_second_person_or_the_page_says_why_not(
    desk: Desk, two: tuple[Account, httpx.AsyncClient]
) -> None:
    asker, client = two
    form = load_form(SERVICE)
    wish = Wish("window", form.hash[:12], "窗口满意度", "", "SVC", "2026-12-01", "",
                "Asia/Shanghai", "9", "14", "3,7", "5")  # fmt: skip
    request = await asked(desk, asker, CREATE, wish=wish.packed())
    path = f"{PAGE}/{request.id}/decide"
    chinese = await desk.seat(Role.OFFICER, login="bo", language="zh")
    refused = await post(chinese, path, {"agree": "yes"})
    assert refused.status_code == 409
    assert "现在不能执行，申请仍然有效。原因：" in refused.text
    assert re.search("原因：[^<]*[一-龥]", refused.text)
    await desk.store.write(lambda tx: tx.put_form(form.hash, "服务", form.source))
    assert (await post(client, path, {"agree": "yes"})).status_code == 303
    made = await desk.store.read(lambda tx: tx.campaign("window"))
    assert made is not None
    assert made.form == form.hash
    created = (await desk.audited("campaign."))[0]
    assert (created.action, created.name) == ("campaign.created", "Bo")
