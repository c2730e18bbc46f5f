"""A desk with something on it, tokens for it, and programs that use them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from desk.accounts import Account, Token
from desk.campaigns.seconding import create_or_ask
from desk.campaigns.wishing import Wish
from desk.connections import hooks, tokens
from desk.connections.hooks import Desired
from desk.roles import SCOPED, Grant, May, Role
from desk.store import Work
from surveys.campaigns import Campaign, Wave, WaveState
from surveys.cells import RaterGroup
from surveys.forms.label_media import put_questionnaire
from surveys.forms.xlsform import load_form
from surveys.people import Kind, Person, Relation, Subject
from tests.web.console.seats import APP_KEY, ORIGIN, Desk
from tests.web.published import NAMED, publications

ROOT = Path(__file__).parents[3]
FORM = load_form(ROOT / "questionnaires" / "service.md")
AT = "/api/v1"
UNIT = "tax"
RATERS = 12


@dataclass
class Program:
    """A client of the API with its token."""

    http: httpx.AsyncClient
    token: Token
    secret: str

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(AT + path, **more)

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, AT + path, **more)


async def stock(desk: Desk) -> None:
    """Two units below one, people who rate them, campaigns, a wave of each state, results."""
    officer = await desk.account(Role.OFFICER)
    await desk.account(Role.ADMINISTRATOR)
    await desk.store.write(lambda tx: _fill(tx, desk, officer))


def _fill(tx: Any, desk: Desk, officer: Account) -> None:
    _roster(tx)
    put_questionnaire(tx, FORM, {})
    now = desk.clock()
    for name in ("window", "yearly"):
        tx.put_campaign(
            Campaign(name, {"zh": "窗口评价", "en": "Windows"}, FORM.hash,
                     (RaterGroup.RECIPIENT,), date(2026, 12, 1))
        )  # fmt: skip
    for number, state in enumerate(WaveState):
        opens = now + timedelta(days=14 - 21 * number)
        wave = Wave(f"window.{number}", "window", "2026Q4", opens, opens + timedelta(days=28),
                    b"k" * 32)  # fmt: skip
        tx.put_wave(wave)
        if state is not WaveState.PLANNED:
            tx.open_wave(wave.id)
            tx.draw_assignments(wave, tx.campaign(wave.campaign), wave.opens_at)
    for period, cards in publications().items():
        tx.put_publication(period, cards)
    act = desk.act()
    hooks.make(tx, act, Desired("https://one.example/in", ["wave.opened"], False), APP_KEY)
    hooks.announce(tx, "wave.opened", {"wave": "window.1"}, now)
    wish = Wish("large", FORM.hash, "很大", "Large", "SVC", "2026-12-01", "", "Asia/Shanghai", "9",
                "14", "3", "5")  # fmt: skip
    create_or_ask(tx, act, officer, wish, limit=1)
    tx.put_work(Work("w1", "roster", "a-administrator", now, now, done=1, total=2))


def _roster(tx: Any) -> None:
    subjects = [Subject("city", {"zh": "市政府", "en": "City"})]
    subjects += [
        Subject(name, {"zh": zh, "en": en}, parent="city") for name, (zh, en) in NAMED.items()
    ]
    tx.put_subjects(subjects)
    people = [
        Person(f"p{n:02}", Kind.STAFF if n % 3 else Kind.CITIZEN, f"张{n}", unit=UNIT if n % 2 else
               "land") for n in range(RATERS)
    ]  # fmt: skip
    tx.put_people(people)
    tx.put_relations(Relation(person.id, UNIT, RaterGroup.RECIPIENT) for person in people)


async def program(
    desk: Desk,
    role: Role = Role.ADMINISTRATOR,
    *,
    scopes: tuple[May, ...] | None = None,
    language: str = "en",
    days: int = 90,
) -> Program:
    """A program with a token of ``role``'s account: all that the account may, or ``scopes``."""
    account = await desk.account(role, UNIT if role in SCOPED else "")
    given = tokens.offered(account) if scopes is None else scopes
    token, secret = await desk.store.write(
        lambda tx: tokens.make(tx, desk.act(), account, f"{role} program", given, days)
    )
    client = desk.browser(language)
    client.headers["Authorization"] = f"Bearer {secret}"
    return Program(client, token, secret)


def anonymous(desk: Desk) -> httpx.AsyncClient:
    """A client without a token."""
    return desk.browser()


__all__ = ["APP_KEY", "AT", "FORM", "ORIGIN", "Grant", "Program", "anonymous", "program", "stock"]
