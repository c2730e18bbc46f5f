"""What is let in at the socket, in whose name, and how everything ends."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from desk.store import Work, WorkState
from desk.works import finish, interrupted
from minyi import wire
from minyi.house import open_house
from minyi.listening import Server, configured, listen
from minyi.logs import set_log_level
from minyi.readiness import Ticks, looks
from minyi.serving import Open
from minyi.settings import Settings
from storage import SqlStore, migrate
from tests.minyi.visitors import Crowd, Served, furnished, histograms, settings_in, tallied
from tests.postgres import Cluster
from web.health import Health

TOKEN = "a-metrics-token"


async def whose(request: Request) -> Response:
    """Who asks, as a page sees it."""
    assert request.client is not None
    return PlainTextResponse(f"{request.client.host} {request.url.scheme}")


async def slow(request: Request) -> Response:
    """An answer that takes a while; its body counts as well."""
    body = await request.body()
    await asyncio.sleep(0.5)
    return PlainTextResponse(f"{len(body)} bytes")


@asynccontextmanager
async def served(**told: Any) -> AsyncIterator[tuple[int, uvicorn.Server]]:
    """A server of ours with two pages; its port."""
    sock = listen("127.0.0.1", 0)
    app = Starlette(
        routes=[Route("/", whose), Route("/slow", slow, methods=["POST"]), Route("/readyz", whose)]
    )
    server = Server(configured(app, Settings.model_validate(told), None))
    task = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield sock.getsockname()[1], server
    finally:
        server.should_exit = True
        await task


async def asked(port: int, path: str = "/", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{port}{path}", headers=headers)


# ---- in whose name


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        ("", "203.0.113.9", "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1,10.0.0.2", "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
async def test_a_visitors_address_is_what_a_trusted_proxy_says_and_nobody_else(
    trusted: str, forwarded: str, seen: str
) -> None:
    async with served(trusted_proxies=trusted) as (port, _):
        answer = await asked(port, **({"X-Forwarded-For": forwarded} if forwarded else {}))
    assert answer.text.split()[0] == seen


async def test_only_a_trusted_proxy_may_say_that_it_was_https() -> None:
    headers = {"X-Forwarded-Proto": "https"}
    async with served() as (port, _):
        assert (await asked(port, **headers)).text.endswith(" http")
    async with served(trusted_proxies="127.0.0.1") as (port, _):
        assert (await asked(port, **headers)).text.endswith(" https")


@pytest.mark.parametrize("wrong", ["*", "0.0.0.0/0", "::/0", "nginx", "10.0.0.1/8"])
def test_a_proxy_that_cannot_be_meant_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Settings.model_validate({"trusted_proxies": wrong})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("minyi.gov.test", 200),
        ("MINYI.gov.test:443", 200),
        ("evil.test", 421),
        ("minyi.gov.test.evil.test", 421),
        ("evil.test:minyi.gov.test", 421),
        ("[::1", 421),
        ("127.0.0.1", 421),
    ],
)
async def test_another_sites_name_leads_nowhere(host: str, status: int) -> None:
    async with served(public_url="https://minyi.gov.test") as (port, _):
        answer = await asked(port, Host=host)
        assert answer.status_code == status
        assert (await asked(port, "/readyz", Host=host)).status_code == 200, "machines may ask"
    if status == 421:
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "MINYI_PUBLIC_URL" in answer.text


async def test_whoever_tries_things_out_on_this_machine_is_let_in_by_any_name() -> None:
    async with served() as (port, _):
        assert (await asked(port, Host="mymachine.local")).status_code == 200


async def test_no_answer_says_which_server_this_is() -> None:
    async with served() as (port, _):
        assert "server" not in (await asked(port)).headers


# ---- how much and how slowly


async def sent(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What comes back on a bare socket, until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


FIRST = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * wire.HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        FIRST + b"X: " + b"a" * wire.HEAD + b"\r\n\r\n",
        FIRST + b"".join(b"X%d: aaaaaaaaaaaaaaaaaaaa\r\n" % n for n in range(2000)) + b"\r\n",
        FIRST + b"X: " + b"a" * (2 * wire.HEAD),  # and never an end
        b"nonsense\r\n\r\n",
    ],
    ids=["address", "header", "many headers", "no end", "nonsense"],
)
async def test_a_head_that_is_too_long_is_refused_and_the_line_closed(head: bytes) -> None:
    async with served() as (port, _):
        answer = await sent(port, head)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        assert (await asked(port)).status_code == 200, "others are served"


async def test_a_head_that_comes_too_slowly_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "HEAD_PATIENCE", 0.2)
    async with served() as (port, _):
        assert await sent(port, b"GET / HT") == b""
        assert await sent(port) == b"", "nor one that never begins"
        second = await sent(port, FIRST + b"\r\n", b"GET / HT", pause=0.05)
        assert second.count(b"HTTP/1.1 200 OK") == 1, "nor the second on a line"


async def test_a_long_body_and_many_requests_on_one_line_are_no_long_head() -> None:
    async with served() as (port, _), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as c:
        for _ in range(3):
            answer = await c.post("/slow", content=b"x" * (5 * wire.HEAD))
            assert answer.text == f"{5 * wire.HEAD} bytes"
            assert (await c.get("/")).status_code == 200


# ---- how it ends


async def test_told_to_stop_an_answer_under_way_ends_and_nobody_new_is_let_in() -> None:
    async with served() as (port, server):
        under_way = asyncio.create_task(posted(port))
        await asyncio.sleep(0.2)
        server.should_exit = True
        await asyncio.sleep(0.2)
        with pytest.raises(httpx.ConnectError):
            await asked(port)
        assert (await under_way).text == "1 bytes"


async def posted(port: int) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"http://127.0.0.1:{port}/slow", content=b"x")


async def test_sigterm_while_people_answer_loses_nothing_and_ends_with_status_0(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path / "house")
    await furnished(settings)
    server, over = Served(settings), asyncio.Event()
    await server.start()
    crowd = Crowd(server.url, Random(5))
    answering = asyncio.create_task(crowd.come(6, over.is_set))
    await crowd.reaches(12)
    async with asyncio.timeout(30):
        status, said = await server.end(signal.SIGTERM)
    over.set()
    await answering
    assert (status, "stopped" in said, "interrupted" in said) == (0, True, False)
    counted, done = await tallied(settings), histograms(crowd.done)
    assert all(a <= b for cell in done for a, b in zip(done[cell], counted[cell], strict=True)), (
        "what was acknowledged is there"
    )


async def test_a_round_that_does_not_end_is_interrupted_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from minyi import serving

    begun = asyncio.Event()

    async def endless(house: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(serving, "GRACE", 0.2)
    monkeypatch.setitem(serving.JOBS, "sweep", endless)
    set_log_level("info")
    async with opened(tmp_path) as (_, doors):
        del doors
        await begun.wait()
    assert '"rounds": ["sweep"' in capsys.readouterr().err


async def test_long_work_at_the_desk_is_waited_for_and_then_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from minyi import serving

    begun: list[Work] = []

    async def brief(_: object) -> None:
        await asyncio.sleep(0.1)
        await write(WorkState.DONE)

    async def endless(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(serving, "GRACE", 0.5)
    set_log_level("info")
    async with opened(tmp_path) as (_, doors):
        house = doors.house

        async def write(state: WorkState) -> None:
            await house.store.write(lambda tx: finish(tx, begun[0], house.clock(), state, {}))

        for name, do in (("brief", brief), ("endless", endless)):
            work = Work(name, "import", "a1", house.clock(), house.clock())
            begun.append(work)
            await doors._console.works.begin(house.store, house.clock, work, do)
    assert '"works": 1' in capsys.readouterr().err
    store = SqlStore(f"sqlite:///{tmp_path / 'minyi.db'}")
    works = {work.id: work for work in await store.read(lambda tx: tx.works())}
    await store.close()
    assert works["brief"].state is WorkState.DONE
    later = works["endless"].seen_at + timedelta(minutes=2)
    assert interrupted(works["endless"], later), "and is shown as interrupted"


# ---- ready, or why not


@asynccontextmanager
async def opened(folder: Path, **told: Any) -> AsyncIterator[tuple[str, Open]]:
    """A whole house with its doors open; its address."""
    sock = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    settings = Settings.model_validate({"data_dir": folder, "public_url": url, **told})
    migrate(settings.database)
    async with open_house(settings) as house, Open(house, sock, every=0.1) as doors:
        yield url, doors


async def test_a_house_with_open_doors_is_ready_and_metered_for_whoever_has_the_token(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, metrics_token=TOKEN) as (url, _), httpx.AsyncClient() as client:
        ready = await client.get(f"{url}/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "not_ready": []})
        assert (await client.get(f"{url}/metrics")).status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with asyncio.timeout(20):
            while True:  # the clock comes round, and enough was written to fill a lot
                text = (await client.get(f"{url}/metrics", headers=headers)).text
                await client.get(f"{url}/c")
                if 'minyi_job_seconds_count{job="plan"}' in text and any(
                    line.startswith("minyi_commit_units_count ") and not line.endswith(" 0.0")
                    for line in text.splitlines()
                ):
                    break
        assert TOKEN not in text


async def test_without_a_token_there_are_no_metrics(tmp_path: Path) -> None:
    async with opened(tmp_path) as (url, doors), httpx.AsyncClient() as client:
        headers = {"Authorization": "Bearer None"}
        assert (await client.get(f"{url}/metrics", headers=headers)).status_code == 404
        assert doors.house.meter is None


async def test_what_is_not_ready_is_named(
    tmp_path: Path, own_postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own_postgres.fresh_database()
    settings = Settings.model_validate({"data_dir": tmp_path, "database_url": url})
    now = 0.0
    ticks = Ticks(5, clock=lambda: now)
    async with open_house(settings) as house:
        health = Health(looks(house, ticks), kept=0, patience=1.5)
        assert await health.failing() == ()
        now = 1000.0
        assert await health.failing() == ("clock",)
        ticks.note()
        usage = shutil._ntuple_diskusage(100, 99, 1)
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda _: usage)
            assert await health.failing() == ("disk",)
        migrate(url, "0001")
        assert await health.failing() == ("database",), "another version was here"
        migrate(url)
        own_postgres.stop()
        assert await health.failing() == ("database", "writer")
        own_postgres.start()
        async with asyncio.timeout(30):
            while await health.failing():  # noqa: ASYNC110 - it comes back by itself
                await asyncio.sleep(0.1)
        ticks.stopping = True
        assert await health.failing() == ("process",)
