"""Questionnaires in a real browser: refused, mended, tried beside, kept; phone and desk."""

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
from desk.entry import sessions
from desk.roles import Grant, Role
from minyi.trials import RoomForTrials
from storage import SqlStore
from tests.web.console.seats import APP_KEY, Clock
from tests.web.console.test_questionnaires import BAD, SERVICE
from tests.web.console.test_trial import SETTING
from tests.web.rehearsed import Scripted
from tests.web.test_browser import DESK, PHONE, browsing, overflows
from web.app import create_app
from web.console.console import Console


@pytest.fixture
def seat(sqlite_url: str) -> Iterator[tuple[str, str]]:
    """A running desk's address, and the cookie of an officer who has signed in."""
    clock, room = Clock(), RoomForTrials(SETTING)
    ready, given = threading.Event(), []
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def stand(sock: socket.socket) -> None:
        store = SqlStore(sqlite_url)
        url = f"http://localhost:{sock.getsockname()[1]}"
        officer = Account("a1", "wang", "王芳", clock(), (Grant(Role.OFFICER),))

        def sit(tx: Any) -> str:
            tx.put_account(officer)
            return sessions.begin(tx, officer, Stage.FULL, clock(), "127.0.0.1", "Tester")

        given.append((url, await store.write(sit)))
        console = Console(store, clock, APP_KEY, ZoneInfo("Asia/Shanghai"), trials=room)
        app = create_app(Scripted(), store, clock=clock, public_url=url, console=console)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        ready.set()
        await over.wait()
        server.should_exit = True
        await serving
        await room.close()
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


def chosen(page: Page, name: str, content: bytes) -> None:
    file: Any = {"name": name, "mimeType": "text/markdown", "buffer": content}
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="上传并检查").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_refused_mended_tried_and_kept(
    chromium: Browser, seat: tuple[str, str], size: Any, scripts: bool
) -> None:
    url, cookie = seat
    with browsing(chromium, size, java_script_enabled=scripts) as page:
        page.context.add_cookies([{"name": "minyi-desk", "value": cookie, "url": url}])
        page.goto(f"{url}/desk/questionnaires")
        chosen(page, "窗口.md", BAD)
        expect(page.get_by_role("alert")).to_contain_text("要改 1 处")
        page.get_by_role("link", name="survey 表第 6 行").click()
        expect(page.locator("td.bad")).to_be_in_viewport()
        expect(page.locator("td.bad")).to_contain_text("✖ 要改")
        expect(page.get_by_role("button", name="保存这一版")).to_have_count(0)
        if scripts:
            sound(page)
        chosen(page, "窗口.md", SERVICE)
        expect(page.get_by_text("没有发现问题")).to_be_visible()
        if scripts:
            sound(page)
        page.get_by_role("button", name="试答一遍").click()
        expect(page.get_by_text("不存下来，也不计数")).to_be_visible()
        booth = page.locator(".booth")
        expect(booth).to_contain_text("您这次在户籍窗口办事")
        if scripts:
            sound(page)
        booth.get_by_role("button", name="2 不满意").click()
        expect(booth.locator(".question").last).to_contain_text("主要是什么让您不满意")
        if scripts:
            expect(booth.locator(".question").last).to_be_in_viewport()
            expect(booth.locator(".rows")).to_have_count(1)
            sound(page)
        page.get_by_role("button", name="用英文重新开始").click()
        expect(booth).to_contain_text("Household registration window")
        page.get_by_role("link", name="回到问卷").click()
        page.get_by_role("button", name="保存这一版").click()
        expect(page.get_by_role("status")).to_contain_text("已保存")
        expect(page.get_by_role("heading", level=1)).to_have_text("服务满意度")
        if scripts:
            sound(page)


def test_the_language_is_changed_within_the_trial(chromium: Browser, seat: tuple[str, str]) -> None:
    url, cookie = seat
    with browsing(chromium, DESK) as page:
        page.context.add_cookies([{"name": "minyi-desk", "value": cookie, "url": url}])
        page.goto(f"{url}/desk/questionnaires")
        chosen(page, "窗口.md", SERVICE)
        page.get_by_role("button", name="试答一遍").click()
        booth = page.locator(".booth")
        booth.get_by_role("button", name="换语言").click()
        booth.get_by_role("button", name="English", exact=True).click()
        expect(booth.locator(".question").last).to_contain_text("How satisfied")
        expect(booth.locator("#say")).to_contain_text("Send")
        assert page.url.startswith(f"{url}/desk/questionnaires/trial")
        expect(page.get_by_role("link", name="回到问卷")).to_be_visible()  # the desk keeps its own
