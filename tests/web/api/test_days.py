"""The calendar's years, as programs say them."""

from __future__ import annotations

from tests.web.api.stocked import program
from tests.web.console.seats import Desk


async def test_a_year_is_announced_once_its_notice_is_entered_whole(desk: Desk) -> None:
    client = await program(desk)
    told = (await client.get("/calendar/2031")).json()
    assert told == {"year": 2031, "announced": False, "whole": False}
    ticked = await client.send("PUT", "/calendar/2031", json={"whole": True})
    assert ticked.json() == {"year": 2031, "announced": True, "whole": True}
    assert (await client.get("/calendar/2032")).json()["announced"] is False
    back = await client.send("PUT", "/calendar/2031", json={"whole": False})
    assert back.json()["announced"] is False
    assert (await client.send("PUT", "/calendar/2031", json={})).status_code in (400, 422)
    assert len(await desk.audited("calendar.whole")) == 2
