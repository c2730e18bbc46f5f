from __future__ import annotations

from desk.roles import Role
from tests.web.console.seats import Desk, post

PAGE = "/desk/settings/days"


async def test_a_years_holidays_and_make_up_days_stand_there_in_both_languages(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    shown = (await client.get(f"{PAGE}?year=2026")).text
    assert "2026年10月10日" in shown
    assert "国庆节" in shown
    english = await desk.seat(Role.AUDITOR, language="en")
    assert "National Day" in (await english.get(f"{PAGE}?year=2026")).text


async def test_a_year_that_is_not_announced_says_so(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    assert "还没有公布" in (await client.get(f"{PAGE}?year=2031")).text
    assert "还没有公布" not in (await client.get(f"{PAGE}?year=2025")).text


async def test_a_day_is_entered_and_taken_back_and_the_audit_knows(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    fields = {"day": "2031-02-09", "works": "yes", "name": "春节后补班"}
    answer = await post(client, PAGE, fields)
    assert answer.status_code == 303
    shown = (await client.get(f"{PAGE}?year=2031")).text
    assert "春节后补班" in shown
    assert "本单位填的" in shown
    answer = await post(client, f"{PAGE}/drop", {"day": "2031-02-09"})
    assert answer.status_code == 303
    assert "春节后补班" not in (await client.get(f"{PAGE}?year=2031")).text


async def test_what_is_no_day_is_refused_where_it_stands(desk: Desk) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    answer = await post(client, PAGE, {"day": "2031-02-30", "works": "no", "name": "x"})
    assert answer.status_code == 422
    assert "wrong-day" in answer.text


async def test_one_day_announces_no_year_and_the_tick_does_until_it_is_taken_back(
    desk: Desk,
) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    await post(client, PAGE, {"day": "2031-02-09", "works": "yes", "name": "补班"})
    assert "还没有公布" in (await client.get(f"{PAGE}?year=2031")).text
    answer = await post(client, f"{PAGE}/whole", {"year": "2031", "whole": "yes"})
    assert answer.status_code == 303
    shown = (await client.get(f"{PAGE}?year=2031")).text
    assert "还没有公布" not in shown
    assert "请对照国家公布的安排核对" in shown
    assert "还没有公布" in (await client.get(f"{PAGE}?year=2032")).text
    await post(client, f"{PAGE}/whole", {"year": "2031"})
    assert "还没有公布" in (await client.get(f"{PAGE}?year=2031")).text
    entries = await desk.audited("calendar.whole")
    assert [entry.what for entry in entries] == ["calendar:2031"] * 2
    assert {entry.after for entry in entries} == {'{"whole":true}', '{"whole":false}'}


async def test_a_published_year_needs_no_tick_and_no_other_year_is_ticked_by_mistake(
    desk: Desk,
) -> None:
    client = await desk.seat(Role.OFFICER, language="zh")
    assert 'name="whole"' not in (await client.get(f"{PAGE}?year=2025")).text
    assert 'name="whole"' in (await client.get(f"{PAGE}?year=2031")).text
    for year in ("", "1999", "soon"):
        answer = await post(client, f"{PAGE}/whole", {"year": year, "whole": "yes"})
        assert answer.status_code == 404
    auditor = await desk.seat(Role.AUDITOR, language="zh")
    assert 'name="whole"' not in (await auditor.get(f"{PAGE}?year=2031")).text
