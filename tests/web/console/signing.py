"""Accounts with passwords and second factors, and browsers that use them as people do."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import httpx
import pyotp

from desk.accounts import Account
from desk.entry import factors, passwords
from desk.roles import Role
from tests.web.console.seats import APP_KEY, Desk, post

PASSWORD = "我们今天去河边看小船🚣吧好吗"
OTHER_PASSWORD = "four quiet herons at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
COOKIE = "minyi-desk"


async def person(
    desk: Desk, role: Role | None, *, login: str = "", factor: bool = False, **more: Any
) -> Account:
    """An account with :data:`PASSWORD`, and with :data:`SECRET` as second factor."""
    made = await desk.account(role, login=login)
    made = replace(made, password=passwords.hashed(PASSWORD), **more)
    if factor:
        made = replace(made, totp=factors.sealed(made.id, SECRET, APP_KEY))
    await desk.store.write(lambda tx: tx.put_account(made))
    return made


def code(desk: Desk, secret: str = SECRET) -> str:
    """What the phone shows now."""
    return pyotp.TOTP(secret).at(desk.clock())


async def sign_in(
    client: httpx.AsyncClient, login: str, password: str = PASSWORD, **fields: str
) -> httpx.Response:
    """Fill in the form of the sign-in page."""
    sent = {"login": login, "password": password, **fields}
    return await post(client, "/desk/sign-in", sent, page="/desk/sign-in")


async def enter_code(client: httpx.AsyncClient, typed: str) -> httpx.Response:
    """Fill in the form for a code."""
    return await post(client, "/desk/sign-in/code", {"code": typed}, page="/desk/sign-in/code")


def offered(page: str) -> str:
    """The secret that the page about the second factor shows in groups of four."""
    found = re.search(r'<span class="mono">([A-Z2-7 ]{39})</span>', page)
    assert found is not None
    return found[1].replace(" ", "")


def shown(page: str) -> str:
    """A page's words without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page))
