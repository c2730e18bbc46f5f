"""Every page of the desk in a real browser: no barrier, no sideways scrolling, small, alone."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Response

from desk.accounts import Account, Stage
from desk.approvals import ask
from desk.audit import Value, record
from desk.entry import sessions
from desk.roles import Grant, Role
from storage import FileKeyring, SqlStore
from storage.transaction import SqlTransaction
from surveys.campaigns import INVITE
from surveys.cells import RaterGroup
from surveys.forms.label_media import put_questionnaire
from surveys.forms.xlsform import load_form
from surveys.people import Relation, Subject
from tests.storage.rows import CAMPAIGN, NOW, WAVE, found_roll
from tests.web.console.seats import Clock, Desk, desk_on
from tests.web.published import NAMED, publications
from web.console.console import Check, Setting
from web.console.house import DOORS

QUESTIONNAIRE = Path(__file__).parents[3] / "questionnaires" / "service.md"
ENTRIES = 1_200  # of the audit: more than any page shows, each as large as a page lets it be
LONG = "窗口满意度与办事环境调查第四季度补充问卷" * 20
LIMIT = 100_000  # bytes of a page with its style and scripts, without pictures
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIGHTS = {
    # language, width, colours
    "phone": ("zh", 360, "dark"),
    "desktop": ("en", 1280, "light"),
}
NOT_PAGES = re.compile(r"(\.\w+|/now|/picture|/samples.*|/export.*|/mistakes.csv|/xform|/coming)$")
SOMEWHERE = {
    "/fieldwork/{wave}": f"/fieldwork/{WAVE.id}",
    "/campaigns/{campaign:path}": f"/campaigns/{CAMPAIGN.id}",
    "/campaigns/{campaign:path}/rehearse": f"/campaigns/{CAMPAIGN.id}/rehearse",
    "/campaigns/{campaign:path}/dry-run": f"/campaigns/{CAMPAIGN.id}/dry-run",
    "/campaigns/{campaign:path}/messages": f"/campaigns/{CAMPAIGN.id}/messages",
    "/campaigns/{campaign:path}/extend": f"/campaigns/{CAMPAIGN.id}/extend",
    "/roster/unit": "/roster/unit?id=chief",
    "/roster/person": "/roster/person?id=p1",
    "/roster/person/forget": "/roster/person/forget?id=p1",
    "/roster/derive": "/roster/derive?look=1&fellows=on&members=on",
    "/roster/nominate": "/roster/nominate?id=s2",
    "/roster/self": "/roster/self?id=chief",
    "/accounts/{account}": "/accounts/a-administrator",
    "/help/{topic}": "/help/campaigns",
}


async def furnish(desk: Desk) -> None:
    """Enough for every page to have something on it."""
    form = load_form(QUESTIONNAIRE)
    officer = await desk.account(Role.OFFICER)

    def work(tx: SqlTransaction) -> None:
        tx.put_form(CAMPAIGN.form, "service", form.source)
        found_roll(tx, 60)
        put_questionnaire(tx, form, {})
        tx.draw_deliveries(WAVE.id, (INVITE, NOW))
        tx.put_subjects(Subject(key, {"zh": zh, "en": en}) for key, (zh, en) in NAMED.items())
        tx.put_subjects([Subject("chief", {"zh": "税务局局长", "en": "Chief"}, "official", "tax")])
        tx.put_relations([Relation("p1", "chief", RaterGroup.SELF)])
        for period, cards in publications().items():
            tx.put_publication(period, cards)
        for number in range(ENTRIES):
            record(
                tx,
                desk.act("operator:" + "x" * 40),
                "campaign.created",
                f"campaign:{number}-" + "w" * 40,
                whole(f"{number} a"),
                whole(f"{number} b"),
            )
        ask(tx, desk.act(officer.id), officer, "campaign.close", "campaign:q",
            {"campaign": "q"}, desk.clock())  # fmt: skip

    await desk.store.write(work)


def whole(begins: str) -> dict[str, Value]:
    """Every field of a campaign, none of them short."""
    names = ("title_zh", "title_en", "form", "groups", "starts", "recurrence", "reminders")
    return dict.fromkeys(names, begins + LONG)


async def examined() -> list[Check]:
    return [Check("good", "disk", "12 GB free"), Check("mend", "keys", "missing", "Restore them.")]


@dataclass(frozen=True)
class Site:
    """A running desk and the cookie of its administrator and auditor, who may see all of it."""

    url: str
    cookie: str


@pytest.fixture(scope="module")
def site(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = tmp_path_factory.mktemp("desk") / "minyi.db"
    file.write_bytes(migrated_file.read_bytes())
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    told: dict[str, str] = {}
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        store = SqlStore(f"sqlite:///{file}")
        settings = [Setting("MINYI_PORT", "8080", "", "The port that the web listens on.")]
        keys = FileKeyring(file.parent / "keys")
        desk = desk_on(store, Clock(NOW), settings=settings, examine=examined, public_url=url,
                       keyring=keys)  # fmt: skip
        await furnish(desk)
        account = Account(
            "a-administrator", "lin", "林静", NOW,
            tuple(Grant(role, "s1" if role is Role.RATED else "") for role in Role
                  if role is not Role.SUPERVISOR),
        )  # fmt: skip

        def seat(tx: SqlTransaction) -> str:
            tx.put_account(account)
            return sessions.begin(tx, account, Stage.FULL, NOW, "127.0.0.1", "Tester/1.0")

        told["cookie"] = await store.write(seat)
        server = uvicorn.Server(uvicorn.Config(desk.app, log_config=None, lifespan="off"))
        servers.append(server)
        await server.serve(sockets=[sock])
        await store.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    end = time.monotonic() + 30
    while not (servers and servers[0].started):
        assert time.monotonic() < end, "the desk did not open within 30 s"
        time.sleep(0.01)
    yield Site(url, told["cookie"])
    servers[0].should_exit = True
    thread.join()


def pages() -> list[str]:
    """The address of every page that can be opened by address alone, and some inside."""
    plain = [door.path for door in DOORS if door.method == "GET" and "{" not in door.path]
    inside = [SOMEWHERE[door.path] for door in DOORS if door.path in SOMEWHERE]
    return [path for path in (*plain, *inside) if not NOT_PAGES.search(path)]


def open_page(page: Page, url: str) -> tuple[int, int, list[str]]:
    """(status, bytes without pictures, requests to anybody else)."""
    answers: list[Response] = []
    foreign: list[str] = []
    host = re.match(r"https?://[^/]+", url)
    assert host is not None
    page.on("request", lambda r: foreign.append(r.url) if not r.url.startswith(host[0]) else None)
    page.on("response", lambda r: answers.append(r))  # noqa: PLW0108 - it takes no built-in
    answer = page.goto(url)
    page.wait_for_load_state("load")
    assert answer is not None
    read = {"document", "stylesheet", "script"}
    counted = [each for each in answers if each.request.resource_type in read and each.ok]
    assert counted or not answer.ok, "a page that came was counted"
    return answer.status, sum(len(each.body()) for each in counted), foreign


def heard(problems: list[str], said: ConsoleMessage) -> None:
    """What the browser complains of."""
    if said.type == "error":
        problems.append(said.text)


@pytest.mark.parametrize("sight", SIGHTS)
def test_every_page_is_without_barriers_and_small(
    chromium: Browser, site: Site, sight: str
) -> None:
    language, width, colours = SIGHTS[sight]
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=colours,  # type: ignore[arg-type]
    )
    context.add_cookies(
        [
            {"name": "minyi-desk", "value": site.cookie, "url": site.url},
            {"name": "language", "value": language, "url": site.url},
        ]
    )
    looked = 0
    for path in pages():
        page = context.new_page()
        problems: list[str] = []
        page.on("console", partial(heard, problems))
        status, size, foreign = open_page(page, f"{site.url}/desk{path}")
        assert status < 500, path
        assert status == 200 or path not in SOMEWHERE.values(), f"{path} is not there"
        if status == 200:
            looked += 1
            found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
            report = [(each["id"], [node["html"][:160] for node in each["nodes"]][:3])
                      for each in found.response["violations"]]  # fmt: skip
            assert not report, f"{path}: {report}"
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert over <= 0, f"{path} scrolls sideways by {over}"
            assert size < LIMIT, f"{path} weighs {size}"
            assert not foreign, path
            assert not problems, f"{path}: {problems}"
        page.close()
    context.close()
    assert looked > 25
