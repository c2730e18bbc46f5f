"""The organisation's own sign-in in a real browser, whose rules about forms and cookies count."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from desk.accounts import Account
from desk.roles import Grant, Role
from storage import SqlStore
from tests.web.console.provider import CLIENT, SECRET, Provider
from tests.web.console.seats import APP_KEY, Clock
from tests.web.rehearsed import Scripted
from tests.web.test_browser import browsing
from web.app import create_app
from web.console.console import Console, OpenId

LI = {"sub": "1", "email": "li@example.org", "email_verified": True}


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Run ``work`` beside Playwright's own loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider(Clock(), dict(LI))
    server = made.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(sqlite_url: str, provider: Provider) -> Iterator[str]:
    """A running desk under another name than the provider's, so that the two are strangers."""
    store = SqlStore(sqlite_url)
    li = Account("a1", "li@example.org", "Li Ming", provider.clock(), (Grant(Role.AUDITOR),))
    done(store.write(lambda tx: tx.put_account(li)))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://localhost:{sock.getsockname()[1]}"
        openid = OpenId(provider.issuer, CLIENT, SECRET, "Hedong ID")
        zone = ZoneInfo("Asia/Shanghai")
        console = Console(store, provider.clock, APP_KEY, zone, openid=openid)
        app = create_app(Scripted(), store, clock=provider.clock, public_url=url, console=console)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield url
        server.should_exit = True
        thread.join()
    done(store.close())


@pytest.mark.parametrize("scripts", [True, False])
def test_the_button_leads_out_and_back_in(chromium: Browser, site: str, scripts: bool) -> None:
    with browsing(chromium, java_script_enabled=scripts, locale="en-GB") as page:
        page.goto(f"{site}/desk/help")
        page.get_by_role("button", name="Hedong ID").click()
        page.wait_for_url(f"{site}/desk/help")
        expect(page.get_by_role("link", name="Li Ming")).to_be_visible()


def test_whoever_has_no_account_is_told_what_to_do(
    chromium: Browser, site: str, provider: Provider
) -> None:
    provider.person = LI | {"email": "zhao@example.org"}
    with browsing(chromium, calm=False) as page:
        page.goto(f"{site}/desk")
        page.get_by_role("button", name="Hedong ID").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("这里没有您的账号")
        page.get_by_role("link", name="回到登录页").click()
        expect(page.get_by_role("button", name="Hedong ID")).to_be_visible()
