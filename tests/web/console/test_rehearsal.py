"""A campaign rehearsed from its page: begun, watched, and read in both languages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from desk.campaigns.rehearsing import LASTS, LEASE, Report, Script, TooLongError
from desk.roles import Grant, Role
from desk.store import WorkState
from desk.works import Moved
from minyi.rehearsing import rehearser
from minyi.settings import Settings
from storage import SqlStore
from tests.desk.asking import furnish
from tests.web.console.seats import Desk, desk_on, post
from tests.web.console.test_campaigns import make

PAGE = "/desk/campaigns/window/rehearse"
FIELDS = {"response": "50", "people": "100", "seed": "3"}


class Troupe:
    """Plays for real, unless told to wait or to fail."""

    def __init__(self) -> None:
        self.play = rehearser(Settings.model_validate({}))
        self.gate: asyncio.Event | None = None
        self.failure: Exception | None = None

    async def __call__(self, script: Script, moved: Moved) -> Report:
        moved("rehearsing", 3, 15)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return await self.play(script, moved)


@pytest.fixture
def troupe() -> Troupe:
    return Troupe()


@pytest.fixture
async def fit(sqlite_url: str, troupe: Troupe) -> AsyncIterator[Desk]:
    """A desk that rehearses; two windows, twelve citizens, half of them by Telegram."""
    store = SqlStore(sqlite_url)
    made = desk_on(store, rehearse=troupe)
    await store.write(furnish)
    await make(made)
    yield made
    await made.console.works.close()
    for client in made.opened:
        await client.aclose()
    await store.close()


async def begun(client: httpx.AsyncClient, **fields: str) -> httpx.Response:
    return await post(client, PAGE, FIELDS | fields, page=PAGE)


async def ended(desk: Desk, answer: httpx.Response) -> str:
    """The address of the work, once it has ended."""
    assert answer.status_code == 303, answer.text
    where = answer.headers["location"]
    await desk.console.works.settled(where.rpartition("/")[2], 60)
    return str(where)


def told(page: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page)
    assert found is not None, name
    return found[1]


async def test_it_is_begun_on_the_campaigns_page_and_tells_what_it_showed(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    assert f'href="{PAGE}"' in (await client.get("/desk/campaigns/window")).text
    asked = (await client.get(PAGE)).text
    assert "it asks 12 people" in asked
    where = await ended(fit, await begun(client))
    page = (await client.get(where)).text
    assert told(page, "Would be asked") == (
        "12 people, 24 ratings, 2 subjects; a message can reach 6 people"
    )
    assert told(page, "Response rate \\(RR1\\)") == "25.0 %", "half of the six whom it can reach"
    assert told(page, "Subjects with a result of their own") == "0 of 2"
    assert told(page, "Of these in quiet hours") == "0"
    assert "1号窗口" not in page
    assert "Window 1, Window 2" in page, "those without a result of their own, by name"
    assert "Invitation" in page
    assert "Question by question" in page
    assert '<a href="/desk/campaigns/window">window</a>' not in page, "its title leads back"
    heads = re.findall(r'class="number">([^<]*)</th>', page)
    assert heads[2:6] == ["Arrived", "Blocked", "Not sent", "Not needed"]
    chinese = await (await fit.seat(Role.OFFICER, language="zh")).get(where)
    assert told(chinese.text, "会问到").startswith("12 人，24 次评价")
    assert "1号窗口、2号窗口" in chinese.text
    [entry] = await fit.audited("campaign.rehearsed")
    assert (entry.who, entry.what) == ("a-officer", "campaign:window")
    assert entry.after == '{"people":100,"response":50,"seed":3}'
    assert await fit.store.read(lambda tx: tx.waves()) == []


async def test_while_it_goes_on_it_says_how_far_and_no_other_begins(
    fit: Desk, troupe: Troupe
) -> None:
    client = await fit.seat(Role.OFFICER)
    troupe.gate = asyncio.Event()
    answer = await begun(client)
    where = answer.headers["location"]
    page = (await client.get(where)).text
    assert "day 3 of 15" in page
    assert 'http-equiv="refresh"' in page, "without JavaScript too"
    assert "day 3 of 15" in (await client.get(f"{where}/now")).text
    busy = await begun(client)
    assert busy.status_code == 422
    assert "Another rehearsal is under way" in busy.text
    troupe.gate.set()
    await ended(fit, answer)
    assert "Response rate" in (await client.get(where)).text
    await ended(fit, await begun(client))


async def test_what_is_typed_wrongly_stands_beside_its_field(fit: Desk) -> None:
    client = await fit.seat(Role.OFFICER)
    answer = await begun(client, response="0", people="2001", seed="²")
    assert answer.status_code == 422
    for field in ("response", "people", "seed"):
        assert f'id="wrong-{field}"' in answer.text
        assert f"wrong-{field}" in answer.text.split(f'name="{field}"')[1].split(">")[0]
    assert 'value="2001"' in answer.text, "what was typed stays"
    assert await fit.audited("campaign.rehearsed") == []


@pytest.mark.parametrize(
    ("failure", "said"),
    [(TooLongError(), "It took too long"), (ValueError("words"), "Something went wrong")],
)
async def test_one_that_came_to_nothing_says_so_and_another_may_begin(
    fit: Desk, troupe: Troupe, failure: Exception, said: str
) -> None:
    client = await fit.seat(Role.OFFICER)
    troupe.failure = failure
    where = await ended(fit, await begun(client))
    page = (await client.get(where)).text
    assert said in page
    assert "words" not in page
    work = await fit.store.read(lambda tx: tx.work(where.rpartition("/")[2]))
    assert work is not None
    assert work.state is WorkState.FAILED
    now = fit.clock()
    assert await fit.store.write(lambda tx: tx.take_lease(LEASE, "me", now, now + LASTS))


async def test_only_those_who_run_campaigns_rehearse_and_read_it(fit: Desk) -> None:
    officer = await fit.seat(Role.OFFICER)
    where = await ended(fit, await begun(officer))
    for role in (Role.AUDITOR, Role.SUPERVISOR, Role.HANDLER):
        client = await fit.seat(role)
        assert (await client.get(PAGE)).status_code == 403
        assert PAGE not in (await client.get("/desk/campaigns/window")).text
        assert (await client.get(where)).status_code == 404
    other = await fit.seat(Role.OFFICER, login="other")
    assert (await other.get(where)).status_code == 404
    assert (await officer.get("/desk/campaigns/x/rehearse")).status_code == 404

    def demoted(tx: Any) -> None:
        tx.put_account(replace(tx.account("a-officer"), grants=(Grant(Role.AUDITOR),)))

    await fit.store.write(demoted)
    assert (await officer.get(where)).status_code == 403
