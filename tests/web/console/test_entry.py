"""The way in and out, as browsers and as those who should not come in try it."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import replace

import httpx
import pytest
from argon2 import PasswordHasher
from lxml import etree

from desk.accounts import Stage
from desk.entry import factors, passwords, welcoming
from desk.entry.sessions import digest_of
from desk.roles import Role
from storage import SqlStore
from tests.web.console.seats import APP_KEY, PROOF, Desk, desk_on, post, proof
from tests.web.console.signing import (
    COOKIE,
    OTHER_PASSWORD,
    PASSWORD,
    code,
    enter_code,
    offered,
    person,
    shown,
    sign_in,
)
from web.site import inside


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 8, 1))


async def home(client: httpx.AsyncClient) -> int:
    return (await client.get("/desk")).status_code


async def first_link(desk: Desk) -> str:
    secret = await desk.store.write(lambda tx: welcoming.found(tx, desk.act()))
    assert secret is not None
    return welcoming.path(secret)


# the first administrator


async def test_the_first_administrator_comes_in_by_a_link_and_enrols_a_phone(desk: Desk) -> None:
    link, client = await first_link(desk), desk.browser("zh")
    for _ in range(3):  # previews, and somebody who looks twice
        assert (await client.get(link)).status_code == 200
    chosen = {"login": "Wei", "name": "张伟", "password": PASSWORD, "again": PASSWORD}
    going = await post(client, link, chosen, page=link)
    assert (going.status_code, going.headers["location"]) == (303, "/desk/second-factor")
    assert await home(client) == 303  # the role demands a second factor first

    page = (await client.get("/desk/second-factor")).text
    picture = await client.get("/desk/second-factor/picture")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert etree.fromstring(picture.content).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in picture.text
    enrolled = await post(
        client,
        "/desk/second-factor",
        {"code": code(desk, offered(page))},
        page="/desk/second-factor",
    )
    codes = re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", enrolled.text)
    assert len(set(codes)) == 10
    old = PROOF.search(page)
    assert old is not None
    sent = {"code": "000000", "proof": old[1]}
    reloaded = await client.post("/desk/second-factor", data=sent)
    assert reloaded.headers["location"] == "/desk/me", "what the page said stands"
    shown = (await client.get("/desk/me")).text
    assert "第二道验证已启用。备用码不会再显示" in shown
    assert codes[0] not in shown
    assert await home(client) == 200
    assert (await client.get(link)).status_code == 410  # it was good once

    again = desk.browser()
    await sign_in(again, "wei")
    assert (await enter_code(again, codes[0])).headers["location"] == "/desk"
    assert await home(again) == 200


async def test_a_link_that_is_void_says_so_and_what_to_do(desk: Desk) -> None:
    old, new, client = await first_link(desk), await first_link(desk), desk.browser()
    for path in (old, "/desk/welcome/short", "/desk/welcome/" + "x" * 43):
        answer = await client.get(path)
        assert answer.status_code == 410
        assert "Ask an administrator" in answer.text
    answer = await post(client, old, {"login": "a1", "name": "A", "password": PASSWORD}, page=new)
    assert answer.status_code == 410
    desk.clock.on(hours=24)
    assert (await client.get(new)).status_code == 410


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "short"}, "at least 12"),
        ({"password": "minyi-minyi-minyi"}, "tried first"),
        ({"password": "weizhang", "again": "weizhang"}, "at least 12"),
        ({"password": "wei-zhang-wei-zhang"}, "which others know"),
        ({"password": "Hedong District Services"}, "which others know"),
        ({"again": "something else entirely"}, "differ"),
        ({"login": "w z"}, "no spaces"),
        ({"name": " "}, "Give a name"),
    ],
)
async def test_what_will_not_do_is_said_beside_its_field_and_spends_nothing(
    desk: Desk, fields: dict[str, str], said: str
) -> None:
    link, client = await first_link(desk), desk.browser()
    chosen = {"login": "wei.zhang", "name": "Wei Zhang", "password": PASSWORD, "again": PASSWORD}
    if "password" in fields and "again" not in fields:
        fields = {**fields, "again": fields["password"]}
    answer = await post(client, link, {**chosen, **fields}, page=link)
    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert PASSWORD not in answer.text
    if "login" not in fields:
        assert 'value="wei.zhang"' in answer.text  # what was typed is kept
    assert (await post(client, link, chosen, page=link)).status_code == 303


async def test_a_link_never_stands_for_the_second_factor(desk: Desk) -> None:
    account, client = await person(desk, Role.OFFICER, factor=True), desk.browser()
    secret = await desk.store.write(lambda tx: welcoming.link(tx, desk.act(), account.id))
    link = welcoming.path(secret)
    chosen = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    going = await post(client, link, chosen, page=link)
    assert going.headers["location"] == "/desk/sign-in/code"
    assert await home(client) == 303
    assert (await enter_code(client, code(desk))).status_code == 303
    assert await home(client) == 200


# name and password


async def test_one_signs_in_goes_where_one_was_going_and_out_again(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    client = desk.browser()
    asked = await client.get("/desk/results?x=1&y=两")
    assert asked.headers["location"].startswith("/desk/sign-in?to=")
    page = asked.headers["location"]
    to = re.search(r'name="to" value="([^"]*)"', (await client.get(page)).text)
    assert to is not None
    going = await sign_in(client, "officer", to=to[1].replace("&amp;", "&"))
    assert going.status_code == 303
    assert httpx.URL(going.headers["location"]).path == "/desk/results"
    assert await home(client) == 200
    out = await post(client, "/desk/sign-out")
    assert out.headers["location"] == "/desk/sign-in"
    assert await home(client) == 303
    actions = [each.action for each in await desk.audited()]
    assert actions == ["account.signed_in", "account.signed_out"]


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/desk",
        "//evil.example",
        "/\\evil.example",
        "/desk\\..\\x",
        "/results",
        "/deskevil",
        "/desk/../c",
        "/desk/%2e%2E/c",
        "/desk/..//evil.example",
        "/desk\t//evil",
        "javascript:alert(1)",
        "desk",
        "",
    ],
)
async def test_signing_in_leads_to_no_other_place_than_the_desk(desk: Desk, to: str) -> None:
    await person(desk, Role.OFFICER)
    going = await sign_in(desk.browser(), "officer", to=to)
    assert going.headers["location"] == "/desk"
    assert inside("/desk/results?a=//b", "/desk") == "/desk/results?a=//b"


async def test_where_one_was_going_survives_the_second_factor(desk: Desk) -> None:
    await person(desk, Role.OFFICER, factor=True)
    client = desk.browser()
    await sign_in(client, "officer", to="/desk/results?x=两")
    going = await enter_code(client, code(desk))
    assert httpx.URL(going.headers["location"]).path == "/desk/results"


async def test_a_cookie_planted_before_signing_in_never_becomes_a_session(desk: Desk) -> None:
    await person(desk, Role.OFFICER, factor=True)
    planted = "A" * 43
    victim, thief = desk.browser(), desk.browser()
    for client in (victim, thief):
        client.cookies.set(COOKIE, planted, domain="minyi.test", path="/")
    seen = [planted]
    await sign_in(victim, "officer")
    seen.append(victim.cookies[COOKIE])
    assert await home(thief) == 303
    thief.cookies.set(COOKIE, seen[-1], domain="minyi.test", path="/")
    await enter_code(victim, code(desk))
    seen.append(victim.cookies[COOKIE])
    assert len(set(seen)) == 3  # another one at each step
    assert await home(victim) == 200
    assert await home(thief) == 303  # the half session's cookie is worth nothing now
    for cookie in seen[:2]:
        assert await desk.store.read(lambda tx, c=cookie: tx.session(digest_of(c))) is None  # type: ignore[misc]


async def test_signing_in_again_ends_the_session_that_was_there(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    client = desk.browser()
    await sign_in(client, "officer")
    old = client.cookies[COOKIE]
    data = {"proof": await proof(client, "/desk"), "login": "officer", "password": PASSWORD}
    assert (await client.post("/desk/sign-in", data=data)).status_code == 303
    assert client.cookies[COOKIE] != old
    assert await desk.store.read(lambda tx: tx.session(digest_of(old))) is None


async def test_the_form_before_signing_in_needs_its_own_browsers_proof(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    mine, other = desk.browser(), desk.browser()
    theirs = await proof(other, "/desk/sign-in")
    await mine.get("/desk/sign-in")
    sent = {"login": "officer", "password": PASSWORD}
    for data in (sent, {**sent, "proof": ""}, {**sent, "proof": theirs}):
        assert (await mine.post("/desk/sign-in", data=data)).status_code == 403
    data = {**sent, "proof": await proof(mine, "/desk/sign-in")}
    for site in ("cross-site", "same-site"):
        answer = await mine.post("/desk/sign-in", data=data, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    answer = await desk.browser().post("/desk/sign-in", data=data)  # no cookie at all
    assert answer.status_code == 403
    assert await desk.audited() == []
    assert (await mine.post("/desk/sign-in", data=data)).status_code == 303


async def test_cookies_are_for_our_own_pages_alone() -> None:
    store = SqlStore("sqlite://")
    desk = desk_on(store)
    desk.app.state.site = replace(desk.app.state.site, public_url="https://minyi.test")
    await person(desk, Role.OFFICER)
    client = desk.browser()
    client.base_url = httpx.URL("https://minyi.test")
    going = await sign_in(client, "officer")
    kept = [each for each in going.headers.get_list("set-cookie") if "minyi-de" in each]
    assert len(kept) == 2  # the session and the device
    for cookie in kept:
        assert cookie.startswith("__Host-minyi-de")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert "Max-Age" not in kept[0]
    await client.aclose()
    await store.close()


# the second factor


async def test_a_replayed_code_is_refused(desk: Desk) -> None:
    await person(desk, Role.OFFICER, factor=True)
    first, second = desk.browser(), desk.browser()
    typed = code(desk)
    for client in (first, second):
        assert (await sign_in(client, "officer")).headers["location"] == "/desk/sign-in/code"
    assert (await enter_code(first, typed)).status_code == 303
    refused = await enter_code(second, typed)
    assert refused.status_code == 403
    assert "used before" in refused.text
    assert await home(second) == 303
    desk.clock.on(seconds=30)
    assert (await enter_code(second, code(desk))).status_code == 303
    assert await home(second) == 200


async def test_five_wrong_codes_and_one_begins_again(desk: Desk) -> None:
    await person(desk, Role.OFFICER, factor=True)
    client = desk.browser()
    await sign_in(client, "officer")
    for _ in range(4):
        assert (await enter_code(client, "123 456")).status_code == 403
    ended = await enter_code(client, "123456")
    assert ended.headers["location"] == "/desk/sign-in"
    assert "too many codes were wrong" in (await client.get("/desk/sign-in")).text
    assert (await client.get("/desk/sign-in/code")).headers["location"].startswith("/desk/sign-in")


async def test_half_a_sign_in_ends_after_ten_minutes(desk: Desk) -> None:
    await person(desk, Role.OFFICER, factor=True)
    client = desk.browser()
    await sign_in(client, "officer")
    sent = {"proof": await proof(client, "/desk/sign-in/code")}
    desk.clock.on(minutes=10)
    answer = await client.post("/desk/sign-in/code", data={**sent, "code": code(desk)})
    assert answer.status_code == 401
    assert await home(client) == 303


async def test_a_recovery_code_works_once_and_no_phone_is_needed(desk: Desk) -> None:
    account = await person(desk, Role.OFFICER, factor=True)
    codes, kept = factors.new_codes(account.id, APP_KEY)
    await desk.store.write(lambda tx: tx.put_account(replace(account, recovery=kept)))
    for typed, status in ((codes[0], 303), (codes[0], 403), (codes[1].upper(), 303)):
        client = desk.browser()
        await sign_in(client, "officer")
        assert (await enter_code(client, typed)).status_code == status


# sessions end


async def test_a_session_ends_after_half_an_hour_without_a_page(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    client = desk.browser()
    await sign_in(client, "officer")
    desk.clock.on(minutes=29)
    assert await home(client) == 200
    desk.clock.on(minutes=29)
    assert await home(client) == 200
    desk.clock.on(minutes=30)
    assert await home(client) == 303


async def test_a_session_ends_after_twelve_hours_whatever_is_done(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    client = desk.browser()
    await sign_in(client, "officer")
    for _ in range(35):
        desk.clock.on(minutes=20)
        assert await home(client) == 200
    desk.clock.on(minutes=20)
    assert await home(client) == 303


# guessing


async def test_guessing_is_slowed_down_and_the_page_says_for_how_long(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    pages = {}
    for login in ("officer", "nobody-by-that-name"):
        client = desk.browser(address="198.51.100.9")
        for _ in range(5):
            answer = await sign_in(client, login, "a wrong password")
            assert answer.status_code == 403
            assert f'value="{login}"' in answer.text
        answer = await sign_in(client, login, PASSWORD)
        assert answer.status_code == 429
        assert "Try again in 1 s" in answer.text
        pages[login] = re.sub(r'value="[^"]*"', "", answer.text)
        desk.clock.on(minutes=1)
    assert len(set(pages.values())) == 1  # the same words whether there is such a login


@pytest.mark.parametrize(
    "strangers",
    [
        [f"198.51.100.{n}" for n in range(40)],
        [f"2001:db8:{n:x}::1" for n in range(40)],
        ["203.0.113.7"] * 40,  # even from the very same address
    ],
)
async def test_strangers_who_hammer_a_login_do_not_lock_its_owner_out(
    desk: Desk, strangers: list[str]
) -> None:
    await person(desk, Role.OFFICER)
    mine = desk.browser()
    assert (await sign_in(mine, "officer")).status_code == 303
    await post(mine, "/desk/sign-out")
    for address in strangers:
        await sign_in(desk.browser(address=address), "officer", "a wrong password")
    assert (await sign_in(mine, "officer")).status_code == 303
    assert await home(mine) == 200
    new = desk.browser(address="192.0.2.200")  # that was never here, nor tried anything
    assert (await sign_in(new, "officer")).status_code == 303
    assert await home(new) == 200


async def test_whoever_has_used_up_five_tries_waits_for_all_the_strangers(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    for number in range(30):
        await sign_in(desk.browser(address=f"198.51.100.{number}"), "officer", "a wrong password")
    for _ in range(5):
        answer = await sign_in(desk.browser(), "officer", "a wrong password")
        assert answer.status_code == 403
    answer = await sign_in(desk.browser(), "officer")
    assert answer.status_code == 429
    assert "Try again in 15 min" in answer.text


async def test_one_stranger_does_not_even_lock_out_a_new_browser_elsewhere(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    for _ in range(30):
        await sign_in(desk.browser(address="2001:db8:1:2::66"), "officer", "a wrong password")
    same = desk.browser(address="2001:db8:1:2:aaaa::1")  # another address of the same /64
    assert (await sign_in(same, "officer")).status_code == 429
    assert (await sign_in(desk.browser(address="2001:db8:1:3::1"), "officer")).status_code == 303


async def test_the_audit_is_not_flooded_and_names_nobody_who_is_not_there(desk: Desk) -> None:
    await person(desk, Role.OFFICER)
    client = desk.browser()
    for _ in range(30):
        await sign_in(client, "officer", "hunter2-hunter2")
    for _ in range(10):
        await sign_in(client, "hunter2-hunter2", "x")
    rows = await desk.audited()
    assert [row.action for row in rows] == ["account.refused"] * len(rows)
    assert 1 <= len(rows) <= 3
    assert not any("hunter2" in str(row) for row in rows)


async def test_a_disabled_account_is_refused_like_a_wrong_password(desk: Desk) -> None:
    await person(desk, Role.OFFICER, disabled=True)
    right = await sign_in(desk.browser(), "officer")
    wrong = await sign_in(desk.browser(), "officer", "a wrong password")
    strange = await sign_in(desk.browser(), "stranger", "a wrong password")
    assert {each.status_code for each in (right, wrong, strange)} == {403}
    assert all(
        "The login or the password is wrong" in each.text for each in (right, wrong, strange)
    )


# where the work is done


async def test_passwords_are_worked_on_beside_the_loop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person(desk, Role.OFFICER)
    threads: list[str] = []
    real = passwords.matches

    def matches(encoded: str, password: str) -> bool:
        threads.append(threading.current_thread().name)
        return real(encoded, password)

    monkeypatch.setattr(passwords, "matches", matches)
    client = desk.browser()
    await sign_in(client, "officer")
    await sign_in(desk.browser(), "nobody", "x")
    assert len(threads) == 2
    assert all(name.startswith("minyi-password") for name in threads)
    assert threading.current_thread().name not in threads


async def test_an_older_hash_is_renewed_on_the_way_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await person(desk, Role.OFFICER)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(2, 8, 1))
    assert (await sign_in(desk.browser(), "officer")).status_code == 303
    stored = await desk.store.read(lambda tx: tx.account(account.id))
    assert stored is not None
    assert "t=2," in stored.password
    assert (await sign_in(desk.browser(), "officer")).status_code == 303


async def test_no_secret_is_logged_nor_audited_nor_in_an_address(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await person(desk, Role.OFFICER, factor=True)
    client = desk.browser()
    said = [await sign_in(client, "officer", "hunter2-hunter2"), await sign_in(client, "officer")]
    half = client.cookies[COOKIE]
    typed = code(desk)
    said.append(await enter_code(client, typed))
    text = (
        caplog.text
        + str(await desk.audited())
        + str([dict(each.headers).get("location") for each in said])
    )
    for secret in ("hunter2", PASSWORD, half, client.cookies[COOKIE], typed):
        assert secret not in text
    assert all(each.headers["cache-control"] == "no-store" for each in said)


# enrolling


async def test_a_second_factor_of_ones_own_will_takes_the_password_too(desk: Desk) -> None:
    account = await person(desk, Role.OFFICER)
    mine, elsewhere = desk.browser(), desk.browser()
    for client in (mine, elsewhere):
        await sign_in(client, "officer")
    path = "/desk/second-factor"
    secret = offered((await mine.get(path)).text)
    assert offered((await mine.get(path)).text) == secret  # a reload shows the same picture
    for fields, said in (
        ({"code": code(desk, secret)}, "not your password"),
        ({"code": code(desk, secret), "password": "wrong"}, "not your password"),
        ({"code": "000000", "password": PASSWORD}, "code is wrong"),
    ):
        answer = await post(mine, path, fields, page=path)
        assert answer.status_code == 422
        assert said in shown(answer.text)
    stored = await desk.store.read(lambda tx: tx.account(account.id))
    assert stored is not None
    assert stored.totp == b""
    fields = {"code": code(desk, secret), "password": PASSWORD}
    assert (await post(mine, path, fields, page=path)).status_code == 200
    assert await home(mine) == 200
    assert await home(elsewhere) == 303  # what was open without it is over
    assert offered((await mine.get(path)).text) != secret


async def test_enrolling_is_all_that_a_session_before_it_may_do(desk: Desk) -> None:
    await person(desk, Role.ADMINISTRATOR)
    client = desk.browser()
    assert (await sign_in(client, "administrator")).headers["location"] == "/desk/second-factor"
    for path in ("/desk", "/desk/me", "/desk/accounts"):
        assert (await client.get(path)).headers["location"] == "/desk/second-factor"
    sent = {"proof": await proof(client, "/desk/second-factor")}
    assert (await client.post("/desk/accounts/new", data=sent)).status_code == 401
    assert (await post(client, "/desk/sign-out", page="/desk/second-factor")).status_code == 303


@pytest.mark.parametrize("stage", [Stage.PASSWORD, Stage.ENROL])
async def test_half_a_session_may_sign_out(desk: Desk, stage: Stage) -> None:
    client = await desk.seat(Role.OFFICER, stage=stage)
    page = "/desk/sign-in/code" if stage is Stage.PASSWORD else "/desk/second-factor"
    assert (await post(client, "/desk/sign-out", page=page)).headers["location"] == "/desk/sign-in"
