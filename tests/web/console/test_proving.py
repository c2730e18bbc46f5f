"""What outlives a session asks for the password again, once in ten minutes."""

from __future__ import annotations

import html
import re

import httpx
import pytest
from argon2 import PasswordHasher

from desk.connections import hooks
from desk.entry import passwords
from desk.roles import Role
from tests.web.console.seats import APP_KEY, Desk, post
from tests.web.console.signing import PASSWORD, person, shown
from web.console.house import DOORS

PAGE = "/desk/connections"
TOKEN = {"name": 'HR "sync" <1>', "days": "30", "scope:roster.read": "on"}
NEW = {"url": "https://receiver.example/in", "event:wave.opened": "on"}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
async def office(desk: Desk) -> httpx.AsyncClient:
    """An administrator's browser, left open for ten minutes."""
    await person(desk, Role.ADMINISTRATOR)
    client = await desk.seat(Role.ADMINISTRATOR)
    desk.clock.on(minutes=10)
    return client


def typed(page: httpx.Response) -> dict[str, str]:
    """What the page that asks carries on."""
    main = page.text.split("<main")[1]
    return {html.unescape(name): html.unescape(value) for name, value in HIDDEN.findall(main)}


async def confirmed(
    client: httpx.AsyncClient, asked: httpx.Response, password: str = PASSWORD
) -> httpx.Response:
    """Type the password into the page that asks for it."""
    return await client.post(asked.url.path, data={**typed(asked), "password": password})


async def places(desk: Desk) -> dict[str, tuple[dict[str, str], int]]:
    """Every door that asks: what is sent, and how it answers when done."""
    desired = hooks.Desired(NEW["url"], ["wave.opened"], False)
    await desk.account(Role.OFFICER)
    hook, _ = await desk.store.write(lambda tx: hooks.make(tx, desk.act(), desired, APP_KEY))
    return {
        PAGE: (TOKEN, 200),
        "/desk/accounts/new": ({"login": "li", "name": "Li", "role:auditor": "on"}, 200),
        "/desk/accounts/a-officer/enable": ({}, 303),
        "/desk/accounts/a-officer/link": ({}, 200),
        "/desk/accounts/a-officer/roles": ({"stood": '["officer:"]', "role:auditor": "on"}, 303),
        f"{PAGE}/hooks/new": (NEW, 200),
        f"{PAGE}/hooks/{hook.id}": (NEW, 303),
        f"{PAGE}/hooks/{hook.id}/secret": ({}, 200),
    }


async def test_each_door_asks_changes_nothing_before_and_loses_nothing(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    found = await places(desk)
    before = len(await desk.audited())
    for path, (fields, done) in found.items():
        office = await desk.seat(Role.ADMINISTRATOR)
        desk.clock.on(minutes=10)
        asked = await post(office, path, fields)
        assert asked.status_code == 403, path
        assert "confirm that it is you" in shown(asked.text)
        assert typed(asked).keys() == {"proof", *fields}
        wrong = await confirmed(office, asked, "a wrong password")
        assert (wrong.status_code, typed(wrong)) == (403, typed(asked)), path
        assert "not your password" in shown(wrong.text)
        assert PASSWORD not in wrong.text
        assert len(await desk.audited()) == before, path
        answer = await confirmed(office, wrong)
        assert answer.status_code == done, path
        changed = 0 if path.endswith("/enable") else 1  # it was enabled all the time
        before += changed
        assert len(await desk.audited()) == before, path


def test_these_are_the_doors_that_ask() -> None:
    asking = {
        door.path
        for door in DOORS
        if door.method == "POST" and hasattr(door.handler, "__wrapped__")
    }
    assert asking == {
        "/connections", "/accounts/new", "/accounts/{account}/enable", "/accounts/{account}/link",
        "/accounts/{account}/roles", "/connections/hooks/new", "/connections/hooks/{hook}",
        "/connections/hooks/{hook}/secret", "/roster/person/forget",
    }  # fmt: skip


async def test_nobody_is_asked_within_ten_minutes_and_everybody_after_them(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    fresh = await desk.seat(Role.ADMINISTRATOR)
    desk.clock.on(minutes=9)
    assert (await post(fresh, PAGE, TOKEN, page=PAGE)).status_code == 200
    asked = await post(office, PAGE, TOKEN, page=PAGE)
    assert (await confirmed(office, asked)).status_code == 200
    desk.clock.on(minutes=9)
    assert (await post(office, PAGE, TOKEN, page=PAGE)).status_code == 200
    assert (await post(fresh, PAGE, TOKEN, page=PAGE)).status_code == 403  # each for itself
    desk.clock.on(minutes=1)
    assert (await post(office, PAGE, TOKEN, page=PAGE)).status_code == 403


async def test_guessing_there_is_slowed_down(desk: Desk, office: httpx.AsyncClient) -> None:
    asked = await post(office, PAGE, TOKEN, page=PAGE)
    for _ in range(5):
        await confirmed(office, asked, "a wrong password")
    answer = await confirmed(office, asked)
    assert answer.status_code == 403
    assert "Try again in 1 s" in shown(answer.text)
    assert not await desk.store.read(lambda tx: tx.tokens())


async def test_a_session_that_was_ended_confirms_nothing(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    asked = await post(office, PAGE, TOKEN, page=PAGE)
    await desk.store.write(lambda tx: tx.drop_sessions("a-administrator"))
    assert (await confirmed(office, asked)).status_code in {401, 403}
    assert not await desk.store.read(lambda tx: tx.tokens())
