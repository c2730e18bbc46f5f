"""A service system tells of visits over HTTP; those served rate; the wave is counted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from desk.accounts import Account
from desk.audit import Act, seal_key
from desk.connections import tokens
from desk.fieldwork import fieldwork
from desk.roles import Grant, May, Role
from minyi import steps
from minyi.conversing import QUESTIONNAIRES
from minyi.house import House
from storage import FileKeyring, SqlStore
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.forms.label_media import put_questionnaire
from surveys.forms.xlsform import load_form
from surveys.people import Address, Subject
from surveys.reply import Tapped, Typed
from surveys.visiting import digest_of
from tests.minyi.conftest import Minyi
from tests.minyi.test_steps import house_on
from tests.transcripts.browser import Browser
from tests.transcripts.script import Pressed
from tests.transcripts.serving import serving
from web.app import create_app
from web.console.console import Console

NOW = datetime(2026, 12, 12, 4, 20, tzinfo=UTC)
CLOSED = NOW + timedelta(days=14)
HAPPY = ("非常满意", "满意", "满意")


@dataclass
class Counter:
    """A service system with its token, and the site it talks to."""

    house: House
    system: httpx.AsyncClient
    url: str
    stack: AsyncExitStack

    async def served(self, number: int) -> dict[str, Any]:
        """Somebody was served, twice told because the first answer was lost."""
        headers = {"Idempotency-Key": f"visit-{number}"}
        wish = {"subject": "desk", "hours": 24}
        told = [
            await self.system.post("/api/v1/visits", json=wish, headers=headers) for _ in range(2)
        ]
        assert [each.status_code for each in told] == [201, 201]
        assert told[0].content == told[1].content
        made: dict[str, Any] = told[0].json()
        return made

    async def rate(self, link: str) -> list[str]:
        """Open ``link`` in a browser of one's own and answer; the messages read."""
        client = httpx.AsyncClient(
            base_url=self.url, follow_redirects=True, headers={"Accept-Language": "zh"}
        )
        visitor = Browser(await self.stack.enter_async_context(client))
        shown = [*visitor._read(await client.get(link), "")]
        for answer in ("开始", *HAPPY):  # the link asks for one tap before it is used up
            if any(answer in label for row in shown[-1].rows for label in row):
                [label] = [each for row in shown[-1].rows for each in row if _bare(each) == answer]
                shown += await visitor.do(Pressed(label))
        return [each.text for each in shown]


def _bare(label: str) -> str:
    return label.lstrip("☐☑12345 ")


@pytest.fixture
async def counter(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """A wave that asks those who were served, and a token that opens nothing but visits."""
    store = SqlStore(database_url)
    house = await house_on(store, tmp_path)
    form, key = load_form(QUESTIONNAIRES / "service.md"), house.keyring.new_wave("w")
    account = Account("a-1", "system", "System", NOW, (Grant(Role.OFFICER),))
    act = Act("operator:test", "operator:test", "terminal", NOW, seal_key(house.keyring.app_key()))

    def furnish(tx: Any) -> str:
        put_questionnaire(tx, form, {})
        tx.put_subjects([Subject("desk", {"zh": "户籍窗口", "en": "Registration"})])
        tx.put_campaign(
            Campaign("q", {"zh": "满意度"}, form.hash, (RaterGroup.RECIPIENT,), date(2026, 12, 1))
        )
        tx.put_wave(Wave("w", "q", "2026Q4", NOW, CLOSED, key, WaveState.OPEN))
        tx.put_account(account)
        secret: str = tokens.make(tx, act, account, "queue", (May.VISITS_WRITE,), 90)[1]
        return secret

    secret = await store.write(furnish)
    console = Console(store, lambda: NOW, house.keyring.app_key(), ZoneInfo("Asia/Shanghai"))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(
            serving(
                lambda url: create_app(
                    house.conversation, store, clock=lambda: NOW, public_url=url,
                    bot_username="minyi_bot", console=console,
                )
            )
        )  # fmt: skip
        system = httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {secret}"})
        yield Counter(house, await stack.enter_async_context(system), url, stack)
    await store.close()


async def test_from_the_counter_to_the_cell_each_visit_counts_once(counter: Counter) -> None:
    links = [await counter.served(number) for number in range(7)]
    for made in links[:6]:
        said = await counter.rate(made["browser_url"])
        assert "户籍窗口" in said[0]
        assert "密封投入票箱" in said[-1]
    for made in links[:6]:  # the link goes round
        said = await counter.rate(made["browser_url"])
        assert "已经用过了" in said[-1]
    assert links[6]["telegram_url"].startswith("https://t.me/minyi_bot?start=")
    await _rate_in_telegram(counter.house, links[6]["telegram_url"].partition("=")[2])
    assert "已经用过了" in (await counter.rate(links[6]["browser_url"]))[-1]

    store = counter.house.store
    told = await store.read(lambda tx: fieldwork(tx, "w"))
    assert told is not None
    assert (told.people, told.begun, told.complete) == (0, None, None)  # below ten
    entries = await store.read(lambda tx: list(tx.audit_chain()))
    assert [each.action for each in entries].count("visit.made") == 7
    whole = str(entries)
    assert not [made for made in links if made["browser_url"].rpartition("/")[2] in whole]

    report = await steps.tally(counter.house, CLOSED)
    assert (report.waves, report.spoiled) == (1, 0)
    cells = await store.read(lambda tx: tx.cells("2026Q4"))
    counts = {cell.indicator: cell.counts for cell in cells if cell.subject == "desk"}
    assert counts["service"] == (0, 0, 0, 0, 7)
    (turnout,) = await store.read(lambda tx: tx.turnout("2026Q4"))
    assert (turnout.asked, turnout.answered) == (7, 7)
    # whoever made the link learns nothing by trying it once nobody asks
    assert "现在没有征求意见" in (await counter.rate(links[0]["browser_url"]))[-1]


async def _rate_in_telegram(house: House, token: str) -> None:
    address = Address("telegram", "77")
    heard: Typed | Tapped = Typed(f"/start {token}")
    for answer in ("开始", *HAPPY, ""):
        (reply,) = await house.conversation.receive(address, heard, NOW, hint="zh")
        if answer:
            [data] = [b.data for row in reply.rows for b in row if _bare(b.label) == answer]
            heard = Tapped(data)
    assert "密封投入票箱" in reply.text


def test_the_terminal_prints_a_link_that_the_store_knows(founded: Minyi, tmp_path: Path) -> None:
    table = tmp_path / "subjects.csv"
    table.write_text("id,name_zh\ndesk,户籍窗口\n", "utf-8")
    assert founded("import", "subjects", table).status == 0
    ran = founded("visit", "desk", "--hours", "24")
    assert ran.status == 0, ran.err
    token = re.search(r"/c/([\w-]{22})\n", ran.out)
    assert token is not None
    assert "户籍窗口" in ran.out
    [keys], [file] = tmp_path.rglob("keys"), tmp_path.rglob("minyi.db")
    digest = digest_of(FileKeyring(keys).app_key(), token[1])
    link = asyncio.run(_kept(f"sqlite:///{file}", digest))
    assert (link.subject, link.used) == ("desk", False)
    wrong = founded("visit", "nowhere")
    assert wrong.status == 1
    assert wrong.err.startswith("There is no unit 'nowhere'. Write its id as it stands")
    wrong = founded("visit", "desk", "--hours", "2161")
    assert (wrong.status, wrong.err) == (1, "A link can be opened for 1 to 2160 hours.\n")


async def _kept(url: str, digest: str) -> Any:
    store = SqlStore(url)
    link = await store.read(lambda tx: tx.visit_link(digest))
    await store.close()
    return link
