"""A site with a scripted conversation, over plain ASGI and in a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, expect, sync_playwright

from surveys.forms.xlsform import load_form
from surveys.people import Invite, Subject
from tests.web.published import NAMED, REASONS, publications
from tests.web.rehearsed import NOW, Scripted, Shelf
from web.app import create_app

QUESTIONNAIRE = Path(__file__).parents[2] / "questionnaires" / "service.md"
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
CHROMIUM += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@dataclass(frozen=True)
class Stage:
    """A running site and what stands behind it."""

    url: str
    talk: Scripted
    shelf: Shelf

    @property
    def paths(self) -> list[str]:
        """Every page there is."""
        plain = ["/", "/c/land-1", "/c", "/poster/land-1", "/results"]
        quarters = [f"/results/{period}" for period in self.shelf.publications()]
        return plain + quarters + [f"/results/2026Q1/{subject}" for subject in NAMED]


@cache
def shelf() -> Shelf:
    """One window with a code on its wall, one personal invitation, and published quarters."""
    return Shelf(
        invites={
            "land-1": Invite("land-1", "unit", "land"),
            "anna-1": Invite("anna-1", "staff", "anna"),
        },
        named={key: Subject(key, {"zh": zh, "en": en}) for key, (zh, en) in NAMED.items()},
        published=publications(),
        why={"2026Q1": REASONS},
        sources={"service": load_form(QUESTIONNAIRE).source},
    )


@pytest.fixture
def talk() -> Scripted:
    return Scripted()


@pytest.fixture
async def client(talk: Scripted) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a screen, on a site reached over plain http."""
    app = create_app(talk, shelf(), clock=lambda: NOW, public_url="http://minyi.test")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://minyi.test") as client:
        yield client


expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong


# Per module: while it is open, Playwright's loop stands in the way of async tests.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        complaint = "no chromium on PATH: the browser tests need Debian's package chromium"
        if os.environ.get("CI"):
            pytest.fail(complaint)
        pytest.skip(complaint)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The site on a real server on loopback."""
    talk, kept = Scripted(), shelf()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        app = create_app(
            talk,
            kept,
            clock=lambda: NOW,
            public_url=url,
            bot_username="minyi_bot",
            try_payload="land-1",
        )
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Stage(url, talk, kept)
        server.should_exit = True
        thread.join()
