"""What is counted, who may read it, and that one conversation never shows."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web.metrics import LOT, Meter, Metered, door_of, exposed

TOKEN = "a-token-of-at-least-some-length"
GOOD = {"Authorization": f"Bearer {TOKEN}"}


def served(meter: Meter) -> httpx.AsyncClient:
    async def page(request: Request) -> Response:
        status = int(request.query_params.get("status", "200"))
        if status == 500:
            raise RuntimeError("broken")
        return PlainTextResponse("", status)

    app = Starlette(routes=[exposed(meter, TOKEN), Route("/{path:path}", page, methods=["GET"])])
    transport = httpx.ASGITransport(Metered(app, meter), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://minyi.test")


def figures(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def read(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics", headers=GOOD)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return figures(answer.text)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN} "},
        {"Authorization": f"bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer \xe9".encode("latin-1")},
    ],
)
async def test_without_the_token_nothing_is_told(sent: Any) -> None:
    async with served(Meter()) as client:
        answer = await client.get("/metrics", headers=sent)
    assert (answer.status_code, answer.text) == (401, "")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_requests_are_counted_by_kind_of_door_and_of_answer_only() -> None:
    async with served(Meter(lot=1)) as client:
        for path in ("/desk/people/p1", "/desk?status=404", "/api/v1/waves", "/c/window-s0", "/x"):
            await client.get(path)
        found = await read(client)
    assert found['minyi_requests_total{door="desk",status="2xx"}'] == 1
    assert found['minyi_requests_total{door="desk",status="4xx"}'] == 1
    assert found['minyi_requests_total{door="api",status="2xx"}'] == 1
    assert found['minyi_requests_total{door="chat",status="2xx"}'] == 1
    assert found['minyi_requests_total{door="pages",status="2xx"}'] == 1
    assert found['minyi_request_seconds_count{door="desk"}'] == 2


async def test_the_chats_counter_stands_still_until_a_lot_is_full() -> None:
    async with served(Meter()) as client:
        for _ in range(LOT - 1):
            await client.get("/c/say")
        assert not [name for name in await read(client) if 'door="chat"' in name]
        await client.get("/media/form/picture")
        found = await read(client)
    assert found['minyi_requests_total{door="chat",status="2xx"}'] == LOT
    assert found['minyi_request_seconds_count{door="chat"}'] == LOT


async def test_a_failure_is_seen_at_once() -> None:
    async with served(Meter()) as client:
        await client.get("/c?status=500")
        found = await read(client)
    assert found['minyi_requests_total{door="chat",status="5xx"}'] == 1


def test_commits_come_in_lots_too_and_an_outage_at_once() -> None:
    meter = Meter(lot=3)
    for size in (1, 2):
        meter.commit(size, 0.001, False)
    assert figures(exposition(meter))["minyi_commit_units_count"] == 0
    meter.commit(5, 0.001, False)
    meter.commit(1, 15.0, True)
    found = figures(exposition(meter))
    assert (found["minyi_commit_units_count"], found["minyi_commit_units_sum"]) == (3, 8)
    assert found["minyi_database_away_total"] == 1


def test_jobs_deliveries_and_the_loops_lag_are_there() -> None:
    meter = Meter()
    meter.job("tally", 0.2, failed=True)
    meter.job("tally", 0.2, failed=False)
    meter.delivered("sent", 7)
    meter.delivered("gone", 0)
    meter.lag(-0.001)
    found = figures(exposition(meter))
    assert found['minyi_job_seconds_count{job="tally"}'] == 2
    assert found['minyi_job_failures_total{job="tally"}'] == 1
    assert found['minyi_deliveries_total{outcome="sent"}'] == 7
    assert found["minyi_loop_lag_seconds_count"] == 1
    assert found["process_resident_memory_bytes"] > 0


def test_no_label_can_name_a_person_a_unit_a_wave_or_an_address() -> None:
    meter = Meter(lot=1)
    for path in (
        "/c/window-unit7",
        "/desk/people/wang",
        "/poster/unit7",
        "/wang.fang/.%2e",
        "",
        "?",
    ):
        meter.request(door_of(path), 200, 0.01)
    meter.job("send", 1, failed=False)
    meter.delivered("sent", 1)
    labels = set(re.findall(r'(\w+)="([^"]*)"', exposition(meter)))
    names = {name for name, _ in labels}
    assert names == {"door", "status", "le", "job", "outcome"}
    assert {value for name, value in labels if name == "door"} == {"chat", "desk", "pages"}


def exposition(meter: Meter) -> str:
    from prometheus_client import generate_latest

    return generate_latest(meter.registry).decode()
