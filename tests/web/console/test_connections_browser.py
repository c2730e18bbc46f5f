"""Tokens, webhooks and the page about the API in a real browser: phone and desk."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from desk.accounts import Account, Stage
from desk.audit import Act, seal_key
from desk.connections import hooks
from desk.connections.hooks import Desired
from desk.entry import sessions
from desk.roles import Grant, Role
from storage import SqlStore
from tests.web.console.seats import APP_KEY, Clock
from tests.web.rehearsed import Scripted
from tests.web.test_browser import DESK, PHONE, browsing, overflows
from web.app import create_app
from web.console.console import Console

PAGE = "/desk/connections"


async def _prepared(store: SqlStore, clock: Clock) -> str:
    """The cookie of an administrator; a webhook that has something it could not deliver."""
    account = Account("a1", "wang", "王芳", clock(), (Grant(Role.ADMINISTRATOR),))
    act = Act("a1", "王芳", "terminal", clock(), seal_key(APP_KEY))
    url = "https://receiver.example/very/long/path/to/the/receiver/of/events"
    wish = Desired(url, hooks.EVENTS, private=False)

    def work(tx: Any) -> str:
        tx.put_account(account)
        hooks.make(tx, act, wish, APP_KEY)
        hooks.announce(tx, "wave.opened", {"wave": "w.1"}, clock())
        [notice] = tx.claim_notices(clock(), clock(), 9)
        tx.note_notice(notice.id, "failed", "status 500", None)
        return sessions.begin(tx, account, Stage.FULL, clock(), "127.0.0.1", "Tester")

    return await store.write(work)


@pytest.fixture
def seat(sqlite_url: str) -> Iterator[tuple[str, str]]:
    """A running desk's address, and the cookie of an administrator who has signed in."""
    clock, loop = Clock(), asyncio.new_event_loop()
    ready, over, given = threading.Event(), asyncio.Event(), []

    async def stand(sock: socket.socket) -> None:
        store = SqlStore(sqlite_url)
        url = f"http://localhost:{sock.getsockname()[1]}"
        given.append((url, await _prepared(store, clock)))
        console = Console(store, clock, APP_KEY, ZoneInfo("Asia/Shanghai"))
        app = create_app(Scripted(), store, clock=clock, public_url=url, console=console)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        ready.set()
        await over.wait()
        server.should_exit = True
        await serving
        await store.close()

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        thread = threading.Thread(target=loop.run_until_complete, args=(stand(sock),))
        thread.start()
        assert ready.wait(30)
        yield given[0]
        loop.call_soon_threadsafe(over.set)
        thread.join()
    loop.close()


def sound(page: Page) -> None:
    """Nothing for axe to complain of, and nothing to scroll sideways for."""
    found = Axe().run(page).response["violations"]
    assert not [(each["id"], each["nodes"][0]["html"]) for each in found]
    assert not overflows(page)


@pytest.mark.parametrize(
    ("size", "scheme", "language"), [(PHONE, "dark", "zh-CN"), (DESK, "light", "en")]
)
def test_the_pages_are_sound_and_do_what_they_say(
    chromium: Browser, seat: tuple[str, str], size: Any, scheme: Any, language: str
) -> None:
    url, cookie = seat
    # a form that is refused is answered with 422, of which the browser's console tells
    with browsing(chromium, size, calm=False, color_scheme=scheme, locale=language) as page:
        page.context.add_cookies([{"name": "minyi-desk", "value": cookie, "url": url}])
        page.goto(url + PAGE)
        sound(page)
        page.locator("#name").fill("HR")
        page.locator('form[action$="/connections"] button').click()
        expect(page.locator("#wrong-scopes")).to_be_visible()
        sound(page)
        assert page.locator("#name").input_value() == "HR"
        page.locator('input[name="scope:roster.read"]').check()
        page.locator('form[action$="/connections"] button').click()
        assert page.locator("#secret").input_value().startswith("minyi_")
        sound(page)
        for path in ("", "/tokens", "/hooks", "/hooks/new", "/api"):
            page.goto(url + PAGE + path)
            sound(page)
        page.locator("details.operation summary").nth(5).click()
        sound(page)
        page.goto(url + PAGE + "/hooks")
        page.locator("table a").first.click()
        sound(page)
        page.locator('form[action$="/again"] button').click()
        expect(page.locator(".said-so")).to_be_visible()
