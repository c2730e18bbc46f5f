"""A day at the desk, end to end: a real house, a real browser, people who really answer.

First sign-in with a second factor, a roster with a bad row, a questionnaire that is refused and
mended and tried, a campaign that is scheduled and paused, a wave watched while it is answered,
results, and signing out everywhere: once in Chinese, once in English.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyotp
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from desk.connections.hooks import EVENTS
from desk.entry import welcoming
from desk.store import Hook
from minyi.house import House, Pace, open_house
from minyi.listening import listen
from minyi.serving import Open
from minyi.staging import UNLIMITED, staged
from rehearsal.backstage import Backstage
from rehearsal.clock import RehearsalClock
from storage import migrate
from tests.web.conftest import CHROMIUM
from web.console.context import WORDS

ZONE = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 12, 7, 8, 45, tzinfo=ZONE)  # a Monday
AFTERWARDS = datetime(2027, 1, 8, 9, 0, tzinfo=ZONE)
PASSWORD = "白雪 落满 四合院 corridor"
FIRST_CHAT = 700_000_000
CITIZENS = 24
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong
QUESTIONNAIRES = Path(__file__).parents[2] / "questionnaires"
SUBJECTS = "id,name_zh,name_en\nhall,办事大厅,Service hall\ntax,办税窗口,Tax window\n"
TASKS = "id,subject,period,category,points\nt1,hall,2026Q4,basic,100\nt2,tax,2026Q4,basic,100\n"


def people(*, mended: bool) -> str:
    """A roster of citizens by Telegram; one row's kind is misspelt until it is mended."""
    rows = [f"c{n},居民{n},{'citizn' if n == 3 and not mended else 'citizen'},{FIRST_CHAT + n}"
            for n in range(CITIZENS)]  # fmt: skip
    return "\n".join(("id,name,kind,telegram", *rows)) + "\n"


def relations() -> str:
    """Everybody was served at both windows."""
    rows = [f"c{n},{unit},SVC" for n in range(CITIZENS) for unit in ("hall", "tax")]
    return "\n".join(("rater,subject,group", *rows)) + "\n"


def personas(language: str) -> list[dict[str, Any]]:
    """Citizens who wait for the bot to write, and then answer."""
    mood = {"办事大厅": 4.5, "Service hall": 4.5, "办税窗口": 3.2, "Tax window": 3.2}
    return [
        {
            "id": FIRST_CHAT + n,
            "name": f"市民{n}",
            "language": language,
            "opinion": {"kind": "seeded", "mood": mood, "seed": n, "spread": 0.8},
            "traits": {"hesitates": 1.0},
            "first": None,
            "seed": n,
        }
        for n in range(CITIZENS)
    ]


@dataclass
class Administrator:
    """Somebody at a browser, in one language, who looks at every page for barriers."""

    page: Page
    language: str
    url: str
    clock: RehearsalClock
    folder: Path
    seen: set[str] = field(default_factory=set)
    secret: str = ""
    foreign: list[str] = field(default_factory=list)

    def says(self, key: str, **arguments: object) -> str:
        """A sentence of the desk in this person's language."""
        return WORDS.say(key, self.language, **arguments)

    async def opens(self, path: str) -> None:
        """Go to a page of the desk by its address."""
        await self.page.goto(self.url + path)
        await self.looks()

    async def looks(self) -> None:
        """No barrier for anybody (axe-core: WCAG 2.2 A and AA), and no scrolling sideways."""
        place = re.sub(r"[0-9a-f]{8,}|[\w-]{20,}", "…", self.page.url.removeprefix(self.url))
        await self.page.wait_for_load_state("load")
        report: list[tuple[str, list[str]]] = []
        for _ in range(3):  # what is just being drawn is looked at again; a barrier stays one
            found = await Axe().run(self.page, options=RULES)
            report = [
                (each["id"], [node["html"][:120] for node in each["nodes"]])
                for each in found.response["violations"]
            ]
            if not report:
                break
            await asyncio.sleep(0.5)
        assert not report, f"{place}: {report}"
        over = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert over <= 0, f"{place} scrolls sideways by {over}"
        self.seen.add(place)

    async def presses(self, key: str, **arguments: object) -> None:
        """Press the button with that sentence, and look at the page that follows."""
        button = self.page.get_by_role("button", name=self.says(key, **arguments), exact=True)
        await button.first.click()
        await self.looks()

    async def follows(self, key: str, **arguments: object) -> None:
        """Follow the link with that sentence."""
        link = self.page.get_by_role("link", name=self.says(key, **arguments), exact=True)
        await link.first.click()
        await self.looks()

    async def fills(self, key: str, value: str) -> None:
        """Write into the field with that label."""
        await self.page.get_by_label(self.says(key), exact=True).first.fill(value)

    async def reads(self, words: str) -> None:
        """Wait until the page says ``words``."""
        await expect(self.page.locator("main")).to_contain_text(words)

    async def code(self) -> str:
        """What the phone shows; a new one each time, as nobody types the same code twice."""
        self.clock.run_at(600)  # half a minute goes by quickly
        await asyncio.sleep(0.06)
        self.clock.run_at(1)
        return str(pyotp.TOTP(self.secret).at(self.clock.now()))

    def file(self, name: str, content: str | bytes) -> Path:
        """A file on this person's computer."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@asynccontextmanager
async def at_the_desk(
    folder: Path, language: str
) -> AsyncIterator[tuple[Administrator, House, Backstage]]:
    """A house on a stage with its doors open, and somebody at a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        missing = "no chromium on PATH: the browser tests need Debian's package chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    async with Backstage(*UNLIMITED) as stage:
        sock = listen("127.0.0.1", 0)
        settings = staged(folder / "data", stage.url, sock.getsockname()[1])
        settings.data_dir.mkdir()
        migrate(settings.database)
        clock = RehearsalClock(MORNING)
        pace = Pace(clock.now, rate=None, sleep=clock.sleep)
        async with (
            open_house(settings, pace) as house,
            Open(house, sock, every=0.2),
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
            locale = {"zh": "zh-CN", "en": "en-GB"}[language]
            context = await browser.new_context(
                locale=locale, viewport={"width": 1280, "height": 900}
            )
            page = await context.new_page()
            who = Administrator(page, language, settings.public_url, clock, folder)
            page.on("request", lambda asked: who.foreign.append(asked.url)
                    if not asked.url.startswith(settings.public_url) else None)  # fmt: skip
            problems: list[str] = []
            page.on(
                "console", lambda said: problems.append(said.text) if said.type == "error" else None
            )
            page.on("pageerror", lambda error: problems.append(str(error)))
            yield who, house, stage
            await browser.close()
            assert not who.foreign, "pages ask nobody but us"
            assert not problems, problems


async def first_sign_in(who: Administrator, house: House) -> None:
    """The one-time link, a password, a second factor, recovery codes."""
    link = await house.store.write(lambda tx: welcoming.found(tx, house.act()))
    assert link is not None
    await who.opens(welcoming.path(link))
    await who.reads(who.says("entry.welcome.first"))
    await who.fills("entry.login", "lin")
    await who.fills("entry.name", "林静")
    await who.fills("entry.new_password", PASSWORD)
    await who.fills("entry.again", PASSWORD)
    await who.presses("entry.welcome.go")
    await who.reads(who.says("entry.enrol.demanded"))
    groups = await who.page.locator("main .mono").first.inner_text()
    who.secret = groups.replace(" ", "")
    await who.fills("entry.code", await who.code())
    await who.presses("entry.enrol.go")
    await expect(who.page.locator("main .recovery li")).to_have_count(10)
    await who.follows("me.codes.kept")
    await who.reads("林静")


async def sign_in(who: Administrator) -> None:
    """Password and code, as on any other morning."""
    await who.opens("/desk")
    await who.fills("entry.login", "lin")
    await who.fills("entry.password", PASSWORD)
    await who.presses("entry.sign_in")
    await who.fills("entry.code", await who.code())
    await who.presses("entry.go_on")
    await who.reads("林静")


async def bring_questionnaire(who: Administrator) -> None:
    """Refused with the bad row named, mended, tried in a chat beside it, kept."""
    good = (QUESTIONNAIRES / "service.md").read_text("utf-8")
    await who.opens("/desk/questionnaires")
    # where no questionnaire can rate yet, the place to bring one stands open
    await expect(who.page.get_by_label(who.says("questionnaires.file"), exact=True)).to_be_visible()
    broken = who.file("service.md", good.replace("select_one grade |", "select_on grade |"))
    await who.page.get_by_label(who.says("questionnaires.file"), exact=True).set_input_files(broken)
    await who.presses("questionnaires.check")
    await who.reads("select_on")
    assert await who.page.locator(".found li").count() >= 1
    assert not await who.page.get_by_role("button", name=who.says("questionnaires.keep")).count()
    await who.page.reload()
    await who.reads("select_on")  # the file is still there
    mended = who.file("service2.md", good)
    again = who.page.get_by_label(who.says("questionnaires.file_mended"), exact=True)
    await again.set_input_files(mended)
    await who.presses("questionnaires.check")
    await who.presses("questionnaires.try")
    await who.reads(who.says("trial.uncounted"))
    booth = who.page.locator(".booth")
    grade = {"zh": "不满意", "en": "Dissatisfied"}[who.language]
    asked = {"zh": "主要是什么让您不满意", "en": "main reason"}[who.language]
    await booth.get_by_role("button", name=re.compile(f"2 {grade}|^{grade}")).first.click()
    await expect(booth).to_contain_text(asked)
    await who.looks()
    await who.follows("trial.back")
    keep = who.page.get_by_role("button", name=re.compile(
        f"{who.says('questionnaires.keep')}|{who.says('questionnaires.keep_anyway')}"))  # fmt: skip
    await keep.first.click()
    await who.looks()
    await who.opens("/desk/questionnaires")
    await who.reads({"zh": "服务满意度", "en": "Service satisfaction"}[who.language])


async def schedule_campaign(who: Administrator) -> None:
    """The four steps, back and forth; made once, paused, and let go again."""
    await who.opens("/desk/campaigns")
    await who.follows("campaigns.new.title")
    await who.page.get_by_role("radio").first.check()
    await who.fills("campaigns.field.title_zh", "十二月服务评价")
    await who.fills("campaigns.field.title_en", "December service review")
    await who.presses("campaigns.new.next")
    recipients = who.says("campaigns.group.SVC")
    await who.page.get_by_role("checkbox", name=re.compile(re.escape(recipients))).check()
    await who.presses("campaigns.new.next")
    await who.page.get_by_label(who.says("campaigns.field.starts"), exact=True).fill("2026-12-07")
    await who.page.get_by_label(who.says("campaigns.every.once"), exact=True).check()
    await expect(who.page.locator("#coming")).to_contain_text("2026")
    await who.presses("campaigns.new.back")
    await who.presses("campaigns.new.next")
    starts = who.page.get_by_label(who.says("campaigns.field.starts"), exact=True)
    assert await starts.input_value() == "2026-12-07"
    await who.presses("campaigns.new.next")
    await who.reads("24")
    await who.presses("campaigns.new.create")
    await who.reads({"zh": "十二月服务评价", "en": "December service review"}[who.language])
    await who.follows("campaigns.do.pause")
    await who.presses("campaigns.do.pause")
    await who.reads(who.says("campaigns.state.paused"))
    await who.follows("campaigns.do.resume")
    await who.presses("campaigns.do.resume")


async def watch_wave(who: Administrator, house: House, stage: Backstage) -> None:
    """It opens at nine; people answer; the page is looked at and not reloaded."""
    await stage.enter(personas(who.language))
    await who.clock.flow(MORNING + timedelta(minutes=16), real=2)
    await until(house, lambda tx: any(wave.state == "open" for wave in tx.waves()))
    await who.opens("/desk/fieldwork")
    title = {"zh": "十二月服务评价", "en": "December service review"}[who.language]
    await who.page.get_by_role("link", name=title).first.click()
    await who.looks()
    mark = "watched without reloading"
    await who.page.evaluate(f"document.body.dataset.mark = '{mark}'")
    await who.reads(who.says("fieldwork.of", count="24", whole="24"))
    who.clock.run_at(20)
    # whoever scans a code joins the roll: who is asked is told in tens, too
    await who.reads(who.says("fieldwork.at_least", count="30", whole="40"))
    who.clock.run_at(1)
    assert await who.page.evaluate("document.body.dataset.mark") == mark


async def read_results(who: Administrator, house: House) -> None:
    """The wave closes, the quarter ends; whoever signs in again finds what was published."""
    await who.clock.flow(AFTERWARDS, real=2)
    await until(house, lambda tx: bool(tx.publications()))
    await sign_in(who)
    await who.opens("/desk/results")
    await who.reads({"zh": "办事大厅", "en": "Service hall"}[who.language])
    for path in ("/desk/audit", "/desk/audit/verify", "/desk/settings", "/desk/accounts",
                 "/desk/approvals", "/desk/connections", "/desk/help", "/desk/keys"):  # fmt: skip
        await who.opens(path)


async def leave(who: Administrator) -> None:
    """Signed out everywhere: this browser and the one at home."""
    home = await who.page.context.browser.new_context()  # type: ignore[union-attr]
    other = await home.new_page()
    elsewhere = Administrator(
        other, who.language, who.url, who.clock, who.folder, secret=who.secret
    )
    await other.context.add_cookies([{"name": "language", "value": who.language, "url": who.url}])
    await sign_in(elsewhere)
    await who.opens("/desk/me")
    await who.presses("me.end_all")
    for browser in (who, elsewhere):
        await browser.page.goto(f"{who.url}/desk")
        await expect(browser.page).to_have_url(re.compile("/desk/sign-in"))
    await home.close()


def wants_everything(tx: Any) -> None:
    """Somebody's server that wants to hear of every event; it is never reached."""
    tx.put_hook(Hook("h1", "https://hooks.invalid/minyi", EVENTS, b"sealed"))


async def until(house: House, true: Any) -> None:
    """Wait until the store says so."""
    for _ in range(300):
        if await house.store.read(true):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen within 30 s")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_day_at_the_desk(tmp_path: Path, language: str) -> None:
    async with at_the_desk(tmp_path, language) as (who, house, stage):
        await house.store.write(wants_everything)
        await first_sign_in(who, house)
        await import_roster(who)
        await bring_questionnaire(who)
        await schedule_campaign(who)
        await watch_wave(who, house, stage)
        await read_results(who, house)
        await leave(who)
        assert len(who.seen) > 20
        found = await house.store.read(lambda tx: list(tx.audit_chain()))
        done = [entry.action for entry in found]
        told = {each.event for each in await house.store.read(lambda tx: tx.notices("h1"))}
        assert told == {"campaign.paused", "wave.opened", "wave.tallied", "results.published"}
        for action in ("account.signed_in", "roster.imported", "questionnaire.added",
                       "campaign.created", "campaign.paused", "campaign.resumed", "wave.opened",
                       "wave.tallied", "score.published"):  # fmt: skip
            assert action in done, action


async def bring_table(who: Administrator, table: str, file: Path) -> None:
    """Choose a table and a file, and have it checked."""
    await who.opens("/desk/roster/import")
    await who.page.get_by_label(who.says(f"roster.table.{table}"), exact=True).check()
    await who.page.get_by_label(who.says("importing.file"), exact=True).set_input_files(file)
    await who.presses("importing.check")


async def import_roster(who: Administrator) -> None:
    """Four tables; a bad row is named by its number and column, mended, and taken."""
    await who.opens("/desk/roster")
    await bring_table(who, "subjects", who.file("units.csv", SUBJECTS))
    await who.presses("importing.confirm")
    await bring_table(who, "people", who.file("people.csv", people(mended=False)))
    await who.reads("citizn")
    row = who.page.locator("tr", has_text="citizn")
    await expect(row.get_by_role("rowheader")).to_have_text("5")
    mended = who.file("people2.csv", people(mended=True))
    await who.page.get_by_label(who.says("importing.file"), exact=True).set_input_files(mended)
    await who.presses("importing.check")
    await who.reads(str(CITIZENS))
    await who.presses("importing.confirm")
    for name, content in (("relations", relations()), ("tasks", TASKS)):
        await bring_table(who, name, who.file(f"{name}.csv", content))
        await who.presses("importing.confirm")
    await who.opens("/desk/roster/people")
    await who.reads("c1")
