"""What the operations do: the desk's own functions, told as the API tells things."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook

from desk.roles import May, Role
from tests.web.api.stocked import FORM, ROOT, program
from tests.web.console.seats import Desk

CSV = {"Content-Type": "text/csv"}
MARKDOWN = {"Content-Type": "text/markdown"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WISH: dict[str, Any] = {
    "id": "spring",
    "title": {"zh": "春季评价", "en": "Spring"},
    "form": FORM.hash[:12],
    "groups": ["SVC"],
    "starts": "2027-03-01",
    "days": 10,
    "reminders": [3],
}


async def test_a_unit_is_added_changed_and_read(desk: Desk) -> None:
    client = await program(desk)
    made = await client.send(
        "PUT", "/subjects/parks", json={"name": {"zh": "公园处"}, "parent": "city"}
    )
    assert made.status_code == 201
    assert made.json() == {
        "id": "parks", "name": {"zh": "公园处", "en": ""}, "kind": "unit", "parent": "city",
        "rating_class": "unit",
    }  # fmt: skip
    again = await client.send(
        "PUT", "/subjects/parks", json={"name": {"zh": "公园处", "en": "Parks"}}
    )
    assert again.status_code == 200
    assert (await client.get("/subjects/parks")).json()["parent"] is None
    entry = (await desk.audited("roster.imported"))[-1]
    assert entry.origin == f"token {client.token.id} at 203.0.113.7"


async def test_a_unit_under_a_unit_that_is_not_there_is_refused(desk: Desk) -> None:
    client = await program(desk)
    wish = {"name": {"zh": "公园处"}, "parent": "nowhere"}
    answer = await client.send("PUT", "/subjects/parks", json=wish)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "cells")
    assert problem["errors"][0]["column"] == "parent"
    assert (await client.get("/subjects/parks")).status_code == 404


async def test_a_person_is_changed_and_asked_no_more(desk: Desk) -> None:
    client = await program(desk)
    changed = await client.send("PATCH", "/people/p01", json={"name": "李四", "unit": None})
    assert changed.json()["name"] == "李四"
    assert changed.json()["unit"] is None
    assert changed.json()["kind"] == "staff"
    wrong = await client.send("PATCH", "/people/p01", json={"unit": "nowhere"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "#/unit"
    out = await client.send("POST", "/people/p01/opt-out")
    assert out.json()["opted_out"] is True
    assert (await client.send("POST", "/people/nobody/opt-out")).status_code == 404
    actions = [entry.action for entry in await desk.audited("person")]
    assert actions == ["person.edited", "person.opted_out"]


async def test_tags_zone_and_having_left_are_changed_alone_and_cleared(desk: Desk) -> None:
    client = await program(desk)
    before = (await client.get("/people/p01")).json()
    change = {"tags": ["夜班", "night"], "zone": "Asia/Urumqi", "left": True}
    changed = (await client.send("PATCH", "/people/p01", json=change)).json()
    assert changed == {**before, "tags": ["night", "夜班"], "zone": "Asia/Urumqi", "left": True}
    [entry] = await desk.audited("person")
    assert entry.after == '{"fields":["left","tags","zone"]}'
    back: dict[str, object] = {"tags": [], "zone": None, "left": False}
    assert (await client.send("PATCH", "/people/p01", json=back)).json() == before
    wrong = await client.send("PATCH", "/people/p01", json={"zone": "Peking"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/zone")
    for bad in ({"tags": ["a,b"]}, {"tags": ['a"b']}, {"left": "yes"}, {"tags": "night"}):
        answer = await client.send("PATCH", "/people/p01", json=bad)
        assert answer.status_code in {400, 422}, bad


async def test_a_table_may_be_the_whole_roster(desk: Desk) -> None:
    """p01 and those like them are listed; whoever the table leaves out has left."""
    client = await program(desk)
    listed = (await client.get("/people?limit=100")).json()["items"]
    staying = [{"id": each["id"], "kind": each["kind"]} for each in listed]
    refused = await client.send("POST", "/imports/people?whole=true", json={"rows": staying[:1]})
    assert refused.status_code == 422, "nearly everybody would have left"
    assert (await client.get(f"/people/{staying[1]['id']}")).json()["left"] is False
    address = "/imports/people?whole=true&many_left=true"
    dry = await client.send("POST", f"{address}&dry_run=true", json={"rows": staying[:1]})
    assert (dry.json()["left"], dry.json()["written"]) == (len(staying) - 1, False)
    done = await client.send("POST", address, json={"rows": staying[:1]})
    assert (done.json()["left"], done.json()["written"]) == (len(staying) - 1, True)
    assert (await client.get(f"/people/{staying[1]['id']}")).json()["left"] is True
    again = await client.send("POST", "/imports/people?whole=true", json={"rows": staying})
    assert again.json()["left"] == 0
    assert (await client.get(f"/people/{staying[1]['id']}")).json()["left"] is False


@pytest.mark.parametrize("whole", ["", "&whole=false"])
async def test_that_many_have_left_is_said_of_a_whole_roster_only(desk: Desk, whole: str) -> None:
    """Not passed over in silence: whoever sends it believes that somebody will leave."""
    client = await program(desk)
    rows = {"rows": [{"id": "q1", "kind": "staff"}]}
    for address in ("/imports/people", "/imports/people?dry_run=true"):
        joined = "&" if "?" in address else "?"
        sent = f"{address}{joined}many_left=true{whole}"
        refused = await client.send("POST", sent, json=rows)
        assert refused.status_code == 422
        [error] = refused.json()["errors"]
        assert error["parameter"] == "many_left"
        assert "whole=true" in error["detail"]
    assert (await client.get("/people/q1")).status_code == 404
    fine = await client.send("POST", "/imports/people?many_left=false", json=rows)
    assert fine.status_code == 200


async def test_rows_come_in_as_json_as_csv_and_as_a_workbook(desk: Desk) -> None:
    client = await program(desk)
    rows = {"rows": [{"id": "q1", "kind": "staff", "name": "王五", "unit": "tax"}]}
    answer = await client.send("POST", "/imports/people", json=rows)
    assert answer.json() == {
        "table": "people", "added": 1, "changed": 0, "unchanged": 0, "left": 0, "leavers": [],
        "written": True, "notes": [],
    }  # fmt: skip
    table = "编号,身份,colour\nq1,干部,red\nq2,群众,blue\n".encode()
    answer = await client.send("POST", "/imports/people", content=table, headers=CSV)
    assert (answer.json()["added"], answer.json()["unchanged"]) == (1, 1)
    assert "colour" in answer.json()["notes"][0]
    book = Workbook()
    assert book.active is not None
    for line in (["id", "kind"], ["q3", "staff"]):
        book.active.append(line)
    file = BytesIO()
    book.save(file)
    sent = {"content": file.getvalue(), "headers": {"Content-Type": XLSX}}
    dry = await client.send("POST", "/imports/people?dry_run=true", **sent)
    assert (dry.json()["added"], dry.json()["written"]) == (1, False)
    assert (await client.get("/people/q3")).status_code == 404
    await client.send("POST", "/imports/people", **sent)
    assert (await client.get("/people/q3")).status_code == 200


async def test_every_bad_cell_is_told_and_no_row_is_taken(desk: Desk) -> None:
    client = await program(desk, language="zh")
    rows = {"rows": [{"id": "q1", "kind": "staff"}, {"id": "q 2", "kind": "robot"}]}
    answer = await client.send("POST", "/imports/people", json=rows)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "cells")
    assert [each["pointer"] for each in problem["errors"]] == ["#/rows/1/id", "#/rows/1/kind"]
    assert "不能用作编号" in problem["errors"][0]["detail"]
    assert (await client.get("/people/q1")).status_code == 404
    table = await client.send("POST", "/imports/people", content=b"id,kind\nq1,robot", headers=CSV)
    assert table.json()["errors"][0]["row"] == 2


async def test_tables_come_in_one_at_a_time_and_too_many_at_once_are_sent_away(desk: Desk) -> None:
    client = await program(desk)
    body = b"id,kind\n" + b"".join(b"n%d,staff\n" % number for number in range(300))
    answers = await asyncio.gather(
        *(client.send("POST", "/imports/people", content=body, headers=CSV) for _ in range(8))
    )
    good = [answer.json() for answer in answers if answer.status_code == 200]
    away = [answer for answer in answers if answer.status_code == 503]
    assert sorted(each["added"] for each in good) == [0, 0, 300]
    assert len(away) == 5
    assert {(each.json()["code"], each.headers["Retry-After"]) for each in away} == {("full", "20")}
    again = await client.send("POST", "/imports/people", content=body, headers=CSV)
    assert again.json()["unchanged"] == 300


async def test_a_roster_that_will_not_hold_still_is_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.transaction import SqlTransaction

    client = await program(desk)
    monkeypatch.setattr(SqlTransaction, "change_people", lambda tx, pairs: 0)
    answer = await client.send("POST", "/imports/people", content=b"id,kind\nq1,staff", headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (409, "state")
    assert "nothing was written" in answer.json()["detail"]
    assert (await client.get("/people/q1")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 422), (b"PK\x03\x04 no zip", 422), (b"%PDF-1.7", 422), (b"id\n", 422)],
)
async def test_a_file_that_is_no_table_is_refused(desk: Desk, body: bytes, status: int) -> None:
    client = await program(desk)
    answer = await client.send("POST", "/imports/people", content=body, headers=CSV)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_an_import_under_a_key_is_done_once(desk: Desk) -> None:
    client = await program(desk)
    headers = {"Idempotency-Key": "import-1"}
    rows = {"rows": [{"id": "q1", "kind": "staff"}]}
    first = await client.send("POST", "/imports/people", json=rows, headers=headers)
    second = await client.send("POST", "/imports/people", json=rows, headers=headers)
    assert first.content == second.content
    assert second.json()["added"] == 1
    assert len(await desk.audited("roster.imported")) == 1


async def test_a_questionnaire_is_checked_kept_and_given_back(desk: Desk) -> None:
    client = await program(desk)
    source = (ROOT / "questionnaires" / "leadership.md").read_bytes()
    dry = await client.send(
        "POST", "/questionnaires?dry_run=true", content=source, headers=MARKDOWN
    )
    assert (dry.status_code, dry.json()["kept"]) == (200, False)
    made = await client.send("POST", "/questionnaires", content=source, headers=MARKDOWN)
    assert made.status_code == 201, made.text
    assert (made.json()["new"], made.json()["errors"]) == (True, 0)
    version = made.json()["version"]
    again = await client.send("POST", "/questionnaires", content=source, headers=MARKDOWN)
    assert (again.status_code, again.json()["new"]) == (200, False)
    kept = (await client.get(f"/questionnaires/{version}")).json()
    assert kept["languages"] == ["zh", "en"]
    xform = await client.get(f"/questionnaires/{version}/xform")
    assert xform.headers["content-type"] == "application/xml"
    assert b"<h:html" in xform.content
    assert len((await client.get("/questionnaires")).json()["items"]) == 2


async def test_a_questionnaire_with_errors_is_refused_with_each_of_them(desk: Desk) -> None:
    client = await program(desk)
    broken = (ROOT / "questionnaires" / "service.md").read_text("utf-8").replace("${", "${no_")
    answer = await client.send("POST", "/questionnaires", content=broken.encode(), headers=MARKDOWN)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "questionnaire")
    assert problem["findings"][0]["what"]["zh"]
    assert problem["findings"][0]["severity"] == "error"
    assert problem["errors"]
    assert len((await client.get("/questionnaires")).json()["items"]) == 1


async def test_a_campaign_is_made_paused_resumed_and_closed(desk: Desk) -> None:
    client = await program(desk)
    made = await client.send("POST", "/campaigns", json=WISH)
    assert made.status_code == 201, made.text
    assert made.json()["form"] == FORM.hash
    assert made.json()["title"] == {"zh": "春季评价", "en": "Spring"}
    other = await client.send("POST", "/campaigns", json={**WISH, "days": 11})
    assert (other.status_code, other.json()["code"]) == (409, "exists")
    paused = await client.send("POST", "/campaigns/spring/pause")
    assert paused.json()["state"] == "paused"
    assert (await client.send("POST", "/campaigns/spring/resume")).json()["state"] == "running"
    wave = (await client.get("/waves/window.1")).json()
    assert (wave["state"], wave["asked"], wave["complete"]) == ("open", 10, None)
    closed = await client.send("POST", "/campaigns/window/close")
    assert closed.status_code == 200
    assert closed.json()["state"] == "paused"
    assert (await client.send("POST", "/campaigns/nowhere/pause")).status_code == 404


async def test_an_open_wave_is_extended_by_days_or_told_why_not(desk: Desk) -> None:
    client = await program(desk)
    before = (await client.get("/waves/window.1")).json()
    assert before["outcomes"]["people"] == 10  # of 12: told in tens
    assert before["outcomes"]["rates"] is None
    assert set(before["outcomes"]["numbers"].values()) == {None}
    for days in (0, 31, "7"):
        wrong = await client.send("POST", "/campaigns/window/extend", json={"days": days})
        assert wrong.status_code == 400
    meets = await client.send("POST", "/campaigns/window/extend", json={"days": 30})
    assert meets.status_code == 422
    assert meets.json()["errors"][0]["pointer"] == "#/days"
    assert "The next wave opens" in meets.json()["errors"][0]["detail"]

    def later(tx: Any) -> None:
        far = desk.clock() + timedelta(days=60)
        wave = replace(tx.wave("window.0"), opens_at=far, closes_at=far + timedelta(days=9))
        tx.put_wave(wave)

    await desk.store.write(later)
    done = await client.send("POST", "/campaigns/window/extend", json={"days": 5})
    assert (done.status_code, done.json()["state"]) == (200, "open")
    after = (await client.get("/waves/window.1")).json()
    assert after["closes_at"] > before["closes_at"]
    none = await client.send("POST", "/campaigns/yearly/extend", json={"days": 5})
    assert none.status_code == 422
    assert "No wave is open" in none.json()["errors"][0]["detail"]


async def test_what_is_wrong_with_a_campaign_is_pointed_at(desk: Desk) -> None:
    client = await program(desk)
    wish = {**WISH, "form": "f" * 64, "zone": "Mars/Olympus", "title": {}, "starts": "2027-02-30"}
    answer = await client.send("POST", "/campaigns", json=wish)
    assert answer.status_code == 422
    pointers = {each["pointer"] for each in answer.json()["errors"]}
    assert pointers == {"#/form", "#/zone", "#/title/zh", "#/starts"}


async def test_a_quota_that_never_counts_is_pointed_at(desk: Desk) -> None:
    client = await program(desk)
    quotas = [{"people": 9}, {"tag": "", "unit": "demo", "people": 3}]
    answer = await client.send("POST", "/campaigns", json={**WISH, "audience": {"quotas": quotas}})
    assert answer.status_code == 422
    faults = {each["pointer"]: each["detail"] for each in answer.json()["errors"]}
    assert "Nobody ever counts" in faults["#/audience/quotas"]


async def test_a_campaign_that_is_over_is_neither_paused_nor_resumed(desk: Desk) -> None:
    client = await program(desk)
    once = {**WISH, "recurrence": "FREQ=DAILY;COUNT=1", "starts": f"{desk.clock():%Y-%m-%d}"}
    assert (await client.send("POST", "/campaigns", json=once)).status_code == 201
    desk.clock.on(days=20)
    again = await client.send("POST", "/campaigns/spring/resume")
    assert (again.status_code, again.json()["state"]) == (200, "over"), "as it is already"
    answer = await client.send("POST", "/campaigns/spring/pause")
    assert answer.status_code == 422
    assert "no further wave" in answer.json()["errors"][0]["detail"]
    assert (await client.get("/campaigns/spring")).json()["state"] == "over"


async def test_a_large_campaign_waits_for_a_second_person(desk: Desk) -> None:
    large = replace(desk.console, approval_above=5)
    desk.app.state.console = large
    for route in desk.app.routes:
        inner = getattr(route, "app", None)
        if getattr(route, "path", "") == "/api/v1":
            inner.state.console = large  # type: ignore[union-attr]
    officer = await program(desk, Role.OFFICER)
    asked = await officer.send("POST", "/campaigns", json=WISH)
    assert asked.status_code == 202
    request = asked.json()
    assert (request["action"], request["decision"]) == ("campaign.create", "open")
    path = f"/approvals/{request['id']}/decision"
    own = await officer.send("POST", path, json={"agree": True})
    assert (own.status_code, own.json()["code"]) == (403, "own_request")
    reading = await program(desk, scopes=(May.APPROVALS_READ,))
    weak = await reading.send("POST", path, json={"agree": True})
    assert (weak.status_code, weak.json()["needed"]) == (403, "campaigns.write")
    second = await program(desk)
    done = await second.send("POST", path, json={"agree": True, "note": "好"})
    assert done.json()["decision"] == "approved"
    assert (await second.get("/campaigns/spring")).status_code == 200
    late = await second.send("POST", path, json={"agree": True})
    assert (late.status_code, late.json()["code"]) == (409, "state")
    waiting = (await second.get("/approvals?open=true")).json()["items"]
    assert [each["what"] for each in waiting] == ["campaign:large"]


async def test_the_audit_comes_in_pages_and_through_filters(desk: Desk) -> None:
    client = await program(desk)
    page = (await client.get("/audit?limit=2")).json()
    seen = [each["seq"] for each in page["items"]]
    while page["next"]:
        page = (await client.http.get(page["next"])).json()
        seen += [each["seq"] for each in page["items"]]
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 1
    mine = (await client.get("/audit?action=token")).json()["items"]
    assert {each["action"] for each in mine} == {"token.made"}
    assert client.secret not in str(mine)


async def test_results_are_given_exactly_as_they_were_published(desk: Desk) -> None:
    import json

    from tests.web.published import publications

    client = await program(desk)
    assert (await client.get("/results")).json()["items"] == [
        {"period": "2025Q4", "cards": 6}, {"period": "2026Q1", "cards": 6},
    ]  # fmt: skip
    stored = {card["subject"]: card for card in json.loads(publications()["2026Q1"])}
    for card in (await client.get("/results/2026Q1")).json()["items"]:
        assert card == stored[card["subject"]]
    assert (await client.get("/results/2031Q1")).status_code == 404


async def test_what_leaves_by_the_api_stands_in_the_audit_once_a_day_for_each_token(
    desk: Desk,
) -> None:
    client = await program(desk, Role.AUDITOR)
    for _ in range(3):
        for path in ("/audit", "/results/2026Q1", "/results/2026Q1/clinic", "/results"):
            assert (await client.get(path)).status_code == 200
    origin = f"token {client.token.id} at 203.0.113.7"
    taken = [
        (e.action, e.what, e.origin, e.after)
        for e in await desk.audited()
        if "exported" in e.action
    ]
    assert taken == [
        ("audit.exported", "audit:chain", origin, '{"format":"api"}'),
        ("results.exported", "results:2026Q1", origin,
         '{"format":"api","periods":["2026Q1"],"tables":["scorecards"]}'),
    ]  # fmt: skip
    await client.get("/results/2025Q4")
    other = await program(desk, Role.AUDITOR)
    await other.get("/results/2026Q1")
    desk.clock.on(days=1)
    await client.get("/results/2026Q1")
    later = [(e.what, e.origin == origin) for e in await desk.audited("results.exported")]
    assert later == [("results:2026Q1", True), ("results:2025Q4", True),
                     ("results:2026Q1", False), ("results:2026Q1", True)]  # fmt: skip


async def test_a_hook_is_made_changed_and_removed(desk: Desk) -> None:
    client = await program(desk)
    wish = {"url": "https://two.example/x?key=hidden", "events": ["wave.tallied", "wave.opened"]}
    made = (await client.send("POST", "/hooks", json=wish)).json()
    assert made["secret"].startswith("whsec_")
    path = f"/hooks/{made['id']}"
    kept = (await client.get(path)).json()
    assert "secret" not in kept
    assert kept["events"] == ["wave.opened", "wave.tallied"]
    changed = await client.send("PATCH", path, json={"disabled": True})
    assert changed.json()["disabled"] is True
    assert changed.json()["url"] == wish["url"]
    renewed = (await client.send("POST", f"{path}/secret")).json()
    assert renewed["secret"] != made["secret"]
    assert (await client.send("DELETE", path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    told = str(await desk.audited("hook"))
    assert "two.example" in told
    assert "hidden" not in told
    assert "whsec_" not in told


async def test_long_work_is_shown_to_whoever_began_it_alone(desk: Desk) -> None:
    owner, other = await program(desk), await program(desk, Role.OFFICER)
    assert (await owner.get("/works/w1")).json()["done"] == 1
    assert (await other.get("/works/w1")).status_code == 404
