"""What every door bears: empty forms, forms with holes, NUL, and bodies that it does not take."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from argon2 import PasswordHasher

from desk import approvals
from desk.campaigns.campaigning import create
from desk.campaigns.seconding import CLOSE
from desk.connections import hooks, tokens
from desk.entry import passwords
from desk.roles import SCOPED, Grant, Role
from storage import SqlStore
from tests.desk.asking import SERVICE, furnish, wish
from tests.surveys.forms import QUESTIONNAIRES
from tests.web.console.seats import APP_KEY, Clock, Desk, desk_on, post, proof
from tests.web.console.signing import COOKIE, PASSWORD
from web.console.console import OpenId
from web.console.context import proof_of
from web.console.doors import Door
from web.console.house import DOORS

POSTS = [door for door in DOORS if door.method == "POST"]
EVERYTHING = tuple(Grant(role, "land" if role in SCOPED else "") for role in Role)
NUL_IN_PATHS = (
    "accounts/a%00b",
    "questionnaires/%00",
    "connections/hooks/a%00",
    "roster/im%00port",
)
NUL_IN_QUERIES = ("roster/people?q=a%00b", "audit?who=%00", "campaigns?q=%2500&%00=1")
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    """A desk with something of each kind, on a SQLite file and on PostgreSQL."""
    store = SqlStore(database_url)
    made = desk_on(store, Clock(), openid=OpenId("http://127.0.0.1:1", "minyi", "secret"))
    await store.write(furnish)
    await store.write(lambda tx: create(tx, made.act(), wish()))
    yield made
    for client in made.opened:
        await client.aclose()
    await store.close()


async def mighty(desk: Desk) -> httpx.AsyncClient:
    """Somebody who may do everything, and has just signed in."""
    account = await desk.account(Role.ADMINISTRATOR, login="mighty")
    may = replace(account, grants=EVERYTHING, password=passwords.hashed(PASSWORD))
    await desk.store.write(lambda tx: tx.put_account(may))
    return await desk.seat(Role.ADMINISTRATOR, login="mighty")


async def places(desk: Desk, client: httpx.AsyncClient) -> dict[str, str]:
    """What stands in the addresses of the doors: something that is there."""
    other = await desk.account(Role.OFFICER, login="other")
    owner = await desk.account(None, login="mighty")
    desired = hooks.Desired("https://receiver.example/", ["wave.opened"], False)
    hook, _ = await desk.store.write(lambda tx: hooks.make(tx, desk.act(), desired, APP_KEY))
    token, _ = await desk.store.write(
        lambda tx: tokens.make(tx, desk.act(), owner, "HR", ["roster.read"], 30)
    )
    given = {"campaign": "window"}
    asked = await desk.store.write(
        lambda tx: approvals.ask(
            tx, desk.act(other.id), other, CLOSE, "campaign:window", given, desk.clock()
        )
    )
    table, _ = await brought(client, "/desk/roster/import", b"id,kind\nx9,staff\n", table="people")
    form, _ = await brought(
        client, "/desk/questionnaires/upload", (QUESTIONNAIRES / "service.md").read_bytes(),
        page="/desk/questionnaires",
    )  # fmt: skip
    return {
        "account": other.id, "hook": hook.id, "token": token.id, "approval": asked.id,
        "campaign": "window", "version": SERVICE.hash, "form": SERVICE.hash, "notice": "1",
        "key": "0123456789abcdef0123", "step": "1", "roster": table, "questionnaires": form,
    }  # fmt: skip


async def brought(
    client: httpx.AsyncClient, path: str, content: bytes, page: str = "", **fields: str
) -> tuple[str, httpx.Response]:
    """An upload's name, when it has been looked at, and the page about it."""
    files = {"file": ("table.csv" if "table" in fields else "form.md", content)}
    answer = await post(client, path, fields, page=page or path, files=files)
    where = answer.headers["location"]
    for _ in range(400):
        answer = await client.get(where)
        if "hx-trigger" not in answer.text:
            break
        await asyncio.sleep(0.05)
    return where.rsplit("/", 1)[-1], answer


def addressed(door: Door, found: dict[str, str]) -> str:
    """The door's path with ``found`` in its places; an upload is one of its own room."""
    room = door.path.split("/")[1]
    filled = {**found, "upload": found.get(room, "nowhere")}
    return "/desk" + re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: filled.get(m[1], "nowhere"), door.path)


def asked_for(door: Door) -> set[str]:
    """The names of fields that the door's module looks at."""
    module = inspect.getmodule(inspect.unwrap(getattr(door.handler, "func", door.handler)))
    assert module is not None
    source = inspect.getsource(module)
    names = re.findall(r"""fields(?:\.get\(|\[)\s*["'](\w+)""", source)
    return {*names, *re.findall(r"""["'](\w+)["'] in at\.fields""", source)}


async def test_no_form_however_empty_or_full_of_holes_breaks_a_door(desk: Desk) -> None:
    client = await mighty(desk)
    found = await places(desk, client)
    assert len(POSTS) > 40
    for door in POSTS:
        path, names = addressed(door, found), sorted(asked_for(door))
        alone = [{name: value} for name in names for value in ("", "1")]
        whole = [dict.fromkeys(names, value) for value in ("", "x", "\0", "a\0b")]
        for fields in ({}, *whole, *alone):
            client = await desk.seat(None, login="mighty")  # the one before may have signed out
            client.headers["X-Proof"] = proof_of(client.cookies[COOKIE])
            answer = await client.post(path, data=fields)
            where = f"{path} {fields}: {answer.status_code}"
            fit = {503} if door.path == "/sign-in/openid" else set()  # nobody answers there
            assert answer.status_code < 500 or answer.status_code in fit, where


@pytest.mark.parametrize("path", [*NUL_IN_PATHS, *NUL_IN_QUERIES])
async def test_an_address_with_nul_in_it_is_nowhere(desk: Desk, path: str) -> None:
    for client in (desk.browser(), await mighty(desk)):
        answer = await client.get(f"/desk/{path}")
        assert answer.status_code == 404, path
        sent = {"proof": await proof(await mighty(desk), "/desk")}
        assert (await client.post(f"/desk/{path}", data=sent)).status_code in {404, 405}


async def test_nul_in_a_field_is_left_out_and_the_rest_is_kept(desk: Desk) -> None:
    client = await mighty(desk)
    fields = {"name": "H\0R", "days": "30", "scope:roster.read": "on"}
    answer = await post(client, "/desk/connections", fields)
    assert answer.status_code == 200
    [token] = await desk.store.read(lambda tx: tx.tokens("a-mighty"))
    assert token.name == "HR"
    answer = await post(client, "/desk/sign-in", {"login": "o\0ther", "password": "\0"})
    assert answer.status_code == 403
    _, page = await brought(
        client, "/desk/roster/import", b"id,kind\nx9,staff\n", table="peo\0ple", note="\0"
    )
    assert page.status_code == 200
    assert "x9" in page.text


async def sent(client: httpx.AsyncClient, path: str) -> tuple[int, int]:
    """Send a file without end: the status, and how many pieces of it were asked for."""
    said: list[int] = []
    read = 0

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": FILE, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            said.append(int(str(message["status"])))

    cookies = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)
    headers = [(b"content-type", b"multipart/form-data; boundary=b"), (b"host", b"minyi.test")]
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": b"", "scheme": "http", "server": ("minyi.test", 80), "asgi": {},
        "headers": [*headers, (b"cookie", cookies.encode())], "client": ("203.0.113.7", 1),
        "http_version": "1.1",
    }  # fmt: skip
    app = client._transport.app  # type: ignore[attr-defined]
    await app(scope, receive, send)
    return said[0], read


async def test_nothing_of_a_file_is_read_before_it_is_known_who_sends_it_and_where(
    desk: Desk,
) -> None:
    stranger, auditor = desk.browser(), await desk.seat(Role.AUDITOR)
    await stranger.get("/desk/sign-in")
    able = await mighty(desk)
    takes = {door.path for door in POSTS if door.files}
    assert takes == {"/roster/import", "/questionnaires/upload", "/questionnaires/trial/say"}
    for door in POSTS:
        path = addressed(door, {"notice": "1"})
        open_to_all = door.may is None
        assert await sent(stranger, path) == (413 if open_to_all else 401, 0), path
        if door.path in takes:
            assert await sent(auditor, path) == (403, 0), path
        else:
            assert await sent(able, path) == (413, 0), path
