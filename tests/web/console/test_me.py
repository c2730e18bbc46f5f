"""One's own account."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from desk.connections import tokens
from desk.entry import passwords
from desk.entry.sessions import digest_of
from desk.roles import Role
from surveys.people import Address
from tests.web.console.seats import Desk, post
from tests.web.console.signing import (
    COOKIE,
    OTHER_PASSWORD,
    PASSWORD,
    code,
    enter_code,
    person,
    shown,
    sign_in,
)
from web.console.areas.me import browser_of

ME = "/desk/me"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 8, 1))


async def signed_in(desk: Desk, *, factor: bool = False, **more: str) -> httpx.AsyncClient:
    """The officer's browser, wholly signed in; a code's step passes meanwhile."""
    client = desk.browser(**more)
    assert (await sign_in(client, "officer")).status_code == 303
    if factor:
        assert (await enter_code(client, code(desk))).headers["location"] == "/desk"
        desk.clock.on(seconds=30)
    return client


async def inside(client: httpx.AsyncClient) -> bool:
    return (await client.get("/desk")).status_code == 200


async def test_the_sessions_are_listed_and_ended_one_by_one(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    mine, other = await signed_in(desk), await signed_in(desk, address="2001:db8::5")
    page = (await mine.get(ME)).text
    assert page.count("this one") == 1
    assert "2001:db8::5" in page
    assert "Tester/1.0" in page
    assert mine.cookies[COOKIE] not in page
    assert digest_of(mine.cookies[COOKIE]) not in page
    [theirs] = {
        id
        for id in re.findall(r'name="session" value="(\w+)"', page)
        if digest_of(other.cookies[COOKIE]).startswith(id)
    }
    await post(mine, f"{ME}/sessions/end", {"session": theirs}, page=ME)
    assert not await inside(other)
    assert await inside(mine)
    again = await post(mine, f"{ME}/sessions/end", {"session": theirs}, page=ME)
    assert again.status_code == 303
    assert "had ended already" in (await mine.get(ME)).text
    own = digest_of(mine.cookies[COOKIE])[:16]
    going = await post(mine, f"{ME}/sessions/end", {"session": own}, page=ME)
    assert going.headers["location"] == "/desk/sign-in"
    assert not await inside(mine)


@pytest.mark.parametrize("session", ["", "0", "*", "%", "f" * 64])
async def test_a_session_is_ended_by_its_whole_name_only(desk: Desk, session: str) -> None:
    await person(desk, Role.OFFICER)
    mine, other = await signed_in(desk), await signed_in(desk)
    await post(mine, f"{ME}/sessions/end", {"session": session}, page=ME)
    assert await inside(mine)
    assert await inside(other)


async def test_nobody_ends_another_accounts_session(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    mine, stranger = await signed_in(desk), await desk.seat(Role.ADMINISTRATOR)
    theirs = digest_of(mine.cookies[COOKIE])[:16]
    await post(stranger, f"{ME}/sessions/end", {"session": theirs}, page=ME)
    await post(stranger, f"{ME}/sessions/end-others", page=ME)
    assert await inside(mine)


async def test_signing_out_elsewhere_and_everywhere(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    one, two, three = [await signed_in(desk) for _ in range(3)]
    await post(one, f"{ME}/sessions/end-others", page=ME)
    assert [await inside(each) for each in (one, two, three)] == [True, False, False]
    two = await signed_in(desk)
    going = await post(one, f"{ME}/sessions/end-all", page=ME)
    assert going.headers["location"] == "/desk/sign-in"
    assert [await inside(each) for each in (one, two)] == [False, False]
    ended = await desk.audited("account.sessions_ended")
    assert [entry.after for entry in ended] == ['{"sessions":2}', '{"sessions":2}']


async def test_a_new_password_takes_the_old_one_and_ends_the_other_sessions(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    mine, other = await signed_in(desk), await signed_in(desk)
    before = mine.cookies[COOKIE]
    new = {"new": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    for fields, said in (
        (new, "not your password"),
        ({**new, "password": "wrong"}, "not your password"),
        ({**new, "password": PASSWORD, "again": "x"}, "differ"),
        ({"new": "short", "again": "short", "password": PASSWORD}, "at least 12"),
        (
            {"new": "officer officer", "again": "officer officer", "password": PASSWORD},
            "others know",
        ),
    ):
        answer = await post(mine, f"{ME}/password", fields, page=ME)
        assert answer.status_code == 422
        assert said in shown(answer.text)
        assert "<details open>" in answer.text
        assert OTHER_PASSWORD not in answer.text
    going = await post(mine, f"{ME}/password", {**new, "password": PASSWORD}, page=ME)
    assert going.status_code == 303
    assert mine.cookies[COOKIE] != before
    assert await inside(mine)
    assert not await inside(other)
    assert (await sign_in(desk.browser(), "officer")).status_code == 403
    assert (await sign_in(desk.browser(), "officer", OTHER_PASSWORD)).status_code == 303
    [entry] = await desk.audited("account.password_changed")
    assert entry.after == '{"sessions_ended":1}'


async def holding(desk: Desk) -> str:
    """The officer's token."""

    def work(tx: Any) -> str:
        made = tokens.make(tx, desk.act(), tx.account("a-officer"), "HR", ["roster.read"], 30)
        return made[1]

    secret: str = await desk.store.write(work)
    return secret


async def opens(desk: Desk, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return (await desk.browser().get("/api/v1/people", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields", "holds"),
    [
        ("password", {"password": PASSWORD, "new": OTHER_PASSWORD, "again": OTHER_PASSWORD}, False),
        ("sessions/end-all", {}, False),
        ("sessions/end-others", {}, True),
    ],
)
async def test_a_token_goes_with_the_password_and_with_the_last_session(
    desk: Desk, path: str, fields: dict[str, str], holds: bool
) -> None:
    await person(desk, Role.OFFICER)
    mine, token = await signed_in(desk), await holding(desk)
    page = shown((await mine.get(ME)).text)
    assert "revokes your API tokens" in page
    assert "your API tokens will be revoked" in page
    assert await opens(desk, token)
    assert (await post(mine, f"{ME}/{path}", fields, page=ME)).status_code == 303
    assert await opens(desk, token) is holds
    revoked = await desk.audited("token.revoked")
    assert [entry.who for entry in revoked] == ([] if holds else ["a-officer"])


async def test_guessing_the_password_in_an_open_session_is_slowed_down(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    stolen, mine = await signed_in(desk), await signed_in(desk)
    fields = {"new": OTHER_PASSWORD, "again": OTHER_PASSWORD, "password": "a wrong guess"}
    for _ in range(5):
        await post(stolen, f"{ME}/password", fields, page=ME)
    answer = await post(stolen, f"{ME}/password", {**fields, "password": PASSWORD}, page=ME)
    assert answer.status_code == 422
    assert "Try again in 1 s" in shown(answer.text)
    going = await post(mine, f"{ME}/password", {**fields, "password": PASSWORD}, page=ME)
    assert going.status_code == 303  # the owner's own session is not held up


async def test_new_recovery_codes_take_the_password_and_make_the_old_ones_void(desk: Desk) -> None:
    await person(desk, Role.OFFICER, factor=True, recovery=("0" * 64,))
    client = await signed_in(desk, factor=True)
    assert (await post(client, f"{ME}/recovery-codes", page=ME)).status_code == 422
    answer = await post(client, f"{ME}/recovery-codes", {"password": PASSWORD}, page=ME)
    codes = re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", answer.text)
    assert len(codes) == 10
    page = (await client.get(ME)).text
    assert not any(each in page for each in codes)
    other = desk.browser()
    await sign_in(other, "officer")
    assert (await enter_code(other, codes[9])).headers["location"] == "/desk"


async def test_the_second_factor_goes_with_the_password_where_the_role_lets_it(desk: Desk) -> None:
    account = await person(desk, Role.OFFICER, factor=True)
    client = await signed_in(desk, factor=True)
    path = f"{ME}/second-factor/remove"
    assert (await post(client, path, {"password": "wrong"}, page=ME)).status_code == 422
    assert (await post(client, path, {"password": PASSWORD}, page=ME)).status_code == 303
    stored = await desk.store.read(lambda tx: tx.account(account.id))
    assert stored is not None
    assert (stored.totp, stored.recovery) == (b"", ())
    assert (await sign_in(desk.browser(), "officer")).headers["location"] == "/desk"


async def test_it_stays_where_the_role_demands_it(desk: Desk) -> None:
    account = await person(desk, Role.ADMINISTRATOR, factor=True)
    client = desk.browser()
    await sign_in(client, "administrator")
    await enter_code(client, code(desk))
    assert f"{ME}/second-factor/remove" not in (await client.get(ME)).text
    answer = await post(client, f"{ME}/second-factor/remove", {"password": PASSWORD}, page=ME)
    assert answer.status_code == 422
    assert "cannot be removed" in shown(answer.text)
    stored = await desk.store.read(lambda tx: tx.account(account.id))
    assert stored is not None
    assert stored.totp


async def test_the_desk_speaks_the_accounts_language_until_another_is_chosen(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    client = await signed_in(desk)
    assert 'lang="en"' in (await client.get(ME)).text[:60]
    await post(client, f"{ME}/language", {"language": "zh"}, page=ME)
    assert "我的账号" in (await client.get(ME)).text
    await client.get("/language/en?to=/desk/me")  # at the top of any page
    assert "Your account" in (await client.get(ME)).text
    await post(client, f"{ME}/language", {"language": "zh"}, page=ME)
    assert "我的账号" in (await client.get(ME)).text
    assert (await post(client, f"{ME}/language", {"language": "xx"}, page=ME)).status_code == 422


async def test_a_chat_is_linked_by_a_code_that_takes_the_password(desk: Desk) -> None:
    account = await person(desk, Role.OFFICER)
    client = await signed_in(desk)
    assert "Telegram" not in (await client.get(ME)).text  # without a bot there is none to link
    desk.app.state.site = replace(desk.app.state.site, bot_username="minyi_bot")
    assert "Telegram" in (await client.get(ME)).text
    assert (await post(client, f"{ME}/chat/code", page=ME)).status_code == 422
    answer = await post(client, f"{ME}/chat/code", {"password": PASSWORD}, page=ME)
    assert re.search(r"/desk [a-z2-9]{4}-[a-z2-9]{4}", answer.text)
    assert "@minyi_bot" in answer.text
    linked = Address("telegram", "77")
    stored = await desk.store.read(lambda tx: tx.account(account.id))
    assert stored is not None
    await desk.store.write(lambda tx: tx.put_account(replace(stored, chat=linked)))
    assert (await post(client, f"{ME}/chat/unlink", page=ME)).status_code == 303
    assert await desk.store.read(lambda tx: tx.account_by_chat(linked)) is None


async def test_who_signs_in_elsewhere_is_told_where_the_password_is(desk: Desk) -> None:
    account = await desk.account(Role.OFFICER)
    outside = replace(account, external=("https://id.example", "17"))
    await desk.store.write(lambda tx: tx.put_account(outside))
    client = await desk.seat(Role.OFFICER)
    page = (await client.get(ME)).text
    assert f"{ME}/password" not in page
    assert "organisation’s own sign-in" in page
    page = (await client.get("/desk/second-factor")).text
    assert "organisation’s own sign-in" in page
    new = {"new": OTHER_PASSWORD, "again": OTHER_PASSWORD, "password": ""}
    assert (await post(client, f"{ME}/password", new, page=ME)).status_code == 422


@pytest.mark.parametrize(
    ("agent", "browser"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) MicroMessenger/8", "微信 WeChat · iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "?"),
    ],
)  # fmt: skip
def test_a_browser_is_called_what_people_call_it(agent: str, browser: str) -> None:
    assert browser_of(agent) == browser
