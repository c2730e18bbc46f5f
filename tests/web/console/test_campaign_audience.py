"""The second page of a campaign in the making, and who its next wave would ask."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from desk.roles import Role
from surveys.cells import RaterGroup
from surveys.people import Kind, Person, Relation, Subject
from surveys.words import LANGUAGES
from tests.desk.asking import furnish
from tests.web.console.seats import Desk
from tests.web.console.test_campaigns import (
    NEW,
    WHAT,
    WHOM,
    make,
    open_wave,
    standing_in,
    step,
    walk,
)

AUDIENCE = {"units": "hall", "tags": "", "rest_days": "30", "sample": "8", "strata": "kind",
            "quotas": "; ; 9", "per_rater": "1", "per_subject": "6", "at_most": "10",
            "measure": "score", "points": "5", "confidence": "95", "response": "50"}  # fmt: skip


@pytest.fixture
async def fit(desk: Desk) -> Desk:
    """Windows of a hall, whose citizens rate both; one is called like a formula."""

    def hall(tx: Any) -> None:
        furnish(tx)
        tx.put_subjects([Subject("hall", {"zh": "大厅", "en": "Hall"})])
        tx.put_people(
            Person(f"c{n}", Kind.CITIZEN, "=1+1" if n == 3 else "", unit="hall", tags=("regular",))
            for n in range(12)
        )
        tx.put_relations([Relation("gone", "w2", RaterGroup.RECIPIENT)])

    await desk.store.write(hall)
    return desk


async def test_an_audience_is_typed_beside_its_numbers_and_made(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    await walk(client)
    await step(client, 2, WHOM | AUDIENCE, "3")
    page = (await client.get(f"{NEW}/2")).text
    kept = standing_in(page)
    wanted = {name: text for name, text in AUDIENCE.items() if name != "quotas"}
    assert {name: kept.get(name, "") for name in wanted} == wanted
    assert "; ; 9</textarea>" in page
    assert "Tags in use: regular" in page
    assert re.search(r"hall</span> Hall", page)
    assert "8 people" in page, "what would be asked together"
    check = (await client.get(f"{NEW}/4")).text
    assert "8 people would be asked for 8 ratings" in check
    assert "How many to draw at random: 8" in check
    made = await step(client, 4, {"id": "some"}, "create")
    assert made.headers["location"] == "/desk/campaigns/some"
    shown = (await client.get("/desk/campaigns/some")).text
    for told in ("Units, by id: hall", "Quotas: –; –; 9", "In proportion to: citizens and staff"):
        assert told in shown, told
    (entry,) = await fit.audited("campaign")
    for told in ('"sample":8', '"strata":"kind"', '"per_rater":1', '"units":["hall"]'):
        assert told in entry.after.replace(", ", ",").replace('": ', '":')


async def test_what_is_wrong_stands_beside_its_field_and_the_part_is_open(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    calm = (await client.get(f"{NEW}/2")).text
    assert "<details>" in calm
    assert "<details open>" not in calm
    await step(client, 2, WHOM | AUDIENCE | {"units": "nowhere", "per_subject": "2"}, "3")
    page = (await client.get(f"{NEW}/2?look=1")).text
    assert "<details open>" in page
    assert "There is no such unit: nowhere. There are: hall, w1, w2." in page
    assert 'id="wrong-per_subject"' in page
    assert f'href="{NEW}/2?look=1"' in (await client.get(f"{NEW}/4")).text


async def test_a_zero_and_a_line_that_takes_another_whole_are_refused_beside_their_fields(
    fit: Desk,
) -> None:
    client = await fit.seat(Role.OFFICER)
    page = (await client.get(f"{NEW}/2")).text
    assert "Unit and those below it" in page
    typed = AUDIENCE | {"sample": "0", "at_most": "0", "quotas": ";;9\nhall;;3"}
    await step(client, 2, WHOM | typed, "3")
    page = (await client.get(f"{NEW}/2?look=1")).text
    for name in ("sample", "at_most"):
        wrong = re.search(rf'id="wrong-{name}">([^<]*)<', page)
        assert wrong is not None
        assert "Write a whole number from 1 to" in wrong[1]
        assert standing_in(page)[name] == "0"
    assert "Nobody ever counts in &#39;hall; ; 3&#39;" in page


async def test_a_size_is_worked_out_and_taken_over_by_one_press(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    asked = WHOM | AUDIENCE | {"sample": "", "rest_days": "", "strata": "", "quotas": ""}
    answer = await step(client, 2, asked | {"points": "10"}, "size")
    assert answer.headers["location"] == f"{NEW}/2?look=1#size"
    page = (await client.get(f"{NEW}/2?look=1")).text
    assert "Of 12 people, answers needed: 7; people to ask: 14." in page
    assert "even if all are asked" in page
    await step(client, 2, asked | {"points": "15", "response": "100"}, "take")
    page = (await client.get(f"{NEW}/2?look=1")).text
    assert standing_in(page)["sample"] == "5"
    assert re.search(r"about 1\d\.\d points", page)
    await step(client, 2, asked | {"points": "no"}, "size")
    page = (await client.get(f"{NEW}/2?look=1")).text
    assert 'id="wrong-points"' in page


async def test_own_words_are_kept_and_refused_where_they_stand(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    words = {"messages_invite_zh": "\n请看 {title}", "messages_remind_en": "Dear {name}"}
    await step(client, 1, WHAT | words, "2")
    page = (await client.get(f"{NEW}/1?look=1")).text
    assert "请看 {title}</textarea>" in page
    assert 'id="wrong-messages_remind_en"' in page
    assert "{closes} (the last day), {days_left} and {k}" in page


# ---- who would be asked

PAGE = "/desk/campaigns/window/dry-run"


async def test_the_dry_run_tells_everybody_and_why_not(fit: Desk) -> None:
    await make(fit, sample="8")
    client = await fit.seat(Role.OFFICER)
    assert f'href="{PAGE}"' in (await client.get("/desk/campaigns/window")).text
    page = (await client.get(PAGE)).text
    assert "not planned yet" in page
    counts = dict(re.findall(r'fate=(\w+)"[^>]*>.*?<td class="number">(\d+)</td>', page))
    assert counts["opted_out"] == "1"
    assert counts["not_drawn"] == "4"
    assert int(counts["asked"]) + int(counts["no_address"]) == 8
    assert sum(map(int, counts.values())) == 13
    alone = (await client.get(f"{PAGE}?fate=opted_out")).text
    assert "gone" in alone
    assert "c1<" not in alone
    chinese = await (await fit.seat(Role.OFFICER, login="bo", language="zh")).get(PAGE)
    assert "没有抽中" in chinese.text


async def test_whom_the_cap_leaves_nobody_to_rate_is_not_said_to_be_undrawn(fit: Desk) -> None:
    await make(fit, per_subject="6")
    client = await fit.seat(Role.OFFICER)
    page = (await client.get(PAGE)).text
    counts = dict(re.findall(r'fate=(\w+)"[^>]*>.*?<td class="number">(\d+)</td>', page))
    assert "not_drawn" not in counts
    assert int(counts["enough_raters"]) > 0
    assert sum(map(int, counts.values())) == 13
    assert "have enough raters (the cap)" in (await client.get(f"{PAGE}?fate=enough_raters")).text


async def test_the_same_as_a_file_is_inert_and_stands_in_the_audit(fit: Desk) -> None:
    await make(fit)
    client = await fit.seat(Role.OFFICER)
    answer = await client.get(f"{PAGE}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "minyi-window-dry-run.csv" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["person", "name", "unit", "what", "rates", "first_message"]
    assert len(rows) == 14
    (formula,) = [row for row in rows if row[0] == "c3"]
    assert formula[1] == "'=1+1"
    assert formula[3:] == ["asked", "w1:SVC w2:SVC", "2026-12-10T09:00+08:00"]
    entry = (await fit.audited("campaign"))[-1]
    assert (entry.action, entry.what) == ("campaign.foreseen", "campaign:window")


async def test_only_those_who_run_campaigns_may_see_who_would_be_asked(fit: Desk) -> None:
    await make(fit)
    for role in (Role.AUDITOR, Role.SUPERVISOR, Role.HANDLER):
        client = await fit.seat(role)
        for path in (PAGE, f"{PAGE}.csv"):
            assert (await client.get(path)).status_code == 403
        assert PAGE not in (await client.get("/desk/campaigns/window")).text
    officer = await fit.seat(Role.OFFICER)
    assert (await officer.get("/desk/campaigns/x/dry-run")).status_code == 404


async def test_many_people_come_a_page_at_a_time(fit: Desk) -> None:
    def crowd(tx: Any) -> None:
        tx.put_people(Person(f"d{n:03}", Kind.CITIZEN, f"N{n}") for n in range(120))
        tx.put_relations(Relation(f"d{n:03}", "w1", RaterGroup.RECIPIENT) for n in range(120))

    await fit.store.write(crowd)
    await make(fit)
    await open_wave(fit)
    client = await fit.seat(Role.OFFICER)
    first, second = [(await client.get(f"{PAGE}?page={n}")).text for n in (1, 2)]
    assert "d050" in first
    assert "d119" not in first
    assert "d119" in second
    assert (await client.get(f"{PAGE}?page=9&fate=nonsense")).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_fate_and_choice_is_said_in_both_languages(fit: Desk, language: str) -> None:
    await make(fit, quotas=";;5", sample="3")
    client = await fit.seat(Role.OFFICER, language=language)
    for path in (PAGE, f"{NEW}/2", f"{NEW}/1"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "campaigns." not in page.text.split("<main")[1]
