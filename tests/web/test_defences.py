"""What holds on every address, whoever asks and however it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.routing import Mount, Route

from desk.roles import Role
from storage import SqlStore
from tests.web.console.seats import Clock, Desk, desk_on
from tests.web.rehearsed import NOW, Scripted
from web.app import create_app
from web.protection import HEADERS

SECURE = "https://minyi.test"
FOR_ANYBODY = ("/static", "/qr", "/media", "/api/v1/openapi.json")  # may be kept by browsers


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    """A whole site: chat, results, desk and API."""
    store = SqlStore(sqlite_url)
    made = desk_on(store, Clock(NOW))
    yield made
    for client in made.opened:
        await client.aclose()
    await store.close()


def addresses(desk: Desk) -> list[tuple[str, str]]:
    """(method, path) of every route, with something in the place of each parameter."""
    found = [(method, path) for method, path in _flat(desk.app.routes) if method != "HEAD"]
    assert len(found) > 60, "chat, desk and API"
    return found


def _flat(routes: Any, at: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for route in routes:
        if isinstance(route, Mount):
            found += _flat(route.routes or (), at + route.path)
        elif isinstance(route, Route):
            path = "/".join("x" if "{" in part else part for part in route.path.split("/"))
            found += [(method, at + path) for method in route.methods or ("GET",)]
    return found


def safe(answer: httpx.Response) -> bool:
    """Whether the answer carries every safety header; a file's own policy may be stricter."""
    own = answer.headers.get("content-security-policy", "")
    strict = "default-src 'self'" in own or "default-src 'none'" in own
    rest = [name for name in HEADERS if name != "Content-Security-Policy"]
    return strict and "unsafe" not in own and all(name in answer.headers for name in rest)


@pytest.mark.parametrize("who", [None, Role.ADMINISTRATOR])
async def test_every_address_answers_with_the_safety_headers_however_it_ends(
    desk: Desk, who: Role | None
) -> None:
    client = desk.browser() if who is None else await desk.seat(who)
    for method, path in addresses(desk):
        for way in {method, "DELETE"}:  # what it is for, and what it is not for
            answer = await client.request(way, path)
            assert safe(answer), f"{way} {path}: {answer.status_code} {dict(answer.headers)}"
            assert answer.status_code != 500, f"{way} {path}"
            if not path.startswith(FOR_ANYBODY):
                assert answer.headers["cache-control"] == "no-store", f"{way} {path}"


async def test_our_own_mistakes_carry_them_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await desk.seat(Role.ADMINISTRATOR)

    async def broken(*_: object) -> None:
        raise RuntimeError("the words of somebody")

    monkeypatch.setattr(SqlStore, "read", broken)
    for path in ("/results", "/desk", "/desk/nothing", "/api/v1/me", "/poster/x"):
        answer = await client.get(path, headers={"Authorization": "Bearer minyi_x"})
        assert safe(answer), path
        assert "the words of somebody" not in answer.text


async def test_an_https_site_says_that_it_stays_one_and_its_cookies_never_travel_in_the_clear(
    sqlite_url: str,
) -> None:
    store = SqlStore(sqlite_url)
    console = desk_on(store).console
    app = create_app(Scripted(), store, clock=lambda: NOW, public_url=SECURE, console=console)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=SECURE) as client:
        for path in ("/", "/c", "/desk/sign-in", "/nothing", "/static/nothing", "/api/v1/me"):
            answer = await client.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000", path
            for cookie in answer.headers.get_list("set-cookie"):
                name, *flags = (part.strip().lower() for part in cookie.split(";"))
                if name.startswith("language="):
                    continue
                assert name.startswith("__host-"), cookie
                assert {"httponly", "secure", "path=/"} <= set(flags), cookie
                assert "samesite=lax" in flags or "samesite=strict" in flags, cookie
    await store.close()


async def test_a_site_without_tls_does_not_claim_it(desk: Desk) -> None:
    answer = await desk.browser().get("/")
    assert "strict-transport-security" not in answer.headers


CLIMBING = [
    "../app.py", "..%2fapp.py", "%2e%2e/app.py", "....//app.py", "..\\app.py", "..%5capp.py",
    "%2fetc%2fpasswd", "%00", "style.css%00.html", "/etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("path", CLIMBING)
@pytest.mark.parametrize("under", ["/static/", "/media/form/", "/media/"])
async def test_nobody_climbs_out_of_a_folder(desk: Desk, under: str, path: str) -> None:
    client = desk.browser()
    request = client.build_request("GET", "http://minyi.test/")
    request.url = httpx.URL("http://minyi.test").copy_with(raw_path=(under + path).encode())
    answer = await client.send(request)
    if answer.status_code == 307:  # a slash is missing; nothing was opened
        assert answer.headers["location"].startswith("http://minyi.test/")
    else:
        assert answer.status_code in {404, 405, 400}, answer.text
    assert "import" not in answer.text
    assert "root:" not in answer.text


AWAY = [
    "https://evil.test/", "//evil.test", "/\\evil.test", "\\\\evil.test", "javascript:alert(1)",
    "/%09/evil.test", "https:evil.test", "/desk/../../evil.test//x", "\t//evil.test",
]  # fmt: skip


@pytest.mark.parametrize("to", AWAY)
async def test_no_address_of_ours_sends_anybody_elsewhere(desk: Desk, to: str) -> None:
    client = await desk.seat(Role.ADMINISTRATOR)
    asked = quote(to, safe="")
    for path in (f"/language/en?to={asked}", f"/desk/sign-in?to={asked}", f"/desk?to={asked}"):
        answer = await client.get(path)
        onward = answer.headers.get("location", "/")
        assert httpx.URL("http://minyi.test").join(onward).host == "minyi.test", path
        assert not onward.startswith(("//", "/\\", "\\")), path
        assert 'href="https://evil' not in answer.text
        assert 'href="javascript' not in answer.text


async def test_a_slash_too_many_is_mended_without_trusting_the_host_that_was_claimed(
    desk: Desk,
) -> None:
    from web.hosts import OwnName

    transport = httpx.ASGITransport(OwnName(desk.app, "http://minyi.test"))
    async with httpx.AsyncClient(transport=transport, base_url="http://minyi.test") as client:
        answer = await client.get("/results/", headers={"Host": "evil.test"})
    assert answer.status_code == 421
