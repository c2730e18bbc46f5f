"""Accounts and roles, as an administrator works with them in the browser."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from desk.connections import tokens
from desk.entry import passwords
from desk.roles import Grant, Role
from surveys.people import Subject
from tests.web.console.seats import Desk, post
from tests.web.console.signing import OTHER_PASSWORD, person, shown, sign_in

LIST = "/desk/accounts"
LINK = re.compile(r">http://minyi\.test(/desk/welcome/[A-Za-z0-9_-]{43})<")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
async def office(desk: Desk) -> httpx.AsyncClient:
    """An administrator's browser, and two units on the roster."""
    units = [
        Subject("land", {"zh": "不动产窗口", "en": "Land registry"}),
        Subject("tax", {"zh": "税务窗口"}),
    ]
    await desk.store.write(lambda tx: tx.put_subjects(units))
    await person(desk, Role.ADMINISTRATOR)
    return await desk.seat(Role.ADMINISTRATOR)


async def stored(desk: Desk, login: str) -> Any:
    return await desk.store.read(lambda tx: tx.account_by_login(login))


async def test_somebody_is_invited_by_a_link_that_is_shown_once(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    fields = {"login": "Li.Na", "name": "李娜", "role:officer": "on", "add:supervisor": "税务窗口"}
    answer = await post(office, f"{LIST}/new", fields, page=f"{LIST}/new")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    link = LINK.search(answer.text)
    assert link is not None
    account = await stored(desk, "li.na")
    assert account.grants == (Grant(Role.OFFICER), Grant(Role.SUPERVISOR, "tax"))
    for path in (LIST, f"{LIST}/{account.id}"):
        page = (await office.get(path)).text
        assert "李娜" in page
        assert "/desk/welcome/" not in page
    assert link[1].split("/")[-1] not in str(await desk.audited())

    theirs = desk.browser()
    chosen = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert (await post(theirs, link[1], chosen, page=link[1])).headers["location"] == "/desk"
    actions = [(each.action, each.who) for each in await desk.audited()]
    administrator = "a-administrator"
    assert actions == [
        ("account.invited", administrator),
        ("account.welcomed", account.id),
        ("account.signed_in", account.id),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"login": "", "name": "李娜"}, "A login has 2 to 40"),
        ({"login": "administrator", "name": "李娜"}, "is taken"),
        ({"login": "lina", "name": ""}, "Give a name"),
        (
            {"login": "lina", "name": "李娜", "add:rated": "Nowhere"},
            "no unit or official “Nowhere”",
        ),
    ],
)
async def test_what_cannot_be_is_said_and_what_was_typed_is_kept(
    desk: Desk, office: httpx.AsyncClient, fields: dict[str, str], said: str
) -> None:
    page = f"{LIST}/new"
    answer = await post(office, page, {**fields, "role:auditor": "on"}, page=page)
    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert 'name="role:auditor" checked' in answer.text
    for value in fields.values():
        assert not value or f'value="{value}"' in answer.text
    assert await stored(desk, "lina") is None


async def test_nobody_is_invited_without_a_role(desk: Desk, office: httpx.AsyncClient) -> None:
    page = f"{LIST}/new"
    answer = await post(office, page, {"login": "lina", "name": "李娜"}, page=page)
    assert answer.status_code == 422
    assert 'id="wrong-roles"' in answer.text
    assert "Choose at least one role" in answer.text
    assert await stored(desk, "lina") is None


async def test_the_page_of_a_link_that_is_loaded_again_says_that_the_account_is_there(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    page, fields = f"{LIST}/new", {"login": "lina", "name": "李娜", "role:officer": "on"}
    assert (await post(office, page, fields, page=page)).status_code == 200
    again = await post(office, page, fields, page=page)
    account = await stored(desk, "lina")
    assert account is not None
    assert again.headers["location"] == f"{LIST}/{account.id}"
    assert "make a new link below" in (await office.get(f"{LIST}/{account.id}")).text
    other = await post(office, page, {**fields, "name": "另一个人"}, page=page)
    assert other.status_code == 422, "somebody else's login is taken"


async def test_roles_are_changed_and_the_person_has_to_sign_in_again(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    theirs = await desk.seat(Role.SUPERVISOR, "land", login="chen")
    path = f"{LIST}/a-chen"
    page = (await office.get(path)).text
    assert 'name="role:supervisor:land" checked' in page
    stood = json.dumps(["supervisor:land"])
    fields = {"stood": stood, "role:handler": "on", "add:supervisor": "tax"}
    assert (await post(office, f"{path}/roles", fields, page=path)).status_code == 303
    account = await stored(desk, "chen")
    assert account.grants == (Grant(Role.SUPERVISOR, "tax"), Grant(Role.HANDLER))
    assert (await theirs.get("/desk")).status_code == 303
    again = await post(office, f"{path}/roles", fields, page=path)
    assert again.status_code == 422  # the roles are no longer what the form was made for
    assert "in the meantime" in shown(again.text)


@pytest.mark.parametrize("stood", ["", "x", "[1]", '["king:"]', "[" * 5000, '{"a":1}'])
async def test_a_form_that_is_not_ours_changes_nothing(
    desk: Desk, office: httpx.AsyncClient, stood: str
) -> None:
    await desk.seat(Role.OFFICER)
    path = f"{LIST}/a-officer"
    answer = await post(office, f"{path}/roles", {"stood": stood, "role:auditor": "on"}, page=path)
    assert answer.status_code in {404, 422}
    answer = await post(office, f"{path}/roles", {"stood": "[]", "role:king": "on"}, page=path)
    assert answer.status_code == 404
    assert (await stored(desk, "officer")).grants == (Grant(Role.OFFICER),)


async def test_disabling_ends_the_sessions_at_once_and_nobody_comes_in(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    await person(desk, Role.OFFICER)
    theirs = desk.browser()
    await sign_in(theirs, "officer")
    path = f"{LIST}/a-officer"
    assert (await post(office, f"{path}/disable", page=path)).status_code == 303
    assert (await theirs.get("/desk")).status_code == 303
    assert (await sign_in(desk.browser(), "officer")).status_code == 403
    assert "disabled" in (await office.get(LIST)).text
    assert (await post(office, f"{path}/link", page=path)).status_code == 422
    assert (await post(office, f"{path}/enable", page=path)).status_code == 303
    assert (await sign_in(desk.browser(), "officer")).status_code == 303


async def test_a_new_link_for_a_lost_phone(desk: Desk, office: httpx.AsyncClient) -> None:
    await person(desk, Role.OFFICER, factor=True)
    theirs = await desk.seat(Role.OFFICER)
    path = f"{LIST}/a-officer"
    answer = await post(office, f"{path}/link", {"clear_factor": "on"}, page=path)
    link = LINK.search(answer.text)
    assert link is not None
    assert (await theirs.get("/desk")).status_code == 303
    chosen = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    going = await post(theirs, link[1], chosen, page=link[1])
    assert going.headers["location"] == "/desk"
    assert (await stored(desk, "officer")).totp == b""


async def test_ending_somebodys_sessions(desk: Desk, office: httpx.AsyncClient) -> None:
    theirs = await desk.seat(Role.OFFICER)
    path = f"{LIST}/a-officer"
    assert (await post(office, f"{path}/sign-out", page=path)).status_code == 303
    assert (await theirs.get("/desk")).status_code == 303


async def test_tokens_end_with_all_sessions_and_with_a_new_password_by_link(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    await person(desk, Role.OFFICER)
    path = f"{LIST}/a-officer"

    def make(tx: Any) -> None:
        tokens.make(tx, desk.act(), tx.account("a-officer"), "HR", ["roster.read"], 30)

    await desk.store.write(make)
    await post(office, f"{path}/sign-out", page=path)
    assert "tokens are revoked" in shown((await office.get(path)).text)
    assert not await desk.store.read(lambda tx: tx.tokens())
    await desk.store.write(make)
    link = LINK.search((await post(office, f"{path}/link", page=path)).text)
    assert link is not None
    assert await desk.store.read(lambda tx: tx.tokens())  # nobody has used the link yet
    chosen = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert (await post(desk.browser(), link[1], chosen, page=link[1])).status_code == 303
    assert not await desk.store.read(lambda tx: tx.tokens())
    revoked = await desk.audited("token.revoked")
    assert [entry.who for entry in revoked] == ["a-administrator", "a-officer"]


async def test_nobody_has_power_over_their_own_account(
    desk: Desk, office: httpx.AsyncClient
) -> None:
    path = f"{LIST}/a-administrator"
    assert "<form" not in (await office.get(path)).text.split("<main")[1]
    stood = json.dumps(["administrator:"])
    for what, fields in (
        ("roles", {"stood": stood, "role:custodian": "on", "role:administrator": "on"}),
        ("disable", {}),
        ("link", {"clear_factor": "on"}),
    ):
        answer = await post(office, f"{path}/{what}", fields)
        assert answer.status_code == 422, what
    assert (await stored(desk, "administrator")).grants == (Grant(Role.ADMINISTRATOR),)
    assert await desk.audited() == []


async def test_the_last_administrator_stays(desk: Desk, office: httpx.AsyncClient) -> None:
    """The other one at the desk never chose a password, so the first is the last."""
    other = await desk.seat(Role.ADMINISTRATOR, login="second")
    path = f"{LIST}/a-administrator"
    fields = {"stood": json.dumps(["administrator:"]), "role:auditor": "on"}
    for what in ("roles", "disable"):
        answer = await post(other, f"{path}/{what}", fields, page=path)
        assert answer.status_code == 422
        assert "last administrator" in shown(answer.text)


async def test_an_auditor_reads_the_list_and_finds_nothing_to_press(desk: Desk) -> None:
    await person(desk, Role.ADMINISTRATOR)
    auditor = await desk.seat(Role.AUDITOR)
    for path in (LIST, f"{LIST}/a-administrator"):
        page = (await auditor.get(path)).text
        assert "Administrator" in page
        assert "<form" not in page.split("<main")[1]
    assert "demanded" in shown((await auditor.get(LIST)).text)  # it has no second factor yet


async def test_names_are_text_and_never_markup(desk: Desk, office: httpx.AsyncClient) -> None:
    name = "<b>Li</b>'\"&"
    fields = {"login": "lina", "name": name, "role:officer": "on"}
    await post(office, f"{LIST}/new", fields, page=f"{LIST}/new")
    page = (await office.get(LIST)).text
    assert "&lt;b&gt;Li&lt;/b&gt;" in page
    assert "<b>Li" not in page
