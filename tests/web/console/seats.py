"""A desk with people sitting at it: a real store, a site, and browsers signed in by role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from starlette.applications import Starlette

from desk.accounts import Account, Stage
from desk.audit import Act, seal_key
from desk.entry import sessions
from desk.roles import Grant, Role
from storage import SqlStore
from tests.web.rehearsed import Scripted
from web.app import create_app
from web.console.console import Console

APP_KEY = bytes(range(32))
ORIGIN = "http://minyi.test"
PROOF = re.compile(r'name="proof" value="([^"]+)"')


@dataclass
class Clock:
    """A clock that a test turns."""

    now: datetime = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # Monday, 9:30 in Shanghai

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        """Let time pass; ``by`` as for timedelta."""
        self.now += timedelta(**by)


@dataclass
class Desk:
    """A site with a desk, and what stands behind it."""

    store: SqlStore
    app: Starlette
    clock: Clock
    console: Console
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self, language: str = "en", address: str = "203.0.113.7") -> httpx.AsyncClient:
        """A browser that has not signed in; as good as ones with JavaScript turned off."""
        transport = httpx.ASGITransport(
            self.app, raise_app_exceptions=False, client=(address, 50000)
        )
        headers = {"Accept-Language": language, "User-Agent": "Tester/1.0"}
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)
        self.opened.append(client)
        return client

    async def account(self, role: Role | None, subject: str = "", login: str = "") -> Account:
        """The account of ``role`` (made where missing), called like the role."""
        login = login or str(role or "nobody")
        grants = () if role is None else (Grant(role, subject),)
        made = Account(f"a-{login}", login, login.title(), self.clock(), grants)

        def work(tx: Any) -> Account:
            found = tx.account_by_login(login)
            if found is None:
                tx.put_account(made)
            return found or made

        found: Account = await self.store.write(work)
        return found

    async def seat(
        self,
        role: Role | None,
        subject: str = "",
        *,
        login: str = "",
        language: str = "en",
        stage: Stage = Stage.FULL,
    ) -> httpx.AsyncClient:
        """A browser signed in as ``role``."""
        account = await self.account(role, subject, login)
        secret = await self.store.write(
            lambda tx: sessions.begin(tx, account, stage, self.clock(), "203.0.113.7", "Tester/1.0")
        )
        client = self.browser(language)
        client.cookies.set("minyi-desk", secret, domain="minyi.test", path="/")
        return client

    def act(self, who: str = "operator:test") -> Act:
        """An act at the terminal."""
        return Act(who, who, "terminal", self.clock(), seal_key(APP_KEY))

    async def audited(self, action: str = "") -> list[Any]:
        """The audit's entries, oldest first."""
        from desk.store import Sought

        found = await self.store.read(lambda tx: tx.audit(Sought(action=action), limit=1000))
        return list(reversed(found))


def desk_on(
    store: SqlStore, clock: Clock | None = None, public_url: str = ORIGIN, **more: Any
) -> Desk:
    """A desk on ``store``; ``more`` goes to the Console."""
    clock = clock or Clock()
    console = Console(store, clock, APP_KEY, ZoneInfo("Asia/Shanghai"), **more)
    app = create_app(
        Scripted(),
        store,
        clock=clock,
        public_url=public_url,
        organisation={"zh": "河东区政务服务局", "en": "Hedong District Services"},
        console=console,
    )
    return Desk(store, app, clock, console)


async def proof(client: httpx.AsyncClient, page: str) -> str:
    """The proof in a form of ``page``."""
    answer = await client.get(page)
    found = PROOF.search(answer.text)
    assert found is not None, f"{page} ({answer.status_code}) has no form"
    return found[1].replace("&#43;", "+").replace("&#61;", "=")


async def post(
    client: httpx.AsyncClient,
    path: str,
    fields: Mapping[str, str] | None = None,
    *,
    page: str = "/desk",
    files: Mapping[str, Any] | None = None,
) -> httpx.Response:
    """Send a form as a browser would, with the proof of ``page``."""
    data = {"proof": await proof(client, page), **(fields or {})}
    return await client.post(path, data=data, files=files)
